package config

import (
	"fmt"

	"yuanban/devices/buttons"
)

// GPIO are the lines of the rating buttons, that of grade 1 first.
func (b *Buttons) GPIO() buttons.GPIOConfig {
	return buttons.GPIOConfig{Name: "rating buttons", Chip: b.Chip, Wires: wires("button", b.Lines, b.ActiveLow)}
}

// GPIO are the lines of the lamps, that of grade 1 first.
func (l *Lamps) GPIO() buttons.GPIOConfig {
	return buttons.GPIOConfig{Name: "lamps", Chip: l.Chip, Wires: wires("lamp", l.Lines, l.ActiveLow)}
}

// wires are those of what there is one of for each grade.
func wires(what string, lines map[int]string, low bool) (all []buttons.Wire) {
	for n := 1; n <= buttons.Count; n++ {
		all = append(all, buttons.Wire{Name: fmt.Sprintf("%s %d", what, n), Line: lines[n], ActiveLow: low})
	}
	return all
}
