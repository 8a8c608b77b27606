package printer

import (
	"context"
	"errors"
	"time"
)

// Presence is where the last receipt is, as far as the model can tell.
type Presence string

// Where a receipt can be. Forgotten is an event, not a state: the receipt is still present.
const (
	PresenceUnknown Presence = "unknown"   // the model cannot tell
	Empty           Presence = "empty"     // nothing stands in the output
	Present         Presence = "present"   // it stands in the output and can be taken
	Taken           Presence = "taken"     // it was taken
	Retracted       Presence = "retracted" // the printer took it back
	Forgotten       Presence = "forgotten" // it has been present for [Opts.RemindAfter]
)

const (
	retractTries = 3
	retractEvery = 10 * time.Second
	outputWait   = 5 * time.Second // for the output to become free
)

// mouth follows the last receipt in the printer's output. It belongs to Run's goroutine.
type mouth struct {
	now      Presence
	tell     func(Presence) // of the job whose receipt it is; nil if there is none
	since    time.Time      // when it was first seen present
	reminded bool
	tries    int // of taking it back
	triedAt  time.Time
}

// watchMouth follows what the sensors say of the output.
func (d *Printer) watchMouth(now time.Time) {
	m := &d.mouth
	if !d.dialect.takes || !d.flags.knows(SensorPresented) {
		return
	}
	there := d.flags.is(SensorPresented)
	switch {
	case m.now == PresenceUnknown && !there:
		m.now = Empty
	case there && m.now != Present:
		m.since, m.reminded, m.tries = now, false, 0
		d.mouthSays(Present)
	case !there && m.now == Present:
		gone := Taken
		if d.flags.is(SensorRetracted) || m.tries > 0 && !d.flags.is(SensorTaken) {
			gone = Retracted
		}
		d.mouthSays(gone)
	}
}

func (d *Printer) mouthSays(p Presence) {
	if p != Forgotten {
		d.mouth.now = p
	}
	if d.mouth.tell != nil {
		d.mouth.tell(p)
	}
}

// mouthDue is when something has to be done about a receipt that nobody takes.
func (d *Printer) mouthDue() (time.Time, bool) {
	m := &d.mouth
	if m.now != Present {
		return time.Time{}, false
	}
	var at time.Time
	if after := d.opts.RemindAfter; after > 0 && !m.reminded {
		at = m.since.Add(after)
	}
	if after := d.opts.RetractAfter; after > 0 && d.dialect.retract != nil && m.tries < retractTries {
		retract := m.since.Add(after)
		if m.tries > 0 {
			retract = m.triedAt.Add(retractEvery)
		}
		if at.IsZero() || retract.Before(at) {
			at = retract
		}
	}
	return at, !at.IsZero()
}

// forgotten does what is due about a receipt that nobody has taken.
func (d *Printer) forgotten(ctx context.Context, now time.Time) error {
	m := &d.mouth
	if after := d.opts.RemindAfter; after > 0 && !m.reminded && now.Sub(m.since) >= after {
		m.reminded = true
		d.mouthSays(Forgotten)
		return nil
	}
	m.tries++
	m.triedAt = now
	if d.fault() != "" {
		return nil // later
	}
	_, err := d.order(ctx, d.dialect.retract)
	return err
}

// order sends one command outside a job to an idle printer. It is false if the printer would not take it.
func (d *Printer) order(ctx context.Context, cmd Command) (bool, error) {
	j := &job{ctx: ctx, faultWait: healPause, brief: true, silences: d.poll.silences}
	err := d.hold(ctx, j, 0)
	if err == nil {
		err = d.sendPiece(j, cmd)
	}
	if _, ok := errors.AsType[*giveUp](err); ok {
		return false, nil
	}
	d.stream.done = d.stream.sent // it is idle: it takes a command as it comes
	return err == nil, err
}

// freeMouth takes the last receipt out of the way of the next, and ends the story of the last.
func (d *Printer) freeMouth(ctx context.Context) error {
	if d.dialect.clearOut != nil && (d.mouth.now == Present || d.mouth.now == PresenceUnknown) {
		if string(d.dialect.clearOut) == string(d.dialect.retract) {
			d.mouth.tries++
		}
		if _, err := d.order(ctx, d.dialect.clearOut); err != nil {
			return err
		}
		d.poll.roundAt = time.Now()
		free := func() bool { return d.mouth.now != Present }
		if err := d.pump(ctx, time.Now().Add(outputWait), free); err != nil {
			return err
		}
		if !free() {
			return &giveUp{OutputJam}
		}
	}
	d.mouth.tell = nil
	if d.mouth.now != Present && d.mouth.now != PresenceUnknown {
		d.mouth.now = Empty
	}
	return nil
}

// newInMouth begins the story of the receipt that has just come out.
func (d *Printer) newInMouth(tell func(Presence)) {
	if !d.dialect.takes {
		return
	}
	d.mouth = mouth{now: Empty, tell: tell}
	d.watchMouth(time.Now())
	d.poll.roundAt = time.Now()
	d.publish()
}
