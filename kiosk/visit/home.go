package visit

import (
	"time"

	"yuanban/ui/view"
)

// wipedFor is how long the machine says that everything was wiped.
const wipedFor = 4 * time.Second

// restartedFor is how long the machine says after a restart that what was accepted holds.
const restartedFor = 30 * time.Second

// opening is the first screen of the program's life.
func (f *Flow) opening() screen {
	if f.opt.Restarted {
		return &wiped{why: f.word("wiped.restart"), until: time.Now().Add(restartedFor)}
	}
	return &attract{}
}

// attract is the resting screen.
type attract struct{}

func (*attract) view(f *Flow) view.View {
	now := time.Now().In(f.opt.Location)
	park := f.opt.Catalogue.Park
	return view.View{Screen: "attract", Body: view.Attract{
		Park: park.Name, Slogan: park.Slogan, Hours: park.KioskHours,
		Night: now.Hour() >= 22 || now.Hour() < 6,
		Shift: now.Minute() % 8,
	}}
}

func (*attract) act(f *Flow, _ view.Action) { f.begin(&home{}) }

func (*attract) idles(*Flow) bool { return false }

// wakeAt moves the picture a few pixels each minute, so that it does not burn into the panel.
func (*attract) wakeAt(*Flow) time.Time { return time.Now().Truncate(time.Minute).Add(time.Minute) }

func (*attract) wake(*Flow) {}

// home has the three large entries and the three that are always in reach.
type home struct{}

func (*home) view(f *Flow) view.View {
	c := f.opt.Catalogue
	takes, why := f.accepts()
	body := view.Home{Park: c.Park.Name, Slogan: c.Park.Slogan, Packages: tiles(c), CanApply: takes && f.opt.Reader.Online()}
	switch {
	case !takes:
		body.ApplyWord = why
	case !body.CanApply:
		body.ApplyWord = f.word("why.reader")
	}
	return view.View{Screen: "home", Body: body}
}

func (*home) act(f *Flow, a view.Action) {
	switch a.Do {
	case "guide":
		f.push(&browse{purpose: view.PurposeGuide, tab: "packages"})
	case "apply":
		f.push(&browse{purpose: view.PurposeApply, tab: "packages"})
	case "package":
		openPackage(f, view.PurposeApply, a.Arg("code"))
	case "disclosure":
		f.push(&disclosure{})
	case "progress":
		f.push(newCardScreen(forProgress))
	case "assist":
		f.push(newAssist(f))
	case "search":
		f.push(newSearch(f, view.PurposeApply))
	}
}

// help shows the telephone numbers.
type help struct{}

func (*help) view(f *Flow) view.View {
	var lines []view.HelpLine
	for _, p := range f.opt.Catalogue.Help {
		lines = append(lines, view.HelpLine{Name: p.Name, Number: p.Number, Word: p.Word, Big: p.Big})
	}
	return view.View{Screen: "help", Back: true, Body: view.Help{Lines: lines}, Foot: []view.Button{f.button("assist"), f.mainly("do.back", "back")}}
}

func (*help) act(f *Flow, a view.Action) {
	if a.Do == "assist" {
		f.replace(newAssist(f))
	}
}

// wiped says that nothing of a visit is left, and goes home.
type wiped struct {
	why   string
	until time.Time
}

func (w *wiped) view(f *Flow) view.View {
	return view.View{Screen: "wiped", Body: view.Wiped{Why: w.why}, Foot: []view.Button{f.mainly("do.home", "home")}}
}

func (w *wiped) act(f *Flow, _ view.Action) { f.begin(&home{}) }

func (w *wiped) wakeAt(*Flow) time.Time { return w.until }

func (w *wiped) wake(f *Flow) {
	f.modes = view.Modes{}
	f.begin(&home{})
}

// fault is a screen that is only a failure, with its ways on.
type fault struct {
	failure view.Failure
	foot    []view.Button
}

func (s *fault) view(*Flow) view.View {
	return view.View{Screen: "fault", Back: true, Body: view.Fault{Failure: s.failure}, Foot: s.foot}
}

func (s *fault) act(f *Flow, a view.Action) {
	switch a.Do {
	case "assist":
		f.replace(newAssist(f))
	case "retry":
		f.back()
	}
}
