package idcard

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// Fault is a way in which a simulated reader misbehaves. Pulling its cable is up to
// whoever owns the line.
type Fault string

const (
	FaultNone        Fault = "none"
	FaultSilent      Fault = "silent"      // answers nothing
	FaultHalfFrame   Fault = "halfFrame"   // each answer breaks off in the middle
	FaultNoise       Fault = "noise"       // each answer comes among bytes that mean nothing
	FaultBadChecksum Fault = "badChecksum" // each answer has a wrong checksum
	FaultSlow        Fault = "slow"        // each answer takes nearly as long as the driver allows
)

// Faults lists all faults, FaultNone first.
func Faults() []Fault {
	return []Fault{FaultNone, FaultSilent, FaultHalfFrame, FaultNoise, FaultBadChecksum, FaultSlow}
}

// How much longer a slow reader takes to read a card, and for anything else.
const (
	slowRead = 2 * time.Second
	slowElse = 700 * time.Millisecond
)

// SimOpts are the properties of a simulated reader; nil or zero values mean the defaults.
type SimOpts struct {
	CardTime time.Duration // for reading a card, without wire time; default 400 ms
	Baud     int           // paces the answers as a line of that speed does; 0 sends them at once
	Photo    []byte        // as stored on the chip; default an empty one of 1024 bytes
	SAMID    []byte        // 16 bytes; default that of 05.03-20170101-0000000001-0000000001
}

const defaultCardTime = 400 * time.Millisecond

// Sim is a simulated reader: the safety module's side of the line protocol. Cards may be
// laid and taken away and faults switched from any goroutine.
type Sim struct {
	opts SimOpts

	mu    sync.Mutex
	fault Fault
	card  Card
	text  []byte // of card; nil while none lies there
	stage stage  // how far the module has got with it
}

// stage is how far the module has got with the card in its field.
type stage string

const (
	fresh    stage = "fresh"    // not yet found
	found    stage = "found"    // may be selected
	selected stage = "selected" // may be read
	spent    stage = "spent"    // was read: may be read again, but not found again
	refused  stage = "refused"  // reading failed: only taking it away helps
)

// NewSim makes a simulated reader without a card and without a fault.
func NewSim(opts *SimOpts) *Sim {
	s := &Sim{fault: FaultNone, stage: fresh}
	if opts != nil {
		s.opts = *opts
	}
	s.opts.CardTime = cmp.Or(s.opts.CardTime, defaultCardTime)
	if s.opts.Photo == nil {
		s.opts.Photo = emptyPhoto()
	}
	if s.opts.SAMID == nil {
		s.opts.SAMID = []byte{5, 0, 3, 0, 0x75, 0xC5, 0x33, 1, 1, 0, 0, 0, 1, 0, 0, 0}
	}
	return s
}

// emptyPhoto is a photo of the size on the chip: the head of the format, 102 by 126
// points, and nothing behind it.
func emptyPhoto() []byte {
	return append([]byte{'W', 'L', 102, 0, 126, 0, 50, 0}, make([]byte, 1016)...)
}

// Lay lays a card on the reader, in place of one that lies there. The error names the
// field that the card's chip cannot hold.
func (s *Sim) Lay(c Card) error {
	b, err := EncodeCard(c)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.card, s.text, s.stage = c, b, fresh
	return nil
}

// Remove takes the card away.
func (s *Sim) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.text)
	s.card, s.text, s.stage = Card{}, nil, fresh
}

// Present returns the card on the reader, if one lies there.
func (s *Sim) Present() (Card, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.card, s.text != nil
}

// SetFault makes the reader misbehave until the next call.
func (s *Sim) SetFault(f Fault) error {
	for _, known := range Faults() {
		if f == known {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.fault = f
			return nil
		}
	}
	return fmt.Errorf("cannot set fault %q: must be one of %q", f, Faults())
}

// Fault returns the present fault.
func (s *Sim) Fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// PowerCycle makes the module forget that it has read the card that lies there, as
// pulling and plugging in its cable does.
func (s *Sim) PowerCycle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage = fresh
}

// step is what the module does about one command: after a while it answers.
type step struct {
	wait   time.Duration
	answer func() []byte // the body, made when the time has come
}

// handle decides about one command of the host, the body of its frame.
func (s *Sim) handle(body []byte) step {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := func(sw3 byte, data ...byte) step {
		return step{s.extra(slowElse), func() []byte { return append([]byte{0, 0, sw3}, data...) }}
	}
	switch uint16(body[0])<<8 | uint16(body[1]) {
	case cmdReset.word():
		s.stage = fresh
		return now(swOK)
	case cmdStatus.word(), setRFSize:
		return now(swOK)
	case cmdSAMID.word():
		return now(swOK, s.opts.SAMID...)
	case cmdFind.word():
		if s.text == nil || s.stage == spent || s.stage == refused {
			return now(swNoCard)
		}
		s.stage = found
		return now(swFound, make([]byte, 4)...)
	case cmdSelect.word():
		if s.text == nil || s.stage != found {
			return now(swNotSelected)
		}
		s.stage = selected
		return now(swOK, make([]byte, 8)...)
	case cmdRead.word():
		return step{s.opts.CardTime + s.extra(slowRead), s.read}
	case cmdAddress.word():
		if !s.readable() {
			return now(swReadFailed)
		}
		return now(swNothing)
	}
	return now(swBadCommand)
}

// setRFSize sets the largest frame between module and card; it has no effect here.
const setRFSize = 0x61FF

func (c *command) word() uint16 { return uint16(c.code)<<8 | uint16(c.para) }

// read answers the command to read, once the time for reading is over. A card that was
// laid meanwhile is fresh and not to blame.
func (s *Sim) read() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.readable() {
		if s.stage != fresh {
			s.stage = refused
		}
		return []byte{0, 0, swReadFailed}
	}
	s.stage = spent
	return readBody(s.text, s.opts.Photo)
}

// readBody is the body of the answer that carries a card.
func readBody(text, photo []byte) []byte {
	body := []byte{0, 0, swOK}
	body = binary.BigEndian.AppendUint16(body, uint16(len(text)))
	body = binary.BigEndian.AppendUint16(body, uint16(len(photo)))
	return append(append(body, text...), photo...)
}

func (s *Sim) readable() bool {
	return s.text != nil && (s.stage == selected || s.stage == spent)
}

// extra is what a slow reader takes longer.
func (s *Sim) extra(d time.Duration) time.Duration {
	if s.fault == FaultSlow {
		return d
	}
	return 0
}

// spoil applies the present fault to an answer; turn counts answers.
func (s *Sim) spoil(frame []byte, turn int) []byte {
	switch s.Fault() {
	case FaultSilent:
		return nil
	case FaultHalfFrame:
		return frame[:len(frame)/2]
	case FaultBadChecksum:
		frame[len(frame)-1] ^= 0x55
	case FaultNoise:
		before := noises[turn%len(noises)]
		return append(append([]byte(before), frame...), noises[(turn+1)%len(noises)]...)
	}
	return frame
}

// noises are what has been seen on lines between frames: a gateway's heartbeat, parts of
// preambles, and beginnings of frames that never come, short and long.
var noises = []string{
	"AAAA",
	"\x00\xAA\xAA\x96",
	"\xAA\x00\xAA\xAA\x96\x69\x00\x0C",
	"\xAA\xAA\xAA\x96\x69\x00\x30\x00",
	"\xAA\xAA\xAA\x96\x69\xFF\xFF",
}
