package idcard

import (
	"errors"
	"fmt"
)

// State codes: the status word SW3 of the safety module, by which alone an answer is judged. The other status words come
// from the card and are left alone.
const (
	swOK          = 0x90
	swFound       = 0x9F
	swBadChecksum = 0x10 // of the host's frame
	swBadLength   = 0x11
	swBadCommand  = 0x21
	swNoRight     = 0x23
	swUnknown     = 0x24
	swCardDenies  = 0x31 // the card does not accept the module
	swSAMDenies   = 0x32 // the module does not accept the card
	swNotVerified = 0x33
	swWrongCard   = 0x40
	swReadFailed  = 0x41
	swRandom      = 0x47
	swSelfTest    = StateSelfTest
	swNotAllowed  = StateNotAllowed
	swNoCard      = 0x80
	swNotSelected = 0x81
	swNothing     = 0x91 // the card has no such item
)

// The state codes that a technician has to act on, in Error.SW3 of class fault.
const (
	StateSelfTest   = 0x60 // the safety module failed its self-test and takes no command any more
	StateNotAllowed = 0x66 // the safety module is not authorised; never heals by itself
)

// Class says what an error means for the people in front of the reader.
type Class string

const (
	ClassAgain      Class = "again"      // take the card away and lay it again
	ClassUnreadable Class = "unreadable" // not a card that this reader can read
	ClassFault      Class = "fault"      // the reader does not work or does not answer
	ClassGone       Class = "gone"       // the line to the reader is lost: open it again
	ClassBusy       Class = "busy"       // another call is using the reader
	ClassAbsent     Class = "absent"     // no card lies there
)

// Classes lists all classes.
func Classes() []Class {
	return []Class{ClassAgain, ClassUnreadable, ClassFault, ClassGone, ClassBusy, ClassAbsent}
}

// ErrMute is the cause of a Fault when the line is there and nothing at all comes from it: the reader is frozen or
// without power. A reader that answers with a state of its own, or with damaged frames, is not mute.
var ErrMute = errors.New("the reader does not answer")

// errBroken is the cause when something came, but no whole answer.
var errBroken = errors.New("the reader's answer arrived damaged")

// Error is why a call failed. It contains nothing of what is on a card.
type Error struct {
	Class Class
	SW3   byte   // the reader's state code, 0 when it gave none
	Op    string // what was being done
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("cannot %s: %v", e.Op, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// refusals says what each state code means, and for whom.
var refusals = map[byte]struct {
	class Class
	text  string
}{
	swBadChecksum: {ClassFault, "the reader received a wrong checksum"},
	swBadLength:   {ClassFault, "the reader received a wrong length"},
	swBadCommand:  {ClassFault, "the reader does not know the command"},
	swNoRight:     {ClassFault, "the reader has no right to do this"},
	swUnknown:     {ClassFault, "the reader reports an error it cannot name"},
	swCardDenies:  {ClassAgain, "the card did not accept the reader"},
	swSAMDenies:   {ClassAgain, "the reader did not accept the card"},
	swNotVerified: {ClassAgain, "what is on the card could not be verified"},
	swWrongCard:   {ClassUnreadable, "not a card this reader knows"},
	swReadFailed:  {ClassAgain, "reading broke off"},
	swRandom:      {ClassAgain, "the exchange with the card failed"},
	swSelfTest:    {ClassFault, "the reader failed its self-test and needs a technician"},
	swNotAllowed:  {ClassFault, "the reader's safety module is not authorised and needs a technician"},
	swNoCard:      {ClassAbsent, "no card"},
	swNotSelected: {ClassAgain, "the card did not answer"},
	swNothing:     {ClassUnreadable, "the card holds no such item"},
}

// refusal makes the error for a state code that is not the wanted one.
func refusal(c *command, sw3 byte) *Error {
	e := &Error{Class: ClassFault, SW3: sw3, Op: c.op}
	w, ok := refusals[sw3]
	if !ok {
		e.Err = fmt.Errorf("unknown state %02X of the reader", sw3)
		return e
	}
	e.Class, e.Err = w.class, fmt.Errorf("%s (state %02X)", w.text, sw3)
	return e
}

// noise tells whether a state code means that our frame arrived damaged.
func noise(sw3 byte) bool {
	return sw3 == swBadChecksum || sw3 == swBadLength || sw3 == swBadCommand
}

// ofModule tells whether a state code speaks of the module itself and not of a card.
func ofModule(sw3 byte) bool {
	w, known := refusals[sw3]
	return !known || w.class == ClassFault
}
