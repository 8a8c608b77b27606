package serialpad

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// told is what a driver told, in its order.
type told struct {
	mu     sync.Mutex
	events []string // "5", "help", "online"
	at     []time.Time
}

func (r *told) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
	r.at = append(r.at, time.Now())
}

func (r *told) opts(o Opts) *Opts {
	o.OnPress = func(grade int, _ time.Time) { r.add("%d", grade) }
	o.OnKey = func(name string, _ time.Time) { r.add("%s", name) }
	o.OnHealth = func(h Health) { r.add("%s", h.Condition) }
	return &o
}

// all returns the events since the last call.
func (r *told) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events, r.at = nil, nil
	return out
}

// bench is a driver and simulated pads at the two ends of a line, in a bubble.
type bench struct {
	t    testing.TB
	told *told
	pad  *Pad
	sim  *Sim
	host net.Conn
	far  net.Conn
	err  error
	halt func() // ends the driver and waits
	stop func() // ends both and waits
}

// wire puts a driver of p on a line with sim.
func wire(t testing.TB, p *Profile, sim *Sim, o Opts) *bench {
	t.Helper()
	b := &bench{t: t, told: &told{}, sim: sim}
	b.host, b.far = net.Pipe()
	b.pad = New(b.host, p, b.told.opts(o))
	driving, halt := context.WithCancel(context.Background())
	playing, stop := context.WithCancel(context.Background())
	var driver, player sync.WaitGroup
	driver.Go(func() { b.err = b.pad.Run(driving) })
	player.Go(func() { _ = sim.Serve(playing, b.far) })
	b.halt = func() {
		halt()
		driver.Wait()
	}
	b.stop = func() {
		b.halt()
		stop()
		player.Wait()
		b.host.Close()
		b.far.Close()
	}
	return b
}

// online waits until the pad is known to be there, and forgets what was told on the way.
func (b *bench) online() {
	b.t.Helper()
	for range 100 {
		synctest.Wait()
		b.told.mu.Lock()
		n := len(b.told.events)
		there := n > 0 && b.told.events[n-1] == string(Online)
		b.told.mu.Unlock()
		if there {
			b.told.all()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.t.Fatalf("the pad does not come online: %v, %v", b.told.all(), b.pad.Stats())
}

// after lets time pass and returns what was told in it.
func (b *bench) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	return b.told.all()
}

// each runs a test for every built-in profile, in a bubble.
func each(t *testing.T, run func(t *testing.T, p *Profile)) {
	for name, p := range Profiles() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { run(t, p) })
		})
	}
}
