package serialpad

import "time"

// display is what a pad shows.
type display struct {
	sent    wish // what it was last told
	shows   wish // the same, once it is believed to show it
	shownAt time.Time
	tries   int  // of sent, without a confirmation
	key     byte // of the last press, for messages that have a {key}
	keyAt   time.Time
}

// wish is a state to be shown. Each call of Show is a wish of its own, for a pad that speaks is to speak again.
type wish struct {
	state  State // "" for whatever the pad shows
	number int
}

// seen takes what a pad says it shows: one that was switched off meanwhile, or did not hear us, is told again.
func (d *display) seen(code byte, p *Pad) {
	if want, _ := p.wanted(); want.state != "" && code != stateCodes()[want.state] {
		d.forget()
	}
}

// forget says that it is not known what the pad shows.
func (d *display) forget() { d.shows, d.tries = wish{}, 0 }

// showTries is how often a message that changes the display is sent to a pad that confirms none. It is then let be, as if it were shown:
// a pad that cannot show a state must not be kept from telling presses.
const showTries = 3

// missed notes that the message sent last was not confirmed.
func (d *display) missed() {
	if d.tries++; d.tries >= showTries {
		d.shows, d.shownAt, d.tries = d.sent, time.Now(), 0
	}
}

// stateFields are the fields of a message that changes the display.
func (p *Pad) stateFields(s State) fields {
	return fields{address: p.address, key: p.show.key, state: stateCodes()[s], text: gbk(p.opts.Texts[s])}
}

// dueAck is the ack that is to be sent, if any.
func (p *Pad) dueAck(now time.Time) (kind, fields, bool) {
	if p.ack == nil || now.Before(p.muteTill) && p.bus.profile.messages[kindConfirm] != nil {
		return "", fields{}, false
	}
	return kindAck, *p.ack, true
}

// dueShow is the state that is to be shown and is not, if any.
func (p *Pad) dueShow(now time.Time) (kind, fields, bool) {
	want, invited := p.wanted()
	k := showKind(want.state)
	m := p.bus.profile.messages[k]
	if p.phase != ready || m == nil || now.Before(p.muteTill) {
		return "", fields{}, false
	}
	if m.has(key) && (p.show.keyAt.IsZero() || p.show.keyAt.Before(invited)) {
		return "", fields{}, false // there is nothing to thank this pad for: the visitor rated elsewhere
	}
	again := p.bus.profile.Timing.ResendMs
	if p.show.shows == want && (again == 0 || now.Before(p.show.shownAt.Add(ms(again)))) {
		return "", fields{}, false
	}
	if p.show.sent != want {
		p.show.sent, p.show.tries = want, 0
	}
	return k, p.stateFields(want.state), true
}

// dueFirst is a query that is due before those of other pads: until an answer has come after the invitation, a press could be one from
// before.
func (p *Pad) dueFirst(now time.Time) (kind, fields, bool) {
	want, invited := p.wanted()
	answer := p.bus.profile.messages[kindAnswer]
	if want.state != Invite || answer == nil {
		return "", fields{}, false
	}
	if answer.has(sequence) && p.past.numberAt.Before(invited) && p.phase == ready {
		p.askAt = now
	} else if !answer.has(key) || !p.past.releasedAt.Before(invited) {
		return "", fields{}, false
	}
	return p.dueQuery(now)
}

// dueQuery is the query, if it is time for it.
func (p *Pad) dueQuery(now time.Time) (kind, fields, bool) {
	if !p.bus.profile.CanAsk() || now.Before(later(p.askAt, p.muteTill)) {
		return "", fields{}, false
	}
	p.askAt = now.Add(ms(p.bus.profile.Timing.PollMs))
	return kindQuery, fields{}, true
}

// nextDue is when the pad wants to speak next without being spoken to.
func (p *Pad) nextDue(now time.Time) (time.Time, bool) {
	var at time.Time
	soon := func(t time.Time) {
		if t = later(t, p.muteTill); t.After(now) && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if p.bus.profile.CanAsk() {
		soon(p.askAt)
	}
	if p.phase == ready {
		soon(p.show.shownAt.Add(ms(p.bus.profile.Timing.ResendMs)))
		soon(p.muteTill)
	}
	return at, !at.IsZero()
}

// confirmed notes that a message has arrived, or, for a model that confirms nothing, that it has been sent.
func (p *Pad) confirmed(k kind) {
	switch k {
	case kindAck:
		p.ack = nil
	case kindQuery:
	default:
		p.show.shows, p.show.shownAt = p.show.sent, time.Now()
	}
}
