// Package acceptance proves a machine before it is handed over, with a person for what only a person can see, and repeats every night
// what needs nobody.
//
// The running program owns the devices, each line exclusively. So an acceptance begins with what needs the screens, while the program runs;
// then the person stops it, and the devices are asked by the same drivers. A self-test at night must not stop the program; it asks it for
// the state of its devices instead, and asks the devices only where it does not run.
//
// Each item of weights.json is ok, failed, not done (nobody was there, or it could not be tried) or absent (not configured; it does not
// count). The score is the points of what is ok, in hundredths of the points of what is not absent. A machine passes with the points of
// the configuration (default 70, as the site checklists of the field have it) and no item failed that must not be.
package acceptance

import (
	"context"
	"crypto/x509"
	_ "embed" // weights.json
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"yuanban/devices/serialport"
)

// State is how an item ended. The values stand in reports.
type State string

// The states.
const (
	OK      State = "ok"
	Failed  State = "failed"
	NotDone State = "not done"
	Absent  State = "absent"
)

// Weight is one item of the checklist.
type Weight struct {
	ID         string `json:"id"`
	Title      string `json:"title"`
	Points     int    `json:"points"` // of 100
	Must       bool   `json:"must"`   // if it failed, no score passes
	Unattended bool   `json:"unattended"`
	Device     bool   `json:"device"` // the running program has it, so it must be stopped first
}

//go:embed weights.json
var weightsFile []byte

// Weights is the checklist.
func Weights() []Weight {
	var out []Weight
	if err := json.Unmarshal(weightsFile, &out); err != nil {
		panic(err) // the file is part of the program
	}
	return out
}

// Result is one item and how it ended.
type Result struct {
	Weight
	State    State              `json:"state"`
	Says     string             `json:"says"`               // what was seen, or why not and what to do
	Measured map[string]float64 `json:"measured,omitempty"` // by name and unit, as in connect_ms
}

// Report is one acceptance or self-test.
type Report struct {
	Machine   string    `json:"machine"`
	Role      string    `json:"role"`
	Program   string    `json:"program"` // version
	By        string    `json:"by"`      // the person, "" for a self-test
	Began     time.Time `json:"began"`   // by the machine's clock
	Ended     time.Time `json:"ended"`
	Attended  bool      `json:"attended"`
	Items     []Result  `json:"items"`
	Score     int       `json:"score"`
	Pass      int       `json:"pass"`
	Passed    bool      `json:"passed"`
	Serials   []string  `json:"serials,omitempty"`   // of the devices, for the inventory
	Interrupt string    `json:"interrupt,omitempty"` // why it ended early
}

// Machine is what is to be proven, from the configuration.
type Machine struct {
	Number, Role, Program string
	Pass                  int // points
	Reader                *serialport.Config
	Printer               *serialport.Config
	Profile               string // of the printer
	// Presses calls ready once a press would be noticed, then tells each press of a rating button until ctx ends; nil if there are none.
	Presses func(ctx context.Context, ready func(), press func(grade int)) error
	Lamps   func(on bool) error // all at once; nil if there are none
	// Platforms are the addresses that the machine must reach.
	Platforms []string
	State     string // folder of the journal
	Width     int    // of the display, pixels
	Height    int
	// Running asks the running program how its devices are; an error says that it does not run.
	Running func(ctx context.Context) (*Running, error)
}

// has says whether the configuration has what an item proves.
func (m *Machine) has(id string) bool {
	switch id {
	case "reader":
		return m.Reader != nil
	case "printer":
		return m.Printer != nil
	case "buttons":
		return m.Presses != nil
	case "lamps":
		return m.Lamps != nil
	case "network":
		return len(m.Platforms) > 0
	}
	return true // every machine has a screen, a clock and a disk
}

// Running is what the running program says of itself.
type Running struct {
	Display bool
	Journal string            // "ok" or what is wrong
	Clock   string            // the same
	Devices map[string]string // reader, printer, buttons -> "online" or what is wrong
}

// Person is who stands before the machine. Ask shows a question and returns the answer; Say shows a line.
type Person interface {
	Ask(ctx context.Context, question string) (string, error)
	Say(format string, args ...any)
}

