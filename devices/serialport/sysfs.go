package serialport

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	byID   = "/dev/serial/by-id"
	byPath = "/dev/serial/by-path"
	roles  = "/dev/kiosk"
)

// tree is the root directory of a machine. Paths and links in it begin at it.
type tree string

func (t tree) real(p string) string { return filepath.Join(string(t), filepath.FromSlash(p)) }

func (t tree) dir(p string) ([]string, error) {
	entries, err := os.ReadDir(t.real(p))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// text returns the content of a file of sysfs, or "".
func (t tree) text(dir, name string) string {
	b, err := os.ReadFile(t.real(path.Join(dir, name)))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// resolve follows every link of a path.
func (t tree) resolve(p string) (string, error) {
	done, todo := "/", p
	for links := 0; todo != ""; {
		var name string
		name, todo, _ = strings.Cut(strings.TrimLeft(todo, "/"), "/")
		done = path.Join(done, name)
		st, err := os.Lstat(t.real(done))
		if err != nil {
			return "", err
		}
		if st.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if links++; links > 40 { // as the kernel
			return "", fmt.Errorf("too many links at %s", p)
		}
		to, err := os.Readlink(t.real(done))
		if err != nil {
			return "", err
		}
		if done = path.Dir(done); path.IsAbs(to) {
			done = "/"
		}
		todo = to + "/" + todo
	}
	return done, nil
}

// links returns the names of each node that udev's links lead to.
func (t tree) links() map[string][]string {
	out := map[string][]string{}
	for _, dir := range []string{byID, byPath, roles} {
		names, _ := t.dir(dir) // not there: no such names
		for _, name := range names {
			if node, err := t.resolve(path.Join(dir, name)); err == nil {
				out[node] = append(out[node], path.Join(dir, name))
			}
		}
	}
	return out
}

// driver returns the driver of a device. Between a UART and its tty kernels since 6.5 have two devices of a bus of their own, whose
// drivers say nothing.
func (t tree) driver(device string) string {
	for ; strings.HasPrefix(device, "/sys/devices/"); device = path.Dir(device) {
		bus, err := t.resolve(path.Join(device, "subsystem"))
		if err != nil || path.Base(bus) == "serial-base" {
			continue
		}
		if driver, err := t.resolve(path.Join(device, "driver")); err == nil {
			return path.Base(driver)
		}
		return ""
	}
	return ""
}

// usbOf returns the USB device that a device is part of, and the interface.
func (t tree) usbOf(device string) (number string, u *USB) {
	for dir := device; strings.HasPrefix(dir, "/sys/devices/"); dir = path.Dir(dir) {
		number = cmp.Or(number, t.text(dir, "bInterfaceNumber"))
		if t.text(dir, "idVendor") != "" {
			return number, t.usb(dir)
		}
	}
	return "", nil
}

func (t tree) usb(dir string) *USB {
	u := &USB{Location: path.Base(dir), Vendor: t.text(dir, "idVendor"), Product: t.text(dir, "idProduct"),
		Serial: t.text(dir, "serial"), Maker: t.text(dir, "manufacturer"), Model: t.text(dir, "product")}
	names, _ := t.dir(dir)
	for _, name := range names {
		part := path.Join(dir, name)
		if number := t.text(part, "bInterfaceNumber"); number != "" && strings.HasPrefix(name, u.Location+":") {
			i := USBInterface{Number: number, Class: t.text(part, "bInterfaceClass")}
			if driver, err := t.resolve(path.Join(part, "driver")); err == nil {
				i.Driver = path.Base(driver)
			}
			u.Interfaces = append(u.Interfaces, i)
		}
	}
	return u
}
