package station

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/hotplug"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
)

// noKernel is the option of a test in virtual time, in which a device's events would never come.
func noKernel(o *hotplug.Opts) {
	o.Watch = func(ctx context.Context, _ func(hotplug.Event)) error { <-ctx.Done(); return nil }
}

// TestStatesOnTheBoard: what the failures of the drivers mean for a device's health.
func TestStatesOnTheBoard(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("cannot use it: %w", err) }
	for _, tc := range []struct {
		err  error
		want State
	}{
		{serialport.ErrGone, Offline},
		{serialport.ErrBusy, Offline},
		{fs.ErrNotExist, Offline},
		{fs.ErrPermission, Offline},
		{buttons.ErrGone, Offline},
		{buttons.ErrAbsent, Offline},
		{printer.ErrGone, Offline},
		{&idcard.Error{Class: idcard.ClassGone, Op: "probe", Err: serialport.ErrGone}, Offline},
		{&idcard.Error{Class: idcard.ClassFault, Op: "probe", Err: errors.New("no answer")}, HardwareError},
		{serialport.ErrOpenStuck, HardwareError},
		{errors.New("anything else"), HardwareError},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			board, _ := newBoard()
			begun := time.Now()
			works := true
			go supervise(ctx, board, "reader", func(ctx context.Context, online tell) error {
				if works {
					online("well")
					time.Sleep(time.Minute)
				}
				works = false
				return wrapped(tc.err)
			}, noKernel)
			synctest.Wait()
			if h := board.Health("reader"); h.State != Online || h.Detail != "well" || h.Since != begun {
				t.Errorf("at work: %+v", h)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if h := board.Health("reader"); h.State != tc.want || !strings.Contains(h.Detail, tc.err.Error()) || h.Since != begun.Add(time.Minute) {
				t.Errorf("%v: %+v, want %s", tc.err, h, tc.want)
			}
			stop()
		})
	}
}

// cable is the relay in the supply of a simulated reader.
type cable struct {
	sim *idcard.Sim
	mu  sync.Mutex
	set []bool
}

// Set implements hotplug.Power. Without power a reader forgets that it was frozen.
func (c *cable) Set(on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = append(c.set, on)
	if on {
		c.sim.PowerCycle()
		return nil
	}
	return c.sim.SetFault(idcard.FaultNone)
}

// TestFrozenReaderIsCured: a reader that stopped answering over a line that is there is switched off and on, and reads cards again.
func TestFrozenReaderIsCured(t *testing.T) {
	t.Parallel() // mostly waiting
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	sim := idcard.NewSim(&idcard.SimOpts{CardTime: time.Millisecond})
	running(t, func(ctx context.Context) error { return sim.Serve(ctx, link) })
	board, change := newBoard()
	relay := &cable{sim: sim}
	r := NewReader(serialport.Config{Path: link.Path(), Baud: 115200}, board, WithPower(relay, 10*time.Millisecond))
	running(t, r.Run)
	change.await(t, board, "reader", Online)
	if err := sim.SetFault(idcard.FaultSilent); err != nil {
		t.Fatal(err)
	}
	change.await(t, board, "reader", HardwareError)
	t.Logf("back after %v", change.await(t, board, "reader", Online))
	relay.mu.Lock()
	if got := fmt.Sprint(relay.set); got != "[true false true]" {
		t.Errorf("the relay was switched %s, want on at the start, then off and on", got)
	}
	relay.mu.Unlock()
	if err := sim.Lay(card()); err != nil {
		t.Fatal(err)
	}
	if got, err := r.ReadCard(t.Context(), nil); err != nil || got.Name != "张三" {
		t.Errorf("read %v, %v", got, err)
	}
}

// TestUnstableNameIsTold: once, not at each try, and for nothing else.
func TestUnstableNameIsTold(t *testing.T) {
	for path, want := range map[string]int{"/dev/ttyUSB250": 1, "/dev/serial/by-path/none": 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			var logged strings.Builder
			board := NewBoard(slog.New(slog.NewTextHandler(&logged, nil)), nil)
			supervise(ctx, board, "reader", func(ctx context.Context, _ tell) error {
				_, err := serialport.OpenContext(ctx, serialport.Config{Path: path, Baud: 9600})
				return err
			}, board.onLine("reader", serialport.Config{Path: path}), noKernel)
			if n := strings.Count(logged.String(), "may come to mean another device"); n != want {
				t.Errorf("%s was told of %d times, want %d:\n%s", path, n, want, logged.String())
			}
			if h := board.Health("reader"); h.State != Offline {
				t.Errorf("%+v", h)
			}
		})
	}
}
