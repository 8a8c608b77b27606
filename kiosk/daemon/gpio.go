package daemon

import (
	"context"

	"yuanban/devices/buttons"
	"yuanban/kiosk/config"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// openButtons makes the supervisor of the rating buttons, and their lamps.
func (m *machine) openButtons() error {
	press := func(level int) {
		if d, ok := m.front.get(); ok && d.Open() {
			d.Press(level)
			return
		}
		m.pressed.Store(int32(level))
		if f, ok := m.flow.get(); ok {
			f.Press(level)
		}
	}
	switch {
	case m.opt.Demo != nil:
		m.lamps = buttons.NewLamps(m.opt.Demo.Lamps)
		m.buttons = station.NewButtons(m.opt.Demo.Lines, m.board, press)
	case m.cfg.Buttons != nil:
		gpio := m.cfg.Buttons.GPIO()
		m.buttons = station.NewButtons(func() (buttons.Lines, error) { return buttons.OpenGPIO(gpio) }, m.board, press)
	}
	if c := m.cfg.Lamps; c != nil && m.opt.Demo == nil {
		m.lines = buttons.NewGPIOLamps(c.GPIO())
		m.lamps = buttons.NewLamps(m.lines.Lamps())
	}
	if m.buttons != nil && m.lamps != nil {
		m.buttons.OnAside = m.lamps.Aside
	}
	return m.openPad(press)
}

// openSensors makes the supervisor of the contacts beside the rating buttons: one request of the kernel for each chip.
func (m *machine) openSensors() {
	if m.opt.Demo != nil || len(m.cfg.Sensors.All()) == 0 {
		return
	}
	m.sensors = station.NewSensors(sensorChips(m.cfg.Sensors), m.board, station.SensorEvents{
		Help: func() { m.action(view.Action{Do: "help"}) }, // as a touch on 帮助
		Key: func(on bool) {
			m.log.Info("the maintenance key was turned", "device", "key", "on", on)
			if d, ok := m.front.get(); ok {
				d.Key(on)
			}
		},
		Door: func(open bool) {
			d, ok := m.front.get()
			if open && !(ok && d.Open()) { // nobody is in maintenance: somebody looks after the machine, or breaks into it
				m.log.Warn("the door of the cabinet is open", "device", "door")
				return
			}
			m.log.Info("the door of the cabinet", "device", "door", "open", open)
		},
		Presence: func(near bool) {
			if f, ok := m.flow.get(); ok {
				if f, ok := f.(greeter); ok {
					f.Presence(near)
				}
			}
		},
	})
}

func sensorChips(s *config.Sensors) (chips []station.SensorChip) {
	inputs := map[string]buttons.Input{"help": buttons.HelpButton(), "key": station.KeySwitch(), "door": buttons.DoorContact(), "presence": buttons.PresenceSensor()}
	wires := map[string][]buttons.Wire{}
	known := map[string]int{}
	for _, in := range s.All() {
		c := in.Contact
		i, ok := known[c.Chip]
		if !ok {
			i = len(chips)
			known[c.Chip] = i
			chips = append(chips, station.SensorChip{Name: c.Chip})
		}
		chips[i].Inputs = append(chips[i].Inputs, inputs[in.Key])
		wires[c.Chip] = append(wires[c.Chip], buttons.Wire{Name: inputs[in.Key].Name, Line: c.Line, ActiveLow: c.ActiveLow, Pull: buttons.Pull(c.Pull)})
	}
	for i := range chips {
		gpio := buttons.GPIOConfig{Name: "sensors", Chip: chips[i].Name, Wires: wires[chips[i].Name]}
		chips[i].Open = func() (buttons.Lines, error) { return buttons.OpenGPIO(gpio) }
	}
	return chips
}

// openRelay makes the supervisor of the relay in the reader's supply, and returns what lets the reader be cured by it.
func (m *machine) openRelay() []station.Option {
	c := m.cfg.Relay
	if c == nil || m.opt.Demo != nil {
		return nil
	}
	gpio := buttons.GPIOConfig{Name: "relay", Chip: c.Chip, Wires: []buttons.Wire{{Name: "reader's power", Line: c.Line, ActiveLow: c.ActiveLow}}}
	m.relay = station.NewRelay(func() (station.Switch, error) { return buttons.OpenRelay(gpio) }, m.board)
	return []station.Option{station.WithPower(m.relay, 0)}
}

// light makes the lamps show what the flow says: they breathe while a press counts, and the lamp of the button that was pressed is
// lit once its rating is in the journal.
func (m *machine) light(c station.Cue) {
	if m.lamps == nil {
		return
	}
	switch c {
	case station.CueInvite:
		m.pressed.Store(0) // a press before the invitation was none
		m.lamps.Show(buttons.Breathe)
	case station.CueThank:
		m.lamps.Show(buttons.Off)
		if n := m.pressed.Swap(0); n != 0 { // else the rating was given on the screen
			m.lamps.Acknowledge(int(n))
		}
	default:
		m.lamps.Show(buttons.Off)
	}
}

// runLamps drives the lamps, and gives their lines back once they are off.
func (m *machine) runLamps(ctx context.Context) error {
	if m.lines != nil {
		defer m.lines.Close()
	}
	return m.lamps.Run(ctx)
}
