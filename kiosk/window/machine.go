package window

import (
	"context"
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/ui/view"
)

// Platform hands over whether the platform is reachable.
func (f *Flow) Platform(online bool) { f.post(func() { f.online = online }) }

// Changed says that a device's health changed.
func (f *Flow) Changed() { f.post(func() {}) }

// Yield hands over that a technician takes the pad, or gives it back. Taken, an open invitation ends as if nobody had answered, and no
// other is taken.
func (f *Flow) Yield(away bool) {
	f.post(func() {
		if away {
			f.endAsking(evaluation.Timeout)
		}
		f.away, f.after, f.helping, f.modes = away, nil, time.Time{}, view.Modes{}
	})
}

// Display hands over whether a screen is connected.
func (f *Flow) Display(connected bool) {
	f.post(func() { f.display = connected })
}

// Halted hands over that no rating can be recorded. The pad then says so instead of inviting anybody to press in vain.
func (f *Flow) Halted(halted bool) {
	f.post(func() { f.halted = halted })
}

// Ping returns when the window's goroutine has answered: the proof that its loop turns. resting says that nobody is being asked, so
// that the display may be refreshed.
func (f *Flow) Ping(ctx context.Context) (resting bool, err error) {
	err = f.do(ctx, func() error {
		resting = f.asking == nil && f.after == nil && f.helping.Equal(time.Time{})
		return nil
	})
	return resting, err
}
