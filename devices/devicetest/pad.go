package devicetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// PadRig is a rating pad (评价器) with the hands before it. The actions are
//
//	press N        press the button of grade N, 5 (非常满意) to 1 (非常不满意)
//	press N twice  the same button twice, two seconds apart
//	unplug         pull the pad's cable out of the machine
//	replug         put it back
type PadRig struct {
	Hands  Hands
	Grades []int         // that the pad has buttons for
	Quiet  time.Duration // in which a press that must not be told would be; two seconds if zero
	// Open opens the line and makes a driver on it. press hears of each rating button, online whether the pad is known to be there; both
	// are called from Run's goroutine. It fails while the pad is unplugged.
	Open func(press func(grade int), online func(bool)) (PadDriver, error)
}

// PadDriver is a driver on an open line. Its line is closed when Run has returned.
type PadDriver struct {
	Run  func(ctx context.Context) error // until ctx ends (nil) or the pad is gone
	Show func(state string)              // welcome, invite, thank, pause; never waits
}

// PadCases are what a rating pad and its driver promise together.
func PadCases() []Case[PadRig] {
	return []Case[PadRig]{
		{"each button is told once", padButtons},
		{"two presses are two", padTwice},
		{"a press before the start is forgotten", padBefore},
		{"unplugged and plugged in again", padReplug},
		{"a press while unplugged is forgotten", padPressedUnplugged},
		{"whatever it shows, presses count", padShow},
		{"it ends when it is told to", padEnd},
	}
}

// padPatience is how long what must happen may take.
const padPatience = 15 * time.Second

// padRun is one run of a driver.
type padRun struct {
	t      *testing.T
	quiet  time.Duration
	driver PadDriver
	told   chan string
	online chan bool
	done   chan error
	cancel context.CancelFunc
}

// startPad opens the line, as often as it takes, and waits until the pad is there.
func startPad(t *testing.T, rig PadRig) *padRun {
	t.Helper()
	r := &padRun{t: t, quiet: cmp.Or(rig.Quiet, 2*time.Second), told: make(chan string, 64), online: make(chan bool, 64), done: make(chan error, 1)}
	var err error
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		r.driver, err = rig.Open(func(grade int) { r.told <- fmt.Sprint(grade) }, func(there bool) { r.online <- there })
		if err == nil {
			break
		}
		if time.Since(begin) > padPatience {
			t.Fatalf("the line does not open: %v", err)
		}
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- r.driver.Run(ctx)
	}()
	t.Cleanup(func() {
		r.cancel()
		<-ended
	})
	for {
		select {
		case there := <-r.online:
			if there {
				return r
			}
		case err := <-r.done:
			t.Fatalf("the driver ended before the pad was there: %v", err)
		case <-time.After(padPatience):
			t.Fatal("the pad does not say that it is there")
		}
	}
}

// expect waits until the presses have been told, and a while for any that must not be.
func (r *padRun) expect(want ...string) {
	r.t.Helper()
	var got []string
	deadline := time.Now().Add(padPatience)
	for {
		wait := time.Until(deadline)
		if len(got) >= len(want) {
			wait = r.quiet
		}
		select {
		case grade := <-r.told:
			got = append(got, grade)
			continue
		case <-time.After(wait):
		}
		if !slices.Equal(got, want) {
			r.t.Errorf("told %q, want %q", got, want)
		}
		return
	}
}

// gone waits until the driver has found out that the pad is gone.
func (r *padRun) gone() {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err == nil || errors.Is(err, context.Canceled) {
			r.t.Errorf("the pad is gone, and the driver ends with %v", err)
		}
	case <-time.After(padPatience):
		r.t.Fatal("the pad is gone, and the driver does not notice")
	}
}

func padDo(t *testing.T, rig PadRig, format string, args ...any) {
	t.Helper()
	if err := rig.Hands.Do(fmt.Sprintf(format, args...)); err != nil {
		t.Fatal(err)
	}
}

func padButtons(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	for _, g := range rig.Grades {
		padDo(t, rig, "press %d", g)
		r.expect(fmt.Sprint(g))
	}
}

func padTwice(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	g := fmt.Sprint(rig.Grades[0])
	padDo(t, rig, "press %s twice", g)
	r.expect(g, g)
}

func padBefore(t *testing.T, rig PadRig) {
	padDo(t, rig, "press %d", rig.Grades[1])
	r := startPad(t, rig)
	r.expect()
	padDo(t, rig, "press %d", rig.Grades[0])
	r.expect(fmt.Sprint(rig.Grades[0]))
}

func padReplug(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	padDo(t, rig, "unplug")
	r.gone()
	r.expect()
	padDo(t, rig, "replug")
	r = startPad(t, rig)
	padDo(t, rig, "press %d", rig.Grades[2])
	r.expect(fmt.Sprint(rig.Grades[2]))
}

func padPressedUnplugged(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	padDo(t, rig, "unplug")
	r.gone()
	padDo(t, rig, "press %d", rig.Grades[1])
	padDo(t, rig, "replug")
	r = startPad(t, rig)
	r.expect()
	padDo(t, rig, "press %d", rig.Grades[3])
	r.expect(fmt.Sprint(rig.Grades[3]))
}

func padShow(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	for i, state := range strings.Fields("invite thank welcome pause") {
		r.driver.Show("pause") // the latest wins
		r.driver.Show(state)
		r.expect() // and time for the pad to show it
		padDo(t, rig, "press %d", rig.Grades[i])
		r.expect(fmt.Sprint(rig.Grades[i]))
	}
}

func padEnd(t *testing.T, rig PadRig) {
	r := startPad(t, rig)
	r.driver.Show("invite")
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("told to end: %v", err)
		}
	case <-time.After(padPatience):
		t.Fatal("it does not end")
	}
}
