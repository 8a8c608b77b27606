package buttons

import "time"

// The limits beyond which a line is not a button being pressed by a person.
const (
	defaultDebounce = 20 * time.Millisecond
	stuckAfter      = 30 * time.Second       // held longer than any visitor holds a button
	quietFor        = 5 * time.Second        // of a noisy line, until it is trusted again
	unrestStep      = 100 * time.Millisecond // of chatter that costs one error; a good contact rests within 5 ms
	humanGap        = 60 * time.Millisecond  // from release to next press; nobody is faster
	budget          = 20.0                   // errors a line may have before it is set aside
	refill          = 1.0                    // errors forgiven each second
)

type condition int8

const (
	fine condition = iota
	noisy
	stuck
)

// line is what is known of one button's line.
type line struct {
	raw      bool      // the level last seen
	since    time.Time // when raw last changed
	pressed  bool      // the level after debouncing
	resting  bool      // raw has not changed for the debounce time
	began    time.Time // first change of the present unrest
	charged  time.Time // up to where the present unrest is paid for
	released time.Time // end of the last press
	errors   float64   // used of the budget
	paid     time.Time // when errors was last refilled
	cond     condition
}

func (l *line) charge(now time.Time) {
	l.errors = max(0, l.errors-refill*now.Sub(l.paid).Seconds()) + 1
	l.paid = now
	if l.errors > budget {
		l.cond = noisy
	}
}

// change is what became of a line in one step.
type change int8

const (
	none change = iota
	down
	up
)

// step takes the level seen now.
func (l *line) step(now time.Time, raw bool, debounce time.Duration) change {
	if raw != l.raw {
		l.raw, l.since = raw, now
		if l.resting {
			l.resting, l.began, l.charged = false, now, now
		}
	}
	became := none
	switch {
	case l.resting:
	case now.Sub(l.since) >= debounce:
		l.resting = true
		became = l.rest(now)
	default:
		for now.Sub(l.charged) >= unrestStep {
			l.charged = l.charged.Add(unrestStep)
			l.charge(now)
		}
	}
	l.judge(now)
	return became
}

// rest settles the line on its raw level.
func (l *line) rest(now time.Time) change {
	switch {
	case l.raw == l.pressed: // it moved and came back within the debounce time
		l.charge(now)
		return none
	case l.raw:
		l.pressed = true
		if !l.released.IsZero() && l.began.Sub(l.released) < humanGap {
			l.charge(now)
		}
		return down
	}
	l.pressed, l.released = false, l.since
	return up
}

// judge sets the line aside or takes it back.
func (l *line) judge(now time.Time) {
	switch {
	case l.cond == noisy:
		if l.resting && !l.pressed && now.Sub(l.since) >= quietFor {
			l.cond, l.errors, l.paid = fine, 0, now
		}
	case !l.pressed:
		l.cond = fine
	case l.resting && now.Sub(l.since) >= stuckAfter:
		l.cond = stuck
	}
}

// touched reports whether the line is anything but released and at rest.
func (l *line) touched() bool { return l.raw || l.pressed || !l.resting }

// machine turns levels over time into presses. It is pure: it knows no clock and no device.
type machine struct {
	debounce time.Duration
	lines    [Count]line
	started  bool
	held     bool // a press was told or spoiled: nothing counts until every usable button is released
}

// step takes the levels seen now, bit i for button i+1, and returns the press that they complete, if any.
// Calls must not go back in time.
func (m *machine) step(now time.Time, levels uint32) (Press, bool) {
	if !m.started {
		m.start(now, levels)
		return Press{}, false
	}
	pressed := -1
	for i := range m.lines {
		l := &m.lines[i]
		if l.step(now, levels>>i&1 == 1, m.debounce) == down && l.cond == fine {
			pressed = i
		}
	}
	touched := 0
	for i := range m.lines {
		if l := &m.lines[i]; l.cond == fine && l.touched() {
			touched++
		}
	}
	counts := pressed >= 0 && touched == 1 && !m.held
	if touched == 0 {
		m.held = false
	} else if pressed >= 0 {
		m.held = true
	}
	if !counts {
		return Press{}, false
	}
	return Press{Line: pressed + 1, At: m.lines[pressed].since}, true
}

// start takes the first levels. What is down already was not pressed before our eyes, so it is no press.
func (m *machine) start(now time.Time, levels uint32) {
	m.started = true
	for i := range m.lines {
		down := levels>>i&1 == 1
		m.lines[i] = line{raw: down, since: now, pressed: down, resting: true, paid: now}
		m.held = m.held || down
	}
}

// next is when step should be called again even if no level changes; false if nothing is pending.
func (m *machine) next() (time.Time, bool) {
	var at time.Time
	for i := range m.lines {
		l := &m.lines[i]
		if l.resting || !m.started {
			continue
		}
		if due := l.since.Add(m.debounce); at.IsZero() || due.Before(at) {
			at = due
		}
	}
	return at, !at.IsZero()
}

// health lists the lines set aside.
func (m *machine) health() Health {
	h := Health{State: Online}
	for i := range m.lines {
		switch m.lines[i].cond {
		case noisy:
			h.Noisy = append(h.Noisy, i+1)
		case stuck:
			h.Stuck = append(h.Stuck, i+1)
		}
	}
	if h.Noisy != nil || h.Stuck != nil {
		h.State = HardwareError
	}
	return h
}
