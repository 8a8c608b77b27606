package printer

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var (
	seeds     = flag.Int("seeds", 200, "how many stories TestTruth plays")
	firstSeed = flag.Int("first-seed", 0, "the first of them")
)

// TestTruth plays random stories of a printer in trouble and compares what is on the paper with what was reported: the lines of a job
// reported printed are there once and in order; those of one reported failed are not, or only a beginning of them, which does not grow
// any more if it was cleared; no line is ever there twice; and a job is reported indeterminate only if its last line had reached the
// printer. Every profile plays, and all of the simulator's faults.
func TestTruth(t *testing.T) {
	t.Parallel()
	states := map[string]map[State]int{}
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		synctest.Test(t, func(t *testing.T) {
			s := newStory(t, uint64(seed))
			of := states[s.profile.Name]
			if of == nil {
				of = map[State]int{}
				states[s.profile.Name] = of
			}
			for _, st := range s.play() {
				of[st]++
			}
		})
		if t.Failed() {
			return // at the first story that is not true
		}
	}
	for name, of := range states {
		t.Logf("%s: jobs by outcome: %v", name, of)
		if *seeds >= 100 && len(of) < 3 {
			t.Errorf("the stories of %s are too tame to show anything", name)
		}
	}
}

type story struct {
	t       *testing.T
	seed    uint64
	rnd     *rand.Rand
	profile *Profile
	sim     *Sim
	rig     *rig
	opts    Opts
	long    bool // some document has commands longer than small buffers
	mu      sync.Mutex
	events  []string
}

type told struct {
	id    string
	doc   *Document
	out   Outcome
	lines int // on paper when it was told
}

// cast is all profiles, a park's own file among them.
func cast(t testing.TB) []*Profile {
	data, err := os.ReadFile("testdata/vkp80.json")
	if err != nil {
		t.Fatal(err)
	}
	own, err := ParseProfile(data)
	if err != nil {
		t.Fatal(err)
	}
	all := []*Profile{own}
	for _, name := range ProfileNames() {
		all = append(all, profile(t, name))
	}
	return all
}

func newStory(t *testing.T, seed uint64) *story {
	s := &story{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 1))}
	all := cast(t)
	p := *all[s.rnd.IntN(len(all))]
	p.Flow.Buffer = []int{45, 100, 600, 4096}[s.rnd.IntN(4)]
	p.Flow.Headroom, p.Flow.Resume = 16, 26
	p.Flow.StopWhenOffline = s.rnd.IntN(3) > 0
	if s.rnd.IntN(3) == 0 {
		p.Flow.Control = []FlowControl{FlowXonXoff, FlowCTS, FlowDSR, FlowNone}[s.rnd.IntN(4)]
	}
	if p.Flow.Control == FlowNone {
		p.Flow.Buffer = 2048
	}
	if p.Flow.Control == FlowXonXoff && len(p.Status.Polls) == 0 {
		p.Flow.Control = FlowCTS // a printer whose answers are not wired says no XOFF
	}
	if p.Confirm.Method != ConfirmNone {
		p.Confirm.Ahead = []int{0, 68, 200}[s.rnd.IntN(3)]
	}
	s.profile = &p
	baud := []int{0, 9600, 115200}[s.rnd.IntN(3)]
	s.sim = NewSim(s.profile, &SimOpts{Baud: baud})
	if len(p.Status.Polls) == 0 {
		s.sim.SetFault(SimSilent)
	}
	s.opts = Opts{Baud: baud, FaultWait: 15 * time.Second, RemindAfter: 5 * time.Second, RetractAfter: 12 * time.Second}
	s.rig = newRig(t, s.profile, s.sim, &s.opts)
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
		doc := numbered(id, 3+s.rnd.IntN(40))
		if s.rnd.IntN(3) == 0 {
			doc.Blocks = slices.Insert(doc.Blocks, s.rnd.IntN(len(doc.Blocks)), Block(QR{Data: "https://example.cn/" + id + "。"}))
			s.long = true
		}
		j := s.rig.startDoc(ctx, id, doc)
		s.trouble(cancel)
		out := <-j.out
		cancel()
		jobs = append(jobs, told{id, doc, out, len(s.linesOf(id))})
		s.note("%s, %d lines: %+v", id, len(doc.Blocks), out)
		time.Sleep(100 * time.Millisecond)
		select {
		case <-s.rig.runErr: // unplugged, or killed
			s.replug()
		default:
		}
	}
	s.mend()
	time.Sleep(time.Minute)
	select {
	case <-s.rig.runErr:
		s.replug()
	default:
	}
	last := numbered("last", 4)
	out := <-s.rig.startDoc(s.t.Context(), "last", last).out
	jobs = append(jobs, told{"last", last, out, 0})
	s.note("last: %+v", out)
	s.rig.want(out, s.profile.best(), "")
	s.rig.close()
	var states []State
	for _, j := range jobs {
		s.check(j)
		states = append(states, j.out.State)
	}
	// A command longer than the buffer can only be guarded by an XOFF that is heard, and a printer that is being healed may hold anything.
	hanzi := func(b byte) bool { return b > 0x80 }
	if lost := s.sim.dropped; slices.ContainsFunc(lost, hanzi) && !s.blind() && !(s.long && s.profile.Flow.Buffer < maxCommand) {
		s.t.Errorf("% x did not fit into the printer's buffer", lost)
	}
	if s.t.Failed() {
		s.t.Logf("seed %d, %s %+v ahead %d baud %d\n%s\npaper:\n%s", s.seed, s.profile.Name, s.profile.Flow, s.profile.Confirm.Ahead, s.opts.Baud,
			strings.Join(s.events, "\n"), strings.Join(s.rig.paper(), "\n"))
	}
	return states
}

