package config

import (
	"fmt"
	"path/filepath"
	"slices"

	"yuanban/devices/serialpad"
)

// Pad are the five rating buttons of a pad on a serial line, in place of Buttons.
type Pad struct {
	Port    string `yaml:"port,required"` // path of its tty
	Baud    int    `yaml:"baud"`          // 0 for the profile's
	Profile string `yaml:"profile"`       // a profile of package serialpad, or the absolute path of a file
	Address int    `yaml:"address"`       // on an RS-485 bus; 0 for the profile's
}

// padBauds are the speeds rating pads are sold with.
func padBauds() []int { return []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200} }

// pad checks the pad on a serial line. A profile in a file of its own is read by daemon.Check: Parse opens no file.
func (v *validator) pad(c *Config) {
	p := c.Pad
	if p == nil {
		return
	}
	v.check(c.Buttons == nil, "pad", "a machine has rating buttons on GPIO or a serial pad, not both: a visitor would not know which count; remove pad or buttons")
	v.check(c.Buttons == nil, "buttons", "a machine has rating buttons on GPIO or a serial pad, not both: a visitor would not know which count; remove buttons or pad")
	v.check(p.Baud == 0 || slices.Contains(padBauds(), p.Baud), "pad.baud", "want one of %v, or no key for the profile's; got %d", padBauds(), p.Baud)
	v.check(p.Address >= 0 && p.Address <= 255, "pad.address", "want 1 to 255, or no key for the profile's; got %d", p.Address)
	if filepath.IsAbs(p.Profile) {
		return
	}
	profile, err := serialpad.ByName(p.Profile)
	if err != nil {
		v.check(false, "pad.profile", "%v", err)
		return
	}
	if err := CheckPad(profile, p.Address); err != nil {
		path := "pad.address"
		if len(profile.Missing()) > 0 {
			path = "pad.profile"
		}
		v.check(false, path, "%v", err)
	}
}

// CheckPad says what keeps a machine from using a pad of that profile at an address, 0 for the profile's.
func CheckPad(p *serialpad.Profile, address int) error {
	switch a := p.Address; {
	case len(p.Missing()) > 0:
		return fmt.Errorf("profile %s has no key for the grades %v; all five grades must be there, for a missing one would bend every rating", p.Name, p.Missing())
	case a == nil && address != 0:
		return fmt.Errorf("profile %s knows no addresses: such a pad is alone on its line; remove pad.address", p.Name)
	case a != nil && address != 0 && (address < a.Least || address > a.Most):
		return fmt.Errorf("profile %s has the addresses %d to %d, not %d", p.Name, a.Least, a.Most, address)
	}
	return nil
}
