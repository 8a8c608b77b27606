package buttons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// watched are lamps that keep when they changed.
type watched struct {
	lamps   []*SimLamp
	changes [][]time.Time
}

func watch() *watched {
	w := &watched{changes: make([][]time.Time, Count)}
	for n := range Count {
		w.lamps = append(w.lamps, &SimLamp{OnChange: func(bool) { w.changes[n] = append(w.changes[n], time.Now()) }})
	}
	return w
}

func (w *watched) all() (all []Lamp) {
	for _, l := range w.lamps {
		all = append(all, l)
	}
	return all
}

// String shows the lamps from 1 to 5, such as "-*---".
func (w *watched) String() string {
	var s strings.Builder
	for _, l := range w.lamps {
		s.WriteString(map[bool]string{true: "*", false: "-"}[l.On()])
	}
	return s.String()
}

// film runs lamps in a bubble and returns what they showed in each of the following half seconds, looked at a little after
// each has begun.
func film(t *testing.T, looks int, do func(l *Lamps)) []string {
	w := watch()
	l := NewLamps(w.all())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	time.Sleep(time.Second)
	do(l)
	var got []string
	for range looks {
		time.Sleep(time.Millisecond)
		got = append(got, w.String())
		time.Sleep(shortestLit - time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if w.String() != "-----" {
		t.Errorf("%v at the end, want all off", w)
	}
	return got
}

// TestPatterns: what each pattern shows in each quarter of a second.
func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *Lamps)
		want string
	}{
		{"off", func(l *Lamps) {}, "----- ----- -----"},
		{"on", func(l *Lamps) { l.Show(On) }, "***** ***** *****"},
		{"an unknown pattern", func(l *Lamps) { l.Show("disco") }, "----- -----"},
		{"breathe, 1 Hz", func(l *Lamps) { l.Show(Breathe) }, "***** ***** ----- ----- ***** ***** ----- -----"},
		{"blink, 2 Hz", func(l *Lamps) { l.Show(Blink) }, "***** ----- ***** -----"},
		{"fault, a flash each 2 s", func(l *Lamps) { l.Show(Fault) }, "***** ----- ----- ----- ----- ----- ----- ----- ***** -----"},
		{"only some", func(l *Lamps) { l.Show(Blink, 2, 5) }, "-*--* ----- -*--* -----"},
		{"no such button", func(l *Lamps) { l.Show(On, 0, 7) }, "----- -----"},
		{"one is set aside", func(l *Lamps) { l.Aside([]int{3}); l.Show(On) }, "***** **-** **-** **-** **-** **-** **-** **-** ***** **-**"},
		{"one is set aside while nothing is shown", func(l *Lamps) { l.Aside([]int{3}) }, "----- -----"},
		{"a press is taken", func(l *Lamps) { l.Show(Breathe); time.Sleep(300 * time.Millisecond); l.Acknowledge(4); l.Show(Off) },
			"---*- ---*- ---*- ---*- ----- -----"},
		{"a press is taken while nothing is shown", func(l *Lamps) { l.Acknowledge(1) }, "*---- *---- *---- *---- ----- -----"},
		{"a press is taken, and the pattern goes on", func(l *Lamps) { l.Show(On); time.Sleep(300 * time.Millisecond); l.Acknowledge(2) },
			"-*--- -*--- -*--- -*--- ***** *****"},
		{"a change comes too soon and waits", func(l *Lamps) { l.Show(On); time.Sleep(100 * time.Millisecond); l.Show(Off) }, "***** ----- -----"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := strings.Fields(c.want)
				if got := film(t, len(want), c.do); !slices.Equal(got, want) {
					t.Errorf("got  %v\nwant %v", got, want)
				}
			})
		})
	}
}

