package printer

import (
	"context"
	"errors"
	"time"
)

const (
	nullBurst = 256         // bytes sent to a silent printer between two questions
	maxNulls  = 8192        // and how many in all
	healTries = 7           // times maxCommand: about as many again
	healWait  = time.Second // for the answer that shows that it was enough; after the last NUL healPause
	healPause = 5 * time.Second
	healQuiet = 500 * time.Millisecond // without an answer in order: those to older questions have come
	clearWait = 2 * time.Second
)

// healDue says whether the printer can be brought back to the start of a command now.
func (d *Printer) healDue() bool {
	if !d.needHeal || time.Now().Before(d.healAt) || !d.poll.answerOK && len(d.poll.questions) > 0 {
		return false
	}
	return d.fault() == "" || d.profile.Clear && !d.cleaned
}

// heal brings a printer of unknown state to a known one. What a fault holds back of an earlier job is cleared where the model can.
// NULs fill up a command that was cut short; a question answered in order then proves that the printer reads commands again. What is
// on the paper of an unfinished job is then cut off, so that the next visitor is not handed it. Its error is that of the port; a
// printer that does not come to its senses is tried again later.
func (d *Printer) heal(ctx context.Context) error {
	if d.fault() != "" {
		d.cleaned = true
		_, err := d.clear(ctx)
		return err
	}
	d.healAt = time.Now().Add(healPause)
	for try := range healTries {
		if ok, err := d.nulls(ctx, maxCommand); err != nil || !ok {
			if d.healAt = time.Now().Add(healPause); d.fault() != "" {
				d.healAt = time.Time{} // as soon as it is over
			}
			return err
		}
		d.boundary = true
		cmds := []Command{{esc, '@'}, {fs, '&'}}
		if d.dialect.enable != nil {
			cmds = append(cmds, d.dialect.enable)
		}
		wait := healWait
		if try == healTries-1 {
			wait = healPause
		}
		seen, err := d.exchange(ctx, cmds, wait)
		if err != nil {
			return err
		}
		if seen {
			return d.settle(ctx)
		}
		if d.fault() != "" {
			d.healAt = time.Time{} // as soon as it is over
			return nil
		}
	}
	return nil
}

// settle makes the next answer in order belong to the next question, and cuts off what an unfinished job left on the paper.
func (d *Printer) settle(ctx context.Context) error {
	if d.profile.Confirm.Method == ConfirmInOrder {
		// The printer may owe answers to questions of an earlier job, or of an earlier life of this program.
		for n := -1; n != d.inOrders; {
			n = d.inOrders
			if err := d.pump(ctx, time.Now().Add(healQuiet), func() bool { return d.inOrders != n }); err != nil {
				return err
			}
		}
		d.learned = false
	}
	before := d.lastInOrder
	var cmds []Command
	if d.dirty.Load() {
		cut := &encoder{p: d.profile}
		cut.add(lf)
		cut.cut()
		cmds = cut.cmds
		if away := d.dialect.retract; away != nil {
			cmds = append(cmds, away)
		} else if d.dialect.present != nil {
			cmds = append(cmds, d.dialect.present)
		}
	}
	if len(cmds) > 0 || d.dialect.ask != nil {
		if seen, err := d.exchange(ctx, cmds, healPause); err != nil || !seen {
			return err
		}
	}
	if d.dialect.ask != nil && d.profile.Confirm.Method == ConfirmInOrder {
		d.usual, d.learned = d.lastInOrder, true
		d.learned = d.plausible(before) // else one of the two was noise
	}
	d.dirty.Store(false)
	d.stream.settled()
	d.needHeal, d.cleaned, d.clears = false, false, 0
	return nil
}

// exchange sends commands and a question behind them, and says whether it was answered. A mute printer answers by the clock.
func (d *Printer) exchange(ctx context.Context, cmds []Command, wait time.Duration) (bool, error) {
	d.stream.settled()
	j := &job{ctx: ctx, faultWait: healPause, brief: true, strikes: -1, silences: d.poll.silences}
	j.plan = &plan{}
	for _, c := range cmds {
		j.plan.steps = append(j.plan.steps, step{cmd: c})
	}
	switch {
	case d.profile.Confirm.Method == ConfirmProcessID:
		id := d.nextID()
		j.plan.steps = append(j.plan.steps, step{cmd: processIDCommand(id), mark: true, id: &id})
	default:
		j.plan.steps = append(j.plan.steps, step{cmd: d.dialect.ask, mark: true})
	}
	err := d.send(ctx, j)
	if err == nil {
		err = d.await(ctx, j, wait, func() bool { return j.answered > 0 })
	}
	if _, ok := errors.AsType[*giveUp](err); ok {
		return false, nil
	}
	return err == nil, err
}

// nulls sends n NULs, which a printer ignores between commands. It is false if the port or the printer takes none.
func (d *Printer) nulls(ctx context.Context, n int) (bool, error) {
	burst := make([]byte, d.chunk())
	for n > 0 {
		for end := time.Now().Add(healPause); ; {
			stop, err := d.stopped()
			if err != nil {
				return false, err
			}
			if !stop {
				break
			}
			fault := d.fault()
			if fault != "" && fault != Offline || !time.Now().Before(end) {
				return false, nil
			}
			if d.paused && fault == "" && time.Until(end) < healPause-guardedXON {
				d.paused = false // the XON was lost, and a NUL that is lost does no harm
			}
			if err := d.watch(ctx, stop, d.fault()); err != nil {
				return false, err
			}
		}
		if err := d.pace(ctx); err != nil {
			return false, err
		}
		k, err := d.write(burst[:min(n, len(burst))])
		n -= k
		if errors.Is(err, errStuck) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// clear empties the printer's buffers whatever it is doing, and says whether it confirmed that.
func (d *Printer) clear(ctx context.Context) (bool, error) {
	d.clears = max(d.clears, 0) + 1 // an answer to an earlier one may still come
	_, err := d.write([]byte{dle, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08})
	if errors.Is(err, errStuck) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = d.pump(ctx, time.Now().Add(clearWait), func() bool { return d.clears <= 0 })
	ok := d.clears <= 0
	if ok {
		d.boundary = true
	}
	return ok, err
}
