package printer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Opts are the settings of a [Printer]. The zero value is ready to use.
type Opts struct {
	// Baud is the speed of the line in bits per second (8N1: ten bits a byte). With it the driver never hands the port more than it
	// could hold back when the printer says stop. Zero is for a port whose Write returns only when the other side has the bytes.
	Baud int
	// FaultWait is how long a job waits for paper, for the cover and the like before it is given up. Default 90 s.
	FaultWait time.Duration
	// SilentWait is how long a job waits for a printer that has stopped answering. Default 10 s.
	SilentWait time.Duration
	// ConfirmWait is how long after the computed end of printing the confirmation may come. Default 10 s.
	ConfirmWait time.Duration
	// Unfinished says that a job was begun on this printer and not confirmed: [Printer.Unfinished] of its last Printer, or, after a
	// start of the program, an outcome kept from its earlier life. What is on the paper of it is cut off before the next job.
	Unfinished bool
	// RemindAfter is how long a receipt may stand in the output before [Forgotten] is told. Zero: never.
	RemindAfter time.Duration
	// RetractAfter is how long it may stand there before it is taken back, where the model can: the next visitor must not find it.
	// Zero: never.
	RetractAfter time.Duration
	// GiveUpAfter is how long the printer may stay silent before Run ends with an error that wraps [ErrSilent], so that the port can be
	// opened anew or its adapter be reset. Zero: never.
	GiveUpAfter time.Duration
	// OnStatus is called from Run's goroutine when the status has changed. That Run ends is no change: its caller knows why it does.
	OnStatus func(Status)
	// OnLate is called from Run's goroutine when a job reported indeterminate turns out to have been printed after all.
	OnLate func(id string, copy int)
}

// Printer is the driver of one printer on one port. It serves one Run; a port opened anew gets a new Printer.
type Printer struct {
	port    Port
	profile *Profile
	dialect *dialect
	opts    Opts
	wake    chan struct{}
	in      inbox

	mu     sync.Mutex // guards the fields of this block
	status Status
	queue  []*request
	ended  error // why Run ended

	// Everything below belongs to Run's goroutine.
	parse     parser
	heard     []byte
	heardAt   time.Time
	poll      poller
	flags     flags
	mouth     mouth
	stream    stream
	boundary  bool                 // the wire stands between two commands
	paused    bool                 // the printer said XOFF
	line      func() (bool, error) // the modem line that says go on, nil if there is none
	lineWorks bool
	stoppedAt time.Time     // since when it has been stopped, while there is something to send
	byteTime  time.Duration // of one byte on the wire
	wireFree  time.Time     // when everything written so far has left the wire
	working   bool          // a job is under way
	doubt     int           // bytes so far that were noise, or may have been

	number      uint32   // of the last process id
	inOrders    int      // answers in order so far
	lastInOrder byte     // the latest of them
	learned     bool     // usual is what this printer's answers in order look like
	usual       byte     //
	clears      int      // clears that were not answered
	late        []lateID // jobs that were given up without a confirmation

	dirty atomic.Bool // part of a job may be on the paper, not cut off; others may read it

	needHeal bool // the printer may be in the middle of a command
	healAt   time.Time
	cleaned  bool // what a fault held back was cleared
}

// New returns a driver for the printer at port. Nothing happens before [Printer.Run].
func New(port Port, p *Profile, opts *Opts) *Printer {
	lang, _ := compile(p) // checked when it was read
	d := &Printer{port: port, profile: p, dialect: lang, wake: make(chan struct{}, 1), boundary: true, needHeal: true}
	d.parse = parser{frames: lang.frames, xonxoff: p.Flow.Control == FlowXonXoff}
	d.poll = poller{questions: lang.polls, at: len(lang.polls)}
	d.mouth.now = PresenceUnknown
	d.line = modemLine(port, p.Flow.Control)
	if opts != nil {
		d.opts = *opts
	}
	set := func(v *time.Duration, def time.Duration) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&d.opts.FaultWait, 90*time.Second)
	set(&d.opts.SilentWait, 10*time.Second)
	set(&d.opts.ConfirmWait, 10*time.Second)
	if d.opts.Baud > 0 {
		d.byteTime = 10 * time.Second / time.Duration(d.opts.Baud)
	}
	d.dirty.Store(d.opts.Unfinished)
	d.status = d.state()
	// Not from zero: an answer meant for an earlier life of the program must not fit a job of this one.
	var seed [4]byte
	rand.Read(seed[:])
	d.number = binary.LittleEndian.Uint32(seed[:])
	return d
}

