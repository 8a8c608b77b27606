package config

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"yuanban/devices/printer"
	"yuanban/kiosk/strictyaml"
)

//go:embed example.yaml
var example string

// Example returns a valid configuration of a kiosk with every key explained, for a technician to start from.
func Example() string {
	return strings.Replace(example, "{printer-profiles}", strings.Join(printer.ProfileNames(), ", "), 1)
}

// DefaultListen is where the screens are served when the file does not say otherwise.
const DefaultListen = "127.0.0.1:8080"

// Load reads the file at path. Its error is a strictyaml.Problems when the file could be read.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration: %w", err)
	}
	c, problems := Parse(path, data)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse reads a configuration and reports every problem under the name file. The Config is complete only when there is none.
func Parse(file string, data []byte) (*Config, strictyaml.Problems) {
	c := defaults()
	doc, problems := strictyaml.Decode(file, data, c)
	if slices.ContainsFunc(problems, func(p strictyaml.Problem) bool { return p.Path == "" }) {
		return c, problems // the file could not be read as a whole: what is missing in it means nothing
	}
	v := &validator{doc: doc, problems: problems}
	c.fillIn()
	v.machine(c)
	v.screen(c)
	v.devices(c)
	v.upstream(c.Upstream)
	v.window(c)
	if p := c.Maintenance; p != nil {
		v.check(p.PINFile == "" || filepath.IsAbs(p.PINFile), "maintenance.pin-file", "want an absolute path, got %q", p.PINFile)
	}
	v.check(c.Acceptance.Pass >= 1 && c.Acceptance.Pass <= 100, "acceptance.pass", "want 1 to 100 points, got %d", c.Acceptance.Pass)
	v.problems.Sort()
	return c, v.problems
}

// defaults is what holds when a file says nothing. The idle times are those a standing person needs to read a screen, doubled for 大字.
func defaults() *Config {
	return &Config{
		Listen: DefaultListen,
		State:  "/var/lib/kiosk",
		Idle:   Idle{First: 45 * time.Second, Countdown: 15 * time.Second, LargeFirst: 90 * time.Second, LargeCountdown: 30 * time.Second},
		Log:    Log{Level: LevelInfo},

		Acceptance: Acceptance{Pass: 70}, // the pass line of the site checklists of the field
	}
}

// fillIn completes what depends on what the file says.
func (c *Config) fillIn() {
	if c.Screen == (Screen{}) {
		c.Screen = Screen{Width: 1080, Height: 1920, Diagonal: 32}
		if c.Role == RolePad {
			c.Screen = Screen{Width: 1280, Height: 800, Diagonal: 10.1}
		}
	}
	if r := c.Reader; r != nil {
		r.Side = def(r.Side, SideRight)
	}
	if p := c.Printer; p != nil {
		p.Baud = def(p.Baud, 115200)
		p.Side = def(p.Side, SideBelow)
		p.Profile = def(p.Profile, "epson80")
		p.Remind = def(p.Remind, 20*time.Second)
		p.Retract = def(p.Retract, 90*time.Second)
	}
	if p := c.Pad; p != nil {
		p.Profile = def(p.Profile, "reference")
	}
	if b := c.Buttons; b != nil { // the chip of the buttons is that of all that does not say otherwise
		if c.Lamps != nil {
			c.Lamps.Chip = def(c.Lamps.Chip, b.Chip)
		}
		for _, in := range c.Sensors.All() {
			in.Contact.Chip = def(in.Contact.Chip, b.Chip)
		}
		if c.Relay != nil {
			c.Relay.Chip = def(c.Relay.Chip, b.Chip)
		}
	}
	if w := c.Window; w != nil {
		w.Invite = def(w.Invite, 60*time.Second)
		w.Reasons = def(w.Reasons, 20*time.Second)
	}
}

