package printer

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestGiveUpAfter: a port that works before a printer that does not answer ends Run, with an error that is not that of a broken port.
func TestGiveUpAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "kp628e")
		sim := NewSim(p, nil)
		r := newRig(t, p, sim, &Opts{GiveUpAfter: time.Minute})
		defer r.close()
		time.Sleep(10 * time.Minute)
		r.wantReady("")
		sim.SetFault(SimSilent)
		began := time.Now()
		err := <-r.runErr
		if took := time.Since(began); !errors.Is(err, ErrSilent) || errors.Is(err, ErrGone) || took < time.Minute || took > 70*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		r.want(r.print("a", 1), Failed, Offline)
	})
	synctest.Test(t, func(t *testing.T) { // a mute printer is not a silent one
		p := profile(t, "mute58")
		r := newRig(t, p, NewSim(p, nil), &Opts{GiveUpAfter: time.Minute})
		defer r.close()
		time.Sleep(10 * time.Minute)
		r.wantReady("")
	})
}

// TestFlapping: a printer that comes and goes holds nobody up for ever.
func TestFlapping(t *testing.T) {
	for name, p := range speaking() {
		synctest.Test(t, func(t *testing.T) {
			sim := NewSim(p, nil)
			r := newRig(t, p, sim, nil)
			defer r.close()
			sim.SetPaperLeft(5)
			j := r.start(t.Context(), "a", 40)
			began := time.Now()
			for {
				select {
				case out := <-j.out:
					if took := time.Since(began); out.State != Failed || took > 150*time.Second {
						t.Errorf("%s: %+v after %v", name, out, took)
					}
					return
				case <-time.After(1700 * time.Millisecond):
					sim.SetFault(SimSilent)
					sim.Set("", "open", "")
				}
				time.Sleep(1700 * time.Millisecond)
				sim.SetFault(SimNone)
				sim.Set("", "closed", "")
			}
		})
	}
}

// TestPowerCycle switches the printer off and on in the middle of a job, at any moment: what it held is lost, and it never counts as
// printed. The next receipt is whole.
func TestPowerCycle(t *testing.T) {
	t.Parallel()
	for _, p := range cast(t) {
		if len(p.Status.Polls) == 0 {
			continue
		}
		for after := 20 * time.Millisecond; after < 1500*time.Millisecond; after += 90 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				sim := NewSim(p, nil)
				r := newRig(t, p, sim, nil)
				defer r.close()
				j := r.start(t.Context(), "a", 25)
				time.Sleep(after)
				sim.SetFault(SimOff)
				time.Sleep(3 * time.Second)
				sim.SetFault(SimNone)
				out := <-j.out
				lines := len(r.paper())
				if whole := lines == 25; out.State == Printed && !whole || out.State == Failed && whole {
					t.Errorf("%s off after %v: %+v with %d lines on paper", p.Name, after, out, lines)
				}
				time.Sleep(10 * time.Second)
				r.want(r.print("b", 3), Printed, "")
				recs := sim.Receipts()
				if got := recs[len(recs)-1]; len(got.Lines) != 3 || got.Partial {
					t.Errorf("%s off after %v: the next receipt is %+v", p.Name, after, got)
				}
			})
		}
	}
}
