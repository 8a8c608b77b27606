package printer

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var seeds = flag.Int("seeds", 150, "how many stories TestTruth plays")

// TestTruth plays random stories of a printer in trouble and compares what is on the paper with what was reported: the lines of a job
// reported printed are there once and in order, those of a job reported failed before its first byte are not, of one reported failed
// after a clear only a beginning, and no line is ever there twice.
func TestTruth(t *testing.T) {
	states := map[State]int{}
	for seed := range *seeds {
		synctest.Test(t, func(t *testing.T) {
			for _, s := range newStory(t, uint64(seed)).play() {
				states[s]++
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("jobs by outcome: %v", states)
	if len(states) < 3 {
		t.Error("the stories are too tame to show anything")
	}
}

type story struct {
	t       *testing.T
	rnd     *rand.Rand
	profile *Profile
	sim     *Sim
	rig     *rig
	mu      sync.Mutex
	events  []string
}

type told struct {
	id    string
	lines int
	out   Outcome
}

func newStory(t *testing.T, seed uint64) *story {
	s := &story{t: t, rnd: rand.New(rand.NewPCG(seed, 1))}
	name := []string{"epson80", "kp628e"}[s.rnd.IntN(2)]
	s.profile = with(t, name, func(p *Profile) {
		p.Flow.Buffer = []int{45, 100, 600, 4096}[s.rnd.IntN(4)]
		p.Flow.Resume = 26
		p.Flow.StopWhenOffline = s.rnd.IntN(3) > 0
	})
	baud := []int{0, 9600, 115200}[s.rnd.IntN(3)]
	s.sim = NewSim(s.profile, &SimOpts{Baud: baud})
	s.rig = newRig(t, s.profile, s.sim, &Opts{Baud: baud, FaultWait: 15 * time.Second})
	return s
}

func (s *story) note(f string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, time.Now().Format("04:05.000 ")+fmt.Sprintf(f, a...))
}

// play tells the story and gives the outcomes.
func (s *story) play() []State {
	var jobs []told
	for i := range 3 {
		id := fmt.Sprintf("J%d", i)
		ctx, cancel := context.WithCancel(s.t.Context())
		lines := 3 + s.rnd.IntN(40)
		j := s.rig.start(ctx, id, lines)
		s.trouble(cancel)
		out := <-j.out
		cancel()
		s.note("%s, %d lines: %+v", id, lines, out)
		jobs = append(jobs, told{id, lines, out})
		time.Sleep(100 * time.Millisecond)
		select {
		case <-s.rig.runErr: // unplugged
			s.replug()
		default:
		}
	}
	s.sim.Set("full", "closed", "ok")
	s.sim.SetFault(SimNone)
	time.Sleep(time.Minute)
	out := s.rig.print("last", 4)
	jobs = append(jobs, told{"last", 4, out})
	s.note("last: %+v", out)
	s.rig.want(out, Printed, "")
	s.rig.close()
	var states []State
	for _, j := range jobs {
		s.check(j)
		states = append(states, j.out.State)
	}
	if s.t.Failed() {
		s.t.Logf("%s %+v\n%s\npaper:\n%s", s.profile.Name, s.profile.Flow, strings.Join(s.events, "\n"), strings.Join(s.rig.paper(), "\n"))
	}
	return states
}

func (s *story) replug() {
	s.rig.close()
	s.rig = newRig(s.t, s.profile, s.sim, &Opts{Baud: s.rig.dev.opts.Baud, FaultWait: 15 * time.Second, Unfinished: s.rig.dev.Unfinished()})
}

// trouble makes some while a job is printing.
func (s *story) trouble(cancel func()) {
	for range s.rnd.IntN(5) {
		time.Sleep(time.Duration(s.rnd.IntN(1500)) * time.Millisecond)
		what := s.rnd.IntN(9)
		if what == 7 && s.profile.Flow.Buffer < 4096 {
			what = 8 // a silent printer with a small buffer loses bytes and nobody can know
		}
		s.note("trouble %d", what)
		switch what {
		case 0:
			s.sim.SetPaperLeft(1 + s.rnd.IntN(40))
		case 1, 2:
			s.sim.Set("full", "", "")
		case 3:
			s.sim.Set("", []string{"open", "closed"}[s.rnd.IntN(2)], "")
		case 4:
			s.sim.Set("", "", []string{"jammed", "ok"}[s.rnd.IntN(2)])
		case 5:
			s.rig.tap.Write([]byte{0x13})
			time.Sleep(time.Duration(s.rnd.IntN(2000)) * time.Millisecond)
			if !s.sim.xoffed() {
				s.rig.tap.Write([]byte{0x11})
			}
		case 6:
			if s.rnd.IntN(3) == 0 {
				s.rig.tap.Conn.Close()
			}
		case 7:
			s.sim.SetFault([]SimFault{SimSilent, SimNone}[s.rnd.IntN(2)])
		case 8:
			if s.rnd.IntN(3) == 0 {
				cancel()
			}
			s.sim.Set("full", "closed", "ok")
		}
	}
}

func (s *Sim) xoffed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *story) check(j told) {
	s.t.Helper()
	want := Lines(numbered(j.id, j.lines), s.profile)
	var got []string
	partial := false
	for _, r := range s.sim.Receipts() {
		for _, l := range r.Lines {
			if strings.Contains(l, j.id+"。") {
				got = append(got, l)
				partial = partial || r.Partial
			}
		}
	}
	begins := len(got) <= len(want) && slices.Equal(got, want[:len(got)])
	whole := slices.Equal(got, want)
	switch {
	case !begins:
		s.t.Errorf("%s (%s): lines are missing, twice or out of order: %q", j.id, j.out.State, got)
	case j.out.State == Printed && (!whole || partial):
		s.t.Errorf("%s was reported printed: %q, partial %v", j.id, got, partial)
	case j.out.State == Failed && j.out.Bytes == 0 && len(got) > 0:
		s.t.Errorf("%s was reported failed before its first byte: %q", j.id, got)
	case j.out.State == Failed && whole && !partial:
		s.t.Errorf("%s was reported failed and is whole on paper", j.id)
	}
}
