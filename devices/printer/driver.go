package printer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
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
	// OnStatus is called from Run's goroutine when the status has changed.
	OnStatus func(Status)
	// OnLate is called from Run's goroutine when a job reported indeterminate turns out to have been printed after all.
	OnLate func(id string, copy int)
}

// Printer is the driver of one printer on one port. It serves one Run; a port opened anew gets a new Printer.
type Printer struct {
	port    Port
	profile *Profile
	opts    Opts
	wake    chan struct{}
	in      inbox

	mu     sync.Mutex // guards the fields of this block
	status Status
	queue  []*request
	ended  bool

	// Everything below belongs to Run's goroutine.
	parse    parser
	heard    []byte
	heardAt  time.Time
	poll     poller
	flags    flags
	boundary bool // the wire stands between two commands
	paused   bool // the printer said XOFF
	pausedAt time.Time
	byteTime time.Duration // of one byte on the wire
	wireFree time.Time     // when everything written so far has left the wire
	unread   int           // bytes written since the printer's buffer was known to be empty

	number    uint32   // of the last process id
	expect    [4]byte  // process id of the job under way
	confirmed bool     // it was answered
	half      [4]byte  // process id before its last line
	halfway   bool     // it was answered
	owed      int      // GS r sent and not answered
	inOrders  int      // GS r answers so far
	cleared   bool     // the answer to a clear came
	late      []lateID // jobs that were given up without a confirmation

	dirty atomic.Bool // part of a job may be on the paper, not cut off; others may read it

	needHeal bool // the printer may be in the middle of a command
	healAt   time.Time
	cleaned  bool // what a fault held back was cleared
}

// New returns a driver for the printer at port. Nothing happens before [Printer.Run].
func New(port Port, p *Profile, opts *Opts) *Printer {
	d := &Printer{port: port, profile: p, wake: make(chan struct{}, 1), boundary: true, needHeal: true}
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
	d.poll = poller{ns: p.Status.Poll, at: len(p.Status.Poll)}
	d.parse.notTaken = p.Status.NotTaken
	d.dirty.Store(d.opts.Unfinished)
	d.status = d.flags.status(p)
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
	nulls := maxNulls
	for {
		strikes := d.poll.strikes
		err := d.pump(ctx, time.Now().Add(time.Hour), func() bool {
			return d.queued() || d.healDue() || d.poll.strikes != strikes
		})
		if err != nil {
			return err
		}
		switch {
		case d.healDue():
			err = d.heal(ctx)
		case d.queued():
			err = d.serveJob(ctx)
		case nulls > 0 && !d.paused:
			// It may be silent because it takes our questions for the rest of a command.
			n := min(nulls, nullBurst)
			nulls -= n
			err = d.nulls(ctx, n)
		}
		if err != nil {
			return err
		}
	}
}

// Status is the latest status.
func (d *Printer) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

// Ready says whether a job could begin now: nil, or a *[Fault]. Little paper is no reason to refuse.
func (d *Printer) Ready() error {
	if r := d.Status().fault(); r != "" {
		return &Fault{Reason: r}
	}
	return nil
}

// Unfinished says whether a part of a job may be on the paper, not cut off. The next Printer on the same device wants to know.
func (d *Printer) Unfinished() bool { return d.dirty.Load() }

// publish makes the state known if it has changed.
func (d *Printer) publish() {
	s := d.flags.status(d.profile)
	s.Online = d.poll.answerOK || len(d.poll.ns) == 0
	s.At = d.heardAt
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
func (d *Printer) fault() Reason {
	s := d.flags.status(d.profile)
	s.Online = d.poll.answerOK || len(d.poll.ns) == 0
	return s.fault()
}

// end makes Run's end known to those who wait for a job.
func (d *Printer) end(err error) {
	d.poll.answerOK = false
	if len(d.poll.ns) == 0 {
		d.poll.ns = []int{1} // a mute printer counts as online only while its port lives
	}
	d.publish()
	d.mu.Lock()
	d.ended = true
	queue := d.queue
	d.queue = nil
	d.mu.Unlock()
	for _, r := range queue {
		r.done <- Outcome{State: Failed, Reason: endReason(err)}
	}
}
