package visit

import (
	"context"

	"yuanban/kiosk/casefile"
	"yuanban/ui/view"
)

// shownHelpers is how many helpers the screen has room for above the keys.
const shownHelpers = 4

// assist offers 帮办代办: who helps, and a call-back, free of charge.
type assist struct {
	kind   string
	phone  string
	busy   bool
	number string // of the request, once it is recorded
}

func newAssist(f *Flow) *assist {
	s := &assist{kind: "help"}
	if f.visit != nil {
		s.phone = f.visit.phone
	}
	return s
}

// enter shows what came of a request while another screen was on top.
func (s *assist) enter(f *Flow, _ context.Context) {
	if s.number != "" {
		f.replace(&recorded{number: s.number})
	}
}

func (s *assist) view(f *Flow) view.View {
	body := view.Assist{Keys: view.KeysDigits, Field: phoneField(f, s.phone, true), Free: f.word("assist.free")}
	helpers := f.opt.Catalogue.Helpers
	for _, h := range helpers[:min(len(helpers), shownHelpers)] {
		body.Helpers = append(body.Helpers, view.Helper{Name: h.Name, Field: h.Field, Phone: h.Phone, Hours: h.Hours})
	}
	for _, k := range []string{"help", "proxy", "joint"} {
		body.Kinds = append(body.Kinds, view.Choice{Value: k, Name: f.word("assist.kind." + k), Chosen: k == s.kind})
	}
	send := f.mainly("do.assist.send", "send")
	if !body.Field.Done || s.busy {
		send.Disabled, send.Why = true, f.word("hold.assist")
	}
	if ok, why := f.accepts(); !ok {
		send.Disabled, send.Why = true, why
	}
	return view.View{Screen: "assist", Back: true, Body: body, Foot: []view.Button{send}}
}

func (s *assist) act(f *Flow, a view.Action) {
	switch a.Do {
	case "kind":
		s.kind = a.Arg("value")
	case "key":
		s.phone = typed(s.phone, a.Arg("key"), phoneLength, digit)
		f.session().phone = s.phone // so that leaving wipes it visibly
	case "send":
		if ok, _ := f.accepts(); ok && phoneField(f, s.phone, true).Done && !s.busy {
			s.send(f)
		}
	}
}

func (s *assist) send(f *Flow) {
	s.busy = true
	req := casefile.Request{Kind: "assistance", Phone: s.phone, Text: f.word("assist.kind." + s.kind)}
	if f.visit != nil && len(f.visit.items) > 0 {
		req.Item = f.visit.items[0].Code
	}
	f.beside(f.session().ctx, func(ctx context.Context) func() {
		number, err := f.opt.Cases.RecordRequest(context.WithoutCancel(ctx), req)
		return func() {
			s.busy = false
			if err != nil {
				f.opt.Log.Error("cannot record a request", "area", "visit", "err", err)
				f.swap(s, &fault{failure: f.failure(journalCode(err, "J-405")), foot: []view.Button{f.mainly("do.home", "home")}})
				return
			}
			f.sound = view.SoundDone
			s.number = number
			f.swap(s, &recorded{number: number})
		}
	})
}

// recorded confirms a request with its number.
type recorded struct{ number string }

func (s *recorded) view(f *Flow) view.View {
	return view.View{Screen: "recorded", Body: view.Recorded{Groups: groups(s.number, 4), What: f.word("recorded.assist"), Next: f.word("recorded.assist.next")},
		Foot: []view.Button{f.mainly("do.finish", "home")}}
}

func (*recorded) act(*Flow, view.Action) {}
