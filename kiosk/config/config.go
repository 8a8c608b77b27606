// Package config is the one file that describes a machine: what it is, where its devices are, whom it reports to.
//
// The file is strict YAML: an unknown key, a wrong type or a value out of its range is a problem with its line, and
// Load reports every problem at once. A device that the file does not mention is not there; the program says on its
// screen what that means instead of refusing to start.
package config

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Role is what a machine is.
type Role string

// The roles.
const (
	RoleKiosk Role = "kiosk" // the 24-hour self-service machine (24小时自助机)
	RolePad   Role = "pad"   // the rating pad at a window (窗口评价器)
)

// Choices lists the roles for the file reader.
func (Role) Choices() []string { return []string{"kiosk", "pad"} }

// Side is where a visitor standing before the screen finds a device.
type Side string

// The sides.
const (
	SideLeft  Side = "left"
	SideRight Side = "right"
	SideBelow Side = "below"
)

// Choices lists the sides for the file reader.
func (Side) Choices() []string { return []string{"left", "right", "below"} }

// Level is how much is logged.
type Level string

// The levels of logging, those of log/slog.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// Choices lists the levels for the file reader.
func (Level) Choices() []string { return []string{"debug", "info", "warn", "error"} }

// Baud is the speed of a serial line in bits per second.
type Baud int

// BaudAuto leaves it to the program to find the speed of a device that can be asked at any of them.
const BaudAuto Baud = 0

