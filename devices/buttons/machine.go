package buttons

import "time"

// look is what was seen of all lines, bit i for input i.
type look struct {
	at     time.Time // when levels were read
	levels uint64    // bit set while on
	edges  uint64    // lines of which an edge was told since the look before
	still  time.Time // up to when it is known that no other edge came
}

// told is what one look completed.
type told struct {
	presses  []Press
	readings []Reading
}

// machine turns looks at the lines into presses and readings. It is pure: it knows no clock and no device.
type machine struct {
	lines   []line
	started bool
	knowing time.Time // from when on every button that is released is known to be; zero for at once
	held    bool      // a rating was told or spoiled: none counts until every usable rating button is released
}

func newMachine(inputs []Input) *machine {
	m := &machine{}
	for _, in := range inputs {
		m.lines = append(m.lines, line{in: in})
	}
	return m
}

// step takes a look and returns what it completes. Looks must not go back in time.
func (m *machine) step(l look) told {
	if !m.started {
		m.start(l)
		return told{}
	}
	var out told
	var rated *line
	for i := range m.lines {
		ln := &m.lines[i]
		pressed := ln.step(l.at, l.still, l.levels>>i&1 == 1, l.edges>>i&1 == 1) == down && ln.cond == fine
		switch ln.in.Role {
		case Rating:
			if pressed {
				rated = ln
			}
		case Momentary:
			if pressed {
				out.presses = append(out.presses, ln.press())
			}
		case Sensor:
			if r, ok := ln.reading(l.still); ok {
				out.readings = append(out.readings, r)
			}
		}
	}
	if m.alone(rated) {
		out.presses = append(out.presses, rated.press())
	}
	return out
}

func (l *line) press() Press { return Press{Input: l.in.Name, Line: l.in.Button, At: l.since} }

// alone decides whether a rating button that came to rest pressed (nil for none) is a rating.
func (m *machine) alone(rated *line) bool {
	touched, meanwhile := 0, false
	for i := range m.lines {
		l := &m.lines[i]
		if l.in.Role != Rating || l.cond != fine {
			continue
		}
		if l.touched() {
			touched++
		}
		meanwhile = meanwhile || rated != nil && l != rated && l.seenOn && !l.since.Before(rated.since)
	}
	counts := rated != nil && touched == 1 && !meanwhile && !m.held
	if touched == 0 {
		m.held = false
	} else if rated != nil {
		m.held = true
	}
	return counts
}

// start takes the first levels.
func (m *machine) start(l look) {
	m.started = true
	for i := range m.lines {
		ln := &m.lines[i]
		ln.begin(l.at, l.levels>>i&1 == 1)
		m.held = m.held || ln.in.Role == Rating && ln.on
		if at, unproven := ln.due(); unproven && ln.in.Role != Sensor && at.After(m.knowing) {
			m.knowing = at
		}
	}
}

// knows says whether enough was seen, up to still, for a press to count.
func (m *machine) knows(still time.Time) bool { return m.started && !still.Before(m.knowing) }

// next is when step should be called again even if no level changes; false if nothing is pending.
func (m *machine) next() (time.Time, bool) {
	var first time.Time
	for i := range m.lines {
		if at, ok := m.lines[i].due(); ok && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, !first.IsZero()
}

// health lists the inputs set aside.
func (m *machine) health() Health {
	h := Health{State: Online}
	for i := range m.lines {
		switch l := &m.lines[i]; l.cond {
		case noisy:
			h.Noisy = append(h.Noisy, l.in)
		case stuck:
			h.Stuck = append(h.Stuck, l.in)
		}
	}
	if h.Noisy != nil || h.Stuck != nil {
		h.State = HardwareError
	}
	return h
}
