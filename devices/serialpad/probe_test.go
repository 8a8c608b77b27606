package serialpad

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestAsk: each profile that can ask finds its own pad, at rest or pressed, and no other; asking changes nothing.
func TestAsk(t *testing.T) {
	for name, p := range Profiles() {
		for _, other := range Profiles() {
			synctest.Test(t, func(t *testing.T) {
				sim := NewSim(p, nil)
				near, far := net.Pipe()
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { defer close(ended); sim.Serve(ctx, far) }()
				if p.Hold {
					sim.Press(5)
				}
				got, ok, err := Ask(t.Context(), near, other)
				if err != nil {
					t.Fatal(err)
				}
				if want := other.Name == name && p.CanAsk(); ok != want {
					t.Errorf("a %s was asked as %s: %v, heard % X", name, other.Name, ok, got.Heard)
				}
				if ok && got.Waiting != p.Hold {
					t.Errorf("%s: waiting %v", name, got.Waiting)
				}
				if shown, _ := sim.Shown(got.Address); ok && shown != "" {
					t.Errorf("asking made %s show %s", name, shown)
				}
				if again, ok, _ := Ask(t.Context(), near, other); ok && again.Waiting != got.Waiting {
					t.Errorf("asking took the press of %s away", name)
				}
				stop()
				<-ended
				near.Close()
				far.Close()
			})
		}
	}
}

// TestAskALoop: a line that hears itself is no pad.
func TestAskALoop(t *testing.T) {
	for _, p := range Profiles() {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			go io.Copy(far, far)
			if _, ok, err := Ask(t.Context(), near, p); ok || err != nil {
				t.Errorf("%s: %v, %v", p.Name, ok, err)
			}
		})
	}
}
