package station

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"yuanban/devices/buttons"
	"yuanban/devices/hotplug"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// Condition is one thing that was seen of a device, for a screen that has a text for each word in its own language. Health.Detail says the
// same in the driver's English, and more.
type Condition struct {
	Word  Word
	Of    string // the part it is about: an input of package buttons, or a chip as the configuration calls it; "" for the whole device
	Value string // of words that have one
}

// Word names what was seen.
type Word string

// What a device that cannot be used is like.
const (
	Waiting  Word = "waiting"  // it has not answered since the start
	Missing  Word = "gone"     // it is not there, or not any more
	Denied   Word = "denied"   // the program may not open it
	Busy     Word = "busy"     // another program has it
	NoChip   Word = "noChip"   // the machine has no such GPIO chip or line
	Clogged  Word = "clogged"  // the kernel does not open its line, or the line takes no data
	NoFlow   Word = "noFlow"   // its line has no wires for the flow control that is configured
	Mute     Word = "mute"     // it is there and does not answer
	Garbled  Word = "garbled"  // its answers arrive damaged, or are no answers
	Refused  Word = "refused"  // it answers with a fault of its own; Value is its code
	SelfTest Word = "selfTest" // the reader's safety module failed its self-test
	NoRight  Word = "noRight"  // the reader's safety module is not authorised
	Cycled   Word = "cycled"   // its power is being switched off and on; Value says the how manyeth time
	NoPower  Word = "noPower"  // the relay of its power failed
	Unknown  Word = "unknown"  // anything else: only the driver's words tell
)

// What a device that answers says of itself.
const (
	SAM        Word = "sam"        // Value is the number of the reader's safety module
	Baud       Word = "baud"       // Value is the speed of its line
	PaperFull  Word = "paperFull"  //
	PaperLow   Word = "paperLow"   //
	PaperOut   Word = "paperOut"   //
	CoverShut  Word = "coverShut"  //
	CoverOpen  Word = "coverOpen"  //
	CutterWell Word = "cutterWell" //
	CutterJam  Word = "cutterJam"  //
	HeadHot    Word = "headHot"    //
	OutputJam  Word = "outputJam"  //
	Broken     Word = "broken"     // the printer reports an error that needs service
	Held       Word = "held"       // the printer is off-line without a cause
	Reticent   Word = "reticent"   // the printer answers and says nothing of paper, cover and cutter
	AllWork    Word = "allWork"    // every input is watched
	Answers    Word = "answers"    // the pad on a serial line
	Unasked    Word = "unasked"    // the pad's line is open, and it cannot be asked
	Stuck      Word = "stuck"      // Of is held down or shorted, and set aside
	Noisy      Word = "noisy"      // Of chatters, and is set aside
	DoorShut   Word = "doorShut"   //
	DoorOpen   Word = "doorOpen"   //
	Nobody     Word = "nobody"     // before the machine
	Somebody   Word = "somebody"   //
	KeyOff     Word = "keyOff"     //
	KeyOn      Word = "keyOn"      //
	PowerOn    Word = "powerOn"    // of the relay
	PowerOff   Word = "powerOff"   //
)

// Words lists all words.
func Words() []Word {
	return []Word{Waiting, Missing, Denied, Busy, NoChip, Clogged, NoFlow, Mute, Garbled, Refused, SelfTest, NoRight, Cycled, NoPower, Unknown,
		SAM, Baud, PaperFull, PaperLow, PaperOut, CoverShut, CoverOpen, CutterWell, CutterJam, HeadHot, OutputJam, Broken, Held, Reticent,
		AllWork, Answers, Unasked, Stuck, Noisy, DoorShut, DoorOpen, Nobody, Somebody, KeyOff, KeyOn, PowerOn, PowerOff}
}

// Fault says that a technician has something to do about it.
func (w Word) Fault() bool {
	switch w {
	case SAM, Baud, PaperFull, CoverShut, CutterWell, Reticent, AllWork, Answers, Unasked, DoorShut, DoorOpen, Nobody, Somebody, KeyOff, KeyOn,
		PowerOn, PowerOff:
		return false
	}
	return true
}

