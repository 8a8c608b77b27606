package serialpad

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Asked is what a pad said to the query of a profile.
type Asked struct {
	Address int    // that answered; 0 for a pad without one
	Waiting bool   // the answer holds a key: somebody has pressed, and nobody has taken it
	Heard   []byte // what came, whether it is an answer or not
}

const (
	askTries = 2
	askSpare = 150 * time.Millisecond // beyond the time of the profile: adapters and schedulers
)

// Ask sends the query of a profile to its default address and says whether a pad answers it. Nothing else is sent: no press is taken or
// cleared, and the display stays as it is. ok is false where the profile has no query.
//
// The answer must be a whole message of the profile with its checksum; that of a profile without one may be a coincidence. The error is
// the port's or the context's.
func Ask(ctx context.Context, port Port, p *Profile) (got Asked, ok bool, err error) {
	if !p.CanAsk() {
		return got, false, nil
	}
	c, err := p.compile()
	if err != nil {
		return got, false, err
	}
	var at byte
	if p.Address != nil {
		at = byte(p.Address.Default)
	}
	question := c.messages[kindQuery].render(fields{address: at})
	stop := context.AfterFunc(ctx, func() { _ = port.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for range askTries {
		if _, err = port.Write(question); err != nil {
			return got, false, fmt.Errorf("cannot ask for a rating pad: %w", err)
		}
		heard, err := hearAnswer(ctx, port, ms(p.Timing.AnswerMs)+askSpare)
		got.Heard = append(got.Heard, heard...)
		if err != nil {
			return got, false, err
		}
		s := newScanner(c)
		s.feed(heard, time.Now())
		s.quiet()
		for h, there := s.next(); there; h, there = s.next() {
			if h.kind != kindAnswer || h.address != at || slices.Equal(h.raw, question) {
				continue
			}
			got.Address = int(at)
			got.Waiting = c.messages[kindAnswer].has(key) && c.keys[h.key] != (meaning{}) && c.keys[h.key].name != keyNone
			return got, true, nil
		}
	}
	return got, false, nil
}

// hearAnswer reads until nothing comes for wait, ten times as long at most.
func hearAnswer(ctx context.Context, port Port, wait time.Duration) ([]byte, error) {
	var out []byte
	buf := make([]byte, 256)
	for end := time.Now().Add(10 * wait); time.Now().Before(end); {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("cannot ask for a rating pad: %w", err)
		}
		_ = port.SetReadDeadline(time.Now().Add(wait))
		n, err := port.Read(buf)
		out = append(out, buf[:n]...)
		switch {
		case ctx.Err() != nil:
			return out, fmt.Errorf("cannot ask for a rating pad: %w", ctx.Err())
		case errors.Is(err, os.ErrDeadlineExceeded):
			return out, nil
		case err != nil:
			return out, fmt.Errorf("cannot ask for a rating pad: %w", err)
		}
	}
	return out, nil
}
