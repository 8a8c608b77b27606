//go:build vm

package bench

// The suites that run in front of the guest's kernel drivers. Each is a test binary with the tag live, built here, run in
// the guest, and helped by hands on this side of the virtual machine. They assert:
//
//   - GPIO, the kernel's gpiochip: a press is told once, also with bouncing contacts; two at once are not told; an input
//     that is no button tells nothing; a chip that is removed while it is watched is ErrGone and never a press; one that
//     comes back under another number works without a restart.
//   - serial lines, of the chip set (8250) and on USB (ftdi_sio): idle, gone and closed are three errors; a second owner is
//     refused; bytes cross both ways; a cable pulled in the middle of a read is ErrGone within 1 s, and the line opens
//     again by its place (/dev/serial/by-path) within 3 s of being plugged in.
//   - the ID-card reader at a serial line: whole cards of every kind, laid and taken away.
//   - the receipt printer at a USB line: a whole receipt; the adapter pulled in the middle of one: offline within 1 s,
//     online within 3 s of being plugged in, what is said of the receipt is true of the paper, and the next one is whole.
//
// TestMachine adds that two USB adapters with the same serial number are never taken for each other.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/machine"
	"yuanban/systemd/bench/panel"
)

// suite is a test binary in the guest.
type suite struct {
	name    string
	pkg     string // of its tests, which are behind the tag live
	run     string // which of them
	port    func(m *machine.Machine) string
	profile string
	far     func(t *testing.T, m *machine.Machine) devicetest.Hands // what is at the far end, and its hands
}

const probe = "yuanban/systemd/bench/probe"

// suites, one line each. A contract suite takes the place of a probe by naming its package.
var suites = []suite{
	{"gpio", probe, "TestLiveGPIO", panelPort, "", panelHands},
	{"serial", probe, "TestLiveSerial", ttyPort("reader"), "tty", talker("reader")},
	{"usb", probe, "TestLiveSerial", usbPort("printer"), "usb", talker("printer")},
	{"card", probe, "TestLiveCard", ttyPort("reader"), "", reader("reader")},
	{"printer", probe, "TestLivePrinter", usbPort("printer"), "epson80", paper("printer")},
}

func panelPort(*machine.Machine) string { return panel.Label }

func ttyPort(name string) func(*machine.Machine) string {
	return func(m *machine.Machine) string { return m.SerialPath(name) }
}

func usbPort(name string) func(*machine.Machine) string {
	return func(m *machine.Machine) string { return m.USBPath(name) }
}

// suiteTime is how long a suite may take, on a host that is busy with other things.
const suiteTime = 5 * time.Minute

// try runs a suite in the guest.
func (s suite) try(t *testing.T, m *machine.Machine) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), suiteTime)
	defer cancel()
	inGuest := put(t, m, liveTest(t, s.pkg))
	socket := "/run/hands-" + s.name
	l, err := m.Agent().Listen(ctx, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hands := s.far(t, m)
	go func() {
		for {
			line, err := l.Accept()
			if err != nil {
				return
			}
			if err := devicetest.ServeHands(line, hands); err != nil {
				t.Logf("the hands: %v", err)
			}
			line.Close()
		}
	}()
	var out bytes.Buffer
	err = m.Agent().Run(ctx, agent.Cmd{
		Args: []string{inGuest, "-test.v", "-test.run", s.run, "-test.timeout", suiteTime.String(),
			"-live.port", s.port(m), "-live.profile", s.profile, "-live.hands", "unix:" + socket},
		Dir: filepath.Dir(inGuest), Stdout: &out, Stderr: &out,
	})
	t.Logf("in the guest:\n%s", out.Bytes())
	if err != nil {
		t.Error(err)
	}
	say("%s: %.1f s", t.Name(), time.Since(began).Seconds())
}

// liveTest builds the live tests of a package. They are linked statically, so that they run anywhere.
func liveTest(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(cache, "bin", strings.ReplaceAll(strings.TrimPrefix(pkg, "yuanban/"), "/", "-")+".test")
	goTool(t, []string{"CGO_ENABLED=0"}, "test", "-c", "-tags", "live", "-trimpath", "-o", path, pkg)
	return path
}

