package buttons

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Lamp is one lamp. It may be set to what it already is.
type Lamp interface {
	Set(on bool) error
}

// lampRetry is how often lamps are set again though nothing changed, so that a lamp that came back shows the truth.
const lampRetry = time.Second

// Lamps are the lamps of the rating buttons.
type Lamps struct {
	lamps []governed // that of button 1 first
	news  chan struct{}

	mu    sync.Mutex
	asked scene
	err   error
}

// governed is a lamp that may not be switched as often as it is asked to be.
type governed struct {
	lamp    Lamp // nil for one that the pad does not have
	on      bool
	changed time.Time // when it was last switched, or may have been
	failed  bool      // it could not be set last time, so that what it shows is not known
}

// NewLamps returns lamps that are off, that of button 1 first; nil stands for a lamp that the pad does not have.
func NewLamps(lamps []Lamp) *Lamps {
	l := &Lamps{news: make(chan struct{}, 1), asked: scene{pattern: Off}}
	for _, lamp := range lamps {
		l.lamps = append(l.lamps, governed{lamp: lamp})
	}
	return l
}

// Show changes the pattern, on the lamps of the buttons named, or on all if none is; the others are off. Like the methods
// below it never waits and may be called from any goroutine. An unknown pattern is Off.
func (l *Lamps) Show(p Pattern, buttons ...int) {
	l.ask(func(s *scene) {
		only := ^uint(0)
		if len(buttons) > 0 {
			only = maskOf(buttons)
		}
		if s.pattern != p || s.only != only {
			s.pattern, s.only, s.began = p, only, time.Now()
		}
	})
}

// Acknowledge lights the lamp of one button alone for a second: your press has been taken. Then the pattern goes on.
func (l *Lamps) Acknowledge(button int) {
	l.ask(func(s *scene) { s.thanked, s.thankedUntil = maskOf([]int{button}), time.Now().Add(thanks) })
}

// Aside names the buttons that cannot be pressed at present: while a pattern is shown, their lamps show Fault instead.
func (l *Lamps) Aside(buttons []int) {
	l.ask(func(s *scene) { s.aside = maskOf(buttons) })
}

func (l *Lamps) ask(change func(*scene)) {
	l.mu.Lock()
	change(&l.asked)
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default: // it will be seen with what is in there
	}
}

// Err is why the lamps could not be set last time, or nil.
func (l *Lamps) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Run drives the lamps until ctx ends and leaves them off. A lamp that fails is tried again each second: it stops nobody.
//
// No lamp is switched within half of the shortest period (250 ms) after it was switched last, whatever is shown when, so that
// none ever flashes faster than 2 Hz (WCAG 2.2, 2.3.1 allows three flashes a second). A change that comes sooner waits.
func (l *Lamps) Run(ctx context.Context) error {
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			l.end()
			return nil
		case <-l.news:
		case <-tick.C:
		}
		l.mu.Lock()
		s := l.asked
		l.mu.Unlock()
		tick.Reset(time.Until(l.drive(s)))
	}
}

// drive sets the lamps as the scene has it now and returns when to do so again.
func (l *Lamps) drive(s scene) time.Time {
	now := time.Now()
	next := now.Add(lampRetry)
	if at, ok := s.next(now); ok && at.Before(next) {
		next = at
	}
	var errs []error
	for i := range l.lamps {
		g := &l.lamps[i]
		if g.lamp == nil {
			continue
		}
		lit := s.lit(i, now)
		if free := g.changed.Add(shortestLit); lit != g.on && time.Now().Before(free) {
			lit = g.on // in a moment
			if free.Before(next) {
				next = free
			}
		}
		err := g.lamp.Set(lit)
		if lit != g.on || err != nil || g.failed {
			g.on, g.failed, g.changed = lit, err != nil, time.Now()
		}
		errs = append(errs, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(errs...)
	return next
}

// end switches the lamps off, each as soon as it may be.
func (l *Lamps) end() {
	for range l.lamps { // one lamp may hold up another, so each turn settles at least one
		next := l.drive(scene{pattern: Off})
		if !l.lit() {
			return
		}
		time.Sleep(time.Until(next))
	}
	l.drive(scene{pattern: Off})
}

func (l *Lamps) lit() bool {
	for _, g := range l.lamps {
		if g.on {
			return true
		}
	}
	return false
}