// Run serves the printer until ctx ends or the port breaks; then the error wraps [ErrGone]. It heals a printer that an earlier life of
// the program left in the middle of a command, keeps the status, and prints jobs one after the other. It does not close the port.
func (d *Printer) Run(ctx context.Context) error {
	if err := d.port.SetReadDeadline(time.Time{}); err != nil {
		err = fmt.Errorf("cannot use printer port: %w: %w", ErrGone, err)
		d.end(err)
		return err
	}
	readCtx, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() { d.read(readCtx) })
	d.publish()
	err := d.serve(ctx)
	stop()
	d.port.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; a broken port has woken it already
	reader.Wait()
	d.end(err)
	return err
}

// serve is the life of Run: jobs in the order they came, and between them the care for the printer.
func (d *Printer) serve(ctx context.Context) error {
	// Before the first question: the printer may be waiting for the length of a command, and would take a question for one of thousands.
	d.boundary = false
	if _, err := d.nulls(ctx, maxCommand); err != nil {
		return err
	}
	d.boundary = true
	nulls := maxNulls
	lastWord := time.Now()
	for {
		strikes := d.poll.strikes
		until := time.Now().Add(time.Hour)
		if t, ok := d.mouthDue(); ok && t.Before(until) {
			until = t
		}
		err := d.pump(ctx, until, func() bool {
			return d.queued() || d.healDue() || d.poll.strikes != strikes || d.mouthChanged(until)
		})
		if err != nil {
			return err
		}
		now := time.Now()
		due, something := d.mouthDue()
		switch {
		case d.queued(): // it heals the printer itself where need be
			err = d.serveJob(ctx)
		case d.healDue():
			err = d.heal(ctx)
		case something && !due.After(now):
			err = d.forgotten(ctx, now)
		case nulls > 0 && d.poll.run >= silence && !d.paused:
			// It may be silent because it takes our questions for the rest of a command.
			n := min(nulls, nullBurst)
			nulls -= n
			_, err = d.nulls(ctx, n)
		}
		if err != nil {
			return err
		}
		if d.poll.answerOK || len(d.poll.questions) == 0 {
			lastWord = time.Now()
		} else if after := d.opts.GiveUpAfter; after > 0 && time.Since(lastWord) >= after {
			return fmt.Errorf("cannot reach printer: %w: no answer for %v", ErrSilent, time.Since(lastWord).Round(time.Second))
		}
	}
}

// mouthChanged says whether something must be done about the output before that time.
func (d *Printer) mouthChanged(before time.Time) bool {
	t, ok := d.mouthDue()
	return ok && t.Before(before)
}

// idle says whether nothing is being printed, so that questions in order are answered at once. A jam in the output does not count: it
// may be such a question that tells its end.
func (d *Printer) idle() bool {
	s := d.state()
	s.Output = "unknown"
	return !d.working && !d.needHeal && len(d.stream.open) == 0 && s.fault() == "" && !d.paused
}

// Status is the latest status.
func (d *Printer) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

// Ready says whether a job could begin now: nil, or a *[Fault], which is [ErrGone] once the port has broken and [ErrSilent] while the
// printer does not answer. Little paper is no reason to refuse.
func (d *Printer) Ready() error {
	d.mu.Lock()
	ended, r := d.ended, d.status.fault()
	d.mu.Unlock()
	if errors.Is(ended, ErrGone) {
		r = Gone
	}
	if r != "" {
		return &Fault{Reason: r}
	}
	return nil
}

// Unfinished says whether a part of a job may be on the paper, not cut off. The next Printer on the same device wants to know.
func (d *Printer) Unfinished() bool { return d.dirty.Load() }

// state is what is known now.
func (d *Printer) state() Status {
	s := d.flags.status()
	s.Online = d.poll.answerOK || len(d.dialect.polls) == 0
	s.Presenter = d.mouth.now
	s.At = d.heardAt
	return s
}

// publish makes the state known if it has changed.
func (d *Printer) publish() {
	if !d.working {
		d.watchMouth(time.Now())
	}
	s := d.state()
	d.mu.Lock()
	old := d.status
	d.status = s
	d.mu.Unlock()
	old.At = s.At
	if s != old && d.opts.OnStatus != nil {
		d.opts.OnStatus(s)
	}
}

// fault is what keeps the printer from printing now.
func (d *Printer) fault() Reason { return d.state().fault() }

// paperTime is the time that dots of paper take.
func (d *Printer) paperTime(dots int) time.Duration {
	return time.Duration(float64(dots) * 25.4 / float64(d.profile.DPI) / float64(d.profile.Speed) * float64(time.Second))
}

// end makes Run's end known to those who wait for a job. A mute printer, too, counts as online only while its port lives.
func (d *Printer) end(err error) {
	s := d.state()
	s.Online = false
	d.mu.Lock()
	d.status, d.ended = s, err
	queue := d.queue
	d.queue = nil
	d.mu.Unlock()
	for _, r := range queue {
		r.done <- Outcome{State: Failed, Reason: endReason(err)}
	}
}
