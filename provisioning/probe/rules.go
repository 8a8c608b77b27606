package probe

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// roles are the names that devices get below /dev/kiosk, by what answered.
var roles = []struct {
	kind Kind
	name string
}{{Reader, "reader"}, {Printer, "printer"}, {Pad, "pad"}}

var portOfAdapter = regexp.MustCompile(`^(.*)-port(\d+)$`)

// Rules are udev rules that name the first device of each kind after its role: by the socket that it is plugged into and, where its adapter
// has one, the serial number. So two adapters of a kind never swap, and another adapter in the same socket is another device.
func (r *Report) Rules() string {
	var b strings.Builder
	b.WriteString("# Which device is which on this machine, by kiosk provision probe. In force after: udevadm control --reload && udevadm trigger -s tty\n")
	for _, role := range roles {
		p, _ := r.first(role.kind)
		if p == nil {
			fmt.Fprintf(&b, "# No %s answered.\n", role.name)
			continue
		}
		fmt.Fprintf(&b, "# %s\nSUBSYSTEM==\"tty\", %s, SYMLINK+=\"kiosk/%s\"\n", p.Says, strings.Join(place(p), ", "), role.name)
	}
	return b.String()
}

// UseRoles has the proposal name devices as the Rules do, instead of by what the kernel calls them today.
func (r *Report) UseRoles() {
	for _, role := range roles {
		if p, _ := r.first(role.kind); p != nil {
			p.Name = "/dev/kiosk/" + role.name
		}
	}
}

// plainSerial is a serial number that udev leaves as it is; of others it replaces characters.
var plainSerial = regexp.MustCompile(`^[0-9A-Za-z#+.:=@_-]+$`)

// place tells a line by where it is.
func place(p *Port) []string {
	if p.ByPath == "" { // of the board
		return []string{fmt.Sprintf("KERNEL==%q", filepath.Base(p.Path))}
	}
	path := filepath.Base(p.ByPath)
	var keys []string
	if m := portOfAdapter.FindStringSubmatch(path); m != nil {
		path = m[1]
		keys = append(keys, fmt.Sprintf("ENV{.ID_PORT}==%q", m[2])) // 60-serial.rules sets it
	}
	keys = append([]string{fmt.Sprintf("ENV{ID_PATH}==%q", path)}, keys...)
	if p.USB != nil && plainSerial.MatchString(p.USB.Serial) {
		keys = append(keys, fmt.Sprintf("ENV{ID_SERIAL_SHORT}==%q", p.USB.Serial))
	}
	return keys
}
