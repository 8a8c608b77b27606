package station

import (
	"context"
	"fmt"
	"sync"
	"time"

	"yuanban/devices/buttons"
)

// Switch is a relay that is open.
type Switch interface {
	Set(on bool) error
	Close() error
}

// Relay is the relay in the supply of the card reader: on means powered. It is kept open so that the power stays on, and so that
// whoever supervises the reader can switch it off and on again.
type Relay struct {
	open    func() (Switch, error)
	board   *Board
	options []Option

	mu  sync.Mutex
	dev Switch // nil while the relay is not usable
	off bool   // it was asked to be off
}

// NewRelay returns the relay that open finds.
func NewRelay(open func() (Switch, error), b *Board, options ...Option) *Relay {
	return &Relay{open: open, board: b, options: options}
}

// Run keeps the relay open until ctx ends, and leaves the power on.
func (r *Relay) Run(ctx context.Context) error {
	supervise(ctx, r.board, "relay", r.serve, r.options...)
	return nil
}

// relayBeat is how often the relay is set to what it is: a chip that was pulled out tells nobody by itself.
const relayBeat = time.Second

func (r *Relay) serve(ctx context.Context, online tell) error {
	dev, err := r.open()
	if err != nil {
		return err
	}
	defer dev.Close()
	r.use(dev)
	defer r.use(nil)
	for {
		off, err := r.repeat()
		if err != nil {
			return err
		}
		if off {
			online("power off", Condition{Word: PowerOff})
		} else {
			online("power on", Condition{Word: PowerOn})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(relayBeat):
		}
	}
}

func (r *Relay) use(dev Switch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dev = dev
}

func (r *Relay) repeat() (off bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.off, r.dev.Set(!r.off)
}

// Set switches the power on or off, from any goroutine. While the relay is not usable the error wraps buttons.ErrGone, and what
// was asked is done as it comes back.
func (r *Relay) Set(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off = !on
	if r.dev == nil {
		return fmt.Errorf("cannot switch the reader's power: %w: the relay is %s", buttons.ErrGone, r.board.Health("relay").State)
	}
	return r.dev.Set(on)
}
