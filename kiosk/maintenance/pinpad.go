package maintenance

import (
	"context"
	"strconv"
	"time"

	"yuanban/ui/view"
)

// pinPad asks for the PIN. Nothing of the visit behind it is ended before the PIN is right.
type pinPad struct {
	typed   string
	checked bool // it is being checked
	wrong   bool // the last one was
	life    context.Context
	until   time.Time // what the countdown runs to, by the clock of the page
}

func (s *pinPad) enter(_ *Desk, ctx context.Context) { s.life = ctx }

func (s *pinPad) view(d *Desk) view.View {
	body := view.PIN{Typed: len(s.typed), Most: MostPIN, Keys: view.KeysDigits, Checked: s.checked || !d.tries.known}
	left := d.tries.left(time.Now())
	switch {
	case body.Checked:
	case left == 0:
		body.Keys, body.Until = view.KeysNone, s.countTo(d.tries.over)
		body.Failure, body.Total = d.lock()
	case s.wrong:
		body.Failure = d.failure("M-701", "left", strconv.Itoa(left))
	}
	v := view.View{Screen: "pin", Title: d.word("maint.pin.title"), Body: body, Foot: []view.Button{d.button("cancel")}}
	if body.Keys == view.KeysNone {
		v.Title = d.word("maint.pin.wait")
	} else {
		enter := d.mainly("enter")
		enter.Disabled = len(s.typed) < LeastPIN || body.Checked // the screen says why beside what is typed
		v.Foot = append(v.Foot, enter)
	}
	return v
}

// lock says why nothing can be tried, and how long that is in all.
func (d *Desk) lock() (*view.Failure, time.Duration) {
	switch {
	case d.tries.unread:
		return d.failure("M-704"), lockedFor
	case d.tries.loose:
		return d.failure("M-703"), time.Duration(d.tries.wrong) * tryCosts
	}
	return d.failure("M-702"), lockedFor
}

// countTo is the end of a lock by the clock on the wall, which the page counts by. It is changed only when that clock was set.
func (s *pinPad) countTo(over time.Time) time.Time {
	now := time.Now()
	until := now.Round(0).Add(over.Sub(now))
	if until.Sub(s.until).Abs() > time.Second {
		s.until = until
	}
	return s.until
}

func (*pinPad) every() time.Duration { return time.Second }

func (*pinPad) tick(*Desk) {}

func (s *pinPad) act(d *Desk, a view.Action) {
	switch {
	case a.Do == "cancel":
		d.end()
	case s.checked || d.tries.left(time.Now()) == 0:
	case a.Do == "key":
		s.key(a.Arg("key"))
	case a.Do == "enter" && len(s.typed) >= LeastPIN:
		s.check(d)
	}
}

func (s *pinPad) key(key string) {
	s.wrong = false
	switch {
	case key == "clear":
		s.typed = ""
	case key == "del":
		s.typed = s.typed[:max(len(s.typed)-1, 0)]
	case len(key) == 1 && key[0] >= '0' && key[0] <= '9' && len(s.typed) < MostPIN:
		s.typed += key
	}
}

// check compares beside the desk, for it takes its time on purpose. The try is counted and on the disk first: who leaves, or pulls the
// plug, has had it.
func (s *pinPad) check(d *Desk) {
	pin := s.typed
	s.typed, s.checked = "", true
	d.tries.missed(time.Now())
	keep := d.keeping()
	d.beside(s.life, func(context.Context) func() {
		keep()
		good := d.opt.PIN.Matches(pin)
		return func() { s.compared(d, good) }
	})
}

func (s *pinPad) compared(d *Desk, good bool) {
	s.checked = false
	if good {
		d.tries.hit()
		d.enter("pin")
		return
	}
	s.wrong = true
	if d.tries.left(time.Now()) == 0 {
		d.opt.Log.Warn("the maintenance PIN is locked after wrong ones", "area", "maintenance", "wrong", d.tries.wrong, "for", time.Until(d.tries.over).Round(time.Second).String())
	}
}

// busy says that the desk is checking.
func (s *pinPad) busy() bool { return s.checked }
