package serialpad_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// open makes what a contract needs of a driver on a line.
func open(port interface {
	serialpad.Port
	io.Closer
}, p *serialpad.Profile, press func(int), online func(bool)) devicetest.PadDriver {
	pad := serialpad.New(port, p, &serialpad.Opts{
		OnPress:  func(grade int, _ time.Time) { press(grade) },
		OnHealth: func(h serialpad.Health) { online(h.Condition == serialpad.Online) },
	})
	return devicetest.PadDriver{
		Run: func(ctx context.Context) error {
			defer port.Close()
			return pad.Run(ctx)
		},
		Show: func(s string) { pad.Show(serialpad.State(s)) },
	}
}

// grades are those that the model has buttons for, best first.
func grades(p *serialpad.Profile) []int {
	all := []int{5, 4, 3, 2, 1}
	return slices.DeleteFunc(all, func(g int) bool { return slices.Contains(p.Missing(), g) })
}

// press lets a finger press a simulated button, which waits for the pad to be done with the press before.
func press(sim *serialpad.Sim, action string) error {
	grade, twice := 0, ""
	if n, _ := fmt.Sscanf(action, "press %d %s", &grade, &twice); n == 0 {
		return fmt.Errorf("there are no hands for %q", action)
	}
	for i := range strings.Count(action, " ") {
		if i > 0 {
			time.Sleep(2 * time.Second)
		}
		taken := false
		for range 40 {
			if taken = sim.Press(grade); taken {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !taken {
			return errors.New("the pad does not take the press")
		}
	}
	return nil
}

// TestContractOverAPipe runs the suite for every profile in virtual time.
func TestContractOverAPipe(t *testing.T) {
	for name, p := range serialpad.Profiles() {
		for _, c := range devicetest.PadCases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rig := &pipeRig{sim: serialpad.NewSim(p, &serialpad.SimOpts{Baud: p.Line.Baud})}
					c.Run(t, devicetest.PadRig{Hands: devicetest.HandsFunc(rig.do), Grades: grades(p),
						Open: func(press func(int), online func(bool)) (devicetest.PadDriver, error) {
							host, err := rig.plug(t)
							if err != nil {
								return devicetest.PadDriver{}, err
							}
							return open(host, p, press, online), nil
						}})
				})
			})
		}
	}
}

// pipeRig is a simulated pad whose cable is a net.Pipe.
type pipeRig struct {
	sim *serialpad.Sim
	mu  sync.Mutex
	out bool // unplugged
	end func()
}

func (r *pipeRig) do(action string) error {
	switch action {
	case "unplug", "replug":
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.out = action == "unplug"; r.out && r.end != nil {
			r.end()
			r.end = nil
		}
		return nil
	}
	return press(r.sim, action)
}

func (r *pipeRig) plug(t *testing.T) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out {
		return nil, errors.New("unplugged")
	}
	host, far := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() { _ = r.sim.Serve(ctx, far) })
	r.end = sync.OnceFunc(func() {
		cancel()
		playing.Wait()
		far.Close()
	})
	t.Cleanup(r.end)
	return host, nil
}

// TestContractOverATty runs the suite through serialport and a pseudo-terminal.
func TestContractOverATty(t *testing.T) {
	for _, name := range []string{"reference", "modbus-poll"} {
		p, err := serialpad.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		// A busy machine stops this process for longer than a pad may be silent, and a press that comes then is rightly forgotten.
		p.Timing.AnswerMs = 1000
		for _, c := range devicetest.PadCases() {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "pad"))
				if err != nil {
					t.Fatal(err)
				}
				sim := serialpad.NewSim(p, nil)
				ctx, cancel := context.WithCancel(context.Background())
				var playing sync.WaitGroup
				playing.Go(func() {
					if err := sim.Serve(ctx, link); err != nil {
						t.Error(err)
					}
				})
				t.Cleanup(func() {
					cancel()
					playing.Wait()
					link.Close()
				})
				c.Run(t, devicetest.PadRig{Grades: grades(p), Quiet: 400 * time.Millisecond,
					Hands: devicetest.HandsFunc(func(action string) error {
						switch action {
						case "unplug":
							return link.Unplug()
						case "replug":
							return link.Replug()
						}
						return press(sim, action)
					}),
					Open: func(press func(int), online func(bool)) (devicetest.PadDriver, error) {
						return openTty(link.Path(), p, p.Line.Baud, press, online)
					}})
			})
		}
	}
}

// openTty opens a tty and makes a driver on it.
func openTty(path string, p *serialpad.Profile, baud int, press func(int), online func(bool)) (devicetest.PadDriver, error) {
	port, err := serialport.Open(serialport.Config{Path: path, Baud: baud, Size: p.Line.Size, Parity: serialport.Parity(p.Line.Parity), StopBits: p.Line.StopBits})
	if err != nil {
		return devicetest.PadDriver{}, err
	}
	return open(port, p, press, online), nil
}
