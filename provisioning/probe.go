package provisioning

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"yuanban/devices/buttons"
	"yuanban/devices/serialpad"
	"yuanban/provisioning/probe"
)

func probeCommands() []command {
	return []command{
		{"probe", "[-json] [-o FILE] [-rules FILE] [-port PORT] [-skip PORT] [-identify PORT]", "ask every serial line who is there, list GPIO and USB, propose a configuration", runProbe},
		{"learn", "[-chip CHIP] [-active-high]", "press each rating button once, and learn which GPIO line it is on; for a pad on a serial line: kiosk learn", runLearn},
	}
}

// names is a flag that may be given more than once.
type names []string

func (n *names) String() string     { return strings.Join(*n, ",") }
func (n *names) Set(s string) error { *n = append(*n, s); return nil }

func runProbe(c *call) error {
	asJSON := c.flags.Bool("json", false, "print the report as JSON, with the proposal in it")
	out := c.flags.String("o", "", "`FILE` to write the proposed configuration to; without it, it is printed")
	rules := c.flags.String("rules", "", "`FILE` to write udev rules to that name the devices /dev/kiosk/reader, printer and pad, as the proposal then does: /etc/udev/rules.d/66-kiosk-roles.rules")
	identify := c.flags.String("identify", "", "`PORT` whose device shall show itself: a printer prints a line; nothing else is asked")
	var o probe.Options
	c.flags.Var((*names)(&o.Only), "port", "`PORT` to ask, instead of all; may be given more than once")
	c.flags.Var((*names)(&o.Skip), "skip", "`PORT` to leave alone, such as that of a printer which answers nothing; may be given more than once")
	if err := c.parse(0); err != nil {
		return err
	}
	for _, file := range []string{*out, *rules} {
		if _, err := os.Lstat(file); file != "" && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is there already; name another file, so that nothing in use is lost", file)
		}
	}
	o.Tell = func(p probe.Port, step string) { fmt.Fprintf(c.stderr, "%s: %s\n", p.Path, step) }
	if *identify != "" {
		how, err := probe.Identify(c.ctx, o, *identify)
		if err != nil {
			return err
		}
		c.say("%s: %s", *identify, how)
		return nil
	}
	r := probe.Run(c.ctx, o)
	if *rules != "" {
		r.UseRoles()
	}
	proposal := r.Proposal()
	if err := c.CheckConfig("", []byte(proposal)); err != nil {
		return fmt.Errorf("the proposal is no configuration: %w; this is an error of the program, please report it with the output of -json", err)
	}
	if *asJSON {
		text, err := json.MarshalIndent(struct {
			*probe.Report
			Proposal string `json:"proposal"`
		}{r, proposal}, "", "  ")
		if err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
		c.say("%s", text)
	} else {
		c.say("%s", r.Text())
	}
	if *rules != "" {
		if err := os.WriteFile(*rules, []byte(r.Rules()), 0o644); err != nil {
			return fmt.Errorf("cannot write the rules: %w", err)
		}
		if !*asJSON {
			c.say("Rules written to %s; now: udevadm control --reload && udevadm trigger -s tty", *rules)
		}
	}
	switch {
	case *out != "":
		if err := os.WriteFile(*out, []byte(proposal), 0o644); err != nil {
			return fmt.Errorf("cannot write the proposal: %w", err)
		}
		if !*asJSON {
			c.say("Proposed configuration written to %s", *out)
		}
	case !*asJSON:
		c.say("Proposed configuration:\n\n%s", proposal)
	}
	return nil
}

func runLearn(c *call) error {
	want := c.flags.String("chip", "", "label or path of the `CHIP`; needed where there are several")
	high := c.flags.Bool("active-high", false, "the buttons pull to the supply, not to ground")
	if err := c.parse(0); err != nil {
		return err
	}
	chips, err := buttons.Chips()
	if err != nil {
		return err
	}
	chip, err := pickChip(chips, *want)
	if err != nil {
		return err
	}
	var lines []int
	var called []string
	for _, l := range chip.Lines {
		if l.Free() {
			lines, called = append(lines, l.Number), append(called, lineName(chip, l))
		}
	}
	w, err := buttons.OpenWatch(chip, lines, !*high)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	got, err := probe.LearnButtons(c.ctx, w, called, serialpad.GradeNames(), c.say)
	if err != nil {
		return err
	}
	c.say("\n%s", buttonsConfig(chip, called, got))
	return nil
}

// pickChip is the chip of that label or path, or the only one with a free line.
func pickChip(chips []buttons.Chip, want string) (buttons.Chip, error) {
	var found []buttons.Chip
	var known []string
	for _, c := range chips {
		known = append(known, fmt.Sprintf("%q (%s)", c.Label, c.Path))
		if free := slices.ContainsFunc(c.Lines, buttons.ChipLine.Free); free && (want == "" || c.Label == want || c.Path == want) {
			found = append(found, c)
		}
	}
	switch {
	case len(chips) == 0:
		return buttons.Chip{}, errors.New("this machine has no GPIO chip: plug the panel in; for a rating pad on a serial line use kiosk learn -port PORT")
	case len(found) == 0:
		return buttons.Chip{}, fmt.Errorf("no GPIO chip %q with a free line: there are %s; is the kiosk running? systemctl stop kiosk", want, strings.Join(known, ", "))
	case len(found) > 1:
		return buttons.Chip{}, fmt.Errorf("several GPIO chips have free lines: name one with -chip: %s", strings.Join(known, ", "))
	}
	return found[0], nil
}

// lineName is the name of a line in a configuration: its own where no other line of the chip has it, else its number.
func lineName(c buttons.Chip, l buttons.ChipLine) string {
	same := 0
	for _, o := range c.Lines {
		if o.Name == l.Name {
			same++
		}
	}
	if l.Name == "" || same > 1 || strings.ContainsAny(l.Name, "{}[],:#\"' ") {
		return fmt.Sprintf("#%d", l.Number)
	}
	return l.Name
}

func buttonsConfig(c buttons.Chip, called []string, got *probe.Learned) string {
	var lines []string
	for grade := 5; grade >= 1; grade-- {
		lines = append(lines, fmt.Sprintf("%d: %q", grade, called[got.Lines[grade]]))
	}
	return fmt.Sprintf("buttons:\n  chip: %q\n  lines: {%s}\n  active-low: %v\n", c.Label, strings.Join(lines, ", "), got.ActiveLow)
}
