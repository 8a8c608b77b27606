package buttons

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// move is one change of one line.
type move struct {
	at   time.Duration // from the beginning
	line int           // from 0
	on   bool
}

// tape plays a history of moves as a kernel tells it: levels as they are, edges through a queue that is too short.
type tape struct {
	moves []move
	begin uint64        // levels before the first move
	queue int           // edges the queue holds, 0 for a kernel that tells of none
	late  bool          // a full queue drops the newest edge, not the oldest
	twice bool          // every edge is told twice
	gone  time.Duration // when the chip is pulled out, 0 for never
	naps  []nap         // when the program is not given the processor

	began  time.Time
	played int
	levels uint64
	edges  []int
	seen   []visible // what was shown of it
}

// nap is a time in which the program is not given the processor: no call returns in it.
type nap struct{ from, to time.Duration }

// naps are so many, one each period.
func naps(n int, period, long time.Duration) (all []nap) {
	for i := range n {
		all = append(all, nap{time.Duration(i) * period, time.Duration(i)*period + long})
	}
	return all
}

// visible is one thing that a tape has shown: the levels, or an edge of a line.
type visible struct {
	at     time.Duration
	levels uint64
	edge   int // the line, -1 for a look at the levels
}

func newTape(moves []move) *tape { return &tape{moves: moves, queue: 16 * Count} }

// advance plays what is due and returns the time.
func (l *tape) advance() time.Duration {
	if l.began.IsZero() {
		l.began, l.levels = time.Now(), l.begin
	}
	now := time.Since(l.began)
	for l.played < len(l.moves) && l.moves[l.played].at <= now {
		m := l.moves[l.played]
		l.played++
		was := l.levels
		if l.levels &^= 1 << m.line; m.on {
			l.levels |= 1 << m.line
		}
		if was == l.levels {
			continue
		}
		for range map[bool]int{false: 1, true: 2}[l.twice] {
			l.edges = append(l.edges, m.line)
		}
		for len(l.edges) > l.queue {
			if l.late {
				l.edges = l.edges[:len(l.edges)-1]
			} else {
				l.edges = l.edges[1:]
			}
		}
	}
	return now
}

func (l *tape) pulled(now time.Duration) bool { return l.gone > 0 && now >= l.gone }

func (l *tape) Levels() (uint64, error) {
	now := l.advance()
	if l.pulled(now) {
		return 0, ErrGone
	}
	levels := l.levels
	l.seen = append(l.seen, visible{now, levels, -1})
	l.sleep()
	return levels, nil
}

// sleep returns when the program has the processor.
func (l *tape) sleep() {
	now := time.Since(l.began)
	for _, n := range l.naps {
		if n.from <= now && now < n.to {
			time.Sleep(n.to - now)
			now = n.to
		}
	}
}

// WaitEdge does not notice that the chip is pulled out, as the kernel wakes nobody then.
func (l *tape) WaitEdge(timeout time.Duration) (uint64, error) {
	defer l.sleep()
	end := time.Now().Add(timeout)
	for {
		now := l.advance()
		if l.pulled(now) {
			time.Sleep(time.Until(end))
			return 0, nil
		}
		if len(l.edges) > 0 {
			line := l.edges[0]
			l.edges = l.edges[1:]
			l.seen = append(l.seen, visible{now, l.levels, line})
			return 1 << line, nil
		}
		left := time.Until(end)
		if left <= 0 {
			return 0, nil
		}
		if l.played < len(l.moves) {
			left = min(left, l.moves[l.played].at-now)
		}
		if l.gone > 0 {
			left = min(left, l.gone-now)
		}
		time.Sleep(left)
	}
}

// event is one thing that a pad told.
type event struct {
	at      time.Duration
	press   *Press
	reading *Reading
	health  *Health
}

func (e event) String() string {
	switch {
	case e.press != nil:
		return fmt.Sprintf("%s@%v", e.press.Input, e.at)
	case e.reading != nil:
		return fmt.Sprintf("%s %v@%v", e.reading.Input, e.reading.On, e.at)
	}
	return fmt.Sprintf("%v@%v", e.health, e.at)
}

