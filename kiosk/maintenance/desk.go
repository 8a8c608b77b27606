package maintenance

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// Times of the desk.
const (
	holdFor    = 3 * time.Second  // a touch of this length asks for the PIN
	pinFor     = 30 * time.Second // without a touch the PIN pad goes away
	silentFor  = 5 * time.Minute  // without a touch the maintenance ends
	warnBefore = 30 * time.Second // and says so before
	lookEvery  = 3 * time.Second  // between two looks at the machine, each of which commits to the journal
	lookWithin = 10 * time.Second // for one of them
)

// Stage is what the desk takes over from the visitors' flow. None of its methods may block.
type Stage interface {
	Show(v view.View) // in place of what the visitors' flow shows, until Leave
	Enter()           // the visit ends and is wiped; nobody is served
	Leave()           // the visitors' flow has the screen again, and serves if it did not
}

// Reader reads one ID card.
type Reader interface {
	ReadCard(ctx context.Context, found func()) (idcard.Card, error)
}

// Printer prints one document and tells the truth about it.
type Printer interface {
	Print(ctx context.Context, job station.Job, progress func(printer.Progress)) printer.Outcome
}

// Options is all that a desk needs.
type Options struct {
	Stage    Stage
	Box      view.Box
	Words    *wording.Book
	Location *time.Location
	Log      *slog.Logger
	Help     func() // leads to the visitors' page of help; called once they have the screen
	Facts    func(ctx context.Context) Facts
	Key      bool            // a key switch is wired: it alone opens
	PIN      PIN             // the zero PIN opens nothing
	Tries    Memory          // keeps the wrong PINs that count; with nil they are counted as by a disk that cannot be written
	Reader   Reader          // nil when the machine has none
	Printer  Printer         // nil when the machine has none
	Buttons  bool            // the machine has rating buttons
	Lamp     func(level int) // lights the lamp of one button alone, 0 for none, before and after a test of the buttons too; nil without buttons
	Restart  func() error    // asks for a new start of the screen; nil when nobody can be asked
	Stick    Stick           // nil when nobody can be asked
}

// Stick updates the machine from a USB stick.
type Stick interface {
	Begin() error                // asks for it; what comes of it is in Report
	Report() (StickReport, bool) // how far the update asked for last is; false while nothing is known
}

// StickReport is how far an update is.
type StickReport struct {
	Step     string  // Ask, Download, Install, Verify, Commit, Rollback, Done, Failed
	Progress float64 // of the step, 0 to 1
	Text     string  // what went wrong, or what is done now, in English
	Code     string  // of a request that this machine has written on the stick
	Why      string  // of a failure: noStick, noMount, noBundle, readOnly, why the bundle is refused, or the step that failed
	Version  int64   // of the bundle, 0 while it is not known
	At       time.Time
}

// Desk is the technician's flow. Make it with New, feed it from any goroutine, run it with Run.
type Desk struct {
	opt   Options
	inbox chan func()
	done  chan struct{}
	work  sync.WaitGroup
	book  book        // where the tries are kept
	has   atomic.Bool // it has the screen
	open  atomic.Bool // a technician is in

	// Below: the desk's goroutine only.
	ctx     context.Context
	screen  screen // nil while visitors have the screen
	leave   context.CancelFunc
	life    context.Context // of the screen's work
	tries   tries
	held    time.Time // since when the finger lies on the spot; zero when it does not
	touched time.Time // the last sign of the technician
	modes   view.Modes
	facts   *Facts
	looked  time.Time // the last look at the machine
	looking bool
}

// screen is one state of the desk.
type screen interface {
	view(d *Desk) view.View
	act(d *Desk, a view.Action)
}

// worker is a screen with work beside the desk, which ends with the screen.
type worker interface {
	enter(d *Desk, ctx context.Context)
}

// leaver is a screen that leaves something behind to be put right.
type leaver interface{ left(d *Desk) }

// ticker is a screen that looks again by itself.
type ticker interface {
	every() time.Duration
	tick(d *Desk)
}

