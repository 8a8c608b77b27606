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
	byteGap   = 200 * time.Millisecond // between two bytes of one answer; three times that where a lost answer is dear
	writeTime = time.Second            // for a command of at most ten bytes
	leftover  = time.Millisecond       // for what has arrived already to be handed over
)

// line carries out commands one at a time. It belongs to whoever holds its lock.
type line struct {
	port    Port
	baud    int
	framing Framing
	out     framer

	turn  sync.Mutex // held during a call of Reader
	in    scanner
	chunk [512]byte

	// An answer carries nothing that says whose it is. These remember what may still come, see dialect.
	suspect bool      // an answer may still be on its way
	owing   int       // commands whose answer has not been seen
	owed    time.Time // until when their answers are expected
	doubt   bool      // something came unasked, or did not come: the next answer may be an older one

	// What was accepted last: a copy of it that comes late must not answer the next command.
	last      string // command
	lastState byte   // state code of the answer
	lastBare  bool   // there was nothing else in it
	lastAt    time.Time

	accepted func(cmd *command, sent int, body []byte) // for tests: hears of every accepted answer and which command it is for

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
	ctx       context.Context
	stop      func() bool
	onComing  func(part []byte) // hears of an answer that has begun, as far as it is there
	disturbed bool              // something went wrong on the line during this call

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

// end gives the line back, without deadlines and without a trace of what was received.
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

// send asks for cmd and waits for its answer, whose data is valid until the next use of
// the line. The error is ErrMute, errBroken, an *Error of ClassGone, or the context's.
func (c *call) send(cmd *command) (answer, error) {
	if err := c.beQuiet(cmd); err != nil {
		return answer{}, err
	}
	c.in.wipe()
	skipped, badSums := c.in.skipped, c.in.badSums
	var sent int
	c.count(func(s *Stats) { s.Commands++; sent = s.Commands })

	now := time.Now()
	end := now.Add(cmd.timeout + c.wireTime(cmd))
	c.until(end, now.Add(writeTime))
	c.suspect, c.owed, c.owing = true, end, c.owing+1
	if _, err := c.port.Write(c.out.wrap(nil, []byte(cmd.body))); err != nil {
		return answer{}, c.failed(cmd.op, err)
	}
	body, err := c.receive(cmd, end)
	unsure := err == nil && c.framing == STX && (c.doubt || c.in.behind() > 0)
	if unsure {
		body, err = c.newest(cmd, body)
	}
	skipped, badSums = c.in.skipped-skipped, c.in.badSums-badSums
	if err == nil {
		skipped += c.in.behind()
	}
	c.disturbed = c.disturbed || err != nil || skipped+badSums > 0
	c.count(func(s *Stats) { s.SkipBytes += skipped; s.Damaged += badSums })
	if err != nil {
		return answer{}, err
	}
	if c.accepted != nil && !unsure {
		c.accepted(cmd, sent, body)
	}
	return c.take(cmd, body, unsure), nil
}

// beQuiet throws away what is there before a question, for it is not its answer. Nor is a second copy of the answer before: where
// that would fit too it is waited for.
func (c *call) beQuiet(cmd *command) error {
	pause := leftover
	if cmd.body == c.last || c.lastBare && cmd.accepts(answer{sw3: c.lastState}) {
		pause = max(pause, time.Until(c.lastAt.Add(silence)))
	}
	return c.listen(cmd.op, pause, silence)
}

// take accepts an answer: nothing is owed any more.
func (c *call) take(cmd *command, body []byte, unsure bool) answer {
	a := c.framing.parse(body)
	a.unsure = unsure
	c.suspect, c.owing, c.doubt = false, 0, false
	c.last, c.lastState, c.lastBare, c.lastAt = cmd.body, a.sw3, len(a.data) == 0, time.Now()
	c.count(func(s *Stats) {
		s.Answers++
		if a.sw3 != swOK && a.sw3 != swFound && a.sw3 != swNoCard && a.sw3 != swNothing {
			s.Refusals++
		}
	})
	return a
}

// receive waits for the answer to cmd until end, or until an answer that began has
// been silent for byteGap.
func (c *call) receive(cmd *command, end time.Time) ([]byte, error) {
	badSums := c.in.badSums
	var last time.Time // when something came
	for {
		if body, ok := c.pick(cmd); ok {
			return body, nil
		}
		part := c.in.coming()
		if part != nil && c.onComing != nil && !c.doubt {
			c.onComing(part)
		}
		damaged := part != nil || c.in.badSums > badSums
		deadline := end
		if gap := last.Add(c.byteGap()); damaged && gap.Before(end) {
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
			return nil, c.failed(cmd.op, err)
		case damaged:
			return c.salvage(cmd)
		default:
			c.count(func(s *Stats) { s.Silent++ })
			return nil, ErrMute
		}
	}
}

// byteGap is how long an answer may pause.
func (l *line) byteGap() time.Duration {
	if l.framing == STX {
		return 3 * byteGap
	}
	return byteGap
}

// pick returns the answer to cmd if the received bytes contain it.
func (c *call) pick(cmd *command) ([]byte, bool) {
	for {
		body, ok := c.in.next()
		if !ok {
			return nil, false
		}
		if cmd.accepts(c.framing.parse(body)) {
			return body, true
		}
		c.disturbed = true
		c.count(func(s *Stats) { s.Strays++ })
	}
}

// salvage looks for the answer behind the beginning of a frame that never ended.
func (c *call) salvage(cmd *command) ([]byte, error) {
	if c.in.pending() {
		c.count(func(s *Stats) { s.Damaged++ })
	}
	for c.in.pending() {
		c.in.abandon()
		if body, ok := c.pick(cmd); ok {
			return body, nil
		}
	}
	return nil, errBroken
}

// newest waits whether another answer follows the one that came while an older answer might still have come: the last of
// them is the one to the last command. The wait is what one command may take.
func (c *call) newest(cmd *command, body []byte) ([]byte, error) {
	have := c.in.behind() == 0
	for b, ok := c.pick(cmd); ok; b, ok = c.pick(cmd) { // came along with it
		body, have = b, c.in.behind() == 0
	}
	end := time.Now().Add(cmd.timeout)
	limit := end.Add(maxNoise)
	for {
		c.until(end, end)
		n, err := c.port.Read(c.chunk[:])
		switch {
		case n > 0:
			c.disturbed = true
			c.in.feed(c.chunk[:n]) // from here on body is no more
			have = false
			for b, ok := c.pick(cmd); ok; b, ok = c.pick(cmd) {
				body, have = b, c.in.behind() == 0
			}
			if end = time.Now().Add(cmd.timeout); end.After(limit) { // it never falls silent
				return nil, errBroken
			}
		case err == nil:
		case c.ctx.Err() != nil || !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, c.failed(cmd.op, err)
		case !have:
			return nil, errBroken
		default:
			return body, nil
		}
	}
}

// wireTime is what a command and its answer take on the line, with a quarter to spare.
func (l *line) wireTime(cmd *command) time.Duration {
	bits := 10 * (len(cmd.body) + 8 + cmd.longest)
	return time.Duration(bits) * time.Second / time.Duration(l.baud) * 5 / 4
}

// listen throws away what comes for at least d, and if something came goes on until
// the line has been silent for quiet. An unplugged line is noticed while waiting.
func (c *call) listen(op string, d, quiet time.Duration) error {
	return c.hear(op, d, quiet, func([]byte) bool { return false })
}

// hear is listen with ears: it hands on what comes, and ends quiet after on has returned true.
func (c *call) hear(op string, d, quiet time.Duration, on func([]byte) (enough bool)) error {
	start := time.Now()
	end := start.Add(d)
	for {
		c.until(end, end)
		n, err := c.port.Read(c.chunk[:])
		now := time.Now()
		switch {
		case n > 0:
			c.disturbed, c.doubt = true, true
			c.count(func(s *Stats) { s.SkipBytes += n })
			calm := now.Add(quiet)
			if on(c.chunk[:n]) || calm.After(end) {
				end = calm
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

// failed makes the error of a read or write that failed: the context's, ErrMute for
// a line that takes nothing, or Gone.
func (c *call) failed(op string, err error) error {
	switch {
	case c.ctx.Err() != nil:
		return fmt.Errorf("cannot %s: %w", op, c.ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.count(func(s *Stats) { s.Silent++ })
		return ErrMute
	}
	return &Error{Class: ClassGone, Op: op, Err: fmt.Errorf("the line to the reader is lost: %w", err)}
}
