package serialport_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"yuanban/devices/serialport"
)

// machine is the root directory of a made machine: sysfs and udev's links as Linux 6.12 and Debian 12 lay them out.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T) machine {
	m := machine{t, t.TempDir()}
	for _, dir := range []string{"/sys/class/tty", "/sys/bus/usb/devices", "/dev"} {
		m.must(os.MkdirAll(m.root+dir, 0o755))
	}
	return m
}

func (m machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) write(name, text string) {
	m.must(os.MkdirAll(m.root+path.Dir(name), 0o755))
	m.must(os.WriteFile(m.root+name, []byte(text+"\n"), 0o644))
}

// link makes a link with a relative target, as sysfs and udev do.
func (m machine) link(name, to string) {
	m.must(os.MkdirAll(m.root+path.Dir(name), 0o755))
	m.must(os.MkdirAll(m.root+path.Dir(to), 0o755))
	rel, err := filepath.Rel(path.Dir(name), to)
	m.must(err)
	m.must(os.Symlink(rel, m.root+name))
}

// tty makes the class device of a tty below its hardware.
func (m machine) tty(name, hardware string) {
	dir := hardware + "/tty/" + name
	m.must(os.MkdirAll(m.root+dir, 0o755))
	m.link(dir+"/device", hardware)
	m.link("/sys/class/tty/"+name, dir)
	m.write("/dev/"+name, "")
}

func (m machine) driver(device, bus, driver string) {
	m.must(os.MkdirAll(m.root+"/sys/bus/"+bus+"/drivers/"+driver, 0o755))
	m.must(os.MkdirAll(m.root+device, 0o755))
	m.link(device+"/subsystem", "/sys/bus/"+bus)
	m.link(device+"/driver", "/sys/bus/"+bus+"/drivers/"+driver)
}

const controller = "/sys/devices/pci0000:00/0000:00:14.0"

// usb makes a USB device and returns its directory.
func (m machine) usb(place, class, vendor, product, serial string) string {
	dir := controller + "/usb1/" + place
	m.link("/sys/bus/usb/devices/"+place, dir)
	for name, text := range map[string]string{"bDeviceClass": class, "idVendor": vendor, "idProduct": product, "serial": serial} {
		if text != "" {
			m.write(dir+"/"+name, text)
		}
	}
	return dir
}

// iface makes an interface of a USB device and returns its directory.
func (m machine) iface(dir, number, class, driver string) string {
	name := path.Base(dir) + ":1." + strings.TrimPrefix(number, "0")
	m.write(dir+"/"+name+"/bInterfaceNumber", number)
	m.write(dir+"/"+name+"/bInterfaceClass", class)
	if driver != "" {
		m.driver(dir+"/"+name, "usb", driver)
	}
	m.link("/sys/bus/usb/devices/"+name, dir+"/"+name)
	return dir + "/" + name
}

// adapter plugs a USB serial adapter in: tty is the name that the kernel gives it this time.
func (m machine) adapter(place, vendor, product, serial, driver, tty string) {
	i := m.iface(m.usb(place, "00", vendor, product, serial), "00", "ff", driver)
	m.driver(i+"/"+tty, "usb-serial", driver)
	m.tty(tty, i+"/"+tty)
	m.link("/dev/serial/by-path/pci-0000:00:14.0-usb-0:"+strings.TrimPrefix(place, "1-")+":1.0-port0", "/dev/"+tty)
}

const (
	ch340ID   = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
	ftdiID    = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K5X-if00-port0"
	socket1   = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.1:1.0-port0"
	socket2   = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0"
	socketOne = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"
	socket3   = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0"
)