// causes are the errors of the drivers that have a word, the more telling first: an error may wrap several.
func causes() []struct {
	err  error
	word Word
} {
	return []struct {
		err  error
		word Word
	}{
		{fs.ErrPermission, Denied},
		{serialport.ErrBusy, Busy}, {buttons.ErrBusy, Busy},
		{buttons.ErrAbsent, NoChip},
		{serialport.ErrOpenStuck, Clogged}, {serialport.ErrCloseStuck, Clogged},
		{serialport.ErrNoModemLines, NoFlow},
		{fs.ErrNotExist, Missing}, {serialport.ErrGone, Missing}, {buttons.ErrGone, Missing}, {printer.ErrGone, Missing}, {serialpad.ErrGone, Missing},
		{idcard.ErrMute, Mute}, {printer.ErrSilent, Mute},
	}
}

// conditionsOf says what an error of a driver, or of its supervisor, means for a technician, what is being done about it first.
func conditionsOf(err error) []Condition {
	why := Condition{Word: cause(err)}
	if why.Word == Refused {
		card, _ := errors.AsType[*idcard.Error](err)
		why.Value = fmt.Sprintf("%02X", card.SW3)
	}
	if errors.Is(err, hotplug.ErrRelay) {
		return []Condition{{Word: NoPower}, why}
	}
	if c, curing := errors.AsType[*hotplug.Cycled](err); curing {
		return []Condition{{Word: Cycled, Value: strconv.Itoa(c.Time)}, why}
	}
	return []Condition{why}
}

func cause(err error) Word {
	for _, c := range causes() {
		if errors.Is(err, c.err) {
			return c.word
		}
	}
	card, ok := errors.AsType[*idcard.Error](err)
	switch {
	case !ok:
		return Unknown
	case card.Class == idcard.ClassGone:
		return Missing
	case card.Class == idcard.ClassBusy:
		return Busy
	case card.SW3 == 0:
		return Garbled
	case card.SW3 == idcard.StateSelfTest:
		return SelfTest
	case card.SW3 == idcard.StateNotAllowed:
		return NoRight
	}
	return Refused
}

// ofReader says what was found behind the reader's port.
func ofReader(f *idcard.Found) []Condition {
	speed := Condition{Word: Baud, Value: strconv.Itoa(f.Baud)}
	if f.SAMID == "" {
		return []Condition{speed}
	}
	return []Condition{{Word: SAM, Value: f.SAMID}, speed}
}

// ofPrinter says what the printer says of itself, what is in the way of printing first.
func ofPrinter(s printer.Status) (seen []Condition) {
	for _, c := range []struct {
		is   bool
		word Word
	}{
		{s.Mechanism == "broken", Broken}, {s.Cover == "open", CoverOpen}, {s.Paper == "out", PaperOut}, {s.Cutter == "jammed", CutterJam},
		{s.Output == "jammed", OutputJam}, {s.Head == "hot", HeadHot}, {s.Held, Held}, {s.Paper == "low", PaperLow},
		{s.Paper == "full", PaperFull}, {s.Cover == "closed", CoverShut}, {s.Cutter == "ok", CutterWell},
	} {
		if c.is {
			seen = append(seen, Condition{Word: c.word})
		}
	}
	if seen == nil {
		return []Condition{{Word: Reticent}}
	}
	return seen
}

// ofInputs says which inputs are set aside.
func ofInputs(h buttons.Health) (seen []Condition) {
	for _, in := range h.Stuck {
		seen = append(seen, Condition{Word: Stuck, Of: in.Name})
	}
	for _, in := range h.Noisy {
		seen = append(seen, Condition{Word: Noisy, Of: in.Name})
	}
	if seen == nil && h.State == buttons.Online {
		return []Condition{{Word: AllWork}}
	}
	return seen
}

// ofPad says how a pad on a serial line is.
func ofPad(h serialpad.Health, canAsk bool) []Condition {
	switch {
	case h.Condition != serialpad.Online:
		return []Condition{{Word: Mute}}
	case canAsk:
		return []Condition{{Word: Answers}}
	}
	return []Condition{{Word: Unasked}}
}

// ofReading says what a sensor shows.
func ofReading(input string, on bool) Condition {
	words := map[string][2]Word{buttons.Door: {DoorShut, DoorOpen}, buttons.Presence: {Nobody, Somebody}, buttons.Key: {KeyOff, KeyOn}}[input]
	if on {
		return Condition{Word: words[1]}
	}
	return Condition{Word: words[0]}
}
