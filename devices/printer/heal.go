package printer

import (
	"context"
	"errors"
	"time"
)

const (
	nullBurst = 256  // bytes sent to a silent printer between two questions
	maxNulls  = 8192 // and how many in all
	healTries = 7    // times maxCommand: about as many again
	healPause = 5 * time.Second
	clearWait = 2 * time.Second
)

// healDue says whether the printer can be brought back to the start of a command now.
func (d *Printer) healDue() bool {
	if !d.needHeal || time.Now().Before(d.healAt) || !d.poll.answerOK && len(d.poll.ns) > 0 {
		return false
	}
	return d.fault() == "" || d.profile.Clear && !d.cleaned
}

// heal brings a printer of unknown state to a known one. What a fault holds back of an earlier job is cleared where the model can.
// NULs fill up a command that was cut short; a question answered in order then proves that the printer reads commands again. Its
// error is that of the port; a printer that does not come to its senses is tried again later.
func (d *Printer) heal(ctx context.Context) error {
	if d.fault() != "" {
		d.cleaned = true
		_, err := d.clear(ctx)
		return err
	}
	d.healAt = time.Now().Add(healPause)
	for range healTries {
		if err := d.nulls(ctx, maxCommand); err != nil {
			return err
		}
		seen, err := d.reset(ctx)
		if _, ok := errors.AsType[*giveUp](err); ok {
			return nil
		}
		if err != nil {
			return err
		}
		if seen {
			return d.settle(ctx)
		}
		if d.fault() != "" {
			return nil
		}
	}
	return nil
}

// reset puts the printer into its first state and asks it to say so in order.
func (d *Printer) reset(ctx context.Context) (bool, error) {
	d.boundary = true
	cmds := []Command{{esc, '@'}, {fs, '&'}}
	if d.profile.Status.ASB {
		cmds = append(cmds, Command{gs, 'a', 0x0E}) // on-line, error and paper changes
	}
	ask, seen := d.question()
	j := &job{ctx: ctx, faultWait: healPause, silentWait: healPause}
	if err := d.sendQuestion(ctx, j, cmds, ask); err != nil {
		return false, err
	}
	err := d.pump(ctx, time.Now().Add(d.opts.ConfirmWait), func() bool { return seen() || d.fault() != "" })
	return seen(), err
}

// settle waits for a moment without answers: those to older questions have then come, and the next one belongs to the next question.
func (d *Printer) settle(ctx context.Context) error {
	if d.profile.Confirm == ConfirmInOrder && d.owed > 0 {
		for n := -1; n != d.inOrders; {
			n = d.inOrders
			if err := d.pump(ctx, time.Now().Add(quietWait), func() bool { return d.inOrders != n }); err != nil {
				return err
			}
		}
		d.owed = 0
	}
	d.needHeal, d.cleaned, d.unread = false, false, 0
	return nil
}

// nulls sends n NULs, which a printer ignores between commands. It gives up, without an error, on a port that takes none.
func (d *Printer) nulls(ctx context.Context, n int) error {
	burst := make([]byte, d.chunk())
	for n > 0 {
		err := d.pump(ctx, time.Now().Add(healPause), func() bool { return !d.paused })
		if err != nil || d.paused {
			return err
		}
		if err := d.pace(ctx); err != nil {
			return err
		}
		k, err := d.write(burst[:min(n, len(burst))])
		n -= k
		if errors.Is(err, errStuck) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clear empties the printer's buffers whatever it is doing, and says whether it confirmed that.
func (d *Printer) clear(ctx context.Context) (bool, error) {
	d.cleared = false
	_, err := d.write([]byte{dle, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08})
	if errors.Is(err, errStuck) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = d.pump(ctx, time.Now().Add(clearWait), func() bool { return d.cleared })
	d.boundary = true
	return d.cleared, err
}
