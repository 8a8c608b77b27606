package serialpad

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// SimOpts are the properties of simulated pads; nil or zero values mean the defaults.
type SimOpts struct {
	Addresses []int  // of the pads on the line; default one, with the profile's default address
	Baud      int    // paces both directions as a line of that speed does; 0 sends at once
	Seed      uint64 // of the faults
}

// Faults are the probabilities, 0 to 1, of what can happen to one message. The zero value is a perfect line.
type Faults struct {
	Lose  float64 // a message of the pad is lost
	Deaf  float64 // a message to the pad is lost
	Half  float64 // it breaks off
	Flip  float64 // one bit is wrong; only where the profile has checksums, for without one it cannot be noticed
	Merge float64 // it waits and comes together with the next one
	Late  float64 // it comes late, by up to timing.lateMs
	Twice float64 // it comes twice
	Noise float64 // in each tenth of a second: bytes that nobody sent, and that are no message
	// Neighbour is the press of a pad with another address, in each tenth of a second.
	Neighbour float64
}

// Sim plays the pads of a profile at the far end of a line. Buttons may be pressed and faults changed from any goroutine.
type Sim struct {
	profile *compiled
	opts    SimOpts
	wake    chan struct{}

	mu      sync.Mutex
	pads    []*simPad
	faults  Faults
	serving bool
	rand    *rand.Rand
	out     []outgoing // what is to be sent, in no order
	merged  []byte     // what waits for the next message
	mergeAt time.Time  // when it waits no longer
	noiseAt time.Time
}

// simPad is one pad.
type simPad struct {
	address  byte
	sequence byte
	pending  *simPress
	held     byte // Hold: what the answer holds
	shows    State
	text     string
	queries  int
}

// simPress is a press that waits for its ack, or for the end of its copies.
type simPress struct {
	key         byte
	first, next time.Time
}

// outgoing is what leaves the pad at a time.
type outgoing struct {
	at   time.Time
	data []byte
}

// NewSim returns simulated pads with nothing pressed. It panics when the profile was not read by ParseProfile.
func NewSim(p *Profile, opts *SimOpts) *Sim {
	c, err := p.compile()
	if err != nil {
		panic(err)
	}
	s := &Sim{profile: c, wake: make(chan struct{}, 1)}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Addresses == nil {
		s.opts.Addresses = []int{0}
		if p.Address != nil {
			s.opts.Addresses[0] = p.Address.Default
		}
	}
	s.rand = rand.New(rand.NewPCG(s.opts.Seed, 0x5EED))
	for _, a := range s.opts.Addresses {
		none, _ := s.code(keyNone)
		s.pads = append(s.pads, &simPad{address: byte(a), held: none})
	}
	return s
}

// code is the {key} that means something.
func (s *Sim) code(meaning string) (byte, bool) {
	for code, m := range s.profile.keys {
		if m.grade != 0 && meaning == strconv.Itoa(m.grade) || m.name != "" && meaning == m.name || m.grade == 0 && m.name == "" && meaning == keyNone {
			return code, true
		}
	}
	return 0, false
}

// pad finds a pad; address 0 is the first one.
func (s *Sim) pad(address int) *simPad {
	for _, p := range s.pads {
		if address == 0 || int(p.address) == address {
			return p
		}
	}
	return nil
}

// Press presses the button of a grade on the first pad. It reports whether the pad took it: one that lacks the button, or waits for the
// end of the press before, does not.
func (s *Sim) Press(grade int) bool { return s.PressKey(0, strconv.Itoa(grade)) }

