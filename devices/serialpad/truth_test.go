package serialpad

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// made is a press of a simulated button.
type made struct {
	grade   int
	at      time.Time
	online  bool // the driver has said that the pad is there, and has not taken it back since
	invited bool // an invitation opened soon after it
}

// TestPressesToldArePressesMade: whatever the line does, each press is told at most once, in its order and soon, and none is told that was
// not made. Where presses are acknowledged, or held until they are, each is told exactly once if the line is good again in time.
//
// SERIALPAD_SEEDS sets how many seeds are played for each profile.
func TestPressesToldArePressesMade(t *testing.T) {
	seeds := 50
	if s := os.Getenv("SERIALPAD_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for name, p := range Profiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			total, lost := 0, 0
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) {
					n, missing := playSeed(t, p, uint64(seed))
					total, lost = total+n, lost+missing
				})
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			t.Logf("%d presses in %d seeds, %d not told", total, seeds, lost)
		})
	}
}

// playSeed plays a few minutes at a window and returns how many presses were made and how many of them were not told.
func playSeed(t *testing.T, p *Profile, seed uint64) (total, lost int) {
	r := rand.New(rand.NewPCG(seed, 1))
	sim := NewSim(p, &SimOpts{Seed: seed, Baud: []int{0, p.Line.Baud}[r.IntN(2)]})
	b := wire(t, p, sim, Opts{})
	defer func() { b.stop() }()
	b.online()
	const press = 4 * time.Second // from one to the next
	for range 10 {
		faults := Faults{}
		for _, f := range []*float64{&faults.Lose, &faults.Deaf, &faults.Half, &faults.Flip, &faults.Merge, &faults.Late, &faults.Twice, &faults.Noise, &faults.Neighbour} {
			if r.IntN(2) == 0 {
				*f = r.Float64() * 0.6
			}
		}
		begin := time.Now()
		sim.SetFaults(faults)
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		if r.IntN(6) == 0 { // the plug is pulled, and somebody presses meanwhile
			b.host.Close()
			synctest.Wait()
			sim.SetFaults(Faults{})
			if b.stop(); !errors.Is(b.err, ErrGone) {
				t.Errorf("unplugged: %v", b.err)
			}
			sim.Press(grades(p)[r.IntN(4)])
			time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
			b = wire(t, p, sim, Opts{})
			b.online()
			if got := b.after(press); got != nil {
				t.Errorf("pressed while unplugged: told %v", got)
			}
			continue
		}
		m := made{grade: grades(p)[r.IntN(len(grades(p)))], at: time.Now()}
		b.told.mu.Lock()
		m.online = len(b.told.events) == 0 // nothing but a loss of the pad can have been told since the last look
		b.told.mu.Unlock()
		if !sim.Press(m.grade) {
			t.Errorf("the button was not taken")
		}
		if r.IntN(5) == 0 {
			m.invited = true
			time.Sleep(time.Duration(1+r.IntN(400)) * time.Millisecond)
			b.pad.Show(Invite)
		}
		time.Sleep(time.Duration(r.IntN(int(500*time.Millisecond - min(time.Since(m.at), 499*time.Millisecond)))))
		sim.SetFaults(Faults{})
		time.Sleep(press - time.Since(begin))
		synctest.Wait()
		total++
		if !judge(t, p, b, m) {
			lost++
		}
		b.pad.Show(Welcome)
		b.after(2 * time.Second)
	}
	return total, lost
}

// judge compares what was told after a press with the press, and says whether it was told.
func judge(t *testing.T, p *Profile, b *bench, m made) bool {
	b.told.mu.Lock()
	events, at := b.told.events, b.told.at
	b.told.mu.Unlock()
	b.told.all()
	count := 0
	for i, e := range events {
		switch e {
		case string(HardwareError), string(Online):
			m.online = false
			continue
		case fmt.Sprint(m.grade):
			count++
		default:
			t.Errorf("pressed %d, told %s", m.grade, e)
		}
		longest := ms(p.Repeat.ForMs + p.Timing.LateMs + 2*p.Timing.GapMs + 200)
		if p.Hold {
			longest = 2 * time.Second
		}
		if d := at[i].Sub(m.at); d > longest {
			t.Errorf("told %v after the press", d)
		}
	}
	c, _ := p.compile()
	proves := p.Hold || c.messages[kindAnswer] != nil && c.messages[kindAnswer].has(sequence)
	switch {
	case count > 1:
		t.Errorf("one press of %d, told %d times", m.grade, count)
	case m.invited && count > 0 && proves && at[0].After(m.at) && b.pad.invitedBefore(at[0]):
		t.Errorf("pressed before the invitation, told after it")
	case (p.Hold || p.Repeat.UntilAck) && m.online && !m.invited && count != 1:
		t.Errorf("pressed %d while the pad was there, told %v; %v", m.grade, events, b.pad.Stats())
	}
	return count == 1
}

// invitedBefore says whether the invitation was open at a time.
func (p *Pad) invitedBefore(at time.Time) bool {
	_, invited := p.wanted()
	return !invited.IsZero() && !at.Before(invited)
}
