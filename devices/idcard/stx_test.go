package idcard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSTXReadsEveryKindOfCard, with modules that read a card again and with those that read it once. The caller hears of the card
// when its text begins to arrive, a good second before it is all there at 9600 baud.
func TestSTXReadsEveryKindOfCard(t *testing.T) {
	for _, once := range []bool{false, true} {
		onBench(t, &SimOpts{Framing: STX, Baud: 9600, ReadsOnce: once}, func(t *testing.T, b *bench) {
			b.Reader = New(b.line.port, &Opts{Framing: STX, Baud: 9600})
			if err := b.WaitRemoved(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, want := range Examples() {
				var found time.Time
				time.AfterFunc(2*time.Second, func() { b.sim.Lay(want) })
				got, err := b.ReadCard(t.Context(), func() { found = time.Now() })
				if err != nil || got != want {
					t.Errorf("once %v: got %v, %v; want %v", once, got, err, want)
				}
				if ahead := time.Since(found); ahead < time.Second || ahead > 1400*time.Millisecond {
					t.Errorf("once %v: found %v before the end", once, ahead)
				}
				b.sim.Remove()
				if err := b.WaitRemoved(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if s := b.Stats(); s.Silent+s.Damaged+s.Strays+s.SkipBytes > 0 {
				t.Errorf("a clean line was not clean: %+v", s)
			}
		})
	}
}

// TestSTXOldCard: what lies there when a call begins is not read unless the reader has been seen empty before.
func TestSTXOldCard(t *testing.T) {
	for _, once := range []bool{false, true} {
		onBench(t, &SimOpts{Framing: STX, ReadsOnce: once}, func(t *testing.T, b *bench) {
			b.lay(t, Examples()[0])
			_, err := b.ReadCard(t.Context(), func() { t.Error("found") })
			wantClass(t, err, ClassAgain)
			b.sim.Remove()
			if err := b.WaitRemoved(t.Context()); err != nil {
				t.Error(err)
			}
			b.lay(t, Examples()[1]) // nothing was there before: this was laid for us
			if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[1] {
				t.Errorf("got %v, %v", card, err)
			}
			// It stays, and the next visitor asks.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = b.ReadCard(ctx, nil)
			if once {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a card that is no more one was %v", err)
				}
				return
			}
			wantClass(t, err, ClassAgain)
		})
	}
}

// TestSTXIdleIsLeftAlone: Alive sends nothing, for anything sent would read a card.
func TestSTXIdleIsLeftAlone(t *testing.T) {
	onBench(t, &SimOpts{Framing: STX}, func(t *testing.T, b *bench) {
		if _, err := b.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := b.Stats().Commands
		for range 10 {
			if err := b.Alive(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if sent := b.Stats().Commands - before; sent > 0 {
			t.Errorf("%d commands were sent", sent)
		}
		b.end.Close()
		wantClass(t, b.Alive(t.Context()), ClassGone)
	})
}

// TestSTXStatesAndTheirClasses: what each state means for the visitor.
func TestSTXStatesAndTheirClasses(t *testing.T) {
	for _, tc := range []struct {
		sw3   byte
		want  Class
		asked int
	}{
		{swCardDenies, ClassAgain, 1}, {swSAMDenies, ClassAgain, 1}, {swNotVerified, ClassAgain, 1}, {swReadFailed, ClassAgain, 1},
		{swRandom, ClassAgain, 1}, {swNotSelected, ClassAgain, maxSelects}, {swWrongCard, ClassUnreadable, 1}, {swNothing, ClassUnreadable, 1},
		{swNoRight, ClassFault, 1}, {swUnknown, ClassFault, 1}, {swSelfTest, ClassFault, 1}, {swNotAllowed, ClassFault, 1},
		{swBadChecksum, ClassFault, maxFailures}, {swBadLength, ClassFault, maxFailures}, {swBadCommand, ClassFault, maxFailures}, {0x77, ClassFault, 1},
	} {
		asked := 0
		scriptedIn(t, STX, func(string) (time.Duration, []byte) {
			asked++
			return 0, STX.fromReader().wrap(nil, []byte{tc.sw3, 0})
		}, func(t *testing.T, r *Reader) {
			r.line.suspect, r.line.owing = false, 0 // as after ProbeLine
			_, err := r.ReadCard(t.Context(), nil)
			wantClass(t, err, tc.want)
			if e, _ := errors.AsType[*Error](err); e == nil || e.SW3 != tc.sw3 || asked != tc.asked {
				t.Errorf("%02X: %v after %d questions, want %d", tc.sw3, err, asked, tc.asked)
			}
		})
	}
}

// TestSTXLateAnswer: a call is cancelled while the module reads the first visitor's card, however soon; the answer comes when it
// comes, and the second visitor never gets it.
func TestSTXLateAnswer(t *testing.T) {
	for card := 500 * time.Millisecond; card < 6*time.Second; card += 370 * time.Millisecond {
		for wait := 100 * time.Millisecond; wait < 3*time.Second; wait += 430 * time.Millisecond {
			synctest.Test(t, func(t *testing.T) {
				c := newCable()
				sim := NewSim(&SimOpts{Framing: STX, CardTime: card})
				ctx, cancel := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- sim.Serve(ctx, c.far) }()
				r := New(c.near, &Opts{Framing: STX})
				if err := r.WaitRemoved(t.Context()); err != nil {
					t.Fatal(err)
				}
				sim.Lay(Examples()[0])
				call, stop := context.WithTimeout(t.Context(), wait)
				_, err := r.ReadCard(call, nil)
				stop()
				if card > wait && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("card %v, cancelled after %v: %v", card, wait, err)
				}
				time.Sleep(wait)
				// The first visitor's card is copied by the module at the end of its time; only then it is taken away.
				for sim.reading() {
					time.Sleep(time.Millisecond)
				}
				sim.Remove()
				time.AfterFunc(2*time.Second, func() { sim.Lay(Examples()[1]) })
				second, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				got, err := r.ReadCard(second, nil)
				if got == Examples()[0] {
					t.Errorf("card %v, cancelled after %v: the second visitor got the first one's card", card, wait)
				}
				if card < 3*time.Second && (err != nil || got != Examples()[1]) { // slower ones are a Fault
					t.Errorf("card %v, cancelled after %v: %v, %v", card, wait, got, err)
				}
				cancel()
				<-served
			})
		}
	}
}
