package visit

import (
	"context"

	"yuanban/devices/printer"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// sectionBlocks lays sections out as headings and lines.
func sectionBlocks(sections []catalogue.Section) []block {
	var out []block
	for _, s := range sections {
		out = append(out, block{head: true, text: s.Head})
		for _, l := range s.Lines {
			out = append(out, block{text: l})
		}
	}
	return out
}

// sectionsOf turns a page of such blocks back into sections.
func sectionsOf(page []piece) []view.Section {
	var out []view.Section
	for _, p := range page {
		if p.head {
			out = append(out, view.Section{Head: p.text})
			continue
		}
		if len(out) == 0 {
			out = append(out, view.Section{More: true})
		}
		last := &out[len(out)-1]
		last.Lines = append(last.Lines, p.text)
	}
	return out
}

// reading is a text of sections that is paged and can be printed: guides, list rows, documents.
type reading struct {
	page  int
	print *view.Print
}

func (r *reading) sections(f *Flow, sections []catalogue.Section) ([]view.Section, view.Pager) {
	pages := paginate(sectionBlocks(sections), f.fit())
	p := pager(&r.page, len(pages))
	if len(pages) == 0 {
		return nil, p
	}
	return sectionsOf(pages[p.Page-1]), p
}

// printing is how far the paper is, for a view: a copy, for a view belongs to whoever renders it.
func (r *reading) printing() *view.Print {
	if r.print == nil {
		return nil
	}
	p := *r.print
	return &p
}

// printSheet prints what is read; it is nobody's personal paper, so it ends with the program only.
func (r *reading) printSheet(f *Flow, kind, title string, sections []catalogue.Section) {
	if r.print != nil && (r.print.State == view.PrintRunning || r.print.State == view.PrintWaiting) {
		return
	}
	var out []casefile.Section
	for _, s := range sections {
		out = append(out, casefile.Section{Head: s.Head, Lines: s.Lines})
	}
	sheet := casefile.SheetInfo{Template: f.opt.Catalogue.Receipts.Sheet, Title: title, Sections: out,
		Park: f.opt.Catalogue.Park.Name, Version: f.opt.Catalogue.Park.Version}
	r.print = &view.Print{State: view.PrintRunning}
	f.print(f.ctx, station.Job{Kind: kind, Subject: title, Compose: func(string, int) *printer.Document {
		return casefile.Sheet(sheet)
	}}, paperWords{sheet: true, what: f.word("paper." + kind), lost: f.word("paper.lost", "what", f.word("paper."+kind))}, r.print)
}

// paperWords are what a failure says of a paper.
type paperWords struct {
	what  string // 回执, 办事指南
	sheet bool   // a paper that no QR code on the screen stands for
	lost  string // what it means for the visitor that it is not there, as a sentence
}

// print runs one print beside the flow and keeps p true.
func (f *Flow) print(ctx context.Context, job station.Job, words paperWords, p *view.Print) {
	job.Presence = func(w printer.Presence) { f.post(func() { f.placed(p, w, words) }) }
	f.beside(ctx, func(ctx context.Context) func() {
		out := f.opt.Printer.Print(ctx, job, func(pr printer.Progress) {
			f.post(func() { f.printing(p, pr, words) })
		})
		return func() { f.printed(p, out, words) }
	})
}

func (f *Flow) printing(p *view.Print, pr printer.Progress, words paperWords) {
	if p.State != view.PrintRunning && p.State != view.PrintWaiting {
		return // it has ended meanwhile
	}
	p.State, p.Failure = view.PrintRunning, nil
	if pr.Total > 0 {
		p.Percent = 100 * pr.Sent / pr.Total
	}
	if pr.Waiting != "" {
		was := p.State
		p.State = view.PrintWaiting
		fail := f.paperFailure(waitingCode(pr.Waiting), words)
		p.Failure = &fail
		if was != view.PrintWaiting {
			f.sound = view.SoundAlert
		}
	}
}

// placed keeps p true about a paper that is out.
func (f *Flow) placed(p *view.Print, w printer.Presence, words paperWords) {
	if p.State != view.PrintDone {
		return // a later paper's story, or none
	}
	switch w {
	case printer.Present:
		p.Place = view.PaperPresent
	case printer.Forgotten:
		p.Place = view.PaperForgotten
		if f.visit != nil && p == &f.visit.print {
			f.sound = view.SoundAlert
		}
	case printer.Taken:
		p.Place = view.PaperTaken
	case printer.Retracted:
		p.State, p.Place = view.PrintRetracted, view.PaperUnknown
		fail := f.paperFailure("P-110", words)
		p.Failure = &fail
	}
}

func waitingCode(r printer.Reason) string {
	switch r {
	case printer.OutputJam:
		return "P-112"
	case printer.CoverOpen:
		return "P-102"
	case printer.HeadHot:
		return "P-109"
	case printer.CutterJam:
		return "P-103"
	default:
		return "P-105"
	}
}

func (f *Flow) printed(p *view.Print, out printer.Outcome, words paperWords) {
	p.Failure, p.Place = nil, view.PaperUnknown
	switch out.State {
	case printer.Printed:
		p.State, p.Percent = view.PrintDone, 100
		return
	case printer.Sent:
		p.State = view.PrintSent
		fail := f.paperFailure("P-108", words)
		p.Failure = &fail
		return
	case printer.Indeterminate:
		p.State = view.PrintIndeterminate
		fail := f.paperFailure("P-107", words)
		p.Failure = &fail
	default:
		p.State = view.PrintFailed
		fail := f.paperFailure(failedCode(out), words)
		p.Failure = &fail
	}
	f.sound = view.SoundAlert
}

// paperFailure is a failure of the printer, in the words that fit the paper.
func (f *Flow) paperFailure(code string, words paperWords) view.Failure {
	what := words.what
	if code == "P-104" {
		what = words.lost
	}
	fail := f.failure(code, "what", what, "place", f.opt.Catalogue.Park.Pickup)
	if words.sheet { // there is no QR code to scan instead
		fail.Do = f.word("paper.sheet.do")
	}
	return fail
}

// failedCode names why nothing (complete) came out.
func failedCode(out printer.Outcome) string {
	switch {
	case out.Held: // it had begun, and the printer may still have lines of it
		return "P-111"
	case out.Bytes > 0: // it had begun, and what was left has been cleared
		return "P-106"
	case out.Reason == printer.OutputJam:
		return "P-112"
	case out.Reason == printer.PaperOut:
		return "P-104"
	case out.Reason == printer.CoverOpen:
		return "P-102"
	case out.Reason == printer.CutterJam:
		return "P-103"
	case out.Reason == printer.HeadHot:
		return "P-109"
	default:
		return "P-101"
	}
}

// guide is the guide (办事指南) of one item.
type guide struct {
	item *catalogue.Item
	reading
}

func (s *guide) view(f *Flow) view.View {
	it := s.item
	body := view.Guide{Code: it.Code, Name: it.Name, Summary: it.Summary, Mode: string(it.Mode), Print: s.printing(), Example: f.opt.Catalogue.Park.Example}
	body.Sections, body.Pager = s.sections(f, f.opt.Catalogue.Guide(it))
	apply := f.mainly("do.apply", "apply")
	if !it.CanApply {
		apply = f.mainly("do.nothere", "apply")
	}
	return view.View{Screen: "guide", Back: true, Body: body,
		Foot: []view.Button{{Label: f.word("do.print.guide"), Do: "print", Icon: "printer"}, apply}}
}

func (s *guide) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "print":
		s.printSheet(f, "guide", s.item.Name, f.opt.Catalogue.Guide(s.item))
	case "apply":
		f.apply(nil, []*catalogue.Item{s.item})
	}
}

// notHere explains why an item is not applied for on this machine, and where it is.
type notHere struct {
	item *catalogue.Item
	why  string
}

func (s *notHere) view(f *Flow) view.View {
	it := s.item
	return view.View{Screen: "nothere", Back: true, Body: view.NotHere{
		Name: it.Name, Why: s.why, Where: it.Place, Phone: it.Consult, Hours: it.Hours, QR: it.Ways.OnlineURL, QRWord: f.word("nothere.qr"),
	}, Foot: []view.Button{f.button("assist"), f.mainly("do.guide", "guide")}}
}

func (s *notHere) act(f *Flow, a view.Action) {
	switch a.Do {
	case "assist":
		f.push(newAssist(f))
	case "guide":
		f.replace(&guide{item: s.item})
	}
}
