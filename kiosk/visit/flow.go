// Package visit is one visitor at the 24-hour machine: a state machine, owned by one goroutine, that yields Views.
//
// Everything that happens (a touch, a card, a press, a print that ends, a minute that passes) reaches the flow's own
// goroutine as a function in its inbox, so no state of a visit needs a lock. Each screen is a small type with two
// methods: view says how it looks now, act says what a person's action does. The screens on the way lie on a stack,
// which is what 返回 walks back. Work that takes time runs beside the flow under the context of the screen that asked
// for it, and hands its result back through the inbox; a screen that was left never hears of it.
package visit

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// Reader reads one ID card for one visitor.
type Reader interface {
	// ReadCard waits until a card was read, ctx ends, or the reader fails; found is called once when a card answers.
	ReadCard(ctx context.Context, found func()) (idcard.Card, error)
	Online() bool
}

// Printer prints one document and tells the truth about it.
type Printer interface {
	Print(ctx context.Context, job station.Job, progress func(printer.Progress)) printer.Outcome
}

// Options is all that a visit needs. Every field but Cue is required.
type Options struct {
	Show      func(view.View) // never blocks
	Box       view.Box
	Machine   string // its name, as a letter says where it was signed
	Words     *wording.Book
	Catalogue *catalogue.Catalogue
	Pinyin    *pinyin.Dictionary
	Cases     *casefile.Files
	Ratings   *evaluation.Book
	Reader    Reader
	Printer   Printer
	Restarted bool              // the program was cut off while somebody may have stood here: the first screen says what holds
	Accepts   bool              // there is a platform key to seal personal data to; without it nothing is asked of a visitor
	Cue       func(station.Cue) // what the five rating buttons show
	Places    Places
	Idle      IdleTimes
	Location  *time.Location
	Log       *slog.Logger
}

// Places says where the visitor finds the devices on this machine: left, right or below the screen.
type Places struct {
	Reader, Printer string
	Buttons         bool // five hardware buttons are there
}

// IdleTimes are how long nobody may touch the screen before being asked, and how long the question stands.
type IdleTimes struct {
	First, Countdown           time.Duration
	LargeFirst, LargeCountdown time.Duration // in 大字 mode
}

// Flow serves one visitor after another. Make it with New, feed it from any goroutine, run it with Run.
type Flow struct {
	opt   Options
	index *pinyin.Index
	inbox chan func()
	done  chan struct{}
	work  sync.WaitGroup

	// Below: the flow's goroutine only.
	ctx      context.Context
	stack    []frame
	modes    view.Modes
	visit    *session
	lastSeen time.Time // of the last sign of life from the visitor
	warned   bool      // 您还在吗 is on the screen
	online   bool      // the platform is reachable
	away     bool      // a technician has the machine
	yielding bool      // and takes it as soon as a commit under way is through
	halted   Halt      // why nothing can be recorded for a visitor now
	sound    view.Sound
	cued     station.Cue // what the rating buttons show
}

// frame is a screen on the stack with the life of its work.
type frame struct {
	screen screen
	ctx    context.Context
	leave  context.CancelFunc
}

// screen is one state of the flow.
type screen interface {
	view(f *Flow) view.View
	act(f *Flow, a view.Action)
}

// enterer is a screen that begins work when it is put on top.
type enterer interface {
	enter(f *Flow, ctx context.Context)
}

// waker is a screen with a moment at which it moves on by itself; the zero time means never.
type waker interface {
	wakeAt(f *Flow) time.Time
	wake(f *Flow)
}

// presser is a screen on which the five rating buttons mean something.
type presser interface{ press(f *Flow, level int) }

// refresher is a screen that shows what a device or the platform just changed.
type refresher interface{ refresh(f *Flow) }

// idler is a screen with its own say about idleness: false while the machine is busy for the visitor.
type idler interface{ idles(f *Flow) bool }

// New returns a flow that has not begun.
func New(opt Options) *Flow {
	var texts []string
	for _, it := range opt.Catalogue.Items() {
		texts = append(texts, it.Name)
	}
	return &Flow{
		opt:    opt,
		index:  pinyin.NewIndex(opt.Pinyin, texts),
		inbox:  make(chan func(), 64),
		done:   make(chan struct{}),
		online: true,
	}
}

// Run serves visitors until ctx ends. What it started has ended when it returns.
func (f *Flow) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer f.work.Wait()
	defer close(f.done)
	defer cancel()
	f.ctx = ctx
	f.begin(f.opening())
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f.show()
		busy := !f.idles()
		timer.Reset(f.untilNext())
		select {
		case <-ctx.Done():
			f.forget()
			return nil
		case fn := <-f.inbox:
			fn()
		case <-timer.C:
			f.tick()
		}
		f.yield()
		if busy {
			f.touched() // the machine was at work for the visitor: silence begins when it ends
		}
	}
}

// Act hands over what a person did on the page.
func (f *Flow) Act(a view.Action) { f.post(func() { f.act(a) }) }

// Press hands over a press of a hardware rating button, 5 to 1.
func (f *Flow) Press(level int) {
	pressed := time.Now()
	f.post(func() {
		f.touched()
		if r, ok := f.top().(*rating); ok && pressed.Before(r.opened) {
			return // while the invitation was being committed: it answers nothing
		}
		if p, ok := f.top().(presser); ok {
			p.press(f, level)
		}
	})
}

// post hands fn to the flow's goroutine; it waits while the inbox is full and gives up when the flow has ended.
func (f *Flow) post(fn func()) {
	select {
	case f.inbox <- fn:
	case <-f.done:
	}
}