func def[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Warnings says, in the order of the file, what a valid configuration lacks and what that means for a visitor.
func (c *Config) Warnings() []string {
	var w []string
	add := func(lacks bool, text string) {
		if lacks {
			w = append(w, text)
		}
	}
	kiosk := c.Role == RoleKiosk
	add(c.Content == "", "content is not set: the built-in example is shown, all of it marked 示例 and none of it in force")
	add(kiosk && c.Reader == nil, "reader is not configured: nobody can apply or look up a case here, only read guides and lists")
	add(kiosk && c.Printer == nil, "printer is not configured: receipts are shown as a QR code only")
	add(!kiosk && c.Buttons == nil && c.Pad == nil, "buttons are not configured: ratings are given on the screen only")
	add(c.Lamps != nil && c.Buttons == nil && c.Pad == nil, "lamps are configured without buttons: they light but nothing can be pressed")
	add(c.Relay != nil && c.Reader == nil, "relay is configured without a reader: it switches the power of nothing that this program knows")
	add(c.Relay != nil && !c.Relay.ActiveLow, "relay.active-low is not set: the reader has no power whenever this program is not running, and loses it for a moment as it starts; feed the reader through the relay's normally closed contact and set it")
	add(c.Upstream == nil, "upstream is not configured: facts stay in the journal of this machine and reach no platform")
	add(c.Upstream == nil || c.Upstream.SealKey == "", "upstream.seal-key is not set: applications, call-back requests and free texts are not taken, because personal data may only be kept sealed to the platform")
	add(c.Upstream != nil && c.Upstream.TokenFile == "", "upstream.token-file is not set: the platform is called without a token, unless the unit has the credential upstream.token")
	add(c.Window != nil && c.Window.TokenFile == "", "window.token-file is not set: the window PC has no way to call this pad outside of demo, unless the unit has the credential window.token")
	add(c.Window != nil && c.Window.Staff == "", "window.staff is not set: the pad shows no staff card until someone signs in")
	return w
}

type validator struct {
	doc      *strictyaml.Doc
	problems strictyaml.Problems
}

// check adds a problem unless ok; a path that has one already gets no second.
func (v *validator) check(ok bool, path, format string, args ...any) {
	if ok || slices.ContainsFunc(v.problems, func(p strictyaml.Problem) bool { return p.Path == path }) {
		return
	}
	v.problems = append(v.problems, v.doc.Problem(path, format, args...))
}

var machineName = regexp.MustCompile(`^[0-9A-Z]{6}$`)

func (v *validator) machine(c *Config) {
	v.check(machineName.MatchString(c.Machine), "machine",
		"want 6 characters of 0-9 and A-Z, got %q; the number stands in every case number, so it must be unique in the city", c.Machine)
	v.listen(c.Listen)
	v.check(filepath.IsAbs(c.State), "state", "want an absolute folder like /var/lib/kiosk, got %q", c.State)
	v.check(c.Content == "" || filepath.IsAbs(c.Content), "content", "want an absolute folder, or no key for the built-in example; got %q", c.Content)
}

func (v *validator) listen(listen string) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		v.check(false, "listen", "want an address with a port like %s, got %q", DefaultListen, listen)
		return
	}
	n, err := strconv.ParseUint(port, 10, 16)
	v.check(err == nil && n > 0, "listen", "want a port from 1 to 65535, got %q", port)
	ip, err := netip.ParseAddr(host)
	v.check(host == "localhost" || err == nil && ip.IsLoopback(), "listen",
		"%q can be reached from other machines; the screens carry identity data and answer whoever connects, so only a loopback address like %s is allowed", listen, DefaultListen)
}

func (v *validator) screen(c *Config) {
	s := c.Screen
	v.check(s.Width >= 480 && s.Width <= 7680, "screen.width", "want 480 to 7680 pixels, got %d", s.Width)
	v.check(s.Height >= 480 && s.Height <= 7680, "screen.height", "want 480 to 7680 pixels, got %d", s.Height)
	v.check(s.Diagonal >= 5 && s.Diagonal <= 100, "screen.diagonal", "want 5 to 100 inches, got %v; touch targets are sized in millimetres from it", s.Diagonal)
	for _, d := range []struct {
		path       string
		value      time.Duration
		least, max time.Duration
	}{
		{"idle.first", c.Idle.First, 15 * time.Second, 10 * time.Minute},
		{"idle.countdown", c.Idle.Countdown, 10 * time.Second, 2 * time.Minute},
		{"idle.large-first", c.Idle.LargeFirst, 15 * time.Second, 10 * time.Minute},
		{"idle.large-countdown", c.Idle.LargeCountdown, 10 * time.Second, 2 * time.Minute},
	} {
		v.within(d.path, d.value, d.least, d.max)
	}
	v.check(c.Idle.LargeFirst >= c.Idle.First, "idle.large-first", "is shorter than idle.first; who needs 大字 needs more time, not less")
	v.check(c.Idle.LargeCountdown >= c.Idle.Countdown, "idle.large-countdown", "is shorter than idle.countdown; who needs 大字 needs more time, not less")
}

func (v *validator) within(path string, value, least, most time.Duration) {
	v.check(value >= least && value <= most, path, "want %s to %s, got %s", least, most, value)
}

// bauds are the speeds the devices of this field are sold with.
func bauds() []int { return []int{9600, 19200, 38400, 57600, 115200} }

func (v *validator) devices(c *Config) {
	ports := map[string]string{}
	port := func(key, path string) {
		v.check(filepath.IsAbs(path), key+".port", "want the path of a device like /dev/kiosk/reader, got %q", path)
		other, taken := ports[path]
		v.check(!taken, key+".port", "%s is the port of the %s already; two devices cannot share one", path, other)
		ports[path] = key
	}
	if c.Reader != nil {
		port("reader", c.Reader.Port) // its speed has been checked by reading it
	}
	if c.Printer != nil {
		port("printer", c.Printer.Port)
		v.check(slices.Contains(bauds(), c.Printer.Baud), "printer.baud", "want one of %v, got %d", bauds(), c.Printer.Baud)
		v.printer(c.Printer)
	}
	if c.Pad != nil {
		port("pad", c.Pad.Port) // its speed is checked with its profile
		v.pad(c)
	}
	v.gpio(c)
}

