package station

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"yuanban/devices/buttons"
)

// SensorChip is one chip with contacts beside the rating buttons.
type SensorChip struct {
	Name   string // as the configuration calls it
	Inputs []buttons.Input
	Open   func() (buttons.Lines, error) // bit i is Inputs[i]
}

// SensorEvents hear of the contacts; each may be nil, and must return at once.
type SensorEvents struct {
	Help     func()          // the help button was pressed
	Key      func(on bool)   // the technician's key: once when it is first read, then at each turn
	Door     func(open bool) // the cabinet: once when its contact is first read, then at each change
	Presence func(near bool) // somebody stands before the machine: once when it is first read, then at each change
}

// Sensors are the contacts beside the rating buttons: help button, technician's key, door and presence. They are kept apart from
// the rating buttons so that a sensor's loose cable, missing line or busy chip can never take those away.
type Sensors struct {
	chips   []SensorChip
	board   *Board
	events  SensorEvents
	options []Option

	mu     sync.Mutex
	health map[string]Health // of each chip
	told   map[string]bool   // what each sensor told last: it is told again only when it differs, whatever was plugged in meanwhile
}

// KeySwitch is the technician's key as a switch that stays where it was turned: its level counts, not the turn.
func KeySwitch() buttons.Input {
	in := buttons.MaintenanceKey()
	in.Role = buttons.Sensor
	return in
}

// NewSensors returns the contacts on all chips.
func NewSensors(chips []SensorChip, b *Board, events SensorEvents, options ...Option) *Sensors {
	return &Sensors{chips: chips, board: b, events: events, options: options, health: map[string]Health{}, told: map[string]bool{}}
}

// Run keeps the contacts watched until ctx ends.
func (s *Sensors) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, c := range s.chips {
		// Each chip has a board of its own, and what is on it is summed up on the machine's.
		board := NewBoard(s.board.log, func(h Health) { s.note(c.Name, h) })
		all.Go(func() {
			supervise(ctx, board, "sensors of "+c.Name, func(ctx context.Context, online tell) error { return s.serve(ctx, c, board, online) }, s.options...)
		})
	}
	all.Wait()
	return nil
}

func (s *Sensors) serve(ctx context.Context, c SensorChip, board *Board, online tell) error {
	lines, err := c.Open()
	if err != nil {
		return err
	}
	return buttons.New(lines, &buttons.Opts{
		Inputs: c.Inputs,
		OnPress: func(p buttons.Press) {
			if p.Input == buttons.Help && s.events.Help != nil {
				s.events.Help()
			}
		},
		OnReading: s.read,
		OnHealth: func(h buttons.Health) {
			switch h.State {
			case buttons.Online:
				online(h.String(), ofInputs(h)...)
			case buttons.HardwareError: // some are set aside, the others work
				board.set("sensors of "+c.Name, HardwareError, h.String(), ofInputs(h)...)
			}
		},
	}).Run(ctx)
}

// read takes what a sensor shows from now on.
func (s *Sensors) read(r buttons.Reading) {
	s.mu.Lock()
	was, known := s.told[r.Input]
	s.told[r.Input] = r.On
	s.sum()
	s.mu.Unlock()
	if known && was == r.On {
		return
	}
	switch {
	case r.Input == buttons.Door && s.events.Door != nil:
		s.events.Door(r.On)
	case r.Input == buttons.Key && s.events.Key != nil:
		s.events.Key(r.On)
	case r.Input == buttons.Presence && s.events.Presence != nil:
		s.events.Presence(r.On)
	}
}

func (s *Sensors) note(chip string, h Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health[chip] = h
	s.sum()
}

// sum puts the worst of the chips, and what the sensors show, on the machine's board. The caller holds the lock.
func (s *Sensors) sum() {
	state := Online
	var details []string
	var seen, shown []Condition
	for _, c := range s.chips {
		h, known := s.health[c.Name]
		if !known {
			return // the next chip to say something will sum up
		}
		if h.State != Online {
			details = append(details, c.Name+": "+h.Detail)
			seen = append(seen, onChip(c.Name, h.Seen)...)
		}
		if h.State == Offline {
			state = Offline
			continue // what its sensors showed is not known any more
		}
		if h.State == HardwareError && state == Online {
			state = HardwareError
		}
		for _, in := range c.Inputs {
			if on, told := s.told[in.Name]; told {
				details = append(details, readingWord(in.Name, on))
				shown = append(shown, ofReading(in.Name, on))
			}
		}
	}
	if seen == nil && shown == nil { // a help button alone shows nothing
		seen = []Condition{{Word: AllWork}}
	}
	s.board.set("sensors", state, strings.Join(details, "; "), append(seen, shown...)...)
}

// onChip says of what is about a whole chip which one that is.
func onChip(name string, seen []Condition) (out []Condition) {
	for _, c := range seen {
		c.Of = cmp.Or(c.Of, name)
		out = append(out, c)
	}
	return out
}

// readingWord says what a sensor shows, for a technician.
func readingWord(input string, on bool) string {
	words := map[string][2]string{buttons.Door: {"door shut", "door open"}, buttons.Presence: {"nobody near", "somebody near"}, buttons.Key: {"key off", "key on"}}
	if on {
		return words[input][1]
	}
	return words[input][0]
}
