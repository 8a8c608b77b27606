package idcard

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a driver and a simulated reader with a line between them.
type bench struct {
	*Reader
	sim    *Sim
	end    net.Conn // of the simulated reader
	served chan error
	cancel context.CancelFunc
}

// onBench runs f in a bubble of virtual time, in which net.Pipe is the line.
func onBench(t *testing.T, opts *SimOpts, f func(*testing.T, *bench)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		var o Opts
		if opts != nil {
			o.Framing = opts.Framing
		}
		b := &bench{Reader: New(near, &o), sim: NewSim(opts), end: far, served: make(chan error, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		b.cancel = cancel
		go func() { b.served <- b.sim.Serve(ctx, far) }()
		f(t, b)
		cancel()
		<-b.served
		near.Close()
		far.Close()
	})
}

func (b *bench) lay(t *testing.T, c Card) {
	t.Helper()
	if err := b.sim.Lay(c); err != nil {
		t.Fatal(err)
	}
}

// wantClass checks what kind of error came.
func wantClass(t *testing.T, err error, want Class) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != want {
		t.Errorf("got %v, want an error of class %q", err, want)
		return
	}
	if !strings.HasPrefix(err.Error(), "cannot ") {
		t.Errorf("error text %q", err)
	}
}

func TestProbe(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		id, err := b.Probe(t.Context())
		if want := "05.03-20170101-0000000001-0000000001"; id != want || err != nil {
			t.Errorf("got %q, %v; want %q", id, err, want)
		}
		start := time.Now()
		b.sim.SetFault(FaultSilent)
		_, err = b.Probe(t.Context())
		wantClass(t, err, ClassFault)
		if took := time.Since(start); took < bootTime || took > 2*bootTime {
			t.Errorf("gave up after %v", took)
		}
		b.sim.SetFault(FaultNone)
		if _, err := b.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryKindOfCardIsRead(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		for _, want := range Examples() {
			b.lay(t, want)
			found := 0
			got, err := b.ReadCard(t.Context(), func() { found++ })
			if err != nil || got != want || found != 1 {
				t.Errorf("got %v, %v, found %d times; want %v", got, err, found, want)
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

// The driver looks for a card no more than once in 300 ms and reads one laid much
// later at once.
func TestWaitsForACard(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		go func() {
			time.Sleep(30 * time.Second)
			b.sim.Lay(Examples()[0])
		}()
		start := time.Now()
		var foundAfter time.Duration
		card, err := b.ReadCard(t.Context(), func() { foundAfter = time.Since(start) })
		if err != nil || card != Examples()[0] {
			t.Fatalf("got %v, %v", card, err)
		}
		if foundAfter < 30*time.Second || foundAfter > 31*time.Second {
			t.Errorf("found after %v", foundAfter)
		}
		if took := time.Since(start) - foundAfter; took < defaultCardTime || took > defaultCardTime+100*time.Millisecond {
			t.Errorf("read in %v", took)
		}
		if s := b.Stats(); s.Commands > 106 || s.Commands < 90 {
			t.Errorf("%d commands in 30 s", s.Commands)
		}
	})
}

// A card that still lies there may be the last visitor's: it is not read again, and a
// card laid afterwards is.
func TestACardThatNeverLeftIsNotReadAgain(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		b.lay(t, Examples()[0])
		if _, err := b.ReadCard(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			_, err := b.ReadCard(t.Context(), nil)
			wantClass(t, err, ClassAgain)
		}
		// The program was restarted meanwhile.
		b.Reader = New(b.line.port, nil)
		_, err := b.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassAgain)

		removed := make(chan error, 1)
		go func() { removed <- b.WaitRemoved(t.Context()) }()
		time.Sleep(5 * time.Second)
		select {
		case err := <-removed:
			t.Fatalf("removed while it lies there: %v", err)
		default:
		}
		b.sim.Remove()
		start := time.Now()
		if err := <-removed; err != nil || time.Since(start) > leastPoll {
			t.Errorf("removed after %v: %v", time.Since(start), err)
		}
		b.lay(t, Examples()[1])
		if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[1] {
			t.Errorf("got %v, %v", card, err)
		}
		_, err = b.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassAgain)

		// Seen to leave, it is not asked for again.
		b.sim.Remove()
		if err := b.WaitRemoved(t.Context()); err != nil {
			t.Error(err)
		}
		before := b.Stats().Commands
		ctx, cancel := context.WithTimeout(t.Context(), leastPoll)
		defer cancel()
		if _, err := b.ReadCard(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if sent := b.Stats().Commands - before; sent != 1 {
			t.Errorf("%d commands to look once", sent)
		}
	})
}

