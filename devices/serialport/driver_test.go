package serialport_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// TestDriverOverATape: a card reader that was recorded once reads the same card for the same driver from the tape alone.
func TestDriverOverATape(t *testing.T) {
	want := idcard.Examples()[0]
	read := func(t *testing.T, wire idcard.Port) {
		t.Helper()
		reader := idcard.New(wire, nil)
		if _, err := reader.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := reader.ReadCard(t.Context(), nil); err != nil || got != want {
			t.Fatalf("read %v, %v", got, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		near, far := net.Pipe()
		sim := idcard.NewSim(&idcard.SimOpts{CardTime: 400 * time.Millisecond})
		if err := sim.Lay(want); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var device sync.WaitGroup
		device.Go(func() { sim.Serve(ctx, far) })
		read(t, serialport.NewRecorder(near, &text, serialport.Tape{Baud: 115200, Format: "8N1"}))
		stop()
		near.Close()
		device.Wait()

		tapes, err := serialport.ParseTapes(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		near, far = net.Pipe()
		defer near.Close()
		device.Go(func() {
			if err := serialport.NewPlayer(tapes[0], nil).Serve(t.Context(), far); err != nil {
				t.Error(err)
			}
		})
		read(t, near)
		device.Wait()
	})
}