// New returns a desk that has not begun.
func New(opt Options) *Desk {
	d := &Desk{opt: opt, inbox: make(chan func(), 64), done: make(chan struct{})}
	d.book = book{memory: opt.Tries, work: &d.work, turn: make(chan struct{}, 1)}
	return d
}

// Run serves until ctx ends. What it started has ended when it returns.
func (d *Desk) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer d.work.Wait()
	defer close(d.done)
	defer cancel()
	d.ctx = ctx
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var next time.Time // the next tick of the screen
	d.recall()
	for {
		if d.tries.due(time.Now()) {
			d.work.Go(d.keeping())
		}
		if t, ok := d.screen.(ticker); !ok {
			next = time.Time{}
		} else if now := time.Now(); !now.Before(next) {
			next = now.Add(t.every())
		}
		d.show()
		timer.Reset(d.untilNext(next))
		select {
		case <-ctx.Done():
			d.end()
			return nil
		case fn := <-d.inbox:
			fn()
		case <-timer.C:
			d.due(next)
		}
	}
}

func (d *Desk) post(fn func()) {
	select {
	case d.inbox <- fn:
	case <-d.done:
	}
}

// beside runs work next to the desk under the life of the screen; what it returns runs in the desk's goroutine while that screen is seen.
func (d *Desk) beside(ctx context.Context, work func(ctx context.Context) func()) {
	d.work.Go(func() {
		result := work(ctx)
		d.post(func() {
			if ctx.Err() == nil {
				result()
			}
		})
	})
}

// Shown says that the desk has the screen: touches are for it.
func (d *Desk) Shown() bool { return d.has.Load() }

// Open says that a technician is in: presses and lamps are for the desk, and nobody is served.
func (d *Desk) Open() bool { return d.open.Load() }

// Changed says that a device's health changed.
func (d *Desk) Changed() {
	if d.Open() {
		d.post(func() { d.looked = time.Time{} })
	}
}

// Key hands over that the key was turned, on or back. Silence ends the maintenance whatever the key says: it has to be turned back first.
func (d *Desk) Key(on bool) {
	d.post(func() {
		switch {
		case on && !d.open.Load():
			d.enter("key")
		case !on && d.open.Load():
			d.end()
		}
	})
}

// Held hands over that a finger lies on the spot in the frame, or does not any more. The desk's own clock judges how long.
func (d *Desk) Held(down bool) {
	d.post(func() {
		d.held = time.Time{}
		if down && d.screen == nil && !d.opt.Key && d.opt.PIN.Set() {
			d.held = time.Now()
		}
	})
}

// Press hands over a press of a rating button, 5 to 1.
func (d *Desk) Press(level int) {
	d.post(func() {
		if k, ok := d.screen.(*keyTrial); ok {
			d.touched = time.Now()
			k.press(level)
		}
	})
}

// Act hands over what was done on the page. It returns false when the desk does not have the screen: the visitors' flow is meant.
func (d *Desk) Act(a view.Action) bool {
	if !d.Shown() {
		return false
	}
	d.post(func() { d.act(a) })
	return true
}

func (d *Desk) act(a view.Action) {
	if d.screen == nil {
		return // it has just left
	}
	d.touched = time.Now()
	switch a.Do {
	case "alive", "stay":
	case "mode":
		d.modes.Switch(a.Arg("mode"))
	case "home", "end":
		d.end()
	case "help": // the telephone numbers are the visitors'
		d.end()
		d.opt.Help()
	case "back":
		if _, first := d.screen.(*overview); first || !d.open.Load() {
			d.end()
			return
		}
		if _, tasks := d.screen.(*tasks); tasks {
			d.turn(&overview{})
			return
		}
		d.turn(&tasks{})
	default:
		d.screen.act(d, a)
	}
}

// enter opens the maintenance.
func (d *Desk) enter(how string) {
	d.opt.Log.Warn("maintenance begins", "area", "maintenance", "by", how)
	d.opt.Stage.Enter()
	d.open.Store(true)
	d.modes, d.facts, d.looked = view.Modes{}, nil, time.Time{}
	d.lamp(0)
	d.turn(&overview{})
}

