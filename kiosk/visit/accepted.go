package visit

import (
	"context"
	"time"

	"yuanban/kiosk/casefile"
	"yuanban/kiosk/evaluation"
	"yuanban/ui/view"
)

// takeTime is how long the numbers stay on the screen after the receipt came out, before the rating is asked for
// (a self-service terminal goes to the rating by itself: DB2203/T 8-2024).
const takeTime = 15 * time.Second

// lookAgain is how often cases that are not uploaded are looked at.
const lookAgain = time.Second

// accepted is the end of an application: numbers, due times, the receipt.
type accepted struct {
	page    int
	printed time.Time // when the receipt was confirmed
	looked  time.Time // when the cases were last looked at
}

func (s *accepted) enter(f *Flow, _ context.Context) {
	v := f.visit
	if v.print.State != view.PrintNone {
		return // back from another screen
	}
	// Under the visit, not under this screen: the paper comes out while the visitor already rates.
	f.printReceipt()
}

// printReceipt prints under the visit, and can be withdrawn while it waits for paper.
func (f *Flow) printReceipt() {
	v := f.visit
	ctx, stop := context.WithCancel(v.ctx)
	v.print, v.stopPrint = view.Print{State: view.PrintRunning}, stop
	f.print(ctx, f.receiptJob(), f.receiptWords(), &v.print)
}

func (s *accepted) view(f *Flow) view.View {
	v := f.visit
	rows := f.fit().Receipts
	body := view.Accepted{Print: v.print, Side: f.opt.Places.Printer, QR: f.receiptQR(v.cases), Uploaded: true}
	if v.pack != nil {
		body.Package = v.pack.Name
	}
	provisional := false
	for _, c := range v.cases {
		body.Uploaded = body.Uploaded && c.Uploaded
		provisional = provisional || c.Provisional
	}
	title := "accepted.title"
	switch {
	case provisional && body.Uploaded:
		title = "accepted.title.numberless"
	case provisional:
		title = "accepted.title.provisional"
	case !body.Uploaded:
		title = "accepted.title.local"
	}
	body.Pager = pager(&s.page, pagesOf(len(v.cases), rows))
	for _, c := range pageOf(v.cases, s.page, rows) {
		body.Cases = append(body.Cases, f.caseRow(c))
	}
	if v.print.State == view.PrintDone && s.printed.IsZero() {
		s.printed = time.Now()
	}
	var foot []view.Button
	if st := v.print.State; st == view.PrintWaiting {
		foot = append(foot, view.Button{Label: f.word("do.print.skip"), Do: "skip"})
	} else if st == view.PrintFailed || st == view.PrintRetracted {
		foot = append(foot, view.Button{Label: f.word("do.print.again"), Do: "print", Icon: "printer"})
	}
	next := f.mainly("do.accepted.rate", "rate")
	if v.asked {
		next = f.mainly("do.finish", "finish")
	}
	return view.View{Screen: "accepted", Title: f.word(title), Step: view.StepReceipt, Body: body, Foot: append(foot, next)}
}

func (s *accepted) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "rate":
		f.askRating()
	case "skip":
		f.visit.stopPrint() // paper that is put in later must not bring it out
		f.visit.skipped, f.visit.print.Failure = true, nil
		if f.visit.asked {
			f.finish()
			return
		}
		f.askRating()
	case "print":
		// Only a print that is known to have failed, or to be back in the machine, is begun again; an indeterminate one never is.
		if st := f.visit.print.State; st == view.PrintFailed || st == view.PrintRetracted {
			f.printReceipt()
		}
	}
}

// refresh looks again at the cases: the platform may have given them their numbers.
func (s *accepted) refresh(f *Flow) {
	s.looked = time.Now()
	for i, c := range f.visit.cases {
		if now, err := f.opt.Cases.ByNumber(f.ctx, c.Number); err == nil {
			f.visit.cases[i] = now
		}
	}
}

func (s *accepted) idles(f *Flow) bool { return f.visit.print.State != view.PrintRunning }

// wakeAt looks again at cases that are not uploaded: the platform may have answered before this screen was there to hear of it.
// Once the receipt is out, the machine goes on to the rating by itself.
func (s *accepted) wakeAt(f *Flow) time.Time {
	var at time.Time
	if !s.printed.IsZero() && f.visit.print.State == view.PrintDone && !f.warned && !f.visit.asked {
		at = s.printed.Add(takeTime)
	}
	if look := s.looked.Add(lookAgain); !s.uploaded(f) && (at.IsZero() || look.Before(at)) {
		at = look
	}
	return at
}

func (s *accepted) wake(f *Flow) {
	if !s.uploaded(f) && time.Since(s.looked) >= lookAgain {
		s.refresh(f)
		return
	}
	f.askRating()
}

func (s *accepted) uploaded(f *Flow) bool {
	for _, c := range f.visit.cases {
		if !c.Uploaded || c.Provisional {
			return false
		}
	}
	return true
}

func (f *Flow) caseRow(c casefile.Case) view.CaseRow {
	state := "state." + string(c.State)
	if c.Provisional && c.State == casefile.StateAccepted {
		state = "state.provisional"
	}
	return view.CaseRow{
		Number: c.Shown(), Groups: groups(c.Shown(), 4), Name: c.Name, Provisional: c.Provisional, Department: c.Department,
		Accepted: f.when(c.AcceptedAt), Due: f.due(c), State: f.word(state), QueryCode: c.QueryCode, Uploaded: c.Uploaded,
	}
}

func (f *Flow) due(c casefile.Case) string {
	if c.Due.IsZero() {
		return c.DueText
	}
	return f.when(c.Due)
}

// askRating goes on to the rating of the acceptance. It hangs on the first case of a package: one person was served once,
// and nobody rated the others; they stay 未评价 until someone does (by the receipt's QR code).
func (f *Flow) askRating() {
	if f.visit.asked {
		return
	}
	f.visit.asked = true
	first := f.visit.cases[0]
	inv, err := f.opt.Ratings.Invite(f.ctx, evaluation.Invitation{Case: first.Number, Stage: evaluation.StageAcceptance, Service: first.Service, Channel: evaluation.ChannelKiosk})
	if err != nil {
		f.opt.Log.Error("cannot open the invitation to rate", "area", "visit", "err", err)
		f.push(&fault{failure: f.failure("J-404"), foot: []view.Button{f.mainly("do.back", "back")}})
		return
	}
	f.push(newRating(f, inv, f.ratedService()))
}

func (f *Flow) ratedService() string {
	if f.visit.pack != nil {
		return f.visit.pack.Name
	}
	return f.visit.items[0].Name
}
