package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
	"yuanban/kiosk/strictyaml"
)

func TestExample(t *testing.T) {
	c, problems := Parse("example.yaml", []byte(Example()))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Machine != "DEMO01" || c.Role != RoleKiosk || c.Reader.Side != SideRight || c.Buttons.Lines[5] != "button-5" || c.Lamps.Chip != "kiosk-panel" {
		t.Errorf("%+v", c)
	}
	// Every section that is commented out must be valid too, once a technician removes the #.
	// The serial pad stands in place of the buttons, so it is tried alone.
	var lines, pad []string
	for line := range strings.Lines(Example()) {
		if rest, ok := strings.CutPrefix(line, "# "); ok && (strings.HasPrefix(rest, "pad:") || len(pad) > 0 && len(pad) < 4) {
			pad = append(pad, rest)
			continue
		}
		optional := []string{"  ", "park:", "content:", "upstream:", "sensors:", "relay:", "window:", "acceptance:", "maintenance:"}
		if rest, ok := strings.CutPrefix(line, "# "); ok && slices.ContainsFunc(optional, func(key string) bool { return strings.HasPrefix(rest, key) }) {
			line = rest
		}
		lines = append(lines, line)
	}
	all := strings.NewReplacer("role: kiosk", "role: pad", "base64 of the platform's X25519 public key, to which personal data is sealed", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").Replace(strings.Join(lines, ""))
	c, problems = Parse("all.yaml", []byte(all))
	if len(problems) > 0 || c.Window == nil || c.Upstream == nil || c.Park.Name == "" || c.Content == "" || len(c.Sensors.All()) != 4 || c.Relay == nil || c.Maintenance == nil || c.Maintenance.PINFile == "" {
		t.Fatalf("%v\n%s", problems, all)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("a complete machine gets warnings: %q", w)
	}
	c, problems = Parse("pad.yaml", []byte("machine: A00001\nrole: kiosk\n"+strings.Join(pad, "")))
	if len(problems) > 0 || c.Pad == nil || *c.Pad != (Pad{Port: "/dev/kiosk/pad", Profile: "reference", Address: 1}) {
		t.Errorf("%v\n%s", problems, pad)
	}
}

func TestDefaults(t *testing.T) {
	c, problems := Parse("x", []byte("machine: A00001\nrole: pad\nwindow: {number: 3}\nreader: {port: /dev/r}\nprinter: {port: /dev/p}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := &Config{
		Machine: "A00001", Role: RolePad, Listen: "127.0.0.1:8080", State: "/var/lib/kiosk",
		Screen:  Screen{1280, 800, 10.1},
		Idle:    Idle{45 * time.Second, 15 * time.Second, 90 * time.Second, 30 * time.Second},
		Reader:  &Reader{"/dev/r", BaudAuto, SideRight},
		Printer: &Printer{"/dev/p", 115200, "epson80", SideBelow, 20 * time.Second, 90 * time.Second},

		Acceptance: Acceptance{Pass: 70},
		Window:     &Window{Number: "3", Invite: time.Minute, Reasons: 20 * time.Second},
		Log:        Log{LevelInfo},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	c, problems = Parse("x", []byte("machine: A00001\nrole: kiosk\n"))
	if len(problems) > 0 || c.Screen != (Screen{1080, 1920, 32}) || c.Reader != nil || c.Printer != nil {
		t.Errorf("%+v %v", c, problems)
	}
}

func TestProblems(t *testing.T) {
	const kiosk = "machine: A00001\nrole: kiosk\n"
	const pad = "machine: A00001\nrole: pad\nwindow: {number: 1}\n"
	const lines = "{5: a, 4: b, 3: c, 2: d, 1: e}"
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing":           {"log: {level: info}\n", []string{"x:1: machine: missing", "x:1: role: missing"}},
		"machine":           {"machine: kiosk1\nrole: kiosk\n", []string{`x:1: machine: want 6 characters of 0-9 and A-Z, got "kiosk1"`}},
		"role":              {"machine: A00001\nrole: kisok\n", []string{`x:2: role: "kisok" is none of kiosk, pad, did you mean kiosk?`}},
		"unknown":           {kiosk + "printr: {}\n", []string{"x:3: printr: unknown key, did you mean printer?"}},
		"listen, open":      {kiosk + "listen: 0.0.0.0:8080\n", []string{"x:3: listen: \"0.0.0.0:8080\" can be reached from other machines"}},
		"listen, all":       {kiosk + "listen: :8080\n", []string{"x:3: listen: \":8080\" can be reached"}},
		"listen, name":      {kiosk + "listen: kiosk.local:80\n", []string{"can be reached from other machines"}},
		"listen, no port":   {kiosk + "listen: 127.0.0.1\n", []string{"x:3: listen: want an address with a port"}},
		"listen, port":      {kiosk + "listen: 127.0.0.1:99999\n", []string{"x:3: listen: want a port from 1 to 65535"}},
		"folders":           {kiosk + "state: var\ncontent: ./c\n", []string{"x:3: state: want an absolute folder", "x:4: content: want an absolute folder"}},
		"screen":            {kiosk + "screen:\n  width: 10\n  height: 1920\n", []string{"x:3: screen.diagonal: want 5 to 100", "x:4: screen.width: want 480 to 7680"}},
		"idle":              {kiosk + "idle:\n  first: 1s\n  large-first: 20s\n  countdown: 60\n", []string{"x:4: idle.first: want 15s to 10m0s, got 1s", "x:6: idle.countdown: want a duration like 45s or 1m30s: add the unit, got 60"}},
		"idle, large":       {kiosk + "idle:\n  first: 2m\n", []string{"x:3: idle.large-first: is shorter than idle.first"}},
		"port":              {kiosk + "reader: {port: ttyS0, baud: 1200}\n", []string{"x:3: reader.baud: want auto or one of [9600", "x:3: reader.port: want the path of a device"}},
		"reader's speed":    {kiosk + "reader: {port: /dev/a, baud: fast}\n", []string{`x:3: reader.baud: want auto or one of [9600 19200 38400 57600 115200], got "fast"`}},
		"printer's speed":   {kiosk + "printer: {port: /dev/a, baud: 1200}\n", []string{"x:3: printer.baud: want one of [9600"}},
		"printer, auto":     {kiosk + "printer: {port: /dev/a, baud: auto}\n", []string{"x:3: printer.baud: want a whole number"}},
		"no port":           {kiosk + "reader: {baud: 9600}\n", []string{"x:3: reader.port: missing"}},
		"same port":         {kiosk + "reader: {port: /dev/a}\nprinter: {port: /dev/a}\n", []string{"x:4: printer.port: /dev/a is the port of the reader already"}},
		"printer":           {kiosk + "printer: {port: /dev/a, profile: nonesuch}\n", []string{`x:3: printer.profile: cannot find printer profile "nonesuch": there are custom80, epson80`}},
		"printer's file":    {kiosk + "printer: {port: /dev/a, profile: /nowhere/x.json}\n", []string{"x:3: printer.profile: cannot read printer profile: open /nowhere/x.json"}},
		"printer, times":    {kiosk + "printer: {port: /dev/a, remind: 1m, retract: 30s}\n", []string{"x:3: printer.retract: is not longer than printer.remind"}},
		"side":              {kiosk + "reader: {port: /dev/a, side: above}\n", []string{"x:3: reader.side: \"above\" is none of left, right, below"}},
		"a button missing":  {kiosk + "buttons: {chip: c, lines: {5: a, 4: b, 3: c, 2: d}}\n", []string{"x:3: buttons.lines: no line for button 1"}},
		"a sixth button":    {kiosk + "buttons: {chip: c, lines: {6: x, 5: a, 4: b, 3: c, 2: d, 1: e}}\n", []string{"x:3: buttons.lines.6: there is no button 6"}},
		"same line":         {kiosk + "buttons: {chip: c, lines: {5: a, 4: b, 3: c, 2: d, 1: a}}\n", []string{"line a is buttons.lines.1 already"}},
		"lamp on a button":  {kiosk + "buttons: {chip: c, lines: " + lines + "}\nlamps: {lines: {5: a}}\n", []string{"x:4: lamps.lines.5: line a is buttons.lines.5 already"}},
		"lamps alone":       {kiosk + "lamps: {lines: {5: a}}\n", []string{"x:3: lamps.chip: missing"}},
		"pad and buttons":   {kiosk + "buttons: {chip: c, lines: " + lines + "}\npad: {port: /dev/a}\n", []string{"x:3: buttons: a machine has rating buttons on GPIO or a serial pad", "x:4: pad: a machine has rating buttons on GPIO or a serial pad"}},
		"pad":               {kiosk + "pad: {port: a, baud: 1, profile: nix, address: 256}\n", []string{"x:3: pad.port: want the path of a device", "x:3: pad.baud: want one of [1200", "x:3: pad.address: want 1 to 255", "x:3: pad.profile: cannot find pad profile \"nix\": there are ascii-line,"}},
		"pad, four buttons": {kiosk + "pad: {port: /dev/a, profile: hallque}\n", []string{"x:3: pad.profile: profile hallque has no key for the grades [1]"}},
		"pad, address":      {kiosk + "pad: {port: /dev/a, address: 250}\n", []string{"x:3: pad.address: profile reference has the addresses 1 to 247, not 250"}},
		"pad, no address":   {kiosk + "pad: {port: /dev/a, profile: single-byte, address: 1}\n", []string{"x:3: pad.address: profile single-byte knows no addresses"}},
		"pad on a port":     {kiosk + "reader: {port: /dev/a}\npad: {port: /dev/a}\n", []string{"x:4: pad.port: /dev/a is the port of the reader already"}},
		"line names":        {kiosk + "buttons: {chip: c, lines: {5: ' ', 4: ' b', 3: '#x', 2: '#2', 1: abcdefghijklmnopqrstuvwxyz012345}}\n", []string{"buttons.lines.1: want the name of a line", "buttons.lines.3: want", "buttons.lines.4: want", "buttons.lines.5: want"}},
		"sensors alone":     {kiosk + "sensors: {door: {line: d}, key: {line: k, chip: c}}\n", []string{"x:3: sensors.door.chip: missing"}},
		"sensors":           {kiosk + "sensors:\n  door: {chip: c, line: d, pull: sideways}\n  help: {chip: c}\n  knock: {}\n", []string{"x:4: sensors.door.pull: \"sideways\" is none of up, down, none", "x:5: sensors.help.line: missing", "x:6: sensors.knock: unknown key"}},
		"one line for two":  {kiosk + "sensors: {door: {chip: c, line: d}, key: {chip: c, line: d}, help: {chip: e, line: d}}\nrelay: {chip: c, line: d}\n", []string{"x:3: sensors.door.line: line d is sensors.key.line already", "x:4: relay.line: line d is sensors.door.line already"}},
		"relay alone":       {kiosk + "relay: {line: r}\n", []string{"x:3: relay.chip: missing"}},
		"upstream":          {kiosk + "upstream: {url: platform, token-file: t, seal-key: abc}\n", []string{"x:3: upstream.url: want an address", "x:3: upstream.token-file: want an absolute path", "x:3: upstream.seal-key: want an X25519 public key"}},
		"upstream in clear": {kiosk + "upstream: {url: http://10.0.0.1/}\n", []string{"http sends everything in the clear"}},
		"upstream secret":   {kiosk + "upstream: {url: https://me:secret@p.example/}\n", []string{"must not carry a name or password"}},
		"upstream query":    {kiosk + "upstream: {url: 'https://p.example/?a=b'}\n", []string{"leave out everything from ? or #"}},
		"kiosk with window": {kiosk + "window: {number: 1}\n", []string{"x:3: window: a kiosk stands at no window"}},
		"pad without":       {"machine: A00001\nrole: pad\n", []string{"x:1: window: missing"}},
		"pad, times":        {strings.Replace(pad, "number: 1", "number: 1, invite: 1s, reasons: 1h", 1), []string{"x:3: window.invite: want 15s to 10m0s", "x:3: window.reasons: want 10s to 5m0s"}},
		"every one":         {"machine: a\nrole: kiosk\nlisten: x\nreader: {port: r}\nlog: {level: loud}\n", []string{"x:1: machine", "x:3: listen", "x:4: reader.port", "x:5: log.level"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := Parse("x", []byte(tt.text))
			if len(problems) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(problems), len(tt.want), problems)
			}
			for i, want := range tt.want {
				if !strings.Contains(problems[i].String(), want) {
					t.Errorf("problem %d:\n got %s\nwant %s", i, problems[i], want)
				}
			}
		})
	}
}

