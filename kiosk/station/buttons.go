package station

import (
	"context"
	"errors"

	"yuanban/devices/buttons"
	"yuanban/devices/printer"
)

// Buttons are the five rating buttons.
type Buttons struct {
	// OnAside hears which buttons cannot be pressed at present, ascending, at each change; it may be nil and must return at once.
	// Set it before Run.
	OnAside func(levels []int)

	open    func() (buttons.Lines, error)
	board   *Board
	onPress func(level int)
}

// NewButtons returns the buttons that open finds; onPress hears of presses, 5 (非常满意) to 1, and must return at once.
func NewButtons(open func() (buttons.Lines, error), b *Board, onPress func(level int)) *Buttons {
	return &Buttons{open: open, board: b, onPress: onPress}
}

// Run keeps the buttons watched until ctx ends.
func (b *Buttons) Run(ctx context.Context) error {
	supervise(ctx, b.board, "buttons", b.serve)
	return nil
}

func (b *Buttons) serve(ctx context.Context, online tell) error {
	lines, err := b.open()
	if err != nil {
		b.aside(every())
		return err
	}
	pad := buttons.New(lines, &buttons.Opts{
		OnPress: func(p buttons.Press) { b.onPress(p.Line) },
		OnHealth: func(h buttons.Health) {
			if h.State == buttons.Offline {
				b.aside(every())
			} else {
				b.aside(h.Aside())
			}
			switch h.State {
			case buttons.Online:
				online(h.String(), ofInputs(h)...)
			case buttons.HardwareError: // some are set aside, the others work
				b.board.set("buttons", HardwareError, h.String(), ofInputs(h)...)
			}
		},
	})
	return pad.Run(ctx)
}

func (b *Buttons) aside(levels []int) {
	if b.OnAside != nil {
		b.OnAside(levels)
	}
}

// every lists all levels.
func every() (all []int) {
	for n := 1; n <= buttons.Count; n++ {
		all = append(all, n)
	}
	return all
}

// lost says that an error means the device is not there, rather than that it is there and broken.
func lost(err error) bool {
	for _, gone := range []error{buttons.ErrGone, buttons.ErrAbsent, printer.ErrGone} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}
