package visit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"yuanban/devices/idnumber"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/ui/view"
)

// beginLetter composes the one letter of this application, for all its items.
func (f *Flow) beginLetter() {
	s := f.visit
	t := f.opt.Catalogue.LetterFor(s.items)
	if t == nil {
		fail := f.failure("V-501", "what", f.word("why.nothere.window"))
		f.push(&fault{failure: fail, foot: []view.Button{f.button("assist")}})
		return
	}
	s.number = "C" + rand.Text()[:10]
	s.letter = t.Compose(catalogue.LetterData{
		Number: s.number, Items: s.items, Package: s.pack,
		Applicant: shownName(s.card), ApplicantNumber: s.card.Number,
		CreditCode: s.credit, NoCompany: s.noCompany, Phone: s.phone,
		Date: time.Now().In(f.opt.Location), Machine: f.opt.Machine, NotListed: s.negative,
	})
	s.acknowledged, s.strokes = [3]time.Time{}, "" // what was read and signed before was another letter
	f.push(&letter{part: 0})
}

// voluntary says whether the letter is a choice (告知承诺) and not the plain form of the item.
func (s *session) voluntary() bool {
	return slices.ContainsFunc(s.items, func(it *catalogue.Item) bool { return it.Mode == catalogue.ModeCommitment })
}

// letter is one part of the commitment letter (告知承诺书): 0 conditions, 1 consequences, 2 application.
type letter struct {
	part int
	page int
	read int // the last page that was shown
}

func (s *letter) blocks(f *Flow) []block {
	l := f.visit.letter
	var out []block
	for _, p := range l.Parts[s.part].Paragraphs {
		out = append(out, block{head: p.Head, text: f.masked(p.Text)})
	}
	return out
}

// masked hides the visitor's own data in a text that people behind them could read. The signed text holds it in full.
func (f *Flow) masked(text string) string {
	s := f.visit
	name := shownName(s.card)
	return strings.NewReplacer(
		s.card.Number, idnumber.MaskNumber(s.card.Number),
		name, idnumber.MaskName(name),
		s.phone, idnumber.MaskPhone(s.phone),
	).Replace(text)
}

func (s *letter) view(f *Flow) view.View {
	pages := paginate(s.blocks(f), f.fit())
	p := pager(&s.page, len(pages))
	s.read = max(s.read, p.Page)
	l := f.visit.letter
	body := view.Letter{Part: s.part + 1, PartTitle: l.Parts[s.part].Title, Pager: p, Number: f.visit.number, Read: s.read >= p.Pages,
		Acknowledged: !f.visit.acknowledged[s.part].IsZero(), Voluntary: f.visit.voluntary()}
	if len(pages) > 0 {
		for _, pc := range pages[p.Page-1] {
			body.Paragraphs = append(body.Paragraphs, view.Paragraph{Head: pc.head, More: pc.more, Text: pc.text})
		}
	}
	ack := f.mainly("do.letter.ack", "acknowledge")
	if !body.Read {
		ack.Disabled, ack.Why = true, f.word("hold.read")
	}
	var foot []view.Button
	if body.Voluntary {
		foot = append(foot, view.Button{Label: f.word("do.letter.refuse"), Do: "refuse"})
	}
	return view.View{Screen: "letter", Back: true, Step: view.StepLetter, Body: body, Foot: append(foot, ack)}
}

func (s *letter) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "acknowledge":
		pages := len(paginate(s.blocks(f), f.fit()))
		if s.read < pages {
			return
		}
		f.visit.acknowledged[s.part] = time.Now()
		if s.part < 2 {
			f.push(&letter{part: s.part + 1})
			return
		}
		f.push(&sign{})
	case "refuse":
		if f.visit.voluntary() {
			f.push(&otherWay{})
		}
	}
}

// otherWay says how to go on without a commitment letter: a real way out (国办发〔2020〕42号: it is voluntary).
type otherWay struct{ reading }

func (s *otherWay) needs(f *Flow) []string {
	var out []string
	for _, it := range f.visit.items {
		for _, m := range it.Materials {
			if m.Source != catalogue.SourceCommitment && !slices.Contains(out, m.Name) {
				out = append(out, m.Name)
			}
		}
	}
	return out
}

func (s *otherWay) names(f *Flow) string {
	if f.visit.pack != nil {
		return f.visit.pack.Name
	}
	return f.visit.items[0].Name
}

