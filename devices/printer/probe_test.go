package printer

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// far is what is at the other end of a line, set to one speed; at every other one it hears nothing that it understands.
type far struct {
	baud   int // 0: any
	serve  func(ctx context.Context, line net.Conn)
	done   sync.WaitGroup
	stop   context.CancelFunc
	ctx    context.Context
	opened int // lines that are open
}

func newFar(t *testing.T, baud int, serve func(ctx context.Context, line net.Conn)) *far {
	f := &far{baud: baud, serve: serve}
	f.ctx, f.stop = context.WithCancel(t.Context())
	return f
}

func (f *far) close() {
	f.stop()
	f.done.Wait()
}

type farPort struct {
	net.Conn
	f *far
}

func (p farPort) Close() error { p.f.opened--; return p.Conn.Close() }

func (f *far) open(baud int) (Port, error) {
	if f.opened > 0 {
		return nil, errors.New("opened twice")
	}
	f.opened++
	near, end := net.Pipe()
	f.done.Go(func() {
		defer end.Close()
		defer context.AfterFunc(f.ctx, func() { end.Close() })()
		if f.baud != 0 && f.baud != baud {
			io.Copy(io.Discard, end)
			return
		}
		f.serve(f.ctx, end)
	})
	return farPort{near, f}, nil
}

func simulated(sim *Sim) func(context.Context, net.Conn) {
	return func(ctx context.Context, line net.Conn) { sim.Serve(ctx, line) }
}

// TestProbeLine finds every model at every speed, tells them apart, and leaves no mark on the paper.
func TestProbeLine(t *testing.T) {
	for name, p := range Profiles() {
		for _, baud := range Bauds() {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sim := NewSim(p, nil)
					f := newFar(t, baud, simulated(sim))
					defer f.close()
					found, err := ProbeLine(t.Context(), f.open, nil)
					if len(p.Status.Polls) == 0 {
						if none, ok := errors.AsType[*NoPrinter](err); !ok || none.Echo || len(none.Heard) > 0 {
							t.Errorf("a printer that says nothing: %v", err)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if found.Baud != baud || !slices.Contains(found.Profiles, name) || found.Off {
						t.Errorf("found %+v", found)
					}
					if found.Maker != "YUANBAN" || found.Model != strings.ToUpper(name) {
						t.Errorf("it says %q %q", found.Maker, found.Model)
					}
					time.Sleep(time.Second)
					for _, r := range sim.Receipts() {
						if strings.Join(r.Lines, "") != "" {
							t.Errorf("asking printed %q", r.Lines)
						}
					}
					// The port that was found works for a driver as if nobody had asked.
					ctx, stop := context.WithCancel(t.Context())
					dev := New(found.Port, p, nil)
					ended := make(chan error, 1)
					go func() { ended <- dev.Run(ctx) }()
					if out := dev.Print(t.Context(), Job{ID: "1", Doc: numbered("a", 2)}, nil); out.State != Printed {
						t.Errorf("then printing ended %v", out)
					}
					stop()
					<-ended
				})
			})
		}
	}
}

// TestProbeLineOfAPrinterThatCannotPrint: it is a printer all the same, and nothing is asked that it would print late.
func TestProbeLineOfAPrinterThatCannotPrint(t *testing.T) {
	p, err := ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim := NewSim(p, nil)
		if err := sim.Set("full", "open", "ok"); err != nil {
			t.Fatal(err)
		}
		f := newFar(t, 9600, simulated(sim))
		defer f.close()
		found, err := ProbeLine(t.Context(), f.open, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !found.Off || found.Model != "" || found.Profiles != nil || !strings.Contains(found.Why, "cover") {
			t.Errorf("found %+v", found)
		}
	})
}

