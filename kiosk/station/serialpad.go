package station

import (
	"context"
	"sync"
	"time"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// SerialPad are the five rating buttons of a pad on a serial line. To the flows they are the machine's buttons, and their health is that
// of the device "buttons": a machine has one or the other.
type SerialPad struct {
	port    serialport.Config
	profile *serialpad.Profile
	address int
	texts   map[serialpad.State]string
	board   *Board
	onPress func(level int)

	mu  sync.Mutex
	cue Cue
	dev *serialpad.Pad // nil while the line is not open
}

// NewSerialPad returns the pad at an address, 0 for the profile's, behind a port whose speed is the profile's unless it is given. words has
// what a pad with a display shows for each cue. onPress hears of presses, 5 (非常满意) to 1, and must return at once.
func NewSerialPad(port serialport.Config, p *serialpad.Profile, address int, words func(Cue) string, b *Board, onPress func(level int)) *SerialPad {
	if port.Baud == 0 {
		port.Baud = p.Line.Baud
	}
	port.Size, port.Parity, port.StopBits = p.Line.Size, serialport.Parity(p.Line.Parity), p.Line.StopBits
	s := &SerialPad{port: port, profile: p, address: address, texts: map[serialpad.State]string{}, board: b, onPress: onPress}
	for _, c := range []Cue{CueWelcome, CueInvite, CueThank, CuePause} {
		s.texts[serialpad.State(c)] = words(c)
	}
	return s
}

// Run keeps the pad's line open until ctx ends.
func (s *SerialPad) Run(ctx context.Context) error {
	supervise(ctx, s.board, "buttons", s.serve)
	return nil
}

// Show makes the pad show a cue, as soon as it can; the latest wins. It never waits.
func (s *SerialPad) Show(c Cue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cue = c
	if s.dev != nil {
		s.dev.Show(serialpad.State(c))
	}
}

func (s *SerialPad) serve(ctx context.Context, online tell) error {
	port, err := serialport.OpenContext(ctx, s.port)
	if err != nil {
		return err
	}
	defer port.Close()
	dev := serialpad.New(port, s.profile, &serialpad.Opts{
		Address: s.address, Baud: s.port.Baud, Texts: s.texts,
		OnPress: func(grade int, _ time.Time) { s.onPress(grade) },
		OnHealth: func(h serialpad.Health) {
			switch h.Condition {
			case serialpad.Online:
				online(h.Detail, ofPad(h, s.profile.CanAsk())...)
			case serialpad.HardwareError: // it may come back by itself
				s.board.set("buttons", HardwareError, h.Detail, ofPad(h, s.profile.CanAsk())...)
			}
		},
	})
	s.use(dev)
	defer s.use(nil)
	defer func() { // what the cable did to what came over it
		s.board.log.Debug("serial pad", "device", "buttons", "stats", dev.Stats().String())
	}()
	return dev.Run(ctx)
}

// use makes dev the pad that shows the cues, beginning with the present one.
func (s *SerialPad) use(dev *serialpad.Pad) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dev = dev
	if dev != nil && s.cue != "" {
		dev.Show(serialpad.State(s.cue))
	}
}
