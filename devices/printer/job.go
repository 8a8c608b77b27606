package printer

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Job is one receipt. ID names it in OnLate. A Copy above 0 is marked 补打 with that number in its first line. OnPresence, which may be
// nil, is called from Run's goroutine when the receipt stands in the printer's output, is forgotten there, was taken or was taken back,
// until the next job begins.
type Job struct {
	ID         string
	Copy       int
	Doc        *Document
	OnPresence func(Presence)
}

// State is how a job ended. Values are stable: they are kept in journals.
type State string

// The ends of a job.
const (
	Printed       State = "printed"       // the printer said so for this job
	Sent          State = "sent"          // taken by a printer that cannot say more
	Failed        State = "failed"        // not printed, and it will not come out later: at most a beginning of it ever does
	Indeterminate State = "indeterminate" // nobody can know; a person must look. Printing it again makes a copy.
)

// Outcome is the end of a job. Bytes counts what went on the wire for it, status requests not included.
type Outcome struct {
	State  State
	Reason Reason
	Bytes  int
	// Held says of a job that failed that the printer may still hold lines of its beginning and print them once the fault is over. They
	// are then cut off before anything else is printed.
	Held bool
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

const (
	maxLate   = 32                     // process ids of unconfirmed jobs that are remembered for a late word of the printer
	stuckWait = 30 * time.Second       // beyond the wait for a fault, in which nothing moves at all
	maxDoubt  = 8                      // more noise than that is not answered with more questions
	cutTime   = 500 * time.Millisecond // to cut, and as long again to present
)

type lateID struct {
	id   [4]byte
	job  string
	copy int
}

// Print prints one job and returns when its outcome is known. Jobs of several callers are printed in the order of their calls. The end
// of ctx withdraws a job of which nothing has been sent yet, and ends the waiting for paper or another remedy; else a job under way is
// finished, for a half receipt helps nobody. progress may be nil; it is called from Run's goroutine and must not block.
func (d *Printer) Print(ctx context.Context, job Job, progress func(Progress)) Outcome {
	r := &request{job: job, ctx: ctx, progress: progress, done: make(chan Outcome, 1)}
	d.mu.Lock()
	if d.ended != nil {
		defer d.mu.Unlock()
		return Outcome{State: Failed, Reason: endReason(d.ended)}
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
	brief                 bool // no fault is waited for
	report                func(Progress)
	plan                  *plan
	sent                  int // bytes of the plan
	answered              int // milestones
	final                 *[4]byte
	ids                   [][4]byte // process ids that would confirm it: final, and those asked when its answer was overdue
	confirmed             bool
	doubt                 int       // of the driver when the job began
	strikes, silences     int       // of the poller when the job began
	since                 time.Time // when the present standstill began
	silent                time.Time // when the printer fell silent in it
	wait                  Reason
	stood                 standstill
}

// standstill bounds how long a job may stand still in all, though a fault comes and goes, or a bad line makes it seem so.
type standstill struct {
	sent, answered int
	since          time.Time
}

// stuck gives up a job that has not moved for longer than any fault is waited for.
func (j *job) stuck(fault Reason, now time.Time) error {
	if s := &j.stood; s.since.IsZero() || s.sent != j.sent || s.answered != j.answered {
		*s = standstill{j.sent, j.answered, now}
	}
	if now.Sub(j.stood.since) < j.faultWait+stuckWait {
		return nil
	}
	if fault == "" {
		fault = Timeout
	}
	return &giveUp{fault}
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
	if j.report != nil && j.plan != nil {
		j.report(Progress{Sent: j.sent, Total: j.plan.total, Waiting: j.wait})
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
	case fault != "" && j.brief:
		return &giveUp{fault}
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
	j.doubt, j.strikes, j.silences = d.doubt, d.poll.strikes, d.poll.silences
	d.working = true
	state, err := d.print(ctx, j, r.job)
	out := Outcome{State: state, Bytes: j.sent}
	give, gaveUp := errors.AsType[*giveUp](err)
	switch {
	case err == nil:
		d.stream.settled()
	case gaveUp:
		out, err = d.abandon(ctx, j, give.reason)
	default:
		out.State, out.Reason = j.unconfirmed(), endReason(err)
		out.Held = out.State == Failed && j.sent > 0
	}
	if out.State == Indeterminate && d.opts.OnLate != nil {
		for _, id := range j.ids {
			d.late = append(d.late, lateID{id, r.job.ID, r.job.Copy})
		}
		d.late = d.late[max(len(d.late)-maxLate, 0):]
	}
	d.working = false
	if out.State != Failed {
		d.newInMouth(r.job.OnPresence)
	}
	r.done <- out
	return err
}

func endReason(err error) Reason {
	switch {
	case errors.Is(err, ErrGone):
		return Gone
	case errors.Is(err, ErrSilent):
		return Offline
	}
	return Cancelled
}

// unconfirmed is what can be said of a job that was not confirmed: as long as its last ink was not sent, no whole receipt can come out.
func (j *job) unconfirmed() State {
	if j.plan == nil || j.sent <= j.plan.vital {
		return Failed
	}
	return Indeterminate
}

// print takes a job from its document to the printer's word for it.
func (d *Printer) print(ctx context.Context, j *job, what Job) (State, error) {
	doc := what.Doc
	if what.Copy > 0 {
		doc = &Document{Blocks: append([]Block{copyMark(what.Copy)}, doc.Blocks...)}
	}
	cmds, err := Encode(doc, d.profile)
	if err != nil {
		return "", &giveUp{BadDocument}
	}
	if err := d.prepare(ctx, j); err != nil {
		return "", err
	}
	if d.profile.Confirm.Method == ConfirmProcessID {
		id := d.nextID()
		j.final, j.ids = &id, [][4]byte{id}
	}
	j.plan = makePlan(d.presenting(cmds), d.profile, d.dialect, j.final)
	d.dirty.Store(true)
	j.tell()
	err = d.send(ctx, j)
	d.dirty.Store(j.sent > 0)
	if err != nil {
		return "", err
	}
	j.tell()
	if err := d.await(ctx, j, d.opts.ConfirmWait, func() bool { return d.proven(j) }); err != nil {
		return "", err
	}
	state := Printed
	switch d.profile.Confirm.Method {
	case ConfirmInOrder:
		err = d.catchUp(ctx, j)
	case ConfirmNone:
		state = Sent
		err = d.drain(ctx)
	}
	if err != nil {
		return "", err
	}
	d.dirty.Store(false)
	if j.final == nil && d.doubt != j.doubt {
		d.needHeal = true // an answer in order may still be on its way
	}
	return state, nil
}

// presenting puts the command that pushes the receipt out behind each cut.
func (d *Printer) presenting(cmds []Command) []Command {
	if d.dialect.present == nil {
		return cmds
	}
	var out []Command
	for _, c := range cmds {
		if out = append(out, c); slices.Equal(c, d.dialect.cutOff) {
			out = append(out, d.dialect.present)
		}
	}
	return out
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
	d.watchMouth(time.Now())
	d.working = false // for the sensors of the output, which are looked at between jobs
	err = d.freeMouth(ctx)
	d.working = true
	j.doubt, j.strikes, j.silences = d.doubt, d.poll.strikes, d.poll.silences
	return err
}

// proven says whether the printer has answered for the whole job. Each byte of noise since its beginning may have been taken for an
// answer in order, or have hidden among them, so there must be that many more.
func (d *Printer) proven(j *job) bool {
	if j.final != nil {
		return j.confirmed
	}
	doubt := 0
	if d.profile.Confirm.Method == ConfirmInOrder {
		doubt = min(d.doubt-j.doubt, maxDoubt)
	}
	return j.answered >= j.plan.marks+doubt
}

// catchUp makes sure that nothing holds the paper back: an answer in order may come before the last of it is out.
func (d *Printer) catchUp(ctx context.Context, j *job) error {
	wait := time.Duration(0)
	if n := d.profile.Confirm.Ahead; n > 0 {
		wait = d.paperTime(n) + cutTime
		if d.dialect.present != nil {
			wait += cutTime
		}
	}
	for until := time.Now().Add(wait); ; {
		fault := d.fault()
		if err := j.stuck(fault, time.Now()); err != nil {
			return err
		}
		if fault != "" {
			if err := j.patience(fault, time.Now()); err != nil {
				return err
			}
			if err := d.pump(ctx, time.Now().Add(100*time.Millisecond), func() bool { return d.fault() != fault }); err != nil {
				return err
			}
			until = time.Now().Add(wait)
			continue
		}
		j.waiting("", time.Time{})
		if err := d.pump(ctx, until, func() bool { return d.fault() != "" }); err != nil {
			return err
		}
		if d.fault() != "" {
			continue
		}
		ok, err := d.refresh(ctx)
		switch {
		case err != nil:
			return err
		case d.poll.silences != j.silences && wait > 0: // what it had not printed yet may be forgotten
			return &giveUp{Offline}
		case d.fault() == "" && !ok:
			return &giveUp{Timeout}
		case d.fault() == "":
			return nil
		}
	}
}

// drain makes sure that a printer that confirms nothing has at least got everything.
func (d *Printer) drain(ctx context.Context) error {
	if p, ok := d.port.(interface{ Drain(context.Context) error }); ok {
		drain, cancel := context.WithTimeout(ctx, d.opts.ConfirmWait)
		err := p.Drain(drain)
		cancel()
		if err != nil {
			return &giveUp{Timeout}
		}
	}
	if _, err := d.refresh(ctx); err != nil {
		return err
	}
	if r := d.fault(); r != "" {
		return &giveUp{r}
	}
	stop, err := d.stopped()
	if err == nil && stop {
		err = &giveUp{Timeout}
	}
	return err
}

// abandon ends a job that was given up. What the printer holds of it is cleared where the model can.
func (d *Printer) abandon(ctx context.Context, j *job, reason Reason) (Outcome, error) {
	out := Outcome{State: j.unconfirmed(), Reason: reason, Bytes: j.sent}
	if j.sent == 0 {
		return out, nil
	}
	d.needHeal = true
	d.boundary = true // the end of the fault must be asked for, whatever it does to a command that is given up anyway
	out.Held = out.State == Failed
	if !d.profile.Clear || d.fault() == Offline {
		return out, nil
	}
	ok, err := d.clear(ctx)
	d.cleaned = ok
	if j.confirmed { // the word came while we were about to give up
		d.dirty.Store(false)
		return Outcome{State: Printed, Bytes: j.sent}, err
	}
	out.Held = out.Held && !ok
	return out, err
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

// processed takes the answer to a process id.
func (d *Printer) processed(id [4]byte) {
	if !d.stream.processed(id) && !slices.ContainsFunc(d.late, func(l lateID) bool { return l.id == id }) {
		d.doubt++
	}
	for _, l := range d.late {
		if l.id == id {
			// Its other ids are of the same job.
			d.late = slices.DeleteFunc(d.late, func(o lateID) bool { return o.job == l.job && o.copy == l.copy })
			d.opts.OnLate(l.job, l.copy)
			return
		}
	}
}
