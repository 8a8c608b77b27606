package serialpad

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// busOf drives ten pads on one bus, of which nine are there.
func busOf(t *testing.T, name string) {
	p, err := ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	var addresses []int
	var opts []*Opts
	var records []*told
	for i := range 10 {
		a := p.Address.Default + i
		addresses = append(addresses, a)
		r := &told{}
		records = append(records, r)
		opts = append(opts, r.opts(Opts{Address: a}))
	}
	const dead = 3
	sim := NewSim(p, &SimOpts{Addresses: slices.Delete(slices.Clone(addresses), dead, dead+1), Baud: p.Line.Baud})
	host, far := net.Pipe()
	bus := NewBus(host, p, opts...)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := bus.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { _ = sim.Serve(ctx, far) })
	defer running.Wait()
	defer cancel()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	for i, r := range records {
		want := Online
		if p.CanAsk() && i == dead {
			want = HardwareError
		}
		if got := r.all(); len(got) == 0 || got[0] != string(want) {
			t.Errorf("pad %d: %v, want %s", addresses[i], got, want)
		}
	}
	for i := range addresses {
		bus.Pads()[i].Show([]State{Welcome, Invite, Thank, Pause}[i%4])
	}
	time.Sleep(time.Second)
	for i, a := range addresses {
		g := grades(p)[i%4]
		if i != dead && !sim.PressKey(a, fmt.Sprint(g)) {
			t.Errorf("pad %d took no press", a)
		}
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	for i, r := range records {
		want := []string{fmt.Sprint(grades(p)[i%4])}
		if i == dead {
			want = nil
		}
		got := slices.DeleteFunc(r.all(), func(s string) bool { return s == string(HardwareError) })
		if !slices.Equal(got, want) {
			t.Errorf("pad %d told %v, want %v; %v", addresses[i], got, want, bus.Pads()[i].Stats())
		}
		if s, _ := sim.Shown(addresses[i]); i != dead && p.Host.Invite != "" && s != []State{Welcome, Invite, Thank, Pause}[i%4] {
			t.Errorf("pad %d shows %q", addresses[i], s)
		}
	}
}
