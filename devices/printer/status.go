package printer

import (
	"errors"
	"time"
)

// Status is what the printer says of itself. Fields it says nothing about are "unknown".
type Status struct {
	Online    bool      // it answers
	Held      bool      // it answers, and says that it is off-line for no cause it names, such as a held feed button
	Paper     string    // "full", "low", "out", "unknown"
	Cover     string    // "closed", "open", "unknown"
	Cutter    string    // "ok", "jammed", "unknown"
	Head      string    // "ok", "hot" (or the voltage is wrong; it recovers by itself), "unknown"
	Mechanism string    // "ok", "broken" (an error that needs service), "unknown"
	Presenter Presence  // where the last receipt is
	Output    string    // "ok", "jammed" (paper is stuck behind the cutter), "unknown"
	At        time.Time // when the printer last said something
}

// Reason is why a job is not printed or cannot begin. The zero value means that nothing is wrong.
type Reason string

// The reasons.
const (
	PaperOut      Reason = "paperOut"
	CoverOpen     Reason = "coverOpen"
	CutterJam     Reason = "cutter"
	HeadHot       Reason = "headHot"
	OutputJam     Reason = "outputJam"     // paper is stuck in the presenter
	HardwareError Reason = "hardwareError" // the printer reports an error that needs service
	Offline       Reason = "offline"       // no answer to status requests, or off-line without a cause
	Gone          Reason = "gone"          // the port broke
	Timeout       Reason = "timeout"       // it answers, but never said that the job was printed
	Cancelled     Reason = "cancelled"
	BadDocument   Reason = "document" // the document cannot be encoded
)

// ErrSilent is matched by the [Fault] of a printer whose port works and which does not answer: off, frozen, or its cable is out at the
// far end. [ErrGone] is matched by that of a port that broke.
var ErrSilent = errors.New("printer silent")

// Fault is the error of [Printer.Ready].
type Fault struct{ Reason Reason }

func (f *Fault) Error() string {
	say := map[Reason]string{
		PaperOut:      "paper is out: load a new roll",
		CoverOpen:     "the cover is open: close it",
		CutterJam:     "the cutter is jammed: open the cover and free it",
		HeadHot:       "the print head is hot: wait until it has cooled down",
		OutputJam:     "paper is stuck in the output: open the printer and pull it out",
		HardwareError: "the printer reports a hardware error: switch it off and on, then call service",
		Offline:       "the printer does not answer: check its power and its cable",
		Gone:          "the printer has gone: check its cable",
	}[f.Reason]
	if say == "" {
		say = string(f.Reason)
	}
	return "cannot print: " + say
}

// Is makes errors.Is tell a silent printer from one that has gone.
func (f *Fault) Is(target error) bool {
	return f.Reason == Offline && target == ErrSilent || f.Reason == Gone && target == ErrGone
}

// fault is the first thing that keeps a printer in this state from printing.
func (s Status) fault() Reason {
	switch {
	case !s.Online:
		return Offline
	case s.Cover == "open":
		return CoverOpen
	case s.Paper == "out":
		return PaperOut
	case s.Cutter == "jammed":
		return CutterJam
	case s.Output == "jammed":
		return OutputJam
	case s.Mechanism == "broken":
		return HardwareError
	case s.Head == "hot":
		return HeadHot
	case s.Held:
		return Offline
	}
	return ""
}

// flags is the raw state gathered from the answers, from which Status is made. Each answer overwrites only what it speaks of.
type flags struct {
	on, known [len(sensors)]bool
	held      int // rounds in a row that said off-line while nothing gave a cause
}

// take notes what an answer says.
func (f *flags) take(r *report, data []byte) {
	for _, b := range r.bits {
		f.known[b.sensor], f.on[b.sensor] = true, b.when.holds(data)
	}
}

// automatic takes a status that came by itself, whole.
func (f *flags) automatic(r *report, data []byte) {
	f.take(r, data)
	if r.speaksOf(SensorPaperEnd) && !r.speaksOf(SensorStopped) && !f.is(SensorPaperEnd) {
		f.set(SensorStopped, false)
	}
	f.held = 0
	if f.is(SensorOffline) && !f.cause() {
		f.held = 2
	}
}

// round ends a round of questions. A cause that came up in the middle of it is named in the next one, so one round means nothing.
func (f *flags) round() {
	f.held++
	if !f.is(SensorOffline) || f.cause() {
		f.held = 0
	}
}

func (f *flags) is(s Sensor) bool { return f.on[sensorIndex[s]] }

func (f *flags) set(s Sensor, on bool) { f.on[sensorIndex[s]] = on }

func (f *flags) knows(s Sensor) bool { return f.known[sensorIndex[s]] }

// cause says whether there is a reason for being off-line.
func (f *flags) cause() bool {
	for _, s := range []Sensor{SensorCover, SensorCutter, SensorHot, SensorBroken, SensorJam, SensorPaperEnd, SensorStopped} {
		if f.is(s) {
			return true
		}
	}
	return false
}

func (f *flags) status() Status {
	pick := func(s Sensor, yes, no string) string {
		switch {
		case !f.knows(s):
			return "unknown"
		case f.is(s):
			return yes
		}
		return no
	}
	s := Status{
		Cover:     pick(SensorCover, "open", "closed"),
		Cutter:    pick(SensorCutter, "jammed", "ok"),
		Head:      pick(SensorHot, "hot", "ok"),
		Mechanism: pick(SensorBroken, "broken", "ok"),
		Output:    pick(SensorJam, "jammed", "ok"),
		Paper:     pick(SensorPaperEnd, "out", "full"),
	}
	switch {
	case f.is(SensorPaperEnd) || f.is(SensorStopped):
		s.Paper = "out"
	case f.is(SensorPaperLow):
		s.Paper = "low"
	}
	s.Held = f.held > 1
	return s
}
