package daemon

import (
	"fmt"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
	"yuanban/kiosk/config"
	"yuanban/kiosk/station"
)

// padProfile reads the profile of the configured serial pad, which may be a file of its own.
func padProfile(c *config.Pad) (*serialpad.Profile, error) {
	p, err := serialpad.Load(c.Profile)
	if err == nil {
		err = config.CheckPad(p, c.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the serial pad: %w", err)
	}
	return p, nil
}

// openPad makes the supervisor of the serial pad.
func (m *machine) openPad(press func(level int)) error {
	c := m.cfg.Pad
	if c == nil || m.opt.Demo != nil {
		return nil
	}
	p, err := padProfile(c)
	if err != nil {
		return err
	}
	words := func(cue station.Cue) string { return m.words.Text("pad.show." + string(cue)) }
	m.pad = station.NewSerialPad(serialport.Config{Path: c.Port, Baud: c.Baud}, p, c.Address, words, m.board, press)
	return nil
}

// hasButtons says whether the machine has rating buttons of either kind.
func (m *machine) hasButtons() bool { return m.buttons != nil || m.pad != nil }

// cue makes the rating buttons show what the flow says: lamps light up while a press counts, a serial pad has its own ways.
func (m *machine) cue(c station.Cue) {
	if m.pad != nil {
		m.pad.Show(c)
	}
	m.light(c)
}
