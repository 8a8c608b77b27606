// Package window is one service window with its rating pad (窗口评价器): standby with the staff card, 请您评价, why, thanks.
//
// One goroutine owns the flow. The window PC speaks to it through commands that are answered once they are committed; it hears
// how an invitation ended, never the grade.
package window

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/evaluation/ask"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// What a command of the window PC can run into. Test with errors.Is; evaluation's own errors pass through.
var (
	ErrPaused   = errors.New("the window is paused; resume it before inviting")
	ErrBusy     = errors.New("a visitor is still rating; try again when the event of that invitation has arrived")
	ErrNobody   = errors.New("neither a screen nor buttons are there to ask on; check the pad")
	ErrNoStaff  = errors.New("there is no member of staff with this id in the catalogue")
	ErrInactive = errors.New("nobody is signed in at this window; name a member of staff, or sign one in")
	ErrUnknown  = errors.New("there is no open invitation with this id")
)

const (
	thanksFor = 5 * time.Second
	endedFor  = 5 * time.Second
	// lostFor is how long a screen may be away in the middle of an invitation when there are no buttons either.
	lostFor = 10 * time.Second
)

// Options is all that a window needs.
type Options struct {
	Show      func(view.View)   // never blocks
	OnEvent   func(Event)       // never blocks; called after the commit
	Cue       func(station.Cue) // what the rating buttons show; nil when there are none
	Buttons   func() bool       // whether the hardware buttons work now
	Box       view.Box
	Words     *wording.Book
	Catalogue *catalogue.Catalogue
	Pinyin    *pinyin.Dictionary
	Ratings   *evaluation.Book
	Texts     bool   // written texts can be kept: there is a key to seal them to
	Window    string // number of the window
	Staff     string // id of the member of staff, "" for an inactive window
	Invite    time.Duration
	Reasons   time.Duration
	Log       *slog.Logger
}

// Event tells how an invitation stands. It has no field for the grade.
type Event struct {
	ID      string           `json:"id"`
	Case    string           `json:"case"`
	Stage   string           `json:"stage"`
	Service int              `json:"service"`
	State   evaluation.State `json:"state"` // open, rated, declined, timeout, fault
	At      time.Time        `json:"at"`
}

// Status is what a window PC may know of its window.
type Status struct {
	State      string `json:"state"` // ready, paused, inactive, asking
	Window     string `json:"window"`
	Staff      string `json:"staff"`
	Invitation string `json:"invitation,omitempty"` // the one on the screen
	Display    bool   `json:"display"`
	Online     bool   `json:"online"` // the platform is reachable
}

// Invitation is what a window PC asks for.
type Invitation struct {
	Case    string `json:"case"`
	Stage   string `json:"stage"`
	Service int    `json:"service"`
	Staff   string `json:"staff"`
}

// Flow is the window. Make it with New, feed it from any goroutine, run it with Run.
type Flow struct {
	opt   Options
	inbox chan func()
	done  chan struct{}

	// Below: the flow's goroutine only.
	ctx     context.Context
	modes   view.Modes
	staff   string
	paused  bool
	away    bool // a technician has the pad
	online  bool
	display bool
	halted  bool      // no rating can be recorded
	alone   time.Time // since when there is neither display nor buttons
	asking  *ask.Asking
	opened  time.Time // of the asking: what was pressed while the invitation was being committed answers nothing
	told    bool      // the window PC knows that the asking was rated
	touched bool      // the reason screen is in use
	after   *after
	helping time.Time // until when the help page stands before everything else
	sound   view.Sound
	cued    station.Cue // what the rating buttons show
}

// after is the screen that follows an asking for a few seconds.
type after struct {
	view  view.View
	until time.Time
}

// New returns a window that has not begun.
func New(opt Options) *Flow {
	return &Flow{opt: opt, inbox: make(chan func(), 64), done: make(chan struct{}), staff: opt.Staff, online: true}
}

// Run serves the window until ctx ends; an open invitation ends as a fault then.
func (f *Flow) Run(ctx context.Context) error {
	f.ctx = context.WithoutCancel(ctx)
	defer close(f.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f.show()
		timer.Reset(f.untilNext())
		select {
		case <-ctx.Done():
			f.endAsking(evaluation.Fault)
			return nil
		case fn := <-f.inbox:
			fn()
		case <-timer.C:
			f.tick()
		}
	}
}

func (f *Flow) post(fn func()) {
	select {
	case f.inbox <- fn:
	case <-f.done:
	}
}

// do runs fn in the flow's goroutine and waits for it.
func (f *Flow) do(ctx context.Context, fn func() error) error {
	result := make(chan error, 1)
	select {
	case f.inbox <- func() { result <- fn() }:
	case <-f.done:
		return ErrNobody
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-result:
		return err
	case <-f.done:
		return ErrNobody
	case <-ctx.Done(): // what was handed over is done all the same
		return ctx.Err()
	}
}

