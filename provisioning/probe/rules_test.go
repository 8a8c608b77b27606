package probe_test

import (
	"strings"
	"testing"

	"yuanban/devices/serialport"
	"yuanban/provisioning/probe"
)

func TestRules(t *testing.T) {
	r := &probe.Report{Ports: []probe.Port{
		{Kind: probe.Reader, Says: "ID-card reader", Line: serialport.Line{Path: "/dev/ttyUSB3",
			ByPath: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0", USB: &serialport.USB{Serial: "A50285BI"}}},
		{Kind: probe.Printer, Says: "receipt printer", Line: serialport.Line{Path: "/dev/ttyS1"}},
		{Kind: probe.Printer, Says: "another", Line: serialport.Line{Path: "/dev/ttyS2"}},
		{Kind: probe.Silent, Line: serialport.Line{Path: "/dev/ttyACM0", ByPath: "/dev/serial/by-path/x"}},
	}}
	want := `# Which device is which on this machine, by kiosk provision probe. In force after: udevadm control --reload && udevadm trigger -s tty
# ID-card reader
SUBSYSTEM=="tty", ENV{ID_PATH}=="pci-0000:00:14.0-usb-0:2:1.0", ENV{.ID_PORT}=="0", ENV{ID_SERIAL_SHORT}=="A50285BI", SYMLINK+="kiosk/reader"
# receipt printer
SUBSYSTEM=="tty", KERNEL=="ttyS1", SYMLINK+="kiosk/printer"
# No pad answered.
`
	if got := r.Rules(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	r.Ports[0].ByPath, r.Ports[0].USB.Serial = "/dev/serial/by-path/pci-0-usb-0:1:1.0", "with \"quote"
	if got := r.Rules(); got != `# Which device is which on this machine, by kiosk provision probe. In force after: udevadm control --reload && udevadm trigger -s tty
# ID-card reader
SUBSYSTEM=="tty", ENV{ID_PATH}=="pci-0-usb-0:1:1.0", SYMLINK+="kiosk/reader"
`+want[len(want)-len("# receipt printer\nSUBSYSTEM==\"tty\", KERNEL==\"ttyS1\", SYMLINK+=\"kiosk/printer\"\n# No pad answered.\n"):] {
		t.Errorf("%s", got)
	}
	r.UseRoles()
	if got := r.Proposal(); !strings.Contains(got, "reader:\n  port: /dev/kiosk/reader\n") || !strings.Contains(got, "printer:\n  port: /dev/kiosk/printer\n") {
		t.Errorf("the proposal does not use the names of roles:\n%s", got)
	}
}
