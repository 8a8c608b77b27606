package buttons

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// bounceGap is how long a simulated contact stays at each level while it bounces.
	bounceGap = 500 * time.Microsecond
	// kernelEdges is how many edges the kernel keeps for each line of a request; the oldest are dropped.
	kernelEdges = 16
)

// SimLines play the lines of contacts. All of them are off at first.
type SimLines struct {
	count int

	mu     sync.Mutex
	levels uint64
	plan   []contact // what is still to happen, in order
	gone   bool
	plugs  int           // how often it was plugged in again
	news   chan struct{} // closed and replaced when anything changes
	edges  []int         // lines of the changes that nobody waited for yet, the oldest first
}

// contact is one change of one line. Changes are looked up by time, not made by timers: on a busy machine timers half a
// millisecond apart run in any order.
type contact struct {
	at   time.Time
	line int
	on   bool
}

// NewSimLines returns the lines of the five rating buttons.
func NewSimLines() *SimLines { return NewSimInputs(Count) }

// NewSimInputs returns the lines of count inputs, at most MaxInputs.
func NewSimInputs(count int) *SimLines {
	return &SimLines{count: min(count, MaxInputs), news: make(chan struct{})}
}

// Open returns the lines as a driver finds them: an error while they are unplugged. What was opened before an unplug stays
// gone after it, as a descriptor of the kernel does.
func (s *SimLines) Open() (Lines, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, fmt.Errorf("cannot open the simulated buttons: %w", ErrGone)
	}
	return &simHandle{s, s.plugs}, nil
}

// simHandle are opened lines.
type simHandle struct {
	sim  *SimLines
	life int // of the plug in which they were opened
}

// Levels implements Lines.
func (h *simHandle) Levels() (uint64, error) { return h.sim.read(h.life) }

// WaitEdge implements Lines.
func (h *simHandle) WaitEdge(timeout time.Duration) (uint64, error) {
	return h.sim.wait(h.life, timeout)
}

// Press holds line n, the first of which is 1, on for d and returns at once. The contact opens and closes again so many times,
// half a millisecond each, as it is made and as it is broken. It reports whether there is such a line.
func (s *SimLines) Press(n int, d time.Duration, bounces int) bool {
	now := time.Now()
	return s.bounce(n, now, true, bounces) && s.bounce(n, now.Add(d), false, bounces)
}

// Hold puts line n on, or off, until further notice. It reports whether there is such a line.
func (s *SimLines) Hold(n int, on bool) bool { return s.bounce(n, time.Now(), on, 0) }

// bounce plans a change of a line at a time, after as many bounces.
func (s *SimLines) bounce(n int, at time.Time, on bool, bounces int) bool {
	if n < 1 || n > s.count {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range 2*max(bounces, 0) + 1 {
		s.schedule(contact{at.Add(time.Duration(i) * bounceGap), n - 1, (i%2 == 0) == on})
	}
	slices.SortStableFunc(s.plan, func(a, b contact) int { return a.at.Compare(b.at) })
	s.advance()
	return true
}

// schedule adds a contact to the plan, which is left unsorted, and wakes whoever waits when it is due.
func (s *SimLines) schedule(c contact) {
	s.plan = append(s.plan, c)
	time.AfterFunc(time.Until(c.at), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.advance()
	})
}

// advance does what is due. The caller holds the lock.
func (s *SimLines) advance() {
	now := time.Now()
	for len(s.plan) > 0 && !s.plan[0].at.After(now) {
		c := s.plan[0]
		s.plan = s.plan[1:]
		was := s.levels
		if s.levels &^= 1 << c.line; c.on {
			s.levels |= 1 << c.line
		}
		if was == s.levels || s.gone {
			continue
		}
		if s.edges = append(s.edges, c.line); len(s.edges) > kernelEdges*s.count {
			s.edges = s.edges[1:]
		}
		s.wake()
	}
}

// wake wakes whoever waits. The caller holds the lock.
func (s *SimLines) wake() {
	close(s.news)
	s.news = make(chan struct{})
}

// Unplug takes the lines away until Replug.
func (s *SimLines) Unplug() { s.plug(true) }

// Replug brings the lines back.
func (s *SimLines) Replug() { s.plug(false) }

func (s *SimLines) plug(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone && !gone {
		s.plugs++
	}
	s.gone = gone
	s.edges = nil
	s.wake()
}

// Levels returns the levels as they are now, whoever opened the lines.
func (s *SimLines) Levels() (uint64, error) { return s.read(s.life()) }

// WaitEdge waits as for whoever opened the lines now.
func (s *SimLines) WaitEdge(timeout time.Duration) (uint64, error) { return s.wait(s.life(), timeout) }

func (s *SimLines) life() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plugs
}

func (s *SimLines) read(life int) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.plugs != life {
		return 0, ErrGone
	}
	s.advance()
	return s.levels, nil
}

// wait waits for an edge. As with the kernel, one that came before the timeout is told even to a program that was not given
// the processor until after it.
func (s *SimLines) wait(life int, timeout time.Duration) (uint64, error) {
	t := time.NewTimer(timeout)
	defer t.Stop()
	for over := false; ; {
		s.mu.Lock()
		s.advance()
		gone, news := s.gone || s.plugs != life, s.news
		if !gone && len(s.edges) > 0 {
			line := s.edges[0]
			s.edges = s.edges[1:]
			s.mu.Unlock()
			return 1 << line, nil
		}
		s.mu.Unlock()
		switch {
		case gone:
			return 0, ErrGone
		case over:
			return 0, nil
		}
		select {
		case <-news:
		case <-t.C:
			over = true
		}
	}
}

// SimLamp is a lamp to be looked at, or a relay. The zero value is off.
type SimLamp struct {
	OnChange func(on bool) // called after each change, if not nil; set it before first use

	mu sync.Mutex
	on bool
}

// Set implements Lamp.
func (l *SimLamp) Set(on bool) error {
	l.mu.Lock()
	changed := l.on != on
	l.on = on
	l.mu.Unlock()
	if changed && l.OnChange != nil {
		l.OnChange(on)
	}
	return nil
}

// On reports whether the lamp is lit.
func (l *SimLamp) On() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on
}
