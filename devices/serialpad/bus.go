package serialpad

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Bus is a line with the pads on it, each with its own address.
type Bus struct {
	port     Port
	profile  *compiled
	byteTime time.Duration // of one byte on the wire
	pads     []*Pad
	wake     chan struct{}
	in       inbox

	mu      sync.Mutex // guards the fields of this block
	skipped int
	others  int

	// Everything below belongs to Run's goroutine.
	scan    *scanner
	asked   *question
	turn    int       // the pad that may speak first, so that none waits for ever
	heardAt time.Time // when something came last
	free    time.Time // when everything that was written has left the wire
}

// question is a message to a pad whose answer is awaited; nothing else is sent meanwhile.
type question struct {
	pad    *Pad
	kind   kind // what was sent
	expect kind
	at     time.Time // when it was sent
	until  time.Time
}

// NewBus returns the driver of the pads on one line, an Opts for each. It panics when the profile was not read by ParseProfile, or when
// two pads have the same address.
func NewBus(port Port, p *Profile, pads ...*Opts) *Bus {
	c, err := p.compile()
	if err != nil {
		panic(err)
	}
	b := &Bus{port: port, profile: c, wake: make(chan struct{}, 1), scan: newScanner(c)}
	baud := p.Line.Baud
	taken := map[byte]bool{}
	for _, o := range pads {
		pad := &Pad{bus: b}
		if o != nil {
			pad.opts = *o
		}
		baud = cmp.Or(pad.opts.Baud, baud)
		if p.Address != nil {
			pad.address = byte(cmp.Or(pad.opts.Address, p.Address.Default))
		}
		if taken[pad.address] {
			panic(fmt.Sprintf("two pads with the address %d on one line", pad.address))
		}
		taken[pad.address] = true
		b.pads = append(b.pads, pad)
	}
	b.byteTime = p.Line.byteTime(baud)
	return b
}

// byteTime is what a byte takes on the wire, with its start, parity and stop bits.
func (l Line) byteTime(baud int) time.Duration {
	bits := 1 + l.Size + l.StopBits
	if l.Parity != "none" {
		bits++
	}
	return time.Duration(bits) * time.Second / time.Duration(baud)
}

// Pads returns the pads in the order in which they were given.
func (b *Bus) Pads() []*Pad { return b.pads }

// Run serves the line until ctx ends or the port breaks; see [Pad.Run].
func (b *Bus) Run(ctx context.Context) error {
	if err := b.port.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("cannot read from rating pad: %w: %w", ErrGone, err)
	}
	readCtx, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { b.read(readCtx) })
	now := time.Now()
	for _, p := range b.pads {
		p.settle(now)
	}
	err := b.serve(ctx)
	stop()
	_ = b.port.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; a broken port has woken it already
	reader.Wait()
	if err != nil {
		for _, p := range b.pads {
			p.health(Offline, "%s: %v", p.name(), err)
		}
		return err
	}
	b.farewell()
	return nil
}

// serve is the life of Run.
func (b *Bus) serve(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return nil
		}
		if err := b.hear(); err != nil {
			return err
		}
		next, err := b.speak()
		if err != nil {
			return err
		}
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-b.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// hear takes what has come from the line. Its error is that of the port; bytes that came just before it are no message, for the line's
// last silence never came.
func (b *Bus) hear() error {
	gap := ms(b.profile.Timing.GapMs)
	for {
		chunks, err := b.in.take()
		if err != nil {
			return err
		}
		if len(chunks) == 0 {
			break
		}
		for _, c := range chunks {
			if c.at.Sub(b.heardAt) >= gap {
				b.silence()
			}
			b.scan.feed(c.data, c.at)
			b.heardAt = c.at
			b.messages()
		}
	}
	if time.Since(b.heardAt) >= gap {
		b.silence()
	}
	b.mu.Lock()
	b.skipped = b.scan.skipped
	b.mu.Unlock()
	return nil
}

// silence ends the message that has begun to come.
func (b *Bus) silence() {
	if b.scan.pending() {
		b.scan.quiet()
		b.messages()
	}
}

