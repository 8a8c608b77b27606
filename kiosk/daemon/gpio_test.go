package daemon

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/buttons"
	"yuanban/kiosk/station"
)

// TestSensorChips: the contacts of a chip are requested together, each with its own role, whatever the order of the file.
func TestSensorChips(t *testing.T) {
	cfg := parse(t, "machine: TEST01\nrole: kiosk\nsensors:\n  presence: {chip: soc, line: near}\n  help: {chip: panel, line: '#3', active-low: true}\n"+
		"  door: {chip: soc, line: door, pull: up}\n")
	chips := sensorChips(cfg.Sensors)
	if len(chips) != 2 || chips[0].Name != "panel" || chips[1].Name != "soc" ||
		!slices.Equal(chips[0].Inputs, []buttons.Input{buttons.HelpButton()}) ||
		!slices.Equal(chips[1].Inputs, []buttons.Input{buttons.DoorContact(), buttons.PresenceSensor()}) {
		t.Errorf("%+v", chips)
	}
	for _, c := range chips {
		if lines, err := c.Open(); err == nil || lines != nil && lines != (*buttons.GPIO)(nil) {
			t.Errorf("%s opened on a machine without it: %v, %v", c.Name, lines, err)
		}
	}
	if sensorChips(nil) != nil {
		t.Error("no sensors have a chip")
	}
}

// TestLight: the lamps breathe while a press counts; once its rating is in the journal, that of the pressed button is lit alone.
func TestLight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lamps := make([]buttons.SimLamp, buttons.Count)
		var all []buttons.Lamp
		for i := range lamps {
			all = append(all, &lamps[i])
		}
		m := &machine{lamps: buttons.NewLamps(all)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.runLamps(ctx) }()
		shows := func(want string) {
			t.Helper()
			time.Sleep(300 * time.Millisecond)
			got := ""
			for i := range lamps {
				got += map[bool]string{true: "*", false: "-"}[lamps[i].On()]
			}
			if got != want {
				t.Errorf("the lamps show %s, want %s", got, want)
			}
		}
		shows("-----")
		m.pressed.Store(2) // nobody had asked
		m.light(station.CueInvite)
		shows("*****")
		m.light(station.CueThank) // rated on the screen
		shows("-----")
		m.light(station.CueInvite)
		shows("*****")
		m.pressed.Store(4)
		m.light(station.CueThank)
		shows("---*-")
		time.Sleep(time.Second)
		shows("-----")
		m.light(station.CueInvite)
		shows("*****")
		m.light(station.CuePause)
		shows("-----")
		cancel()
		<-done
	})
}

// TestContactsWithoutChip: a machine whose GPIO chip is missing runs, and says of each what is wrong.
func TestContactsWithoutChip(t *testing.T) {
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\nbuttons: {chip: no-such-panel, lines: {5: a, 4: b, 3: c, 2: d, 1: e}}\n"+
		"lamps: {lines: {5: f}}\nsensors: {door: {line: g}, help: {line: h}}\nrelay: {line: i, active-low: true}\n", t.TempDir())
	<-r.ready
	for _, want := range []string{`"device":"buttons","state":"offline"`, `"device":"sensors","state":"offline"`, `"device":"relay","state":"offline"`, "no such GPIO chip or line"} {
		r.eventually(want, func() bool { _, body := r.get("/kiosk/v1/status", ""); return strings.Contains(body, want) })
	}
	ok(t, r.end())
}
