package serialport

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// PlayOpts say how a tape is played; nil or zero values mean the defaults.
type PlayOpts struct {
	// Fast answers at once. By default an answer comes as long after what was before it as
	// it did when it was recorded.
	Fast bool
	// Within is how much later than it did the program may send. By default it may take any
	// time.
	Within time.Duration
	// Unplug pulls the cable where the tape says that the device left. Without it the tape
	// ends there.
	Unplug func() error
}

// Player is the device of a tape: it expects what the program sent and answers what the
// device answered.
type Player struct {
	tape Tape
	opts PlayOpts
}

// NewPlayer returns the device of a tape; opts may be nil.
func NewPlayer(tape Tape, opts *PlayOpts) *Player {
	p := &Player{tape: tape}
	if opts != nil {
		p.opts = *opts
	}
	return p
}

// Serve plays the tape once at the far end of a line, and returns nil after its last
// record. Its error names the line of the tape at which the program sent something else,
// or nothing in time, or left. How the bytes are cut into writes does not matter, and what
// the program sends too early waits for its turn.
func (p *Player) Serve(ctx context.Context, far Wire) error {
	if err := far.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("cannot play the tape: %w", err)
	}
	setWrite := func(time.Time) {}
	if w, ok := far.(interface{ SetWriteDeadline(time.Time) error }); ok {
		setWrite = func(t time.Time) { _ = w.SetWriteDeadline(t) } // what fails to set one fails to write, too
		setWrite(time.Time{})
	}
	stop := context.AfterFunc(ctx, func() { setWrite(past) })
	heard := &ear{came: make(chan struct{}, 1)}
	var listening sync.WaitGroup
	listening.Go(func() { heard.listen(far) })
	err := p.play(ctx, far, heard)
	_ = far.SetReadDeadline(past) // or the wire has broken, and its reads have ended
	listening.Wait()
	if stop() { // else ctx has ended, and so has the use of the wire
		_ = far.SetReadDeadline(time.Time{})
	}
	return err
}

// past is a deadline that ends waiting at once.
var past = time.Unix(1, 0)

func (p *Player) play(ctx context.Context, far Wire, heard *ear) error {
	var before time.Duration
	for _, r := range p.tape.Records {
		gap := r.At - before
		before = r.At
		var err error
		switch {
		case r.Way == ToDevice:
			err = p.expect(ctx, r, gap, heard)
		case r.Way == FromDevice:
			if err = p.pause(ctx, gap); err == nil {
				_, err = far.Write(r.Bytes)
			}
		case r.Event == tapeGone && p.opts.Unplug != nil:
			if err = p.pause(ctx, gap); err == nil {
				err = p.opts.Unplug()
			}
		default:
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot play the tape beyond its line %d: %w", r.Line, err)
		}
	}
	return nil
}

// expect waits for the bytes of a record.
func (p *Player) expect(ctx context.Context, r Record, gap time.Duration, heard *ear) error {
	var late <-chan time.Time
	if p.opts.Within > 0 {
		timer := time.NewTimer(gap + p.opts.Within)
		defer timer.Stop()
		late = timer.C
	}
	for done := 0; ; {
		got, err := heard.take(len(r.Bytes) - done)
		for _, b := range got {
			if b != r.Bytes[done] {
				return fmt.Errorf("the program sent %02X as byte %d of %d, the tape has %02X", b, done+1, len(r.Bytes), r.Bytes[done])
			}
			done++
		}
		if done == len(r.Bytes) {
			return nil
		}
		missing := fmt.Sprintf("the program sent only %d of %d bytes", done, len(r.Bytes))
		if err != nil {
			return fmt.Errorf("%s: %w", missing, err)
		}
		select {
		case <-heard.came:
		case <-late:
			return fmt.Errorf("%s within %v", missing, gap+p.opts.Within)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", missing, ctx.Err())
		}
	}
}

func (p *Player) pause(ctx context.Context, d time.Duration) error {
	if p.opts.Fast || d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ear holds what has been read until it is its turn, so that a program that sends while
// an answer is due is not held up.
type ear struct {
	came chan struct{} // something new

	mu   sync.Mutex
	data []byte
	err  error
}

func (e *ear) listen(far io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := far.Read(buf)
		e.put(buf[:n], err)
		if err != nil {
			return
		}
	}
}

func (e *ear) put(b []byte, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.data = append(e.data, b...)
	e.err = err
	select {
	case e.came <- struct{}{}:
	default:
	}
}

// take returns up to n bytes, and the error of reading once there are no more.
func (e *ear) take(n int) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n = min(n, len(e.data))
	b := e.data[:n]
	e.data = e.data[n:]
	if n > 0 {
		return b, nil
	}
	return nil, e.err
}