// listen runs a pad over lines for so long, in the bubble it is called from, and returns all that it told.
func listen(lines Lines, inputs []Input, long time.Duration) ([]event, error) {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	var got []event
	began := time.Now()
	err := New(lines, &Opts{
		Inputs:    inputs,
		OnPress:   func(p Press) { got = append(got, event{at: time.Since(began), press: &p}) },
		OnReading: func(r Reading) { got = append(got, event{at: time.Since(began), reading: &r}) },
		OnHealth:  func(h Health) { got = append(got, event{at: time.Since(began), health: &h}) },
	}).Run(ctx)
	return got, err
}

// pressesOf lists the rating buttons of the presses told, in order.
func pressesOf(events []event) (all []int) {
	for _, e := range events {
		if e.press != nil {
			all = append(all, e.press.Line)
		}
	}
	return all
}

// finger is a press of a rating button that bounces for so long, a change each gap.
func finger(n int, at, long, bounces, gap time.Duration) (all []move) {
	for i, begin := range []time.Duration{at, at + long} {
		on := i == 0
		for d := time.Duration(0); d+2*gap <= bounces; d += 2 * gap {
			all = append(all, move{begin + d, n - 1, on}, move{begin + d + gap, n - 1, !on})
		}
		all = append(all, move{begin + bounces, n - 1, on})
	}
	return all
}

func inOrder(moves ...[]move) []move {
	all := slices.Concat(moves...)
	slices.SortStableFunc(all, func(a, b move) int { return int(a.at - b.at) })
	return all
}

// TestHostileLines: whatever lines do, honest presses are told and others are not.
func TestHostileLines(t *testing.T) {
	honest := inOrder(finger(5, time.Second, 150*time.Millisecond, 15*time.Millisecond, 700*time.Microsecond),
		finger(1, 2*time.Second, 150*time.Millisecond, 4*time.Millisecond, 200*time.Microsecond), finger(3, 3*time.Second, 150*time.Millisecond, 0, 1))
	for _, c := range []struct {
		name string
		tape func() *tape
		want []int
		says []string // of health, beside online
	}{
		{"honest presses", func() *tape { return newTape(honest) }, []int{5, 1, 3}, nil},
		{"no edge is ever told", func() *tape { l := newTape(honest); l.queue = 0; return l }, []int{5, 1, 3}, nil},
		{"only one edge is kept", func() *tape { l := newTape(honest); l.queue = 1; return l }, []int{5, 1, 3}, nil},
		{"a full queue drops what is new", func() *tape { l := newTape(honest); l.queue, l.late = 3, true; return l }, []int{5, 1, 3}, nil},
		{"edges are told twice", func() *tape { l := newTape(honest); l.twice = true; return l }, []int{5, 1, 3}, nil},
		{"a program that is seldom given the processor", func() *tape {
			l := newTape(honest)
			l.naps = naps(100, 55*time.Millisecond, 30*time.Millisecond)
			return l
		}, []int{5, 1, 3}, nil},
		{"stuck at the start", func() *tape { l := newTape(honest); l.begin = 1 << 1; return l }, nil, []string{"button 2" + isHeld}},
		{"stuck at the start, for longer", func() *tape {
			l := newTape(finger(4, 40*time.Second, 150*time.Millisecond, 0, 1))
			l.begin = 1 << 1
			return l
		}, []int{4}, []string{"button 2" + isHeld}},
		{"all five at once", func() *tape {
			var all [][]move
			for n := 1; n <= Count; n++ {
				all = append(all, finger(n, time.Second, 150*time.Millisecond, 5*time.Millisecond, time.Duration(n)*100*time.Microsecond))
			}
			return newTape(inOrder(all...))
		}, nil, nil},
		{"let go and pressed again while the program slept", func() *tape {
			l := newTape(inOrder(finger(3, 990*time.Millisecond, 50*time.Microsecond, 0, 1), finger(2, time.Second, 12*time.Millisecond, 0, 1),
				finger(2, 1040*time.Millisecond, 15*time.Millisecond, 0, 1)))
			l.naps = []nap{{1010 * time.Millisecond, 1050 * time.Millisecond}} // it begins as the wait for button 3 ends
			return l
		}, nil, nil},
		{"an expander without power, which shows all lines low", func() *tape {
			var all []move
			for n := range Count {
				all = append(all, move{time.Second, n, true})
			}
			return newTape(all)
		}, nil, []string{"button 1" + isHeld + "; button 2" + isHeld + "; button 3" + isHeld + "; button 4" + isHeld + "; button 5" + isHeld}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := listen(c.tape(), nil, 50*time.Second)
				if err != nil {
					t.Error(err)
				}
				if !slices.Equal(pressesOf(got), c.want) {
					t.Errorf("told %v, want presses %v", got, c.want)
				}
				var says []string
				for _, e := range got {
					if e.health != nil && e.health.State == HardwareError {
						says = append(says, e.health.String())
					}
				}
				if !slices.Equal(says, c.says) {
					t.Errorf("health %q, want %q", says, c.says)
				}
			})
		})
	}
}

