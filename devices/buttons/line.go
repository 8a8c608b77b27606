package buttons

import "time"

// The limits beyond which a line is not a contact being used by a person.
const (
	quietFor   = 5 * time.Second        // of a noisy line, until it is trusted again
	unrestStep = 100 * time.Millisecond // of chatter that costs one error; a good contact rests within 5 ms
	humanGap   = 60 * time.Millisecond  // from release to next press; nobody is faster
	budget     = 20.0                   // errors a line may have before it is set aside
	refill     = 1.0                    // errors forgiven each second
)

type condition int8

const (
	fine condition = iota
	noisy
	stuck
)

// line is what is known of one input's line.
type line struct {
	in       Input
	raw      bool      // the level last seen
	since    time.Time // when raw last changed, or an edge told that it had
	on       bool      // the level after debouncing
	resting  bool      // raw has not changed for the debounce time
	began    time.Time // first change of the present unrest
	seenOn   bool      // raw was on in the present unrest, or in the last
	charged  time.Time // up to where the present unrest is paid for
	released time.Time // end of the last press
	errors   float64   // used of the budget
	paid     time.Time // when errors was last refilled
	cond     condition
	told     bool // a sensor: its level was told
	toldOn   bool // that level
}

// begin takes the first level. A button counts as held until it has been seen released for the debounce time: it may have been
// down before our eyes opened.
func (l *line) begin(now time.Time, raw bool) {
	button := l.in.Role != Sensor
	*l = line{in: l.in, raw: raw, since: now, on: raw || button, resting: raw || !button, began: now, charged: now, paid: now}
}

// change is what became of a line in one step.
type change int8

const (
	none change = iota
	down
	up
)

// step takes what was seen now: the level, and whether an edge told of a change. still is up to when it is known that no
// other edge came.
func (l *line) step(now, still time.Time, raw, edge bool) change {
	if raw != l.raw || edge {
		l.move(now, raw)
	}
	became := none
	if !l.resting && !still.Before(l.since.Add(l.in.debounce())) {
		l.resting = true
		became = l.rest(now)
	}
	l.judge(now)
	return became
}

// move takes a change. Chatter costs one error at a time, so that a program that was not given the processor for a while
// does not take its own sleep for noise.
func (l *line) move(now time.Time, raw bool) {
	if l.resting {
		l.resting, l.seenOn, l.began, l.charged = false, false, now, now
	}
	l.raw, l.since = raw, now
	l.seenOn = l.seenOn || raw
	if now.Sub(l.charged) >= unrestStep {
		l.charged = now
		l.charge(now)
	}
}

// rest settles the line on its raw level.
func (l *line) rest(now time.Time) change {
	switch {
	case l.raw == l.on: // it moved and came back within the debounce time
		l.charge(now)
		return none
	case l.raw:
		l.on = true
		if !l.released.IsZero() && l.began.Sub(l.released) < humanGap {
			l.charge(now)
		}
		return down
	}
	l.on, l.released = false, l.since
	return up
}

func (l *line) charge(now time.Time) {
	l.errors = max(0, l.errors-refill*now.Sub(l.paid).Seconds()) + 1
	l.paid = now
	if l.errors > budget {
		l.cond = noisy
	}
}

// judge sets the line aside or takes it back.
func (l *line) judge(now time.Time) {
	stood := now.Sub(l.since)
	switch {
	case l.cond == noisy:
		if l.resting && stood >= quietFor && (!l.on || l.in.Role == Sensor) {
			l.cond, l.errors, l.paid = fine, 0, now
		}
	case !l.on || l.in.Role == Sensor:
		l.cond = fine
	case l.resting && l.in.StuckAfter > 0 && stood >= l.in.StuckAfter:
		l.cond = stuck
	}
}

// touched reports whether a button is anything but released. An edge of which no level was seen is noise, not a finger.
func (l *line) touched() bool { return l.raw || l.on || !l.resting && l.seenOn }

// reading returns a sensor's level if it has to be told now.
func (l *line) reading(still time.Time) (Reading, bool) {
	at, pending := l.readingDue()
	if !pending || still.Before(at) {
		return Reading{}, false
	}
	l.told, l.toldOn = true, l.on
	return Reading{Input: l.in.Name, On: l.on, At: l.since}, true
}

// readingDue is when a sensor's level has stood for long enough to be told, if it then has to be.
func (l *line) readingDue() (time.Time, bool) {
	if l.in.Role != Sensor || l.cond != fine || !l.resting || l.told && l.toldOn == l.on {
		return time.Time{}, false
	}
	return l.since.Add(l.in.hold(l.on)), true
}

// due is when the line should be looked at even if nothing changes, if it should.
func (l *line) due() (time.Time, bool) {
	if !l.resting {
		return l.since.Add(l.in.debounce()), true
	}
	return l.readingDue()
}