// gpio checks what hangs on GPIO lines.
func (v *validator) gpio(c *Config) {
	used := map[[2]string]string{}
	if b := c.Buttons; b != nil {
		v.lines("buttons", b.Chip, b.Lines, used)
		for grade := 1; grade <= 5; grade++ {
			v.check(b.Lines[grade] != "" || len(b.Lines) == 0, "buttons.lines", "no line for button %d; all five grades must be there, for a missing one would bend every rating", grade)
		}
	}
	if l := c.Lamps; l != nil {
		v.chip("lamps", l.Chip)
		v.lines("lamps", l.Chip, l.Lines, used)
	}
	for _, in := range c.Sensors.All() {
		v.chip("sensors."+in.Key, in.Contact.Chip)
		v.line("sensors."+in.Key+".line", in.Contact.Chip, in.Contact.Line, used)
	}
	if r := c.Relay; r != nil {
		v.chip("relay", r.Chip)
		v.line("relay.line", r.Chip, r.Line, used)
	}
}

func (v *validator) chip(key, chip string) {
	v.check(chip != "", key+".chip", "missing; without buttons it needs a chip of its own")
}

func (v *validator) printer(p *Printer) {
	_, err := printer.LoadProfile(p.Profile)
	v.check(err == nil, "printer.profile", "%v", err)
	v.within("printer.remind", p.Remind, 5*time.Second, 10*time.Minute)
	v.within("printer.retract", p.Retract, 15*time.Second, 30*time.Minute)
	v.check(p.Retract > p.Remind, "printer.retract", "is not longer than printer.remind; a visitor is reminded before the paper is taken away")
}

func (v *validator) lines(key, chip string, lines map[int]string, used map[[2]string]string) {
	for grade := range lines {
		v.check(grade >= 1 && grade <= 5, fmt.Sprintf("%s.lines.%d", key, grade), "there is no button %d; want 5 (非常满意) to 1 (非常不满意)", grade)
	}
	for grade := 1; grade <= 5; grade++ {
		if name, given := lines[grade]; given {
			v.line(fmt.Sprintf("%s.lines.%d", key, grade), chip, name, used)
		}
	}
}

func (v *validator) line(path, chip, name string, used map[[2]string]string) {
	v.check(lineName.MatchString(name), path, "want the name of a line as gpioinfo shows it, at most 31 characters, or its number like \"#17\"")
	other, taken := used[[2]string{chip, name}]
	v.check(!taken, path, "line %s is %s already", name, other)
	used[[2]string{chip, name}] = path
}

// lineName is what the kernel can call a line (31 bytes and a zero), or the number of one.
var lineName = regexp.MustCompile(`^(#[0-9]{1,5}|[^#\s].{0,30})$`)

func (v *validator) upstream(u *Upstream) {
	if u == nil {
		return
	}
	at, err := url.Parse(u.URL)
	v.check(err == nil && (at.Scheme == "https" || at.Scheme == "http") && at.Host != "", "upstream.url", "want an address like https://platform.example/kiosk, got %q", u.URL)
	if err == nil {
		v.check(at.User == nil, "upstream.url", "must not carry a name or password; put the token into upstream.token-file")
		v.check(at.RawQuery == "" && at.Fragment == "", "upstream.url", "must end with the path; leave out everything from ? or #")
		v.check(at.Scheme != "http" || loopback(at.Hostname()), "upstream.url", "http sends everything in the clear; only https is allowed except to this machine itself")
	}
	v.check(u.TokenFile == "" || filepath.IsAbs(u.TokenFile), "upstream.token-file", "want an absolute path, got %q", u.TokenFile)
	key, err := base64.StdEncoding.DecodeString(u.SealKey)
	v.check(u.SealKey == "" || err == nil && len(key) == 32, "upstream.seal-key", "want an X25519 public key: 32 bytes in base64, 44 characters")
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (v *validator) window(c *Config) {
	if c.Role == RoleKiosk {
		v.check(c.Window == nil, "window", "a kiosk stands at no window; remove it or set role: pad")
		return
	}
	if c.Role != RolePad {
		return
	}
	if c.Window == nil {
		v.check(false, "window", "missing; a pad needs the number of its window")
		return
	}
	v.check(len([]rune(c.Window.Number)) <= 8, "window.number", "want at most 8 characters, got %q", c.Window.Number)
	v.check(c.Window.TokenFile == "" || filepath.IsAbs(c.Window.TokenFile), "window.token-file", "want an absolute path, got %q", c.Window.TokenFile)
	v.within("window.invite", c.Window.Invite, 15*time.Second, 10*time.Minute)
	v.within("window.reasons", c.Window.Reasons, 10*time.Second, 5*time.Minute)
}