// TestPulledInThePress: wherever in a press the chip is pulled out, nothing is told that was not complete by then, and what is
// told is told once.
func TestPulledInThePress(t *testing.T) {
	for at := 995 * time.Millisecond; at < 1100*time.Millisecond; at += 500 * time.Microsecond {
		synctest.Test(t, func(t *testing.T) {
			l := newTape(finger(5, time.Second, 500*time.Millisecond, 4*time.Millisecond, 500*time.Microsecond))
			l.gone = at
			got, err := listen(l, nil, 5*time.Second)
			complete := at > time.Second+4*time.Millisecond+defaultDebounce
			if presses := len(pressesOf(got)); presses > 1 || presses == 1 && !complete || presses == 0 && at > 1030*time.Millisecond {
				t.Errorf("pulled out at %v: told %v", at, got)
			}
			if last := got[len(got)-1]; last.health == nil || last.health.State != Offline || err == nil || last.at > at+2*longestWait {
				t.Errorf("pulled out at %v: %v, told %v", at, err, got)
			}
		})
	}
}

// wave are lines of which one changes its level for ever, half a period each, and the others stay off. Every wait ends at once.
type wave struct {
	half  time.Duration
	line  int
	began time.Time
	waits int
	also  *tape // the other lines, nil for none
}

func (w *wave) Levels() (uint64, error) {
	if w.began.IsZero() {
		w.began = time.Now()
	}
	levels := uint64(time.Since(w.began)/w.half%2) << w.line
	if w.also != nil {
		others, _ := w.also.Levels()
		levels |= others
	}
	return levels, nil
}

// WaitEdge fills the queue with the wave's edges: those of the other lines are lost.
func (w *wave) WaitEdge(time.Duration) (uint64, error) {
	w.waits++
	time.Sleep(10 * time.Microsecond) // what two system calls take
	return 1 << w.line, nil
}

// A line that oscillates by the megahertz costs a bounded number of system calls, is set aside, and the others still work.
func TestMegahertz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wave{half: 500 * time.Nanosecond, line: 2, also: newTape(finger(4, 8*time.Second, 150*time.Millisecond, 0, 1))}
		got, err := listen(w, nil, 10*time.Second)
		if err != nil {
			t.Error(err)
		}
		if !slices.Equal(pressesOf(got), []int{4}) || !strings.Contains(fmt.Sprint(got), "button 3"+chatters) {
			t.Errorf("told %v, want button 3 set aside, then a press of 4", got)
		}
		if most := int(10*time.Second/edgePause+2) * edgeBurst; w.waits > most {
			t.Errorf("%d waits in 10 s, want at most %d", w.waits, most)
		}
	})
}

// storm are lines on which every wait ends at once with an edge that changes nothing.
type storm struct {
	mu    sync.Mutex
	waits int
	edge  uint64
}

func (s *storm) Levels() (uint64, error) { return 0, nil }

func (s *storm) WaitEdge(time.Duration) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits++
	return s.edge, nil
}

// A wait that returns at once for ever, as that of a removed chip does, with an edge or without, is no busy loop.
func TestWaitsThatReturnAtOnce(t *testing.T) {
	for _, edge := range []uint64{0, 1 << 3} {
		synctest.Test(t, func(t *testing.T) {
			s := &storm{edge: edge}
			if _, err := listen(s, nil, time.Second); err != nil {
				t.Fatal(err)
			}
			most := int(time.Second/edgePause+2) * edgeBurst
			if edge == 0 {
				most = int(time.Second/longestWait) + 1
			}
			if s.waits > most {
				t.Errorf("edges %b: %d waits in a second, want at most %d", edge, s.waits, most)
			}
		})
	}
}