// end gives the machine back to its visitors.
func (d *Desk) end() {
	if d.screen == nil {
		return
	}
	d.drop()
	d.screen, d.held, d.modes = nil, time.Time{}, view.Modes{}
	was := d.open.Swap(false)
	d.has.Store(false)
	d.opt.Stage.Leave()
	if was {
		d.opt.Log.Warn("maintenance ends", "area", "maintenance")
	}
}

// turn leaves the screen for another.
func (d *Desk) turn(s screen) {
	if d.screen != nil {
		d.drop()
	}
	d.screen, d.touched = s, time.Now()
	d.has.Store(true)
	d.life, d.leave = context.WithCancel(d.ctx)
	if w, ok := s.(worker); ok {
		w.enter(d, d.life)
	}
}

// drop ends the work of the screen that is left.
func (d *Desk) drop() {
	d.leave()
	if l, ok := d.screen.(leaver); ok {
		l.left(d)
	}
}

// lamp lights one lamp, or none.
func (d *Desk) lamp(level int) {
	if d.opt.Lamp != nil {
		d.opt.Lamp(level)
	}
}

// silence is how long the desk waits for a touch; 0 while the machine is at work and nobody is to be waited for.
func (d *Desk) silence() time.Duration {
	if b, ok := d.screen.(interface{ busy() bool }); ok && b.busy() {
		return 0
	}
	if !d.open.Load() {
		return pinFor
	}
	return silentFor
}

func (d *Desk) untilNext(tick time.Time) time.Duration {
	next := time.Now().Add(time.Hour)
	consider := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if !d.held.IsZero() {
		consider(d.held.Add(holdFor))
	}
	if d.screen != nil {
		consider(tick)
		if s := d.silence(); s > 0 {
			consider(d.touched.Add(s))
			if !d.warned() && d.open.Load() {
				consider(d.touched.Add(s - warnBefore))
			}
		} else {
			d.touched = time.Now() // silence begins when the work ends
		}
	}
	consider(d.tries.next())
	return max(time.Until(next), 0)
}

// warned says that the maintenance is about to end by silence.
func (d *Desk) warned() bool {
	s := d.silence()
	return d.open.Load() && s > 0 && time.Since(d.touched) >= s-warnBefore
}

// due does what is due.
func (d *Desk) due(tick time.Time) {
	now := time.Now()
	if !d.held.IsZero() && now.Sub(d.held) >= holdFor {
		d.held = time.Time{}
		d.turn(&pinPad{})
		return
	}
	if d.screen == nil {
		return
	}
	if s := d.silence(); s > 0 && now.Sub(d.touched) >= s {
		d.end()
		return
	}
	if t, ok := d.screen.(ticker); ok && !now.Before(tick) {
		t.tick(d)
	}
}

// look asks the machine how it is, one question at a time.
func (d *Desk) look() {
	if d.looking || time.Since(d.looked) < lookEvery {
		return
	}
	d.looking, d.looked = true, time.Now()
	d.work.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, lookWithin)
		defer cancel()
		facts := d.opt.Facts(ctx)
		d.post(func() { d.looking, d.facts = false, &facts })
	})
}

// show yields the view, while the desk has the screen.
func (d *Desk) show() {
	if d.screen == nil {
		return
	}
	v := d.screen.view(d)
	v.Modes, v.Back = d.modes, true
	if v.Title == "" {
		v.Title = d.word("maint." + v.Screen + ".title")
	}
	if d.warned() { // in place of the title: nothing on the screen moves away from under a finger
		v.Title = d.word("maint.soon")
	}
	d.opt.Stage.Show(v)
}

func (d *Desk) word(key string, pairs ...string) string { return d.opt.Words.Text(key, pairs...) }

func (d *Desk) failure(code string, pairs ...string) *view.Failure {
	f := d.opt.Words.Failure(code, pairs...)
	return &f
}

func (d *Desk) button(do string) view.Button {
	return view.Button{Label: d.word("maint.do." + do), Do: do}
}

func (d *Desk) mainly(do string) view.Button {
	b := d.button(do)
	b.Main = true
	return b
}
