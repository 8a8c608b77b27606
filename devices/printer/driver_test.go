package printer

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPrint(t *testing.T) {
	for name, p := range Profiles() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, nil), nil)
				defer r.close()
				r.wantReady("")
				began := time.Now()
				out := r.dev.Print(t.Context(), Job{ID: "1", Doc: acceptance()}, nil)
				r.want(out, p.best(), "")
				// 900 mm and more of paper cannot have passed in no time: the word came from the paper's end, not from the buffer.
				if took := time.Since(began); took < 500*time.Millisecond || took > 10*time.Second {
					t.Errorf("took %v", took)
				}
				recs := r.sim.Receipts()
				want := Lines(acceptance(), p)
				if p.QR.Method == "raster" {
					want[slices.IndexFunc(want, func(l string) bool { return strings.Contains(l, "[QR ") })] = "[picture]"
				}
				if len(recs) != 1 || recs[0].ID != "1" || recs[0].Partial || !slices.Equal(recs[0].Lines, want) {
					t.Errorf("receipts %+v", recs)
				}
				r.want(r.dev.Print(t.Context(), Job{ID: "1", Copy: 2, Doc: numbered("b", 1)}, nil), p.best(), "")
				if l := r.sim.Receipts()[1].Lines; len(l) != 2 || bytes.TrimSpace([]byte(l[0])) == nil || string(bytes.TrimSpace([]byte(l[0]))) != "【补打 2】" {
					t.Errorf("copy: %q", l)
				}
			})
		})
	}
}

func TestFaultBefore(t *testing.T) {
	for _, c := range []struct {
		paper, cover, cutter string
		want                 Reason
	}{
		{"out", "", "", PaperOut}, {"", "open", "", CoverOpen}, {"", "", "jammed", CutterJam}, {"low", "", "", ""},
	} {
		for name, p := range speaking() {
			t.Run(name+" "+c.paper+c.cover+c.cutter, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, p, NewSim(p, nil), nil)
					defer r.close()
					r.sim.Set(c.paper, c.cover, c.cutter)
					out := r.print("a", 5) // no poll has seen the fault yet
					if c.want == "" {
						r.want(out, Printed, "")
						r.wantReady("")
						if s := r.dev.Status(); s.Paper != "low" {
							t.Errorf("paper %q", s.Paper)
						}
						return
					}
					r.want(out, Failed, c.want)
					if out.Bytes != 0 || len(r.paper()) != 0 {
						t.Errorf("%d bytes sent, paper %q", out.Bytes, r.paper())
					}
					r.wantReady(c.want)
					r.sim.Set("full", "closed", "ok")
					time.Sleep(1500 * time.Millisecond)
					r.wantReady("")
					r.want(r.print("b", 3), Printed, "")
					r.wantPaper(numbered("b", 3))
				})
			})
		}
	}
}

// TestFaultIsKnownWithinASecond: each fault, at any moment of the driver's round, idle and stopped by XOFF in the middle of a job.
func TestFaultIsKnownWithinASecond(t *testing.T) {
	t.Parallel()
	for name, p := range speaking() {
		for fault, make := range map[string]func(*Sim){
			"cover open":     func(s *Sim) { s.Set("", "open", "") },
			"cutter jammed":  func(s *Sim) { s.Set("", "", "jammed") },
			"head hot":       func(s *Sim) { s.SetHot(true) },
			"paper out":      func(s *Sim) { s.Set("out", "", "") },
			"paper low":      func(s *Sim) { s.Set("low", "", "") },
			"printer silent": func(s *Sim) { s.SetFault(SimSilent) },
		} {
			for phase := range 8 {
				for _, stopped := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						known := newWatch(fault)
						r := newRig(t, p, NewSim(p, &SimOpts{Baud: 9600}), &Opts{Baud: 9600, OnStatus: known.see})
						defer r.close()
						if stopped {
							go r.print("a", 30)
							time.Sleep(200 * time.Millisecond)
							r.tap.Write([]byte{0x13})
							time.Sleep(100 * time.Millisecond)
						}
						time.Sleep(time.Duration(phase) * pollEvery / 8)
						known.forget()
						began := time.Now()
						make(r.sim)
						limit := time.Second
						if fault == "printer silent" { // two questions in a row: one lost answer is no silence
							limit = 2 * time.Second
						}
						if took := known.wait().Sub(began); took < 0 || took > limit {
							t.Errorf("%s, %s, stopped %v: known after %v", name, fault, stopped, took)
						}
					})
				}
			}
		}
	}
}

// watch waits for a fault to be seen in the status.
type watch struct {
	fault string
	seen  chan time.Time
}

func newWatch(fault string) *watch { return &watch{fault, make(chan time.Time, 100)} }

