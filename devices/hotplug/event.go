package hotplug

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Actions of the kernel that matter here, and Overrun, which is ours.
const (
	Add    = "add"
	Remove = "remove"
	// Overrun says that so much happened at once that the kernel dropped events: whoever waits for one should look for itself.
	Overrun = "overrun"
)

// Event is a message of the kernel about one of its devices (lib/kobject_uevent.c). It comes before udev has made the links in
// /dev and given the node to its group.
type Event struct {
	Action    string // add, remove, change, move, bind, unbind, online, offline; or Overrun
	Path      string // of the device below /sys: /devices/pci0000:00/…/ttyUSB0/tty/ttyUSB0
	Subsystem string // tty, usb, gpio, …
	Name      string // of its node below /dev: ttyUSB0, bus/usb/001/004; empty when it has none
}

// ParseEvent reads one message of the kernel, "add@/devices/…" and then KEY=value, each ended by a zero byte. Messages of udev,
// which begin with "libudev", are no events.
func ParseEvent(message []byte) (Event, error) {
	head, rest, ok := bytes.Cut(message, []byte{0})
	if !ok {
		return Event{}, errors.New("cannot read a kernel event: its first line has no end")
	}
	action, path, ok := strings.Cut(string(head), "@")
	if !ok || action == "" || !strings.HasPrefix(path, "/") {
		return Event{}, fmt.Errorf("cannot read a kernel event: it begins with %.40q instead of action@/path", head)
	}
	e := Event{Action: action, Path: path}
	for len(rest) > 0 {
		var field []byte
		if field, rest, ok = bytes.Cut(rest, []byte{0}); !ok {
			return Event{}, errors.New("cannot read a kernel event: its last field has no end")
		}
		key, value, _ := strings.Cut(string(field), "=")
		switch key {
		case "ACTION", "DEVPATH":
			if value != map[string]string{"ACTION": action, "DEVPATH": path}[key] {
				return Event{}, fmt.Errorf("cannot read a kernel event: %s contradicts its first line", key)
			}
		case "SUBSYSTEM":
			e.Subsystem = value
		case "DEVNAME":
			e.Name = value
		}
	}
	return e, nil
}