// Act hands over what a person did on the pad.
func (f *Flow) Act(a view.Action) { f.post(func() { f.act(a) }) }

// Press hands over a press of a hardware button, 5 to 1. It counts only while an invitation is open, and not for one that opened after it.
func (f *Flow) Press(level int) {
	pressed := time.Now()
	f.post(func() {
		f.helping = time.Time{}
		if f.asking != nil && !pressed.Before(f.opened) {
			f.step(f.asking.Press(f.ctx, level))
		}
	})
}

// Invite opens an invitation and puts it on the pad. Errors: ErrPaused, ErrBusy, ErrNobody, evaluation.ErrRated, evaluation.ErrOpen.
func (f *Flow) Invite(ctx context.Context, in Invitation) (inv evaluation.Invitation, err error) {
	err = f.do(ctx, func() error {
		inv, err = f.invite(in)
		return err
	})
	return inv, err
}

func (f *Flow) invite(in Invitation) (evaluation.Invitation, error) {
	switch {
	case f.away:
		return evaluation.Invitation{}, fmt.Errorf("a technician is at the pad: %w", ErrPaused)
	case f.paused:
		return evaluation.Invitation{}, ErrPaused
	case f.asking != nil && !f.givesWay():
		return evaluation.Invitation{}, ErrBusy
	case !f.display && !f.opt.Buttons():
		return evaluation.Invitation{}, ErrNobody
	case in.Staff == "" && f.staff == "":
		return evaluation.Invitation{}, ErrInactive
	}
	staff := cmp.Or(in.Staff, f.staff)
	inv, err := f.opt.Ratings.Invite(f.ctx, evaluation.Invitation{
		Case: in.Case, Stage: in.Stage, Service: in.Service, Staff: staff, Window: f.opt.Window,
		Channel: evaluation.ChannelPad, Expires: time.Now().Add(f.opt.Invite),
	})
	if err != nil { // nothing has changed for whoever stands at the pad
		return inv, fmt.Errorf("cannot open the invitation: %w", err)
	}
	if f.asking != nil { // it gives way
		f.step(f.asking.Expire(f.ctx))
	}
	if f.opt.Catalogue.StaffMember(staff) != nil {
		f.staff = staff
	}
	f.asking = ask.New(ask.Options{Book: f.opt.Ratings, Words: f.opt.Words, Pinyin: f.opt.Pinyin, Reasons: f.opt.Reasons,
		Buttons: f.opt.Buttons(), Texts: f.opt.Texts, Log: f.opt.Log}, inv, f.opt.Words.Text("pad.stage."+in.Stage), f.cardOf(staff))
	f.after, f.told, f.touched, f.helping, f.opened = nil, false, false, time.Time{}, time.Now()
	f.sound = view.SoundInvite
	f.tell(evaluation.Open)
	return inv, nil
}

// givesWay says that the reasons of the visitor before need not be waited for: a good grade, and nobody touches the screen. A bad one
// keeps its whole time, so that no next invitation can cut short why.
func (f *Flow) givesWay() bool {
	return f.asking.Rated() && !f.touched && f.asking.Level() > 2
}

// Cancel ends an open invitation from the window PC: it counts as declined, for nobody rated.
func (f *Flow) Cancel(ctx context.Context, id string) error {
	return f.do(ctx, func() error {
		if f.asking == nil || f.asking.Rated() || f.asking.Invitation().ID != id {
			return ErrUnknown
		}
		f.endAsking(evaluation.Declined)
		return nil
	})
}

// Pause shows 暂停服务; an open invitation ends as declined first.
func (f *Flow) Pause(ctx context.Context, paused bool) error {
	return f.do(ctx, func() error {
		if paused {
			f.endAsking(evaluation.Declined)
		}
		f.paused, f.after, f.helping = paused, nil, time.Time{}
		return nil
	})
}

// SetStaff puts another member of staff on the pad; "" makes the window inactive.
func (f *Flow) SetStaff(ctx context.Context, id string) error {
	return f.do(ctx, func() error {
		if id != "" && f.opt.Catalogue.StaffMember(id) == nil {
			return fmt.Errorf("cannot sign in %q: %w", id, ErrNoStaff)
		}
		f.staff = id
		return nil
	})
}

// Status tells how the window stands.
func (f *Flow) Status(ctx context.Context) (s Status, err error) {
	err = f.do(ctx, func() error {
		s = Status{State: string(f.standbyState()), Window: f.opt.Window, Staff: f.staff, Display: f.display, Online: f.online}
		if f.asking != nil {
			s.State, s.Invitation = "asking", f.asking.Invitation().ID
		}
		return nil
	})
	return s, err
}

// tell sends the event of the asking's invitation; what it tells has been committed.
func (f *Flow) tell(s evaluation.State) {
	inv := f.asking.Invitation()
	f.opt.OnEvent(Event{ID: inv.ID, Case: inv.Case, Stage: inv.Stage, Service: inv.Service, State: s, At: time.Now()})
}
