package buttons_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/devicetest"
)

// simHands handle simulated lines and look at simulated lamps.
type simHands struct {
	lines          *buttons.SimLines
	lamps          []*buttons.SimLamp
	unplug, replug func()
}

// press is how long a finger stays down.
const press = time.Second / 3

// Do implements devicetest.Hands.
func (h *simHands) Do(action string) error {
	var n, m int
	var how string
	switch {
	case scan(action, "press %d and %d", &n, &m):
		h.lines.Press(n, press, 3)
		h.lines.Press(m, press, 3)
		time.Sleep(press + 5*time.Millisecond)
	case scan(action, "press %d", &n):
		h.lines.Press(n, press, 0)
		time.Sleep(press + time.Millisecond)
	case scan(action, "bounce %d", &n):
		h.lines.Press(n, press, 9)
		time.Sleep(press + 10*time.Millisecond)
	case scan(action, "hold %d", &n):
		h.lines.Hold(n, true)
	case scan(action, "release %d", &n):
		h.lines.Hold(n, false)
	case action == "unplug":
		h.unplug()
	case action == "replug":
		h.replug()
	case scan(action, "see lamp %d %s", &n, &how):
		if want := how == "lit"; h.lamps[n-1].On() != want {
			return fmt.Errorf("lamp %d is not %s", n, how)
		}
	default:
		return errors.New("these hands cannot " + action)
	}
	return nil
}

// scan reports whether action is what format says, to its end.
func scan(action, format string, args ...any) bool {
	var rest string
	got, _ := fmt.Sscanf(action+" .", format+" %s", append(args, &rest)...)
	return got == len(args)+1 && rest == "."
}

// simRig is the simulator as it is.
func simRig() devicetest.ButtonsRig {
	h := &simHands{lines: buttons.NewSimLines()}
	h.unplug, h.replug = h.lines.Unplug, h.lines.Replug
	rig := devicetest.ButtonsRig{Hands: h, Open: h.lines.Open}
	for range buttons.Count {
		h.lamps = append(h.lamps, &buttons.SimLamp{})
	}
	for _, l := range h.lamps {
		rig.Lamps = append(rig.Lamps, l)
	}
	return rig
}

// kernelRig is the simulator behind the driver of GPIO lines, as a kernel shows it: active low, one line without a name.
func kernelRig() devicetest.ButtonsRig { return rigOf(buttons.NewKernel()) }

// polledRig is the same, without edges.
func polledRig() devicetest.ButtonsRig {
	k := buttons.NewKernel()
	k.Poll = true
	return rigOf(k)
}

func rigOf(k *buttons.Kernel) devicetest.ButtonsRig {
	return devicetest.ButtonsRig{
		Hands: &simHands{lines: k.Buttons, lamps: k.Lamps, unplug: k.Unplug, replug: k.Replug},
		Open:  k.Open, Lamps: k.GPIOLamps().Lamps(),
	}
}

// TestContract: the simulator, bare and behind the driver, keeps the promises in virtual time, and behind the driver in real time.
func TestContract(t *testing.T) {
	cases := append(devicetest.ButtonsCases(), devicetest.LampCases()...)
	for name, rig := range map[string]func() devicetest.ButtonsRig{"simulator": simRig, "driver": kernelRig, "driver without edges": polledRig} {
		t.Run(name+" in virtual time", func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { c.Run(t, rig()) })
				})
			}
		})
	}
	t.Run("driver in real time", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				rig := kernelRig()
				rig.Quiet = 200 * time.Millisecond
				c.Run(t, rig)
			})
		}
	})
}
