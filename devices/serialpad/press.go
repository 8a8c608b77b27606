package serialpad

import "time"

// past is what is known of the presses of a pad so far.
type past struct {
	seen []copied // presses that may still be repeated

	// Where the answer to the query bears the number of the last press: that number, when the pad was asked last, and when it was asked
	// last and answered with another one. The press with the number was made after that.
	number   byte
	numberAt time.Time
	otherAt  time.Time

	// Where the answer holds the key until our ack: whether the key has been dealt with and was not seen released since, and when the pad
	// was asked last and answered that none was pressed.
	held       bool
	releasedAt time.Time
}

// copied is a press of which further copies may come.
type copied struct {
	sequence, key byte
	first, last   time.Time // of its copies
}

// maxSeen is how many presses are remembered; no finger presses so many within the time of their copies.
const maxSeen = 16

func (t *past) remember(c copied) {
	if len(t.seen) == maxSeen {
		t.seen = append(t.seen[:0], t.seen[1:]...)
	}
	t.seen = append(t.seen, c)
}

// repeated says whether h is a copy of a press that was seen, and remembers it. numbered says that presses bear a running number: then
// every copy has that of its press. Without a number, the same key is the same press while copies keep coming.
func (t *past) repeated(h heard, numbered bool, p *Profile) bool {
	for i := range t.seen {
		c := &t.seen[i]
		switch {
		case numbered && c.sequence == h.sequence && h.at.Sub(c.first) <= ms(p.Repeat.ForMs+p.Timing.LateMs),
			!numbered && c.key == h.key && h.at.Sub(c.last) <= ms(p.Timing.SameMs):
			c.last = later(c.last, h.at)
			return true
		}
	}
	t.remember(copied{sequence: h.sequence, key: h.key, first: h.at, last: h.at})
	return false
}

// counts takes the number of the last press from an answer.
func (t *past) counts(number byte, asked time.Time) {
	if number != t.number {
		t.number, t.otherAt = number, t.numberAt
	}
	t.numberAt = asked
}

// earliest is when the press with a number may have been made at the earliest.
func (t *past) earliest(number byte) time.Time {
	if number == t.number {
		return t.otherAt
	}
	return t.numberAt
}

// pressed takes a message that a pad sent when a button was pressed.
func (p *Pad) pressed(h heard, m *message) {
	if p.bus.profile.messages[kindAck] != nil {
		p.ack = &h.fields // also for a copy: our last ack may have been lost
	}
	meant, known := p.bus.profile.keys[h.key]
	if !known {
		p.count(func(s *Stats) { s.Unknown++ })
		return
	}
	if p.past.repeated(h, m.has(sequence), p.bus.profile.Profile) {
		p.count(func(s *Stats) { s.Repeats++ })
		return
	}
	made := h.at
	if answer := p.bus.profile.messages[kindAnswer]; m.has(sequence) && answer != nil && answer.has(sequence) {
		made = p.past.earliest(h.sequence)
	}
	p.tell(meant, h, made)
}

// holding takes an answer that holds a key from its press until our ack.
func (p *Pad) holding(h heard, asked time.Time) {
	meant, known := p.bus.profile.keys[h.key]
	if known && meant == (meaning{}) {
		p.past.held, p.past.releasedAt = false, asked
		return
	}
	p.ack = &h.fields
	switch {
	case p.past.held:
		p.count(func(s *Stats) { s.Repeats++ })
	case !known:
		p.count(func(s *Stats) { s.Unknown++ })
	default:
		p.tell(meant, h, p.past.releasedAt)
	}
	p.past.held = true
}

// tell tells a press that was made at the time given, or later.
func (p *Pad) tell(meant meaning, h heard, made time.Time) {
	want, invited := p.wanted()
	if p.phase != ready || h.at.Before(p.since) || want.state == Invite && made.Before(invited) {
		p.count(func(s *Stats) { s.Stale++ })
		return
	}
	p.show.key, p.show.keyAt = h.key, h.at
	switch {
	case meant.grade != 0:
		p.count(func(s *Stats) { s.Presses++ })
		if p.opts.OnPress != nil {
			p.opts.OnPress(meant.grade, h.at)
		}
	case meant.name != "" && p.opts.OnKey != nil:
		p.opts.OnKey(meant.name, h.at)
	}
}
