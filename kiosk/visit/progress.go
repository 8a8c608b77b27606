package visit

import (
	"context"
	"errors"
	"time"

	"yuanban/devices/idnumber"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/journal"
	"yuanban/ui/view"
)

// progress lists one's own cases (办理进度).
type progress struct {
	page   int
	number string
	cases  []casefile.Case
	loaded bool
}

func newProgress(_ *Flow, idNumber string) *progress { return &progress{number: idNumber} }

func (s *progress) enter(f *Flow, ctx context.Context) {
	f.beside(ctx, func(ctx context.Context) func() {
		cases, err := f.opt.Cases.ByPerson(ctx, s.number)
		return func() {
			if err != nil {
				f.opt.Log.Error("cannot look up cases", "area", "visit", "err", err)
				fail := f.failure(journalCode(err, "J-406"))
				f.replace(&fault{failure: fail, foot: []view.Button{f.button("assist")}})
				return
			}
			s.cases, s.loaded = cases, true
			if len(cases) == 0 {
				f.replace(&fault{failure: f.failure("V-502"), foot: []view.Button{f.button("assist"), f.mainly("do.finish", "home")}})
			}
		}
	})
}

func (s *progress) view(f *Flow) view.View {
	if !s.loaded {
		return view.View{Screen: "working", Body: view.Working{What: f.word("working.query"), Since: time.Now()}}
	}
	m := f.fit()
	shown, place := rowsOf(m, s.cases, caseName, m.Cases, &s.page)
	body := view.Progress{Name: idnumber.MaskName(shownName(f.visit.card)), Pager: place}
	for _, c := range shown {
		body.Cases = append(body.Cases, f.caseRow(c))
	}
	return view.View{Screen: "progress", Back: true, Body: body, Foot: []view.Button{f.mainly("do.finish", "home")}}
}

func (s *progress) act(f *Flow, a view.Action) {
	if turn(&s.page, a) || a.Do != "case" {
		return
	}
	for _, c := range s.cases {
		if c.Shown() == a.Arg("number") {
			f.push(&oneCase{c: c})
			return
		}
	}
}

func caseName(c casefile.Case) string { return c.Name }

// oneCase is one own case.
type oneCase struct{ c casefile.Case }

func (s *oneCase) view(f *Flow) view.View {
	row := f.caseRow(s.c)
	steps := []view.CaseStep{{Name: f.word("step.accepted"), When: row.Accepted, Done: true},
		{Name: f.word("step.uploaded"), Done: s.c.Uploaded},
		{Name: f.word("step.completed"), When: row.Due, Done: s.c.State == casefile.StateCompleted}}
	return view.View{Screen: "case", Back: true, Body: view.CaseDetail{Case: row, Steps: steps, QR: f.receiptQR([]casefile.Case{s.c})},
		Foot: []view.Button{{Label: f.word("do.finish"), Do: "home"}, f.mainly("do.back", "back")}}
}

func (*oneCase) act(*Flow, view.Action) {}

// journalCode is the failure of a journal that could not record.
//
// code is that of the thing that was tried: only an application that failed may say that nothing was accepted.
func journalCode(err error, code string) string {
	if code == "J-401" && errors.Is(err, journal.ErrDiskFull) {
		return "J-402"
	}
	return code
}
