package printer

import (
	"context"
	"errors"
	"time"
)

const (
	// largeChunk is how many bytes are written at a time while the printer's buffer surely has room for them.
	largeChunk = 64
	// turnaround is how long an XOFF may take on a line of unknown speed.
	turnaround = time.Millisecond
	// linePoll is how often a modem line that says stop is looked at, and longPoll after longStop.
	linePoll = 2 * time.Millisecond
	longPoll = 20 * time.Millisecond
	longStop = 2 * time.Second
	// finishWait is how long a stop in the middle of a command is obeyed if the rest surely has room: behind it the status can be asked.
	finishWait = 200 * time.Millisecond
	// blindStop is how long a stop in the middle of a command, where nothing can be asked, may last: behind it the printer may have been
	// switched off and on.
	blindStop = 1200 * time.Millisecond
	// lostXON is how long a printer without any fault may stay stopped: the XON was lost. Less where answers in order guard the buffer.
	lostXON      = 15 * time.Second
	guardedXON   = 3 * time.Second
	nudgeAfter   = 1500 * time.Millisecond // an answer in order is late by that much: ask once more
	continueWait = 2 * time.Second         // after a silence: answers that prove that nothing was lost
)

// chunk is how many bytes may be on the wire: what the printer still takes after it said stop, more while its buffer cannot fill up.
func (d *Printer) chunk() int {
	byClock := d.dialect.ask == nil && d.profile.Flow.Control != FlowNone // what the buffer holds is a guess, the printer's stop is not
	if !byClock && d.stream.unread()+largeChunk <= d.profile.Flow.Buffer-d.profile.Flow.Headroom {
		return largeChunk
	}
	// Half of it: the other half may be on its way while the XOFF comes.
	return max(d.profile.Flow.Headroom/2, 1)
}

// pace waits until what was written before has left the wire, but for as much as keeps the line busy where that is harmless.
func (d *Printer) pace(ctx context.Context) error {
	until := d.wireFree
	switch large := d.chunk() == largeChunk; {
	case large && d.byteTime == 0 && d.profile.Flow.Control != FlowNone:
		return nil
	case large && d.byteTime > 0:
		until = until.Add(-largeChunk * d.byteTime)
	case d.byteTime == 0:
		until = time.Now().Add(turnaround) // the XOFF may be on its way, and a printer without one needs its time
	}
	if !until.After(time.Now()) {
		return nil
	}
	return d.pump(ctx, until, func() bool { return false })
}

// send writes a job under flow control. Status requests slip in between two commands only. The error is of the port, of ctx, or a
// *[giveUp].
func (d *Printer) send(ctx context.Context, j *job) error {
	for steps := j.plan.steps; len(steps) > 0; {
		gate := steps[0].gate
		if err := d.await(ctx, j, d.opts.ConfirmWait, func() bool { return j.answered >= gate }); err != nil {
			return err
		}
		if err := d.hold(ctx, j, 0); err != nil {
			return err
		}
		// As many whole commands as a chunk holds; a longer one goes alone, in pieces.
		size, n, bytes := d.chunk(), 0, 0
		for n < len(steps) && steps[n].gate <= j.answered && bytes+len(steps[n].cmd) <= size {
			bytes += len(steps[n].cmd)
			n++
		}
		var err error
		if n == 0 {
			n = 1
			err = d.sendLong(ctx, j, steps[0].cmd)
		} else {
			err = d.sendPiece(j, join(steps[:n], bytes))
		}
		if err != nil {
			return err
		}
		d.sentSteps(j, steps[:n], bytes)
		steps = steps[n:]
	}
	return nil
}

func join(steps []step, bytes int) []byte {
	piece := make([]byte, 0, bytes)
	for _, s := range steps {
		piece = append(piece, s.cmd...)
	}
	return piece
}

// sentSteps notes what the printer now owes: answers, and paper.
func (d *Printer) sentSteps(j *job, steps []step, bytes int) {
	at := d.stream.sent - bytes
	for _, s := range steps {
		at += len(s.cmd)
		if s.dots > 0 {
			d.stream.moved(d.paperTime(s.dots), d.wireFree)
		}
		if !s.mark {
			continue
		}
		m := milestone{job: j, at: at, id: s.id}
		if len(s.cmd) == 0 {
			d.stream.moved(0, d.wireFree)
			m.due = d.stream.paper
			if j.sent >= j.plan.total {
				m.due = m.due.Add(cutTime)
			}
		}
		d.stream.open = append(d.stream.open, m)
	}
}

