package serialpad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// LearnPort is a line that is listened to; see [Port].
type LearnPort interface {
	Port
	io.Closer
}

// Prompt is what a technician is asked to do.
type Prompt struct {
	Grade int    // the button to press
	Name  string // the word on it, such as 非常满意
	Nth   int    // the how manieth press of this button, from 1
	Of    int
	Line  Line // that is being tried
}

// String says it.
func (p Prompt) String() string {
	return fmt.Sprintf("press %s now (%d of %d, listening at %s)", p.Name, p.Nth, p.Of, p.Line)
}

// What Learn can run into. Test with errors.Is; their texts say what to do.
var (
	// ErrNoButton is returned by the function that asks: the pad has no such button.
	ErrNoButton = errors.New("the pad has no such button")
	ErrSilent   = errors.New("nothing arrived at any speed: check that the pad has power and that this is its line; on RS-232 try the crossed " +
		"cable, on RS-485 swap A and B; a pad that speaks only when it is polled is silent too: try the profile modbus-poll, or ask the maker " +
		"for its query")
	ErrGarbled = errors.New("bytes arrive, but at no speed the same ones for the same button: check the ground wire and the length of the " +
		"cable, on RS-485 swap A and B and see that nothing else speaks on the line; else ask the maker for speed and parity")
	ErrRestless = errors.New("the line never falls silent: the pad repeats itself until it is acknowledged, or something else speaks on the " +
		"line; disconnect the other devices, or ask the maker for the acknowledgement")
)

const (
	learnPresses = 3                       // of each button
	learnQuiet   = 1500 * time.Millisecond // silence after which a press has sent all its copies, as long as its rhythm is not known
	learnRest    = 500 * time.Millisecond  // the same, once it is known, at least
	learnWait    = 8 * time.Second         // for a press to send anything
	learnLongest = 12 * time.Second        // that a press may go on sending
	learnSure    = 0.7                     // confidence from which on no other speed is tried
)

// LearnLines are the settings that are tried, the likeliest first. Two stop bits are heard as one, and odd parity as even: the kernel
// passes bytes on without looking at it.
func LearnLines() []Line {
	var out []Line
	for _, parity := range []string{"none", "even"} {
		for _, baud := range []int{9600, 19200, 115200, 4800, 2400, 38400, 57600, 1200} {
			out = append(out, Line{Baud: baud, Size: 8, Parity: parity, StopBits: 1})
		}
	}
	return out
}

// Learn proposes a profile by listening while a technician presses each button three times. open opens the line at a setting; ask tells the
// technician what to press and returns at once, or once it is done. The error is that of open, ask, ctx, or one of those above.
//
// It begins at 9600 bits per second and goes on to other settings until one makes sense: the same button sends the same bytes, one byte
// tells the buttons apart, and at best a checksum fits. What it cannot find out is said in the proposal: messages to the pad cannot be
// learned by listening, so the profile hears presses and sends nothing.
func Learn(ctx context.Context, open func(Line) (LearnPort, error), ask func(context.Context, Prompt) error) (*Proposal, error) {
	var best *Proposal
	worst := ErrSilent
	for _, line := range LearnLines() {
		p, err := learnAt(ctx, line, open, ask)
		switch {
		case errors.Is(err, ErrSilent):
			continue
		case errors.Is(err, ErrGarbled), errors.Is(err, ErrRestless):
			if !errors.Is(worst, ErrRestless) {
				worst = err
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("cannot learn the rating pad: %w", err)
		}
		if best == nil || p.Confidence > best.Confidence {
			best = p
		}
		if best.Profile != nil && best.Confidence >= learnSure {
			break
		}
	}
	if best == nil || best.Profile == nil {
		return nil, fmt.Errorf("cannot learn the rating pad: %w", worst)
	}
	return best, nil
}

// learnAt listens at one setting: to one button first, and to the others if that one makes sense.
func learnAt(ctx context.Context, line Line, open func(Line) (LearnPort, error), ask func(context.Context, Prompt) error) (*Proposal, error) {
	port, err := open(line)
	if err != nil {
		return nil, err
	}
	defer port.Close()
	l := &learner{port: port, kick: make(chan struct{}, 1)}
	reading, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { l.read(reading) })
	defer reader.Wait()
	defer func() { _ = port.SetReadDeadline(time.Unix(1, 0)) }()
	defer stop()
	c := Capture{Line: line}
	for g := 5; g >= 1; g-- {
		for n := range learnPresses {
			press, err := l.press(ctx, Prompt{Grade: g, Name: GradeNames()[g], Nth: n + 1, Of: learnPresses, Line: line}, ask)
			if errors.Is(err, ErrNoButton) {
				break
			}
			if err != nil {
				return nil, err
			}
			if len(press.Chunks) == 0 && len(c.Presses) == 0 {
				return nil, ErrSilent // three presses into the void are two too many
			}
			c.Presses = append(c.Presses, press)
		}
		if g == 5 && !sensible(c) {
			return nil, ErrGarbled
		}
	}
	p := Infer(c)
	if p.Profile == nil {
		return p, ErrGarbled
	}
	return p, nil
}

// sensible says whether the presses of one button look like the same message.
func sensible(c Capture) bool {
	samples, _ := sample(c, &Proposal{})
	return len(samples) > 0 && len(samples) >= len(c.Presses)-1
}

// learner listens to one line.
type learner struct {
	port    LearnPort
	kick    chan struct{}
	in      inbox
	presses int           // heard so far
	gap     time.Duration // the longest silence within one press so far
}

// quiet is the silence after which a press has sent all its copies: technicians have other pads to learn.
func (l *learner) quiet() time.Duration {
	if l.presses < learnPresses {
		return learnQuiet
	}
	return min(max(3*l.gap, learnRest), learnQuiet)
}

func (l *learner) read(ctx context.Context) {
	buf := make([]byte, 256)
	for {
		n, err := l.port.Read(buf)
		at := time.Now()
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
		l.in.put(buf[:n], at, err)
		select {
		case l.kick <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// press asks for one press and listens until it has sent everything.
func (l *learner) press(ctx context.Context, prompt Prompt, ask func(context.Context, Prompt) error) (CapturedPress, error) {
	p := CapturedPress{Grade: prompt.Grade}
	if _, err := l.in.take(); err != nil {
		return p, err
	}
	begin := time.Now()
	if err := ask(ctx, prompt); err != nil {
		return p, err
	}
	last, asked := time.Time{}, time.Now()
	for {
		chunks, err := l.in.take()
		if err != nil {
			return p, err
		}
		for _, c := range chunks {
			p.Chunks = append(p.Chunks, CapturedChunk{After: c.at.Sub(begin), Data: c.data})
			if !last.IsZero() {
				l.gap = max(l.gap, c.at.Sub(last))
			}
			last = c.at
		}
		until := asked.Add(learnWait)
		if !last.IsZero() {
			until = later(last, asked).Add(l.quiet())
			if time.Since(begin) > learnLongest+asked.Sub(begin) {
				return p, ErrRestless
			}
		}
		wait := time.Until(until)
		if wait <= 0 {
			if !last.IsZero() {
				l.presses++
			}
			return p, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return p, ctx.Err()
		case <-l.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}
