package visit

import (
	"time"

	"yuanban/ui/view"
)

// never is a wait that no visit outlasts.
const never = 24 * time.Hour

func (f *Flow) idleTimes() (first, countdown time.Duration) {
	if f.modes.Large {
		return f.opt.Idle.LargeFirst, f.opt.Idle.LargeCountdown
	}
	return f.opt.Idle.First, f.opt.Idle.Countdown
}

// touched notes a sign of life; it also answers 您还在吗, as often as the visitor likes.
func (f *Flow) touched() {
	f.lastSeen = time.Now()
	f.warned = false
}

// Presence hands over that somebody came before the machine, or left. Who comes up to the resting screen finds the machine awake;
// nothing else happens by it: a visit belongs to whoever touches the screen, and its time does not run slower for a passer-by.
func (f *Flow) Presence(near bool) {
	f.post(func() {
		if _, resting := f.top().(*attract); resting && near && !f.away {
			f.begin(&home{})
		}
	})
}

// idles says whether silence means that the visitor has gone: not while the machine is at work for them.
func (f *Flow) idles() bool {
	if i, ok := f.top().(idler); ok {
		return i.idles(f)
	}
	return true
}

// untilNext is the time until something happens by itself.
func (f *Flow) untilNext() time.Duration {
	next := time.Now().Add(never)
	if f.idles() {
		first, countdown := f.idleTimes()
		at := f.lastSeen.Add(first)
		if f.warned {
			at = at.Add(countdown)
		}
		if at.Before(next) {
			next = at
		}
	}
	if w, ok := f.top().(waker); ok {
		if at := w.wakeAt(f); !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return max(time.Until(next), 0)
}

// tick does what is due.
func (f *Flow) tick() {
	now := time.Now()
	if w, ok := f.top().(waker); ok {
		if at := w.wakeAt(f); !at.IsZero() && !at.After(now) {
			w.wake(f)
			return
		}
	}
	if !f.idles() {
		return
	}
	first, countdown := f.idleTimes()
	switch silent := now.Sub(f.lastSeen); {
	case silent >= first+countdown && f.warned:
		f.idledOut()
	case silent >= first && !f.warned:
		f.warned = true
		if _, ok := f.top().(*home); ok && !f.visit.begun() {
			f.modes = view.Modes{}
			f.begin(&attract{}) // nobody is there, nothing is lost
		}
	}
}