func TestReaderSpeed(t *testing.T) {
	for text, want := range map[string]Baud{"auto": BaudAuto, "0": BaudAuto, "9600": 9600, "115200": 115200, "''": BaudAuto} {
		c, problems := Parse("x", []byte("machine: A00001\nrole: kiosk\nreader: {port: /dev/r, baud: "+text+"}\n"))
		if len(problems) > 0 || c.Reader.Baud != want {
			t.Errorf("%s: %v, %v", text, c.Reader, problems)
		}
	}
}

// TestPrinterProfiles: the example names every built-in profile, from the package that has them, and a park's own file is read.
func TestPrinterProfiles(t *testing.T) {
	if names := strings.Join(printer.ProfileNames(), ", "); !strings.Contains(Example(), names) || strings.Contains(Example(), "{printer-profiles}") {
		t.Errorf("the example does not name %s", names)
	}
	own, err := filepath.Abs("../../devices/printer/testdata/vkp80.json")
	if err != nil {
		t.Fatal(err)
	}
	c, problems := Parse("x", []byte("machine: A00001\nrole: kiosk\nprinter: {port: /dev/p, profile: "+own+"}\n"))
	if len(problems) > 0 || c.Printer.Profile != own {
		t.Errorf("%+v, %v", c.Printer, problems)
	}
}

