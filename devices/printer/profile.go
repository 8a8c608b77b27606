package printer

import (
	"bytes"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Profile is what must be known of a printer model. Profiles are data files in the folder profiles, one per model; each carries the
// story of its oddities in notes. A new model is a new file, and code only when it does something no model did before.
type Profile struct {
	Name  string   `json:"name"`  // as configured, for example "epson80"
	Title string   `json:"title"` // for people
	Notes []string `json:"notes"` // where the facts come from, and what is odd about the model

	Dots     int     `json:"dots"`     // printable width in dots of 1/203 inch (8 a millimetre), a multiple of 8
	Columns  int     `json:"columns"`  // characters of font A (12 dots) on a line; a Hanzi takes two
	LineDots int     `json:"lineDots"` // from line to line in dots, 24..255
	Speed    int     `json:"speed"`    // paper speed in mm/s
	Charset  Charset `json:"charset"`  // the Chinese font of the printer
	Rare     Rare    `json:"rare"`     // how a character outside Charset is printed
	Position bool    `json:"position"` // ESC $ counts in dots, so a gap in a line need not be made of spaces

	QR      QRProfile     `json:"qr"`
	Cut     CutProfile    `json:"cut"`
	Status  StatusProfile `json:"status"`
	Confirm Confirm       `json:"confirm"`
	Clear   bool          `json:"clear"` // DLE DC4 fn 8 empties the buffers at any time and is answered 37 25 00
	Flow    FlowProfile   `json:"flow"`
}

// CutProfile is the cut: a feed to bring the text past the cutter, then the command, both at the start of a line.
type CutProfile struct {
	FeedDots int    `json:"feedDots"` // 0..255; 0 when the command itself feeds to the cutter
	Command  string `json:"command"`  // in hexadecimal
}

// StatusProfile is the dialect of the status.
type StatusProfile struct {
	Poll     []int `json:"poll"`     // the n of DLE EOT n the model answers, in the order asked; empty for a mute printer
	ASB      bool  `json:"asb"`      // sends automatic status after GS a
	NotTaken bool  `json:"notTaken"` // bit 7 of the answer to DLE EOT 1: the receipt is still in the printer's mouth
}

// FlowProfile describes the receive buffer.
type FlowProfile struct {
	Buffer          int  `json:"buffer"`          // bytes
	Headroom        int  `json:"headroom"`        // bytes still taken after XOFF
	Resume          int  `json:"resume"`          // free bytes at which XON follows
	StopWhenOffline bool `json:"stopWhenOffline"` // XOFF also while it cannot print
}

// Confirm is the way a printer says that a job is on paper, best first.
type Confirm string

// The ways of confirmation.
const (
	ConfirmProcessID Confirm = "processID" // GS ( H fn 48: answered with our own number when the paper is printed
	ConfirmInOrder   Confirm = "inOrder"   // GS r 1 behind the cut: answered when everything before it was executed
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

// ByName returns the built-in profile of that name.
func ByName(name string) (*Profile, error) {
	all := Profiles()
	if p, ok := all[name]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("cannot find printer profile %q: there are %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
}

// ParseProfile reads a profile from JSON and checks it. Unknown fields are errors.
func ParseProfile(data []byte) (*Profile, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	p := new(Profile)
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("cannot read printer profile: %w", err)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("cannot use printer profile %q: %w", p.Name, err)
	}
	return p, nil
}

func (p *Profile) check() error {
	_, cutErr := hex.DecodeString(p.Cut.Command)
	checks := []struct {
		ok  bool
		say string
	}{
		{p.Name != "", "name is empty"},
		{p.Dots >= 96 && p.Dots <= 832 && p.Dots%8 == 0, "dots must be a multiple of 8 from 96 to 832"},
		{p.Columns >= 8 && p.Columns*12 <= p.Dots, "columns must be at least 8 and fit into dots at 12 each"},
		{p.LineDots >= 24 && p.LineDots <= 255, "lineDots must be 24..255"},
		{p.Speed > 0, "speed must be above 0 mm/s"},
		{slices.Contains([]Charset{GB2312, GBK, GB18030}, p.Charset), "charset must be gb2312, gbk or gb18030"},
		{p.Rare == RareGlyph || p.Rare == RareRaster, "rare must be glyph or raster"},
		{p.QR.check() == "", p.QR.check()},
		{p.QR.Module >= 1 && p.QR.Module <= 16, "qr.module must be 1..16"},
		{len(p.QR.Level) == 1 && strings.Contains("LMQH", p.QR.Level), "qr.level must be L, M, Q or H"},
		{cutErr == nil && p.Cut.Command != "", "cut.command must be hexadecimal"},
		{p.Cut.FeedDots >= 0 && p.Cut.FeedDots <= 255, "cut.feedDots must be 0..255"},
		{slices.Contains([]Confirm{ConfirmProcessID, ConfirmInOrder, ConfirmNone}, p.Confirm), "confirm must be processID, inOrder or none"},
		{!slices.ContainsFunc(p.Status.Poll, func(n int) bool { return n < 1 || n > 4 }), "status.poll may hold 1..4"},
		{p.Flow.Headroom >= 1 && p.Flow.Buffer > p.Flow.Headroom, "flow.buffer must be above flow.headroom, which must be above 0"},
		{p.Flow.Resume >= p.Flow.Headroom && p.Flow.Resume <= p.Flow.Buffer, "flow.resume must be from flow.headroom to flow.buffer"},
	}
	var wrong []string
	for _, c := range checks {
		if !c.ok {
			wrong = append(wrong, c.say)
		}
	}
	if wrong != nil {
		return fmt.Errorf("%s", strings.Join(wrong, "; "))
	}
	return nil
}

// cut returns the bytes of the cut command.
func (p *Profile) cut() []byte {
	b, _ := hex.DecodeString(p.Cut.Command) // checked when read
	return b
}
