// Package panel is the machine's GPIO panel, simulated in the guest by the kernel's gpio-sim: five rating buttons with their
// lamps, the help button, the door, the presence sensor, the maintenance key, and the switch of the reader's power. All
// inputs are active low, with pull-up resistors. A second chip, without names, is there so that picking a chip by its
// place among several fails.
//
// Setup makes it in the guest; Panel are the hands, on the host, of the person before it.
package panel

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/systemd/bench/agent"
)

// Label is that of the chip; SpareLabel that of the other one.
const (
	Label      = "kiosk-panel"
	SpareLabel = "bench-spare"
)

// The chips in configfs.
const (
	dir        = "panel"
	spareDir   = "spare"
	spareLines = 8
)

// What the line of an input is pulled to.
const (
	released = "pull-up"
	pressed  = "pull-down"
)

// Lines are the names of the panel's lines, in their order on the chip.
func Lines() []string { return slices.Concat(inputs(), outputs()) }

// IsInput tells whether a line is an input, high while nobody touches it.
func IsInput(line string) bool { return slices.Contains(inputs(), line) }

func inputs() []string {
	return []string{"button-1", "button-2", "button-3", "button-4", "button-5", "help", "door", "presence", "key"}
}

func outputs() []string {
	return []string{"lamp-1", "lamp-2", "lamp-3", "lamp-4", "lamp-5", "reader-power"}
}

// attribute is the path in sysfs of an attribute of a line. The number of the gpiochip changes at each replug.
func attribute(device string, line int, name string) string {
	return fmt.Sprintf("/sys/devices/platform/%s/gpiochip*/sim_gpio%d/%s", strings.TrimSpace(device), line, name)
}

// Guest is what the hands need of the guest's agent.
type Guest interface {
	Write(ctx context.Context, steps ...agent.Step) error
	Get(ctx context.Context, path string) ([]byte, error)
}

// Panel is the panel as seen from the host. It is used from one goroutine.
type Panel struct {
	guest  Guest
	device string // of the chip, e.g. gpio-sim.0; it stays over a replug
	was    string // name of the chip before it was unplugged
}

// Open finds the panel in the guest.
func Open(ctx context.Context, g Guest) (*Panel, error) {
	name, err := g.Get(ctx, filepath.Join(configfs, "gpio-sim", dir, "dev_name"))
	if err != nil {
		return nil, fmt.Errorf("cannot find the panel: %w", err)
	}
	return &Panel{guest: g, device: strings.TrimSpace(string(name))}, nil
}

// Chip is the name that the kernel has given to the chip, e.g. gpiochip0.
func (p *Panel) Chip(ctx context.Context) (string, error) { return p.chip(ctx, dir) }

func (p *Panel) chip(ctx context.Context, dir string) (string, error) {
	b, err := p.guest.Get(ctx, filepath.Join(configfs, "gpio-sim", dir, "bank0/chip_name"))
	return strings.TrimSpace(string(b)), err
}

// High reads the level of a line, as the program drives it or its pull makes it.
func (p *Panel) High(ctx context.Context, line string) (bool, error) {
	i := slices.Index(Lines(), line)
	if i < 0 {
		return false, fmt.Errorf("the panel has no line %q, only %q", line, Lines())
	}
	paths := attribute(p.device, i, "value")
	chip, err := p.Chip(ctx)
	if err != nil {
		return false, err
	}
	b, err := p.guest.Get(ctx, strings.Replace(paths, "gpiochip*", chip, 1))
	return strings.TrimSpace(string(b)) == "1", err
}

// How long things take at the panel. Contacts bounce as fast as the guest writes: a pause would become tens of milliseconds
// on a busy host, which is no bounce any more.
const (
	pressTime = 300 * time.Millisecond
	pauseTime = 100 * time.Millisecond // after a press, before the next
	bounces   = 5
	handTime  = 20 * time.Second // for an action as a whole, on a machine that is busy
)

