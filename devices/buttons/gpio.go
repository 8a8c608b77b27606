package buttons

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// GPIO are the lines of inputs on one GPIO chip. It is used from one goroutine, Close included.
type GPIO struct {
	set    inputSet
	low    uint64 // bits of the lines that are on while low
	all    uint64
	where  string
	closed bool
}

// OpenGPIO takes the lines of inputs; bit i is that of the i-th wire. Errors wrap ErrAbsent or ErrBusy where that is the cause.
func OpenGPIO(cfg GPIOConfig) (*GPIO, error) { return openGPIO(cfg, periphChips) }

func openGPIO(cfg GPIOConfig, scan scanner) (*GPIO, error) {
	f, err := locate(cfg, scan)
	if err != nil {
		return nil, fmt.Errorf("cannot open the %s: %w", cfg.Name, err)
	}
	g := &GPIO{where: f.chip.String()}
	var lines []inputLine
	for i, w := range cfg.Wires {
		lines = append(lines, inputLine{f.key(i), w.pull()})
		g.all |= 1 << i
		if w.ActiveLow {
			g.low |= 1 << i
		}
	}
	if g.set, err = f.chip.request.inputs(lines); err != nil {
		return nil, fmt.Errorf("cannot open the %s: %w", cfg.Name, f.explain(cfg, err))
	}
	return g, nil
}

// Levels implements Lines.
func (g *GPIO) Levels() (uint64, error) {
	if g.closed {
		return 0, os.ErrClosed
	}
	bits, err := g.set.read()
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %v", ErrGone, g.where, err)
	}
	return (bits ^ g.low) & g.all, nil
}

// WaitEdge implements Lines.
func (g *GPIO) WaitEdge(timeout time.Duration) (uint64, error) {
	if g.closed {
		return 0, os.ErrClosed
	}
	bit, err := g.set.wait(max(timeout, shortestWait)) // 0 would wait for ever, less than 0 not at all
	switch {
	case err == nil:
		return 1 << bit, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, nil
	}
	return 0, fmt.Errorf("%w: %s: %v", ErrGone, g.where, err)
}

// Close gives the lines back.
func (g *GPIO) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	return g.set.Close()
}
