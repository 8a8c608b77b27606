package printer

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Job is one receipt. ID names it in OnLate. A Copy above 0 is marked 补打 with that number in its first line.
type Job struct {
	ID   string
	Copy int
	Doc  *Document
}

// State is how a job ended. Values are stable: they are kept in journals.
type State string

// The ends of a job.
const (
	Printed       State = "printed"       // the printer said so for this job
	Sent          State = "sent"          // taken by a printer that cannot say more
	Failed        State = "failed"        // not printed, and it will not come out later
	Indeterminate State = "indeterminate" // nobody can know; a person must look. Printing it again makes a copy.
)

// Outcome is the end of a job. Bytes counts what went on the wire for it, status requests not included.
type Outcome struct {
	State  State
	Reason Reason
	Bytes  int
}

// Progress tells how far a job is. Waiting is the fault that holds it up, empty when it goes on.
type Progress struct {
	Sent, Total int // bytes
	Waiting     Reason
}

// request is a job on its way from Print to Run.
type request struct {
	job      Job
	ctx      context.Context
	progress func(Progress)
	done     chan Outcome
}

// maxLate is how many unconfirmed jobs are remembered for a late word of the printer.
const maxLate = 16

type lateID struct {
	expect [4]byte
	id     string
	copy   int
}

// Print prints one job and returns when its outcome is known. Jobs of several callers are printed in the order of their calls. The end
// of ctx withdraws a job of which nothing has been sent yet, and ends the waiting for paper or another remedy; else a job under way is
// finished, for a half receipt helps nobody. progress may be nil; it is called from Run's goroutine and must not block.
func (d *Printer) Print(ctx context.Context, job Job, progress func(Progress)) Outcome {
	r := &request{job: job, ctx: ctx, progress: progress, done: make(chan Outcome, 1)}
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		return Outcome{State: Failed, Reason: Gone}
	}
	d.queue = append(d.queue, r)
	d.mu.Unlock()
	d.wakeUp()
	select {
	case out := <-r.done:
		return out
	case <-ctx.Done():
	}
	d.mu.Lock()
	i := slices.Index(d.queue, r)
	if i >= 0 {
		d.queue = slices.Delete(d.queue, i, i+1)
	}
	d.mu.Unlock()
	if i >= 0 {
		return Outcome{State: Failed, Reason: Cancelled}
	}
	d.wakeUp() // it may be waiting for paper
	return <-r.done
}

func (d *Printer) queued() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue) > 0
}

// job is what Run keeps of the job under way.
type job struct {
	ctx                   context.Context // of the caller
	faultWait, silentWait time.Duration
	sent, total           int
	report                func(Progress)
	since                 time.Time // when the present standstill began
	silent                time.Time // when the printer fell silent in it
	wait                  Reason
	strikes               int // of the poller when the job began
}

// waiting notes and reports what the job waits for; "" means that it goes on.
func (j *job) waiting(r Reason, since time.Time) {
	j.since = since
	if r != j.wait {
		j.wait = r
		j.tell()
	}
}

func (j *job) tell() {
	if j.report != nil {
		j.report(Progress{Sent: j.sent, Total: j.total, Waiting: j.wait})
	}
}

// patience counts a standstill and ends it after the time allowed, or with the caller's context.
func (j *job) patience(fault Reason, now time.Time) error {
	since := j.since
	if since.IsZero() {
		since = now
	}
	if fault == Offline && j.wait != Offline {
		j.silent = now
	}
	j.waiting(fault, since)
	switch {
	case fault == "" && now.Sub(since) >= j.faultWait:
		return &giveUp{Timeout}
	case now.Sub(since) >= j.faultWait, fault == Offline && now.Sub(j.silent) >= j.silentWait:
		return &giveUp{fault}
	case j.ctx.Err() != nil:
		return &giveUp{Cancelled}
	}
	return nil
}

