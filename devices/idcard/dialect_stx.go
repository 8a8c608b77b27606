package idcard

import (
	"errors"
	"time"
)

// stxDialect is that of a bank's module. All it is known to understand is "read everything": nothing asks for its state or
// its number, nothing finds a card without reading it, and every answer looks like every other. Hence:
//
//   - A card is looked for by asking for everything over and over.
//   - A card has left once the answer is "no card". Whether the module reads a card that stays again, or says "no card" to it
//     from the second time on, differs and is not known beforehand: neither leads to a wrong card.
//   - A card that is there at the first look of a call may be the last visitor's, unless a look before found none.
//   - An idle module is left alone, for asking it would read a card that nobody offered. One that has frozen shows itself at
//     the next use.
//   - An answer that did not come in time cannot be told from the next one. It is waited for. If it has not come by then the
//     next answer is only a sign of life: it is waited whether another follows it, for as long as one command may take, and
//     then everything is asked for again.
type stxDialect struct{}

// heal waits for what is owed. What has come since the last call lies ready.
func (stxDialect) heal(c *call) error {
	if c.owing == 0 {
		c.suspect = false
		return c.listen(cmdReadAll.op, silence, silence)
	}
	answers, one := 0, c.owing == 1
	c.in.wipe()
	err := c.hear(cmdReadAll.op, max(time.Until(c.owed), silence), silence, func(p []byte) bool {
		c.in.feed(p)
		for body, ok := c.in.next(); ok; body, ok = c.in.next() {
			if cmdReadAll.accepts(c.framing.parse(body)) {
				answers++
			}
		}
		return one && answers == 1
	})
	if err != nil {
		return err
	}
	c.suspect = false
	if c.doubt = !one || answers != 1; !c.doubt {
		c.owing = 0
	}
	return nil
}

// read asks for everything until there is something.
func (d stxDialect) read(t *try) (Card, error) {
	r := t.reader
	t.onComing = func(part []byte) {
		if len(part) > stxHead+stxStatuses+lengthsSize && !r.lies { // it is a card, see stxFrames.possible
			t.tell()
		}
	}
	for {
		next := time.Now().Add(r.poll)
		a, err := t.ask(&cmdReadAll)
		switch {
		case err != nil:
			return Card{}, err
		case a.sw3 == swOK && r.lies:
			return Card{}, &Error{Class: ClassAgain, Op: cmdReadAll.op, Err: errors.New("the card has been lying there since before")}
		case a.sw3 == swOK:
			r.lies = true
			t.tell()
			return t.readings(d.readAgain(t, a))
		case a.sw3 == swNoCard && (t.told || t.glimpsed): // it has left, or the module has read it and reads a card only once
			r.lies = false
			return Card{}, &Error{Class: ClassAgain, Op: cmdReadAll.op, Err: errors.New("the answer with the card was lost")}
		case a.sw3 == swNoCard:
			r.lies, t.selects = false, 0
		case a.sw3 == swNotSelected && t.selects < maxSelects-1:
			t.selects++ // still moving
		default:
			return Card{}, r.refused(&cmdReadAll, a.sw3)
		}
		if err := t.wait(cmdReadAll.op, next); err != nil {
			return Card{}, err
		}
	}
}

// readAgain returns first for the first reading and asks for every other one.
func (stxDialect) readAgain(t *try, first answer) func() ([]byte, error) {
	have := true
	return func() ([]byte, error) {
		a := first
		if !have {
			var err error
			if a, err = t.ask(&cmdReadAll); err != nil {
				return nil, err
			}
		}
		have = false
		switch a.sw3 {
		case swOK:
			return a.data[lengthsSize : lengthsSize+textSize], nil
		case swNoCard: // or a module that reads a card only once: the visitor's hands do the same about both
			return nil, &Error{Class: ClassAgain, SW3: a.sw3, Op: cmdReadAll.op, Err: errors.New("the card could not be read a second time")}
		}
		return nil, t.reader.refused(&cmdReadAll, a.sw3)
	}
}

// present asks for everything and looks at nothing but the state.
func (stxDialect) present(t *try) (bool, error) {
	a, err := t.ask(&cmdReadAll)
	if err != nil {
		return false, err
	}
	if e := refusal(&cmdReadAll, a.sw3); a.sw3 != swOK && e.Class == ClassFault {
		return false, e
	}
	return a.sw3 != swNoCard, nil
}
