package visit

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"yuanban/devices/idnumber"
	"yuanban/kiosk/catalogue"
	"yuanban/ui/view"
)

const (
	creditLength = 18
	phoneLength  = 11
)

// company asks for the credit code (统一社会信用代码) and a phone number.
type company struct {
	active  string // credit or phone
	maySkip bool
}

func newCompany(f *Flow) *company {
	s := &company{active: "credit"}
	s.maySkip = !slices.ContainsFunc(f.visit.items, func(it *catalogue.Item) bool { return it.Applicant == catalogue.ApplicantEnterprise })
	if f.visit.noCompany {
		s.active = "phone"
	}
	return s
}

func (s *company) creditField(f *Flow) view.Field {
	v := f.visit.credit
	fl := view.Field{Name: "credit", Label: f.word("field.credit.label"), Hint: f.word("field.credit.hint"), Shown: grouped(v, 4), Active: s.active == "credit", Missing: creditLength - len(v)}
	if v == "" {
		return fl
	}
	_, err := idnumber.CheckCredit(v)
	var p *idnumber.Problem
	switch {
	case err == nil:
		fl.Done, fl.Good = true, f.word("field.credit.good")
	case errors.As(err, &p) && (p.Kind != idnumber.Length):
		fl.Error = f.creditProblem(p)
	}
	return fl
}

// creditProblem says where a code is wrong and how to mend it.
func (f *Flow) creditProblem(p *idnumber.Problem) string {
	pos := strconv.Itoa(p.Pos)
	switch p.Kind {
	case idnumber.Check:
		return f.word("field.credit.check")
	case idnumber.Letter:
		return f.word("field.credit.letter", "pos", pos, "got", p.Got)
	default:
		return f.word("field.credit.bad", "pos", pos, "got", p.Got)
	}
}

func (s *company) phoneField(f *Flow) view.Field {
	v := f.visit.phone
	return phoneField(f, v, s.active == "phone")
}

func phoneField(f *Flow, v string, active bool) view.Field {
	fl := view.Field{Name: "phone", Label: f.word("field.phone.label"), Hint: f.word("field.phone.hint"), Shown: phoneGroups(v), Active: active, Missing: phoneLength - len(v)}
	switch {
	case v != "" && v[0] != '1':
		fl.Error = f.word("field.phone.bad")
	case len(v) == phoneLength && idnumber.CheckMobile(v) == nil:
		fl.Done, fl.Good = true, f.word("field.phone.good")
	case len(v) == phoneLength:
		fl.Error = f.word("field.phone.bad")
	}
	return fl
}

func (s *company) view(f *Flow) view.View {
	body := view.Company{Keys: view.KeysDigits, MaySkip: s.maySkip, Skipped: f.visit.noCompany}
	phone := s.phoneField(f)
	ready := phone.Done
	if f.visit.noCompany {
		body.SkipReason = f.word("company.skipped")
	} else {
		credit := s.creditField(f)
		body.Fields = append(body.Fields, credit)
		ready = ready && credit.Done
		if s.active == "credit" {
			body.Keys = view.KeysCredit
		}
	}
	body.Fields = append(body.Fields, phone)
	done := f.mainly("do.company.done", "done")
	if !ready {
		done.Disabled, done.Why = true, f.word("hold.fields")
	}
	return view.View{Screen: "company", Back: true, Step: view.StepIdentity, Body: body, Foot: []view.Button{done}}
}

func (s *company) act(f *Flow, a view.Action) {
	switch a.Do {
	case "field":
		s.active = a.Arg("name")
	case "key":
		s.key(f, a.Arg("key"))
	case "skip":
		switch {
		case f.visit.noCompany:
			f.visit.noCompany, s.active = false, "credit"
		case s.maySkip:
			f.visit.noCompany, f.visit.credit, s.active = true, "", "phone"
		}
	case "done":
		if s.phoneField(f).Done && (f.visit.noCompany || s.creditField(f).Done) {
			f.beginLetter()
		}
	}
}

func (s *company) key(f *Flow, k string) {
	if s.active == "credit" {
		f.visit.credit = typed(f.visit.credit, strings.ToUpper(k), creditLength, func(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' })
		if len(f.visit.credit) == creditLength && s.creditField(f).Done && f.visit.phone == "" {
			s.active = "phone"
		}
		return
	}
	f.visit.phone = typed(f.visit.phone, k, phoneLength, digit)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// typed applies one key to a value of at most length characters.
func typed(value, key string, length int, ok func(byte) bool) string {
	switch {
	case strings.EqualFold(key, "del"):
		return value[:max(len(value)-1, 0)]
	case strings.EqualFold(key, "clear"):
		return ""
	case len(key) == 1 && ok(key[0]) && len(value) < length:
		return value + key
	}
	return value
}

// grouped puts a space after every n characters, as numbers that people copy are written.
func grouped(s string, n int) string { return strings.Join(groups(s, n), " ") }

func groups(s string, n int) []string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return append(out, s)
}

// phoneGroups writes a mobile number as 138 1234 5678.
func phoneGroups(s string) string {
	if len(s) <= 3 {
		return s
	}
	return s[:3] + " " + grouped(s[3:], 4)
}