// hall is a machine with a board UART and a place for one, two CH340 in a hub, an FTDI adapter, a modem with two functions and a card
// reader that is no serial line. first and second are the numbers that the kernel gives the CH340s.
func hall(t *testing.T, first, second string) machine {
	m := newMachine(t)
	board := "/sys/devices/pnp0/00:00"
	m.driver(board, "pnp", "serial")
	m.driver(board+"/00:00:0", "serial-base", "ctrl")
	m.driver(board+"/00:00:0/00:00:0.0", "serial-base", "port")
	m.tty("ttyS0", board+"/00:00:0/00:00:0.0")
	m.write("/sys/class/tty/ttyS0/type", "4")
	m.driver("/sys/devices/platform/serial8250", "platform", "serial8250")
	m.tty("ttyS1", "/sys/devices/platform/serial8250")
	m.write("/sys/class/tty/ttyS1/type", "0")
	m.must(os.MkdirAll(m.root+"/sys/class/tty/tty0", 0o755)) // a console has no device
	m.must(os.MkdirAll(m.root+"/sys/class/tty/ptmx", 0o755))

	m.usb("usb1", "09", "1d6b", "0002", "0000:00:14.0")
	m.usb("1-1", "09", "05e3", "0608", "")
	m.adapter("1-1.1", "1a86", "7523", "", "ch341", first)
	m.adapter("1-1.2", "1a86", "7523", "", "ch341", second)
	m.link(ch340ID, "/dev/"+second) // udev lets the last one win
	m.adapter("1-2", "0403", "6001", "A10K5X", "ftdi_sio", "ttyUSB10")
	m.write(controller+"/usb1/1-2/manufacturer", "FTDI")
	m.write(controller+"/usb1/1-2/product", "FT232R USB UART")
	m.link(ftdiID, "/dev/ttyUSB10")
	m.link("/dev/kiosk/printer", "/dev/ttyUSB10")
	modem := m.usb("1-3", "02", "1d6b", "0104", "7")
	acm := m.iface(modem, "00", "02", "cdc_acm")
	m.iface(modem, "01", "0a", "cdc_acm")
	m.tty("ttyACM0", acm)
	m.iface(m.usb("1-4", "00", "0400", "c35a", ""), "00", "ff", "")
	return m
}

// TestList: what is read of a machine, as provisioning will show it.
func TestList(t *testing.T) {
	m := hall(t, "ttyUSB0", "ttyUSB1")
	lines, err := serialport.List(m.root)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "lines.json", lines)
	devices, err := serialport.ListUSB(m.root)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "usb.json", devices)
}

// golden compares v with a file of testdata, which UPDATE_GOLDEN=1 writes.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s", name, got)
	}
}

// TestDescribe: the names of a line, and what is wrong with them.
func TestDescribe(t *testing.T) {
	m := hall(t, "ttyUSB0", "ttyUSB1")
	if err := os.Symlink("/dev/pts/7", m.root+"/dev/simulated"); err != nil { // an absolute link, as PtyLink makes
		t.Fatal(err)
	}
	m.write("/dev/pts/7", "")
	m.link("/dev/loop1", "/dev/loop2")
	m.link("/dev/loop2", "/dev/loop1")
	for _, tc := range []struct {
		name string
		is   string // path of the line; "" none
		says []string
	}{
		{"/dev/ttyS0", "/dev/ttyS0", nil},
		{"/dev/ttyUSB10", "/dev/ttyUSB10", []string{"order of plugging in", "use " + ftdiID}},
		{ftdiID, "/dev/ttyUSB10", nil},
		{socket3, "/dev/ttyUSB10", nil},
		{"/dev/kiosk/printer", "/dev/ttyUSB10", nil},
		{"/dev/ttyUSB0", "/dev/ttyUSB0", []string{"order of plugging in", "use " + socket1}},
		{ch340ID, "/dev/ttyUSB1", []string{"fits /dev/ttyUSB0 as well", "use " + socket2}},
		{socket1, "/dev/ttyUSB0", nil},
		{socket2, "/dev/ttyUSB1", nil},
		{"/dev/ttyACM0", "/dev/ttyACM0", []string{"order of plugging in", "a name below /dev/serial/by-path"}},
		{"/dev/simulated", "/dev/pts/7", nil},
		{"/dev/ttyUSB7", "", []string{"order of plugging in"}},
		{"/dev/serial/by-id/none", "", nil},
	} {
		line, warning, err := serialport.Describe(m.root, tc.name)
		if line.Path != tc.is || (tc.is == "") != errors.Is(err, serialport.ErrGone) {
			t.Errorf("%s is %q (%v), want %q", tc.name, line.Path, err, tc.is)
		}
		if (warning == "") != (tc.says == nil) {
			t.Errorf("%s: %q", tc.name, warning)
		}
		for _, words := range tc.says {
			if !strings.Contains(warning, words) {
				t.Errorf("%s: %q does not say %q", tc.name, warning, words)
			}
		}
	}
	if _, _, err := serialport.Describe(m.root, "/dev/loop1"); err == nil || !strings.Contains(err.Error(), "too many links") {
		t.Errorf("a circle of links: %v", err)
	}
	// A lone adapter without a serial number: its name by ID would go to the next one of its kind.
	m = newMachine(t)
	m.adapter("1-1", "1a86", "7523", "", "ch341", "ttyUSB0")
	m.link(ch340ID, "/dev/ttyUSB0")
	if _, warning, err := serialport.Describe(m.root, "/dev/ttyUSB0"); err != nil || !strings.Contains(warning, "use "+socketOne) {
		t.Errorf("a lone CH340 by its number: %q, %v", warning, err)
	}
	if _, warning, err := serialport.Describe(m.root, ch340ID); err != nil || !strings.Contains(warning, "1a86:7523") || !strings.Contains(warning, "no serial number") {
		t.Errorf("a lone CH340: %q, %v", warning, err)
	}
}

