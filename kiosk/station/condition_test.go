package station

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"yuanban/devices/buttons"
	"yuanban/devices/hotplug"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// sources parses the files of a package without its tests.
func sources(t *testing.T, dir string) (all []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// values lists the names of a package that are declared in groups of the kind, with the type if one is given.
func values(t *testing.T, dir string, kind token.Token, typ string) (names []string) {
	for _, f := range sources(t, dir) {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != kind {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if id, is := v.Type.(*ast.Ident); typ == "" || is && id.Name == typ {
					for _, n := range v.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// TestWords: every word is listed, once.
func TestWords(t *testing.T) {
	if n := len(values(t, ".", token.CONST, "Word")); n != len(Words()) {
		t.Errorf("there are %d words, and Words lists %d", n, len(Words()))
	}
	seen := map[Word]bool{}
	for _, w := range Words() {
		if seen[w] {
			t.Errorf("%s is listed twice", w)
		}
		seen[w] = true
	}
}

// TestErrorsOfDrivers: each error that a driver exports has a word of its own, whatever it is wrapped in; one that is new has to be given one.
func TestErrorsOfDrivers(t *testing.T) {
	for dir, errs := range map[string]map[string]struct {
		err  error
		want Word
	}{
		"serialport": {"ErrGone": {serialport.ErrGone, Missing}, "ErrBusy": {serialport.ErrBusy, Busy}, "ErrOpenStuck": {serialport.ErrOpenStuck, Clogged},
			"ErrCloseStuck": {serialport.ErrCloseStuck, Clogged}, "ErrNoModemLines": {serialport.ErrNoModemLines, NoFlow}},
		"buttons": {"ErrGone": {buttons.ErrGone, Missing}, "ErrBusy": {buttons.ErrBusy, Busy}, "ErrAbsent": {buttons.ErrAbsent, NoChip}},
		"printer": {"ErrGone": {printer.ErrGone, Missing}, "ErrSilent": {&printer.Fault{Reason: printer.Offline}, Mute}},
		"idcard":  {"ErrMute": {&idcard.Error{Class: idcard.ClassFault, Op: "x", Err: idcard.ErrMute}, Mute}},
		"serialpad": {"ErrGone": {serialpad.ErrGone, Missing},
			"ErrNoButton": {}, "ErrSilent": {}, "ErrGarbled": {}, "ErrRestless": {}}, // of learning a pad's profile, at the terminal
		"hotplug": {"ErrRelay": {hotplug.ErrRelay, NoPower}},
	} {
		for _, name := range values(t, "../../devices/"+dir, token.VAR, "") {
			if strings.HasPrefix(name, "Err") {
				if _, known := errs[name]; !known {
					t.Errorf("%s.%s has no word: a technician could not read what it means", dir, name)
				}
			}
		}
		for name, tc := range errs {
			if tc.err == nil {
				continue
			}
			seen := conditionsOf(fmt.Errorf("cannot use it: %w: %w", tc.err, errors.New("input/output error")))
			if !slices.ContainsFunc(seen, func(c Condition) bool { return c.Word == tc.want }) {
				t.Errorf("%s.%s is told as %v", dir, name, seen)
			}
		}
	}
	for err, want := range map[error][]Condition{
		fs.ErrPermission:         {{Word: Denied}},
		fs.ErrNotExist:           {{Word: Missing}},
		errors.New("other"):      {{Word: Unknown}},
		&hotplug.Cycled{Time: 2}: {{Word: Cycled, Value: "2"}, {Word: Unknown}},
		errors.Join(idcard.ErrMute, &hotplug.Cycled{Time: 1}): {{Word: Cycled, Value: "1"}, {Word: Mute}},
	} {
		if got := conditionsOf(err); !slices.Equal(got, want) {
			t.Errorf("%v is told as %v", err, got)
		}
	}
}

// TestReaderStates: with every state code and every class there is a fault to be told, and none of them is unknown.
func TestReaderStates(t *testing.T) {
	for _, class := range idcard.Classes() {
		for code := range 256 {
			got := conditionsOf(&idcard.Error{Class: class, SW3: byte(code), Op: "x", Err: errors.New("x")})
			if len(got) != 1 || !got[0].Word.Fault() || got[0].Word == Unknown || (got[0].Word == Refused) != (got[0].Value != "") {
				t.Errorf("%s %02X is told as %v", class, code, got)
			}
		}
	}
	for _, f := range []*idcard.Found{{Baud: 9600}, {Baud: 115200, SAMID: "05.03-20100828-0000000001-0000000002"}} {
		if got := ofReader(f); got[len(got)-1] != (Condition{Word: Baud, Value: fmt.Sprint(f.Baud)}) || len(got) == 2 && got[0].Value != f.SAMID {
			t.Errorf("%v", got)
		}
	}
}

// TestPrinterStates: whatever the printer says of itself is told, and what keeps it from printing is a fault. The values are those that the
// documentation of its Status lists, so one that is new has to be given a word.
func TestPrinterStates(t *testing.T) {
	source, err := os.ReadFile("../../devices/printer/status.go")
	if err != nil {
		t.Fatal(err)
	}
	typ := reflect.TypeFor[printer.Status]()
	fields := 0
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		line := regexp.MustCompile(`(?m)^\t` + name + `\s+string\s+// (.*)$`).FindSubmatch(source)
		if line == nil {
			continue
		}
		fields++
		for j, m := range regexp.MustCompile(`"(\w+)"`).FindAllSubmatch(line[1], -1) {
			s := printer.Status{Online: true}
			reflect.ValueOf(&s).Elem().Field(i).SetString(string(m[1]))
			got := ofPrinter(s)
			quiet := string(m[1]) == "unknown" || j == 0 && slices.Contains([]string{"Head", "Mechanism", "Output"}, name) // what nobody asks about
			if len(got) != 1 || quiet != (got[0].Word == Reticent) || got[0].Word.Fault() != (j > 0 && !quiet) {
				t.Errorf("%s %s is told as %v", name, m[1], got)
			}
		}
	}
	if fields != 6 {
		t.Errorf("the status has %d fields with values, not 6", fields)
	}
	if got := ofPrinter(printer.Status{Online: true, Held: true, Paper: "low"}); !slices.Equal(got, []Condition{{Word: Held}, {Word: PaperLow}}) {
		t.Errorf("%v", got)
	}
}

// TestInputStates: every input can be set aside for each reason, and every sensor shows two things.
func TestInputStates(t *testing.T) {
	for _, in := range append(buttons.RatingButtons(), buttons.HelpButton(), KeySwitch(), buttons.DoorContact(), buttons.PresenceSensor()) {
		h := buttons.Health{State: buttons.HardwareError, Stuck: []buttons.Input{in}, Noisy: []buttons.Input{in}}
		if got := ofInputs(h); !slices.Equal(got, []Condition{{Word: Stuck, Of: in.Name}, {Word: Noisy, Of: in.Name}}) {
			t.Errorf("%v", got)
		}
		if in.Role != buttons.Sensor {
			continue
		}
		if off, on := ofReading(in.Name, false), ofReading(in.Name, true); off == on || off.Word == "" || on.Word == "" {
			t.Errorf("%s shows %v and %v", in.Name, off, on)
		}
	}
	if got := ofInputs(buttons.Health{State: buttons.Online}); !slices.Equal(got, []Condition{{Word: AllWork}}) {
		t.Errorf("%v", got)
	}
	for _, c := range []serialpad.Condition{serialpad.Online, serialpad.HardwareError, serialpad.Offline} {
		for _, canAsk := range []bool{true, false} {
			if got := ofPad(serialpad.Health{Condition: c}, canAsk); len(got) != 1 || got[0].Word.Fault() != (c != serialpad.Online) {
				t.Errorf("%s is told as %v", c, got)
			}
		}
	}
}
