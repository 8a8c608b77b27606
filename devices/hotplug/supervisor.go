package hotplug

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// State is the condition of a device that is kept open.
type State string

// The states of a device.
const (
	Lost   State = "lost"   // not there, or it cannot be opened: somebody must plug it in, or give it free
	Frozen State = "frozen" // there and opened, but it does not answer, or answers with a fault
	Online State = "online"
)

// Report is what a Supervisor tells of its device.
type Report struct {
	State  State
	Detail string // of Online: what Serve said of the device
	Err    error  // of Lost and Frozen: what was seen last
}

// Serve opens the device, calls online once it has answered, and again whenever there is something new to say of it, and uses it
// until ctx ends or it fails. It returns, with everything closed, why it ended. It calls online from its own goroutine.
type Serve func(ctx context.Context, online func(detail string)) error

// Opts are the properties of a device; nil or zero values mean the defaults.
type Opts struct {
	// Subsystems are the kernel's words for what the device appears as: tty, usb, gpio. When one of them is added, it is tried at
	// once. Without any, only the clock counts.
	Subsystems []string
	// Lost tells an error of Serve that means that the device is not there, or cannot be opened, from one of a device that is there.
	// A node that does not exist or that may not be opened is lost in any case.
	Lost func(error) bool
	// Present looks whether a frozen device is still there, without opening it: a pulled plug is told within a second although
	// nobody has it open, but for the seconds of a cure. Without it the next try finds out.
	Present func() bool
	// Power is the relay of the device's supply. It cures a frozen device, never a lost one.
	Power Power
	// Boot is how long the device needs from power to its first answer; 2 s if zero.
	Boot time.Duration
	// OnReport is told how each try ended and what Serve says while the device works, from Serve's goroutine. It must return at once.
	OnReport func(Report)
	// OnBlind is told, once and from another goroutine, why the kernel's events cannot be heard. The device is then found by the
	// clock alone.
	OnBlind func(error)
	// Watch is the source of events: Watch of this package if nil. It returns when ctx ends.
	Watch func(ctx context.Context, event func(Event)) error
}

const (
	minWait = 250 * time.Millisecond // between two tries, doubled after each
	maxWait = 2 * time.Second        // a device that answers within a second is back within 3 s of being plugged in

	// After something was plugged in, udev needs a while for links and permissions: up to a second on a busy machine.
	settleTime = 3 * time.Second
	settleWait = 100 * time.Millisecond
	leastWait  = 50 * time.Millisecond // between two tries, however much is plugged in and out

	lookWait = 500 * time.Millisecond // between two looks whether a frozen device is present
	steady   = time.Minute            // a state that lasted so long was no flicker: what came before it is forgotten
)

// Supervisor keeps one device open. Its state belongs to the goroutine of Run.
type Supervisor struct {
	serve Serve
	opts  Opts
	kick  chan struct{} // something was plugged in

	now     State // "" before the first try has ended
	since   time.Time
	wait    time.Duration // before the next try
	settled time.Time     // until then udev may be busy
	frozen  int           // tries in a row that ended so
	cure    cure
}

// New returns the supervisor of the device that serve opens; opts may be nil.
func New(serve Serve, opts *Opts) *Supervisor {
	s := &Supervisor{serve: serve, kick: make(chan struct{}, 1), wait: minWait}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Boot <= 0 {
		s.opts.Boot = defaultBoot
	}
	if s.opts.Watch == nil {
		s.opts.Watch = Watch
	}
	if s.opts.OnReport == nil {
		s.opts.OnReport = func(Report) {}
	}
	if s.opts.OnBlind == nil {
		s.opts.OnBlind = func(error) {}
	}
	s.cure.power = s.opts.Power
	return s
}

// Run keeps the device open until ctx ends, which returns nil. It runs once. A device with a relay is left switched on.
func (s *Supervisor) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watch, stop := context.WithCancel(ctx)
	defer stop()
	if len(s.opts.Subsystems) > 0 {
		watching.Go(func() {
			if err := s.opts.Watch(watch, s.heard); err != nil {
				s.opts.OnBlind(err)
			}
		})
	}
	defer s.cure.switchOn() // once more, if the relay failed
	for ctx.Err() == nil {
		// A program that was killed while the power was off left it so; a relay that failed may work now.
		unpowered := s.cure.switchOn()
		began := time.Now()
		err := s.serve(ctx, s.online)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = errors.New("its driver ended without a reason")
		}
		if unpowered != nil {
			err = fmt.Errorf("%w; %w", err, unpowered)
		}
		s.ended(err)
		if s.now == Frozen && s.cure.due(s.frozen, time.Now()) {
			s.cycle(ctx, err)
			continue
		}
		s.rest(ctx, began)
	}
	return nil
}

// online takes the word of Serve that the device works. What was plugged in before was this device.
func (s *Supervisor) online(detail string) {
	if s.now != Online {
		s.settled = time.Time{}
		select {
		case <-s.kick:
		default:
		}
	}
	s.enter(Online)
	s.opts.OnReport(Report{State: Online, Detail: detail})
}

// ended takes the end of Serve.
func (s *Supervisor) ended(err error) {
	state := Frozen
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || s.opts.Lost != nil && s.opts.Lost(err) {
		state = Lost
	}
	if s.now == Online && time.Since(s.since) >= maxWait { // a device that works for less each time keeps its growing wait
		s.wait = minWait
	}
	s.enter(state)
	s.frozen++
	if state == Lost {
		s.frozen = 0
	}
	s.opts.OnReport(Report{State: state, Err: err})
}

// enter changes the state. A device that worked for long, or was away for long, begins anew.
func (s *Supervisor) enter(state State) {
	if s.now == state {
		return
	}
	if s.now != Frozen && time.Since(s.since) >= steady {
		s.frozen = 0
		s.cure.forget()
	}
	s.now, s.since = state, time.Now()
}

// heard takes an event; it is called from another goroutine.
func (s *Supervisor) heard(e Event) {
	added := false
	for _, subsystem := range s.opts.Subsystems {
		added = added || e.Action == Add && e.Subsystem == subsystem
	}
	if !added && e.Action != Overrun {
		return
	}
	select {
	case s.kick <- struct{}{}:
	default: // the one before is not heeded yet
	}
}

// rest waits until the next try is due: when the wait is over, or at once when something is plugged in. began is when the last
// try began.
func (s *Supervisor) rest(ctx context.Context, began time.Time) {
	wait := s.wait
	s.wait = min(2*s.wait, maxWait)
	if time.Now().Before(s.settled) {
		wait = settleWait
	}
	next := time.NewTimer(wait)
	defer next.Stop()
	look := time.NewTicker(lookWait)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			return
		case <-s.kick:
			s.settled = time.Now().Add(settleTime)
			pause(ctx, leastWait-time.Since(began))
			return
		case <-look.C:
			if s.now == Frozen && s.opts.Present != nil && !s.opts.Present() {
				s.ended(errPulled)
			}
		}
	}
}

// errPulled is why a device that was frozen is lost.
var errPulled = fmt.Errorf("it did not answer, and then it was unplugged: %w", fs.ErrNotExist)

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
