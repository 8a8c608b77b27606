package printer

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestXOFF stops the driver for 40 ms at every byte of a job. It may send no more than the printer said it can take.
func TestXOFF(t *testing.T) {
	p := profile(t, "kp628e")
	for k := 1; k < 160; k++ {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, p, NewSim(p, &SimOpts{Quick: true}), nil)
			defer r.close()
			var stopped atomic.Bool
			var after atomic.Int32
			r.tap.watch(func(n int, write func(...byte)) bool {
				if n == k {
					write(0x13)
					stopped.Store(true)
					time.AfterFunc(40*time.Millisecond, func() { stopped.Store(false); write(0x11) })
				} else if stopped.Load() {
					after.Add(1)
				}
				return true
			})
			r.want(r.print("a", 5), Printed, "")
			r.wantPaper(numbered("a", 5))
			if after := after.Load(); after > 2*largeChunk+12 { // one chunk under way, one begun, and status requests

				t.Errorf("%d bytes after XOFF at byte %d", after, k)
			}
		})
	}
}

// TestSmallBuffer prints through buffers down to the 45 bytes of a TM-T88 with its DIP switch set so, at every usual speed.
func TestSmallBuffer(t *testing.T) {
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
