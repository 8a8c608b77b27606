package idcard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lineOf is a line with a reader at its end that is set to one speed. Open it with its method open.
type lineOf struct {
	t      *testing.T
	sim    *Sim
	baud   int                 // of the reader; 0 understands every speed
	garble func(end *cableEnd) // what else is wrong with the line
	serve  func(end *cableEnd) // instead of sim
	opened []int               // at which speeds
	cables []*cable
	ended  []chan error
}

func (l *lineOf) open(baud int) (Port, error) {
	if n := len(l.cables); n > 0 && !l.cables[n-1].unplugged() {
		l.t.Errorf("opened at %d before the line at %d was closed", baud, l.opened[n-1])
	}
	c := newCable()
	c.near.baud, c.far.baud = baud, l.baud
	if l.garble != nil {
		l.garble(c.far)
	}
	l.opened, l.cables = append(l.opened, baud), append(l.cables, c)
	ended := make(chan error, 1)
	l.ended = append(l.ended, ended)
	go func() {
		if l.serve != nil {
			l.serve(c.far)
			ended <- nil
			return
		}
		ended <- l.sim.Serve(context.Background(), c.far)
	}()
	return c.near, nil
}

func (l *lineOf) close() {
	for i, c := range l.cables {
		c.unplug()
		<-l.ended[i]
	}
}

// TestProbeLine finds a reader at every speed in both framings, with and without a card on it, and reads a card with what it
// found.
func TestProbeLine(t *testing.T) {
	for _, framing := range Framings() {
		for at, baud := range Bauds() {
			for _, laid := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					l := &lineOf{t: t, baud: baud, sim: NewSim(&SimOpts{Framing: framing, Baud: baud})}
					defer l.close()
					if laid {
						l.sim.Lay(Examples()[1])
					}
					start := time.Now()
					found, err := ProbeLine(t.Context(), l.open, nil)
					if err != nil {
						t.Fatalf("%s at %d: %v", framing, baud, err)
					}
					want := map[Framing]string{SDT: "05.03-20170101-0000000001-0000000001", STX: ""}[framing]
					if found.Baud != baud || found.Framing != framing || found.SAMID != want {
						t.Errorf("%s at %d: found %+v", framing, baud, found)
					}
					if most := time.Duration(at)*400*time.Millisecond + 700*time.Millisecond; framing == SDT && time.Since(start) > most {
						t.Errorf("%s at %d: took %v, want at most %v", framing, baud, time.Since(start), most)
					}
					l.sim.Remove()
					if err := found.Reader.WaitRemoved(t.Context()); err != nil {
						t.Error(err)
					}
					l.sim.Lay(Examples()[0])
					if card, err := found.Reader.ReadCard(t.Context(), nil); err != nil || card != Examples()[0] {
						t.Errorf("%s at %d: read %v, %v", framing, baud, card, err)
					}
				})
			}
		}
	}
}

