//go:build live

package probe

import (
	"context"
	"errors"
	"testing"
	"time"

	"yuanban/devices/buttons"
)

// pad are the buttons under test with what they told.
type pad struct {
	t     *testing.T
	press chan buttons.Press
	ended chan error
}

func wiring() buttons.GPIOConfig {
	lines := map[int]string{1: "button-1", 2: "button-2", 3: "button-3", 4: "button-4", 5: "button-5"}
	return buttons.GPIOConfig{Chip: live.Port, Lines: lines, ActiveLow: true}
}

func watch(t *testing.T, lines buttons.Lines) *pad {
	t.Helper()
	p := &pad{t: t, press: make(chan buttons.Press, 100), ended: make(chan error, 1)}
	online := make(chan struct{}, 10)
	dev := buttons.New(lines, &buttons.Opts{
		OnPress:  func(b buttons.Press) { p.press <- b },
		OnHealth: func(buttons.Health) { online <- struct{}{} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { p.ended <- dev.Run(ctx) }()
	t.Cleanup(cancel)
	select {
	case <-online:
	case <-time.After(5 * time.Second):
		t.Fatal("the buttons never came online")
	}
	return p
}

// want asserts that exactly these buttons were told.
func (p *pad) want(action string, lines ...int) {
	p.t.Helper()
	for _, n := range lines {
		select {
		case b := <-p.press:
			if b.Line != n {
				p.t.Errorf("%s: button %d was told", action, b.Line)
			}
		case <-time.After(5 * time.Second):
			p.t.Errorf("%s: button %d was never told", action, n)
		}
	}
	select {
	case b := <-p.press:
		p.t.Errorf("%s: button %d was told, too", action, b.Line)
	case <-time.After(300 * time.Millisecond):
	}
}

func TestLiveGPIO(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	lines, err := buttons.OpenGPIO(wiring())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := buttons.OpenGPIO(wiring()); !errors.Is(err, buttons.ErrBusy) {
		t.Errorf("opened a second time: %v, must be ErrBusy", err)
	}
	p := watch(t, lines)
	for _, a := range []struct {
		action string
		told   []int
	}{
		{"press 1", []int{1}}, {"press 5", []int{5}}, {"bounce 2", []int{2}}, {"bounce 3", []int{3}},
		{"press 1 and 4", nil}, {"hold 4", []int{4}}, {"release 4", nil}, {"press door", nil}, {"press 3", []int{3}},
	} {
		do(t, hands, a.action)
		p.want(a.action, a.told...)
	}
	do(t, hands, "unplug")
	began := time.Now()
	select {
	case err := <-p.ended:
		if !errors.Is(err, buttons.ErrGone) {
			t.Errorf("unplugged: %v, must be ErrGone", err)
		}
		t.Logf("gone %v after it was unplugged", time.Since(began))
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed that the chip is gone")
	}
	p.want("unplug")
	if _, err := buttons.OpenGPIO(wiring()); !errors.Is(err, buttons.ErrAbsent) {
		t.Errorf("opened while unplugged: %v, must be ErrAbsent", err)
	}
	do(t, hands, "replug elsewhere")
	for began = time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if lines, err = buttons.OpenGPIO(wiring()); err == nil {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the chip is back and cannot be opened: %v", err)
		}
	}
	t.Logf("opened %v after it was plugged in again", time.Since(began))
	p = watch(t, lines)
	do(t, hands, "press 2")
	p.want("press 2", 2)
}