// UnmarshalText reads auto (or 0) or one of the speeds that the devices of this field are sold with.
func (b *Baud) UnmarshalText(text []byte) error {
	if s := string(text); s == "auto" || s == "0" {
		*b = BaudAuto
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || !slices.Contains(bauds(), n) {
		return fmt.Errorf("want auto or one of %v, got %.40q", bauds(), text)
	}
	*b = Baud(n)
	return nil
}

// Config is one machine. A nil pointer is a device or duty that is not configured.
type Config struct {
	Machine  string    `yaml:"machine,required"` // 6 characters 0-9 A-Z, unique among the machines of a city
	Role     Role      `yaml:"role,required"`
	Listen   string    `yaml:"listen"`  // loopback host:port
	State    string    `yaml:"state"`   // folder of the journal
	Content  string    `yaml:"content"` // folder of the catalogue, "" for the built-in example
	Park     Park      `yaml:"park"`
	Screen   Screen    `yaml:"screen"`
	Idle     Idle      `yaml:"idle"`
	Reader   *Reader   `yaml:"reader"`
	Printer  *Printer  `yaml:"printer"`
	Buttons  *Buttons  `yaml:"buttons"`
	Pad      *Pad      `yaml:"pad"` // in place of Buttons
	Lamps    *Lamps    `yaml:"lamps"`
	Sensors  *Sensors  `yaml:"sensors"`
	Relay    *Relay    `yaml:"relay"`
	Upstream *Upstream `yaml:"upstream"`
	Window   *Window   `yaml:"window"` // set exactly when Role is pad
	Log      Log       `yaml:"log"`

	Acceptance  Acceptance   `yaml:"acceptance"`
	Maintenance *Maintenance `yaml:"maintenance"`
}

// Acceptance is what a machine must reach to be handed over.
type Acceptance struct {
	Pass int `yaml:"pass"` // points of 100
}

// Maintenance is how a technician opens the maintenance screen where no key switch is wired.
type Maintenance struct {
	PINFile string `yaml:"pin-file"` // holds the line of kiosk pin; "" for the credential maintenance.pin
}

// Park overrides what the catalogue says of the park.
type Park struct {
	Name string `yaml:"name"` // "" for the catalogue's own
}

// Screen is the display as it hangs there; touch targets are computed from it in millimetres.
type Screen struct {
	Width    int     `yaml:"width"`    // CSS pixels
	Height   int     `yaml:"height"`   // CSS pixels
	Diagonal float64 `yaml:"diagonal"` // inches
}

// Idle is how long nobody may touch the screen before being asked, and how long the question stands.
type Idle struct {
	First          time.Duration `yaml:"first"`
	Countdown      time.Duration `yaml:"countdown"`
	LargeFirst     time.Duration `yaml:"large-first"`     // in 大字 mode
	LargeCountdown time.Duration `yaml:"large-countdown"` // in 大字 mode
}

// Reader is the ID-card reader.
type Reader struct {
	Port string `yaml:"port,required"` // path of its tty
	Baud Baud   `yaml:"baud"`          // BaudAuto unless the file names one
	Side Side   `yaml:"side"`
}

// Printer is the receipt printer.
type Printer struct {
	Port    string `yaml:"port,required"` // path of its tty
	Baud    int    `yaml:"baud"`
	Profile string `yaml:"profile"` // name of a built-in profile of package printer, or absolute path of a profile's file
	Side    Side   `yaml:"side"`

	Remind  time.Duration `yaml:"remind"`  // how long paper may stand in the output until its visitor is reminded
	Retract time.Duration `yaml:"retract"` // and until it is taken back, where the printer can: the next visitor must not find it
}

// Buttons are the five rating buttons on GPIO.
type Buttons struct {
	Chip      string         `yaml:"chip,required"`  // label or path of the gpiochip
	Lines     map[int]string `yaml:"lines,required"` // 5 (非常满意) .. 1 (非常不满意) -> name of the line, or its number "#17"
	ActiveLow bool           `yaml:"active-low"`     // pressed pulls the line to ground
}

// Lamps are the lamps of the rating buttons.
type Lamps struct {
	Chip      string         `yaml:"chip"`           // "" for the chip of the buttons
	Lines     map[int]string `yaml:"lines,required"` // 5 .. 1 -> name of the line
	ActiveLow bool           `yaml:"active-low"`
}

// Sensors are the contacts beside the rating buttons. A nil pointer is one that is not there.
type Sensors struct {
	Help     *Contact `yaml:"help"`     // help button: opens the page that 帮助 on the screen opens
	Key      *Contact `yaml:"key"`      // key switch of the technician
	Door     *Contact `yaml:"door"`     // on while the cabinet is open
	Presence *Contact `yaml:"presence"` // on while somebody stands before the machine
}

// NamedContact is a contact with its key in the file.
type NamedContact struct {
	Key     string
	Contact *Contact
}

// All lists the contacts that are there, in the order of the file.
func (s *Sensors) All() (all []NamedContact) {
	if s == nil {
		return nil
	}
	for _, in := range []NamedContact{{"help", s.Help}, {"key", s.Key}, {"door", s.Door}, {"presence", s.Presence}} {
		if in.Contact != nil {
			all = append(all, in)
		}
	}
	return all
}

// Contact is one input line.
type Contact struct {
	Chip      string `yaml:"chip"` // "" for the chip of the buttons
	Line      string `yaml:"line,required"`
	ActiveLow bool   `yaml:"active-low"` // a low line is on
	Pull      Pull   `yaml:"pull"`       // "" for up with active-low, else down
}

// Pull is the resistor inside the chip that holds a line while its contact is open.
type Pull string

// The pulls.
const (
	PullUp   Pull = "up"
	PullDown Pull = "down"
	PullNone Pull = "none"
)

// Choices lists the pulls for the file reader.
func (Pull) Choices() []string { return []string{"up", "down", "none"} }

// Relay is the relay in the supply of the ID-card reader.
type Relay struct {
	Chip      string `yaml:"chip"` // "" for the chip of the buttons
	Line      string `yaml:"line,required"`
	ActiveLow bool   `yaml:"active-low"` // a low line is powered
}

// Upstream is the platform that receives the facts.
type Upstream struct {
	URL       string `yaml:"url,required"`
	TokenFile string `yaml:"token-file"` // holds the bearer token; "" for the credential upstream.token, or none
	SealKey   string `yaml:"seal-key"`   // X25519 public key, 32 bytes in base64: personal data is sealed to it
}

// Window is the window a pad stands at.
type Window struct {
	Number    string        `yaml:"number,required"` // e.g. 3
	Staff     string        `yaml:"staff"`           // id in the catalogue's staff.yaml, "" until someone signs in
	TokenFile string        `yaml:"token-file"`      // holds the token of the window PC; "" for the credential window.token
	Invite    time.Duration `yaml:"invite"`          // how long 请您评价 stands
	Reasons   time.Duration `yaml:"reasons"`         // how long the reasons stand
}

// Log is what is written to standard error.
type Log struct {
	Level Level `yaml:"level"`
}
