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

// Pattern is what the lamps show together.
type Pattern string

// The patterns.
const (
	Off     Pattern = "off"
	On      Pattern = "on"
	Breathe Pattern = "breathe" // on and off, once a second: please choose
)

const (
	// breath is half of a period: 1 Hz. WCAG 2.2, 2.3.1 allows at most three flashes a second.
	breath = 500 * time.Millisecond
	// lampRetry is how often lamps are set again though nothing changed, so that a lamp that came back shows the truth.
	lampRetry = time.Second
)

// Lamps are the lamps of the buttons.
type Lamps struct {
	lamps []Lamp
	news  chan struct{} // holds one: the pattern changed

	mu      sync.Mutex
	pattern Pattern
	err     error
}

// NewLamps returns lamps that are off.
func NewLamps(lamps []Lamp) *Lamps {
	return &Lamps{lamps: lamps, news: make(chan struct{}, 1), pattern: Off}
}

// Show changes the pattern. It never waits and may be called from any goroutine; an unknown pattern is Off.
func (l *Lamps) Show(p Pattern) {
	l.mu.Lock()
	same := l.pattern == p
	l.pattern = p
	l.mu.Unlock()
	if same {
		return
	}
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// Err is why the lamps could not be set last time, or nil.
func (l *Lamps) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Run drives the lamps until ctx ends and leaves them off. A lamp that fails is tried again each second: it stops nobody.
func (l *Lamps) Run(ctx context.Context) error {
	defer l.set(false)
	tick := time.NewTimer(0)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.news:
			began = time.Now()
		case <-tick.C:
		}
		l.mu.Lock()
		p := l.pattern
		l.mu.Unlock()
		wait := lampRetry
		lit := p == On
		if p == Breathe {
			phase := time.Since(began)
			lit = phase/breath%2 == 0
			wait = breath - phase%breath
		}
		l.set(lit)
		tick.Reset(wait)
	}
}

func (l *Lamps) set(on bool) {
	var errs []error
	for _, lamp := range l.lamps {
		errs = append(errs, lamp.Set(on))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = errors.Join(errs...)
}