func (w *watch) see(s Status) {
	is := map[string]bool{
		"cover open": s.Cover == "open", "cutter jammed": s.Cutter == "jammed", "head hot": s.Head == "hot", "paper out": s.Paper == "out",
		"paper low": s.Paper == "low", "printer silent": !s.Online && !s.At.IsZero(),
	}
	if is[w.fault] {
		w.seen <- time.Now()
	}
}

func (w *watch) forget() {
	for len(w.seen) > 0 {
		<-w.seen
	}
}

func (w *watch) wait() time.Time {
	select {
	case at := <-w.seen:
		return at
	case <-time.After(time.Minute):
		return time.Now()
	}
}

func TestPaperOutAndRefill(t *testing.T) {
	for name, p := range speaking() {
		for left := 1; left <= 30; left += 3 {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, p, NewSim(p, nil), nil)
				defer r.close()
				r.sim.SetPaperLeft(left)
				j := r.start(t.Context(), "a", 30)
				time.Sleep(20 * time.Second)
				if w := j.progress().Waiting; w != PaperOut {
					t.Errorf("%s, %d lines left: waits for %q", name, left, w)
				}
				if recs := r.sim.Receipts(); len(recs) != 1 || !recs[0].Partial || len(recs[0].Lines) != left {
					t.Errorf("%s, %d lines left: %+v", name, left, recs)
				}
				r.sim.Set("full", "", "")
				r.want(<-j.out, Printed, "")
				r.wantPaper(numbered("a", 30))
				r.want(r.print("b", 3), Printed, "")
				r.wantPaper(numbered("a", 30), numbered("b", 3))
			})
		}
	}
}

func TestPaperOutForGood(t *testing.T) {
	t.Run("cleared", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := profile(t, "epson80")
			r := newRig(t, p, NewSim(p, nil), nil)
			defer r.close()
			r.sim.SetPaperLeft(8)
			began := time.Now()
			r.want(r.print("a", 30), Failed, PaperOut)
			if took := time.Since(began); took < 90*time.Second || took > 100*time.Second {
				t.Errorf("gave up after %v", took)
			}
			r.sim.Set("full", "", "")
			time.Sleep(10 * time.Second)
			r.want(r.print("b", 3), Printed, "")
			recs := r.sim.Receipts()
			if len(recs) != 2 || !recs[0].Partial || recs[1].Partial || len(recs[1].Lines) != 3 {
				t.Errorf("receipts %+v", recs)
			}
			r.wantPaper(numbered("a", 8), numbered("b", 3))
		})
	})
	t.Run("behind the last line", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := profile(t, "epson80")
			r := newRig(t, p, NewSim(p, nil), nil)
			defer r.close()
			r.sim.SetPaperLeft(31)
			r.want(r.print("a", 30), Indeterminate, PaperOut)
			r.wantPaper(numbered("a", 30))
		})
	})
	t.Run("kept by the printer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := profile(t, "kp628e")
			r := newRig(t, p, NewSim(p, nil), &Opts{FaultWait: 20 * time.Second})
			defer r.close()
			r.sim.SetPaperLeft(8)
			out := r.print("a", 30)
			r.want(out, Failed, PaperOut)
			if !out.Held || out.Bytes == 0 {
				t.Errorf("the printer holds lines of a: %+v", out)
			}
			r.want(r.print("b", 3), Failed, PaperOut)
			r.sim.Set("full", "", "")
			time.Sleep(10 * time.Second)
			r.want(r.print("c", 3), Printed, "")
			// What it held came out, was cut off, and no more of it ever comes.
			recs := r.sim.Receipts()
			if len(recs) != 2 || len(recs[0].Lines) >= 30 || !slices.Equal(recs[1].Lines, Lines(numbered("c", 3), p)) {
				t.Errorf("receipts %+v", recs)
			}
		})
	})
}

func TestFaultInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		cover, cutter string
		reason        Reason
		state         State // without a remedy
	}{
		{"open", "", CoverOpen, Failed},
		{"", "jammed", CutterJam, Failed},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := profile(t, "epson80")
			r := newRig(t, p, NewSim(p, nil), nil)
			defer r.close()
			j := r.start(t.Context(), "a", 40)
			time.Sleep(200 * time.Millisecond)
			r.sim.Set("", c.cover, c.cutter)
			time.Sleep(5 * time.Second)
			if w := j.progress().Waiting; w != c.reason {
				t.Errorf("waits for %q", w)
			}
			r.sim.Set("", "closed", "ok")
			r.want(<-j.out, Printed, "")
			r.wantPaper(numbered("a", 40))

			j = r.start(t.Context(), "b", 40)
			time.Sleep(200 * time.Millisecond)
			r.sim.Set("", c.cover, c.cutter)
			r.want(<-j.out, c.state, c.reason)
		})
	}
}

