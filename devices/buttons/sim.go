package buttons

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// bounceGap is how long a simulated contact stays at each level while it bounces.
const bounceGap = 500 * time.Microsecond

// SimLines play the lines of five buttons.
type SimLines struct {
	mu     sync.Mutex
	levels uint32
	plan   []contact // what is still to happen, in order
	gone   bool
	edge   chan struct{} // closed and replaced when anything changes
	edges  int           // changes that nobody waited for yet
}

// contact is one change of one button's contact. Changes are looked up by time, not made by timers: on a busy machine
// timers half a millisecond apart run in any order.
type contact struct {
	at   time.Time
	bit  uint32
	down bool
}

// NewSimLines returns the lines of five released buttons.
func NewSimLines() *SimLines { return &SimLines{edge: make(chan struct{})} }

// Open returns the lines as a driver finds them: an error while they are unplugged.
func (s *SimLines) Open() (Lines, error) {
	if _, err := s.Levels(); err != nil {
		return nil, fmt.Errorf("cannot open the simulated buttons: %w", err)
	}
	return s, nil
}

// Press holds button n (1 to 5) down for d and returns at once. The contact opens and closes again so many times, half a
// millisecond each, as it is made and as it is broken. It reports whether there is such a button.
func (s *SimLines) Press(n int, d time.Duration, bounces int) bool {
	if n < 1 || n > Count {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for i := range 2*max(bounces, 0) + 1 {
		bounce := time.Duration(i) * bounceGap
		s.schedule(contact{now.Add(bounce), 1 << (n - 1), i%2 == 0})
		s.schedule(contact{now.Add(d + bounce), 1 << (n - 1), i%2 == 1})
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
		if s.levels &^= c.bit; c.down {
			s.levels |= c.bit
		}
		if was != s.levels {
			s.changed()
		}
	}
}

// changed wakes whoever waits. The caller holds the lock.
func (s *SimLines) changed() {
	s.edges = min(s.edges+1, 16*Count) // as many as the kernel keeps for five lines
	close(s.edge)
	s.edge = make(chan struct{})
}

// Unplug takes the lines away until Replug.
func (s *SimLines) Unplug() { s.plug(true) }

// Replug brings the lines back.
func (s *SimLines) Replug() { s.plug(false) }

func (s *SimLines) plug(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = gone
	s.edges = 0
	close(s.edge)
	s.edge = make(chan struct{})
}

// Levels implements Lines.
func (s *SimLines) Levels() (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return 0, ErrGone
	}
	s.advance()
	return s.levels, nil
}

// WaitEdge implements Lines.
func (s *SimLines) WaitEdge(timeout time.Duration) (bool, error) {
	t := time.NewTimer(timeout)
	defer t.Stop()
	for {
		s.mu.Lock()
		s.advance()
		gone, edge := s.gone, s.edge
		if !gone && s.edges > 0 {
			s.edges--
			s.mu.Unlock()
			return true, nil
		}
		s.mu.Unlock()
		if gone {
			return false, ErrGone
		}
		select {
		case <-edge:
		case <-t.C:
			return false, nil
		}
	}
}

// SimLamp is a lamp to be looked at. The zero value is off.
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