// TestProbeLineFindsNoPrinterWhereThereIsNone: each line without one, and what is said of it.
func TestProbeLineFindsNoPrinterWhereThereIsNone(t *testing.T) {
	answer := func(with ...byte) func(context.Context, net.Conn) {
		return func(_ context.Context, line net.Conn) {
			for b := make([]byte, 64); ; {
				if _, err := line.Read(b); err != nil {
					return
				}
				if _, err := line.Write(with); err != nil {
					return
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		serve func(context.Context, net.Conn)
		echo  bool
		says  string
	}{
		"silence":        {func(_ context.Context, l net.Conn) { io.Copy(io.Discard, l) }, false, "nothing at all came"},
		"loop-back":      {func(_ context.Context, l net.Conn) { io.Copy(l, l) }, true, "what was sent came back"},
		"ID-card reader": {func(ctx context.Context, l net.Conn) { idcard.NewSim(nil).Serve(ctx, l) }, false, "nothing at all came"},
		"talker": {func(_ context.Context, l net.Conn) {
			go io.Copy(io.Discard, l)
			for {
				if _, err := l.Write([]byte("$GPGGA,1,2*3\r\n")); err != nil {
					return
				}
				time.Sleep(300 * time.Millisecond)
			}
		}, false, "24 47 50"},
		"stuck on one byte that looks like a status": {func(_ context.Context, l net.Conn) {
			go io.Copy(io.Discard, l)
			for {
				if _, err := l.Write([]byte{0x12}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}, false, "12 12"},
		"two bytes for each question": {answer(0x12, 0x12), false, "12 12"},
		"text for each question":      {answer([]byte("ERR\r\n")...), false, "45 52 52"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFar(t, 0, tc.serve)
				defer f.close()
				start := time.Now()
				_, err := ProbeLine(t.Context(), f.open, nil)
				none, ok := errors.AsType[*NoPrinter](err)
				if !ok || none.Echo != tc.echo || !strings.Contains(err.Error(), tc.says) {
					t.Fatalf("%v", err)
				}
				if took := time.Since(start); took > 15*time.Second || len(none.Heard) == 0 && took > 6*time.Second {
					t.Errorf("took %v", took)
				}
				if f.opened != 0 {
					t.Error("a line stayed open")
				}
			})
		})
	}
}

// TestProbeLineThatIsStale: a status left over from earlier is not an answer.
func TestProbeLineThatIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, 0, func(_ context.Context, l net.Conn) {
			l.Write([]byte{0x12, 0x12, 0x12})
			io.Copy(io.Discard, l)
		})
		defer f.close()
		if found, err := ProbeLine(t.Context(), f.open, nil); err == nil {
			t.Errorf("found %+v", found)
		}
	})
}

func TestProbeLineEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if _, err := ProbeLine(t.Context(), func(int) (Port, error) { return nil, io.ErrClosedPipe }, nil); !errors.Is(err, ErrGone) || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%v", err)
		}
		f := newFar(t, 0, func(_ context.Context, l net.Conn) { io.Copy(io.Discard, l) })
		defer f.close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := ProbeLine(ctx, f.open, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		f2 := newFar(t, 0, func(_ context.Context, l net.Conn) { l.Read(make([]byte, 10)) }) // and hangs up
		defer f2.close()
		if _, err := ProbeLine(t.Context(), f2.open, nil); !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
	})
}

// TestProbeLineOverAPty: the same through the kernel.
func TestProbeLineOverAPty(t *testing.T) {
	for name, p := range Profiles() {
		if len(p.Status.Polls) == 0 {
			continue // it says nothing
		}
		answers := []int{1, 2, 3, 4}
		if name == "custom80" {
			answers = []int{20}
		}
		t.Run(name, func(t *testing.T) {
			pty, err := serialport.OpenPty()
			if err != nil {
				t.Fatal(err)
			}
			defer pty.Close()
			ctx, stop := context.WithCancel(t.Context())
			var served sync.WaitGroup
			served.Go(func() { NewSim(p, &SimOpts{Quick: true}).Serve(ctx, pty.Master) })
			defer served.Wait()
			defer stop()
			found, err := ProbeLine(t.Context(), func(baud int) (Port, error) {
				return serialport.Open(serialport.Config{Path: pty.Path(), Baud: baud})
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer found.Port.(io.Closer).Close()
			if !slices.Contains(found.Profiles, name) || !slices.Equal(found.Answers, answers) {
				t.Errorf("found %+v", found)
			}
		})
	}
}

func TestLikely(t *testing.T) {
	for model, want := range map[string]string{"TM-T88III": "epson80", "TM-T81III": "epson80", "KP-628E": "kp628e", "kp628e": "kp628e"} {
		if names, why := likely(&Found{Model: model, InOrder: true}); !slices.Contains(names, want) {
			t.Errorf("%s: %v, %s", model, names, why)
		}
	}
	for _, f := range []*Found{{InOrder: true, ASB: true, ProcessID: true}, {InOrder: true, Model: "mm"}, {Off: true}, {}} {
		if _, why := likely(f); why == "" || strings.Contains(why, "it says that") {
			t.Errorf("%+v: %s", f, why)
		}
	}
}

// FuzzReplies: whatever comes is sorted without loss: every byte belongs to one reply or is strange, and an identity can be shown.
func FuzzReplies(f *testing.F) {
	for _, s := range []string{"\x12", "\x5fEPSON\x00\x5fTM-T88V\x00", "\x10\x00\x00\x00\x13\x11", "\x37\x22Prb?\x00", "\x5f\xc3\x00", "\x5f" + strings.Repeat("x", 90)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := sortReplies(b)
		n := len(r.status) + len(r.inOrder) + 4*r.automatic + r.strange
		for _, block := range r.blocks {
			n += len(block) + 1
			for _, c := range identity(block) {
				if c < 0x20 || c == 0x7F {
					t.Errorf("identity %q of %q", identity(block), block)
				}
			}
		}
		for _, c := range b {
			if c == 0x11 || c == 0x13 {
				n++
			}
		}
		if n != len(b) {
			t.Errorf("% X: %d of %d bytes are accounted for: %+v", b, n, len(b), r)
		}
	})
}