// PressKey presses a key, by its meaning in the profile, on the pad at an address, 0 for the first one.
func (s *Sim) PressKey(address int, meaning string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, known := s.code(meaning)
	p := s.pad(address)
	if !known || p == nil || meaning == keyNone {
		return false
	}
	now := time.Now()
	if s.profile.Hold {
		if none, _ := s.code(keyNone); p.held != none {
			return false
		}
		p.held = code
		return true
	}
	if p.pending != nil && now.Before(p.pending.first.Add(ms(s.profile.Repeat.ForMs))) {
		return false
	}
	if p.sequence++; p.sequence == 0 {
		p.sequence = 1
	}
	p.pending = &simPress{key: code, first: now, next: now}
	if !s.serving && s.profile.Repeat.EveryMs == 0 {
		p.pending = nil // nobody heard it
	}
	s.kick()
	return true
}

// Shown returns what the pad at an address, 0 for the first one, shows, and the text with it.
func (s *Sim) Shown(address int) (State, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pad(address)
	if p == nil {
		return "", ""
	}
	return p.shows, p.text
}

// SetFaults changes the faults.
func (s *Sim) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	s.noiseAt = time.Now()
	s.kick()
}

// PowerCycle switches all pads off and on: they forget their presses, their numbers and what they showed.
func (s *Sim) PowerCycle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	none, _ := s.code(keyNone)
	for i, p := range s.pads {
		s.pads[i] = &simPad{address: p.address, held: none}
	}
	s.out, s.merged = nil, nil
}

func (s *Sim) kick() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// receive takes one message from the host.
func (s *Sim) receive(h heard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.profile.messages[h.kind]
	if slices.Contains(padKinds(), h.kind) || s.chance(s.faults.Deaf) {
		return
	}
	for _, p := range s.pads {
		if m.has(address) && p.address != h.address {
			continue
		}
		s.obey(p, h, m)
	}
}

// obey does what the host asks of one pad. The caller holds the lock.
func (s *Sim) obey(p *simPad, h heard, m *message) {
	switch h.kind {
	case kindQuery:
		p.queries++
		f := fields{address: p.address, sequence: p.sequence, key: p.held, state: stateCodes()[p.shows]}
		s.send(s.profile.messages[kindAnswer].render(f))
		return
	case kindAck:
		if s.profile.Hold {
			p.held, _ = s.code(keyNone)
		} else if s.profile.Repeat.UntilAck && p.pending != nil && (!m.has(sequence) || h.sequence == p.sequence) {
			p.pending = nil
		}
	default:
		for st, code := range stateCodes() {
			if m.has(state) && code == h.state || !m.has(state) && showKind(st) == h.kind {
				p.shows = st
			}
		}
		p.text = ""
		if t, err := simplifiedchinese.GBK.NewDecoder().Bytes(h.text); err == nil {
			p.text = string(t)
		}
	}
	c := s.profile.messages[kindConfirm]
	if c == nil {
		return
	}
	if _, _, fit := c.match(h.raw); fit == whole { // an echo, as in Modbus
		s.send(slices.Clone(h.raw))
		return
	}
	s.send(c.render(fields{address: p.address}))
}

// due does what is due and returns what is to be sent now, and when the next thing is due.
func (s *Sim) due(now time.Time) ([]byte, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := now.Add(time.Hour)
	soon := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	for _, p := range s.pads {
		if t, ok := s.repeat(p, now); ok {
			soon(t)
		}
	}
	if s.faults != (Faults{}) {
		if !now.Before(s.noiseAt) {
			s.noiseAt = now.Add(time.Duration(50+s.rand.IntN(100)) * time.Millisecond)
			s.disturb(now)
		}
		soon(s.noiseAt)
	}
	if s.merged != nil && !now.Before(s.mergeAt) {
		s.out = append(s.out, outgoing{now, s.merged})
		s.merged = nil
	} else if s.merged != nil {
		soon(s.mergeAt)
	}
	slices.SortStableFunc(s.out, func(a, b outgoing) int { return a.at.Compare(b.at) })
	if len(s.out) == 0 {
		return nil, next
	}
	if o := s.out[0]; !o.at.After(now) {
		s.out = s.out[1:]
		return o.data, now
	}
	soon(s.out[0].at)
	return nil, next
}

