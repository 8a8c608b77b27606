package visit

import (
	"context"
	"errors"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/idnumber"
	"yuanban/ui/view"
)

// cardFor is why a card is asked for.
type cardFor string

const (
	forApplication cardFor = "apply"
	forProgress    cardFor = "progress"
)

// cardScreen is everything around the ID card.
type cardScreen struct {
	purpose cardFor
	state   view.CardState
	failure *view.Failure
	ctx     context.Context
}

func newCardScreen(p cardFor) *cardScreen { return &cardScreen{purpose: p, state: view.CardLay} }

func (s *cardScreen) enter(f *Flow, ctx context.Context) {
	s.ctx = ctx
	s.lay(f)
}

// lay asks for a card and waits for one.
func (s *cardScreen) lay(f *Flow) {
	if !f.opt.Reader.Online() {
		s.out(f)
		return
	}
	s.state, s.failure = view.CardLay, nil
	s.listen(f)
}

// listen reads beside the flow. The state on the screen stays until a card answers.
func (s *cardScreen) listen(f *Flow) {
	f.beside(s.ctx, func(ctx context.Context) func() {
		card, err := f.opt.Reader.ReadCard(ctx, func() {
			f.post(func() {
				if ctx.Err() == nil {
					s.state, s.failure = view.CardReading, nil
				}
			})
		})
		return func() { s.read(f, card, err) }
	})
}

// read is the end of one reading. Only what the visitor can mend with the card in hand keeps the reader waiting.
func (s *cardScreen) read(f *Flow, card idcard.Card, err error) {
	f.touched() // a card laid on the reader is a sign of life
	var fail *idcard.Error
	switch {
	case err == nil && s.purpose == forApplication:
		f.session().card = &card
		f.replace(&identity{})
	case err == nil:
		f.session().card = &card
		f.replace(newProgress(f, card.Number))
	case errors.As(err, &fail) && fail.Class == idcard.ClassAgain:
		s.again(f, view.CardAgain, "R-201")
		s.listen(f)
	case errors.As(err, &fail) && fail.Class == idcard.ClassUnreadable:
		s.again(f, view.CardUnreadable, "R-202")
		s.listen(f)
	default:
		s.out(f)
	}
}

func (s *cardScreen) again(f *Flow, state view.CardState, code string) {
	fail := f.failure(code)
	s.state, s.failure = state, &fail
	f.sound = view.SoundAlert
}

func (s *cardScreen) out(f *Flow) {
	fail := f.failure("R-203")
	s.state, s.failure = view.CardOut, &fail
}

// refresh asks for the card again as soon as the reader is back.
func (s *cardScreen) refresh(f *Flow) {
	switch {
	case s.state == view.CardOut && f.opt.Reader.Online():
		s.lay(f)
	case s.state == view.CardLay && !f.opt.Reader.Online():
		s.out(f)
	}
}

func (s *cardScreen) view(f *Flow) view.View {
	body := view.CardScreen{State: s.state, Side: f.opt.Places.Reader, Failure: s.failure, Reason: f.word("reason.card." + string(s.purpose)),
		Use: []string{f.word("use.identity"), f.word("use.purpose." + string(s.purpose)), f.word("use.keep"), f.word("use.photo")}}
	v := view.View{Screen: "card", Back: true, Body: body}
	if s.purpose == forApplication {
		v.Step = view.StepIdentity
	}
	if s.state != view.CardLay {
		v.Title = f.word("card.title." + string(s.state))
	}
	switch s.state {
	case view.CardOut:
		v.Foot = []view.Button{f.button("assist"), f.mainly("do.retry", "retry")}
	case view.CardUnreadable: // who has no other card needs another way
		v.Foot = []view.Button{f.button("assist")}
	}
	return v
}

func (s *cardScreen) act(f *Flow, a view.Action) {
	switch {
	case a.Do == "assist":
		f.replace(newAssist(f))
	case a.Do == "retry" && s.state == view.CardOut:
		s.lay(f)
	}
}

func (s *cardScreen) idles(*Flow) bool { return s.state != view.CardReading }

// identity shows the masked card for confirmation.
type identity struct{}

func (*identity) view(f *Flow) view.View {
	c := f.visit.card
	body := view.Identity{Name: idnumber.MaskName(shownName(c)), Number: idnumber.MaskNumber(c.Number), Kind: f.word("card.kind." + string(c.Kind)),
		Valid: f.validity(c), Expired: c.Expired(time.Now())}
	foot := []view.Button{{Label: f.word("do.identity.other"), Do: "other"}, f.mainly("do.identity.confirm", "confirm")}
	if body.Expired {
		fail := f.failure("R-204")
		body.Failure = &fail
		foot = []view.Button{f.button("assist"), f.mainly("do.identity.other", "other")}
	}
	return view.View{Screen: "identity", Back: true, Step: view.StepIdentity, Body: body, Foot: foot}
}

func (*identity) act(f *Flow, a view.Action) {
	switch a.Do {
	case "confirm":
		if !f.visit.card.Expired(time.Now()) {
			f.push(newCompany(f))
		}
	case "other":
		f.visit.otherPerson()
		f.replace(newCardScreen(forApplication))
	case "assist":
		f.push(newAssist(f))
	}
}

// shownName is the name a person goes by here: the Chinese one where there is one.
func shownName(c *idcard.Card) string {
	if c.Name != "" {
		return c.Name
	}
	return c.EnglishName
}

func (f *Flow) validity(c *idcard.Card) string {
	if c.Permanent {
		return f.word("card.permanent")
	}
	to, err := time.Parse("20060102", c.ValidTo)
	if err != nil {
		return c.ValidTo
	}
	return to.Format("2006-01-02")
}
