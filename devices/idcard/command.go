package idcard

import (
	"encoding/binary"
	"fmt"
	"time"
)

// State codes: the third status word, by which alone an answer is judged. The first
// two come from the card and are left alone.
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
	swSelfTest    = 0x60 // the module takes no command any more
	swNotAllowed  = 0x66 // the module is not authorised; never heals by itself
	swNoCard      = 0x80
	swNotSelected = 0x81
	swNothing     = 0x91 // the card has no such item
)

// command is one thing the host can ask for.
type command struct {
	op         string // what it does, to follow "cannot"
	code, para byte
	timeout    time.Duration // from the last byte sent to the last byte received, without wire time
	own        []byte        // codes that only this command is answered with
	fits       func(data []byte) bool
}

// The timeouts are what public drivers found necessary; no standard tells them. Finding
// takes up to a second when no card lies there.
var (
	cmdReset   = command{op: "reset reader", code: 0x10, para: 0xFF, timeout: time.Second, own: []byte{swOK}, fits: size(0)}
	cmdStatus  = command{op: "ask reader for its status", code: 0x11, para: 0xFF, timeout: time.Second, own: []byte{swOK}, fits: size(0)}
	cmdSAMID   = command{op: "ask reader for its number", code: 0x12, para: 0xFF, timeout: time.Second, own: []byte{swOK}, fits: size(16)}
	cmdFind    = command{op: "find card", code: 0x20, para: 0x01, timeout: 1500 * time.Millisecond, own: []byte{swFound, swNoCard}, fits: size(4)}
	cmdSelect  = command{op: "select card", code: 0x20, para: 0x02, timeout: 1500 * time.Millisecond, own: []byte{swOK, swNotSelected}, fits: size(8)}
	cmdRead    = command{op: "read card", code: 0x30, para: 0x01, timeout: 3 * time.Second, own: []byte{swOK, swNotSelected}, fits: announced}
	cmdAddress = command{op: "look whether card lies there", code: 0x30, para: 0x03, timeout: 1500 * time.Millisecond, own: []byte{swOK, swNothing, swNotSelected}, fits: size(70)}
)

func size(n int) func([]byte) bool { return func(data []byte) bool { return len(data) == n } }

// announced tells whether text and photo have the lengths written before them.
func announced(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	words, photo := int(binary.BigEndian.Uint16(data)), int(binary.BigEndian.Uint16(data[2:]))
	return words == textSize && len(data) == 4+words+photo
}

// answer is a received frame.
type answer struct {
	sw3  byte
	data []byte
}

// accepts tells whether a may be the answer to c, judged by its shape.
func (c *command) accepts(a answer) bool {
	for _, code := range c.own {
		if a.sw3 == code {
			success := code == swOK || code == swFound
			return !success && len(a.data) == 0 || success && c.fits(a.data)
		}
	}
	switch a.sw3 {
	case swOK, swFound, swNoCard, swNotSelected, swNothing: // another command's own
		return false
	}
	return len(a.data) == 0
}

// Class says what an error means for the people in front of the reader.
type Class string

const (
	ClassAbsent     Class = "absent"     // no card lies there
	ClassAgain      Class = "again"      // take the card away and lay it again
	ClassUnreadable Class = "unreadable" // not a card that this reader can read
	ClassFault      Class = "fault"      // the reader does not work or does not answer
	ClassGone       Class = "gone"       // the line to the reader is lost: open it again
	ClassBusy       Class = "busy"       // another call is using the reader
)

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
