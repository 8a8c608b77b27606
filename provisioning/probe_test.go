package provisioning

import (
	"strings"
	"testing"

	"yuanban/devices/buttons"
	"yuanban/provisioning/probe"
)

func TestPickChip(t *testing.T) {
	free, used := buttons.ChipLine{Name: "b"}, buttons.ChipLine{Name: "u", Used: true}
	one := buttons.Chip{Path: "/dev/gpiochip0", Label: "panel", Lines: []buttons.ChipLine{free}}
	two := buttons.Chip{Path: "/dev/gpiochip1", Label: "board", Lines: []buttons.ChipLine{used, free}}
	full := buttons.Chip{Path: "/dev/gpiochip2", Label: "full", Lines: []buttons.ChipLine{used}}
	for _, tc := range []struct {
		chips []buttons.Chip
		want  string
		is    string
		says  string
	}{
		{[]buttons.Chip{one, full}, "", "panel", ""},
		{[]buttons.Chip{one, two}, "board", "board", ""},
		{[]buttons.Chip{one, two}, "/dev/gpiochip0", "panel", ""},
		{nil, "", "", "kiosk learn -port"},
		{[]buttons.Chip{one, two}, "", "", "-chip"},
		{[]buttons.Chip{one}, "other", "", `"panel" (/dev/gpiochip0)`},
		{[]buttons.Chip{full}, "", "", "systemctl stop kiosk"},
	} {
		c, err := pickChip(tc.chips, tc.want)
		if c.Label != tc.is || (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%v %q: %q, %v", tc.chips, tc.want, c.Label, err)
		}
	}
}

// TestButtonsConfig: lines without a name of their own are written by number, so that the configuration means one line.
func TestButtonsConfig(t *testing.T) {
	c := buttons.Chip{Label: "panel", Lines: []buttons.ChipLine{{Name: "a"}, {Number: 1, Name: "twin"}, {Number: 2, Name: "twin"}, {Number: 3}, {Number: 4, Name: "x y"}}}
	var called []string
	for _, l := range c.Lines {
		called = append(called, lineName(c, l))
	}
	text := buttonsConfig(c, called, &probe.Learned{Lines: map[int]int{5: 0, 4: 1, 3: 2, 2: 3, 1: 4}, ActiveLow: true})
	if want := `lines: {5: "a", 4: "#1", 3: "#2", 2: "#3", 1: "#4"}`; !strings.Contains(text, want) || !strings.Contains(text, "active-low: true") {
		t.Error(text)
	}
}
