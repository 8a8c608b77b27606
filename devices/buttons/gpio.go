package buttons

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// GPIOConfig says where the lines of the buttons or of the lamps are.
type GPIOConfig struct {
	Chip  string         // label of the chip (gpiodetect shows it), or path of its node, e.g. /dev/gpiochip0
	Lines map[int]string // 1 to 5 -> name of the line, as gpioinfo shows it, or its number on the chip as "#17"
	// ActiveLow: a pressed button pulls its line to ground, a lamp is lit by a low line. Buttons get the pull resistor that
	// belongs to it: up if ActiveLow, down if not.
	ActiveLow bool
}

// The seam to the GPIO library. periph.go is the one implementation; tests have their own.
type (
	// scanner finds the chips that the machine has now.
	scanner func() ([]chip, error)

	chip struct {
		label, name, path string     // e.g. pinctrl-bcm2711, gpiochip0, /dev/gpiochip0
		lines             []chipLine // by number
		request           requester
	}
	chipLine struct{ name, consumer string }

	requester interface {
		inputs(names []string, pullUp bool) (inputSet, error)
		outputs(names []string) (outputSet, error)
	}
	// inputSet are lines read together; bit i is the i-th name asked for.
	inputSet interface {
		read() (uint64, error)
		wait(timeout time.Duration) error // nil: an edge; os.ErrDeadlineExceeded: none; anything else: gone
		Close() error
	}
	// outputSet are lines written together. They are low at first and are never read: reading turns an output into an input.
	outputSet interface {
		write(bits, mask uint64) error
		Close() error
	}
)

// GPIO are the lines of the buttons on a GPIO chip. It is used from one goroutine, Close included.
type GPIO struct {
	set     inputSet
	buttons []int // of each bit
	low     bool
	where   string
	closed  bool
}

// OpenGPIO takes the lines of the buttons. Errors wrap ErrAbsent or ErrBusy where that is the cause.
func OpenGPIO(cfg GPIOConfig) (*GPIO, error) { return openGPIO(cfg, periphChips) }

func openGPIO(cfg GPIOConfig, scan scanner) (*GPIO, error) {
	c, buttons, names, err := locate(cfg, scan)
	if err != nil {
		return nil, fmt.Errorf("cannot open the rating buttons: %w", err)
	}
	set, err := c.request.inputs(names, cfg.ActiveLow)
	if err != nil {
		return nil, fmt.Errorf("cannot open the rating buttons: %w", explain(c, names, err))
	}
	return &GPIO{set: set, buttons: buttons, low: cfg.ActiveLow, where: c.String()}, nil
}

// Levels implements Lines.
func (g *GPIO) Levels() (uint32, error) {
	if g.closed {
		return 0, os.ErrClosed
	}
	bits, err := g.set.read()
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %v", ErrGone, g.where, err)
	}
	var levels uint32
	for i, n := range g.buttons {
		if (bits>>i&1 == 1) != g.low {
			levels |= 1 << (n - 1)
		}
	}
	return levels, nil
}

// WaitEdge implements Lines. A wait that ends without an edge much too early is what a removed chip does, over and over; it
// is slept out so that it cannot become a busy loop, and the next Levels tells whether the chip is gone.
func (g *GPIO) WaitEdge(timeout time.Duration) (bool, error) {
	if g.closed {
		return false, os.ErrClosed
	}
	timeout = max(timeout, time.Millisecond) // 0 would wait for ever, less than 0 not at all
	began := time.Now()
	switch err := g.set.wait(timeout); {
	case err == nil:
		return true, nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return false, fmt.Errorf("%w: %s: %v", ErrGone, g.where, err)
	}
	if left := timeout - time.Since(began); left > timeout/2 {
		time.Sleep(left)
	}
	return false, nil
}

// Close gives the lines back.
func (g *GPIO) Close() error {
	if g.closed {
		return nil
	}
	g.closed = true
	return g.set.Close()
}

// GPIOLamps are lamps on a GPIO chip. They need not be there: each Set that finds them missing looks for them again, at
// most once a second.
//
// The kernel makes an output low as it is taken, so lamps that are lit by a low line flash once then.
type GPIOLamps struct {
	cfg  GPIOConfig
	scan scanner

	mu    sync.Mutex
	set   outputSet
	index map[int]int // button -> bit
	where string
	tried time.Time
	err   error
}

// NewGPIOLamps returns lamps that are looked for when one of them is first set.
func NewGPIOLamps(cfg GPIOConfig) *GPIOLamps { return &GPIOLamps{cfg: cfg, scan: periphChips} }

// Lamps returns the lamps, those of button 1 first.
func (g *GPIOLamps) Lamps() []Lamp {
	var out []Lamp
	for n := 1; n <= Count; n++ {
		if _, ok := g.cfg.Lines[n]; ok {
			out = append(out, &gpioLamp{g, n})
		}
	}
	return out
}

// Close gives the lines back as they are.
func (g *GPIOLamps) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.set == nil {
		return nil
	}
	set := g.set
	g.set = nil
	return set.Close()
}

type gpioLamp struct {
	all *GPIOLamps
	n   int
}

// Set implements Lamp.
func (l *gpioLamp) Set(on bool) error { return l.all.write(l.n, on) }

const reopenPause = time.Second