func TestLoopbackAddresses(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:1", "localhost:8080", "'[::1]:8080'", "127.9.9.9:65535"} {
		if _, problems := Parse("x", []byte("machine: A00001\nrole: kiosk\nlisten: "+listen+"\n")); len(problems) > 0 {
			t.Errorf("%s: %v", listen, problems)
		}
	}
}

func TestWarnings(t *testing.T) {
	c, _ := Parse("x", []byte("machine: A00001\nrole: kiosk\n"))
	text := strings.Join(c.Warnings(), "\n")
	for _, want := range []string{"reader is not configured", "printer is not configured", "upstream is not configured", "content is not set"} {
		if !strings.Contains(text, want) {
			t.Errorf("no warning %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "buttons") {
		t.Errorf("a kiosk does not need buttons:\n%s", text)
	}
}

func TestGPIODefaults(t *testing.T) {
	c, problems := Parse("x", []byte("machine: A00001\nrole: kiosk\nbuttons: {chip: panel, lines: {5: a, 4: b, 3: c, 2: d, 1: e}}\n"+
		"lamps: {lines: {5: f}}\nsensors: {door: {line: '#7', chip: soc, pull: up}, presence: {line: g}}\nrelay: {line: h}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Lamps.Chip != "panel" || c.Sensors.Door.Chip != "soc" || c.Sensors.Presence.Chip != "panel" || c.Relay.Chip != "panel" || c.Sensors.Door.Pull != PullUp {
		t.Errorf("%+v %+v %+v %+v", c.Lamps, c.Sensors.Door, c.Sensors.Presence, c.Relay)
	}
	text := strings.Join(c.Warnings(), "\n")
	for _, want := range []string{"relay is configured without a reader", "relay.active-low is not set"} {
		if !strings.Contains(text, want) {
			t.Errorf("no warning %q in\n%s", want, text)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kiosk.yaml")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "cannot read configuration: ") {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("machine: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if ps, ok := errors.AsType[strictyaml.Problems](err); !ok || len(ps) != 2 || ps[0].File != path {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte(Example()), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(path); err != nil || c == nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Example()))
	f.Add([]byte("machine: A00001\nrole: pad\nwindow: {number: 1}\nlisten: '[::1]:0'\nupstream: {url: '://'}\n"))
	f.Add([]byte("buttons: {lines: {0: }}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("f", data)
		if len(problems) > 0 {
			return
		}
		if !machineName.MatchString(c.Machine) || c.Role == RolePad && c.Window == nil || c.Idle.First <= 0 {
			t.Errorf("accepted %+v", c)
		}
		c.Warnings()
	})
}
