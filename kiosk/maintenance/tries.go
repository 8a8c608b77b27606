package maintenance

import "time"

// Who tries PINs out has five tries in a quarter of an hour: for half of the PINs of six digits that is 17 years.
const (
	triesAllowed = 5
	lockedFor    = 15 * time.Minute
)

// tries counts wrong PINs. It lives as long as the program, so that loading the page again gives no new tries; times are read off the
// monotonic clock, so that setting the clock ends no lock.
type tries struct {
	wrong int
	until time.Time // locked until then
}

// left is how many tries are left; 0 while it is locked.
func (t *tries) left(now time.Time) int {
	if !t.until.IsZero() && !now.Before(t.until) {
		*t = tries{}
	}
	return triesAllowed - t.wrong
}

// missed counts a wrong PIN.
func (t *tries) missed(now time.Time) {
	if t.left(now) == 0 {
		return
	}
	if t.wrong++; t.wrong == triesAllowed {
		t.until = now.Add(lockedFor)
	}
}

// hit forgets the wrong ones.
func (t *tries) hit() { *t = tries{} }
