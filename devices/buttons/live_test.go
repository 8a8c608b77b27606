//go:build live

package buttons_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/devicetest"
)

// The runs on a real GPIO chip, whose label -live.port is. All buttons and lamps are on while low, or while high if
// -live.profile has the word high; with the word poll no edges are waited for, as a kernel needs it that does not survive an
// unplug (see periph.md).
//
//	go test -tags live ./devices/buttons -run TestLive$ -live.port kiosk-panel -live.hands unix:/run/hands
var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive runs the contract on the lines button-1 to button-5 and lamp-1 to lamp-5.
func TestLive(t *testing.T) {
	live.Need(t)
	devicetest.Run(t, append(devicetest.ButtonsCases(), devicetest.LampCases()...), func(t *testing.T) devicetest.ButtonsRig {
		lamps := buttons.NewGPIOLamps(liveConfig("lamps", "lamp"))
		t.Cleanup(func() {
			if err := lamps.Close(); err != nil {
				t.Error(err)
			}
		})
		return devicetest.ButtonsRig{
			Hands: live.Hands(t),
			Open:  func() (buttons.Lines, error) { return buttons.OpenGPIO(liveConfig("rating buttons", "button")) },
			Lamps: lamps.Lamps(),
			Quiet: time.Second,
		}
	})
}

func liveConfig(name, what string) buttons.GPIOConfig {
	cfg := buttons.GPIOConfig{Name: name, Chip: live.Port, Poll: strings.Contains(live.Profile, "poll")}
	for n := 1; n <= buttons.Count; n++ {
		cfg.Wires = append(cfg.Wires, buttons.Wire{Name: fmt.Sprint(what, " ", n), Line: fmt.Sprint(what, "-", n), ActiveLow: !strings.Contains(live.Profile, "high")})
	}
	return cfg
}

// TestLiveBusy: lines that are taken are refused by the name of who has them, and can be had once they are given back.
func TestLiveBusy(t *testing.T) {
	live.Need(t)
	for range 3 {
		lines, err := buttons.OpenGPIO(liveConfig("rating buttons", "button"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = buttons.OpenGPIO(liveConfig("rating buttons", "button"))
		if !errors.Is(err, buttons.ErrBusy) || !strings.Contains(err.Error(), `button-1 held by "`) || strings.Contains(err.Error(), `held by ""`) {
			t.Errorf("taken twice: %v", err)
		}
		if err := lines.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLiveSensors: the other contacts of the panel (help, key, door, presence, on while low) in one request, and the relay at
// reader-power, powered while low. The hands know, beside the words of ButtonsRig,
//
//	press help, press key, hold door, release door, hold presence, release presence
//	see reader powered   fail unless the relay gives power
//	see reader off       fail if it does
func TestLiveSensors(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	do := func(action string) {
		t.Helper()
		if err := hands.Do(action); err != nil {
			t.Error(err)
		}
	}
	inputs := []buttons.Input{buttons.HelpButton(), buttons.MaintenanceKey(), buttons.DoorContact(), buttons.PresenceSensor()}
	cfg := buttons.GPIOConfig{Name: "sensors", Chip: live.Port}
	for i, line := range []string{"help", "key", "door", "presence"} {
		cfg.Wires = append(cfg.Wires, buttons.Wire{Name: inputs[i].Name, Line: line, ActiveLow: true})
	}
	lines, err := buttons.OpenGPIO(cfg)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 64)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- buttons.New(lines, &buttons.Opts{Inputs: inputs, OnPress: func(p buttons.Press) { told <- p.Input },
			OnReading: func(r buttons.Reading) { told <- fmt.Sprint(r.Input, " ", r.On) }}).Run(ctx)
	}()
	defer func() { cancel(); <-done }()
	want := func(all ...string) {
		t.Helper()
		for _, w := range all {
			select {
			case got := <-told:
				if got != w {
					t.Errorf("told %q, want %q", got, w)
				}
			case <-time.After(15 * time.Second):
				t.Fatalf("never told %q", w)
			}
		}
		select {
		case got := <-told:
			t.Errorf("told %q as well", got)
		case <-time.After(time.Second):
		}
	}
	want("door contact false", "presence sensor false")
	do("press help")
	want("help button")
	do("press key")
	want("maintenance key")
	do("hold door")
	want("door contact true")
	do("hold presence")
	want("presence sensor true")
	do("release door")
	want("door contact false")
	do("release presence")
	want("presence sensor false")

	relay, err := buttons.OpenRelay(buttons.GPIOConfig{Name: "relay", Chip: live.Port, Wires: []buttons.Wire{{Name: "reader's power", Line: "reader-power", ActiveLow: true}}})
	if err != nil {
		t.Fatal(err)
	}
	do("see reader powered")
	for _, on := range []bool{false, true, false} {
		if err := relay.Set(on); err != nil {
			t.Error(err)
		}
		do(map[bool]string{true: "see reader powered", false: "see reader off"}[on])
	}
	if err := relay.Close(); err != nil {
		t.Error(err)
	}
}

// TestLiveUnnamed: lines 0 to 3 of a chip that gives its lines no names, with nothing connected: each is held by the resistor
// that was asked for, so that the pull of each line has reached the kernel, in one request.
func TestLiveUnnamed(t *testing.T) {
	live.Need(t)
	lines, err := buttons.OpenGPIO(buttons.GPIOConfig{Name: "lines", Chip: live.Port, Wires: []buttons.Wire{
		{Name: "a", Line: "#3", Pull: buttons.PullUp}, {Name: "b", Line: "#1", Pull: buttons.PullDown},
		{Name: "c", Line: "#0", ActiveLow: true}, {Name: "d", Line: "#2", Pull: buttons.PullDown, ActiveLow: true}}})
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	if got, err := lines.Levels(); err != nil || got != 0b1001 {
		t.Errorf("levels %04b, %v, want 1001", got, err)
	}
}

// BenchmarkLive is how soon a press is told in front of the kernel: what is above the debounce time is the kernel, the library
// and this package. Hands press button 3 each time.
func BenchmarkLive(b *testing.B) {
	live.Need(b)
	lines, err := buttons.OpenGPIO(liveConfig("rating buttons", "button"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	told := make(chan time.Duration, 16)
	online, done := make(chan buttons.Health, 16), make(chan error, 1)
	go func() {
		done <- buttons.New(lines, &buttons.Opts{OnPress: func(p buttons.Press) { told <- time.Since(p.At) }, OnHealth: func(h buttons.Health) { online <- h }}).Run(ctx)
	}()
	<-online
	hands := live.Hands(b)
	var worst, sum time.Duration
	n := 0
	for b.Loop() {
		if err := hands.Do("press 3"); err != nil {
			b.Fatal(err)
		}
		d := <-told
		worst, sum, n = max(worst, d), sum+d, n+1
	}
	cancel()
	<-done
	b.ReportMetric(float64((sum / time.Duration(n)).Microseconds()), "mean-µs")
	b.ReportMetric(float64(worst.Microseconds()), "worst-µs")
}
