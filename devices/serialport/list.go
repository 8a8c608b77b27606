package serialport

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Line is one serial line of a machine.
type Line struct {
	Path   string   `json:"path"`             // of its node: /dev/ttyUSB0
	ByID   string   `json:"byId,omitempty"`   // udev's name after maker, model and serial number: it follows the adapter to another socket
	ByPath string   `json:"byPath,omitempty"` // udev's name after the socket: whatever is plugged in there
	Roles  []string `json:"roles,omitempty"`  // the names that this machine's own udev rules give it: /dev/kiosk/reader
	Driver string   `json:"driver"`           // of the kernel: ftdi_sio, cdc_acm, serial8250
	// Interface is the number of the USB interface behind it, which tells the lines of one adapter apart; "" for none.
	Interface string `json:"interface,omitempty"`
	USB       *USB   `json:"usb,omitempty"` // nil for a line of the board
}

// USB is a device on the universal serial bus. Hubs are none.
type USB struct {
	Location   string         `json:"location"`         // bus and sockets from there: 1-1.2 is socket 2 of the hub in socket 1 of bus 1
	Vendor     string         `json:"vendor"`           // idVendor: 1a86
	Product    string         `json:"product"`          // idProduct: 7523
	Serial     string         `json:"serial,omitempty"` // iSerial; many adapters have none, and some all the same one
	Maker      string         `json:"maker,omitempty"`  // iManufacturer
	Model      string         `json:"model,omitempty"`  // iProduct
	Interfaces []USBInterface `json:"interfaces,omitempty"`
	Lines      []string       `json:"lines,omitempty"` // paths of its serial lines; without any it cannot be opened by this package
}

// USBInterface is one function of a USB device.
type USBInterface struct {
	Number string `json:"number"`           // bInterfaceNumber: 00
	Class  string `json:"class"`            // bInterfaceClass: 02 communication, 03 HID, 0b card reader, ff the maker's own
	Driver string `json:"driver,omitempty"` // of the kernel; "" if none has claimed it
}

// List returns the serial lines of the machine whose root directory is root, "/" for this one: those behind which the kernel found a
// chip, in the order of their names. Virtual consoles and pseudo-terminals are none. It reads sysfs and udev's links, needs no
// permission, and opens no device.
func List(root string) ([]Line, error) {
	t := tree(root)
	nodes, err := t.dir("/sys/class/tty")
	if err != nil {
		return nil, fmt.Errorf("cannot list serial lines: %w", err)
	}
	links := t.links()
	var out []Line
	for _, name := range nodes {
		class := path.Join("/sys/class/tty", name)
		device, err := t.resolve(path.Join(class, "device"))
		if err != nil || t.text(class, "type") == "0" { // no hardware, or a place of the board that has none (PORT_UNKNOWN)
			continue
		}
		l := Line{Path: "/dev/" + name, Driver: t.driver(device)}
		for _, link := range links[l.Path] {
			switch path.Dir(link) {
			case byID:
				l.ByID = cmp.Or(l.ByID, link)
			case byPath:
				l.ByPath = cmp.Or(l.ByPath, link)
			default:
				l.Roles = append(l.Roles, link)
			}
		}
		l.Interface, l.USB = t.usbOf(device)
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Line) int { return natural(a.Path, b.Path) })
	for i := range out {
		for _, l := range out {
			if u := out[i].USB; u != nil && l.USB != nil && l.USB.Location == u.Location {
				u.Lines = append(u.Lines, l.Path)
			}
		}
	}
	return out, nil
}

// ListUSB returns the USB devices of a machine but its hubs, in the order of their places, with the serial lines they have. A card
// reader without any speaks another protocol (class 0b, 03 or ff) and cannot be used over a serial line.
func ListUSB(root string) ([]USB, error) {
	t := tree(root)
	lines, err := List(root)
	if err != nil {
		return nil, err
	}
	places, err := t.dir("/sys/bus/usb/devices")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a machine without a bus
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list USB devices: %w", err)
	}
	var out []USB
	for _, name := range places {
		dir, err := t.resolve(path.Join("/sys/bus/usb/devices", name))
		if err != nil || t.text(dir, "idVendor") == "" || t.text(dir, "bDeviceClass") == "09" { // an interface, or a hub
			continue
		}
		u := t.usb(dir)
		for _, l := range lines {
			if l.USB != nil && l.USB.Location == u.Location {
				u.Lines = append(u.Lines, l.Path)
			}
		}
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b USB) int { return natural(a.Location, b.Location) })
	return out, nil
}

// natural orders names with numbers as people do: ttyUSB2 before ttyUSB10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x != "" && y != "" {
			m, n := strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
				return c
			}
			a, b = a[len(x):], b[len(y):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }
