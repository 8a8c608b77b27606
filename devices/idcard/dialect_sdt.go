package idcard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// sdtDialect is the safety module's. The module works one command after the other, thus the answer to a status asked for
// after a lost answer says that the lost one is not on its way any more.
type sdtDialect struct{}

// heal listens until the line is silent and then asks for the status until that is answered.
//
// A status that was not answered in its second is owed too. What is owed comes before what is asked for next, so the line
// must be silent for as long as a status may take before the next one, and after one that was not the first.
func (sdtDialect) heal(c *call) error {
	var last error
	quiet, owed, first := silence, c.owed, c.owing <= 1
	for attempt := 0; attempt < 2 || time.Now().Before(owed); attempt++ {
		if err := c.listen(cmdStatus.op, quiet, quiet); err != nil {
			return err
		}
		quiet = cmdStatus.timeout
		a, err := c.send(&cmdStatus)
		switch {
		case err == nil && a.sw3 == swOK && first:
			return nil
		case err == nil && a.sw3 == swOK:
			c.suspect, c.owing = true, 2 // until the line has been silent: the caller may leave now
			if err := c.listen(cmdStatus.op, quiet, quiet); err != nil {
				return err
			}
			c.suspect, c.owing = false, 0
			return nil
		case err == nil:
			c.suspect, c.disturbed = true, true
			last = refusal(&cmdStatus, a.sw3)
		case lost(err):
			last = &Error{Class: ClassFault, Op: cmdStatus.op, Err: err}
		default:
			return err
		}
		first = false
	}
	return last
}

// identify asks for the module's number. The first answer has been seen to be wrong on some modules: two must agree.
func (d sdtDialect) identify(c *call) (string, error) {
	var before string
	for range 4 {
		a, err := c.send(&cmdSAMID)
		switch {
		case lost(err):
			if err := d.heal(c); err != nil {
				return "", err
			}
			continue
		case err != nil:
			return "", err
		case a.sw3 != swOK:
			return "", refusal(&cmdSAMID, a.sw3)
		}
		id := samID(a.data)
		if id == before {
			return id, nil
		}
		before = id
	}
	return "", &Error{Class: ClassFault, Op: cmdSAMID.op, Err: errors.New("no two answers agree")}
}

// samID writes the module's 16 bytes as they are printed on its label. The last two numbers are unsigned, of ten digits.
func samID(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%02d.%02d-%d-%010d-%010d",
		le.Uint16(b), le.Uint16(b[2:]), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:]))
}

// alive asks for the status: 21 bytes on the line that leave a card alone.
func (d sdtDialect) alive(c *call) error {
	if !c.suspect {
		a, err := c.send(&cmdStatus)
		if err == nil && a.sw3 == swOK || err != nil && !lost(err) {
			return err
		}
	}
	return d.heal(c)
}

// read finds, selects and reads.
func (d sdtDialect) read(t *try) (Card, error) {
	for {
		if err := d.waitForCard(t); err != nil {
			return Card{}, err
		}
		t.tell()
		selected, err := d.selectCard(t)
		if err != nil {
			return Card{}, err
		}
		if selected {
			return t.readings(func() ([]byte, error) { return d.readOnce(t) })
		}
	}
}

// waitForCard looks for a card every poll interval until one answers.
func (d sdtDialect) waitForCard(t *try) error {
	r := t.reader
	for {
		next := time.Now().Add(r.poll)
		a, err := t.ask(&cmdFind)
		switch {
		case err != nil:
			return err
		case a.sw3 == swFound:
			r.lies = true
			return nil
		case a.sw3 != swNoCard:
			return r.refused(&cmdFind, a.sw3)
		}
		t.selects, r.unknown = 0, false
		if t.told { // the caller has been told that one is there
			r.lies = false
			return &Error{Class: ClassAgain, Op: cmdRead.op, Err: errors.New("the card left before it was read")}
		}
		// The module finds a card once and then no more until it has been taken away.
		if r.lies {
			if r.lies, err = d.present(t); err != nil {
				return err
			}
			if r.lies {
				return &Error{Class: ClassAgain, Op: cmdRead.op, Err: errors.New("the card has been lying there since before")}
			}
		}
		if err := t.wait(cmdFind.op, next); err != nil {
			return err
		}
	}
}

