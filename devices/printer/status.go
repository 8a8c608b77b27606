package printer

import "time"

// Status is what the printer says of itself. Fields it says nothing about are "unknown".
type Status struct {
	Online    bool      // it answers
	Held      bool      // it answers, and says that it is off-line for no cause it names, such as a held feed button
	Paper     string    // "full", "low", "out", "unknown"
	Cover     string    // "closed", "open", "unknown"
	Cutter    string    // "ok", "jammed", "unknown"
	Head      string    // "ok", "hot" (or the voltage is wrong; it recovers by itself), "unknown"
	Mechanism string    // "ok", "broken" (an error that needs service), "unknown"
	Presenter string    // "empty", "present" (a receipt has not been taken), "unknown"
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
	HardwareError Reason = "hardwareError" // the printer reports an error that needs service
	Offline       Reason = "offline"       // no answer to status requests, or off-line without a cause
	Gone          Reason = "gone"          // the port broke
	Timeout       Reason = "timeout"       // it answers, but never said that the job was printed
	Cancelled     Reason = "cancelled"
	BadDocument   Reason = "document" // the document cannot be encoded
)

// Fault is the error of [Printer.Ready].
type Fault struct{ Reason Reason }

func (f *Fault) Error() string {
	say := map[Reason]string{
		PaperOut:      "paper is out: load a new roll",
		CoverOpen:     "the cover is open: close it",
		CutterJam:     "the cutter is jammed: open the cover and free it",
		HeadHot:       "the print head is hot: wait until it has cooled down",
		HardwareError: "the printer reports a hardware error: switch it off and on, then call service",
		Offline:       "the printer does not answer: check its power and its cable",
		Gone:          "the printer has gone: check its cable",
	}[f.Reason]
	if say == "" {
		say = string(f.Reason)
	}
	return "cannot print: " + say
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
	known                              [5]bool // answers to DLE EOT 1..4 seen; an automatic status counts for all
	notTaken                           bool
	held                               int  // answers in a row that said off-line while nothing gave a cause
	cover, stopped                     bool // stopped: printing was stopped by paper end
	cutter, unrecoverable, recoverable bool
	nearEnd, paperEnd                  bool
}

// realtime takes the answer b to DLE EOT n. Bits as in the Epson reference.
func (f *flags) realtime(n int, b byte) {
	f.known[n] = true
	switch n {
	case 1:
		// A cause that came up since the last round is named later in this one, so one such answer means nothing.
		f.held++
		if b&0x08 == 0 || f.cause() {
			f.held = 0
		}
		f.notTaken = b&0x80 != 0
	case 2:
		f.cover = b&0x04 != 0
		f.stopped = b&0x20 != 0
	case 3:
		f.cutter = b&0x08 != 0
		f.unrecoverable = b&0x20 != 0
		f.recoverable = b&0x40 != 0
	case 4:
		f.nearEnd = b&0x0C != 0
		f.paperEnd = b&0x60 != 0
	}
}

// automatic takes an automatic status of four bytes.
func (f *flags) automatic(a [4]byte) {
	f.known = [5]bool{true, true, true, true, true}
	f.cover = a[0]&0x20 != 0
	f.cutter = a[1]&0x08 != 0
	f.unrecoverable = a[1]&0x20 != 0
	f.recoverable = a[1]&0x40 != 0
	f.nearEnd = a[2]&0x03 != 0
	f.paperEnd = a[2]&0x0C != 0
	f.stopped = f.stopped && f.paperEnd
	f.held = 0
	if a[0]&0x08 != 0 && !f.cause() {
		f.held = 2
	}
}

// cause says whether there is a reason for being off-line.
func (f *flags) cause() bool {
	return f.cover || f.cutter || f.recoverable || f.unrecoverable || f.paperEnd || f.stopped
}

func (f *flags) status(p *Profile) Status {
	pick := func(known bool, bad bool, yes, no string) string {
		switch {
		case !known:
			return "unknown"
		case bad:
			return yes
		}
		return no
	}
	s := Status{
		Cover:     pick(f.known[2], f.cover, "open", "closed"),
		Cutter:    pick(f.known[3], f.cutter, "jammed", "ok"),
		Head:      pick(f.known[3], f.recoverable, "hot", "ok"),
		Mechanism: pick(f.known[3], f.unrecoverable, "broken", "ok"),
		Paper:     pick(f.known[4], f.nearEnd, "low", "full"),
		Presenter: pick(f.known[1] && p.Status.NotTaken, f.notTaken, "present", "empty"),
	}
	if f.paperEnd || f.stopped {
		s.Paper = "out"
	}
	s.Held = f.held > 1
	return s
}
