package idcard

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unicode/utf16"
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
	Framing   Framing       // default SDT
	CardTime  time.Duration // for reading a card, without wire time; default 400 ms
	Baud      int           // paces the answers as a line of that speed does; 0 sends them at once
	Photo     []byte        // as stored on the chip; default an empty one of 1024 bytes
	SAMID     []byte        // 16 bytes; default that of 05.03-20170101-0000000001-0000000001
	ReadsOnce bool          // of STX: a card that was read is no card until it has been taken away; others read it again
	Plan      *Plan         // faults by chance; nil for none
}

const defaultCardTime = 400 * time.Millisecond

// Sim is a simulated reader: the device's side of the line protocol. Cards may be
// laid and taken away and faults switched from any goroutine.
type Sim struct {
	opts SimOpts
	said func(number int, body []byte) // for tests: hears of every answer; the words that the driver leaves alone hold the command's number

	mu       sync.Mutex
	fault    Fault
	card     Card
	text     []byte // of card; nil while none lies there
	appended []byte // address of card; nil for none
	unknown  bool   // something lies there that is no card of the module's kind
	stage    stage  // how far the module has got with it
	hung     bool   // until its power is cut
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
	s.opts.Framing = cmp.Or(s.opts.Framing, SDT)
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
	s.take()
	s.card, s.text = c, b
	return nil
}

// LayUnknown lays something that the module finds but does not know, such as a bank card.
func (s *Sim) LayUnknown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take()
	s.unknown = true
}

// Append writes an appended address of up to 35 characters to the card that lies there, until that is taken away.
func (s *Sim) Append(address string) error {
	units := utf16.Encode([]rune(address))
	if len(units) > addressSize/2 {
		return fmt.Errorf("cannot append address: it has %d characters, the card holds %d", len(units), addressSize/2)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appended = make([]byte, 0, addressSize)
	for len(units) < addressSize/2 {
		units = append(units, ' ')
	}
	for _, u := range units {
		s.appended = binary.LittleEndian.AppendUint16(s.appended, u)
	}
	return nil
}

// Remove takes the card away.
func (s *Sim) Remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take()
}

func (s *Sim) take() {
	clear(s.text)
	clear(s.appended)
	s.card, s.text, s.appended, s.unknown, s.stage = Card{}, nil, nil, false, fresh
}

// Move shifts the card that lies there. A reading under way breaks off, and only taking the card away helps.
func (s *Sim) Move() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stage == selected || s.stage == spent {
		s.stage = refused
	}
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

// Hang makes the reader deaf and dumb until PowerCycle.
func (s *Sim) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = true
}

// PowerCycle makes the module forget that it has read the card that lies there and ends Hang, as
// pulling and plugging in its cable does.
func (s *Sim) PowerCycle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage, s.hung = fresh, false
}

// step is what the module does about one command: after a while it answers.
type step struct {
	wait   time.Duration
	answer func() reply // made when the time has come
}

// reply is an answer before it is framed.
type reply struct {
	sw3  byte
	data []byte
}

func just(sw3 byte, data ...byte) func() reply { return func() reply { return reply{sw3, data} } }

// body writes a reply as the framing has it. The words besides SW3 are the card's own status, or the given number.
func (s *Sim) body(r reply, number int) []byte {
	if s.said == nil {
		number = 0
	}
	if s.opts.Framing == STX {
		return append([]byte{r.sw3, byte(number)}, r.data...)
	}
	return append([]byte{byte(number >> 8), byte(number), r.sw3}, r.data...)
}

// handle decides about one command of the host, the body of its frame; false means that nothing comes of it.
func (s *Sim) handle(command []byte) (step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hung = s.hung || s.opts.Plan.chance(planHang); s.hung {
		return step{}, false
	}
	if s.opts.Framing == STX {
		return s.handleSTX(string(command)), true
	}
	return s.handleSDT(string(command)), true
}

func (s *Sim) handleSDT(command string) step {
	now := func(sw3 byte, data ...byte) step { return step{s.extra(slowElse), just(sw3, data...)} }
	switch command {
	case cmdReset.body:
		s.stage = fresh
		return now(swOK)
	case cmdStatus.body:
		return now(swOK)
	case cmdSAMID.body:
		return now(swOK, s.opts.SAMID...)
	case cmdFind.body:
		if s.text == nil && !s.unknown || s.stage == spent || s.stage == refused {
			return now(swNoCard)
		}
		s.stage = found
		return now(swFound, make([]byte, 4)...)
	case cmdSelect.body:
		switch {
		case s.unknown && s.stage == found:
			s.stage = fresh
			return now(swWrongCard)
		case s.text == nil || s.stage != found:
			return now(swNotSelected)
		}
		s.stage = selected
		return now(swOK, make([]byte, 8)...)
	case cmdRead.body:
		return step{s.opts.CardTime + s.extra(slowRead), s.read}
	case cmdAddress.body:
		switch {
		case !s.readable():
			return now(swReadFailed)
		case s.appended != nil:
			return now(swOK, append([]byte(nil), s.appended...)...)
		}
		return now(swNothing)
	}
	if len(command) == 3 && command[:2] == setRFSize {
		return now(swOK)
	}
	return now(swBadCommand)
}

// setRFSize sets the largest frame between module and card; it has no effect here.
const setRFSize = "\x61\xFF"

func (s *Sim) handleSTX(command string) step {
	switch {
	case command != cmdReadAll.body:
		return step{s.extra(slowElse), just(swBadCommand)}
	case s.unknown:
		return step{s.extra(slowElse), just(swWrongCard)}
	case s.text == nil, s.stage == spent && s.opts.ReadsOnce, s.stage == refused:
		return step{s.extra(slowElse), just(swNoCard)}
	}
	s.stage = selected
	return step{s.opts.CardTime + s.extra(slowRead), s.read}
}

// read answers the command to read, once the time for reading is over. A card that was
// laid meanwhile is fresh and not to blame.
func (s *Sim) read() reply {
	if s.opts.Plan.chance(planMove) {
		s.Move()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.readable() {
		if s.stage != fresh {
			s.stage = refused
		}
		return reply{sw3: swReadFailed}
	}
	s.stage = spent
	return reply{swOK, cardData(s.text, s.opts.Photo)}
}

// cardData is the data of the answer that carries a card.
func cardData(text, photo []byte) []byte {
	var data []byte
	data = binary.BigEndian.AppendUint16(data, uint16(len(text)))
	data = binary.BigEndian.AppendUint16(data, uint16(len(photo)))
	return append(append(data, text...), photo...)
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
		at := len(frame) - 1
		if s.opts.Framing == STX {
			at--
		}
		frame[at] ^= 0x55
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
	"\x02\x05",
	"\x03\x02\x00\x30",
	"\xAA\xAA\xAA\x96\x69\xFF\xFF",
}