// goTool runs go with the environment env added.
func goTool(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(cmd.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// put puts a program into the guest and returns its path there.
func put(t *testing.T, m *machine.Machine, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	to := "/var/tmp/bench/" + filepath.Base(path)
	if err := m.Agent().Put(t.Context(), to, 0o755, f); err != nil {
		t.Fatal(err)
	}
	return to
}

// panelHands are the hands at the GPIO panel.
func panelHands(t *testing.T, m *machine.Machine) devicetest.Hands {
	t.Helper()
	p, err := panel.Open(t.Context(), m.Agent())
	if err != nil {
		t.Fatal(err)
	}
	return p.Hands(t.Context())
}

// pluggable adds the actions unplug and replug of a USB adapter to hands.
func pluggable(ctx context.Context, m *machine.Machine, name string, hands devicetest.HandsFunc) devicetest.Hands {
	return devicetest.HandsFunc(func(action string) error {
		switch action {
		case "unplug":
			return m.Unplug(ctx, name)
		case "replug":
			return m.Plug(ctx, name)
		}
		return hands(action)
	})
}

// talker is a far end that says and hears words: "say WORD", "hear WORD".
func talker(name string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		cable := m.Cable(name)
		return pluggable(t.Context(), m, name, func(action string) error {
			verb, word, _ := strings.Cut(action, " ")
			switch verb {
			case "say":
				_, err := cable.Write([]byte(word))
				return err
			case "hear":
				return hear(cable, word)
			}
			return fmt.Errorf("the far end cannot %q", action)
		})
	}
}

// hear waits for a word from the guest.
func hear(cable *machine.Cable, word string) error {
	if err := cable.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	defer cable.SetReadDeadline(time.Time{})
	var heard []byte
	for b := make([]byte, 64); !bytes.HasSuffix(heard, []byte(word)); {
		n, err := cable.Read(b)
		if err != nil {
			return fmt.Errorf("heard %q: %w", heard, err)
		}
		heard = append(heard, b[:n]...)
	}
	return nil
}

// serve lets a simulated device sit at a cable until the test ends.
func serve(t *testing.T, serve func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// reader is the simulated reader: "lay card NUMBER" of one of its examples, "remove card".
func reader(name string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		sim := idcard.NewSim(nil)
		serve(t, func(ctx context.Context) error { return sim.Serve(ctx, m.Cable(name)) })
		return devicetest.HandsFunc(func(action string) error {
			if action == "remove card" {
				sim.Remove()
				return nil
			}
			number, ok := strings.CutPrefix(action, "lay card ")
			i := slices.IndexFunc(idcard.Examples(), func(c idcard.Card) bool { return c.Number == number })
			if !ok || i < 0 {
				return fmt.Errorf("the hands at the reader cannot %q", action)
			}
			return sim.Lay(idcard.Examples()[i])
		})
	}
}

// paper is the simulated printer: "find whole LINE|LINE…" and "find none LINE|LINE…" look at what came out of it.
func paper(name string) func(*testing.T, *machine.Machine) devicetest.Hands {
	return func(t *testing.T, m *machine.Machine) devicetest.Hands {
		profile, err := printer.ByName("epson80")
		if err != nil {
			t.Fatal(err)
		}
		sim := printer.NewSim(profile, nil)
		serve(t, func(ctx context.Context) error { return sim.Serve(ctx, m.Cable(name)) })
		return pluggable(t.Context(), m, name, func(action string) error {
			want, whole := strings.CutPrefix(action, "find whole ")
			if want, ok := strings.CutPrefix(action, "find none "); !whole && !ok {
				return fmt.Errorf("the hands at the printer cannot %q", want)
			}
			found := 0
			for _, r := range sim.Receipts() {
				lines := slices.DeleteFunc(r.Lines, func(l string) bool { return l == "" })
				if strings.Join(lines, "|") == want && !r.Partial {
					found++
				}
			}
			if whole && found != 1 || !whole && found != 0 {
				return fmt.Errorf("%d whole receipts are on the paper: %+v", found, sim.Receipts())
			}
			return nil
		})
	}
}
