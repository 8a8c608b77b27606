package idcard

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Opts are the properties of a reader; nil or zero values mean the defaults.
type Opts struct {
	Baud int           // of the line, to allow for wire time; default 115200
	Poll time.Duration // between two looks for a card; default and least 300 ms, as the makers ask
}

const (
	defaultBaud = 115200
	leastPoll   = 300 * time.Millisecond
	bootTime    = 2500 * time.Millisecond // the module wants 2 s after power-up
	maxFailures = 3                       // commands lost to the line, in a row, before it is a fault
	maxSelects  = 3                       // a card still moving is found but cannot be selected
)

// Reader drives one card reader. Its calls exclude each other: a second one at the
// same time fails with ClassBusy. A call returns within a few milliseconds of the end
// of its context; the next one then puts the line in order first.
type Reader struct {
	line line
	poll time.Duration

	// lies says that a card may lie there that find will not report: the module finds
	// a card once and then no more until it has been taken away. Guarded by line.turn.
	lies bool
}

// New makes a driver on an open port. It sends nothing yet.
func New(port Port, opts *Opts) *Reader {
	if opts == nil {
		opts = &Opts{}
	}
	return &Reader{
		line: line{
			port:    port,
			baud:    cmp.Or(opts.Baud, defaultBaud),
			in:      scanner{min: minReply, max: maxReply},
			suspect: true,
		},
		poll: max(opts.Poll, leastPoll),
		lies: true,
	}
}

// Stats returns what happened on the line so far.
func (r *Reader) Stats() Stats {
	r.line.mu.Lock()
	defer r.line.mu.Unlock()
	return r.line.stats
}

// Probe waits for the reader to be ready, up to 2.5 s after power-up, and returns the
// number of its safety module, such as 05.03-20170101-0000000001-0000000001.
func (r *Reader) Probe(ctx context.Context) (string, error) {
	c, err := r.line.begin(ctx, "probe reader")
	if err != nil {
		return "", err
	}
	defer c.end()
	c.owed = time.Now().Add(bootTime)
	if err := c.heal(); err != nil {
		return "", err
	}
	// The first answer has been seen to be wrong on some modules: two must agree.
	var before string
	for range 4 {
		a, err := c.send(&cmdSAMID)
		switch {
		case errors.Is(err, errSilent), errors.Is(err, errBroken):
			if err := c.heal(); err != nil {
				return "", err
			}
		case err != nil:
			return "", err
		case a.sw3 != swOK:
			return "", refusal(&cmdSAMID, a.sw3)
		default:
			id := samID(a.data)
			if id == before {
				return id, nil
			}
			before = id
		}
	}
	return "", &Error{Class: ClassFault, Op: cmdSAMID.op, Err: errors.New("no two answers agree")}
}

// samID writes the module's 16 bytes as they are printed on its label.
func samID(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%02d.%02d-%d-%010d-%010d",
		le.Uint16(b), le.Uint16(b[2:]), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:]))
}

// ReadCard waits until a card is laid on the reader and reads it. It calls found, if
// not nil, once a card has answered: reading takes about a second from there.
//
// It returns when a card has been read, when ctx ends or with an *Error. ClassAgain:
// the card must be taken away and laid again, which includes one that has lain there
// since before the call and may be another person's. Damaged and missing answers are
// asked for again; three in a row, or a reader that stays silent, are a Fault.
func (r *Reader) ReadCard(ctx context.Context, found func()) (Card, error) {
	c, err := r.line.begin(ctx, cmdRead.op)
	if err != nil {
		return Card{}, err
	}
	defer c.end()
	if found == nil {
		found = func() {}
	}
	t := &try{call: c, reader: r, found: found}
	for {
		if err := t.waitForCard(); err != nil {
			return Card{}, err
		}
		selected, err := t.selectCard()
		if err != nil {
			return Card{}, err
		}
		if selected {
			return t.read()
		}
	}
}

// WaitRemoved returns nil once no card lies on the reader. The module finds a card only
// once, so the way to see it leave is to ask the selected card for its appended
// address over and over until that fails.
func (r *Reader) WaitRemoved(ctx context.Context) error {
	c, err := r.line.begin(ctx, "wait for card to be taken away")
	if err != nil {
		return err
	}
	defer c.end()
	t := &try{call: c, reader: r}
	for {
		lies, err := t.present()
		if err != nil {
			return err
		}
		if !lies {
			r.lies = false
			return nil
		}
		if err := c.listen(cmdAddress.op, r.poll); err != nil {
			return err
		}
	}
}

// try is one attempt to read one card.
type try struct {
	*call
	reader   *Reader
	found    func()
	told     bool // found has been called
	failures int  // lost commands in a row
	selects  int  // refused selections in a row
}