// TestOneAdapterWithManyLines: the lines of one adapter, and functions of another number, are told apart by udev and are no twins.
func TestOneAdapterWithManyLines(t *testing.T) {
	m := newMachine(t)
	i := m.iface(m.usb("1-1", "00", "110a", "1150", "42"), "00", "ff", "mxuport")
	for n, tty := range []string{"ttyUSB9", "ttyUSB10"} {
		m.driver(i+"/"+tty, "usb-serial", "mxuport")
		m.tty(tty, i+"/"+tty)
		m.link(fmt.Sprintf("/dev/serial/by-id/usb-110a_1150_42-if00-port%d", n), "/dev/"+tty)
	}
	for place, number := range map[string]string{"1-2": "00", "1-3": "02"} { // two models of a modem, each with its tty elsewhere
		tty := "ttyACM" + number[1:]
		m.tty(tty, m.iface(m.usb(place, "02", "1d6b", "0104", "7"), number, "02", "cdc_acm"))
		m.link("/dev/serial/by-id/usb-1d6b_0104_7-if"+number, "/dev/"+tty)
	}
	lines, err := serialport.List(m.root)
	if err != nil || len(lines) != 4 || lines[2].Path != "/dev/ttyUSB9" || len(lines[2].USB.Lines) != 2 {
		t.Fatalf("%+v, %v", lines, err)
	}
	for _, l := range lines {
		if _, warning, err := serialport.Describe(m.root, l.ByID); err != nil || warning != "" {
			t.Errorf("%s: %q, %v", l.ByID, warning, err)
		}
	}
}

// TestTwinsNeverSwap: two adapters of a kind, plugged in in either order, are the same devices by the names that Describe does not
// warn of.
func TestTwinsNeverSwap(t *testing.T) {
	for _, tc := range []struct{ name, place string }{{socket1, "1-1.1"}, {socket2, "1-1.2"}} {
		for _, order := range [][2]string{{"ttyUSB0", "ttyUSB1"}, {"ttyUSB1", "ttyUSB0"}, {"ttyUSB9", "ttyUSB11"}} {
			line, warning, err := serialport.Describe(hall(t, order[0], order[1]).root, tc.name)
			if err != nil || warning != "" || line.USB == nil || line.USB.Location != tc.place {
				t.Errorf("%s in order %v is %+v, %q, %v", tc.name, order, line, warning, err)
			}
		}
	}
}

// TestListHere: this machine can be listed without any privilege, and a directory that is no machine says so.
func TestListHere(t *testing.T) {
	if _, err := serialport.List("/"); err != nil {
		t.Error(err)
	}
	if _, err := serialport.ListUSB("/"); err != nil {
		t.Error(err)
	}
	if _, err := serialport.List(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}