// Hands do what a person does at the panel. N and M are 1 to 5, or the name of an input such as door:
//
//	press N            down for a third of a second, then up
//	press N and M      both at once
//	bounce N           press N with a contact that bounces at both ends
//	hold N             down, until
//	release N
//	unplug             the USB expander that carries the chip
//	replug             in another place, so that the kernel numbers the chip anew; what was held has been let go
//	see lamp N lit, see lamp N dark
//	see reader powered, see reader off
//
// Lamps are lit, and the reader powered, by a low line.
func (p *Panel) Hands(ctx context.Context) devicetest.Hands {
	return devicetest.HandsFunc(func(action string) error {
		ctx, cancel := context.WithTimeout(ctx, handTime)
		defer cancel()
		verb, what, _ := strings.Cut(action, " ")
		switch verb {
		case "unplug":
			var err error
			if p.was, err = p.Chip(ctx); err != nil {
				return err
			}
			return p.guest.Write(ctx, live(dir, "0"))
		case "replug":
			return p.replug(ctx)
		case "see":
			return p.see(ctx, what)
		}
		steps, err := p.steps(verb, what)
		if err != nil {
			return err
		}
		return p.guest.Write(ctx, steps...)
	})
}

// see fails unless an output is as it is said to be.
func (p *Panel) see(ctx context.Context, what string) error {
	i := strings.LastIndex(what, " ")
	line, how := strings.ReplaceAll(what[:max(i, 0)], " ", "-"), what[i+1:]
	if line == "reader" {
		line = "reader-power"
	}
	if !slices.Contains(outputs(), line) || !slices.Contains([]string{"lit", "dark", "powered", "off"}, how) {
		return fmt.Errorf("hands at the panel cannot see %q", what)
	}
	high, err := p.High(ctx, line)
	if err != nil {
		return err
	}
	if on := how == "lit" || how == "powered"; on == high {
		return fmt.Errorf("%s is not %s", line, how)
	}
	return nil
}

// live switches a chip on or off.
func live(dir, to string) agent.Step {
	return agent.Step{Path: filepath.Join(configfs, "gpio-sim", dir, "live"), Data: to}
}

// replug switches the chip on after the other one has taken its number: the kernel gives out the lowest that is free.
func (p *Panel) replug(ctx context.Context) error {
	spare, err := p.chip(ctx, spareDir)
	if err != nil {
		return err
	}
	steps := []agent.Step{live(spareDir, "0"), live(spareDir, "1"), live(dir, "1")}
	if spare < p.was { // of one digit each
		steps[1], steps[2] = steps[2], steps[1]
	}
	for _, in := range inputs() {
		steps = append(steps, p.pull(0, in, released))
	}
	if err := p.guest.Write(ctx, steps...); err != nil {
		return err
	}
	now, err := p.Chip(ctx)
	if err == nil && now == p.was {
		err = fmt.Errorf("the chip is %s again", now)
	}
	return err
}

// steps are what press, bounce, hold and release do.
func (p *Panel) steps(verb, what string) ([]agent.Step, error) {
	var lines []string
	for _, word := range strings.Split(what, " and ") {
		if n, err := strconv.Atoi(word); err == nil {
			word = "button-" + strconv.Itoa(n)
		}
		if !IsInput(word) {
			return nil, fmt.Errorf("the panel has no input %q, only 1 to 5 and %q", word, inputs()[5:])
		}
		lines = append(lines, word)
	}
	var steps []agent.Step
	all := func(after time.Duration, to string) {
		for i, line := range lines {
			if i > 0 {
				after = 0
			}
			steps = append(steps, p.pull(after, line, to))
		}
	}
	chatter := func(after time.Duration, to, from string) {
		all(after, to)
		for range bounces {
			all(0, from)
			all(0, to)
		}
	}
	switch verb {
	case "press":
		all(0, pressed)
		all(pressTime, released)
	case "bounce":
		chatter(0, pressed, released)
		chatter(pressTime, released, pressed)
	case "hold":
		all(0, pressed)
		return steps, nil
	case "release":
		all(0, released)
	default:
		return nil, fmt.Errorf("hands at the panel cannot %q", verb+" "+what)
	}
	// The action is over when the contacts have come to rest.
	last := steps[len(steps)-1]
	last.After = pauseTime
	return append(steps, last), nil
}

func (p *Panel) pull(after time.Duration, line, to string) agent.Step {
	return agent.Step{After: after, Path: attribute(p.device, slices.Index(Lines(), line), "pull"), Data: to}
}
