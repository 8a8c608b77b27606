package window

import (
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// cue tells the rating buttons what to show when that has changed: an invitation for as long as a press counts.
func (f *Flow) cue() {
	c := station.CueWelcome
	switch {
	case f.asking != nil && !f.asking.Rated():
		c = station.CueInvite
	case f.asking != nil, f.after != nil && f.after.view.Screen == "thanks":
		c = station.CueThank
	case f.standbyState() != view.StandbyReady: // paused, or nobody is signed in
		c = station.CuePause
	}
	if c == f.cued {
		return
	}
	f.cued = c
	if f.opt.Cue != nil {
		f.opt.Cue(c)
	}
}