func (d *Printer) sendLong(ctx context.Context, j *job, cmd Command) error {
	for rest := []byte(cmd); len(rest) > 0; {
		if err := d.hold(ctx, j, len(rest)); err != nil {
			return err
		}
		n := min(len(rest), d.chunk())
		if d.boundary { // its length is never left open
			n = min(len(rest), max(n, 8))
		}
		d.boundary = false
		if err := d.sendPiece(j, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	d.boundary = true
	return nil
}

func (d *Printer) sendPiece(j *job, b []byte) error {
	n, err := d.write(b)
	j.sent += n
	d.stream.sent += n
	if n < len(b) && n > 0 {
		d.boundary = false
	}
	if errors.Is(err, errStuck) {
		return &giveUp{Timeout}
	}
	return err
}

// hold returns when the printer may be given more. A fault stops the sending at the next command boundary, the printer's own stop
// anywhere; rest is what is left of a command under way. After the job's patience it returns a *[giveUp].
func (d *Printer) hold(ctx context.Context, j *job, rest int) error {
	for {
		if err := d.hear(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		stop, err := d.stopped()
		if err != nil {
			return err
		}
		now := time.Now()
		fault := d.fault()
		if !stop && (fault == "" || !d.boundary) {
			d.stoppedAt = time.Time{}
			if err := d.unbroken(ctx, j); err != nil {
				return err
			}
			j.waiting("", time.Time{})
			if err := d.pace(ctx); err != nil {
				return err
			}
			if stop, err = d.stopped(); err != nil || !stop && (!d.boundary || d.fault() == "") {
				return err
			}
			continue
		}
		if d.stoppedAt.IsZero() || fault != "" && d.boundary {
			d.stoppedAt = now // a fault explains the stop; without one it is counted
		}
		stood := now.Sub(d.stoppedAt)
		if !d.boundary && fault == "" && stood >= blindStop {
			j.silences = -1
		}
		switch {
		case !d.boundary && stood >= finishWait && d.dialect.ask != nil && d.stream.unread()+rest <= d.profile.Flow.Buffer:
			return nil
		case d.paused && fault == "" && d.boundary && d.lostXON(stood):
			d.paused = false
			continue
		}
		if err := j.patience(fault, now); err != nil {
			return err
		}
		if err := j.stuck(fault, now); err != nil {
			return err
		}
		if err := d.watch(ctx, stop, fault); err != nil {
			return err
		}
	}
}

// lostXON says whether a printer that has stood stopped for that long without a fault must be waiting for us.
func (d *Printer) lostXON(stood time.Duration) bool {
	guarded := d.dialect.ask != nil && stood >= guardedXON
	return d.poll.answerOK && (guarded || stood >= lostXON)
}

// watch listens until there is news of a stop or a fault, for a moment.
func (d *Printer) watch(ctx context.Context, stop bool, fault Reason) error {
	until := time.Now().Add(100 * time.Millisecond)
	if d.line != nil && stop {
		until = time.Now().Add(linePoll)
		if fault != "" || time.Since(d.stoppedAt) > longStop {
			until = time.Now().Add(longPoll)
		}
	} else if !d.boundary {
		until = time.Now().Add(finishWait / 10)
	}
	paused := d.paused
	return d.pump(ctx, until, func() bool { return d.paused != paused || d.fault() != fault })
}

// unbroken makes sure, after the printer had fallen silent, that it did not lose what it held: it may have been switched off and on.
// Only answers to questions behind all that was sent show that it did not, and these not on a printer that reads ahead of the paper.
func (d *Printer) unbroken(ctx context.Context, j *job) error {
	if d.poll.silences == j.silences || !d.boundary {
		return nil
	}
	whole := func() bool { return d.stream.unread() == 0 }
	if err := d.pump(ctx, time.Now().Add(continueWait), whole); err != nil {
		return err
	}
	if !whole() || d.profile.Confirm.Ahead > 0 && j.sent > 0 {
		return &giveUp{Offline}
	}
	j.silences = d.poll.silences
	return nil
}

// await waits for the printer's answers, for limit beyond the time the paper takes. A fault stops the clock; the wait for its end is limited by itself. An answer that is overdue
// is asked for once more, but not if the printer has been silent: a question too many would be answered by one that was switched off
// and on, too.
func (d *Printer) await(ctx context.Context, j *job, limit time.Duration, done func() bool) error {
	var deadline, nudge time.Time
	restart := func(now time.Time) {
		due := now
		if d.stream.paper.After(due) {
			due = d.stream.paper
		}
		deadline, nudge = due.Add(limit), due.Add(nudgeAfter)
	}
	restart(time.Now())
	length := time.Until(d.stream.paper)
	for {
		now := time.Now()
		d.stream.tick(now)
		fault := d.fault()
		if err := j.stuck(fault, now); err != nil {
			return err
		}
		switch {
		case done():
			j.waiting("", time.Time{})
			return nil
		case fault != "":
			if err := j.patience(fault, now); err != nil {
				return err
			}
			if d.stream.paper = now.Add(max(length, 0)); len(d.stream.open) > 0 {
				restart(now)
			}
		default:
			j.waiting("", time.Time{})
			if !now.Before(deadline) {
				return &giveUp{Timeout}
			}
			if !now.Before(nudge) || len(d.stream.open) == 0 { // all is answered, but more proof is wanted
				nudge = now.Add(nudgeAfter)
				if err := d.nudge(j); err != nil {
					return err
				}
			}
		}
		until := now.Add(100 * time.Millisecond)
		if o := d.stream.open; len(o) > 0 && o[0].due.After(now) && o[0].due.Before(until) {
			until = o[0].due
		}
		if err := d.pump(ctx, until, func() bool { return done() || d.fault() != fault }); err != nil {
			return err
		}
	}
}

// nudge asks once more, where that is safe.
func (d *Printer) nudge(j *job) error {
	stop, err := d.stopped()
	if err != nil || stop || !d.boundary || j.strikes != d.poll.strikes || len(d.dialect.polls) == 0 || d.dialect.ask == nil {
		return err
	}
	ask, m := d.dialect.ask, milestone{job: j}
	if j.final != nil && j.sent >= j.plan.total { // only the last word is missing
		id := d.nextID()
		j.ids = append(j.ids, id)
		ask, m.id = processIDCommand(id), &id
	}
	n, err := d.write(ask)
	d.stream.sent += n
	if errors.Is(err, errStuck) {
		d.boundary = n == 0
		return &giveUp{Timeout}
	}
	m.at = d.stream.sent
	d.stream.open = append(d.stream.open, m)
	return err
}

// giveUp ends a job that cannot go on.
type giveUp struct{ reason Reason }

func (g *giveUp) Error() string { return (&Fault{g.reason}).Error() }
