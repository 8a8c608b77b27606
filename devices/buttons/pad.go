package buttons

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Lines are the lines of the buttons. If they are an io.Closer as well, Pad.Run closes them when it ends.
type Lines interface {
	// Levels returns bit i set while button i+1 is down. An error means that the lines are gone.
	Levels() (uint32, error)
	// WaitEdge waits until a level may have changed (true) or the timeout, which is positive, has passed (false).
	// Edges may be lost or told twice: Levels is the truth. An error means that the lines are gone.
	WaitEdge(timeout time.Duration) (bool, error)
}

// Opts are the options of a Pad. Both functions are called from Run's goroutine and should return at once.
type Opts struct {
	Debounce time.Duration // how long a level must stand; 20 ms if zero
	OnPress  func(Press)
	OnHealth func(Health) // once when the buttons answer for the first time, then at each change
}

// Pad watches the buttons.
type Pad struct {
	lines Lines
	opts  Opts
}

// New returns a pad that watches lines; opts may be nil.
func New(lines Lines, opts *Opts) *Pad {
	p := &Pad{lines: lines}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Debounce <= 0 {
		p.opts.Debounce = defaultDebounce
	}
	if p.opts.OnPress == nil {
		p.opts.OnPress = func(Press) {}
	}
	if p.opts.OnHealth == nil {
		p.opts.OnHealth = func(Health) {}
	}
	return p
}

const (
	// longestWait bounds how late the end of ctx, a lost edge and a removed chip are noticed; a removed chip wakes nobody.
	longestWait = 250 * time.Millisecond
	// A line that oscillates by the megahertz must not eat the processor: after so many edges within one pause of quiet
	// watching, edges are left to themselves for a pause. Levels are looked at after it, so nothing is missed but chatter.
	edgeBurst = 64
	edgePause = 5 * time.Millisecond
)

// Run watches the buttons until ctx ends, which returns nil, or the lines fail, which is told as Health "offline" and
// returned as an error that wraps ErrGone where the lines say so. A Pad runs once.
func (p *Pad) Run(ctx context.Context) (err error) {
	if c, ok := p.lines.(io.Closer); ok {
		defer c.Close()
	}
	m := &machine{debounce: p.opts.Debounce}
	told := Health{}
	edges, calm := 0, time.Now()
	for ctx.Err() == nil {
		levels, err := p.lines.Levels()
		if err != nil {
			return p.offline(err)
		}
		now := time.Now()
		if press, ok := m.step(now, levels); ok {
			p.opts.OnPress(press)
		}
		if h := m.health(); !h.same(told) {
			told = h
			p.opts.OnHealth(h)
		}
		wait := longestWait
		if at, ok := m.next(); ok {
			wait = min(wait, max(at.Sub(now), time.Millisecond))
		}
		if now.Sub(calm) >= edgePause {
			edges, calm = 0, now
		}
		if edges >= edgeBurst {
			pause(ctx, edgePause)
			continue
		}
		edge, err := p.lines.WaitEdge(wait)
		if err != nil {
			return p.offline(err)
		}
		if edge {
			edges++
		}
	}
	return nil
}

func (p *Pad) offline(err error) error {
	err = fmt.Errorf("cannot read the rating buttons: %w", err)
	p.opts.OnHealth(Health{State: Offline, Err: err})
	return err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