// TestProbeLineWaitsForAModuleThatBoots: a module takes no command for two seconds after it got its power.
func TestProbeLineWaitsForAModuleThatBoots(t *testing.T) {
	for _, opts := range []*ProbeOpts{nil, {Bauds: []int{19200}}, {Bauds: []int{19200}, Framings: []Framing{SDT}}} {
		synctest.Test(t, func(t *testing.T) {
			l := &lineOf{t: t, baud: 19200, sim: NewSim(nil)}
			defer l.close()
			l.sim.Hang()
			time.AfterFunc(2*time.Second, l.sim.PowerCycle)
			if found, err := ProbeLine(t.Context(), l.open, opts); err != nil || found.Baud != 19200 {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}

// TestProbeLineSaysWhatToCheck: each way in which nothing is found has its own text, which names what was tried.
func TestProbeLineSaysWhatToCheck(t *testing.T) {
	const tried = "asked at 115200, 57600, 38400, 19200 or 9600 baud for its status (11 FF, GA/T 467) and for a card (CA 01 00, STX)"
	for name, tc := range map[string]struct {
		line *lineOf
		opts *ProbeOpts
		mute bool
		says []string
	}{
		"silence":     {&lineOf{serve: deafEnd}, nil, true, []string{tried, "nothing at all came", "power", "crossed", "RS-232 or CMOS", "0400:C35A"}},
		"other speed": {&lineOf{baud: 1200, sim: NewSim(nil), garble: func(e *cableEnd) { e.Write([]byte("hello, this is another device")) }}, nil, false, []string{tried, "bytes at 115200", "8N1", "other device"}},
		"own echo":    {&lineOf{serve: echoEnd}, nil, false, []string{tried, "what was sent came back", "two wires"}},
		"one speed":   {&lineOf{serve: deafEnd}, &ProbeOpts{Bauds: []int{9600}, Framings: []Framing{SDT}}, true, []string{"asked at 9600 baud for its status (11 FF, GA/T 467), and no"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := tc.line
				l.t = t
				defer l.close()
				start := time.Now()
				found, err := ProbeLine(t.Context(), l.open, tc.opts)
				wantClass(t, err, ClassFault)
				if found != nil || errors.Is(err, ErrMute) != tc.mute {
					t.Errorf("found %v, mute %v", found, errors.Is(err, ErrMute))
				}
				for _, says := range tc.says {
					if !strings.Contains(fmt.Sprint(err), says) {
						t.Errorf("it does not say %q: %v", says, err)
					}
				}
				if took := time.Since(start); took > 30*time.Second || tc.mute && took > 22*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// deafEnd takes everything and says nothing.
func deafEnd(end *cableEnd) {
	for b := make([]byte, 100); ; {
		if _, err := end.Read(b); err != nil {
			return
		}
	}
}

// echoEnd gives everything back, as a line whose TX and RX touch.
func echoEnd(end *cableEnd) {
	for b := make([]byte, 100); ; {
		n, err := end.Read(b)
		if err != nil {
			return
		}
		end.Write(b[:n])
	}
}

// TestProbeLineReportsABrokenReader: it is there, so that its speed is known, but it says that it is broken.
func TestProbeLineReportsABrokenReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lineOf{t: t, baud: 38400, serve: func(end *cableEnd) {
			in := scanner{framer: SDT.fromHost()}
			for b := make([]byte, 100); ; {
				n, err := end.Read(b)
				if err != nil {
					return
				}
				in.feed(b[:n])
				for _, ok := in.next(); ok; _, ok = in.next() {
					end.Write(sdtReply(swNotAllowed))
				}
			}
		}}
		defer l.close()
		_, err := ProbeLine(t.Context(), l.open, nil)
		wantClass(t, err, ClassFault)
		if e, _ := errors.AsType[*Error](err); e == nil || e.SW3 != swNotAllowed || !strings.Contains(err.Error(), "answers at 38400 baud") || errors.Is(err, ErrMute) {
			t.Errorf("got %v", err)
		}
	})
}

// TestProbeLineEndsAtOnce: a line that does not open, one that is lost, and a context that ends.
func TestProbeLineEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("in use")
		_, err := ProbeLine(t.Context(), func(int) (Port, error) { return nil, busy }, nil)
		wantClass(t, err, ClassGone)
		if !errors.Is(err, busy) {
			t.Errorf("the cause is lost: %v", err)
		}
		l := &lineOf{t: t, serve: deafEnd}
		defer l.close()
		time.AfterFunc(time.Second, func() { l.cables[len(l.cables)-1].unplug() })
		start := time.Now()
		_, err = ProbeLine(t.Context(), l.open, nil)
		wantClass(t, err, ClassGone)
		if time.Since(start) != time.Second {
			t.Errorf("noticed after %v", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start = time.Now()
		_, err = ProbeLine(ctx, l.open, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if last := l.cables[len(l.cables)-1]; !last.unplugged() {
			t.Error("the line stayed open")
		}
	})
}
