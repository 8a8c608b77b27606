package serialpad

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Opts are the options of a [Pad]. The functions are called from Run's goroutine and should return at once.
type Opts struct {
	Address int              // on the bus; the profile's default if zero
	Baud    int              // of the line, to allow for wire time; the profile's if zero
	Texts   map[State]string // shown by a pad whose messages have a {text}

	OnPress  func(grade int, at time.Time)   // a rating button, 5 (非常满意) to 1 (非常不满意), and when its message began to come
	OnKey    func(name string, at time.Time) // another key of the profile, such as help
	OnHealth func(Health)                    // once when it is known for the first time, then at each change
}

// Pad is one rating pad. It serves one Run; a port opened anew gets a new Pad.
type Pad struct {
	bus     *Bus
	address byte
	opts    Opts

	mu      sync.Mutex // guards the fields of this block
	want    wish
	invited time.Time // of the last Show(Invite)
	stats   Stats

	// Everything below belongs to Run's goroutine.
	phase phase
	began time.Time // of the phase settling
	since time.Time // of the phase ready: what began to come before is no press
	told  Health
	past  past
	show  display

	ack      *fields   // to be sent
	askAt    time.Time // when the next query is due
	muteTill time.Time // the answer to a question that was given up may come until then
	misses   int       // queries without an answer, in a row
}

// phase is how far a pad has got since its line was opened, or since it came back.
type phase int8

const (
	settling phase = iota // what comes now was pressed before
	unproven              // it has not answered yet
	ready                 // presses count
)

// New returns the driver of a pad that is alone on its line; opts may be nil. It sends nothing yet. The profile must be one that
// ParseProfile has read, or New panics.
func New(port Port, p *Profile, opts *Opts) *Pad { return NewBus(port, p, opts).Pads()[0] }

// Run serves the line of the pad until ctx ends, which returns nil, or the port breaks; then the error wraps [ErrGone]. It does not close
// the port. A pad that still shows an invitation when ctx ends is told to show that the service pauses, for nobody would hear the press.
func (p *Pad) Run(ctx context.Context) error { return p.bus.Run(ctx) }

// Show makes the pad show a state; the latest wins, also while the pad is not there. It never waits and may be called from any goroutine.
//
// What was pressed before Show(Invite) is not told after it, as far as the profile lets that be known. Where the answer to the query
// holds the key or the number of the last press, it is known even if messages are lost, at the price of the first tenth of a second after
// the invitation, in which no finger is so quick. Elsewhere a press whose first copies were lost may be told by its last ones.
func (p *Pad) Show(s State) {
	if _, ok := stateCodes()[s]; !ok {
		return
	}
	p.mu.Lock()
	p.want = wish{s, p.want.number + 1}
	if s == Invite {
		p.invited = time.Now()
	}
	p.mu.Unlock()
	p.bus.wakeUp()
}

func (p *Pad) wanted() (wish, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.want, p.invited
}

// Stats returns what happened so far.
func (p *Pad) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	p.bus.mu.Lock()
	defer p.bus.mu.Unlock()
	s.SkipBytes, s.Others = p.bus.skipped, p.bus.others
	return s
}

func (p *Pad) count(f func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.stats)
}

// Address is the address of the pad on its bus, 0 where the profile knows none.
func (p *Pad) Address() int { return int(p.address) }

func (p *Pad) name() string {
	if p.bus.profile.Address == nil {
		return "serial pad " + p.bus.profile.Name
	}
	return fmt.Sprintf("serial pad %s at address %d", p.bus.profile.Name, p.address)
}

// settle begins anew: what comes now was pressed before.
func (p *Pad) settle(now time.Time) {
	p.phase, p.began = settling, now
	p.misses = 0
	p.askAt = now.Add(ms(p.bus.profile.Timing.SettleMs))
	p.past.held = p.bus.profile.Hold
	p.show.forget()
}

// tick moves the phase on.
func (p *Pad) tick(now time.Time) {
	end := p.began.Add(ms(p.bus.profile.Timing.SettleMs))
	if p.phase != settling || now.Before(end) {
		return
	}
	if p.bus.profile.CanAsk() {
		p.phase = unproven
		return
	}
	p.phase, p.since = ready, end
	p.health(Online, "%s: the line is open; this model cannot be asked whether it is there", p.name())
}

// answered takes the answer to a query that was sent at asked: what it says was true after that.
func (p *Pad) answered(h heard, m *message, asked time.Time) {
	p.misses = 0
	if p.phase == unproven {
		p.phase, p.since = ready, h.at
		p.health(Online, "%s answers", p.name())
		if m.has(sequence) { // the press it made last was made before it was asked
			p.past.remember(copied{sequence: h.sequence, first: h.at, last: h.at})
		}
	}
	if m.has(state) {
		p.show.seen(h.state, p)
	}
	if m.has(sequence) {
		p.past.counts(h.sequence, asked)
	}
	if m.has(key) {
		// A second copy of this answer, too, must not be taken for the next one's.
		p.askAt = later(p.askAt, h.at.Add(ms(p.bus.profile.Timing.LateMs)))
		p.holding(h, asked)
	}
}

// missed notes a question without an answer.
func (p *Pad) missed(now time.Time, k kind) {
	p.muteTill = now.Add(ms(p.bus.profile.Timing.LateMs))
	p.count(func(s *Stats) { s.Unanswered++ })
	switch {
	case k == kindAck && p.bus.profile.Hold:
		p.ack = nil // the next answer says whether it was heard
	case k == kindAck, k == kindQuery:
	default:
		p.show.missed()
	}
	if k != kindQuery {
		return // it may not know the message; whether it is there, the query says
	}
	if p.misses++; p.misses < p.bus.profile.Timing.Missed {
		return
	}
	p.settle(now)
	p.health(HardwareError, "%s does not answer: check its power, its cable (on RS-485 also A and B), its address and the speed of the line (%s)",
		p.name(), p.bus.profile.Line)
}

func (p *Pad) health(c Condition, format string, args ...any) {
	h := Health{c, fmt.Sprintf(format, args...)}
	if h == p.told {
		return
	}
	p.told = h
	if p.opts.OnHealth != nil {
		p.opts.OnHealth(h)
	}
}