// TestNoLampFlashesFasterThan2Hz: whatever is asked when, no lamp changes within 250 ms of its last change, so that a whole
// period is never shorter than 500 ms; and once nothing more is asked, the lamps show what was asked last.
func TestNoLampFlashesFasterThan2Hz(t *testing.T) {
	patterns := []Pattern{Off, On, Breathe, Blink, Fault}
	rapid.Check(t, func(rt *rapid.T) {
		type call struct {
			after  time.Duration
			what   int
			p      Pattern
			lamps  []int
			broken []bool
		}
		var calls []call
		for range rapid.IntRange(1, 60).Draw(rt, "calls") {
			calls = append(calls, call{time.Duration(rapid.IntRange(0, 400).Draw(rt, "after")) * time.Millisecond, rapid.IntRange(0, 6).Draw(rt, "what"),
				rapid.SampledFrom(patterns).Draw(rt, "pattern"), rapid.SliceOfN(rapid.IntRange(1, Count), 0, Count).Draw(rt, "lamps"),
				rapid.SliceOfN(rapid.Bool(), Count, Count).Draw(rt, "broken")})
		}
		last := rapid.SliceOfN(rapid.IntRange(1, Count), 1, Count).Draw(rt, "last")
		stop := rapid.Bool().Draw(rt, "stop")
		var problem error
		synctest.Test(t, func(t *testing.T) {
			w := watch()
			var lamps []Lamp
			var frail []*frailLamp
			for _, l := range w.lamps {
				frail = append(frail, &frailLamp{SimLamp: l})
				lamps = append(lamps, frail[len(frail)-1])
			}
			l := NewLamps(lamps)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() { done <- l.Run(ctx) }()
			for _, c := range calls {
				time.Sleep(c.after)
				switch c.what {
				case 0, 1:
					l.Show(c.p)
				case 2, 3:
					l.Show(c.p, c.lamps...)
				case 4:
					l.Acknowledge(len(c.lamps))
				case 5:
					l.Aside(c.lamps)
				case 6:
					for i, f := range frail {
						f.broken.Store(c.broken[i])
					}
				}
			}
			if !stop {
				for _, f := range frail {
					f.broken.Store(false)
				}
				l.Aside(nil)
				l.Show(On, last...)
				time.Sleep(3 * time.Second)
				want := []byte("-----")
				for _, n := range last {
					want[n-1] = '*'
				}
				if w.String() != string(want) {
					problem = fmt.Errorf("the lamps show %v, want %s", w, want)
				}
			}
			cancel()
			<-done
			for n, changes := range w.changes {
				for i := 1; i < len(changes); i++ {
					if d := changes[i].Sub(changes[i-1]); d < shortestLit {
						problem = fmt.Errorf("lamp %d changed twice within %v", n+1, d)
					}
				}
			}
		})
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

// frailLamp is a lamp that can be broken: it stays as it is then, or, as a chip that fails half-way, is switched all the same.
type frailLamp struct {
	*SimLamp
	broken atomic.Bool
	tries  atomic.Int32
}

func (f *frailLamp) Set(on bool) error {
	tries := f.tries.Add(1)
	if !f.broken.Load() {
		return f.SimLamp.Set(on)
	}
	if tries%2 == 0 {
		_ = f.SimLamp.Set(on)
	}
	return errors.New("lamp broken")
}

// A broken lamp stops no other, is said to be broken, and is tried again each second.
func TestBrokenLamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch()
		bad := &frailLamp{SimLamp: &SimLamp{}}
		bad.broken.Store(true)
		l := NewLamps([]Lamp{nil, bad, w.lamps[2]})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		l.Show(On)
		time.Sleep(5 * time.Second)
		if l.Err() == nil || !w.lamps[2].On() || bad.tries.Load() < 5 {
			t.Errorf("Err %v, the other is lit: %v, tried %d times in 5 s", l.Err(), w.lamps[2].On(), bad.tries.Load())
		}
		bad.broken.Store(false)
		time.Sleep(2 * time.Second)
		if l.Err() != nil || !bad.On() {
			t.Errorf("mended: Err %v, lit: %v", l.Err(), bad.On())
		}
		<-done
	})
}
