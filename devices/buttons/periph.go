package buttons

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// This file is the only one that knows periph.io/x/host/v3 (v3.8.5). Every trap of it that we know of is listed in periph.md
// with what keeps us out of it. In short, this file must never
//
//   - read an output, by Read or Func: it becomes an input with a pull-up. Outputs are only written here.
//   - use GPIOLine: its Read says Low, "pressed", when the chip is gone. LineSet returns the error.
//   - call GPIOChip.Close: it closes file descriptor 0 as well. Chips stay open until the program ends.
//   - let the library find two nodes of one chip: it closes the second one twice, and then descriptor 0 (periph/host#70). The
//     journal's descriptor may have that number by then, so such a machine is refused, with what to do about it.
//   - wait with timeout 0 (for ever) or -1 (not at all), or rely on Halt, which is lost between two waits.
//   - let two goroutines meet in the first WaitForEdge, which creates its file without a lock: it is called once at request.
//   - import host: that loads sysfs, I2C, SPI and board drivers, too. gpioioctl alone is registered by its import.
//   - let it open a node that is not a GPIO chip: it would leave two files that close the same descriptor, one of them late.
//
// The library logs through the standard logger.

// periphMachine is this process's GPIO. There is one, as periph's registry is one per process and is filled only once.
type periphMachine struct {
	mu    sync.Mutex
	known map[string]string // path -> mark of the nodes at the last scan; nil before the first
	found []chip            // at the last scan
	scans int
}

var thisMachine = &periphMachine{}

func periphChips() ([]chip, error) { return thisMachine.chips() }

func (m *periphMachine) chips() ([]chip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	paths, err := filepath.Glob("/dev/gpiochip*") // as the library does
	if err != nil {
		return nil, fmt.Errorf("cannot look for GPIO chips: %w", err)
	}
	nodes, refused, err := chipNodes(paths, proveChip)
	if err != nil {
		return nil, err
	}
	for path, mark := range nodes {
		if m.known[path] == mark {
			continue
		}
		if err := m.scan(); err != nil {
			return nil, err
		}
		m.known = nodes
		break
	}
	var out []chip
	for _, c := range m.found {
		if mark, ok := nodes[c.path]; ok && mark == m.known[c.path] { // else it is gone since
			out = append(out, c)
		}
	}
	if out == nil {
		return nil, cmp.Or(refused, fmt.Errorf("%w: the GPIO library could not read any of the %d chips; its log says why", ErrAbsent, len(nodes)))
	}
	return out, nil
}

// maxScans bounds the descriptors that scans leave open, one for each chip. So many plugs are a broken cable.
const maxScans = 500

// scan has the library look for chips. Its registry does so once in a process; after that the driver is asked directly,
// which opens every chip anew behind the old ones in its list. So a chip plugged in later works without a restart. The old
// chips must stay open (see above), so a scan happens only when there is a new node.
func (m *periphMachine) scan() error {
	if m.scans++; m.scans > maxScans {
		return fmt.Errorf("the GPIO chips came and went %d times: check the cable of the USB expander, then restart the program", maxScans)
	}
	from := len(gpioioctl.Chips)
	defer keepStdin()
	state, err := driverreg.Init()
	if err != nil {
		return fmt.Errorf("cannot start the GPIO library: %w", err)
	}
	drivers := slices.Clone(state.Loaded)
	for _, f := range slices.Concat(state.Skipped, state.Failed) {
		drivers = append(drivers, f.D)
	}
	for _, d := range drivers {
		if d.String() != "ioctl-gpio" || len(gpioioctl.Chips) > from { // in the latter case Init has just looked
			continue
		}
		if _, err := d.Init(); err != nil {
			return fmt.Errorf("cannot look for GPIO chips: %w", err)
		}
	}
	m.found = nil
	for _, c := range gpioioctl.Chips[from:] {
		m.found = append(m.found, chip{label: c.Label(), name: c.Name(), path: c.Path(), lines: linesOf(c), noEdges: !edgesAreSafe(c.Name()), request: periphChip{c}})
	}
	return nil
}