func (g *GPIOLamps) write(n int, on bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.set == nil {
		if !g.tried.IsZero() && time.Since(g.tried) < reopenPause {
			return g.err
		}
		g.tried = time.Now()
		if g.err = g.open(); g.err != nil {
			return g.err
		}
	}
	mask := uint64(1) << g.index[n]
	var bits uint64
	if on != g.cfg.ActiveLow {
		bits = mask
	}
	if err := g.set.write(bits, mask); err != nil {
		g.err = fmt.Errorf("cannot set the lamp of button %d: %w: %s: %v", n, ErrGone, g.where, err)
		g.set.Close() // a chip that is gone has nothing more to say
		g.set = nil
		return g.err
	}
	return nil
}

func (g *GPIOLamps) open() error {
	c, buttons, names, err := locate(g.cfg, g.scan)
	if err != nil {
		return fmt.Errorf("cannot open the lamps: %w", err)
	}
	set, err := c.request.outputs(names)
	if err != nil {
		return fmt.Errorf("cannot open the lamps: %w", explain(c, names, err))
	}
	all := uint64(1)<<len(names) - 1
	dark := uint64(0)
	if g.cfg.ActiveLow {
		dark = all
	}
	if err := set.write(dark, all); err != nil {
		set.Close()
		return fmt.Errorf("cannot open the lamps: %w: %s: %v", ErrGone, c, err)
	}
	g.set, g.where, g.index = set, c.String(), map[int]int{}
	for i, n := range buttons {
		g.index[n] = i
	}
	return nil
}

func (c chip) String() string { return fmt.Sprintf("GPIO chip %q (%s)", c.label, c.path) }

// locate finds the chip and its lines.
func locate(cfg GPIOConfig, scan scanner) (c chip, buttons []int, names []string, err error) {
	for n := range cfg.Lines {
		if n < 1 || n > Count {
			return chip{}, nil, nil, fmt.Errorf("there is no button %d, only 1 to %d", n, Count)
		}
		buttons = append(buttons, n)
	}
	if len(buttons) == 0 {
		return chip{}, nil, nil, errors.New("no line is named in the configuration")
	}
	slices.Sort(buttons)
	if c, err = pick(cfg.Chip, scan); err != nil {
		return chip{}, nil, nil, err
	}
	for _, n := range buttons {
		name, err := c.line(cfg.Lines[n])
		if err != nil {
			return chip{}, nil, nil, fmt.Errorf("line of button %d: %w", n, err)
		}
		if i := slices.Index(names, name); i >= 0 {
			return chip{}, nil, nil, fmt.Errorf("buttons %d and %d have the same line %q", buttons[i], n, name)
		}
		names = append(names, name)
	}
	return c, buttons, names, nil
}

// pick chooses the chip by label or path, never by its place in a list, which differs from boot to boot.
func pick(want string, scan scanner) (chip, error) {
	chips, err := scan()
	if err != nil {
		return chip{}, err
	}
	node := want
	if strings.HasPrefix(want, "/") {
		if real, err := filepath.EvalSymlinks(want); err == nil {
			node = real
		}
	}
	var found, known []string
	var c chip
	for _, have := range chips {
		known = append(known, have.String())
		if have.label == want || have.path == want || have.path == node {
			found, c = append(found, have.path), have
		}
	}
	switch len(found) {
	case 1:
		return c, nil
	case 0:
		return chip{}, fmt.Errorf("%w: no GPIO chip %q; this machine has %s. Check the name in the configuration, or plug the chip in",
			ErrAbsent, want, strings.Join(known, ", "))
	}
	return chip{}, fmt.Errorf("%d GPIO chips have the label %q: name one by its path instead (%s)", len(found), want, strings.Join(found, ", "))
}

// line returns the name under which the library knows the line that is called want in the configuration. The library finds
// lines by name only, takes the first of that name, and puts the chip's name before names that another chip has as well.
func (c chip) line(want string) (string, error) {
	if number, ok := strings.CutPrefix(want, "#"); ok {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= len(c.lines) {
			return "", fmt.Errorf("%w: %s has lines #0 to #%d, not %q", ErrAbsent, c, len(c.lines)-1, want)
		}
		if want = c.lines[n].name; want == "" {
			return "", fmt.Errorf("line #%d of %s has no name, and only named lines can be used: give it one in the device tree (gpio-line-names)", n, c)
		}
	}
	for _, name := range []string{want, c.name + "-" + want} {
		switch len(slices.Collect(c.named(name))) {
		case 0:
			continue
		case 1:
			return name, nil
		}
		return "", fmt.Errorf("%s has several lines called %q: give them different names in the device tree", c, want)
	}
	return "", fmt.Errorf("%w: %s has no line %q; gpioinfo lists its lines", ErrAbsent, c, want)
}

func (c chip) named(name string) func(func(chipLine) bool) {
	return func(yield func(chipLine) bool) {
		for _, l := range c.lines {
			if l.name == name && !yield(l) {
				return
			}
		}
	}
}

// explain says who holds a line that is busy. The library turns errno into text, so the text is all there is to go by.
func explain(c chip, names []string, err error) error {
	if !strings.Contains(err.Error(), "busy") {
		return fmt.Errorf("%s: %w", c, err)
	}
	var holders []string
	for _, name := range names {
		for l := range c.named(name) {
			if l.consumer != "" {
				holders = append(holders, fmt.Sprintf("%s held by %q", name, l.consumer))
			}
		}
	}
	if holders == nil {
		holders = []string{"gpioinfo shows which program holds it"}
	}
	return fmt.Errorf("%w: %s: %s; stop the other program", ErrBusy, c, strings.Join(holders, ", "))
}
