package idcard_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// readers are the simulated readers that must keep the contract.
func readers() map[string]idcard.SimOpts {
	return map[string]idcard.SimOpts{
		"sdt":            {},
		"sdt, 9600":      {Baud: 9600},
		"stx":            {Framing: idcard.STX},
		"stx, 9600":      {Framing: idcard.STX, Baud: 9600},
		"stx, once only": {Framing: idcard.STX, ReadsOnce: true},
	}
}

// deskHands lay cards on a simulated reader and pull its plug.
func deskHands(sim *idcard.Sim, unplug, replug func() error) devicetest.Hands {
	return devicetest.HandsFunc(func(action string) error {
		switch action {
		case "lay card":
			return sim.Lay(idcard.Examples()[0])
		case "lay other card":
			return sim.Lay(idcard.Examples()[3])
		case "remove card":
			sim.Remove()
			return nil
		case "unplug":
			return unplug()
		case "replug":
			sim.PowerCycle()
			return replug()
		}
		return fmt.Errorf("cannot %s: nobody has taught that", action)
	})
}

func rigOf(sim *idcard.Sim, opts idcard.SimOpts, hands devicetest.Hands, open func() (*idcard.Reader, error)) *devicetest.ReaderRig {
	rig := &devicetest.ReaderRig{Hands: hands, Open: open, Framing: idcard.SDT, Card: &idcard.Examples()[0], Other: &idcard.Examples()[3]}
	if opts.Framing != "" {
		rig.Framing = opts.Framing
	}
	return rig
}

// TestContractOverAPipe: the simulator over a net.Pipe, in virtual time.
func TestContractOverAPipe(t *testing.T) {
	for name, opts := range readers() {
		for _, c := range devicetest.ReaderCases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.Run(t, pipeRig(t, opts)) })
			})
		}
	}
}

func pipeRig(t *testing.T, opts idcard.SimOpts) *devicetest.ReaderRig {
	sim := idcard.NewSim(&opts)
	plugged := true
	stop := func() {} // what is open
	t.Cleanup(func() { stop() })
	hands := deskHands(sim,
		func() error { plugged = false; stop(); return nil },
		func() error { plugged = true; return nil })
	return rigOf(sim, opts, hands, func() (*idcard.Reader, error) {
		stop()
		if !plugged {
			return nil, os.ErrNotExist
		}
		near, far := net.Pipe()
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- sim.Serve(ctx, far) }()
		stop = func() {
			far.Close()
			near.Close()
			cancel()
			<-served
			stop = func() {}
		}
		return idcard.New(near, &idcard.Opts{Baud: opts.Baud, Framing: opts.Framing}), nil
	})
}

// TestContractOverAPty: the simulator behind a pseudo-terminal, found by its speed and framing like a reader on a tty.
func TestContractOverAPty(t *testing.T) {
	for name, opts := range map[string]idcard.SimOpts{"sdt": {Baud: 115200}, "stx": {Framing: idcard.STX, Baud: 115200}} {
		opts.CardTime = 50 * time.Millisecond
		for _, c := range devicetest.ReaderCases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				t.Parallel() // mostly waiting
				c.Run(t, ptyRig(t, opts))
			})
		}
	}
}

func ptyRig(t *testing.T, opts idcard.SimOpts) *devicetest.ReaderRig {
	t.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	sim := idcard.NewSim(&opts)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, link) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		link.Close()
	})
	return rigOf(sim, opts, deskHands(sim, link.Unplug, link.Replug), ttyOpener(t, link.Path(), nil))
}

// ttyOpener opens a tty as the station does: it is asked at every speed and in both framings unless told where to look.
func ttyOpener(t *testing.T, path string, opts *idcard.ProbeOpts) func() (*idcard.Reader, error) {
	var port *serialport.Port
	t.Cleanup(func() {
		if port != nil {
			port.Close()
		}
	})
	return func() (*idcard.Reader, error) {
		if port != nil {
			port.Close()
		}
		found, err := idcard.ProbeLine(t.Context(), func(baud int) (idcard.Port, error) {
			next, err := serialport.Open(serialport.Config{Path: path, Baud: baud})
			if err != nil {
				return nil, err
			}
			port = next
			return next, nil
		}, opts)
		if err != nil {
			return nil, err
		}
		return found.Reader, nil
	}
}
