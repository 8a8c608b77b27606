package maintenance

import (
	"strconv"
	"time"

	"yuanban/ui/view"
)

// stickQuiet is how long an update may say nothing: a large program is written to a slow disk and synced in less.
const stickQuiet = 3 * time.Minute

// stickTask updates the machine from a USB stick. The work is done by a unit of its own; here it is asked for and watched. Leaving the
// screen stops nothing, and who comes back sees how far it is.
type stickTask struct {
	asked   time.Time // here; zero when it was not
	running bool      // as it was last seen
	failure *view.Failure
}

// busy: an update is not left alone for want of touches.
func (s *stickTask) busy() bool { return s.running }

func (*stickTask) every() time.Duration { return time.Second }

func (*stickTask) tick(*Desk) {}

// over says whether a report is the last of its update.
func (r StickReport) over() bool { return r.Step == "Done" || r.Step == "Failed" || r.asked() }

// asked says that this machine has written a request on the stick, which somebody has to approve.
func (r StickReport) asked() bool { return r.Step == "Ask" && r.Code != "" }

// state judges the report: nothing under way, under way, or silent for too long.
func (s *stickTask) state(d *Desk) (r StickReport, known, running, lost bool) {
	r, known = d.opt.Stick.Report()
	if known && r.At.Before(s.asked) { // of the update before
		r, known = StickReport{}, false
	}
	last := s.asked
	if known && r.At.After(last) {
		last = r.At
	}
	waiting := known && !r.over() || !known && !s.asked.IsZero()
	lost = waiting && time.Since(last) > stickQuiet
	return r, known, waiting && !lost && s.failure == nil, lost
}

func (s *stickTask) view(d *Desk) view.View {
	r, known, running, lost := s.state(d)
	s.running = running
	body := view.Trial{Word: d.word("maint.stick.word"), Failure: s.failure}
	begin := d.mainly("begin")
	foot := []view.Button{d.button("end"), d.button("tasks"), begin}
	switch {
	case s.failure != nil:
		body.Word = ""
	case running:
		body.Word, body.Busy, body.Step = d.word("maint.stick.running"), true, d.word("maint.step.Ask")
		if known {
			body.Step = d.step(r.Step)
			body.Percent = min(max(int(100*r.Progress), 0), 100)
		}
		foot = []view.Button{d.mainly("tasks")}
	case lost:
		body.Word, body.Failure = "", d.failure("M-743")
	case known && r.Step == "Done":
		body.Word, body.Good = "", d.word("maint.stick.done", "version", version(r.Version), "when", d.when(r.At))
	case known && r.asked():
		body.Word, body.Good = "", d.word("maint.stick.asked", "code", r.Code)
	case known:
		why := "maint.stick.failed." + r.Why
		if !d.opt.Words.Has(why) {
			why = "maint.stick.failed.unknown"
		}
		body.Word, body.Failure = "", d.failure("M-742", "why", d.word(why))
		if !d.modes.Large && !d.modes.Wheelchair && !d.small() {
			body.Raw = tail(r.Text)
		}
	}
	return view.View{Screen: "trial", Title: d.word("maint.do.stick"), Body: body, Foot: foot}
}

// step is the name of a step; one that this program does not know is shown as work.
func (d *Desk) step(name string) string {
	if key := "maint.step." + name; d.opt.Words.Has(key) {
		return d.word(key)
	}
	return d.word("maint.step.Install")
}

func (s *stickTask) act(d *Desk, a view.Action) {
	switch a.Do {
	case "tasks":
		d.turn(&tasks{})
	case "begin":
		if _, _, running, _ := s.state(d); running {
			return
		}
		s.failure, s.asked = nil, time.Now()
		if err := d.opt.Stick.Begin(); err != nil {
			d.opt.Log.Error("cannot ask for an update from a stick", "area", "maintenance", "err", err)
			s.failure, s.asked = d.failure("M-741"), time.Time{}
		}
	}
}

func version(n int64) string {
	if n <= 0 {
		return ""
	}
	return " " + strconv.FormatInt(n, 10)
}
