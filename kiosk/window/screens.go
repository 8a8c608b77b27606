package window

import (
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/ui/view"
)

// helpFor is how long the telephone numbers stand.
const helpFor = 30 * time.Second

// act is the one place where actions of the pad's screen arrive.
func (f *Flow) act(a view.Action) {
	switch a.Do {
	case "alive", "stay":
	case "mode":
		f.modes.Switch(a.Arg("mode"))
	case "help":
		f.helping = time.Now().Add(helpFor)
	case "home":
		f.helping, f.after = time.Time{}, nil
	case "back":
		if !f.helping.IsZero() {
			f.helping = time.Time{}
			return
		}
		fallthrough
	default:
		if f.asking != nil {
			f.touched = f.touched || f.asking.Rated()
			f.step(f.asking.Act(f.ctx, a))
		}
	}
}

// step looks at the asking after something happened to it.
func (f *Flow) step(err error) {
	if err != nil {
		f.opt.Log.Error("cannot record at the pad", "area", "window", "err", err)
		if !f.asking.Rated() && !f.asking.Ending() { // the grade could not be committed: say so, count it as a fault
			f.endAsking(evaluation.Fault)
			return
		}
	}
	how, over := f.asking.Over()
	if f.asking.Rated() && !f.told {
		f.told = true
		f.sound = view.SoundDone
		f.tell(evaluation.Rated)
	}
	if !over {
		return
	}
	now := time.Now()
	if how == evaluation.Rated {
		word := f.opt.Words.Text("thanks.word")
		if !f.online {
			word = f.opt.Words.Text("thanks.word.later")
		}
		f.after = &after{view.View{Screen: "thanks", Body: view.Thanks{Word: word, Until: now.Add(thanksFor)}}, now.Add(thanksFor)}
	} else {
		f.tell(how)
		f.after = &after{view.View{Screen: "ended", Body: view.Ended{Outcome: string(how), Word: f.opt.Words.Text("ended." + string(how))}}, now.Add(endedFor)}
	}
	f.asking = nil
	f.modes = view.Modes{}
}

// endAsking ends an open asking from outside.
func (f *Flow) endAsking(how evaluation.State) {
	if f.asking == nil {
		return
	}
	if err := f.asking.End(f.ctx, how); err != nil {
		f.opt.Log.Error("cannot record the end of an invitation", "area", "window", "err", err)
	}
	f.step(nil)
}

func (f *Flow) untilNext() time.Duration {
	next := time.Now().Add(time.Hour)
	consider := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if f.asking != nil {
		consider(f.asking.Deadline())
		if f.nobody() {
			consider(f.alone.Add(lostFor))
		}
	}
	consider(f.helping)
	if f.after != nil {
		consider(f.after.until)
	}
	return max(time.Until(next), 0)
}

// nobody says that there is neither screen nor buttons, and keeps since when.
func (f *Flow) nobody() bool {
	if f.display || f.opt.Buttons() {
		f.alone = time.Time{}
		return false
	}
	if f.alone.IsZero() {
		f.alone = time.Now()
	}
	return true
}

func (f *Flow) tick() {
	now := time.Now()
	if f.after != nil && !f.after.until.After(now) {
		f.after = nil
	}
	if !f.helping.IsZero() && !f.helping.After(now) {
		f.helping = time.Time{}
	}
	if f.asking == nil {
		return
	}
	if f.nobody() && !f.alone.Add(lostFor).After(now) {
		f.endAsking(evaluation.Fault)
		return
	}
	if d := f.asking.Deadline(); !d.IsZero() && !d.After(now) {
		f.step(f.asking.Expire(f.ctx))
	}
}

func (f *Flow) standbyState() view.StandbyState {
	switch {
	case f.paused, f.away:
		return view.StandbyPaused
	case f.staff == "":
		return view.StandbyInactive
	}
	return view.StandbyReady
}

// cardOf is the staff card, also of a member of staff whom the catalogue does not know.
func (f *Flow) cardOf(id string) *view.Staff {
	if id == "" {
		return nil
	}
	s := f.opt.Catalogue.StaffMember(id)
	if s == nil {
		return &view.Staff{Number: id, Window: f.opt.Window}
	}
	card := &view.Staff{Name: s.Name, Number: s.Number, Post: s.Post, Window: f.opt.Window}
	if s.Photo != "" {
		card.Photo = "/ui/photos/" + s.Photo
	}
	return card
}

func (f *Flow) show() {
	f.cue()
	var v view.View
	switch {
	case !f.helping.IsZero():
		var lines []view.HelpLine
		for _, l := range f.opt.Catalogue.Help {
			lines = append(lines, view.HelpLine{Name: l.Name, Number: l.Number, Word: l.Word, Big: l.Big})
		}
		v = view.View{Screen: "help", Back: true, Body: view.Help{Lines: lines},
			Foot: []view.Button{{Label: f.opt.Words.Text("do.back"), Do: "back", Main: true}}}
	case f.asking != nil:
		v = f.asking.View(view.Fit(f.opt.Box, f.modes))
	case f.after != nil:
		v = f.after.view
	case f.halted:
		v = view.View{Screen: "fault", Title: f.opt.Words.Text("fault.title.pad"), Body: view.Fault{Failure: f.opt.Words.Failure("W-601")}}
	default:
		body := view.Standby{Staff: f.cardOf(f.staff), Window: f.opt.Window, State: f.standbyState(), Park: f.opt.Catalogue.Park.Name}
		v = view.View{Screen: "standby", Body: body}
	}
	v.Modes = f.modes
	if v.Title == "" {
		v.Title = f.opt.Words.Text(v.Screen + ".title")
	}
	if !f.online {
		v.Banner = &view.Banner{Kind: view.BannerInfo, Text: f.opt.Words.Text("banner.offline.pad")}
	}
	v.Sound, f.sound = f.sound, view.SoundNone
	f.opt.Show(v)
}