func TestACardTakenAwayTooEarly(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		b.lay(t, Examples()[0])
		_, err := b.ReadCard(t.Context(), func() {
			go func() {
				time.Sleep(200 * time.Millisecond)
				b.sim.Remove()
			}()
		})
		wantClass(t, err, ClassAgain)
		if e, _ := errors.AsType[*Error](err); e == nil || e.SW3 != swReadFailed {
			t.Errorf("state %v", err)
		}
		if err := b.WaitRemoved(t.Context()); err != nil {
			t.Error(err)
		}
		b.lay(t, Examples()[2])
		if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[2] {
			t.Errorf("got %v, %v", card, err)
		}
		// Another card in its place while the first is read is no reading either.
		b.lay(t, Examples()[0])
		_, err = b.ReadCard(t.Context(), func() { time.AfterFunc(200*time.Millisecond, func() { b.sim.Lay(Examples()[3]) }) })
		wantClass(t, err, ClassAgain)
		if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[3] {
			t.Errorf("got %v, %v", card, err)
		}
	})
}

func TestACardThatContradictsItself(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		c := Examples()[0]
		c.Number = "110105194912310021"
		b.lay(t, c)
		_, err := b.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassUnreadable)
		if strings.Contains(err.Error(), "1949") {
			t.Errorf("the error tells what is on the card: %v", err)
		}
	})
}