// repeat sends the copy of a press that is due, and says when the next one is. The caller holds the lock.
func (s *Sim) repeat(p *simPad, now time.Time) (time.Time, bool) {
	press := p.pending
	if press == nil {
		return time.Time{}, false
	}
	end := press.first.Add(ms(s.profile.Repeat.ForMs))
	if s.profile.Repeat.EveryMs > 0 && now.After(end) { // while the line was out
		p.pending = nil
		return time.Time{}, false
	}
	if !now.Before(press.next) {
		s.send(s.profile.messages[kindPress].render(fields{address: p.address, sequence: p.sequence, key: press.key}))
		press.next = now.Add(ms(s.profile.Repeat.EveryMs))
	}
	if s.profile.Repeat.EveryMs == 0 || press.next.After(end) {
		p.pending = nil
		return time.Time{}, false
	}
	return press.next, true
}

// send sends a message, with the faults of the line. The caller holds the lock.
func (s *Sim) send(msg []byte) {
	now := time.Now()
	f := s.faults
	late := func() time.Duration { return time.Duration(s.rand.Int64N(int64(ms(s.profile.Timing.LateMs)) + 1)) }
	if s.chance(f.Lose) {
		return
	}
	if s.chance(f.Half) {
		msg = msg[:s.rand.IntN(len(msg))]
	}
	if s.profile.checked && s.chance(f.Flip) && len(msg) > 0 {
		msg[s.rand.IntN(len(msg))] ^= 1 << s.rand.IntN(8)
	}
	if s.chance(f.Twice) {
		s.out = append(s.out, outgoing{now.Add(late()), slices.Clone(msg)})
	}
	if s.chance(f.Merge) {
		s.merged = append(s.merged, msg...)
		s.mergeAt = now.Add(late())
		return
	}
	at := now
	if s.chance(f.Late) {
		at = now.Add(late())
	}
	s.out = append(s.out, outgoing{at, append(s.merged, msg...)})
	s.merged = nil
}

// disturb puts on the line what no pad of ours has sent. The caller holds the lock.
func (s *Sim) disturb(now time.Time) {
	if s.chance(s.faults.Noise) {
		s.out = append(s.out, outgoing{now, s.noise()})
	}
	a := s.profile.Address
	if a == nil || s.profile.messages[kindPress] == nil || !s.chance(s.faults.Neighbour) {
		return
	}
	other := a.Least + s.rand.IntN(a.Most-a.Least+1)
	if slices.Contains(s.opts.Addresses, other) {
		return
	}
	var codes []byte
	for code := range s.profile.keys {
		codes = append(codes, code)
	}
	slices.Sort(codes) // the order of a map must not decide what a seed does
	f := fields{address: byte(other), sequence: byte(1 + s.rand.IntN(255)), key: codes[s.rand.IntN(len(codes))]}
	s.out = append(s.out, outgoing{now, s.profile.messages[kindPress].render(f)})
}

// noise makes bytes that are no message. The caller holds the lock.
func (s *Sim) noise() []byte {
	for {
		b := make([]byte, 2+s.rand.IntN(10))
		for i := range b {
			b[i] = byte(s.rand.Uint32())
		}
		if s.rand.IntN(3) == 0 && s.profile.checked { // what looks like the beginning of a message is the worst noise
			b = append(b, s.profile.messages[s.padKind()].render(fields{address: s.pads[0].address})[:2]...)
		}
		scan := newScanner(s.profile)
		scan.feed(b, time.Time{})
		scan.quiet()
		if _, found := scan.next(); !found {
			return b
		}
	}
}

// padKind is the message that tells of presses.
func (s *Sim) padKind() kind {
	if s.profile.messages[kindPress] != nil {
		return kindPress
	}
	return kindAnswer
}

func (s *Sim) chance(p float64) bool { return p > 0 && s.rand.Float64() < p }