// beside runs work next to the flow, under ctx; what work returns runs in the flow's goroutine, unless ctx has ended by then.
func (f *Flow) beside(ctx context.Context, work func(ctx context.Context) func()) {
	f.work.Go(func() {
		result := work(ctx)
		f.post(func() {
			if ctx.Err() == nil {
				result()
			}
		})
	})
}

func (f *Flow) top() screen { return f.stack[len(f.stack)-1].screen }

// push puts a screen on top; 返回 leads back to the one below. Work of the covered screen ends: it is begun anew when the screen is
// seen again, so that no result ever replaces a screen that did not ask for it.
func (f *Flow) push(s screen) {
	if n := len(f.stack); n > 0 {
		f.stack[n-1].leave()
	}
	ctx, leave := context.WithCancel(f.ctx)
	f.stack = append(f.stack, frame{s, ctx, leave})
	if e, ok := s.(enterer); ok {
		e.enter(f, ctx)
	}
}

// replace leaves the top screen for another: 返回 will not come back to it.
func (f *Flow) replace(s screen) {
	f.pop()
	f.push(s)
}

// swap replaces the screen s if it is the one that is seen.
func (f *Flow) swap(s, next screen) {
	if f.top() == s {
		f.replace(next)
	}
}

// pop leaves the top screen.
func (f *Flow) pop() {
	last := len(f.stack) - 1
	f.stack[last].leave()
	f.stack = slices.Delete(f.stack, last, last+1)
}

// back leads one step back; from the first screen it leads home.
func (f *Flow) back() {
	if len(f.stack) < 2 {
		f.begin(&home{})
		return
	}
	f.pop()
	if len(f.stack) == 1 && f.visit.begun() { // home: whoever stands there next finds nothing of this visit
		f.leaveForHome()
		return
	}
	top := &f.stack[len(f.stack)-1]
	top.ctx, top.leave = context.WithCancel(f.ctx)
	if e, ok := top.screen.(enterer); ok { // its work ended when it was covered
		e.enter(f, top.ctx)
	}
}

// begin leaves every screen for a first one.
func (f *Flow) begin(s screen) {
	for len(f.stack) > 0 {
		f.pop()
	}
	f.touched() // a first screen has its whole time
	f.push(s)
}

// act is the one place where actions arrive.
func (f *Flow) act(a view.Action) {
	f.touched()
	if _, committing := f.top().(*handing); committing {
		return // for milliseconds; what comes of it must be seen before anything else
	}
	switch a.Do {
	case "alive", "stay": // a touch is all that was meant
	case "home":
		f.leaveForHome()
	case "finish": // 结束并清除, also as the answer to 您还在吗
		if _, rated := f.top().(*thanks); rated {
			f.end()
		} else if r, asking := f.top().(*rating); asking && r.asking.Rated() {
			r.act(f, a)
		} else {
			f.leaveForHome()
		}
	case "back":
		if l, ok := f.top().(interface{ leaving(f *Flow) bool }); ok && l.leaving(f) {
			return
		}
		f.back()
	case "help":
		if _, already := f.top().(*help); !already {
			f.push(&help{})
		}
	case "mode":
		f.modes.Switch(a.Arg("mode"))
	default:
		f.top().act(f, a)
	}
}

// show yields the view of the top screen with what belongs to every screen.
func (f *Flow) show() {
	f.cue()
	v := f.top().view(f)
	v.Modes = f.modes
	if v.Title == "" {
		v.Title = f.word(v.Screen + ".title")
	}
	switch {
	case v.Banner != nil:
	case f.halted != HaltNone:
		v.Banner = &view.Banner{Kind: view.BannerWarning, Text: f.word("banner." + string(f.halted))}
	case !f.online:
		v.Banner = &view.Banner{Kind: view.BannerInfo, Text: f.word("banner.platform")}
	}
	if f.warned {
		first, countdown := f.idleTimes()
		v.Idle = &view.Idle{Until: f.lastSeen.Add(first + countdown), Total: countdown}
	}
	v.Sound, f.sound = f.sound, view.SoundNone
	f.opt.Show(v)
}

func (f *Flow) word(key string, pairs ...string) string { return f.opt.Words.Text(key, pairs...) }

func (f *Flow) failure(code string, pairs ...string) view.Failure {
	return f.opt.Words.Failure(code, pairs...)
}

func (f *Flow) fit() view.Metrics { return view.Fit(f.opt.Box, f.modes) }

// button is a button with its words from the wording file.
func (f *Flow) button(do string, args ...string) view.Button {
	b := view.Button{Label: f.word("do." + do), Do: do}
	for i := 0; i+1 < len(args); i += 2 {
		if b.Args == nil {
			b.Args = map[string]string{}
		}
		b.Args[args[i]] = args[i+1]
	}
	return b
}

// mainly is the button most people want, with its own words.
func (f *Flow) mainly(key, do string) view.Button {
	return view.Button{Label: f.word(key), Do: do, Main: true}
}

func (f *Flow) when(t time.Time) string {
	return t.In(f.opt.Location).Format("2006-01-02 15:04")
}

func pager(page *int, pages int) view.Pager {
	pages = max(pages, 1)
	*page = min(max(*page, 1), pages)
	return view.Pager{Page: *page, Pages: pages}
}

// turn follows a pager's action.
func turn(page *int, a view.Action) bool {
	if a.Do != "page" {
		return false
	}
	if _, err := fmt.Sscanf(a.Arg("to"), "%d", page); err != nil {
		*page = 1
	}
	return true
}
