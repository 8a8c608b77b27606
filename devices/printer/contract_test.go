package printer_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
)

// desk are hands at a simulated printer.
func desk(sim *printer.Sim, unplug, replug func() error) devicetest.Hands {
	return devicetest.HandsFunc(func(action string) error {
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
			for _, r := range sim.Receipts() {
				if r.Presented {
					return sim.Take(r.ID)
				}
			}
			return errors.New("there is no receipt")
		case "unplug":
			return unplug()
		case "replug":
			return replug()
		}
		return fmt.Errorf("cannot %s: nobody has taught that", action)
	})
}

// paperOf reads a simulated printer's paper.
func paperOf(sim *printer.Sim) func() ([]string, bool) {
	return func() (lines []string, known bool) {
		for _, r := range sim.Receipts() {
			for _, l := range r.Lines {
				if l != "" {
					lines = append(lines, l)
				}
			}
		}
		return lines, true
	}
}

// TestContractOverAPipe: every profile's simulator over a net.Pipe, in virtual time and at the pace of paper.
func TestContractOverAPipe(t *testing.T) {
	for _, p := range models(t) {
		for _, c := range devicetest.PrinterCases() {
			t.Run(p.Name+"/"+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.Run(t, pipeRig(t, p)) })
			})
		}
	}
}

// models are the built-in profiles and a park's own.
func models(t *testing.T) []*printer.Profile {
	own, err := filepath.Abs("testdata/vkp80.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []*printer.Profile
	for _, name := range append(printer.ProfileNames(), own) {
		p, err := printer.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func pipeRig(t *testing.T, p *printer.Profile) *devicetest.PrinterRig {
	sim := printer.NewSim(p, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var served sync.WaitGroup
	var mu sync.Mutex
	plugged, pull := true, func() {}
	t.Cleanup(func() { cancel(); served.Wait() })
	unplug := func() error {
		mu.Lock()
		defer mu.Unlock()
		plugged = false
		pull()
		return nil
	}
	replug := func() error {
		mu.Lock()
		defer mu.Unlock()
		plugged = true
		return nil
	}
	return &devicetest.PrinterRig{
		Hands: desk(sim, unplug, replug), Profile: p, Paper: paperOf(sim),
		Open: func() (devicetest.PrinterPort, error) {
			mu.Lock()
			defer mu.Unlock()
			if !plugged {
				return nil, os.ErrNotExist
			}
			served.Wait() // a printer has one line
			host, far := net.Pipe()
			pull = func() { far.Close() }
			served.Go(func() { sim.Serve(ctx, far) })
			return host, nil
		},
	}
}

// TestContractOverAPty: the simulator at the end of a real tty, in real time; of the slower presenter, what is its own.
func TestContractOverAPty(t *testing.T) {
	t.Parallel()
	for name, only := range map[string]string{"epson80": "", "custom80": "receipt"} {
		p, err := printer.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		cases := slices.DeleteFunc(devicetest.PrinterCases(), func(c devicetest.Case[*devicetest.PrinterRig]) bool { return !strings.Contains(c.Name, only) })
		t.Run(name, func(t *testing.T) {
			devicetest.Run(t, cases, func(t *testing.T) *devicetest.PrinterRig {
				t.Parallel() // most of a case is waiting
				return ptyRig(t, p)
			})
		})
	}
}

func ptyRig(t *testing.T, p *printer.Profile) *devicetest.PrinterRig {
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "printer"))
	if err != nil {
		t.Fatal(err)
	}
	const baud = 115200
	sim := printer.NewSim(p, &printer.SimOpts{Baud: baud})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, link) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-served:
		case <-time.After(10 * time.Second):
			t.Error("the simulator did not end")
		}
		link.Close()
	})
	return &devicetest.PrinterRig{
		Hands: desk(sim, link.Unplug, link.Replug), Profile: p, Baud: baud, Paper: paperOf(sim),
		Open: func() (devicetest.PrinterPort, error) {
			return serialport.Open(serialport.Config{Path: link.Path(), Baud: baud})
		},
	}
}
