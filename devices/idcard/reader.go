package idcard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Opts are the properties of a reader; nil or zero values mean the defaults. ProbeLine finds out the first two.
type Opts struct {
	Baud    int           // of the line, to allow for wire time; default 115200
	Framing Framing       // default SDT
	Poll    time.Duration // between two looks for a card; default and least 300 ms, as the makers ask
}

const (
	defaultBaud = 115200
	leastPoll   = 300 * time.Millisecond
	bootTime    = 2500 * time.Millisecond // the module wants 2 s after power-up
)

// Reader drives one card reader. Its calls exclude each other: a second one at the
// same time fails with ClassBusy. A call returns within a few milliseconds of the end
// of its context; the next one then puts the line in order first. Between calls nothing
// that was on a card is in the Reader.
type Reader struct {
	line    line
	dialect dialect
	poll    time.Duration

	// Guarded by line.turn:
	lies    bool // a card may lie there that was there before
	unknown bool // it is of a kind that the module does not know
}

// New makes a driver on an open port. It sends nothing yet.
func New(port Port, opts *Opts) *Reader {
	if opts == nil {
		opts = &Opts{}
	}
	framing := cmp.Or(opts.Framing, SDT)
	r := &Reader{
		line: line{
			port:    port,
			baud:    cmp.Or(opts.Baud, defaultBaud),
			framing: framing,
			out:     framing.fromHost(),
			in:      scanner{framer: framing.fromReader()},
			suspect: true,
		},
		dialect: framing.dialect(),
		poll:    max(opts.Poll, leastPoll),
		lies:    true,
	}
	// A program before this one may have asked for things and left.
	r.line.owing, r.line.owed = 1, time.Now()
	return r
}

// Stats returns what happened on the line so far.
func (r *Reader) Stats() Stats {
	r.line.mu.Lock()
	defer r.line.mu.Unlock()
	return r.line.stats
}

// Probe waits for the reader to be ready, up to 2.5 s after power-up, and returns the
// number of its safety module, such as 05.03-20170101-0000000001-0000000001. A reader
// that speaks STX cannot tell it and gives "".
func (r *Reader) Probe(ctx context.Context) (string, error) {
	c, err := r.line.begin(ctx, "probe reader")
	if err != nil {
		return "", err
	}
	defer c.end()
	m, ok := r.dialect.(module)
	if !ok {
		r.lies, err = r.dialect.present(&try{call: c, reader: r})
		return "", err
	}
	c.owed = time.Now().Add(bootTime)
	if err := r.dialect.heal(c); err != nil {
		return "", err
	}
	return m.identify(c)
}

// Alive returns nil while the reader is there. It leaves a card alone and takes a few milliseconds. A reader that speaks
// STX cannot be asked without reading a card: of it, only that the line is not lost is known.
func (r *Reader) Alive(ctx context.Context) error {
	c, err := r.line.begin(ctx, "ask reader for its status")
	if err != nil {
		return err
	}
	defer c.end()
	if m, ok := r.dialect.(module); ok {
		return m.alive(c)
	}
	return c.listen("ask reader for its status", leftover, leftover)
}

// ReadCard waits until a card is laid on the reader and reads it. It calls found, if
// not nil, once a card has answered: reading takes about a second from there.
//
// It returns when a card has been read, when ctx ends or with an *Error. ClassAgain:
// the card must be taken away and laid again, which includes one that has lain there
// since before the call and may be another person's. Damaged and missing answers are
// asked for again; three in a row, or a reader that stays silent, are a Fault. A card
// read on a line that was disturbed during the call has been read twice alike.
func (r *Reader) ReadCard(ctx context.Context, found func()) (Card, error) {
	c, err := r.line.begin(ctx, cmdRead.op)
	if err != nil {
		return Card{}, err
	}
	defer c.end()
	return r.dialect.read(&try{call: c, reader: r, found: found})
}

// AppendedAddress returns the address that was written to the chip when the holder of the card that was read last had moved,
// "" when there is none. The card must still lie there, else the error is of ClassAgain. It is personal data like the card.
// A reader that speaks STX, or a module that does not know the command, cannot be asked for it: the error is
// errors.ErrUnsupported.
func (r *Reader) AppendedAddress(ctx context.Context) (string, error) {
	m, ok := r.dialect.(module)
	if !ok {
		return "", fmt.Errorf("cannot %s: readers with the framing %s have no such command: %w", cmdAddress.op, r.line.framing, errors.ErrUnsupported)
	}
	c, err := r.line.begin(ctx, cmdAddress.op)
	if err != nil {
		return "", err
	}
	defer c.end()
	return m.address(&try{call: c, reader: r})
}

// WaitRemoved returns nil once no card lies on the reader, or none that would answer: one
// that was refused, or was moved while it was read, seems to have left. The module finds
// a card only once, so the way to see it leave is to ask it for something over and over
// until that fails.
func (r *Reader) WaitRemoved(ctx context.Context) error {
	c, err := r.line.begin(ctx, "wait for card to be taken away")
	if err != nil {
		return err
	}
	defer c.end()
	t := &try{call: c, reader: r}
	for {
		next := time.Now().Add(r.poll)
		lies, err := r.dialect.present(t)
		if err != nil {
			return err
		}
		if !lies {
			r.lies = false
			return nil
		}
		if err := t.wait(cmdAddress.op, next); err != nil {
			return err
		}
	}
}

// refused makes the error for a state code and remembers what it says of the card.
func (r *Reader) refused(c *command, sw3 byte) *Error {
	r.unknown = sw3 == swWrongCard
	return refusal(c, sw3)
}
