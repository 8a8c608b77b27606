package serialport

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Describe tells what is behind a path of the configuration now. warning, if not "", says why that name may mean another device
// after the next start or plug, and which name to use instead; a name of the wrong kind is warned of even while nothing is there.
//
// The error is ErrGone when nothing is there. A pseudo-terminal is described by its path alone.
func Describe(root, name string) (line Line, warning string, err error) {
	t := tree(root)
	node, err := t.resolve(name)
	if err != nil {
		if numbered(name) {
			warning = fmt.Sprintf("%s is a number given in the order of plugging in: use a name below %s", name, byPath)
		}
		return Line{}, warning, fmt.Errorf("cannot describe serial line %s: %w", name, explain(err))
	}
	lines, err := List(root)
	if err != nil {
		return Line{}, "", err
	}
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Path == node })
	if i < 0 {
		return Line{Path: node}, "", nil
	}
	line = lines[i]
	return line, line.warn(name, lines), nil
}

// warn says what is wrong with the name of a line.
func (l Line) warn(name string, all []Line) string {
	instead := cmp.Or(l.ByPath, "a name below "+byPath)
	switch {
	case l.USB == nil:
		return "" // soldered in: the kernel numbers it alike at every start
	case numbered(name):
		if l.USB.Serial != "" && l.twin(all) == "" && l.ByID != "" {
			instead = l.ByID
		}
		return fmt.Sprintf("%s is a number given in the order of plugging in: use %s", name, instead)
	case path.Dir(name) != byID:
		return ""
	}
	if twin := l.twin(all); twin != "" {
		return fmt.Sprintf("%s fits %s as well, and leads to the one that was plugged in last: use %s", name, twin, instead)
	}
	if l.USB.Serial == "" {
		return fmt.Sprintf("the adapter behind %s (%s:%s) has no serial number, so another one of its kind would take the name: use %s",
			name, l.USB.Vendor, l.USB.Product, instead)
	}
	return ""
}

// twin returns the line of another adapter that udev cannot tell from that of l by its ID: same model, same serial number or none,
// same interface.
func (l Line) twin(all []Line) string {
	for _, o := range all {
		if o.USB != nil && o.USB.Location != l.USB.Location && o.Interface == l.Interface &&
			o.USB.Vendor == l.USB.Vendor && o.USB.Product == l.USB.Product && o.USB.Serial == l.USB.Serial {
			return o.Path
		}
	}
	return ""
}

// numbered tells a name that the kernel gives in the order of plugging in.
func numbered(name string) bool {
	base := path.Base(name)
	return path.Dir(name) == "/dev" && (strings.HasPrefix(base, "ttyUSB") || strings.HasPrefix(base, "ttyACM"))
}
