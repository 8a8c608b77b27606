//go:build live

package hotplug_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/hotplug"
	"yuanban/devices/serialport"
)

var live = devicetest.LiveFlags(flag.CommandLine)

const patience = 15 * time.Second // for what takes a moment on hardware

// TestLive pulls the plug of a serial adapter and puts it back: the kernel tells both, and the supervisor has the line again.
//
//	go test -tags live ./devices/hotplug -run Live -live.port /dev/serial/by-path/…
func TestLive(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	do := func(action string) time.Time {
		if err := hands.Do(action); err != nil {
			t.Fatal(err)
		}
		return time.Now()
	}
	node, err := filepath.EvalSymlinks(live.Port)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan hotplug.Event, 1000)
	reports := make(chan hotplug.Report, 1000)
	var told hotplug.State
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := hotplug.New(func(ctx context.Context, online func(string)) error {
		port, err := serialport.OpenContext(ctx, serialport.Config{Path: live.Port, Baud: live.Baud})
		if err != nil {
			return err
		}
		defer port.Close()
		defer context.AfterFunc(ctx, func() { port.Close() })()
		online("open")
		for b := make([]byte, 64); ; {
			if _, err := port.Read(b); err != nil {
				return err
			}
		}
	}, &hotplug.Opts{
		Subsystems: []string{"tty"},
		Lost:       func(err error) bool { return errors.Is(err, serialport.ErrGone) },
		Present:    func() bool { _, err := os.Stat(live.Port); return err == nil },
		OnReport: func(r hotplug.Report) {
			if r.State != told {
				told = r.State
				reports <- r
			}
		},
		OnBlind: func(err error) { t.Errorf("blind: %v", err) },
		Watch: func(ctx context.Context, event func(hotplug.Event)) error {
			return hotplug.Watch(ctx, func(e hotplug.Event) { events <- e; event(e) })
		},
	})
	go func() { done <- s.Run(ctx) }()
	await := func(want hotplug.State) {
		t.Helper()
		for limit := time.After(patience); ; {
			select {
			case r := <-reports:
				t.Logf("  %s %s %v", r.State, r.Detail, r.Err)
				if r.State == want {
					return
				}
			case <-limit:
				t.Fatalf("not %s after %v", want, patience)
			}
		}
	}
	// heard waits for the kernel's word of the line; a driver that still holds it makes it come back under another number.
	heard := func(action string) {
		t.Helper()
		for limit := time.After(patience); ; {
			select {
			case e := <-events:
				if e.Action == action && e.Subsystem == "tty" && (action == hotplug.Add || e.Name == path.Base(node)) {
					node = "/dev/" + e.Name
					return
				}
			case <-limit:
				t.Fatalf("no event %q after %v", action, patience)
			}
		}
	}
	await(hotplug.Online)
	for range 3 {
		at := do("unplug")
		await(hotplug.Lost)
		t.Logf("told as lost %v after it was unplugged", time.Since(at))
		heard(hotplug.Remove)
		time.Sleep(3 * time.Second) // so that the clock alone would need up to 2 s
		at = do("replug")
		await(hotplug.Online)
		t.Logf("open again %v after it was plugged in", time.Since(at))
		heard(hotplug.Add)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
