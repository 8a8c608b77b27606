package maintenance

import (
	"context"
	"errors"
	"strconv"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// cardFor is how long a card is waited for.
const cardFor = time.Minute

// trialView is the screen of a trial: back to the tasks, or once more when it is over.
func (d *Desk) trialView(title string, body view.Trial) view.View {
	v := view.View{Screen: "trial", Title: d.word("maint.do." + title), Body: body, Foot: []view.Button{d.button("end"), d.mainly("tasks")}}
	if !body.Busy && (body.Good != "" || body.Failure != nil || body.Print != nil) {
		v.Foot = []view.Button{d.button("end"), d.button("again"), d.mainly("tasks")}
	}
	return v
}

// printTrial prints a page and says what the printer said of it.
type printTrial struct {
	print view.Print
}

func (s *printTrial) enter(d *Desk, ctx context.Context) {
	s.print = view.Print{State: view.PrintRunning}
	job := station.Job{Kind: "test", Subject: "test", Compose: d.testPage}
	d.beside(ctx, func(ctx context.Context) func() {
		out := d.opt.Printer.Print(ctx, job, func(p printer.Progress) {
			d.post(func() {
				if ctx.Err() == nil && p.Total > 0 {
					s.print.Percent = 100 * p.Sent / p.Total
				}
			})
		})
		return func() { s.ended(d, out) }
	})
}

// testPage proves what can go wrong on paper: every size, Chinese, digits, a QR code, the full width and the cut.
func (d *Desk) testPage(job string, _ int) *printer.Document {
	number := ""
	if d.facts != nil {
		number = d.facts.Number
	}
	return &printer.Document{Blocks: []printer.Block{
		printer.Text{Text: d.word("maint.page.title"), Align: printer.Center, Size: 2, Bold: true},
		printer.Rule{},
		printer.Text{Text: d.word("maint.page.machine", "number", number)},
		printer.Text{Text: d.word("maint.page.time", "when", time.Now().In(d.opt.Location).Format("2006-01-02 15:04:05"))},
		printer.Text{Text: d.word("maint.page.job", "job", job)},
		printer.Text{Text: "0123456789 ABCXYZ abcxyz 园区事园区办"},
		printer.QR{Data: "test " + number + " " + job},
		printer.Rule{},
		printer.Text{Text: d.word("maint.page.end"), Align: printer.Center},
	}}
}

// ended is the truth about the page, as far as the printer told it.
func (s *printTrial) ended(d *Desk, out printer.Outcome) {
	switch out.State {
	case printer.Printed:
		s.print = view.Print{State: view.PrintDone}
	case printer.Sent:
		s.print = view.Print{State: view.PrintSent, Failure: d.failure("M-713")}
	case printer.Indeterminate:
		s.print = view.Print{State: view.PrintIndeterminate, Failure: d.failure("M-712")}
	default:
		s.print = view.Print{State: view.PrintFailed, Failure: d.failure("M-711", "why", d.reason(out.Reason, "why"), "next", d.reason(out.Reason, "do"))}
	}
}

// reason is the printer's reason in words.
func (d *Desk) reason(r printer.Reason, part string) string {
	key := "maint.print." + string(r) + "." + part
	if !d.opt.Words.Has(key) {
		key = "maint.print.offline." + part
	}
	return d.word(key)
}

func (s *printTrial) busy() bool { return s.print.State == view.PrintRunning }

func (s *printTrial) view(d *Desk) view.View {
	body := view.Trial{Busy: s.busy()}
	if s.print.Failure != nil {
		body.Failure = s.print.Failure
	} else if s.print.State == view.PrintDone {
		body.Good = d.word("maint.print.done")
	} else {
		body.Word, body.Percent = d.word("maint.print.running"), max(s.print.Percent, 1)
	}
	return d.trialView("print", body)
}

func (s *printTrial) act(d *Desk, a view.Action) {
	switch {
	case a.Do == "tasks":
		d.turn(&tasks{})
	case a.Do == "again" && !s.busy():
		d.turn(&printTrial{})
	}
}

// cardTrial reads one card and forgets it: that it could be read is all that is shown.
type cardTrial struct {
	reading bool
	good    bool
	failure *view.Failure
}

func (s *cardTrial) enter(d *Desk, ctx context.Context) {
	d.beside(ctx, func(ctx context.Context) func() {
		limit, cancel := context.WithTimeout(ctx, cardFor)
		defer cancel()
		_, err := d.opt.Reader.ReadCard(limit, func() {
			d.post(func() {
				if ctx.Err() == nil {
					s.reading = true
				}
			})
		})
		return func() { s.ended(d, err) }
	})
}

func (s *cardTrial) ended(d *Desk, err error) {
	s.reading = false
	fail, _ := errors.AsType[*idcard.Error](err)
	switch {
	case err == nil:
		s.good = true
	case errors.Is(err, context.DeadlineExceeded):
		s.failure = d.failure("M-724")
	case fail != nil && fail.Class == idcard.ClassAgain:
		s.failure = d.failure("M-721")
	case fail != nil && fail.Class == idcard.ClassUnreadable:
		s.failure = d.failure("M-722")
	default:
		s.failure = d.failure("M-723")
	}
}

func (s *cardTrial) view(d *Desk) view.View {
	body := view.Trial{Failure: s.failure}
	switch {
	case s.good:
		body.Good = d.word("maint.card.good")
	case s.failure == nil && s.reading:
		body.Word, body.Busy = d.word("maint.card.reading"), true
	case s.failure == nil:
		body.Word, body.Busy = d.word("maint.card.lay"), true
	}
	return d.trialView("card", body)
}

func (s *cardTrial) act(d *Desk, a view.Action) {
	switch {
	case a.Do == "tasks":
		d.turn(&tasks{})
	case a.Do == "again" && (s.good || s.failure != nil):
		d.turn(&cardTrial{})
	}
}

// keyTrial shows each button as it is pressed, and lights the lamps in turn, one a second.
type keyTrial struct {
	pressed [buttons.Count + 1]bool
	now     int // the last that was pressed
	lit     int
}

func (s *keyTrial) enter(d *Desk, _ context.Context) { s.light(d, buttons.Count) }

func (*keyTrial) left(d *Desk) { d.lamp(0) }

func (*keyTrial) every() time.Duration { return time.Second }

func (s *keyTrial) tick(d *Desk) { s.light(d, (s.lit+buttons.Count-2)%buttons.Count+1) }

func (s *keyTrial) light(d *Desk, level int) {
	s.lit = level
	d.lamp(level)
}

func (s *keyTrial) press(level int) {
	if level >= 1 && level <= buttons.Count {
		s.pressed[level], s.now = true, level
	}
}

func (s *keyTrial) view(d *Desk) view.View {
	body := view.Trial{Word: d.word("maint.keys.word")}
	all := true
	for n := buttons.Count; n >= 1; n-- {
		body.Keys = append(body.Keys, view.TrialKey{Level: view.Level{Value: n, Name: d.word("level." + strconv.Itoa(n))},
			Pressed: s.pressed[n], Now: s.now == n, Lit: d.opt.Lamp != nil && s.lit == n})
		all = all && s.pressed[n]
	}
	if all {
		body.Word = d.word("maint.keys.all")
	}
	v := d.trialView("keys", body)
	if s.now != 0 {
		v.Foot = []view.Button{d.button("end"), d.button("again"), d.mainly("tasks")}
	}
	return v
}

func (s *keyTrial) act(d *Desk, a view.Action) {
	switch a.Do {
	case "tasks":
		d.turn(&tasks{})
	case "again":
		d.turn(&keyTrial{})
	}
}
