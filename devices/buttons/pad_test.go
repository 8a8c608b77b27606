package buttons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// record collects what a pad tells.
type record struct {
	mu  sync.Mutex
	got []string
}

func (r *record) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, s)
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *record) opts(inputs []Input) *Opts {
	return &Opts{
		Inputs:    inputs,
		OnPress:   func(p Press) { r.add("press " + p.Input) },
		OnReading: func(d Reading) { r.add(fmt.Sprint(d.Input, " ", d.On)) },
		OnHealth:  func(h Health) { r.add(h.String()) },
	}
}

func TestPadRun(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *SimLines)
		want []string
	}{
		{"nothing", func(s *SimLines) { time.Sleep(time.Minute) }, []string{"online"}},
		{"a press", func(s *SimLines) { s.Press(5, 120*time.Millisecond, 6) }, []string{"online", "press button 5"}},
		{"presses of all", func(s *SimLines) {
			for n := 1; n <= Count; n++ {
				s.Press(n, 120*time.Millisecond, n)
				time.Sleep(500 * time.Millisecond)
			}
		}, []string{"online", "press button 1", "press button 2", "press button 3", "press button 4", "press button 5"}},
		{"two at once", func(s *SimLines) {
			s.Press(1, 120*time.Millisecond, 3)
			s.Press(2, 120*time.Millisecond, 3)
		}, []string{"online"}},
		{"a touch", func(s *SimLines) { s.Press(2, 15*time.Millisecond, 0) }, []string{"online"}},
		{"no such button", func(s *SimLines) {
			if s.Press(6, time.Second, 0) || s.Press(0, time.Second, 0) || s.Hold(6, true) {
				t.Error("a sixth button was pressed")
			}
		}, []string{"online"}},
		{"held down", func(s *SimLines) { s.Press(3, 40*time.Second, 2); time.Sleep(45 * time.Second) },
			[]string{"online", "press button 3", "button 3" + isHeld, "online"}},
		{"a loose cable", func(s *SimLines) { s.Press(3, 4*time.Second, 3500); time.Sleep(15 * time.Second) },
			[]string{"online", "button 3" + chatters, "online"}},
		{"another beside the loose cable", func(s *SimLines) {
			s.Press(3, 8*time.Second, 8000)
			time.Sleep(4 * time.Second)
			s.Press(4, 100*time.Millisecond, 4)
		}, []string{"online", "button 3" + chatters, "press button 4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := NewSimLines(), &record{}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- New(s, r.opts(nil)).Run(ctx) }()
				time.Sleep(time.Second)
				c.do(s)
				time.Sleep(time.Second)
				cancel()
				if err := <-done; err != nil {
					t.Errorf("Run ended with %v", err)
				}
				if got := r.all(); !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		})
	}
}

// All roles behind one pad, as one request of the kernel has them.
func TestPadOfAllInputs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inputs := everything()
		s, r := NewSimInputs(len(inputs)), &record{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := make(chan error)
		go func() { done <- New(s, r.opts(inputs)).Run(ctx) }()
		time.Sleep(3 * time.Second)
		s.Hold(9, true) // somebody comes
		time.Sleep(time.Second)
		s.Press(6, 100*time.Millisecond, 5) // asks for help
		s.Press(4, 100*time.Millisecond, 5) // and rates at the same time
		time.Sleep(time.Second)
		s.Hold(9, false)
		s.Hold(8, true) // the door
		s.Press(7, time.Hour, 0)
		<-done
		want := []string{"online", "door contact false", "presence sensor false", "presence sensor true", "press help button", "press button 4",
			"press maintenance key", "door contact true", "presence sensor false"}
		if got := r.all(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// Pulled out with a finger on the button: an error, no press, and the same when it is plugged in with the finger still there.
func TestUnplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewSimLines(), &record{}
		lines, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- New(lines, r.opts(nil)).Run(t.Context()) }()
		time.Sleep(time.Second)
		s.Press(5, 5*time.Second, 0)
		time.Sleep(10 * time.Millisecond)
		pulled := time.Now()
		s.Unplug()
		if err := <-done; !errors.Is(err, ErrGone) {
			t.Fatalf("Run ended with %v, want ErrGone", err)
		}
		if d := time.Since(pulled); d > time.Second {
			t.Errorf("noticed after %v", d)
		}
		if _, err := s.Open(); !errors.Is(err, ErrGone) {
			t.Errorf("opened unplugged: %v", err)
		}
		s.Replug()
		if _, err := lines.Levels(); !errors.Is(err, ErrGone) {
			t.Errorf("what was opened before the unplug still reads: %v", err)
		}
		if lines, err = s.Open(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		time.AfterFunc(10*time.Second, func() { s.Press(4, 100*time.Millisecond, 2) })
		if err := New(lines, r.opts(nil)).Run(ctx); err != nil {
			t.Error(err)
		}
		want := []string{"online", "offline: cannot read the inputs: device gone", "online", "press button 4"}
		if got := r.all(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestRunEndsSoonAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := &closing{SimLines: NewSimLines()}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- New(lines, nil).Run(ctx) }()
		time.Sleep(time.Second + time.Millisecond)
		cancel()
		began := time.Now()
		<-done
		if d := time.Since(began); d > longestWait || !lines.closed {
			t.Errorf("ended after %v, lines closed: %v", d, lines.closed)
		}
	})
}

type closing struct {
	*SimLines
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestHealth(t *testing.T) {
	all := RatingButtons()
	h := Health{State: HardwareError, Noisy: []Input{all[3], DoorContact()}, Stuck: []Input{all[0], HelpButton()}}
	want := "button 1" + isHeld + "; help button" + isHeld + "; button 4" + chatters + "; door contact" + chatters
	if h.String() != want {
		t.Errorf("got  %q\nwant %q", h.String(), want)
	}
	if got := h.Aside(); !slices.Equal(got, []int{1, 4}) {
		t.Errorf("aside: %v", got)
	}
}