func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "epson80")
		sim := NewSim(p, nil)
		sim.SetFault(SimSilent)
		r := newRig(t, p, sim, nil)
		defer r.close()
		r.wantReady(Offline)
		r.want(r.print("a", 3), Failed, Offline)
		sim.SetFault(SimNone)
		time.Sleep(5 * time.Second)
		r.wantReady("")
		r.want(r.print("b", 3), Printed, "")
		r.wantPaper(numbered("b", 3))

		j := r.start(t.Context(), "c", 60)
		time.Sleep(500 * time.Millisecond)
		sim.SetFault(SimSilent)
		r.want(<-j.out, Failed, Offline) // its last line was never sent
		sim.SetFault(SimNone)
		time.Sleep(10 * time.Second)
		r.want(r.print("d", 3), Printed, "")
	})
}

// TestHeldJobIsCleared: the printer holds the rest of a job of an earlier life, without paper.
func TestHeldJobIsCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "epson80")
		sim := NewSim(p, nil)
		first := newRig(t, p, sim, nil)
		sim.SetPaperLeft(4)
		j := first.start(t.Context(), "a", 20)
		time.Sleep(5 * time.Second)
		first.close()
		first.want(<-j.out, Failed, Cancelled)

		r := newRig(t, p, sim, &Opts{Unfinished: true})
		defer r.close()
		r.wantReady(PaperOut)
		sim.Set("full", "", "")
		time.Sleep(10 * time.Second)
		r.want(r.print("b", 3), Printed, "")
		r.wantPaper(numbered("a", 4), numbered("b", 3))
	})
}

// TestStaleAnswers: answers to questions of nobody, before and during a job, confirm nothing.
func TestStaleAnswers(t *testing.T) {
	for name, p := range speaking() {
		synctest.Test(t, func(t *testing.T) {
			sim := NewSim(p, nil)
			r := newRig(t, p, sim, nil)
			defer r.close()
			r.tap.watch(func(n int, write func(...byte)) bool {
				if n%10 == 0 && n < 100 {
					write(0x00, 0x37, 0x22, 'a', 'b', 'c', 'd', 0x00)
				}
				return true
			})
			j := r.start(t.Context(), "a", 20)
			k := r.start(t.Context(), "b", 4)
			time.Sleep(300 * time.Millisecond)
			select {
			case out := <-j.out:
				t.Errorf("%s: %+v with %d lines on paper", name, out, len(r.paper()))
			default:
			}
			r.want(<-j.out, Printed, "")
			r.want(<-k.out, Printed, "")
			if got := len(r.paper()); got != 24 {
				t.Errorf("%s: %d lines", name, got)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := profile(t, "epson80")
		r := newRig(t, p, NewSim(p, nil), nil)
		defer r.close()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		r.want(r.dev.Print(ended, Job{Doc: numbered("x", 2)}, nil), Failed, Cancelled)

		// Under way, the job is finished.
		ctx, cancel := context.WithCancel(t.Context())
		j := r.start(ctx, "a", 20)
		time.Sleep(200 * time.Millisecond)
		cancel()
		r.want(<-j.out, Printed, "")

		// Waiting for paper, it is not.
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		r.sim.SetPaperLeft(5)
		j = r.start(ctx, "b", 20)
		time.Sleep(10 * time.Second)
		began := time.Now()
		cancel()
		r.want(<-j.out, Failed, Cancelled)
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		r.wantPaper(numbered("a", 20), numbered("b", 5))
	})
}

func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := with(t, "epson80", func(p *Profile) { p.Confirm, p.Status = ConfirmProfile{Method: ConfirmNone, Lead: 8}, StatusProfile{} })
		r := newRig(t, p, NewSim(p, nil), nil)
		defer r.close()
		r.wantReady("")
		r.want(r.print("a", 20), Sent, "")
		r.wantPaper(numbered("a", 20))
	})
}

// TestLateWord: the printer confirms a job after it was given up.
func TestLateWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := with(t, "epson80", func(p *Profile) { p.Clear = false })
		late := make(chan string, 3)
		r := newRig(t, p, NewSim(p, nil), &Opts{FaultWait: 10 * time.Second, OnLate: func(id string, _ int) { late <- id }})
		defer r.close()
		doc := numbered("a", 20)
		r.sim.SetPaperLeft(19)
		r.want(r.dev.Print(t.Context(), Job{ID: "a", Doc: doc}, nil), Indeterminate, PaperOut)
		r.sim.Set("full", "", "")
		time.Sleep(10 * time.Second)
		if len(late) != 1 || <-late != "a" {
			t.Errorf("not exactly one late word for the job")
		}
		r.wantPaper(doc)
	})
}
