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

func (r *record) opts() *Opts {
	return &Opts{
		OnPress:  func(p Press) { r.add(fmt.Sprint("press ", p.Line)) },
		OnHealth: func(h Health) { r.add(h.String()) },
	}
}

func TestPadRun(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *SimLines)
		want []string
	}{
		{"nothing", func(s *SimLines) { time.Sleep(time.Minute) }, []string{"online"}},
		{"a press", func(s *SimLines) { s.Press(5, 120*time.Millisecond, 6) }, []string{"online", "press 5"}},
		{"presses of all", func(s *SimLines) {
			for n := 1; n <= Count; n++ {
				s.Press(n, 120*time.Millisecond, n)
				time.Sleep(500 * time.Millisecond)
			}
		}, []string{"online", "press 1", "press 2", "press 3", "press 4", "press 5"}},
		{"two at once", func(s *SimLines) {
			s.Press(1, 120*time.Millisecond, 3)
			s.Press(2, 120*time.Millisecond, 3)
		}, []string{"online"}},
		{"a touch", func(s *SimLines) { s.Press(2, 15*time.Millisecond, 0) }, []string{"online"}},
		{"no such button", func(s *SimLines) {
			if s.Press(6, time.Second, 0) || s.Press(0, time.Second, 0) {
				t.Error("a sixth button was pressed")
			}
		}, []string{"online"}},
		{"held down", func(s *SimLines) { s.Press(3, 40*time.Second, 2); time.Sleep(45 * time.Second) },
			[]string{"online", "press 3", "button 3 is held down or shorted: free it or check its cable", "online"}},
		{"a loose cable", func(s *SimLines) { s.Press(3, 4*time.Second, 3500); time.Sleep(15 * time.Second) },
			[]string{"online", "button 3 chatters: check its cable, connector and pull resistor", "online"}},
		{"another beside the loose cable", func(s *SimLines) {
			s.Press(3, 8*time.Second, 8000)
			time.Sleep(4 * time.Second)
			s.Press(4, 100*time.Millisecond, 4)
		}, []string{"online", "button 3 chatters: check its cable, connector and pull resistor", "press 4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := NewSimLines(), &record{}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- New(s, r.opts()).Run(ctx) }()
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

// Pulled out with a finger on the button: an error, no press, and the same when it is plugged in with the finger still there.
func TestUnplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := NewSimLines(), &record{}
		done := make(chan error)
		go func() { done <- New(s, r.opts()).Run(t.Context()) }()
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
		lines, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		time.AfterFunc(10*time.Second, func() { s.Press(4, 100*time.Millisecond, 2) })
		if err := New(lines, r.opts()).Run(ctx); err != nil {
			t.Error(err)
		}
		want := []string{"online", "offline: cannot read the rating buttons: device gone", "online", "press 4"}
		if got := r.all(); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// storm are lines on which every wait ends at once with an edge that changes nothing.
type storm struct{ waits int }

func (s *storm) Levels() (uint32, error)              { return 0, nil }
func (s *storm) WaitEdge(time.Duration) (bool, error) { s.waits++; return true, nil }

func TestEdgeStormIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &storm{}
		if err := New(s, nil).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if most := int(time.Second/edgePause+2) * edgeBurst; s.waits > most {
			t.Errorf("%d waits in a second, want at most %d", s.waits, most)
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

func TestLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &record{}
		lamp := &SimLamp{OnChange: func(on bool) { r.add(fmt.Sprint(on, " ", time.Since(began))) }}
		bad := &brokenLamp{err: errors.New("no lamp")}
		l := NewLamps([]Lamp{bad, lamp})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		time.Sleep(100 * time.Millisecond)
		l.Show(On)
		time.Sleep(2 * time.Second)
		l.Show(Breathe)
		time.Sleep(1200 * time.Millisecond)
		if err := l.Err(); !errors.Is(err, bad.err) {
			t.Errorf("Err is %v, want the broken lamp's", err)
		}
		l.Show(Off)
		time.Sleep(time.Second)
		l.Show(On)
		time.Sleep(time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []string{"true 100ms", "false 2.6s", "true 3.1s", "false 3.3s", "true 4.3s", "false 5.3s"}
		if got := r.all(); !slices.Equal(got, want) || lamp.On() {
			t.Errorf("got  %q\nwant %q, then off", got, want)
		}
		if bad.tries < 5 {
			t.Errorf("a broken lamp was tried %d times in 5 s", bad.tries)
		}
	})
}

type brokenLamp struct {
	err   error
	tries int
}

func (b *brokenLamp) Set(bool) error { b.tries++; return b.err }

// From the contact's last change to OnPress, without the debounce time: what this package adds. Floor: a timer's lateness.
func BenchmarkPress(b *testing.B) {
	s := NewSimLines()
	presses := make(chan time.Duration)
	pad := New(s, &Opts{OnPress: func(p Press) { presses <- time.Since(p.At) - defaultDebounce }})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- pad.Run(ctx) }()
	var late []time.Duration
	for b.Loop() {
		time.Sleep(250 * time.Millisecond)
		s.Press(3, 80*time.Millisecond, 4)
		select {
		case l := <-presses:
			late = append(late, l)
		case <-time.After(5 * time.Second):
			b.Fatal("a press was not told")
		}
	}
	cancel()
	<-done
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-µs")
}
