package buttons

import (
	"fmt"
	"sync"
)

// Relay switches the power of another device, such as the card reader: on means powered.
//
// It must be wired so that the device has power while nobody drives the line, and while the line is low: the kernel makes an
// output low as it is taken, and gives it back when the program ends. That is a relay whose normally closed contact feeds the
// device, with ActiveLow set. Wired the other way, the device has no power whenever the program is not running, and loses it
// for some microseconds as the program starts, which a relay of contacts does not notice but an electronic one may.
type Relay struct {
	wire  Wire
	where string

	mu  sync.Mutex
	set outputSet // nil once closed
}

// OpenRelay takes the line of a relay and powers the device. The configuration has one wire. Errors wrap ErrAbsent or ErrBusy
// where that is the cause.
func OpenRelay(cfg GPIOConfig) (*Relay, error) { return openRelay(cfg, periphChips) }

func openRelay(cfg GPIOConfig, scan scanner) (*Relay, error) {
	if len(cfg.Wires) != 1 {
		return nil, fmt.Errorf("cannot open the %s: a relay has one line, not %d", cfg.Name, len(cfg.Wires))
	}
	f, err := locate(cfg, scan)
	if err != nil {
		return nil, fmt.Errorf("cannot open the %s: %w", cfg.Name, err)
	}
	set, err := f.chip.request.outputs(f.keys())
	if err != nil {
		return nil, fmt.Errorf("cannot open the %s: %w", cfg.Name, f.explain(cfg, err))
	}
	r := &Relay{wire: cfg.Wires[0], where: f.chip.String(), set: set}
	if err := r.Set(true); err != nil {
		set.Close()
		return nil, err
	}
	return r, nil
}

// Set switches the power on or off. An error that wraps ErrGone means that the chip is not there any more; what the relay does
// then is up to its wiring. It may be called from any goroutine.
func (r *Relay) Set(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set == nil {
		return fmt.Errorf("cannot switch the %s: %w: it is closed", r.wire.Name, ErrGone)
	}
	var bits uint64
	if on != r.wire.ActiveLow {
		bits = 1
	}
	if err := r.set.write(bits, 1); err != nil {
		return fmt.Errorf("cannot switch the %s: %w: %s: %v", r.wire.Name, ErrGone, r.where, err)
	}
	return nil
}

// Close gives the line back with the power on.
func (r *Relay) Close() error {
	err := r.Set(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set == nil {
		return nil
	}
	set := r.set
	r.set = nil
	if closed := set.Close(); err == nil {
		err = closed
	}
	return err
}
