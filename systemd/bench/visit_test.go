//go:build vm

package bench

// testVisit leads a visitor through a whole visit at the installed program, whose reader is a simulator on ttyS and whose
// printer is one on ttyUSB. It asserts:
//
//   - the card is read: its name and number are in the sealed part of both cases, which only the platform can open, and on no
//     paper;
//   - one receipt is on the paper, whole and cut, with the numbers of both cases, their names and the number of its job, and
//     the journal says of that job that it was printed;
//   - lamps lie dark until the rating is asked for, and change while it is;
//   - a press of a button whose contact bounces is one rating: once in the journal, whose chain holds, and once at the
//     platform; the lamp of that button is lit for it.

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"yuanban/devices/printer"
	"yuanban/kiosk/journal"
	"yuanban/ui/uitest"
)

func (a *appliance) testVisit() {
	began := time.Now()
	changed := a.watchLamps()
	v := a.sit()
	v.until("accepted", v.on("accepted"))
	v.wait("the receipt is out", func() bool { return strings.Contains(v.Main, "print-printed") })
	shown := v.Numbers()
	if got, seen := changed(); got != "" {
		a.t.Errorf("lamps %s changed while nothing was asked: %v", got, seen)
	}
	changed = a.watchLamps()
	v.send("rate")
	v.wait("the rating is asked for", v.on("rating"))
	time.Sleep(2 * time.Second) // for the lamps: nobody presses at once
	if got, seen := changed(); got != "1 2 3 4 5" {
		a.t.Errorf("while the rating is asked for lamps %q changed, must be all: %v", got, seen)
	}
	changed = a.watchLamps()
	if err := a.hands.Do("bounce 4"); err != nil {
		a.t.Fatal(err)
	}
	v.wait("rated", func() bool { return v.Name == "reasons" || v.Name == "thanks" })
	time.Sleep(time.Second)
	if _, seen := changed(); !seen["lamp-4 lit"] {
		a.t.Errorf("the lamp of the button was not lit: %v", seen)
	}
	if v.Name == "reasons" {
		v.send("finish")
	}
	v.wait("thanks", v.on("thanks"))
	s := a.delivered()
	b := a.readJournal()
	if b.last < s.Sequence {
		a.t.Errorf("the journal ends at %d, it was said to be at %d", b.last, s.Sequence)
	}
	rated := a.facts("rating.given", "")
	if len(rated) != 1 {
		a.t.Fatalf("%d ratings are at the platform", len(rated))
	}
	a.oneRating(b, rated[0].Subject, "4")
	a.judgeCases(v, shown)
	if len(b.jobs) != 1 || b.jobs[0].State != journal.PrintPrinted {
		a.t.Fatalf("the journal has the jobs %+v", b.jobs)
	}
	a.judgeReceipt(v, shown, b.jobs[0])
	a.wait("started again", allOnline)
	say("a visit: two cases by a card on ttyS, receipt on ttyUSB, one rating by a bouncing button: %.1f s", time.Since(began).Seconds())
}

// judgeCases looks at what the platform got of the cases that were shown.
func (a *appliance) judgeCases(v *display, shown []string) {
	a.t.Helper()
	cases := a.facts("case.accepted", "")
	if len(cases) != 2 || len(shown) != 2 {
		a.t.Errorf("%d cases are at the platform, the screen showed %q", len(cases), shown)
	}
	for _, c := range cases {
		if !slices.Contains(shown, c.Subject) && !slices.Contains(shown, c.Number) {
			a.t.Errorf("case %s, %s was not shown: %q", c.Subject, c.Number, shown)
		}
		var person struct{ Name, Number string }
		if err := json.Unmarshal(c.Personal, &person); err != nil || person.Name != v.card.Name || person.Number != v.card.Number {
			a.t.Errorf("the applicant of %s is not the one of the card: %v", c.Subject, err)
		}
	}
}

// judgeReceipt looks at the paper.
func (a *appliance) judgeReceipt(v *display, shown []string, job journal.PrintJob) {
	a.t.Helper()
	papers := a.paper.Receipts()
	if len(papers) != 1 || papers[0].Partial {
		a.t.Fatalf("on the paper is %+v", papers)
	}
	text := written(papers[0])
	for _, c := range a.facts("case.accepted", "") {
		var body struct{ Item struct{ Name string } }
		if err := json.Unmarshal(c.Body, &body); err != nil || body.Item.Name == "" || !strings.Contains(text, body.Item.Name) {
			a.t.Errorf("the paper does not name %q, %v:\n%s", body.Item.Name, err, strings.Join(papers[0].Lines, "\n"))
		}
		if !strings.Contains(text, c.Subject) && !strings.Contains(text, c.Number) {
			a.t.Errorf("the paper has neither %s nor %s:\n%s", c.Subject, c.Number, strings.Join(papers[0].Lines, "\n"))
		}
	}
	if !strings.Contains(text, job.ID) {
		a.t.Errorf("the paper does not say its job %s:\n%s", job.ID, strings.Join(papers[0].Lines, "\n"))
	}
	for _, secret := range []string{v.card.Name, v.card.Number, uitest.Telephone} {
		if strings.Contains(text, secret) {
			a.t.Errorf("the paper shows a secret:\n%s", strings.Join(papers[0].Lines, "\n"))
		}
	}
	a.t.Logf("the receipt:\n%s", strings.Join(papers[0].Lines, "\n"))
}

// written is a paper without the spaces and ends of lines that its width makes.
func written(r printer.Receipt) string {
	return strings.Join(strings.Fields(strings.Join(r.Lines, "")), "")
}
