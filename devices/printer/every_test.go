package printer

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// mixed is a document with all kinds of short commands in it.
func mixed(id string) *Document {
	return &Document{Blocks: []Block{
		Text{Text: "回执 " + id, Size: 2, Bold: true, Align: Center}, Row{Left: "编号", Right: id}, Space{Lines: 3},
		QR{Data: "https://example.cn/" + id, Caption: "扫码 " + id}, Text{Text: "末行 " + id},
	}}
}

// lineBytes is how many bytes the driver sends for a document when nothing is wrong.
func lineBytes(t *testing.T, p *Profile, doc *Document) (n int) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, p, NewSim(p, &SimOpts{Quick: true}), nil)
		defer r.close()
		n = r.dev.Print(t.Context(), Job{Doc: doc}, nil).Bytes
	})
	return n
}

// native are the profiles whose documents are short on the wire.
func native() []string { return []string{"epson80", "kp628e"} }

// TestXOFFAtEveryByte stops the driver at every byte of a job. It sends no more than the printer said it can take, and loses no more
// than 5 ms over the stop itself.
func TestXOFFAtEveryByte(t *testing.T) {
	t.Parallel()
	const baud, stop = 115200, 40 * time.Millisecond
	for _, name := range native() {
		p := profile(t, name)
		var plain time.Duration
		for k := range lineBytes(t, p, mixed("a")) + 1 {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, &SimOpts{Quick: true, Baud: baud}), &Opts{Baud: baud})
				defer r.close()
				var stopped atomic.Bool
				var after atomic.Int32
				r.tap.watch(func(n int, write func(...byte)) bool {
					if n == k {
						write(0x13)
						stopped.Store(true)
						time.AfterFunc(stop, func() { stopped.Store(false); write(0x11) })
					} else if stopped.Load() {
						after.Add(1)
					}
					return true
				})
				began := time.Now()
				r.want(r.dev.Print(t.Context(), Job{Doc: mixed("a")}, nil), Printed, "")
				took := time.Since(began)
				r.wantPaper(mixed("a"))
				if after := after.Load(); after > 2*largeChunk+12 { // one chunk under way, one begun, and status requests
					t.Errorf("%s: %d bytes after XOFF at byte %d", name, after, k)
				}
				if k == 0 {
					plain = took
				} else if took > plain+stop+5*time.Millisecond {
					t.Errorf("%s: an XOFF of %v at byte %d cost %v", name, stop, k, took-plain)
				}
			})
		}
	}
}

// TestUnplugAtEveryByte: what is reported is true, and plugged in again, the next receipt is whole and alone.
func TestUnplugAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, name := range native() {
		p := profile(t, name)
		cmds, _ := Encode(mixed("a"), p)
		id := [4]byte{'a', 'a', 'a', 'a'}
		lang, _ := compile(p)
		plan := makePlan(cmds, p, lang, &id)
		ends := map[State]int{}
		for k := 1; k <= lineBytes(t, p, mixed("a")); k++ {
			synctest.Test(t, func(t *testing.T) {
				sim := NewSim(p, &SimOpts{Quick: true})
				r := newRig(t, p, sim, nil)
				defer r.close()
				r.tap.watch(func(n int, _ func(...byte)) bool { return n < k+3*len(p.Status.Polls) })
				out := r.dev.Print(t.Context(), Job{Doc: mixed("a")}, nil)
				ends[out.State]++
				want := Indeterminate
				if out.Bytes <= plan.vital {
					want = Failed
				}
				if out.State != want || out.Reason != Gone {
					t.Errorf("%s unplugged at byte %d: %+v, want %s", name, k, out, want)
				}
				time.Sleep(time.Second)
				if err := <-r.runErr; !errors.Is(err, ErrGone) {
					t.Errorf("Run: %v", err)
				}
				again := newRig(t, p, sim, &Opts{Unfinished: r.dev.Unfinished()})
				defer again.close()
				again.want(again.print("b", 3), Printed, "")
				recs := sim.Receipts()
				if got := recs[len(recs)-1].Lines; !slices.Equal(got, Lines(numbered("b", 3), p)) {
					t.Errorf("%s unplugged at byte %d: the next receipt reads %q", name, k, got)
				}
				whole := len(recs) == 2 && slices.Equal(recs[0].Lines, Lines(mixed("a"), p))
				if whole && out.State == Failed {
					t.Errorf("%s unplugged at byte %d: failed, and whole on paper", name, k)
				}
			})
		}
		if ends[Failed] == 0 || ends[Indeterminate] == 0 {
			t.Errorf("%s: %v", name, ends)
		}
	}
}