// edgesAreSafe says whether the kernel survives that a chip is pulled out while edges of its lines are waited for.
func edgesAreSafe(name string) bool {
	device, err := filepath.EvalSymlinks("/sys/bus/gpio/devices/" + name)
	if err != nil {
		return true // a kernel without sysfs has no USB that it tells of
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return true
	}
	return !pluggable(device) || survivesUnplug(unix.ByteSliceToString(u.Release[:]))
}

// pluggable says whether a device of sysfs is on USB.
func pluggable(device string) bool { return strings.Contains(device, "/usb") }

// survivesUnplug judges a kernel by its release, such as 6.1.0-56-amd64. Debian's 6.1 damages its own memory when a chip is
// pulled out whose interrupts are in use; its 6.12 was pulled at without harm. What is in between was not tried.
func survivesUnplug(release string) bool {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return false
	}
	return major > 6 || major == 6 && minor >= 12
}

// linesOf lists the lines of a chip. LineSet finds a line by its name only, and takes the first of that name; the chips of most
// USB expanders have no names at all. So a line that is not the only one of its name is given one, "#17", inside the library.
func linesOf(c *gpioioctl.GPIOChip) []chipLine {
	times := map[string]int{"": 2} // no name is nobody's own
	for _, l := range c.Lines() {
		times[l.Name()]++
	}
	var all []chipLine
	for n, l := range c.Lines() {
		have := chipLine{name: l.Name(), key: l.Name()}
		if times[have.name] > 1 {
			have.key = ""
			if key := fmt.Sprintf("#%d", n); times[key] == 0 && rename(l, key) {
				have.key = key
			}
		}
		all = append(all, have)
	}
	return all
}

// rename changes the name by which the library knows a line. It has no call for that, so this writes to the field that Name
// reads, and makes sure that Name says so. A version without such a field leaves the line as it was: such lines then cannot be
// used, and opening them says why.
func rename(l *gpioioctl.GPIOLine, name string) bool {
	f := reflect.ValueOf(l).Elem().FieldByName("name")
	if f.Kind() != reflect.String {
		return false
	}
	*(*string)(unsafe.Pointer(f.UnsafeAddr())) = name
	return l.Name() == name
}

// chipNodes maps the nodes of the GPIO chips that may be opened, each proven to be one, to a mark that changes when a node
// is made anew. refused says why others may not be opened.
func chipNodes(paths []string, prove func(path string) (node, error)) (nodes map[string]string, refused, err error) {
	nodes = map[string]string{}
	devices := map[uint64]string{}
	for _, path := range paths {
		n, err := prove(path)
		switch {
		case errors.Is(err, os.ErrPermission):
			refused = fmt.Errorf("%w: the program's user must be in the group of that node (udev rule of the package)", err)
			continue
		case errors.Is(err, os.ErrNotExist): // pulled out this moment
			continue
		case err != nil:
			return nil, nil, err
		}
		if other, twice := devices[n.device]; twice {
			return nil, nil, fmt.Errorf("%s and %s are the same GPIO chip, and the GPIO library would close other files of this program over it: "+
				"remove %s (a link that some systems make for old programs; a udev rule keeps it away)", other, path, path)
		}
		devices[n.device] = path
		nodes[path] = n.mark
	}
	switch {
	case len(nodes) > 0:
		return nodes, refused, nil
	case refused != nil:
		return nil, nil, refused
	}
	return nil, nil, fmt.Errorf("%w: this machine has no /dev/gpiochip*, so no button can be read and no lamp lit. "+
		"Check that the GPIO board or USB expander is plugged in and that its kernel driver is loaded (dmesg, gpiodetect)", ErrAbsent)
}

// node is a proven node of a chip.
type node struct {
	device uint64 // its device number
	mark   string
}