// blind says whether the driver can neither see nor hear the printer.
func (s *story) blind() bool {
	return len(s.profile.Status.Polls) == 0 && s.profile.Flow.Control == FlowNone
}

func (s *story) replug() {
	s.rig.close()
	s.opts.Unfinished = s.rig.dev.Unfinished()
	seen := s.rig.tap.received()
	s.rig = newRig(s.t, s.profile, s.sim, &s.opts)
	s.rig.tap.mu.Lock()
	s.rig.tap.seen = append(seen, s.rig.tap.seen...)
	s.rig.tap.mu.Unlock()
}

// mend ends all trouble.
func (s *story) mend() {
	s.sim.Set("full", "closed", "ok")
	s.sim.SetHot(false)
	s.sim.SetLine(SimLine{})
	s.sim.mu.Lock()
	s.sim.endAfter = 0
	s.sim.mu.Unlock()
	if len(s.profile.Status.Polls) > 0 {
		s.sim.SetFault(SimNone)
	}
	if !s.sim.xoffed() && s.profile.Flow.Control == FlowXonXoff {
		s.rig.tap.Write([]byte{0x11})
	}
}

// trouble makes some while a job is printing.
func (s *story) trouble(cancel func()) {
	for range s.rnd.IntN(6) {
		time.Sleep(time.Duration(s.rnd.IntN(1500)) * time.Millisecond)
		what := s.rnd.IntN(15)
		s.note("trouble %d", what)
		switch what {
		case 0:
			s.sim.SetPaperLeft(1 + s.rnd.IntN(40))
		case 1:
			s.sim.mu.Lock()
			s.sim.endAfter = s.sim.count + 1 + s.rnd.IntN(200)
			s.sim.mu.Unlock()
		case 2:
			s.sim.Set("full", "", "")
		case 3:
			s.sim.Set("", []string{"open", "closed"}[s.rnd.IntN(2)], "")
		case 4:
			s.sim.Set("", "", []string{"jammed", "ok"}[s.rnd.IntN(2)])
		case 5:
			s.sim.SetHot(s.rnd.IntN(2) == 0)
		case 6:
			s.rig.tap.Write([]byte{0x13})
			time.Sleep(time.Duration(s.rnd.IntN(2000)) * time.Millisecond)
			if !s.sim.xoffed() {
				s.rig.tap.Write([]byte{0x11})
			}
		case 7:
			if s.rnd.IntN(3) == 0 {
				s.rig.tap.Conn.Close()
			}
		case 8, 9:
			s.badLine(what == 9)
		case 10:
			noise := make([]byte, 1+s.rnd.IntN(6))
			for i := range noise {
				noise[i] = byte(s.rnd.IntN(256))
			}
			s.note("noise %x", noise)
			s.rig.tap.Write(noise)
		case 11:
			for _, r := range s.sim.Receipts() {
				if r.Presented {
					s.sim.Take(r.ID)
				}
			}
		case 12: // the program is killed; the line stays
			if s.rnd.IntN(3) == 0 {
				s.rig.stop()
			}
		case 13:
			if len(s.profile.Status.Polls) > 0 { // a mute printer that lost power is another matter: nobody can know
				s.power()
			}
		case 14:
			if s.rnd.IntN(3) == 0 {
				cancel()
			}
			s.mend()
		}
	}
}

