package buttons

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Pull is the resistor inside the chip that holds an input's line while its contact is open.
type Pull string

// The pulls. Chips without such resistors ignore them; the line then needs one of its own.
const (
	PullUp   Pull = "up"
	PullDown Pull = "down"
	PullNone Pull = "none" // leave it as the hardware has it
)

// Wire is where one input, lamp or relay is connected.
type Wire struct {
	Name      string // what it is for, in errors, such as "button 3"
	Line      string // name of the line, as gpioinfo shows it, or its number on the chip as "#17"
	ActiveLow bool   // a low line is on: a pressed button pulls it to ground, a lamp is lit by it
	Pull      Pull   // of an input; "" for the one that belongs to ActiveLow: up if it is set, down if not
}

func (w Wire) pull() Pull {
	switch {
	case w.Pull != "":
		return w.Pull
	case w.ActiveLow:
		return PullUp
	}
	return PullDown
}

// GPIOConfig says where lines are that are requested together: all of them, or none.
type GPIOConfig struct {
	Name  string // what they are together, in errors, such as "rating buttons"
	Chip  string // label of the chip (gpiodetect shows it), or path of its node, e.g. /dev/gpiochip0
	Wires []Wire // at most MaxInputs
	// Poll has inputs looked at every 5 ms in place of waiting for the kernel to tell of edges. It is done by itself for a chip on
	// USB where the kernel does not survive that one is unplugged while edges are waited for (see periph.md).
	Poll bool
}

// The seam to the GPIO library. periph.go is the one implementation; tests have their own.
type (
	// scanner finds the chips that the machine has now.
	scanner func() ([]chip, error)

	chip struct {
		label, name, path string     // e.g. pinctrl-bcm2711, gpiochip0, /dev/gpiochip0
		lines             []chipLine // by number
		noEdges           bool       // waiting for edges of it may bring the kernel down
		request           requester
	}
	// chipLine is a line by its two names: the kernel's, which the library may have put the chip's name before, and the one
	// under which the library finds this line and no other, "" if there is none.
	chipLine struct{ name, key string }

	requester interface {
		inputs(lines []inputLine, edges bool) (inputSet, error)
		outputs(keys []string) (outputSet, error)
		// holder says which program holds a line now, "" if none or if it cannot be known.
		holder(number int) string
	}
	inputLine struct {
		key  string
		pull Pull
	}
	// inputSet are lines read together; bit i is the i-th line asked for.
	inputSet interface {
		read() (uint64, error)
		wait(timeout time.Duration) (bit int, err error) // of lines with edges. os.ErrDeadlineExceeded: none; any other error: gone
		Close() error
	}
	// outputSet are lines written together. They are low at first and are never read: reading turns an output into an input.
	outputSet interface {
		write(bits, mask uint64) error
		Close() error
	}
)

func (c chip) String() string { return fmt.Sprintf("GPIO chip %q (%s)", c.label, c.path) }

// found are the lines of a configuration on the chip that has them: the numbers of the lines, one for each wire.
type found struct {
	chip    chip
	numbers []int
}

// locate finds the chip and its lines.
func locate(cfg GPIOConfig, scan scanner) (found, error) {
	switch {
	case len(cfg.Wires) == 0:
		return found{}, errors.New("no line is named in the configuration")
	case len(cfg.Wires) > MaxInputs:
		return found{}, fmt.Errorf("%d lines are too many for one request, which takes %d", len(cfg.Wires), MaxInputs)
	}
	c, err := pick(cfg.Chip, scan)
	if err != nil {
		return found{}, err
	}
	f := found{chip: c}
	for i, w := range cfg.Wires {
		n, err := c.number(w.Line)
		if err != nil {
			return found{}, fmt.Errorf("line of %s: %w", w.Name, err)
		}
		if j := slices.Index(f.numbers, n); j >= 0 {
			return found{}, fmt.Errorf("%s and %s have the same line %q", cfg.Wires[j].Name, cfg.Wires[i].Name, w.Line)
		}
		f.numbers = append(f.numbers, n)
	}
	return f, nil
}

// key is the library's name of the line of wire i.
func (f found) key(i int) string { return f.chip.lines[f.numbers[i]].key }

func (f found) keys() []string {
	var all []string
	for i := range f.numbers {
		all = append(all, f.key(i))
	}
	return all
}

// explain says who holds a line that is busy. The library turns errno into text, so the text is all there is to go by.
func (f found) explain(cfg GPIOConfig, err error) error {
	if !strings.Contains(err.Error(), "busy") {
		return fmt.Errorf("%s: %w", f.chip, err)
	}
	var holders []string
	for i, n := range f.numbers {
		if who := f.chip.request.holder(n); who != "" {
			holders = append(holders, fmt.Sprintf("%s held by %q", cfg.Wires[i].Line, who))
		}
	}
	if holders == nil {
		holders = []string{"gpioinfo shows which program holds it"}
	}
	return fmt.Errorf("%w: %s: %s; stop the other program", ErrBusy, f.chip, strings.Join(holders, ", "))
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
	var paths, known []string
	var c chip
	for _, have := range chips {
		known = append(known, have.String())
		if have.label == want || have.path == want || have.path == node {
			paths, c = append(paths, have.path), have
		}
	}
	switch len(paths) {
	case 1:
		return c, nil
	case 0:
		return chip{}, fmt.Errorf("%w: no GPIO chip %q; this machine has %s. Check the name in the configuration, or plug the chip in",
			ErrAbsent, want, strings.Join(known, ", "))
	}
	return chip{}, fmt.Errorf("%d GPIO chips have the label %q: name one by its path instead (%s)", len(paths), want, strings.Join(paths, ", "))
}

// number returns the number of the line that is called want in the configuration.
func (c chip) number(want string) (int, error) {
	if number, ok := strings.CutPrefix(want, "#"); ok {
		n, err := strconv.Atoi(number)
		switch {
		case err != nil || n < 0 || n >= len(c.lines):
			return 0, fmt.Errorf("%w: %s has lines #0 to #%d, not %q", ErrAbsent, c, len(c.lines)-1, want)
		case c.lines[n].key == "":
			return 0, fmt.Errorf("line #%d of %s has no name of its own, and this version of the GPIO library finds lines by name only: "+
				"give it one in the device tree (gpio-line-names)", n, c)
		}
		return n, nil
	}
	// The library puts the chip's name before a name that it has met before, on another chip or on this one before a replug.
	for _, name := range []string{want, c.name + "-" + want} {
		switch numbers := c.named(name); len(numbers) {
		case 0:
			continue
		case 1:
			return numbers[0], nil
		default:
			return 0, fmt.Errorf("%s has several lines called %q: name one by its number instead, such as \"#%d\"", c, want, numbers[0])
		}
	}
	return 0, fmt.Errorf("%w: %s has no line %q; gpioinfo lists its lines. A line without a name is called by its number, such as \"#0\"", ErrAbsent, c, want)
}

func (c chip) named(name string) []int {
	var all []int
	for n, l := range c.lines {
		if l.name == name {
			all = append(all, n)
		}
	}
	return all
}
