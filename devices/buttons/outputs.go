package buttons

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// reopenPause is how often outputs that are missing are looked for.
const reopenPause = time.Second

// outputs are output lines that are requested together. They need not be there: each set that finds them missing looks for
// them again, at most once a second, and what was set meanwhile is written as they come back.
type outputs struct {
	cfg  GPIOConfig
	scan scanner

	mu    sync.Mutex
	want  uint64 // bit i: wire i is on
	set   outputSet
	where string
	tried time.Time
	err   error
}

// write switches wire i.
func (o *outputs) write(i int, on bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	bit := uint64(1) << i
	if o.want &^= bit; on {
		o.want |= bit
	}
	if o.set == nil {
		if !o.tried.IsZero() && time.Since(o.tried) < reopenPause {
			return o.err
		}
		o.tried = time.Now()
		o.err = o.open()
		return o.err
	}
	if err := o.put(bit); err != nil {
		o.err = fmt.Errorf("cannot switch the %s: %w", o.cfg.Wires[i].Name, err)
		return o.err
	}
	return nil
}

// open takes the lines, which makes all of them low for a moment, and writes what is wanted of each. The caller holds the lock.
func (o *outputs) open() error {
	f, err := locate(o.cfg, o.scan)
	if err != nil {
		return fmt.Errorf("cannot open the %s: %w", o.cfg.Name, err)
	}
	if o.set, err = f.chip.request.outputs(f.keys()); err != nil {
		o.set = nil
		return fmt.Errorf("cannot open the %s: %w", o.cfg.Name, f.explain(o.cfg, err))
	}
	o.where = f.chip.String()
	if err := o.put(1<<len(o.cfg.Wires) - 1); err != nil {
		return fmt.Errorf("cannot open the %s: %w", o.cfg.Name, err)
	}
	return nil
}

// put writes the wanted levels of the wires in mask. A chip that fails is let go. The caller holds the lock.
func (o *outputs) put(mask uint64) error {
	var low uint64
	for i, w := range o.cfg.Wires {
		if w.ActiveLow {
			low |= 1 << i
		}
	}
	err := o.set.write((o.want^low)&mask, mask)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %s: %v", ErrGone, o.where, err)
	return errors.Join(err, o.release())
}

func (o *outputs) release() error {
	set := o.set
	o.set = nil
	return set.Close()
}

// close gives the lines back as they are.
func (o *outputs) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.set == nil {
		return nil
	}
	return o.release()
}

// GPIOLamps are the lamps of the rating buttons on a GPIO chip. They need not be there when the program starts.
//
// The kernel makes an output low as it is taken, so lamps that are lit by a low line flash for some microseconds then.
type GPIOLamps struct {
	out   outputs
	wires map[int]int // lamp -> its wire
}

// NewGPIOLamps returns lamps that are looked for when one of them is first set: wire i is the lamp of button i+1. A wire
// without a line is a lamp that the pad does not have.
func NewGPIOLamps(cfg GPIOConfig) *GPIOLamps { return newGPIOLamps(cfg, periphChips) }

func newGPIOLamps(cfg GPIOConfig, scan scanner) *GPIOLamps {
	g := &GPIOLamps{wires: map[int]int{}}
	have := GPIOConfig{Name: cfg.Name, Chip: cfg.Chip}
	for i, w := range cfg.Wires {
		if w.Line != "" {
			g.wires[i] = len(have.Wires)
			have.Wires = append(have.Wires, w)
		}
	}
	g.out.cfg, g.out.scan = have, scan
	return g
}

// Lamps returns the lamps, that of button 1 first, with nil for each that the pad does not have.
func (g *GPIOLamps) Lamps() []Lamp {
	all := make([]Lamp, Count)
	for n := range all {
		if i, ok := g.wires[n]; ok {
			all[n] = &gpioLamp{g, i}
		}
	}
	return all
}

// Close gives the lines back as they are. A lamp that is set after it takes them again.
func (g *GPIOLamps) Close() error { return g.out.close() }

type gpioLamp struct {
	all *GPIOLamps
	i   int
}

// Set implements Lamp.
func (l *gpioLamp) Set(on bool) error { return l.all.out.write(l.i, on) }
