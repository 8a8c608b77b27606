package buttons

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Lines are the lines of the inputs that a Pad watches. If they are an io.Closer as well, Pad.Run closes them when it ends.
type Lines interface {
	// Levels returns bit i set while input i is on. An error means that the lines are gone.
	Levels() (uint64, error)
	// WaitEdge waits until a level may have changed, and returns the bits of those inputs, or until the timeout, which is
	// positive, has passed: 0. Edges may be lost or told twice: Levels is the truth. An error means that the lines are gone.
	WaitEdge(timeout time.Duration) (uint64, error)
}

// Opts are the options of a Pad. The functions are called from Run's goroutine and should return at once.
type Opts struct {
	Inputs    []Input       // what each bit of the lines is, at most MaxInputs; the five rating buttons if nil
	OnPress   func(Press)   // of inputs that are Rating or Momentary
	OnReading func(Reading) // of each Sensor: once it has stood for its hold time for the first time, then at each change
	OnHealth  func(Health)  // once when the lines have been watched for long enough that a press counts, then at each change
}

// Pad watches the rating buttons, or whatever inputs it is told to.
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
	if p.opts.Inputs == nil {
		p.opts.Inputs = RatingButtons()
	}
	if p.opts.OnPress == nil {
		p.opts.OnPress = func(Press) {}
	}
	if p.opts.OnReading == nil {
		p.opts.OnReading = func(Reading) {}
	}
	if p.opts.OnHealth == nil {
		p.opts.OnHealth = func(Health) {}
	}
	return p
}

const (
	// longestWait bounds how late the end of ctx, a lost edge and a removed chip are noticed; a removed chip wakes nobody.
	longestWait = 250 * time.Millisecond
	// shortestWait is for edges that came already: a wait of that length without one proves that there were none.
	shortestWait = time.Millisecond
	// A line that oscillates by the megahertz must not eat the processor, nor keep the others from being believed for ever:
	// after so many edges with less than a short wait before each, edges are left to themselves for a pause, and what the
	// levels show after it counts.
	edgeBurst = 64
	edgePause = 5 * time.Millisecond
)

// Run watches the lines until ctx ends, which returns nil, or the lines fail, which is told as Health "offline" and
// returned as an error that wraps ErrGone where the lines say so. A Pad runs once.
//
// A level is believed only once a wait that began after it was read has ended without an edge, and the levels could be read
// after that wait as well: a program that was not given the processor for a while must not miss what happened meanwhile, and
// a chip that was pulled out in the middle of a press must not complete it.
func (p *Pad) Run(ctx context.Context) (err error) {
	if c, ok := p.lines.(io.Closer); ok {
		defer c.Close()
	}
	m := newMachine(p.opts.Inputs)
	health := Health{}
	var seen look
	for burst := 0; ctx.Err() == nil; {
		if seen.levels, err = p.lines.Levels(); err != nil {
			return p.offline(err)
		}
		seen.at = time.Now()
		t := m.step(seen)
		// Health first: it was by this health that the step judged, and nothing may be told of an input that still counts as set aside.
		if h := m.health(); m.knows(seen.still) && !h.same(health) {
			health = h
			p.opts.OnHealth(h)
		}
		p.tell(t)
		wait := longestWait
		if at, ok := m.next(); ok {
			wait = min(wait, max(at.Sub(seen.at), shortestWait))
		}
		if seen.edges, err = p.lines.WaitEdge(wait); err != nil {
			return p.offline(err)
		}
		waited := time.Since(seen.at)
		if burst++; waited >= shortestWait {
			burst = 0
		}
		switch {
		case seen.edges == 0:
			// A wait that ends much too early is what a removed chip does, over and over: sleeping keeps it from a busy loop.
			if waited < wait/2 {
				pause(ctx, wait-waited)
			}
			seen.still, burst = seen.at.Add(wait), 0
		case burst == edgeBurst:
			pause(ctx, edgePause)
			seen.still, burst = time.Now(), 0
		}
	}
	return nil
}

func (p *Pad) tell(t told) {
	for _, press := range t.presses {
		p.opts.OnPress(press)
	}
	for _, r := range t.readings {
		p.opts.OnReading(r)
	}
}

func (p *Pad) offline(err error) error {
	err = fmt.Errorf("cannot read the inputs: %w", err)
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