// serveJob prints the first job of the queue. Its error is that of the port or of ctx.
func (d *Printer) serveJob(ctx context.Context) error {
	d.mu.Lock()
	if len(d.queue) == 0 { // withdrawn meanwhile
		d.mu.Unlock()
		return nil
	}
	r := d.queue[0]
	d.queue = slices.Delete(d.queue, 0, 1)
	d.mu.Unlock()

	j := &job{ctx: r.ctx, faultWait: d.opts.FaultWait, silentWait: d.opts.SilentWait, report: r.progress}
	state, err := d.print(ctx, j, r.job)
	out := Outcome{State: state, Bytes: j.sent}
	give, gaveUp := errors.AsType[*giveUp](err)
	switch {
	case err == nil:
		d.unread = 0
	case gaveUp:
		out, err = d.abandon(ctx, j, give.reason)
	default:
		out.State, out.Reason = Indeterminate, endReason(err)
		if j.sent == 0 {
			out.State = Failed
		}
	}
	if out.State == Indeterminate && d.profile.Confirm == ConfirmProcessID && d.opts.OnLate != nil {
		d.late = append(d.late, lateID{d.expect, r.job.ID, r.job.Copy})
		d.late = d.late[max(len(d.late)-maxLate, 0):]
	}
	r.done <- out
	return err
}

func endReason(err error) Reason {
	if errors.Is(err, ErrGone) {
		return Gone
	}
	return Cancelled
}

// print takes a job from its document to the printer's word for it.
func (d *Printer) print(ctx context.Context, j *job, what Job) (State, error) {
	doc := what.Doc
	if what.Copy > 0 {
		doc = &Document{Blocks: append([]Block{copyMark(what.Copy)}, doc.Blocks...)}
	}
	enc, err := encode(doc, d.profile)
	if err != nil {
		return "", &giveUp{BadDocument}
	}
	if err := d.prepare(ctx, j); err != nil {
		return "", err
	}
	cmds := enc.cmds
	d.half, d.halfway, j.strikes = [4]byte{}, false, d.poll.strikes
	if d.profile.Clear && d.profile.Confirm == ConfirmProcessID {
		// Asked before the last line: while there is no answer to this, a clear leaves no whole receipt.
		d.half = d.nextID()
		cmds = slices.Insert(cmds, enc.last, processIDCommand(d.half))
	}
	was := d.dirty.Swap(true)
	if was {
		cut := &encoder{p: d.profile}
		cut.add(lf)
		cut.cut()
		cmds = append(cut.cmds, cmds...)
	}
	ask, seen := d.question()
	j.total = len(ask)
	for _, c := range cmds {
		j.total += len(c)
	}
	j.tell()
	if err := d.sendQuestion(ctx, j, cmds, ask); err != nil {
		d.dirty.Store(was || j.sent > 0)
		return "", err
	}
	j.tell()
	length := time.Duration(d.paperLength(doc)) * time.Second / time.Duration(d.profile.Speed)
	if ask == nil {
		return d.mute(ctx, j, length)
	}
	if err := d.confirm(ctx, j, seen, length+d.opts.ConfirmWait); err != nil {
		return "", err
	}
	if d.profile.Confirm == ConfirmInOrder {
		// Executed; now make sure that nothing holds the paper back.
		if _, err := d.refresh(ctx); err != nil {
			return "", err
		}
		if d.flags.stopped || d.flags.cover || d.flags.cutter {
			return "", &giveUp{d.fault()}
		}
	}
	d.dirty.Store(false)
	return Printed, nil
}

// prepare refuses a job that cannot be finished, by what the printer says now and not a second ago.
func (d *Printer) prepare(ctx context.Context, j *job) error {
	if j.ctx.Err() != nil {
		return &giveUp{Cancelled}
	}
	ok, err := d.refresh(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return &giveUp{Offline}
	}
	if r := d.fault(); r != "" {
		return &giveUp{r}
	}
	if d.needHeal {
		if err := d.heal(ctx); err != nil {
			return err
		}
		if r := d.fault(); r != "" {
			return &giveUp{r}
		}
		if d.needHeal {
			return &giveUp{Offline}
		}
	}
	return nil
}

// confirm waits for the printer's word. A fault stops the clock; the wait for its end is limited by itself.
func (d *Printer) confirm(ctx context.Context, j *job, seen func() bool, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		fault := d.fault()
		now := time.Now()
		switch {
		case seen():
			j.waiting("", time.Time{})
			return nil
		case fault != "":
			if err := j.patience(fault, now); err != nil {
				return err
			}
			deadline = now.Add(limit)
		default:
			j.waiting("", time.Time{})
			if !now.Before(deadline) {
				return &giveUp{Timeout}
			}
		}
		err := d.pump(ctx, now.Add(100*time.Millisecond), func() bool { return seen() || d.fault() != fault })
		if err != nil {
			return err
		}
	}
}

