package visit

import "yuanban/kiosk/evaluation"

// Yield hands over that a technician takes the machine, or gives it back. Taken, the visit ends as if nobody had answered for it, and
// nothing of it is left; given back, the machine is at home. In between nothing may be handed over to the flow that a person did.
func (f *Flow) Yield(away bool) {
	f.post(func() {
		switch {
		case away:
			f.yielding = !f.away
		case f.away || f.yielding:
			f.away, f.yielding = false, false
			f.begin(&home{})
		}
	})
}

// yield ends the visit once nothing is being committed: what comes of a commit is recorded either way.
func (f *Flow) yield() {
	if _, committing := f.top().(*handing); committing || !f.yielding {
		return
	}
	f.yielding, f.away = false, true
	f.leaveRating(evaluation.Timeout)
	f.forget()
	f.begin(&attract{})
}
