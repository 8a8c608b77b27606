//go:build vm

package bench

// TestMachine starts one machine and shows on it, in this order:
//
//   - it is ready, without a failed unit, and the time that took is printed; a boot that fails is tried once more;
//   - the panel's GPIO chip is there under its label, all lines under their names, beside a chip without names;
//   - the serial lines are there, USB adapters under their names by place;
//   - two adapters with the same serial number keep their places when they are plugged in in the other order;
//   - the suites of suite_test.go;
//   - kiosk.service as service_test.go says;
//   - no unit has failed meanwhile, and the kernel has nothing to complain of;
//   - a kernel that hangs is reset by the hardware watchdog, and the machine is ready again without help;
//   - it shuts down when it is told to.

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/machine"
	"yuanban/systemd/bench/panel"
)

func TestMachine(t *testing.T) {
	g := build(t)
	m := start(t, setup(t, g, machine.Config{
		Serial: []string{"com1", "com2"},
		USB:    []string{"usb1", "usb2"},
	}))
	say("%s, %s", output(t, m, "uname", "-sr"), output(t, m, "systemd-analyze"))
	t.Run("panel", func(t *testing.T) { testPanel(t, m) })
	t.Run("lines", func(t *testing.T) { testLines(t, m) })
	t.Run("twins", func(t *testing.T) { testTwins(t, m) })
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { s.try(t, m) })
	}
	t.Run("service", func(t *testing.T) { testService(t, m) })
	if failed := output(t, m, "systemctl", "--failed", "--plain", "--no-legend"); failed != "" {
		t.Errorf("units have failed meanwhile: %s", failed)
	}
	if trouble := output(t, m, "sh", "-c", `dmesg | grep -E -A20 'BUG:|Oops|WARNING:|general protection|refcount_t|hung task|blocked for more' || true`); trouble != "" {
		t.Errorf("the kernel complains:\n%s", trouble)
	}
	t.Run("watchdog", func(t *testing.T) { testWatchdog(t, m) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := m.Off(ctx); err != nil {
		t.Error(err)
	}
}

// testWatchdog lets the kernel panic and stand still. Nobody waits for the kernel's answer: it has none, and the watchdog is
// the judge of how long it may take on a busy host until the panic has come.
func testWatchdog(t *testing.T, m *machine.Machine) {
	if name := output(t, m, "cat", "/sys/class/watchdog/watchdog0/identity"); name != "i6300ESB timer" {
		t.Errorf("the watchdog is %q", name)
	}
	output(t, m, "busctl", "set-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		"RuntimeWatchdogUSec", "t", "6000000")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	began := time.Now()
	panicked := make(chan error, 1)
	watchdog, err := m.Restart(ctx, func() error {
		if err := m.Agent().Write(ctx, agent.Step{Path: "/proc/sys/kernel/panic", Data: "0"}); err != nil {
			return err
		}
		old := m.Agent()
		go func() { panicked <- old.Write(ctx, agent.Step{Path: "/proc/sysrq-trigger", Data: "c"}) }()
		return nil
	})
	if err != nil || !watchdog {
		t.Fatalf("a kernel that stands still: reset by the watchdog: %v, %v", watchdog, err)
	}
	if err := <-panicked; err == nil {
		t.Error("the kernel went on after a panic")
	}
	say("watchdog: a kernel that hangs was reset, and ready again after %.1f s", time.Since(began).Seconds())
}

// testPanel reads what the kernel says of its chips.
func testPanel(t *testing.T, m *machine.Machine) {
	p, err := panel.Open(t.Context(), m.Agent())
	if err != nil {
		t.Fatal(err)
	}
	if chip, err := p.Chip(t.Context()); err != nil || !strings.HasPrefix(chip, "gpiochip") {
		t.Errorf("the chip is %q, %v", chip, err)
	}
	for _, line := range panel.Lines() {
		high, err := p.High(t.Context(), line)
		if err != nil {
			t.Errorf("line %s: %v", line, err)
		}
		if high != panel.IsInput(line) {
			t.Errorf("line %s is high: %v", line, high)
		}
	}
}

// testLines looks for the serial lines.
func testLines(t *testing.T, m *machine.Machine) {
	for _, name := range []string{"usb1", "usb2"} {
		if err := m.Plug(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{m.SerialPath("com1"), m.SerialPath("com2"), m.USBPath("usb1"), m.USBPath("usb2")} {
		output(t, m, "udevadm", "wait", "--timeout=10", path)
	}
	if ids := output(t, m, "ls", "/dev/serial/by-id"); len(strings.Fields(ids)) != 1 {
		t.Errorf("by identity there are %q: the adapters should look the same", ids)
	}
}

// testTwins pulls both adapters and plugs them in in both orders.
func testTwins(t *testing.T, m *machine.Machine) {
	names := []string{"usb1", "usb2"}
	for round := range 2 {
		var nodes []string
		for _, name := range names {
			nodes = append(nodes, output(t, m, "readlink", "-f", m.USBPath(name)))
			twin := suite{fmt.Sprintf("%s-%d", name, round), devices + "serialport", "TestLive", usbPort(name), "fixed", talker(name), ""}
			t.Run(twin.name, func(t *testing.T) { twin.try(t, m) })
		}
		say("%s are %s", names, nodes)
		for _, name := range names {
			if err := m.Unplug(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		names[0], names[1] = names[1], names[0]
		for _, name := range names {
			if err := m.Plug(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			output(t, m, "udevadm", "wait", "--timeout=10", m.USBPath(name))
		}
	}
}
