//go:build vm

package bench

// testPull pulls the printer's adapter while a receipt comes out of the installed program's printer, and puts it back. It
// asserts:
//
//   - the cut was in the middle: a part of the receipt is on the paper, and it is not whole;
//   - the printer is offline within 1 s of being pulled, online within 3 s of being plugged in;
//   - what the journal says in the end of each job is true of the paper: one that was printed is there once and whole, one
//     that failed is not there whole, and of one that is indeterminate there is one at most;
//   - the receipt is not there whole twice.

import (
	"strings"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/station"
)

func (a *appliance) testPull() {
	before := len(a.readJournal().jobs)
	a.wait("started again", allOnline)
	had := len(a.paper.Receipts())
	v := a.sit()
	v.until("accepted", v.on("accepted"))
	a.eventually("a part of the receipt is on the paper", func() bool {
		papers := a.paper.Receipts()
		return len(papers) > had && len(papers[had].Lines) >= 5
	})
	a.pullPrinter(func() {
		if papers := a.paper.Receipts(); !papers[had].Partial {
			a.t.Errorf("the receipt was whole before the cable was pulled: %+v", papers[had])
		}
	})
	v.wait("the program has made up its mind", func() bool {
		for _, state := range []string{"print-printed", "print-indeterminate", "print-failed"} {
			if strings.Contains(v.Main, state) {
				return true
			}
		}
		return false
	})
	a.delivered()
	b := a.readJournal()
	a.wait("started again", allOnline)
	jobs := b.jobs[min(before, len(b.jobs)):]
	if len(jobs) == 0 {
		a.t.Fatal("the journal has no job of this visit")
	}
	all := 0
	for _, job := range jobs {
		whole := 0
		for _, r := range a.paper.Receipts()[had:] {
			// The number of the job stands in the last lines: a paper with it that was cut off is whole.
			if strings.Contains(written(r), "打印单号"+job.ID) && !r.Partial {
				whole++
			}
		}
		all += whole
		say("the receipt whose cable was pulled: job %s ended as %s (%s), %d whole on the paper", job.ID, job.State, job.Reason, whole)
		if job.State == journal.PrintPrinted && whole != 1 || job.State == journal.PrintFailed && whole != 0 || whole > 1 ||
			job.State != journal.PrintPrinted && job.State != journal.PrintFailed && job.State != journal.PrintIndeterminate {
			a.t.Errorf("job %+v, and the paper has %d of it:\n%+v", job, whole, a.paper.Receipts()[had:])
		}
	}
	if all > 1 {
		a.t.Errorf("the receipt is %d times on the paper", all)
	}
}

// pullPrinter pulls the adapter, looks, and puts it back. Times are the guest's: from before the hand moves until the program
// says that it noticed. How long a busy host takes to ask is none of the program's.
func (a *appliance) pullPrinter(look func()) {
	a.t.Helper()
	began := a.clock()
	if err := a.m.Unplug(a.t.Context(), "usb1"); err != nil {
		a.t.Fatal(err)
	}
	gone := a.printerIs(station.Offline).Sub(began)
	look()
	if gone > time.Second {
		a.t.Errorf("the printer was offline %v after it was unplugged, must be 1 s", gone)
	}
	began = a.clock()
	if err := a.m.Plug(a.t.Context(), "usb1"); err != nil {
		a.t.Fatal(err)
	}
	back := a.printerIs(station.Online).Sub(began)
	if back > 3*time.Second {
		a.t.Errorf("the printer was online %v after it was plugged in again, must be 3 s", back)
	}
	say("in the middle of a receipt: printer unplugged, offline after %v; plugged in, online after %v", gone.Round(time.Millisecond), back.Round(time.Millisecond))
}

// clock is the guest's.
func (a *appliance) clock() time.Time {
	a.t.Helper()
	now, err := time.Parse(time.RFC3339Nano, a.run("date", "--utc", "+%Y-%m-%dT%H:%M:%S.%NZ"))
	if err != nil {
		a.t.Fatal(err)
	}
	return now
}

// printerIs waits for a state of the printer, and returns since when it has it.
func (a *appliance) printerIs(state station.State) (since time.Time) {
	a.t.Helper()
	a.wait("the printer is "+string(state), func(s api.Status) bool {
		for _, d := range s.Devices {
			if d.Device == "printer" {
				since = d.Since
				return d.State == state
			}
		}
		return false
	})
	return since
}
