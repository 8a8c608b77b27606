//go:build vm

package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/systemd/bench/machine"
)

// What sits at the far end of a cable, and the hands at it.

// pluggable adds the actions "unplug" and "replug" to hands.
func pluggable(ctx context.Context, m *machine.Machine, line string, hands devicetest.HandsFunc) devicetest.Hands {
	return devicetest.HandsFunc(func(action string) error {
		switch action {
		case "unplug":
			return m.Unplug(ctx, line)
		case "replug":
			return m.Plug(ctx, line)
		}
		return hands(action)
	})
}

// take takes the far end of a line over for one device.
func take(t *testing.T, m *machine.Machine, line string) *machine.Cable {
	t.Helper()
	cable, err := m.Cable(line)
	if err != nil {
		t.Fatal(err)
	}
	return cable
}

// serve runs a device until the test ends.
func serve(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// talker is a device that does as it is told: "send HEX"; "expect HEX", which it must have received since the last time, or
// does within 5 s; "stop reading"; "read on", which forgets what was received. At a USB adapter it does not stop reading but
// takes no more than USB 1.1 can carry, 1 MB/s: qemu's usb-serial makes the whole machine stand still until its bytes are taken.
func talker(line string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		d := &talking{cable: take(t, m, line), stops: strings.HasPrefix(line, "com")}
		serve(t, d.listen)
		return pluggable(t.Context(), m, line, d.do)
	}
}

type talking struct {
	cable *machine.Cable
	stops bool // reading, when it is told so

	mu    sync.Mutex
	heard []byte
	deaf  bool
}

// expectWithin is how long what is expected may take to come.
const expectWithin = 5 * time.Second

// listen hears until ctx ends.
func (d *talking) listen(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = d.cable.SetReadDeadline(time.Unix(1, 0)) })()
	for b := make([]byte, 8<<10); ctx.Err() == nil; {
		deaf := d.isDeaf()
		if deaf {
			time.Sleep(8 * time.Millisecond) // for 8 KiB at most: 1 MB/s
		}
		if deaf && d.stops {
			continue
		}
		if err := d.hear(b); err != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
	return nil
}

func (d *talking) isDeaf() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.deaf
}

func (d *talking) hear(b []byte) error {
	n, err := d.cable.Read(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.deaf {
		d.heard = append(d.heard, b[:n]...)
	}
	return err
}

func (d *talking) do(action string) error {
	verb, text, _ := strings.Cut(action, " ")
	switch {
	case action == "stop reading":
		d.mu.Lock()
		defer d.mu.Unlock()
		d.deaf = true
		return nil
	case action == "read on":
		d.readOn()
		return nil
	case verb == "send", verb == "expect":
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		if verb == "expect" {
			return d.expect(b)
		}
		_, err = d.cable.Write(b)
		return err
	}
	return fmt.Errorf("the device cannot %q", action)
}

// quiet is how long nothing comes before what was on its way is thought to have come.
const quiet = 100 * time.Millisecond

// readOn listens again, and forgets what was heard and what was still on its way.
func (d *talking) readOn() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deaf = false
	for began, n := time.Now(), -1; n != len(d.heard) && time.Since(began) < expectWithin; {
		n = len(d.heard)
		d.mu.Unlock()
		time.Sleep(quiet)
		d.mu.Lock()
	}
	d.heard = nil
}

func (d *talking) expect(want []byte) error {
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		heard := d.take(want)
		if bytes.Equal(heard, want) {
			return nil
		}
		if time.Since(began) > expectWithin {
			return fmt.Errorf("heard %x", heard)
		}
	}
}

// take returns what was heard, and forgets it if it is what is wanted.
func (d *talking) take(want []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	heard := d.heard
	if bytes.Equal(heard, want) {
		d.heard = nil
	}
	return heard
}

// reader is the simulated ID-card reader: "lay card", "lay other card", "remove card".
func reader(line string, framing idcard.Framing) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		sim := idcard.NewSim(&idcard.SimOpts{Framing: framing})
		cable := take(t, m, line)
		serve(t, func(ctx context.Context) error { return sim.Serve(ctx, cable) })
		cards := idcard.Examples()
		return pluggable(t.Context(), m, line, func(action string) error {
			switch action {
			case "lay card":
				return sim.Lay(cards[0])
			case "lay other card":
				return sim.Lay(cards[3])
			case "remove card":
				sim.Remove()
				return nil
			}
			return fmt.Errorf("the hands at the reader cannot %q", action)
		})
	}
}

// pad is the simulated rating pad on a serial line: "press N", "press N twice".
func pad(line, profile string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		p, err := serialpad.ByName(profile)
		if err != nil {
			t.Fatal(err)
		}
		sim := serialpad.NewSim(p, nil)
		cable := take(t, m, line)
		serve(t, func(ctx context.Context) error { return sim.Serve(ctx, cable) })
		return pluggable(t.Context(), m, line, func(action string) error {
			words := strings.Fields(action)
			if len(words) < 2 || words[0] != "press" {
				return fmt.Errorf("the hands at the pad cannot %q", action)
			}
			grade, err := strconv.Atoi(words[1])
			if err != nil {
				return err
			}
			sim.Press(grade)
			if len(words) == 3 { // twice
				time.Sleep(2 * time.Second)
				sim.Press(grade)
			}
			return nil
		})
	}
}

// paper is the simulated printer: "load paper", "take paper out", "open cover", "close cover", "take receipt"; "find whole
// LINE|LINE…" and "find none LINE|LINE…" look at what came out of it.
func paper(line, profile string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		p, err := printer.ByName(profile)
		if err != nil {
			t.Fatal(err)
		}
		sim := printer.NewSim(p, nil)
		cable := take(t, m, line)
		serve(t, func(ctx context.Context) error { return sim.Serve(ctx, cable) })
		return pluggable(t.Context(), m, line, func(action string) error {
			switch action {
			case "load paper":
				return sim.Set("full", "", "")
			case "take paper out":
				return sim.Set("out", "", "")
			case "open cover":
				return sim.Set("", "open", "")
			case "close cover":
				return sim.Set("", "closed", "")
			case "take receipt":
				return takeReceipt(sim)
			}
			return find(sim, action)
		})
	}
}

// takeReceipt takes whatever hangs out of the printer.
func takeReceipt(sim *printer.Sim) error {
	err := errors.New("there is no receipt")
	for _, r := range sim.Receipts() {
		if r.Presented {
			if err = sim.Take(r.ID); err != nil {
				return err
			}
		}
	}
	return err
}

// find looks for whole receipts.
func find(sim *printer.Sim, action string) error {
	want, whole := strings.CutPrefix(action, "find whole ")
	none := false
	if !whole {
		want, none = strings.CutPrefix(action, "find none ")
	}
	if !whole && !none {
		return fmt.Errorf("the hands at the printer cannot %q", action)
	}
	found := 0
	for _, r := range sim.Receipts() {
		lines := slices.DeleteFunc(r.Lines, func(l string) bool { return l == "" })
		if strings.Join(lines, "|") == want && !r.Partial {
			found++
		}
	}
	if whole && found != 1 || none && found != 0 {
		return fmt.Errorf("%d such receipts are on the paper: %+v", found, sim.Receipts())
	}
	return nil
}
