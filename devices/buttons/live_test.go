//go:build live

package buttons_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/devicetest"
)

var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive runs the contract on lines of a real GPIO chip, whose label -live.port is: button-1 to button-5 and lamp-1 to lamp-5,
// all of them on while low, or while high with -live.profile high.
//
//	go test -tags live ./devices/buttons -run Live -live.port kiosk-panel -live.hands unix:/run/hands
func TestLive(t *testing.T) {
	live.Need(t)
	devicetest.Run(t, append(devicetest.ButtonsCases(), devicetest.LampCases()...), func(t *testing.T) devicetest.ButtonsRig {
		low := live.Profile != "high"
		lamps := buttons.NewGPIOLamps(liveConfig("lamps", "lamp", low))
		t.Cleanup(func() {
			if err := lamps.Close(); err != nil {
				t.Error(err)
			}
		})
		return devicetest.ButtonsRig{
			Hands: live.Hands(t),
			Open:  func() (buttons.Lines, error) { return buttons.OpenGPIO(liveConfig("rating buttons", "button", low)) },
			Lamps: lamps.Lamps(),
			Quiet: time.Second,
		}
	})
}

func liveConfig(name, what string, low bool) buttons.GPIOConfig {
	cfg := buttons.GPIOConfig{Name: name, Chip: live.Port}
	for n := 1; n <= buttons.Count; n++ {
		cfg.Wires = append(cfg.Wires, buttons.Wire{Name: fmt.Sprint(what, " ", n), Line: fmt.Sprint(what, "-", n), ActiveLow: low})
	}
	return cfg
}
