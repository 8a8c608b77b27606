package visit

import (
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/evaluation/ask"
	"yuanban/ui/view"
)

// thanksFor is how long the thanks stand before the visit is wiped.
const thanksFor = 6 * time.Second

// reasonTime is how long the reasons stay open without a touch at the machine, where nobody waits behind a counter.
const reasonTime = 60 * time.Second

// rating asks for the rating of what was just done.
type rating struct {
	asking *ask.Asking
	opened time.Time
}

func newRating(f *Flow, inv evaluation.Invitation, service string) *rating {
	return &rating{opened: time.Now(), asking: ask.New(ask.Options{Book: f.opt.Ratings, Words: f.opt.Words, Pinyin: f.opt.Pinyin, Reasons: reasonTime,
		Buttons: f.opt.Places.Buttons, Texts: f.opt.Accepts, Kiosk: true, Log: f.opt.Log}, inv, service, nil)}
}

func (s *rating) view(f *Flow) view.View {
	v := s.asking.View(f.fit())
	if p := f.visit.print; p.Failure != nil && p.State != view.PrintSent { // the paper has trouble while the visitor rates
		v.Banner = &view.Banner{Kind: view.BannerWarning, Text: f.word("banner.receipt", "what", p.Failure.What)}
	}
	return v
}

func (s *rating) act(f *Flow, a view.Action) { s.after(f, s.asking.Act(f.ctx, a)) }

func (s *rating) press(f *Flow, level int) { s.after(f, s.asking.Press(f.ctx, level)) }

func (s *rating) wakeAt(*Flow) time.Time { return s.asking.Deadline() }

func (s *rating) wake(f *Flow) { s.after(f, s.asking.Expire(f.ctx)) }

// idles: once the grade is given, the reason screen has its own time.
func (s *rating) idles(*Flow) bool { return !s.asking.Rated() }

// leaving leads from the text back to the reasons; the rating itself is never gone back from.
func (s *rating) leaving(f *Flow) bool {
	s.act(f, view.Action{Do: "back"})
	return true
}

// after moves on when the asking is over.
func (s *rating) after(f *Flow, err error) {
	if err != nil {
		f.opt.Log.Error("cannot record at the rating", "area", "visit", "err", err)
		if _, over := s.asking.Over(); !over {
			fail := f.failure(journalCode(err, "J-404"))
			f.push(&fault{failure: fail, foot: []view.Button{f.mainly("do.finish", "home")}})
			return
		}
	}
	how, over := s.asking.Over()
	switch {
	case !over:
	case how == evaluation.Rated:
		f.sound = view.SoundDone
		f.replace(&thanks{until: time.Now().Add(thanksFor)})
	default:
		f.end()
	}
}

// end ends the visit, unless its receipt is not out: then the visitor is led back to what they can do about it.
func (f *Flow) end() {
	switch st := f.visit.print.State; {
	case f.visit.skipped:
		f.finish()
	case st == view.PrintWaiting, st == view.PrintFailed, st == view.PrintIndeterminate, st == view.PrintRetracted:
		f.begin(&accepted{})
	default:
		f.finish()
	}
}

// leaveRating ends an open asking when the visitor leaves it: what was given is kept, what was not is told as it was.
func (f *Flow) leaveRating(how evaluation.State) {
	for _, fr := range f.stack {
		if r, ok := fr.screen.(*rating); ok {
			if err := r.asking.End(f.ctx, how); err != nil {
				f.opt.Log.Error("cannot record that a visitor left the rating", "area", "visit", "err", err)
			}
		}
	}
}

// thanks ends the visit.
type thanks struct{ until time.Time }

func (s *thanks) view(f *Flow) view.View {
	word := f.word("thanks.word")
	if !f.online {
		word = f.word("thanks.word.later")
	}
	return view.View{Screen: "thanks", Step: view.StepRating, Body: view.Thanks{Word: word, Until: s.until}, Foot: []view.Button{f.mainly("do.finish", "finish")}}
}

func (s *thanks) act(f *Flow, a view.Action) {
	if a.Do == "finish" {
		f.end()
	}
}

func (s *thanks) idles(*Flow) bool { return false }

func (s *thanks) wakeAt(*Flow) time.Time { return s.until }

func (s *thanks) wake(f *Flow) { f.end() }
