package config

import (
	"slices"
	"testing"

	"yuanban/devices/buttons"
)

// TestWires: each lamp and button keeps its grade, also when one is not there.
func TestWires(t *testing.T) {
	got := (&Lamps{Chip: "panel", Lines: map[int]string{5: "e", 2: "b"}, ActiveLow: true}).GPIO()
	want := []buttons.Wire{{Name: "lamp 1", ActiveLow: true}, {Name: "lamp 2", Line: "b", ActiveLow: true}, {Name: "lamp 3", ActiveLow: true},
		{Name: "lamp 4", ActiveLow: true}, {Name: "lamp 5", Line: "e", ActiveLow: true}}
	if got.Chip != "panel" || !slices.Equal(got.Wires, want) {
		t.Errorf("got  %+v\nwant %v", got, want)
	}
}
