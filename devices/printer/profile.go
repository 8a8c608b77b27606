package printer

import (
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Profile is what must be known of a printer model. Profiles are data files in the folder profiles, one per model; each carries the
// story of its oddities in notes. A new model is a new file, there or on the machine ([LoadProfile]), and code only when it does
// something no model did before. Commands are written in hexadecimal, answers bit by bit as in manuals: see [Poll].
type Profile struct {
	Name  string   `json:"name"`  // as configured, for example "epson80"
	Title string   `json:"title"` // for people
	Notes []string `json:"notes"` // where the facts come from, and what is odd about the model

	Dots     int     `json:"dots"`     // printable width in dots, a multiple of 8
	DPI      int     `json:"dpi"`      // dots an inch, 100..600; 203 is 8 a millimetre
	Columns  int     `json:"columns"`  // characters of font A (12 dots) on a line; a Hanzi takes two
	LineDots int     `json:"lineDots"` // from line to line in dots, 24..255
	Speed    int     `json:"speed"`    // paper speed in mm/s
	Charset  Charset `json:"charset"`  // the Chinese font of the printer
	Rare     Rare    `json:"rare"`     // how a character outside Charset is printed
	Position bool    `json:"position"` // ESC $ counts in dots, so a gap in a line need not be made of spaces

	QR        QRProfile        `json:"qr"`
	Cut       CutProfile       `json:"cut"`
	Status    StatusProfile    `json:"status"`
	Confirm   ConfirmProfile   `json:"confirm"`
	Presenter PresenterProfile `json:"presenter"`
	Clear     bool             `json:"clear"` // DLE DC4 fn 8 empties the buffers at any time and is answered 37 25 00
	Flow      FlowProfile      `json:"flow"`
}

// CutProfile is the cut: a feed to bring the text past the cutter, then the command, both at the start of a line.
type CutProfile struct {
	FeedDots int    `json:"feedDots"` // 0..255; 0 when the command itself feeds to the cutter
	Command  string `json:"command"`
}

// StatusProfile is the dialect of the status.
type StatusProfile struct {
	Polls     []Poll     `json:"polls"`     // asked in this order, again and again; none for a mute printer
	Automatic *Automatic `json:"automatic"` // what the printer says by itself; none if it does not
}

// Poll is a status request.
//
// Answer is written as in manuals, eight signs a byte, bit 7 first: "0xx1xx10". 0 and 1 are fixed bits, x is any. Bits says which
// bits turn which [Sensor] on: "1.3" is bit 3 of the first byte, "1.5|1.6" either of two, "!1.0" a bit that is off, "9.1-3=6" the
// number 6 in bits 1 to 3 of the ninth byte.
type Poll struct {
	Ask     string            `json:"ask"`
	Answer  string            `json:"answer"`
	Bits    map[Sensor]string `json:"bits"`
	InOrder bool              `json:"inOrder"` // not a realtime command: answered after the data before it, and asked only while nothing is printed
}

// Automatic is a status that the printer sends whenever it changes.
type Automatic struct {
	Enable string            `json:"enable"` // the command that switches it on
	Answer string            `json:"answer"`
	Bits   map[Sensor]string `json:"bits"`
}

// ConfirmProfile is how the printer tells how far it has come.
//
// Ask is a question that is answered in order with the data, such as GS r 1; the driver puts it between the lines and never sends
// more than Lead lines beyond what the printer has answered for. So a fault finds little in the printer's buffer, the buffer cannot
// run over, and the last line is not even sent while the lines before it are in doubt. In Answer the letters n and e are the bits for
// paper near end and paper end; other bits that are not fixed must be x.
type ConfirmProfile struct {
	Method Confirm `json:"method"`
	Ask    string  `json:"ask"`    // "" if there is no such question: then the computed time of printing stands for the answers
	Answer string  `json:"answer"` // one byte
	Lead   int     `json:"lead"`   // lines; 0 = as many as the buffer holds
	Ahead  int     `json:"ahead"`  // dots of paper that may still be missing when Ask is answered, on a printer that reads ahead
}

// PresenterProfile is a mouth that holds the receipt until somebody takes it. A command that is empty does not exist.
type PresenterProfile struct {
	Present string `json:"present"` // behind the cut: pushes the receipt out as far as a hand can grip it
	Clear   string `json:"clear"`   // before a job: takes what stands in the output out of the way
	Retract string `json:"retract"` // takes a forgotten receipt back
}

// FlowProfile describes the receive buffer.
type FlowProfile struct {
	Control         FlowControl `json:"control"`
	Buffer          int         `json:"buffer"`          // bytes
	Headroom        int         `json:"headroom"`        // bytes still taken after it said stop
	Resume          int         `json:"resume"`          // free bytes at which it says go on
	StopWhenOffline bool        `json:"stopWhenOffline"` // it says stop also while it cannot print
}

// FlowControl is the way a printer says stop.
type FlowControl string

// The ways of flow control.
const (
	FlowXonXoff FlowControl = "xonxoff" // bytes 13h and 11h
	FlowCTS     FlowControl = "cts"     // its DTR or RTS is wired to our CTS
	FlowDSR     FlowControl = "dsr"     // its DTR is wired to our DSR
	FlowNone    FlowControl = "none"    // not at all
)

// Confirm is the way a printer says that a job is on paper, best first.
type Confirm string

// The ways of confirmation.
const (
	ConfirmProcessID Confirm = "processID" // GS ( H fn 48: answered with our own number when the paper is printed
	ConfirmInOrder   Confirm = "inOrder"   // Ask behind the cut: answered when everything before it was executed
	ConfirmNone      Confirm = "none"      // nothing: the best that can be said is "sent"
)

// Rare is the way of printing a character that the printer's font lacks.
type Rare string

// The ways of printing rare characters.
const (
	RareGlyph  Rare = "glyph"  // define the character (FS 2) and use it in the text
	RareRaster Rare = "raster" // draw the whole line
)

//go:embed profiles/*.json
var profileFiles embed.FS

// Profiles returns the built-in profiles by name.
func Profiles() map[string]*Profile {
	all := map[string]*Profile{}
	entries, err := profileFiles.ReadDir("profiles")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		data, err := profileFiles.ReadFile("profiles/" + e.Name())
		if err != nil {
			panic(err)
		}
		p, err := ParseProfile(data)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", e.Name(), err)) // a test reads them all
		}
		all[p.Name] = p
	}
	return all
}

