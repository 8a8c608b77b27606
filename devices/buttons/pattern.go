package buttons

import "time"

// Pattern is what lamps show.
type Pattern string

// The patterns. None is faster than 2 Hz.
const (
	Off     Pattern = "off"
	On      Pattern = "on"
	Breathe Pattern = "breathe" // on and off, once a second: please choose
	Blink   Pattern = "blink"   // on and off, twice a second: look here
	Fault   Pattern = "fault"   // a short flash every two seconds: this does not work
)

const (
	shortestLit = 250 * time.Millisecond // half a period of 2 Hz: no lamp is on, or off, for less
	thanks      = time.Second            // how long the lamp of the pressed button is lit alone
)

// phases are how long a pattern is lit and dark by turns, beginning lit; 0, 0 for a pattern that does not change.
func (p Pattern) phases() (lit, dark time.Duration) {
	switch p {
	case Breathe:
		return 2 * shortestLit, 2 * shortestLit
	case Blink:
		return shortestLit, shortestLit
	case Fault:
		return shortestLit, 7 * shortestLit
	}
	return 0, 0
}

// lit says whether a pattern that has been shown for so long is lit.
func (p Pattern) lit(shown time.Duration) bool {
	lit, dark := p.phases()
	if lit == 0 {
		return p == On
	}
	return shown%(lit+dark) < lit
}

// next is after how long a pattern that has been shown for so long changes, if it does.
func (p Pattern) next(shown time.Duration) (time.Duration, bool) {
	lit, dark := p.phases()
	if lit == 0 {
		return 0, false
	}
	phase := shown % (lit + dark)
	if phase < lit {
		return lit - phase, true
	}
	return lit + dark - phase, true
}

// scene is all that the lamps are asked to show. It is pure. In its masks bit i is the lamp of button i+1.
type scene struct {
	pattern      Pattern
	only         uint // lamps that show the pattern, the others are off
	began        time.Time
	aside        uint // lamps of buttons that cannot be pressed
	thanked      uint // the lamp of a button whose press was taken
	thankedUntil time.Time
}

// maskOf is the mask of the buttons named.
func maskOf(buttons []int) uint {
	mask := uint(0)
	for _, n := range buttons {
		if n >= 1 && n <= Count {
			mask |= 1 << (n - 1)
		}
	}
	return mask
}

// lit says whether lamp i is lit.
func (s scene) lit(i int, now time.Time) bool {
	if now.Before(s.thankedUntil) {
		return s.thanked>>i&1 == 1
	}
	return s.of(i).lit(now.Sub(s.began))
}

// of is the pattern of lamp i.
func (s scene) of(i int) Pattern {
	switch {
	case s.pattern == Off, s.only>>i&1 == 0:
		return Off
	case s.aside>>i&1 == 1:
		return Fault
	}
	return s.pattern
}

// next is when a lamp changes by itself.
func (s scene) next(now time.Time) (time.Time, bool) {
	var first time.Time
	consider := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if now.Before(s.thankedUntil) {
		consider(s.thankedUntil)
	}
	shown := []Pattern{s.pattern}
	if s.aside != 0 {
		shown = append(shown, Fault)
	}
	for _, p := range shown {
		if wait, ok := p.next(now.Sub(s.began)); ok {
			consider(now.Add(wait))
		}
	}
	return first, !first.IsZero()
}
