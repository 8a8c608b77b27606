//go:build vm

package bench

import (
	"testing"

	"yuanban/systemd/bench/machine"
)

func TestTry(t *testing.T) {
	g := build(t)
	m := start(t, setup(t, g, machine.Config{Serial: []string{"reader", "printer", "third"}, USB: []string{"one", "two"}}))
	for _, c := range []string{"uname -a", "systemd-analyze", "ls -l /dev/serial/by-path /dev/serial/by-id /dev/gpiochip0 /dev/gpiochip1", "cat /proc/tty/driver/serial", "free -m", "df -h /", "dmesg | tail -30", "systemctl list-units --failed",
		"for i in /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio*; do echo $i $(cat $i/pull) $(cat $i/value); done", "systemd-analyze blame | head -20", "ls -l /dev/virtio-ports"} {
		say("%s\n%s", c, output(t, m, "sh", "-c", c+" 2>&1 || true"))
	}
	if err := m.Plug(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	if err := m.Plug(t.Context(), "two"); err != nil {
		t.Error(err)
	}
	say("%s", output(t, m, "sh", "-c", "sleep 1; ls -lR /dev/serial; dmesg | tail -20"))
	if err := m.Unplug(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	say("%s", output(t, m, "sh", "-c", "sleep 1; ls -lR /dev/serial; dmesg | tail -20"))
}
