package hotplug

import (
	"strings"
	"testing"
)

// The messages that Linux 6.1 sends when an FTDI adapter is plugged in and out, and what must not be taken for one.
func TestParseEvent(t *testing.T) {
	const tty = "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/1-1.2:1.0/ttyUSB0/tty/ttyUSB0"
	for _, tc := range []struct {
		name    string
		message string
		want    Event
		says    string // of the error
	}{
		{"a tty comes", "add@" + tty + "\x00ACTION=add\x00DEVPATH=" + tty + "\x00SUBSYSTEM=tty\x00MAJOR=188\x00MINOR=0\x00DEVNAME=ttyUSB0\x00SEQNUM=2104\x00",
			Event{Action: "add", Path: tty, Subsystem: "tty", Name: "ttyUSB0"}, ""},
		{"a tty goes", "remove@" + tty + "\x00ACTION=remove\x00DEVPATH=" + tty + "\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00SEQNUM=2110\x00",
			Event{Action: "remove", Path: tty, Subsystem: "tty", Name: "ttyUSB0"}, ""},
		{"a device without a node", "bind@/devices/x\x00ACTION=bind\x00DEVPATH=/devices/x\x00SUBSYSTEM=usb\x00DRIVER=ftdi_sio\x00SEQNUM=1\x00",
			Event{Action: "bind", Path: "/devices/x", Subsystem: "usb"}, ""},
		{"a value with =", "add@/a\x00SUBSYSTEM=tty\x00MODALIAS=a=b\x00DEVNAME=x=y\x00", Event{Action: "add", Path: "/a", Subsystem: "tty", Name: "x=y"}, ""},
		{"no fields", "add@/a\x00", Event{Action: "add", Path: "/a"}, ""},
		{"udev's repetition", "libudev\x00\xfe\xed\xca\xfe\x28\x00\x00\x00", Event{}, "action@/path"},
		{"empty", "", Event{}, "no end"},
		{"cut in the first line", "add@/devices/x", Event{}, "no end"},
		{"cut in a field", "add@/a\x00SUBSYSTEM=tt", Event{}, "no end"},
		{"no path", "add@\x00", Event{}, "action@/path"},
		{"no action", "@/a\x00", Event{}, "action@/path"},
		{"another action", "add@/a\x00ACTION=remove\x00", Event{}, "ACTION contradicts"},
		{"another path", "add@/a\x00DEVPATH=/b\x00", Event{}, "DEVPATH contradicts"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseEvent([]byte(tc.message))
			if got != tc.want || (err == nil) != (tc.says == "") {
				t.Errorf("got %+v, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
		})
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add([]byte("add@/devices/ttyUSB0\x00ACTION=add\x00DEVPATH=/devices/ttyUSB0\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00SEQNUM=1\x00"))
	f.Add([]byte("libudev\x00\xfe\xed\xca\xfe"))
	f.Add([]byte("add@/a\x00=\x00\x00"))
	f.Fuzz(func(t *testing.T, message []byte) {
		e, err := ParseEvent(message)
		if err != nil {
			if e != (Event{}) {
				t.Errorf("%+v beside %v", e, err)
			}
			return
		}
		if e.Action == "" || !strings.HasPrefix(e.Path, "/") {
			t.Errorf("%+v is no event", e)
		}
		// What was read says the same when written again.
		again, err := ParseEvent([]byte(e.Action + "@" + e.Path + "\x00SUBSYSTEM=" + e.Subsystem + "\x00DEVNAME=" + e.Name + "\x00"))
		if err != nil || again != e {
			t.Errorf("%+v, again %+v, %v", e, again, err)
		}
	})
}
