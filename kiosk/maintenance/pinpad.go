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
}

func (s *pinPad) enter(_ *Desk, ctx context.Context) { s.life = ctx }

func (s *pinPad) view(d *Desk) view.View {
	body := view.PIN{Typed: len(s.typed), Most: MostPIN, Keys: view.KeysDigits, Checked: s.checked}
	left := d.tries.left(time.Now())
	switch {
	case left == 0:
		body.Keys, body.Failure = view.KeysNone, d.failure("M-702")
		body.Until, body.Total = d.tries.until, lockedFor
	case s.wrong:
		body.Failure = d.failure("M-701", "left", strconv.Itoa(left))
	}
	v := view.View{Screen: "pin", Title: d.word("maint.pin.title"), Body: body, Foot: []view.Button{d.button("cancel")}}
	if left > 0 {
		enter := d.mainly("enter")
		enter.Disabled = len(s.typed) < LeastPIN || s.checked // the screen says why beside what is typed
		v.Foot = append(v.Foot, enter)
	}
	return v
}

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

// check compares beside the desk, for it takes its time on purpose. The try is counted first: who leaves meanwhile has had it.
func (s *pinPad) check(d *Desk) {
	pin := s.typed
	s.typed, s.checked = "", true
	d.tries.missed(time.Now())
	d.beside(s.life, func(context.Context) func() {
		good := d.opt.PIN.Matches(pin)
		return func() {
			s.checked = false
			if good {
				d.tries.hit()
				d.enter("pin")
				return
			}
			s.wrong = true
			if d.tries.left(time.Now()) == 0 {
				d.opt.Log.Warn("the maintenance PIN is locked after wrong ones", "area", "maintenance", "for", lockedFor.String())
			}
		}
	})
}

// busy says that the desk is checking.
func (s *pinPad) busy() bool { return s.checked }