func (s *otherWay) view(f *Flow) view.View {
	it := f.visit.items[0]
	needs := s.needs(f)
	return view.View{Screen: "otherway", Back: true, Step: view.StepLetter,
		Body: view.OtherWay{Name: s.names(f), Place: it.Place, Hours: it.Hours, Phone: it.Consult, Needs: needs, Print: s.printing()},
		Foot: []view.Button{{Label: f.word("do.letter.return"), Do: "back"}, {Label: f.word("do.print.otherway"), Do: "print", Icon: "printer", Main: true}}}
}

func (s *otherWay) act(f *Flow, a view.Action) {
	if a.Do != "print" {
		return
	}
	it := f.visit.items[0]
	s.printSheet(f, "otherway", s.names(f), []catalogue.Section{
		{Head: f.word("otherway.needs"), Lines: s.needs(f)},
		{Head: f.word("otherway.where"), Lines: []string{it.Place, it.Hours, it.Consult}},
	})
}

// sign takes a handwritten signature.
type sign struct{}

func (*sign) view(f *Flow) view.View {
	s := f.visit
	var names []string
	for _, it := range s.items {
		names = append(names, it.Name)
	}
	var statement []string
	for _, p := range s.letter.Declaration {
		if !p.Head {
			statement = append(statement, f.masked(p.Text))
		}
	}
	body := view.Sign{Name: idnumber.MaskName(shownName(s.card)), Statement: strings.Join(statement, ""), Items: names, Inked: inked(s.strokes), Strokes: s.strokes}
	done := f.mainly("do.sign.done", "submit")
	if !body.Inked {
		done.Disabled, done.Why = true, f.word("hold.sign")
	}
	return view.View{Screen: "sign", Back: true, Step: view.StepSign, Body: body,
		Foot: []view.Button{done}}
}

func (*sign) act(f *Flow, a view.Action) {
	switch a.Do {
	case "ink":
		if strokes := a.Arg("strokes"); validInk(strokes) {
			f.visit.strokes = strokes
		}
	case "submit":
		if inked(f.visit.strokes) {
			f.replace(&handing{})
		}
	}
}

// handing is the moment in which the application is committed.
type handing struct{ since time.Time }

func (s *handing) enter(f *Flow, ctx context.Context) {
	s.since = time.Now()
	v := f.visit
	app := f.application()
	f.beside(v.ctx, func(context.Context) func() {
		// Without cancel: an application is either committed or not begun, whatever the visitor does meanwhile.
		cases, err := f.opt.Cases.Accept(context.WithoutCancel(ctx), app)
		return func() { s.accepted(f, cases, err) }
	})
}

func (s *handing) accepted(f *Flow, cases []casefile.Case, err error) {
	if err != nil {
		f.opt.Log.Error("cannot accept an application", "area", "visit", "err", err)
		fail := f.failure(journalCode(err, "J-401"))
		f.replace(&fault{failure: fail, foot: []view.Button{f.button("assist"), f.mainly("do.retry", "retry")}})
		return
	}
	f.visit.cases = cases
	f.sound = view.SoundDone
	for len(f.stack) > 1 { // nothing before the acceptance can be gone back to
		f.pop()
	}
	f.replace(&accepted{})
}

func (s *handing) view(f *Flow) view.View {
	return view.View{Screen: "working", Step: view.StepSign, Body: view.Working{What: f.word("working.accept"), Since: s.since}}
}

func (*handing) act(*Flow, view.Action) {}

func (*handing) idles(*Flow) bool { return false }

// application is the visit as casefile wants it.
func (f *Flow) application() casefile.Application {
	s := f.visit
	app := casefile.Application{
		Visit: s.id, Channel: "kiosk",
		Applicant: casefile.Applicant{Name: shownName(s.card), Number: s.card.Number, IDKind: string(s.card.Kind), CreditCode: s.credit, NoCompany: s.noCompany, Phone: s.phone},
		Letter: casefile.Letter{Template: s.letter.Template, Version: s.letter.Version, TextSHA256: sha256.Sum256([]byte(s.letter.Text)), Text: s.letter.Text,
			ListVersion: f.opt.Catalogue.Park.ListVersion, Acknowledged: s.acknowledged, NegativeListConfirmed: s.negative},
		Signature: []byte(s.strokes),
	}
	if s.pack != nil {
		app.Package, app.PackageName = s.pack.Code, s.pack.Name
	}
	for _, it := range s.items {
		app.Items = append(app.Items, casefile.Item{Code: it.Code, Name: it.Name, Department: it.Department, Kind: string(it.Kind), Mode: string(it.Mode),
			PromiseText: it.Promise.Text, Promise: casefile.Limit{Amount: it.Promise.Limit.Amount, Unit: casefile.Unit(it.Promise.Limit.Unit)}, Seal: it.Seal})
	}
	return app
}
