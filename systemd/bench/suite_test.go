//go:build vm

package bench

// The suites that run in front of the guest's kernel drivers. Each is a test binary with the tag live, built here, run in
// the guest, and helped by hands on this side of the virtual machine. They are the contracts of package devicetest, which
// say there what they assert, before
//
//   - the kernel's gpiochip, which comes back under another number each time it was unplugged: buttons, lamps, sensors and
//     a relay, with and without edges, and lines without names;
//   - serial lines of the chip set (8250) and of USB adapters (ftdi_sio);
//   - the kernel's events of devices: the supervisor of package hotplug;
//   - ID-card readers in both framings, rating pads, and receipt printers of 80 mm and 58 mm, on USB adapters.
//
// Beside them package probe asserts what the issues promise in seconds:
//
//   - a cable pulled in the middle of a read is ErrGone within 1 s, and the line opens again by its place
//     (/dev/serial/by-path) within 3 s of being plugged in;
//   - the receipt printer on a USB adapter: a whole receipt; the adapter pulled in the middle of one: offline within 1 s,
//     online within 3 s of being plugged in, what is said of the receipt is true of the paper, and the next one is whole.

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
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
	skip    string                                                  // cases that another line runs, "" for none
}

const (
	devices = "yuanban/devices/"
	probe   = "yuanban/systemd/bench/probe"
)

// suites, one line each. The lines com1 and com2 are those of the chip set, usb1 and usb2 adapters, which alone can be unplugged.
// Chips are unplugged only while nobody waits for edges: Debian's kernel 6.1 does not survive it (devices/buttons/periph.md).
var suites = []suite{
	{"buttons", devices + "buttons", "TestLive", panelPort, "poll", panelHands, ""},
	{"buttons-edges", devices + "buttons", "TestLive", panelPort, "", panelHands, "TestLive/unplugged"},
	{"buttons-busy", devices + "buttons", "TestLiveBusy", panelPort, "", panelHands, ""},
	{"sensors", devices + "buttons", "TestLiveSensors", panelPort, "", panelHands, ""},
	{"unnamed", devices + "buttons", "TestLiveUnnamed", sparePort, "", panelHands, ""},
	{"serial", devices + "serialport", "TestLive", ttyPort("com1"), "fixed", talker("com1"), ""},
	{"serial-usb", devices + "serialport", "TestLive", usbPort("usb1"), "", talker("usb1"), ""},
	{"closing", devices + "serialport", "TestLiveClosing", ttyPort("com1"), "", talker("com1"), ""},
	{"hotplug", devices + "hotplug", "TestLive", usbPort("usb1"), "", talker("usb1"), ""},
	{"reader", devices + "idcard", "TestLive", usbPort("usb1"), "sdt", reader("usb1", idcard.SDT), ""},
	{"reader-stx", devices + "idcard", "TestLive", usbPort("usb1"), "stx", reader("usb1", idcard.STX), ""},
	{"pad", devices + "serialpad", "TestLive", usbPort("usb2"), "reference", pad("usb2", "reference"), ""},
	{"pad-modbus", devices + "serialpad", "TestLive", usbPort("usb2"), "modbus-poll", pad("usb2", "modbus-poll"), ""},
	{"printer", devices + "printer", "TestLive", usbPort("usb1"), "epson80", paper("usb1", "epson80"), ""},
	{"printer-58", devices + "printer", "TestLive", usbPort("usb1"), "kp628e", paper("usb1", "kp628e"), ""},
	{"seconds", probe, "TestLiveSerial", usbPort("usb1"), "", talker("usb1"), ""},
	{"seconds-printer", probe, "TestLivePrinter", usbPort("usb1"), "epson80", paper("usb1", "epson80"), ""},
}

func panelPort(*machine.Machine) string { return panel.Label }

func sparePort(*machine.Machine) string { return panel.SpareLabel }

func ttyPort(name string) func(*machine.Machine) string {
	return func(m *machine.Machine) string { return m.SerialPath(name) }
}

func usbPort(name string) func(*machine.Machine) string {
	return func(m *machine.Machine) string { return m.USBPath(name) }
}

// suiteTime is how long a suite may take, on a host that is busy with other things.
const suiteTime = 5 * time.Minute

// try runs a suite in the guest, as all of the test t: what sits at the far end leaves when t ends.
func (s suite) try(t *testing.T, m *machine.Machine) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), suiteTime)
	defer cancel()
	inGuest := putTest(t, m, s.pkg)
	socket := "/run/hands-" + s.name
	l, err := m.Agent().Listen(ctx, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	lend := make(chan error, 1)
	hands := s.far(t, m)
	go func() { lend <- lendHands(l, hands) }()
	var out bytes.Buffer
	err = m.Agent().Run(ctx, agent.Cmd{
		Args: []string{inGuest, "-test.v", "-test.run", "^" + s.run + "$", "-test.skip", s.skip, "-test.timeout", suiteTime.String(),
			"-live.port", s.port(m), "-live.profile", s.profile, "-live.hands", "unix:" + socket},
		Dir: filepath.Dir(inGuest), Stdout: &out, Stderr: &out,
	})
	l.Close()
	if err := <-lend; err != nil {
		t.Errorf("the hands: %v", err)
	}
	t.Logf("in the guest:\n%s", begun.ReplaceAllString(out.String(), ""))
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "--- PASS: "+s.run) {
		t.Errorf("%s has no test %s that passed", s.pkg, s.run)
	}
	say("%s: %.1f s", t.Name(), time.Since(began).Seconds())
}

// begun are lines that say no more than those of the end.
var begun = regexp.MustCompile(`(?m)^=== .*\n`)

// lendHands lends hands to one test after the other.
func lendHands(l net.Listener, hands devicetest.Hands) error {
	for {
		line, err := l.Accept()
		if err != nil {
			return nil // the suite is over
		}
		err = devicetest.ServeHands(line, hands)
		if err := errors.Join(err, line.Close()); err != nil {
			return err
		}
	}
}

// putTest builds the live tests of a package, puts them into the guest with their testdata, and returns their path there.
// They are linked statically, so that they run anywhere.
func putTest(t *testing.T, m *machine.Machine, pkg string) string {
	t.Helper()
	path := filepath.Join(cache, "bin", strings.ReplaceAll(strings.TrimPrefix(pkg, "yuanban/"), "/", "-")+".test")
	goTool(t, []string{"CGO_ENABLED=0"}, "test", "-c", "-tags", "live", "-trimpath", "-o", path, pkg)
	inGuest := put(t, m, path)
	dir := goTool(t, nil, "list", "-f", "{{.Dir}}", pkg)
	if _, err := os.Stat(filepath.Join(dir, "testdata")); err != nil {
		return inGuest
	}
	tar, err := exec.CommandContext(t.Context(), "tar", "-C", dir, "--exclude=fuzz", "-c", "testdata").Output()
	if err == nil {
		to := filepath.Dir(inGuest)
		err = m.Agent().Run(t.Context(), agent.Cmd{Args: []string{"sh", "-c", `rm -rf "$0"/testdata && exec tar -C "$0" -x`, to}, Stdin: bytes.NewReader(tar)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return inGuest
}

// goTool runs go with the environment env added, and returns what it says.
func goTool(t *testing.T, env []string, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(cmd.Environ(), env...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
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

// panelHands are the hands at the GPIO panel; package panel says what they do.
func panelHands(t *testing.T, m *machine.Machine) devicetest.Hands {
	t.Helper()
	p, err := panel.Open(t.Context(), m.Agent())
	if err != nil {
		t.Fatal(err)
	}
	return p.Hands(t.Context())
}