// Options say how to go about it.
type Options struct {
	Person Person // nil for a self-test
	By     string
	Open   func(context.Context, serialport.Config) (*serialport.Port, error) // default serialport.OpenContext
	Roots  *x509.CertPool                                                     // that platforms are trusted by; nil for the system's
	Root   string                                                             // of the machine's files; "" for /
}

// session is one acceptance under way.
type session struct {
	Options
	m       *Machine
	ctx     context.Context
	running *Running // nil while the program does not run
	serials []string
	date    time.Duration // of the platform's clock, less ours
	dated   bool
}

// Plan is what Run would go through, for people: each item, its points, and what it takes.
func Plan(m *Machine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Acceptance of machine %s (%s), program %s\n\n", m.Number, m.Role, m.Program)
	for _, w := range Weights() {
		must, needs := " ", "a person"
		if w.Must {
			must = "*"
		}
		switch {
		case !m.has(w.ID):
			needs = "nothing: not configured, it does not count"
		case w.Device:
			needs = "a person, and the program stopped"
		case w.Unattended:
			needs = "nobody"
		}
		fmt.Fprintf(&b, "%3d%s %-42s needs %s\n", w.Points, must, w.Title, needs)
	}
	fmt.Fprintf(&b, "\n* must not fail, whatever the score; %d of 100 are needed\n", m.Pass)
	return b.String()
}

// Run goes through the checklist. Whatever happens is in the report.
func Run(ctx context.Context, m *Machine, o Options) *Report {
	if o.Open == nil {
		o.Open = serialport.OpenContext
	}
	if o.Root == "" {
		o.Root = "/"
	}
	s := &session{Options: o, m: m, ctx: ctx}
	r := &Report{Machine: m.Number, Role: m.Role, Program: m.Program, By: o.By, Began: time.Now(), Attended: o.Person != nil, Pass: m.Pass}
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s.running, _ = m.Running(asking)
	checks := map[string]func() Result{"reader": s.reader, "printer": s.printer, "buttons": s.buttons, "lamps": s.lamps, "network": s.network,
		"clock": s.clock, "disk": s.disk, "display": s.display, "touch": s.touch, "sound": s.sound}
	for _, w := range Weights() {
		if ctx.Err() != nil {
			r.Interrupt = ctx.Err().Error()
			r.Items = append(r.Items, Result{Weight: w, State: NotDone, Says: "it was interrupted"})
			continue
		}
		var res Result
		switch {
		case !m.has(w.ID):
			s.title(w)
			res = Result{State: Absent, Says: "not configured"}
		case s.Person == nil && !w.Unattended:
			res = notDone("a person is needed")
		case s.Person != nil && w.Device && s.stop() != nil:
			res = notDone("nobody answered")
		default:
			s.title(w)
			res = checks[w.ID]()
		}
		res.Weight = w
		r.Items = append(r.Items, res)
		if s.Person != nil {
			s.Person.Say("  %s: %s", res.State, res.Says)
		}
	}
	r.Serials, r.Ended = s.serials, time.Now()
	r.judge()
	return r
}

func (s *session) title(w Weight) {
	if s.Person != nil {
		s.Person.Say("\n%s", w.Title)
	}
}

// judge scores the report. What is not done counts as not reached in an acceptance; a self-test does not count what needs a person.
func (r *Report) judge() {
	got, of := 0, 0
	must := true
	for _, i := range r.Items {
		if i.State == Absent || i.State == NotDone && !r.Attended && !i.Unattended {
			continue
		}
		of += i.Points
		if i.State == OK {
			got += i.Points
		}
		must = must && (!i.Must || i.State == OK)
	}
	if r.Score = 0; of > 0 {
		r.Score = 100 * got / of
	}
	r.Passed = must && of > 0 && r.Score >= r.Pass && r.Interrupt == ""
}

// Wrong are the items that are not well: failed, or not done although they could have been.
func (r *Report) Wrong() []Result {
	return slices.DeleteFunc(slices.Clone(r.Items), func(i Result) bool {
		return i.State == OK || i.State == Absent || i.State == NotDone && !r.Attended
	})
}

func ok(format string, args ...any) Result {
	return Result{State: OK, Says: fmt.Sprintf(format, args...)}
}
func failed(format string, args ...any) Result {
	return Result{State: Failed, Says: fmt.Sprintf(format, args...)}
}
func notDone(format string, args ...any) Result {
	return Result{State: NotDone, Says: fmt.Sprintf(format, args...)}
}
