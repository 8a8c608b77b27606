package visit

import "yuanban/kiosk/station"

// cue tells the rating buttons what to show when that has changed: an invitation for as long as a press counts.
func (f *Flow) cue() {
	c := station.CueWelcome
	switch s := f.top().(type) {
	case *rating:
		if c = station.CueInvite; s.asking.Rated() {
			c = station.CueThank
		}
	case *thanks:
		c = station.CueThank
	}
	if c == f.cued {
		return
	}
	f.cued = c
	if f.opt.Cue != nil {
		f.opt.Cue(c)
	}
}
