package printer

import (
	"context"
	"errors"
	"time"
)

// largeChunk is how many bytes are written at a time while the printer's buffer surely has room for them.
const largeChunk = 64

// lostXON is how long a printer without any fault may stay stopped: its buffer is on paper by then, so the XON was lost.
const lostXON = 15 * time.Second

// turnaround is how long an XOFF may take on a line of unknown speed.
const turnaround = time.Millisecond

// chunk is how many bytes may be on the wire: what the printer still takes after XOFF, more while its buffer cannot fill up.
func (d *Printer) chunk() int {
	if d.unread+largeChunk <= d.profile.Flow.Buffer-d.profile.Flow.Headroom {
		return largeChunk
	}
	// Half of it: the other half may be on its way while the XOFF comes.
	return max(d.profile.Flow.Headroom/2, 1)
}

// pace waits until what was written before has left the wire, but for as much as keeps the line busy where that is harmless.
func (d *Printer) pace(ctx context.Context) error {
	until := d.wireFree
	switch large := d.chunk() == largeChunk; {
	case large && d.byteTime == 0:
		return nil
	case large:
		until = until.Add(-largeChunk * d.byteTime)
	case d.byteTime == 0:
		until = time.Now().Add(turnaround) // the XOFF may be on its way
	}
	if !until.After(time.Now()) {
		return nil
	}
	return d.pump(ctx, until, func() bool { return false })
}

// send writes commands under flow control. Status requests slip in between two commands only. The error is of the port, of ctx, or a
// *[giveUp].
func (d *Printer) send(ctx context.Context, j *job, cmds []Command) error {
	var piece []byte
	for i := 0; i < len(cmds); {
		if err := d.hold(ctx, j); err != nil {
			return err
		}
		// As many whole commands as a chunk holds; a longer one goes alone, in pieces.
		size := d.chunk()
		if len(cmds[i]) > size {
			if err := d.sendLong(ctx, j, cmds[i]); err != nil {
				return err
			}
			i++
			continue
		}
		piece = piece[:0]
		for i < len(cmds) && len(piece)+len(cmds[i]) <= size {
			piece = append(piece, cmds[i]...)
			i++
		}
		if err := d.sendPiece(j, piece); err != nil {
			return err
		}
	}
	return nil
}

func (d *Printer) sendLong(ctx context.Context, j *job, cmd Command) error {
	for rest := []byte(cmd); len(rest) > 0; {
		if err := d.hold(ctx, j); err != nil {
			return err
		}
		n := min(len(rest), d.chunk())
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
	d.unread += n
	if n < len(b) && n > 0 {
		d.boundary = false
	}
	if errors.Is(err, errStuck) {
		return &giveUp{Timeout}
	}
	return err
}

// hold returns when the printer may be given more. A fault stops the sending at the next command boundary, an XOFF anywhere. After
// the job's patience it returns a *[giveUp].
func (d *Printer) hold(ctx context.Context, j *job) error {
	for {
		if err := d.hear(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		fault := d.fault()
		if !d.paused && (fault == "" || !d.boundary) {
			j.waiting("", time.Time{})
			if err := d.pace(ctx); err != nil {
				return err
			}
			if !d.paused && (!d.boundary || d.fault() == "") {
				return nil
			}
			continue
		}
		now := time.Now()
		if fault != "" {
			d.pausedAt = now
		} else if now.Sub(d.pausedAt) >= lostXON && d.boundary && d.poll.answerOK {
			d.paused = false
			continue
		}
		if err := j.patience(fault, now); err != nil {
			return err
		}
		paused := d.paused
		err := d.pump(ctx, now.Add(100*time.Millisecond), func() bool {
			return d.paused != paused || d.fault() != fault
		})
		if err != nil {
			return err
		}
	}
}

// giveUp ends a job that cannot go on.
type giveUp struct{ reason Reason }

func (g *giveUp) Error() string { return (&Fault{g.reason}).Error() }
