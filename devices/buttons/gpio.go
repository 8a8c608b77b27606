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
	poll   bool
	last   uint64 // levels at the last look
	where  string
	closed bool
}

// pollEvery is how often lines are looked at that tell of no edges: four times in the debounce time.
const pollEvery = 5 * time.Millisecond

// OpenGPIO takes the lines of inputs; bit i is that of the i-th wire. Errors wrap ErrAbsent or ErrBusy where that is the cause.
func OpenGPIO(cfg GPIOConfig) (*GPIO, error) { return openGPIO(cfg, periphChips) }

func openGPIO(cfg GPIOConfig, scan scanner) (*GPIO, error) {
	f, err := locate(cfg, scan)
	if err != nil {
		return nil, fmt.Errorf("cannot open the %s: %w", cfg.Name, err)
	}
	g := &GPIO{where: f.chip.String(), poll: cfg.Poll || f.chip.noEdges}
	var lines []inputLine
	for i, w := range cfg.Wires {
		lines = append(lines, inputLine{f.key(i), w.pull()})
		g.all |= 1 << i
		if w.ActiveLow {
			g.low |= 1 << i
		}
	}
	if g.set, err = f.chip.request.inputs(lines, !g.poll); err != nil {
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
	g.last = (bits ^ g.low) & g.all
	return g.last, nil
}

// WaitEdge implements Lines.
func (g *GPIO) WaitEdge(timeout time.Duration) (uint64, error) {
	if g.closed {
		return 0, os.ErrClosed
	}
	if g.poll {
		return g.waitChange(timeout)
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

// waitChange waits for a level that differs from the last look.
func (g *GPIO) waitChange(timeout time.Duration) (uint64, error) {
	for end := time.Now().Add(timeout); ; {
		left := time.Until(end)
		if left <= 0 {
			return 0, nil
		}
		time.Sleep(min(left, pollEvery))
		was := g.last
		if now, err := g.Levels(); err != nil || now != was {
			return now ^ was, err
		}
	}
}

// Close gives the lines back.
func (g *GPIO) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	return g.set.Close()
}
