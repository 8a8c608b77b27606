package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/hotplug"
)

// notes collects what happens, with the second in which it did.
type notes struct {
	mu    sync.Mutex
	began time.Time
	got   []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got = append(n.got, fmt.Sprintf("%.1f ", time.Since(n.began).Seconds())+fmt.Sprintf(format, args...))
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	got := n.got
	n.got = nil
	return got
}

// deaf is the option of a device whose plugging the kernel does not tell: its events cannot be waited for in virtual time.
func deaf(o *hotplug.Opts) { o.Subsystems = nil }

// TestSensors: contacts on two chips, one of which is pulled out and comes back.
func TestSensors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{began: time.Now()}
		board := NewBoard(slog.New(slog.DiscardHandler), func(h Health) { n.add("%s %s (%s)", h.Device, h.State, h.Detail) })
		panel, soc := buttons.NewSimInputs(2), buttons.NewSimInputs(2)
		soc.Unplug()
		s := NewSensors([]SensorChip{
			{Name: "panel", Open: panel.Open, Inputs: []buttons.Input{buttons.HelpButton(), KeySwitch()}},
			{Name: "soc", Open: soc.Open, Inputs: []buttons.Input{buttons.DoorContact(), buttons.PresenceSensor()}},
		}, board, SensorEvents{
			Help: func() { n.add("help") }, Key: func(on bool) { n.add("key %v", on) },
			Door: func(open bool) { n.add("open %v", open) }, Presence: func(near bool) { n.add("near %v", near) },
		}, deaf)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		step := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := n.take(); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		}
		const away = "soc: cannot open the simulated buttons: device gone"
		step(3050*time.Millisecond, "0.0 sensors offline ("+away+")", "0.1 sensors offline (key off; "+away+")", "0.1 key false")
		panel.Press(1, 100*time.Millisecond, 5)
		step(950*time.Millisecond, "3.1 help") // one chip away is nothing to the other
		panel.Hold(2, true)
		soc.Replug()
		step(6*time.Second, "4.0 sensors offline (key on; "+away+")", "4.0 key true", "5.8 sensors online (key on)", "6.8 sensors online (key on; door shut)", "6.8 open false",
			"7.8 sensors online (key on; door shut; nobody near)", "7.8 near false")
		soc.Hold(1, true)
		soc.Hold(2, true)
		step(2*time.Second, "10.1 sensors online (key on; door open; nobody near)", "10.1 open true",
			"10.5 sensors online (key on; door open; somebody near)", "10.5 near true")
		soc.Unplug()
		step(2*time.Second, "12.0 sensors offline (key on; soc: cannot read the inputs: device gone)", "12.2 sensors offline (key on; "+away+")")
		soc.Hold(2, false)
		soc.Replug()
		step(6*time.Second, "15.8 sensors online (key on; door open; somebody near)", // the door is still open: that is no news
			"17.8 sensors online (key on; door open; nobody near)", "17.8 near false")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// fakeRelay is a relay that can be pulled out.
type fakeRelay struct {
	n    *notes
	gone atomic.Bool
}

func (f *fakeRelay) open() (Switch, error) {
	if f.gone.Load() {
		return nil, buttons.ErrAbsent
	}
	f.n.add("opened")
	return &fakeSwitch{fakeRelay: f, last: -1}, nil
}

type fakeSwitch struct {
	*fakeRelay
	last int
}

func (f *fakeSwitch) Set(on bool) error {
	if f.gone.Load() {
		return buttons.ErrGone
	}
	if now := map[bool]int{true: 1}[on]; now != f.last {
		f.last = now
		f.n.add("on %v", on)
	}
	return nil
}

func (f *fakeSwitch) Close() error { f.n.add("closed"); return f.Set(true) }

// TestRelay: the power is on from the start to the end, but where it is switched off; what was asked while the chip was away is
// done when it is back.
func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{began: time.Now()}
		f := &fakeRelay{n: n}
		board := NewBoard(slog.New(slog.DiscardHandler), func(h Health) { n.add("%s %s (%s)", h.Device, h.State, h.Detail) })
		r := NewRelay(f.open, board, deaf)
		if err := r.Set(false); !errors.Is(err, buttons.ErrGone) {
			t.Errorf("before it runs: %v", err)
		}
		if err := r.Set(true); !errors.Is(err, buttons.ErrGone) {
			t.Errorf("before it runs: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		step := func(d time.Duration, want ...string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := n.take(); !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		}
		step(1500*time.Millisecond, "0.0 opened", "0.0 on true", "0.0 relay online (power on)")
		if err := r.Set(false); err != nil {
			t.Error(err)
		}
		step(time.Second, "1.5 on false", "2.0 relay online (power off)")
		if err := r.Set(true); err != nil {
			t.Error(err)
		}
		step(time.Second, "2.5 on true", "3.0 relay online (power on)")
		f.gone.Store(true)
		step(time.Second, "4.0 closed", "4.0 relay offline (device gone)", "4.2 relay offline (no such GPIO chip or line)")
		if err := r.Set(false); !errors.Is(err, buttons.ErrGone) {
			t.Errorf("while it is away: %v", err)
		}
		f.gone.Store(false)
		step(1000*time.Millisecond, "4.8 opened", "4.8 on false", "4.8 relay online (power off)")
		cancel()
		<-done
		if got := n.take(); !slices.Equal(got, []string{"5.5 closed", "5.5 on true"}) {
			t.Errorf("at the end: %q", got)
		}
	})
}