// TestPaperEndsBehindEveryCommand: the paper ends between any two commands. With new paper the job goes on and is confirmed; without,
// it has failed or, once its last ink was sent, nobody knows.
func TestPaperEndsBehindEveryCommand(t *testing.T) {
	t.Parallel()
	for name, p := range speaking() {
		doc := mixed("a")
		if p.QR.Method != "native" {
			doc = numbered("a", 4)
		}
		cmds, _ := Encode(doc, p)
		for k := 1; k <= len(cmds)+2; k++ {
			for _, refill := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					sim := NewSim(p, nil)
					r := newRig(t, p, sim, &Opts{FaultWait: 10 * time.Second})
					defer r.close()
					sim.mu.Lock()
					sim.endAfter = sim.count + k
					sim.mu.Unlock()
					j := r.startDoc(t.Context(), "a", doc)
					time.Sleep(5 * time.Second)
					if refill {
						sim.Set("full", "", "")
						r.want(<-j.out, Printed, "")
						r.wantPaper(doc)
						return
					}
					out := <-j.out
					if out.State == Printed { // it ended behind the job
						r.wantPaper(doc)
						return
					}
					if out.Reason != PaperOut || out.Held && p.Clear {
						t.Errorf("%s without paper behind command %d: %+v", name, k, out)
					}
					before := len(r.paper())
					sim.Set("full", "", "")
					time.Sleep(20 * time.Second)
					if after := len(r.paper()); p.Clear && after != before {
						t.Errorf("%s: %d lines after a clear", name, after-before)
					}
					if got, want := r.paper(), wanted(doc, p); out.State == Failed && slices.Equal(got, want) {
						t.Errorf("%s without paper behind command %d: failed, and whole on paper", name, k)
					}
				})
			}
		}
	}
}

// TestPaperEndsInsideEveryCommand: the paper ends within lines, codes and feeds.
func TestPaperEndsInsideEveryCommand(t *testing.T) {
	t.Parallel()
	p := profile(t, "epson80")
	r := newRuler(p)
	total := 0
	cmds, _ := Encode(mixed("a"), p)
	for _, c := range cmds {
		dots, _ := r.measure(c)
		total += dots
	}
	for left := 1; left < total; left += 7 {
		synctest.Test(t, func(t *testing.T) {
			sim := NewSim(p, nil)
			r := newRig(t, p, sim, nil)
			defer r.close()
			sim.mu.Lock()
			sim.paperLeft = left
			sim.stateChanged()
			sim.mu.Unlock()
			j := r.startDoc(t.Context(), "a", mixed("a"))
			time.Sleep(5 * time.Second)
			sim.Set("full", "", "")
			r.want(<-j.out, Printed, "")
			r.wantPaper(mixed("a"))
		})
	}
}

// TestKilledInEveryCommand starts a driver on a printer that was left in the middle of every command of a job with all kinds of them.
func TestKilledInEveryCommand(t *testing.T) {
	t.Parallel()
	for name, p := range Profiles() {
		doc := &Document{Blocks: []Block{Text{Text: "张𠅤", Bold: true}, Row{Left: "编号", Right: "1"}, QR{Data: "https://example.cn/1", Caption: "扫码"}}}
		cmds, err := Encode(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		lang, _ := compile(p)
		cmds = append(cmds, lang.commands()...)
		cmds = append(cmds, Command(clearCommand), processIDCommand([4]byte{'a', 'b', 'c', 'd'}))
		seen := map[string]bool{}
		var before []byte
		for i, c := range cmds {
			for _, k := range []int{1, 2, 3, len(c) / 2, len(c) - 1} {
				if k < 1 || k >= len(c) || seen[string(c[:k])] {
					continue
				}
				seen[string(c[:k])] = true
				synctest.Test(t, func(t *testing.T) {
					sim := NewSim(p, &SimOpts{Quick: true})
					sim.run(before)
					sim.receive(c[:k])
					sim.out = nil
					r := newRig(t, p, sim, &Opts{Unfinished: true})
					defer r.close()
					r.want(r.print("b", 3), p.best(), "")
					recs := sim.Receipts()
					if len(recs) == 0 || !slices.Equal(recs[len(recs)-1].Lines, Lines(numbered("b", 3), p)) {
						t.Errorf("%s killed after %d bytes of command %d, % x: receipts %+v", name, k, i, c, recs)
					}
				})
			}
			before = append(before, c...)
		}
	}
}