// selectCard returns false when the card could not be selected but may be, once it has
// come to rest.
func (d sdtDialect) selectCard(t *try) (bool, error) {
	next := time.Now().Add(t.reader.poll)
	a, err := t.ask(&cmdSelect)
	switch {
	case err != nil:
		return false, err
	case a.sw3 == swOK:
		return true, nil
	case a.sw3 != swNotSelected:
		return false, t.reader.refused(&cmdSelect, a.sw3)
	}
	if t.selects++; t.selects >= maxSelects {
		return false, t.reader.refused(&cmdSelect, a.sw3)
	}
	return false, t.wait(cmdSelect.op, next)
}

// readOnce reads the selected card. It may be asked for again without finding the card first: the module would not find
// it twice.
func (sdtDialect) readOnce(t *try) ([]byte, error) {
	a, err := t.ask(&cmdRead)
	if err != nil {
		return nil, err
	}
	if a.sw3 != swOK {
		return nil, t.reader.refused(&cmdRead, a.sw3)
	}
	return a.data[lengthsSize : lengthsSize+textSize], nil
}

// present asks the card for its appended address, the lightest thing that it can be asked for again and again. A card of an
// unknown kind never gives it, but is found again and again instead. With a module that does not know the command, every card
// seems to have left: such a module finds the next card only once this one has.
func (d sdtDialect) present(t *try) (bool, error) {
	r := t.reader
	if r.unknown {
		a, err := t.ask(&cmdFind)
		if err != nil {
			return false, err
		}
		if e := refusal(&cmdFind, a.sw3); a.sw3 != swFound && e.Class == ClassFault {
			return false, e
		}
		r.unknown = a.sw3 != swNoCard
		return r.unknown, nil
	}
	a, answered, err := d.askCard(t)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return false, nil
	case err != nil || !answered:
		return false, err
	case a.sw3 == swSelfTest || a.sw3 == swNotAllowed:
		return false, refusal(&cmdAddress, a.sw3)
	}
	return a.sw3 == swOK || a.sw3 == swNothing, nil
}

// askCard asks for the appended address. Some modules say nothing once the card has left: answered is false when the module is
// alive and silent to this twice. The error is errors.ErrUnsupported when the module says every time that it does not know the
// command.
func (d sdtDialect) askCard(t *try) (a answer, answered bool, err error) {
	for silent, unknown := 0, 0; ; {
		if t.suspect {
			if err := d.heal(t.call); err != nil {
				return answer{}, false, err
			}
		}
		a, err := t.send(&cmdAddress)
		switch {
		case errors.Is(err, ErrMute):
			if silent++; silent == 2 {
				return answer{}, false, d.heal(t.call)
			}
		case errors.Is(err, errBroken), err == nil && noise(a.sw3):
			t.suspect, t.disturbed = true, true
			if err == nil && a.sw3 == swBadCommand {
				unknown++
			}
			t.failures++
			switch {
			case unknown == maxFailures:
				t.failures = 0
				return answer{}, false, fmt.Errorf("cannot %s: %w by this reader: %w", cmdAddress.op, errors.ErrUnsupported, refusal(&cmdAddress, a.sw3).Err)
			case t.failures >= maxFailures:
				return answer{}, false, &Error{Class: ClassFault, SW3: a.sw3, Op: cmdAddress.op, Err: errBroken}
			}
		case err != nil:
			return answer{}, false, err
		default:
			t.failures = 0
			return a, true, nil
		}
	}
}

// address reads the appended address of the card that was read last.
func (d sdtDialect) address(t *try) (string, error) {
	a, answered, err := d.askCard(t)
	switch {
	case err != nil:
		return "", err
	case !answered:
		return "", &Error{Class: ClassAgain, Op: cmdAddress.op, Err: errors.New("the card has been taken away")}
	case a.sw3 == swNothing:
		return "", nil
	case a.sw3 != swOK:
		return "", refusal(&cmdAddress, a.sw3)
	}
	data := a.data
	if int(binary.BigEndian.Uint16(data)) == len(data)-2 {
		data = data[2:] // its length stands before it
	}
	return trim(decodeText(data)), nil
}