func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		fault Fault
		want  Class // "" when the card is read all the same
		least time.Duration
		most  time.Duration
	}{
		{FaultSilent, ClassFault, time.Second, 6 * time.Second},
		{FaultHalfFrame, ClassFault, 500 * time.Millisecond, 6 * time.Second},
		{FaultBadChecksum, ClassFault, 500 * time.Millisecond, 6 * time.Second},
		{FaultNoise, "", 400 * time.Millisecond, 3 * time.Second},
		{FaultSlow, "", 3 * time.Second, 8 * time.Second},
	} {
		t.Run(string(tc.fault), func(t *testing.T) {
			onBench(t, nil, func(t *testing.T, b *bench) {
				for _, when := range []string{"before the call", "when the card was found"} {
					b.lay(t, Examples()[0])
					start := time.Now()
					set := func() { b.sim.SetFault(tc.fault) }
					if when == "before the call" {
						set()
					}
					card, err := b.ReadCard(t.Context(), set)
					took := time.Since(start)
					if tc.want != "" {
						wantClass(t, err, tc.want)
					} else if err != nil || card != Examples()[0] {
						t.Errorf("%s: got %v, %v; %+v", when, card, err, b.Stats())
					}
					if took > tc.most || took < tc.least && when == "before the call" {
						t.Errorf("%s: took %v", when, took)
					}
					b.sim.SetFault(FaultNone)
					b.sim.Remove()
					if err := b.WaitRemoved(t.Context()); err != nil {
						t.Errorf("%s: once healed: %v", when, err)
					}
					b.lay(t, Examples()[1])
					if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[1] {
						t.Errorf("%s: once healed: got %v, %v", when, card, err)
					}
					b.sim.Remove()
					if err := b.WaitRemoved(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// A burst of noise during the long answer costs the visitor nothing: the card need not
// be laid again.
func TestOneDamagedAnswerIsAskedForAgain(t *testing.T) {
	for _, fault := range []Fault{FaultHalfFrame, FaultBadChecksum, FaultSilent} {
		t.Run(string(fault), func(t *testing.T) {
			onBench(t, nil, func(t *testing.T, b *bench) {
				b.lay(t, Examples()[0])
				card, err := b.ReadCard(t.Context(), func() {
					time.AfterFunc(100*time.Millisecond, func() { b.sim.SetFault(fault) })
					time.AfterFunc(defaultCardTime+100*time.Millisecond, func() { b.sim.SetFault(FaultNone) })
				})
				if err != nil || card != Examples()[0] {
					t.Errorf("got %v, %v; %+v", card, err, b.Stats())
				}
			})
		})
	}
}

// The end of the context ends each call at once, wherever it is, and the next call is
// not confused by the answer that was still to come.
func TestCancelAtAnyMoment(t *testing.T) {
	for ms := 0; ms < 1500; ms += 37 {
		onBench(t, nil, func(t *testing.T, b *bench) {
			b.sim.SetFault(FaultSlow)
			b.lay(t, Examples()[0])
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(ms)*time.Millisecond)
			defer cancel()
			_, err := b.ReadCard(ctx, nil)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%d ms: %v", ms, err)
			}
			if end, _ := ctx.Deadline(); time.Since(end) > 0 {
				t.Errorf("%d ms: returned %v late", ms, time.Since(end))
			}
			b.sim.SetFault(FaultNone)
			b.sim.Remove()
			if err := b.WaitRemoved(t.Context()); err != nil {
				t.Errorf("%d ms: %v", ms, err)
			}
			b.lay(t, Examples()[1])
			if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[1] {
				t.Errorf("%d ms: got %v, %v", ms, card, err)
			}
		})
	}
}

// Cancelled in the middle of reading, the card's text may still arrive seconds later.
func TestCancelWhileReading(t *testing.T) {
	onBench(t, &SimOpts{CardTime: 3 * time.Second}, func(t *testing.T, b *bench) {
		b.lay(t, Examples()[0])
		ctx, cancel := context.WithCancel(t.Context())
		_, err := b.ReadCard(ctx, func() { time.AfterFunc(10*time.Millisecond, cancel) })
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		_, err = b.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassAgain)
	})
}

// cancelling is a line on which the context ends while a command is written, just
// before the driver sets the deadline for the answer.
type cancelling struct {
	net.Conn
	cancel context.CancelFunc
}

func (c cancelling) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.cancel()
	time.Sleep(time.Millisecond) // virtual: lets the cancellation take effect
	return n, err
}

func TestCancelBetweenWriteAndRead(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		b.sim.SetFault(FaultSilent)
		ctx, cancel := context.WithCancel(t.Context())
		r := New(cancelling{b.line.port.(net.Conn), cancel}, nil)
		start := time.Now()
		_, err := r.Probe(ctx)
		if !errors.Is(err, context.Canceled) || time.Since(start) > silence+leftover+time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestOneCallAtATime(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := b.ReadCard(ctx, nil)
			done <- err
		}()
		synctest.Wait()
		_, err := b.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassBusy)
		_, err = b.Probe(t.Context())
		wantClass(t, err, ClassBusy)
		wantClass(t, b.WaitRemoved(t.Context()), ClassBusy)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if _, err := b.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestALostLineIsGone(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		done := make(chan error, 1)
		go func() {
			_, err := b.ReadCard(t.Context(), nil)
			done <- err
		}()
		time.Sleep(2 * time.Second)
		start := time.Now()
		b.end.Close()
		err := <-done
		wantClass(t, err, ClassGone)
		if !errors.Is(err, io.EOF) || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_, err = b.Probe(t.Context())
		wantClass(t, err, ClassGone)
	})
}

// deaf is a line that takes nothing: Write ends at its deadline only.
type deaf struct{ net.Conn }

func TestALineThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		defer near.Close()
		r := New(deaf{near}, nil)
		_, err := r.Probe(t.Context())
		wantClass(t, err, ClassFault)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := r.Probe(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the line's own deadline shows through")
		}
	})
}

// A reading takes what card and wire take, and no more than a twentieth longer; in virtual time, so that the machine does not
// matter. The wire's share is that of the answers alone.
func TestAReadingTakesWhatItMust(t *testing.T) {
	answers := map[Framing]int{SDT: 15 + 19 + 1295, STX: 1291}
	for _, framing := range Framings() {
		for _, baud := range Bauds() {
			synctest.Test(t, func(t *testing.T) {
				c := newCable()
				sim := NewSim(&SimOpts{Framing: framing, Baud: baud})
				ctx, cancel := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- sim.Serve(ctx, c.far) }()
				r := New(c.near, &Opts{Framing: framing, Baud: baud})
				if err := r.WaitRemoved(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(silence)
				if err := sim.Lay(Examples()[0]); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if _, err := r.ReadCard(t.Context(), nil); err != nil {
					t.Error(err)
				}
				floor := defaultCardTime + time.Duration(answers[framing])*10*time.Second/time.Duration(baud)
				if ratio := float64(time.Since(start)) / float64(floor); ratio < 1 || ratio > 1.05 {
					t.Errorf("%s at %d: %v, %.3f times the floor", framing, baud, time.Since(start), ratio)
				} else {
					t.Logf("%s at %d: %.4f times the floor", framing, baud, ratio)
				}
				cancel()
				<-served
			})
		}
	}
}
