package serialpad

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Profile is what must be known of a model of pad. Profiles are data files in the folder profiles, one per model or class of models; each
// carries the story of its facts in notes. A new model is a new file. PROTOCOL.md describes how to write one.
type Profile struct {
	Name  string   `json:"name"`  // as configured, for example "reference"
	Title string   `json:"title"` // for people
	Notes []string `json:"notes"` // where the facts come from, what is assumed, and what is odd about the model

	Line    Line              `json:"line"`
	Address *Addresses        `json:"address,omitempty"` // nil for a pad without an address, alone on its line
	Pad     PadMessages       `json:"pad"`
	Host    HostMessages      `json:"host"`
	Keys    map[string]string `json:"keys"`           // the {key} in hexadecimal -> "1" to "5", "none", or the name of another key
	Repeat  Repeat            `json:"repeat"`         // what the pad does about a press that nobody answers
	Hold    bool              `json:"hold,omitempty"` // the answer holds the {key} from the press until an ack
	Timing  Timing            `json:"timing"`
}

// Line is the speed and format of the serial line.
type Line struct {
	Baud     int    `json:"baud"`     // bits per second
	Size     int    `json:"size"`     // data bits, 7 or 8
	Parity   string `json:"parity"`   // "none", "odd" or "even"
	StopBits int    `json:"stopBits"` // 1 or 2
}

// String says the line in the field's short form, such as 9600 8N1.
func (l Line) String() string {
	return fmt.Sprintf("%d %d%s%d", l.Baud, l.Size, strings.ToUpper((l.Parity + "?")[:1]), l.StopBits)
}

// Addresses are those that pads of this model can be set to.
type Addresses struct {
	Default int `json:"default"` // used where the configuration says nothing
	Least   int `json:"least"`
	Most    int `json:"most"` // 255 at most
}

// PadMessages are what the pad sends. One of them holds the {key}.
type PadMessages struct {
	Press   string `json:"press,omitempty"`   // unasked, when a button is pressed
	Answer  string `json:"answer,omitempty"`  // to the query
	Confirm string `json:"confirm,omitempty"` // to the ack, to welcome and the like; nothing else is sent before it
}

// HostMessages are what is sent to the pad. A pad that has no display needs none of the four that change it.
type HostMessages struct {
	Query   string `json:"query,omitempty"`   // asks whether the pad is there
	Ack     string `json:"ack,omitempty"`     // the press has been understood: stop repeating it, or forget it
	Welcome string `json:"welcome,omitempty"` // 欢迎
	Invite  string `json:"invite,omitempty"`  // 请评价
	Thank   string `json:"thank,omitempty"`   // 谢谢
	Pause   string `json:"pause,omitempty"`   // 暂停服务
}

// Repeat is what a pad does about a press until it is acknowledged, or anyway.
type Repeat struct {
	EveryMs  int  `json:"everyMs"`  // between two copies of a press; 0 for a pad that sends each press once
	ForMs    int  `json:"forMs"`    // from the first copy to the last
	UntilAck bool `json:"untilAck"` // the ack ends the copies
}

// Timing are times of the model, in milliseconds.
type Timing struct {
	GapMs    int `json:"gapMs"`    // silence that ends a message, 5 to 500
	SettleMs int `json:"settleMs"` // what comes so soon after the start was pressed before it
	SameMs   int `json:"sameMs"`   // so soon after the last copy, the same key without a {sequence} is the same press
	LateMs   int `json:"lateMs"`   // so long after its time, anything may still arrive
	AnswerMs int `json:"answerMs"` // from the end of a question to the beginning of its answer
	PollMs   int `json:"pollMs"`   // from query to query
	Missed   int `json:"missed"`   // so many queries without an answer in a row: the pad is not there
	TurnMs   int `json:"turnMs"`   // silence before we speak, for the drivers of an RS-485 line to turn around
	ResendMs int `json:"resendMs"` // what the pad shows is sent again so often; 0 for never
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// keyNone is the meaning of a {key} that says that no button was pressed.
const keyNone = "none"

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
	return nil, fmt.Errorf("cannot find pad profile %q: there are %s, or the absolute path of a file", name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
}

// maxProfile is the size of a file beyond which it is no profile.
const maxProfile = 1 << 20

// Load returns the built-in profile of that name, or the one in the file at that absolute path.
func Load(nameOrPath string) (*Profile, error) {
	if !filepath.IsAbs(nameOrPath) {
		return ByName(nameOrPath)
	}
	f, err := os.Open(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read pad profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProfile))
	if err != nil {
		return nil, fmt.Errorf("cannot read pad profile: %w", err)
	}
	p, err := ParseProfile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOrPath, err)
	}
	return p, nil
}

// ParseProfile reads a profile from JSON and checks it; its error says every problem at once. Unknown fields are errors.
func ParseProfile(data []byte) (*Profile, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	p := new(Profile)
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("cannot read pad profile: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("cannot read pad profile: something stands behind its last brace")
	}
	if _, err := p.compile(); err != nil {
		return nil, err
	}
	return p, nil
}

// JSON writes the profile as a file that ParseProfile reads.
func (p *Profile) JSON() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		panic(err) // plain fields cannot fail
	}
	return b.Bytes()
}

// Missing returns the grades for which the pad has no key, ascending. A machine must not use a pad that lacks one: it would bend every
// rating.
func (p *Profile) Missing() []int {
	var out []int
	for grade := 1; grade <= 5; grade++ {
		if !slices.Contains(slices.Collect(maps.Values(p.Keys)), fmt.Sprint(grade)) {
			out = append(out, grade)
		}
	}
	return out
}

// CanAsk says whether the pad answers a query: only then a dead pad can be told from a quiet one.
func (p *Profile) CanAsk() bool { return p.Host.Query != "" }
