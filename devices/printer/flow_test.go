package printer

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSmallBuffer prints through buffers down to the 45 bytes of a TM-T88 with its DIP switch set so, at every usual speed.
func TestSmallBuffer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{45, 64, 128, 512} {
		for _, baud := range []int{0, 9600, 38400, 115200} {
			for _, name := range []string{"epson80", "kp628e"} {
				synctest.Test(t, func(t *testing.T) {
					p := with(t, name, func(p *Profile) { p.Flow.Buffer, p.Flow.Resume = size, 26 })
					r := newRig(t, p, NewSim(p, &SimOpts{Baud: baud}), &Opts{Baud: baud})
					defer r.close()
					time.Sleep(3 * time.Second)
					r.want(r.dev.Print(t.Context(), Job{Doc: acceptance()}, nil), Printed, "")
					doc := acceptance()
					want := slices.DeleteFunc(Lines(doc, p), func(s string) bool { return s == "" })
					if got := r.paper(); !slices.Equal(got, want) || r.sim.Dropped() != 0 {
						t.Errorf("%s, buffer %d, %d baud: %d bytes lost, %q", name, size, baud, r.sim.Dropped(), got)
					}
				})
			}
		}
	}
}

// TestLostXON: the XON after a stop got lost.
func TestLostXON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "epson80")
		r := newRig(t, p, NewSim(p, nil), nil)
		defer r.close()
		r.tap.watch(func(n int, write func(...byte)) bool {
			if n == 60 {
				write(0x13)
			}
			return true
		})
		r.want(r.print("a", 5), Printed, "")
		r.wantPaper(numbered("a", 5))
	})
}

// TestModemLines prints through a small buffer with hardware flow control: nothing is lost, and a stop costs no more than 5 ms of its own.
func TestModemLines(t *testing.T) {
	for _, control := range []FlowControl{FlowCTS, FlowDSR} {
		for _, name := range []string{"epson80", "kp628e", "mute58"} {
			for _, baud := range []int{9600, 115200} {
				synctest.Test(t, func(t *testing.T) {
					p := with(t, name, func(p *Profile) {
						p.Flow.Control, p.Flow.Buffer, p.Flow.Resume = control, 200, 64
						p.Confirm.Ask, p.Confirm.Lead = "", 0 // nothing but the line guards the buffer
						if p.Confirm.Method == ConfirmInOrder {
							p.Confirm.Method = ConfirmNone
						}
					})
					r := newRig(t, p, NewSim(p, &SimOpts{Baud: baud}), &Opts{Baud: baud})
					defer r.close()
					r.want(r.print("a", 60), p.best(), "")
					time.Sleep(10 * time.Second)
					r.wantPaper(numbered("a", 60))
				})
			}
		}
	}
}

// TestCTSAtEveryByte stops the driver by its modem line at every byte of a job.
func TestCTSAtEveryByte(t *testing.T) {
	t.Parallel()
	const baud, stop = 115200, 40 * time.Millisecond
	p := with(t, "kp628e", func(p *Profile) { p.Flow.Control = FlowCTS })
	var plain time.Duration
	for k := range lineBytes(t, p, numbered("a", 5)) + 1 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, p, NewSim(p, &SimOpts{Quick: true, Baud: baud}), &Opts{Baud: baud})
			defer r.close()
			down := r.host.(wired).down
			var after atomic.Int32
			r.tap.watch(func(n int, _ func(...byte)) bool {
				if n == k {
					down.Store(true)
					time.AfterFunc(stop, func() { down.Store(false) })
				} else if down.Load() {
					after.Add(1)
				}
				return true
			})
			began := time.Now()
			r.want(r.print("a", 5), Printed, "")
			took := time.Since(began)
			r.wantPaper(numbered("a", 5))
			if after := after.Load(); after > 2*largeChunk+12 {
				t.Errorf("%d bytes after the stop at byte %d", after, k)
			}
			if k == 0 {
				plain = took
			} else if took > plain+stop+5*time.Millisecond {
				t.Errorf("a stop of %v at byte %d cost %v", stop, k, took-plain)
			}
		})
	}
}

// lineless is a port that cannot ask for modem lines, such as a pseudo-terminal.
type lineless struct{ net.Conn }

func (lineless) CTS() (bool, error) { return false, errors.New("not a modem") }

// TestNoModemLines: a port without modem lines prints all the same; one that loses them has gone.
func TestNoModemLines(t *testing.T) {
	p := with(t, "kp628e", func(p *Profile) { p.Flow.Control = FlowCTS })
	for _, works := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			host, far := net.Pipe()
			sim := NewSim(p, nil)
			var both sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			defer both.Wait()
			defer cancel()
			both.Go(func() { sim.Serve(ctx, far) })
			d := New(lineless{host}, p, nil)
			d.lineWorks = works
			ended := make(chan error, 1)
			both.Go(func() { ended <- d.Run(ctx) })
			time.Sleep(5 * time.Second)
			out := d.Print(t.Context(), Job{Doc: numbered("a", 3)}, nil)
			if want := map[bool]Reason{true: Gone}[works]; out.Reason != want {
				t.Errorf("%+v", out)
			}
			if works {
				if err := <-ended; !errors.Is(err, ErrGone) {
					t.Errorf("Run: %v", err)
				}
			}
			host.Close()
		})
	}
}

// TestNoFlowControl: a printer that never says stop is never given more than it holds.
func TestNoFlowControl(t *testing.T) {
	for _, name := range ProfileNames() {
		synctest.Test(t, func(t *testing.T) {
			p := with(t, name, func(p *Profile) { p.Flow.Control, p.Flow.Buffer = FlowNone, 1100 })
			r := newRig(t, p, NewSim(p, &SimOpts{Speed: p.Speed}), nil)
			defer r.close()
			r.want(r.print("a", 120), p.best(), "")
			time.Sleep(10 * time.Second)
			r.wantPaper(numbered("a", 120))
		})
	}
}

// TestLead: a fault finds no more than the lead in the printer.
func TestLead(t *testing.T) {
	for _, name := range ProfileNames() {
		synctest.Test(t, func(t *testing.T) {
			p := profile(t, name)
			r := newRig(t, p, NewSim(p, nil), &Opts{FaultWait: 5 * time.Second})
			defer r.close()
			j := r.start(t.Context(), "a", 60)
			time.Sleep(time.Second)
			printed := len(r.paper())
			sent := bytes.Count(r.tap.received(), []byte("\xa1\xa3\n")) // 。 and a line feed
			if held := sent - printed; printed < 10 || held > p.Confirm.Lead+2+p.Confirm.Ahead/p.LineDots {
				t.Errorf("%s: %d lines sent and %d printed", name, sent, printed)
			}
			<-j.out
		})
	}
}