// ask sends cmd until it is answered, putting the line in order after each loss.
func (t *try) ask(cmd *command) (answer, error) {
	for {
		if t.suspect {
			if err := t.heal(); err != nil {
				return answer{}, err
			}
		}
		a, err := t.send(cmd)
		switch {
		case err == nil && !noise(a.sw3):
			return a, nil
		case err == nil:
			err = refusal(cmd, a.sw3).Err
		case !errors.Is(err, errSilent) && !errors.Is(err, errBroken):
			return answer{}, err
		}
		if t.failures++; t.failures >= maxFailures {
			return answer{}, &Error{Class: ClassFault, SW3: a.sw3, Op: cmd.op, Err: fmt.Errorf("%w, %d times in a row", err, t.failures)}
		}
		t.suspect = true
	}
}

// waitForCard looks for a card every poll interval until one answers.
func (t *try) waitForCard() error {
	for {
		next := time.Now().Add(t.reader.poll)
		a, err := t.ask(&cmdFind)
		switch {
		case err != nil:
			return err
		case a.sw3 == swFound:
			t.reader.lies = true
			return nil
		case a.sw3 != swNoCard:
			return refusal(&cmdFind, a.sw3)
		}
		t.failures, t.selects = 0, 0
		if t.reader.lies {
			if t.reader.lies, err = t.present(); err != nil {
				return err
			}
			if t.reader.lies {
				return &Error{Class: ClassAgain, Op: cmdRead.op, Err: errors.New("the card has been lying there since before")}
			}
		}
		if err := t.listen(cmdFind.op, time.Until(next)); err != nil {
			return err
		}
	}
}

// selectCard returns false when the card could not be selected but may be, once it has
// come to rest.
func (t *try) selectCard() (bool, error) {
	if !t.told {
		t.told = true
		t.found()
	}
	a, err := t.ask(&cmdSelect)
	switch {
	case err != nil:
		return false, err
	case a.sw3 == swOK:
		return true, nil
	case a.sw3 != swNotSelected:
		return false, refusal(&cmdSelect, a.sw3)
	}
	if t.selects++; t.selects >= maxSelects {
		return false, refusal(&cmdSelect, a.sw3)
	}
	return false, t.listen(cmdSelect.op, t.reader.poll)
}

// read reads the selected card. After a lost answer it asks again without finding the
// card first: the module would not find it twice. A card that contradicts itself is
// read twice too, for the checksum lets one damaged frame in 256 pass.
func (t *try) read() (Card, error) {
	var card Card
	for range 2 {
		a, err := t.ask(&cmdRead)
		if err != nil {
			return Card{}, err
		}
		if a.sw3 != swOK {
			return Card{}, refusal(&cmdRead, a.sw3)
		}
		if card, err = DecodeCard(a.data[4 : 4+textSize]); err != nil {
			return Card{}, &Error{Class: ClassFault, Op: cmdRead.op, Err: err}
		}
		if card.Check() == nil {
			return card, nil
		}
	}
	// The text only: the cause would carry a part of the number along.
	return Card{}, &Error{Class: ClassUnreadable, Op: cmdRead.op, Err: errors.New(card.Check().Error())}
}

// present tells whether the card that was selected last still lies there.
func (t *try) present() (bool, error) {
	for {
		if t.suspect {
			if err := t.heal(); err != nil {
				return false, err
			}
		}
		a, err := t.send(&cmdAddress)
		switch {
		case errors.Is(err, errSilent):
			// Some modules say nothing when the card has left. That the module itself
			// is alive is what heal finds out.
			return false, t.heal()
		case errors.Is(err, errBroken), err == nil && noise(a.sw3):
			t.suspect = true
			if t.failures++; t.failures >= maxFailures {
				return false, &Error{Class: ClassFault, Op: cmdAddress.op, Err: errBroken}
			}
			continue
		case err != nil:
			return false, err
		}
		t.failures = 0
		switch a.sw3 {
		case swOK, swNothing:
			return true, nil
		}
		if e := refusal(&cmdAddress, a.sw3); e.Class == ClassFault {
			return false, e
		}
		return false, nil
	}
}

// heal puts the line in order: it listens until the line is silent and then asks for
// the status until that is answered. The module works one command after the other, so
// whatever it still owed came before this answer.
func (c *call) heal() error {
	owed := c.owed
	var last error
	for attempt := 0; attempt < 2 || time.Now().Before(owed); attempt++ {
		if err := c.listen(cmdStatus.op, silence); err != nil {
			return err
		}
		a, err := c.send(&cmdStatus)
		switch {
		case err == nil && a.sw3 == swOK:
			return nil
		case err == nil && !noise(a.sw3):
			return refusal(&cmdStatus, a.sw3)
		case err == nil:
			last = refusal(&cmdStatus, a.sw3).Err
		case errors.Is(err, errSilent), errors.Is(err, errBroken):
			last = err
		default:
			return err
		}
	}
	return &Error{Class: ClassFault, Op: cmdStatus.op, Err: last}
}
