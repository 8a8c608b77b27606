package idcard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Port is the line to the reader. When a read deadline passes, Read returns
// os.ErrDeadlineExceeded; every other error means that the line is lost. A port that
// also has SetWriteDeadline is protected against a line that takes nothing.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
}

const (
	silence   = 250 * time.Millisecond // after which nothing late is expected any more
	maxNoise  = 3 * time.Second        // after which a line that never falls silent is used all the same
	byteGap   = 200 * time.Millisecond // between two bytes of one answer
	writeTime = time.Second            // for a command of at most ten bytes
)

var (
	errSilent = errors.New("the reader does not answer")
	errBroken = errors.New("the reader's answer arrived damaged")
)

// line carries out commands one at a time. It belongs to whoever holds its lock.
type line struct {
	port Port
	baud int

	turn  sync.Mutex // held during a call of Reader
	in    scanner
	chunk [512]byte

	suspect bool      // an answer may still be on its way
	owed    time.Time // until when it may come

	mu    sync.Mutex
	stats Stats
}

// Stats counts what happened on the line since New.
type Stats struct {
	Commands  int // sent
	Answers   int // accepted
	Refusals  int // of these, with a state code that is neither success nor "no card"
	Silent    int // commands without an answer in time
	Damaged   int // answers that broke off or had a wrong checksum
	Strays    int // good frames that answered nothing
	SkipBytes int // bytes that belonged to no frame
}

func (l *line) count(f func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}

// call is one use of the line by one caller: the end of its context ends the wait for
// the line at once.
type call struct {
	*line
	ctx  context.Context
	stop func() bool

	mu    sync.Mutex
	ended bool // by the context or by end
}

// begin takes the line, or fails when another call has it.
func (l *line) begin(ctx context.Context, op string) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cannot %s: %w", op, err)
	}
	if !l.turn.TryLock() {
		return nil, &Error{Class: ClassBusy, Op: op, Err: errors.New("the reader is in use")}
	}
	c := &call{line: l, ctx: ctx}
	c.stop = context.AfterFunc(ctx, c.interrupt)
	return c, nil
}

// past is a deadline that ends waiting at once.
var past = time.Unix(1, 0)

func (c *call) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.ended = true
		c.setDeadlines(past, past)
	}
}

// end gives the line back, without deadlines.
func (c *call) end() {
	c.stop()
	c.mu.Lock()
	c.ended = true
	c.setDeadlines(time.Time{}, time.Time{})
	c.mu.Unlock()
	c.in.wipe()
	clear(c.chunk[:])
	c.turn.Unlock()
}

// until sets the deadlines unless the context has ended.
func (c *call) until(read, write time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.setDeadlines(read, write)
	}
}

// setDeadlines does not report errors: a port that cannot set a deadline is lost, and
// the read or write that follows says so.
func (c *call) setDeadlines(read, write time.Time) {
	_ = c.port.SetReadDeadline(read)
	if w, ok := c.port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = w.SetWriteDeadline(write)
	}
}

// send asks for cmd and waits for its answer, whose data is valid until the next send.
// The error is errSilent, errBroken, an *Error of ClassGone, or the context's.
func (c *call) send(cmd *command) (answer, error) {
	c.in.wipe()
	skipped, badSums := c.in.skipped, c.in.badSums
	defer func() {
		c.count(func(s *Stats) {
			s.SkipBytes += c.in.skipped - skipped
			s.Damaged += c.in.badSums - badSums
		})
	}()
	c.count(func(s *Stats) { s.Commands++ })

	now := time.Now()
	end := now.Add(cmd.timeout + c.wireTime())
	c.until(end, now.Add(writeTime))
	c.suspect, c.owed = true, end
	if _, err := c.port.Write(appendFrame(nil, []byte{cmd.code, cmd.para})); err != nil {
		return answer{}, c.failed(cmd.op, err)
	}
	a, err := c.receive(cmd, end)
	if err != nil {
		return answer{}, err
	}
	c.suspect = false
	c.count(func(s *Stats) {
		s.Answers++
		if a.sw3 != swOK && a.sw3 != swFound && a.sw3 != swNoCard && a.sw3 != swNothing {
			s.Refusals++
		}
	})
	return a, nil
}

// receive waits for the answer to cmd until end, or until an answer that began has
// been silent for byteGap.
func (c *call) receive(cmd *command, end time.Time) (answer, error) {
	badSums := c.in.badSums
	var last time.Time // when something came
	for {
		if a, ok := c.pick(cmd); ok {
			return a, nil
		}
		damaged := c.in.pending() || c.in.badSums > badSums
		deadline := end
		if gap := last.Add(byteGap); damaged && gap.Before(end) {
			deadline = gap
		}
		c.until(deadline, deadline)
		n, err := c.port.Read(c.chunk[:])
		switch {
		case n > 0:
			last = time.Now()
			c.in.feed(c.chunk[:n])
		case err == nil:
		case c.ctx.Err() != nil || !errors.Is(err, os.ErrDeadlineExceeded):
			return answer{}, c.failed(cmd.op, err)
		case damaged:
			return c.salvage(cmd)
		default:
			c.count(func(s *Stats) { s.Silent++ })
			return answer{}, errSilent
		}
	}
}

// pick returns the answer to cmd if the received bytes contain it.
func (c *call) pick(cmd *command) (answer, bool) {
	for {
		body, ok := c.in.next()
		if !ok {
			return answer{}, false
		}
		a := answer{sw3: body[2], data: body[wordsSize:]}
		if cmd.accepts(a) {
			return a, true
		}
		c.count(func(s *Stats) { s.Strays++ })
	}
}

// salvage looks for the answer behind the beginning of a frame that never ended.
func (c *call) salvage(cmd *command) (answer, error) {
	if c.in.pending() {
		c.count(func(s *Stats) { s.Damaged++ })
	}
	for c.in.pending() {
		c.in.abandon()
		if a, ok := c.pick(cmd); ok {
			return a, nil
		}
	}
	return answer{}, errBroken
}

// wireTime is what the longest answer takes on the line, with a quarter to spare.
func (l *line) wireTime() time.Duration {
	const bits = 10 * (headSize + 1288)
	return time.Duration(bits) * time.Second / time.Duration(l.baud) * 5 / 4
}

// listen throws away what comes for at least d, and if something came goes on until
// the line has been silent. An unplugged line is noticed while waiting.
func (c *call) listen(op string, d time.Duration) error {
	start := time.Now()
	end := start.Add(d)
	for {
		c.until(end, end)
		n, err := c.port.Read(c.chunk[:])
		now := time.Now()
		switch {
		case n > 0:
			c.count(func(s *Stats) { s.SkipBytes += n })
			if quiet := now.Add(silence); quiet.After(end) {
				end = quiet
			}
			if limit := start.Add(d + maxNoise); end.After(limit) {
				end = limit
			}
			if !now.Before(end) {
				return nil
			}
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && c.ctx.Err() == nil:
			return nil
		default:
			return c.failed(op, err)
		}
	}
}

// failed makes the error of a read or write that failed: the context's, errSilent for
// a line that takes nothing, or Gone.
func (c *call) failed(op string, err error) error {
	switch {
	case c.ctx.Err() != nil:
		return fmt.Errorf("cannot %s: %w", op, c.ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.count(func(s *Stats) { s.Silent++ })
		return errSilent
	}
	return &Error{Class: ClassGone, Op: op, Err: fmt.Errorf("the line to the reader is lost: %w", err)}
}
