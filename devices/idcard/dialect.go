package idcard

import (
	"errors"
	"fmt"
	"time"
)

// dialect is what can be said in one framing.
type dialect interface {
	// heal puts the line in order after an answer that did not come. When it returns nil the reader works, or may work, and
	// no answer to an earlier command is taken for that to the next.
	heal(c *call) error
	// read waits for a card and reads it.
	read(t *try) (Card, error)
	// present tells whether a card that may have been there before still lies there.
	present(t *try) (bool, error)
}

// module is a dialect in which the reader can be asked about itself and about more than the whole card.
type module interface {
	identify(c *call) (samID string, err error)
	alive(c *call) error
	address(t *try) (string, error)
}

func (f Framing) dialect() dialect {
	if f == STX {
		return stxDialect{}
	}
	return sdtDialect{}
}

const (
	maxFailures = 3 // commands lost to the line, in a row, before it is a fault
	maxSelects  = 3 // a card still moving is found but cannot be selected
	maxReadings = 5 // of one card, to get two that agree
)

// try is what one call of Reader does with cards.
type try struct {
	*call
	reader   *Reader
	found    func() // may be nil
	told     bool   // found has been called
	failures int    // lost commands in a row
	selects  int    // refused selections in a row
	glimpsed bool   // a card answered, perhaps to an earlier command
}

// tell says once that a card has answered.
func (t *try) tell() {
	if !t.told && t.found != nil {
		t.found()
	}
	t.told = true
}

// ask sends cmd until it is answered, putting the line in order after each loss.
func (t *try) ask(cmd *command) (answer, error) {
	for {
		if t.suspect {
			if err := t.reader.dialect.heal(t.call); err != nil {
				return answer{}, err
			}
		}
		a, err := t.send(cmd)
		switch {
		case err == nil && a.unsure:
			t.glimpsed = t.glimpsed || a.sw3 == swOK
			continue
		case err == nil && !noise(a.sw3):
			t.failures = 0
			return a, nil
		case err == nil:
			err = refusal(cmd, a.sw3).Err
		case !lost(err):
			return answer{}, err
		}
		if t.failures++; t.failures >= maxFailures {
			return answer{}, &Error{Class: ClassFault, SW3: a.sw3, Op: cmd.op, Err: fmt.Errorf("%w, %d times in a row", err, t.failures)}
		}
		t.suspect, t.disturbed = true, true
	}
}

// lost tells whether an answer was lost on a line that is still there.
func lost(err error) bool { return errors.Is(err, ErrMute) || errors.Is(err, errBroken) }

// readings takes readings of the card that lies there until it can be sure of one, and returns it. once reads the card.
//
// The checksum lets one damaged answer in 256 pass. On a line that has been disturbed during this call, and for a card that
// looks odd or contradicts itself, one reading is therefore not enough: two in a row must agree.
func (t *try) readings(once func() (text []byte, err error)) (Card, error) {
	var before Card
	for n := range maxReadings {
		text, err := once()
		if err != nil {
			return Card{}, err
		}
		card, err := DecodeCard(text)
		if err != nil {
			return Card{}, &Error{Class: ClassFault, Op: cmdRead.op, Err: err}
		}
		wrong := card.Check()
		if wrong == nil && !t.disturbed && !odd(text, card) {
			return card, nil
		}
		switch {
		case n > 0 && wrong == nil && before.Check() == nil && card.Number != before.Number:
			return Card{}, &Error{Class: ClassAgain, Op: cmdRead.op, Err: errors.New("another card was laid during the reading")}
		case n > 0 && card == before:
			if wrong == nil {
				return card, nil
			}
			// The text only: the cause would carry a part of the number along.
			return Card{}, &Error{Class: ClassUnreadable, Op: cmdRead.op, Err: errors.New(wrong.Error())}
		}
		before = card
	}
	return Card{}, &Error{Class: ClassFault, Op: cmdRead.op, Err: fmt.Errorf("%w: no two of %d readings agree", errBroken, maxReadings)}
}

// wait lets the time until next pass.
func (t *try) wait(op string, next time.Time) error { return t.listen(op, time.Until(next), silence) }