// power switches the printer off and on.
func (s *story) power() {
	if s.rnd.IntN(2) == 0 {
		return
	}
	s.sim.SetFault(SimOff)
	time.Sleep(2500*time.Millisecond + time.Duration(s.rnd.IntN(4000))*time.Millisecond)
	s.sim.SetFault(SimNone)
}

// badLine spoils the answers.
func (s *story) badLine(dead bool) {
	if len(s.profile.Status.Polls) == 0 {
		return
	}
	if dead {
		s.sim.SetFault([]SimFault{SimSilent, SimNone}[s.rnd.IntN(2)])
		return
	}
	l := SimLine{Seed: s.rnd.Uint64()}
	upTo := func(d time.Duration) time.Duration { return time.Duration(1 + s.rnd.Int64N(int64(d))) }
	switch s.rnd.IntN(7) {
	case 0:
		l.Lose = s.rnd.Float64() / 4
	case 1:
		l.Noise = s.rnd.Float64() / 4
	case 2:
		l.Lose, l.Noise = s.rnd.Float64()/20, s.rnd.Float64()/20
	case 3:
		l.Late = upTo(2 * time.Second)
	case 4:
		l.Slow = upTo(time.Second)
	case 5:
		l.Split = upTo(300 * time.Millisecond)
	case 6:
		l.Merge = upTo(300 * time.Millisecond)
	}
	s.note("%+v", l)
	s.sim.SetLine(l)
}

func (s *Sim) xoffed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// linesOf is what is on paper of a job, and whether some of it is on paper that was not cut.
func (s *story) linesOf(id string) []string {
	var got []string
	for _, r := range s.sim.Receipts() {
		for _, l := range r.Lines {
			if strings.Contains(l, id+"。") {
				got = append(got, l)
			}
		}
	}
	return got
}

func (s *story) check(j told) {
	s.t.Helper()
	var want []string
	for _, l := range Lines(j.doc, s.profile) {
		if strings.Contains(l, j.id+"。") && (s.profile.QR.Method == "native" || !strings.Contains(l, "[QR")) {
			want = append(want, l)
		}
	}
	got := s.linesOf(j.id)
	partial := slices.ContainsFunc(s.sim.Receipts(), func(r Receipt) bool { return r.Partial && strings.Contains(strings.Join(r.Lines, ""), j.id+"。") })
	begins := len(got) <= len(want) && slices.Equal(got, want[:min(len(got), len(want))])
	whole := slices.Equal(got, want)
	switch {
	case s.blind():
		if len(got) > len(want) {
			s.t.Errorf("%s (%s): lines twice: %q", j.id, j.out.State, got)
		}
	case !begins && !(j.out.State == Sent || s.lostPower() && j.out.State != Printed):
		s.t.Errorf("%s (%s): lines are missing, twice or out of order: %q", j.id, j.out.State, got)
	case j.out.State == Printed && (!whole || partial):
		s.t.Errorf("%s was reported printed: %q, partial %v", j.id, got, partial)
	case j.out.State == Failed && j.out.Bytes == 0 && len(got) > 0:
		s.t.Errorf("%s was reported failed before its first byte: %q", j.id, got)
	case j.out.State == Failed && whole:
		s.t.Errorf("%s was reported failed and is whole on paper", j.id)
	case j.out.State == Failed && !j.out.Held && len(got) > j.lines+1:
		s.t.Errorf("%s was reported failed and cleared with %d lines on paper, and now there are %d", j.id, j.lines, len(got))
	case j.out.State == Indeterminate && !s.reached(j):
		s.t.Errorf("%s was reported indeterminate, but its last line never reached the printer: %+v", j.id, j.out)
	}
}

// lostPower says whether the printer was switched off in this story.
func (s *story) lostPower() bool {
	return slices.ContainsFunc(s.events, func(e string) bool { return strings.HasSuffix(e, "trouble 13") })
}

// reached says whether the last line of a job got to the printer, all but perhaps its last character.
func (s *story) reached(j told) bool {
	text := j.doc.Blocks[len(j.doc.Blocks)-1].(Text).Text
	line, err := simplifiedchinese.GBK.NewEncoder().String(strings.TrimSuffix(text, "。"))
	if err != nil {
		s.t.Fatal(err)
	}
	// Questions stand between the characters where the buffer is small.
	seen := bytes.ReplaceAll(s.rig.tap.received(), []byte("\x1dr\x01"), nil)
	for _, q := range s.rig.dev.dialect.polls {
		seen = bytes.ReplaceAll(seen, q.ask, nil)
	}
	return bytes.Contains(seen, []byte(line))
}