// ProfileNames returns the names of the built-in profiles, sorted.
func ProfileNames() []string { return slices.Sorted(maps.Keys(Profiles())) }

// ByName returns the built-in profile of that name.
func ByName(name string) (*Profile, error) {
	if p, ok := Profiles()[name]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("cannot find printer profile %q: there are %s, or give the path of a file", name, strings.Join(ProfileNames(), ", "))
}

// LoadProfile returns the profile that a configuration names: a built-in one, or, by an absolute path, a file of the machine's own.
func LoadProfile(nameOrPath string) (*Profile, error) {
	if !filepath.IsAbs(nameOrPath) {
		return ByName(nameOrPath)
	}
	data, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read printer profile: %w", err)
	}
	p, err := ParseProfile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOrPath, err)
	}
	return p, nil
}

// ParseProfile reads a profile from JSON and checks it. Unknown fields are errors, and every problem is reported at once.
func ParseProfile(data []byte) (*Profile, error) {
	p := new(Profile)
	wrong, broken := decodeStrict(data, p)
	if broken {
		return nil, fmt.Errorf("cannot read printer profile: %s", wrong[0])
	}
	for _, say := range p.check() {
		field, _, _ := strings.Cut(say, " ")
		if !slices.ContainsFunc(wrong, func(w string) bool { return w == field || strings.HasPrefix(w, field+" ") }) {
			wrong = append(wrong, say) // a field that could not be read has no second problem
		}
	}
	if wrong != nil {
		return nil, fmt.Errorf("cannot use printer profile %q: %s", p.Name, strings.Join(wrong, "; "))
	}
	return p, nil
}

// check tells everything that is wrong with a profile.
func (p *Profile) check() []string {
	checks := []struct {
		ok  bool
		say string
	}{
		{p.Name != "", "name is empty"},
		{p.Dots >= 96 && p.Dots <= 832 && p.Dots%8 == 0, "dots must be a multiple of 8 from 96 to 832"},
		{p.DPI >= 100 && p.DPI <= 600, "dpi must be 100..600"},
		{p.Columns >= 8 && p.Columns*12 <= p.Dots, "columns must be at least 8 and fit into dots at 12 each"},
		{p.LineDots >= 24 && p.LineDots <= 255, "lineDots must be 24..255"},
		{p.Speed > 0 && p.Speed <= 1000, "speed must be 1..1000 mm/s"},
		{slices.Contains([]Charset{GB2312, GBK, GB18030}, p.Charset), "charset must be gb2312, gbk or gb18030"},
		{p.Rare == RareGlyph || p.Rare == RareRaster, "rare must be glyph or raster"},
		{p.QR.check() == "", p.QR.check()},
		{p.QR.Module >= 1 && p.QR.Module <= 16, "qr.module must be 1..16"},
		{len(p.QR.Level) == 1 && strings.Contains("LMQH", p.QR.Level), "qr.level must be L, M, Q or H"},
		{p.Cut.FeedDots >= 0 && p.Cut.FeedDots <= 255, "cut.feedDots must be 0..255"},
		{slices.Contains([]FlowControl{FlowXonXoff, FlowCTS, FlowDSR, FlowNone}, p.Flow.Control), "flow.control must be xonxoff, cts, dsr or none"},
		{p.Flow.Headroom >= 1 && p.Flow.Buffer > p.Flow.Headroom, "flow.buffer must be above flow.headroom, which must be above 0"},
		{p.Flow.Control != FlowNone || p.Flow.Buffer >= maxCommand+p.Flow.Headroom,
			fmt.Sprintf("flow.buffer must be at least %d bytes above flow.headroom without flow control: a whole command must fit", maxCommand)},
		{p.Flow.Resume >= p.Flow.Headroom && p.Flow.Resume <= p.Flow.Buffer, "flow.resume must be from flow.headroom to flow.buffer"},
	}
	var wrong []string
	for _, c := range checks {
		if !c.ok {
			wrong = append(wrong, c.say)
		}
	}
	_, more := compile(p)
	return append(wrong, more...)
}

// cut returns the bytes of the cut command.
func (p *Profile) cut() []byte {
	b, _ := hex.DecodeString(strings.ReplaceAll(p.Cut.Command, " ", "")) // checked when read
	return b
}