func proveChip(path string) (node, error) {
	f, err := os.Open(path)
	if err != nil {
		return node{}, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return node{}, fmt.Errorf("cannot examine %s: %w", path, err)
	}
	if err := ioctl(f, getChipInfo, &chipInfo{}); err != nil {
		return node{}, fmt.Errorf("%s is not a GPIO chip (%w): the GPIO library cannot be used beside it; remove that node", path, err)
	}
	return node{st.Rdev, fmt.Sprintf("%d:%d:%d", st.Rdev, st.Ino, st.Ctim.Nano())}, nil
}

// keepStdin fills file descriptor 0 if it was closed: the library takes 0 for "not open", so no line may get it.
func keepStdin() {
	if _, err := unix.FcntlInt(0, unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		return
	}
	if fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err == nil && fd != 0 {
		unix.Close(fd) // somebody else was faster, which fills it just as well
	}
}

// periphChip requests lines of one chip.
type periphChip struct{ c *gpioioctl.GPIOChip }

func (p periphChip) inputs(lines []inputLine, edges bool) (inputSet, error) {
	pulls := map[Pull]gpio.Pull{PullUp: gpio.PullUp, PullDown: gpio.PullDown, PullNone: gpio.PullNoChange}
	edge := gpio.NoEdge
	if edges {
		edge = gpio.BothEdges
	}
	cfg := &gpioioctl.LineSetConfig{DefaultDirection: gpioioctl.LineInput, DefaultEdge: edge, DefaultPull: pulls[lines[0].pull]}
	others := map[Pull][]string{}
	for _, l := range lines {
		cfg.Lines = append(cfg.Lines, l.key)
		if l.pull != lines[0].pull {
			others[l.pull] = append(others[l.pull], l.key)
		}
	}
	for pull, keys := range others {
		if err := cfg.AddOverrides(gpioioctl.LineInput, edge, pulls[pull], keys...); err != nil {
			return nil, err
		}
	}
	keepStdin()
	ls, err := p.c.LineSetFromConfig(cfg)
	if err != nil {
		return nil, err
	}
	if !edges {
		return periphInputs{ls: ls}, nil
	}
	if _, _, err := ls.WaitForEdge(time.Nanosecond); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		ls.Close()
		return nil, err
	}
	bits := map[int]int{}
	for i, l := range ls.Lines() {
		bits[l.Number()] = i
	}
	return periphInputs{ls, bits}, nil
}

func (p periphChip) outputs(keys []string) (outputSet, error) {
	keepStdin()
	ls, err := p.c.LineSet(gpioioctl.LineOutput, gpio.NoEdge, gpio.PullNoChange, keys...)
	if err != nil {
		return nil, err
	}
	return periphOutputs{ls}, nil
}

// holder asks the kernel, for the library only knows who held a line when it looked at the chip.
func (p periphChip) holder(number int) string {
	f, err := os.Open(p.c.Path())
	if err != nil {
		return ""
	}
	defer f.Close()
	info := lineInfo{offset: uint32(number)}
	if err := ioctl(f, getLineInfo, &info); err != nil {
		return ""
	}
	return cString(info.consumer[:])
}

type periphInputs struct {
	ls   *gpioioctl.LineSet
	bits map[int]int // number of a line on the chip -> its bit
}

func (p periphInputs) read() (uint64, error) {
	bits, err := p.ls.Read(0)
	return uint64(bits), err
}

func (p periphInputs) wait(timeout time.Duration) (int, error) {
	number, _, err := p.ls.WaitForEdge(timeout)
	return p.bits[number], err
}

func (p periphInputs) Close() error { return p.ls.Close() }

type periphOutputs struct{ ls *gpioioctl.LineSet }

func (p periphOutputs) write(bits, mask uint64) error {
	return p.ls.Out(gpio.GPIOValue(bits), gpio.GPIOValue(mask))
}

func (p periphOutputs) Close() error { return p.ls.Close() }
