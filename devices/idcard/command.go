package idcard

import (
	"encoding/binary"
	"time"
)

// command is one thing the host can ask for.
type command struct {
	op      string // what it does, to follow "cannot"
	body    string
	timeout time.Duration // from the last byte sent to the last byte received, without wire time
	longest int           // answer, in bytes on the line
	own     []byte        // codes that only this command is answered with
	card    bool          // the answer may also say what is wrong with the card
	fits    func(data []byte) bool
}

// The commands of the safety module. The timeouts are what public drivers found
// necessary; no standard tells them. Finding takes up to a second when no card lies there.
var (
	cmdReset  = command{op: "reset reader", body: "\x10\xFF", timeout: time.Second, longest: 11, own: []byte{swOK}, fits: size(0)}
	cmdStatus = command{op: "ask reader for its status", body: "\x11\xFF", timeout: time.Second, longest: 11, own: []byte{swOK}, fits: size(0)}
	cmdSAMID  = command{op: "ask reader for its number", body: "\x12\xFF", timeout: time.Second, longest: 27, own: []byte{swOK}, fits: size(16)}
	cmdFind   = command{op: "find card", body: "\x20\x01", timeout: 1500 * time.Millisecond, longest: 15, card: true,
		own: []byte{swFound, swNoCard}, fits: size(4)}
	cmdSelect = command{op: "select card", body: "\x20\x02", timeout: 1500 * time.Millisecond, longest: 19, card: true,
		own: []byte{swOK, swNotSelected}, fits: size(8)}
	cmdRead = command{op: "read card", body: "\x30\x01", timeout: 3 * time.Second, longest: 1295, card: true,
		own: []byte{swOK, swNotSelected}, fits: announced}
	cmdAddress = command{op: "read appended address", body: "\x30\x03", timeout: 1500 * time.Millisecond, longest: 84, card: true,
		own: []byte{swOK, swNothing, swNotSelected}, fits: addressed}
)

// cmdReadAll is the one command of a bank's module that is known: find, select and read in one.
var cmdReadAll = command{op: "read card", body: "\xCA\x01\x00", timeout: 3 * time.Second, longest: 1291, card: true,
	own: []byte{swOK, swNoCard, swNotSelected, swNothing}, fits: announced}

func size(n int) func([]byte) bool { return func(data []byte) bool { return len(data) == n } }

// lengthsSize is what the lengths before text and photo take.
const lengthsSize = 4

// announced tells whether text and photo have the lengths written before them.
func announced(data []byte) bool {
	if len(data) < lengthsSize {
		return false
	}
	words, photo := int(binary.BigEndian.Uint16(data)), int(binary.BigEndian.Uint16(data[2:]))
	return words == textSize && len(data) == lengthsSize+words+photo
}

// addressSize is an appended address: 35 characters.
const addressSize = 70

// addressed tells whether data can be an appended address: 70 bytes as documented, or what makers may have made of that,
// with its length before it, shorter, or twice as long. It stays longer than the answers to any other short command, so
// that none of these is taken for it.
func addressed(data []byte) bool {
	return len(data)%2 == 0 && len(data) > 16 && len(data) <= 2*addressSize+2
}

// answer is a received frame.
type answer struct {
	sw3    byte
	data   []byte
	unsure bool // it may be that to an earlier command; see stxDialect
}

// parse reads the body of an answer.
func (f Framing) parse(body []byte) answer {
	if f == STX {
		return answer{sw3: body[0], data: body[stxStatuses:]}
	}
	return answer{sw3: body[2], data: body[sdtStatuses:]}
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
	return len(a.data) == 0 && (c.card || ofModule(a.sw3))
}