// messages takes the messages that have come.
func (b *Bus) messages() {
	for {
		h, ok := b.scan.next()
		if !ok {
			return
		}
		m := b.profile.messages[h.kind]
		pad := b.padAt(h, m)
		for _, p := range b.pads {
			p.tick(h.at)
		}
		switch {
		case h.kind != kindPress && h.kind != kindAnswer && h.kind != kindConfirm: // our own, echoed by the adapter, or another host's
		case pad == nil:
			b.mu.Lock()
			b.others++
			b.mu.Unlock()
		case h.kind == kindPress:
			pad.pressed(h, m)
		default:
			b.answer(pad, h, m)
		}
	}
}

// padAt finds the pad that sent a message.
func (b *Bus) padAt(h heard, m *message) *Pad {
	for _, p := range b.pads {
		if !m.has(address) || p.address == h.address {
			return p
		}
	}
	return nil
}

// answer takes an answer, if it was asked for.
func (b *Bus) answer(p *Pad, h heard, m *message) {
	q := b.asked
	if q == nil || q.pad != p || q.expect != h.kind {
		p.count(func(s *Stats) { s.Unasked++ })
		return
	}
	b.asked = nil
	if h.kind == kindAnswer {
		p.answered(h, m, q.at)
		return
	}
	p.misses = 0
	p.confirmed(q.kind)
}

// forever is a time at which nothing is due.
const forever = time.Hour

// speak sends what is due and may be sent now, and returns when there is something to do next. Its error is that of the port.
func (b *Bus) speak() (time.Time, error) {
	for {
		now := time.Now()
		next := now.Add(forever)
		soon := func(t time.Time) {
			if t.Before(next) {
				next = t
			}
		}
		for _, p := range b.pads {
			p.tick(now)
			if p.phase == settling {
				soon(p.began.Add(ms(b.profile.Timing.SettleMs)))
			}
		}
		gap := b.heardAt.Add(ms(b.profile.Timing.GapMs))
		if b.scan.pending() {
			soon(gap)
		}
		if q := b.asked; q != nil {
			if now.Before(q.until) {
				soon(q.until)
				return next, nil
			}
			b.asked = nil
			q.pad.missed(now, q.kind)
			continue
		}
		if b.scan.pending() { // somebody is speaking
			return next, nil
		}
		if turn := later(b.heardAt, b.free).Add(ms(b.profile.Timing.TurnMs)); now.Before(turn) {
			soon(turn)
			return next, nil
		}
		sent, err := b.sendOne(now, soon)
		if err != nil || !sent {
			return next, err
		}
	}
}

// sendOne sends the most urgent message that is due: first what stops a pad from repeating itself, then what the visitor sees, then the
// queries, the pads by turns. soon hears when the next query is due.
func (b *Bus) sendOne(now time.Time, soon func(time.Time)) (bool, error) {
	for _, due := range []func(*Pad, time.Time) (kind, fields, bool){(*Pad).dueAck, (*Pad).dueShow, (*Pad).dueFirst, (*Pad).dueQuery} {
		for i := range b.pads {
			at := (b.turn + i) % len(b.pads)
			p := b.pads[at]
			k, f, ok := due(p, now)
			if !ok {
				continue
			}
			b.turn = at + 1
			return true, b.send(p, k, f)
		}
	}
	for _, p := range b.pads {
		if t, ok := p.nextDue(now); ok {
			soon(t)
		}
	}
	return false, nil
}

// send writes a message to a pad, and awaits its answer where one is to come.
func (b *Bus) send(p *Pad, k kind, f fields) error {
	f.address = p.address
	at := time.Now()
	err := b.write(b.profile.messages[k].render(f))
	if errors.Is(err, errStuck) {
		err = nil // it counts as a question without an answer
	} else if err != nil {
		return err
	}
	expect := kindConfirm
	if k == kindQuery {
		expect = kindAnswer
		p.count(func(s *Stats) { s.Queries++ })
	}
	m := b.profile.messages[expect]
	if m == nil {
		p.confirmed(k)
		return nil
	}
	reply := time.Duration(m.least) * b.byteTime
	if m.open >= 0 {
		reply = maxMessage * b.byteTime
	}
	b.asked = &question{pad: p, kind: k, expect: expect, at: at, until: later(b.free, time.Now()).Add(ms(b.profile.Timing.AnswerMs) + reply)}
	return nil
}

// farewell ends invitations that nobody would hear the answer to.
func (b *Bus) farewell() {
	for _, p := range b.pads {
		if m := b.profile.messages[kindPause]; m != nil && p.show.shows.state == Invite {
			_ = b.write(m.render(p.stateFields(Pause))) // the line may be gone, and the pad with it
		}
	}
}