// mute waits as long as the paper takes, for a printer that confirms nothing.
func (d *Printer) mute(ctx context.Context, j *job, length time.Duration) (State, error) {
	until := d.wireFree
	if now := time.Now(); until.Before(now) {
		until = now
	}
	if p, ok := d.port.(interface{ Drain(context.Context) error }); ok {
		drain, cancel := context.WithTimeout(ctx, d.opts.ConfirmWait)
		err := p.Drain(drain)
		cancel()
		if err != nil {
			return "", &giveUp{Timeout}
		}
	}
	never := func() bool { return false }
	if err := d.pump(ctx, until.Add(length), never); err != nil {
		return "", err
	}
	if _, err := d.refresh(ctx); err != nil {
		return "", err
	}
	if r := d.fault(); r != "" || d.paused {
		return "", &giveUp{r}
	}
	d.dirty.Store(false)
	return Sent, nil
}

// abandon ends a job that was given up. If a fault keeps the printer from printing and the rest can be cleared, the job has failed for
// certain; else only a job of which nothing was sent has.
func (d *Printer) abandon(ctx context.Context, j *job, reason Reason) (Outcome, error) {
	out := Outcome{State: Failed, Reason: reason, Bytes: j.sent}
	if j.sent == 0 {
		return out, nil
	}
	out.State = Indeterminate
	d.needHeal = true
	fault := d.fault()
	if !d.profile.Clear || fault == "" || fault == Offline {
		return out, nil
	}
	ok, err := d.clear(ctx)
	if err != nil {
		return out, err
	}
	d.cleaned = ok
	if d.confirmed { // the word came while we were about to give up
		d.dirty.Store(false)
		return Outcome{State: Printed, Bytes: j.sent}, nil
	}
	// Once the last line may be on paper, nobody can know whether it is. The same if an answer may have been lost.
	if ok && !d.halfway && j.strikes == d.poll.strikes {
		out.State = Failed
	}
	return out, nil
}

// question is the command that makes the printer confirm what came before it, and whether it has. Without one, nothing is confirmed.
func (d *Printer) question() (Command, func() bool) {
	switch d.profile.Confirm {
	case ConfirmProcessID:
		d.expect, d.confirmed = d.nextID(), false
		return processIDCommand(d.expect), func() bool { return d.confirmed }
	case ConfirmInOrder:
		n := d.inOrders
		return Command{gs, 'r', 1}, func() bool { return d.inOrders != n }
	}
	return nil, func() bool { return true }
}

// nextID is a process id that was not used before.
func (d *Printer) nextID() (id [4]byte) {
	d.number++
	n := d.number
	for i := range id {
		id[i] = byte(0x20 + n%95)
		n /= 95
	}
	return id
}

func processIDCommand(id [4]byte) Command {
	return append(Command{gs, '(', 'H', 6, 0, '0', '0'}, id[:]...)
}

// sendQuestion sends commands and then a question, if there is one. An answer in order that came before the question is not its own.
func (d *Printer) sendQuestion(ctx context.Context, j *job, cmds []Command, ask Command) error {
	if err := d.send(ctx, j, cmds); err != nil || ask == nil {
		return err
	}
	if d.profile.Confirm == ConfirmInOrder {
		if err := d.pump(ctx, time.Now().Add(turnaround), func() bool { return false }); err != nil {
			return err
		}
		d.owed++
	}
	return d.send(ctx, j, []Command{ask})
}

// processed takes the answer to a process id.
func (d *Printer) processed(id [4]byte) {
	switch id {
	case d.expect:
		d.confirmed = true
	case d.half:
		d.halfway = true
	}
	for i, l := range d.late {
		if l.expect == id {
			d.late = slices.Delete(d.late, i, i+1)
			d.opts.OnLate(l.id, l.copy)
			return
		}
	}
}

// paperLength is the length of a document in millimetres, the feed to the cutter included.
func (d *Printer) paperLength(doc *Document) int {
	n := 12*8 + d.profile.Cut.FeedDots
	for _, l := range layout(doc, d.profile) {
		switch {
		case l.kind == qrLine:
			n += d.profile.Dots // it cannot be higher than the paper is wide
		case l.size == 2:
			n += d.profile.LineDots + 24
		default:
			n += d.profile.LineDots
		}
	}
	return (n + 7) / 8
}
