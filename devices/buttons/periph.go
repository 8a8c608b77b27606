package buttons

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// This file is the only one that knows periph.io/x/host/v3 (v3.8.5). What it must never do, and why:
//
//   - read an output, by Read or Func: it becomes an input with a pull-up. Outputs are only written here.
//   - use GPIOLine: its Read says Low, "pressed", when the chip is gone. LineSet returns the error.
//   - call GPIOChip.Close: it closes file descriptor 0 as well. Chips stay open until the program ends. The library calls it
//     itself where two nodes lead to one chip (issue periph/host#70), so descriptor 0 is filled again after each scan; as
//     periph takes 0 for "not open", a line must not get it either.
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
	from  int               // where the chips of the last scan begin in gpioioctl.Chips
	scans int
}

var thisMachine = &periphMachine{}

func periphChips() ([]chip, error) { return thisMachine.chips() }

func (m *periphMachine) chips() ([]chip, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	nodes, refused, err := chipNodes()
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
	for _, c := range gpioioctl.Chips[m.from:] {
		if mark, ok := nodes[c.Path()]; !ok || mark != m.known[c.Path()] {
			continue // gone since
		}
		have := chip{label: c.Label(), name: c.Name(), path: c.Path(), request: periphChip{c}}
		for _, l := range c.Lines() {
			have.lines = append(have.lines, chipLine{name: l.Name(), consumer: l.Consumer()})
		}
		out = append(out, have)
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
	m.from = from
	return nil
}

// chipNodes maps the nodes of the GPIO chips that may be opened, each proven to be one, to a mark that changes when a node
// is made anew. refused says why others may not be opened.
func chipNodes() (nodes map[string]string, refused, err error) {
	paths, err := filepath.Glob("/dev/gpiochip*")
	if err != nil {
		return nil, nil, fmt.Errorf("cannot look for GPIO chips: %w", err)
	}
	nodes = map[string]string{}
	for _, path := range paths {
		mark, err := proveChip(path)
		switch {
		case errors.Is(err, os.ErrPermission):
			refused = fmt.Errorf("%w: the program's user must be in the group of that node (udev rule of the package)", err)
		case errors.Is(err, os.ErrNotExist): // pulled out this moment
		case err != nil:
			return nil, nil, err
		default:
			nodes[path] = mark
		}
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

// getChipInfo is GPIO_GET_CHIPINFO_IOCTL of linux/gpio.h, _IOR(0xB4, 0x01, struct gpiochip_info), on amd64 and arm64.
const getChipInfo = 0x8044B401

func proveChip(path string) (mark string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return "", fmt.Errorf("cannot examine %s: %w", path, err)
	}
	var info [68]byte // struct gpiochip_info: name[32], label[32], lines
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), getChipInfo, uintptr(unsafe.Pointer(&info))); errno != 0 {
		return "", fmt.Errorf("%s is not a GPIO chip (%w): the GPIO library cannot be used beside it; remove that node", path, errno)
	}
	return fmt.Sprintf("%d:%d:%d", st.Rdev, st.Ino, st.Ctim.Nano()), nil
}

// keepStdin fills file descriptor 0 if it was closed.
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

func (p periphChip) inputs(names []string, pullUp bool) (inputSet, error) {
	pull := gpio.PullDown
	if pullUp {
		pull = gpio.PullUp
	}
	keepStdin()
	ls, err := p.c.LineSet(gpioioctl.LineInput, gpio.BothEdges, pull, names...)
	if err != nil {
		return nil, err
	}
	if _, _, err := ls.WaitForEdge(time.Nanosecond); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		ls.Close()
		return nil, err
	}
	return periphInputs{ls}, nil
}

func (p periphChip) outputs(names []string) (outputSet, error) {
	keepStdin()
	ls, err := p.c.LineSet(gpioioctl.LineOutput, gpio.NoEdge, gpio.PullNoChange, names...)
	if err != nil {
		return nil, err
	}
	return periphOutputs{ls}, nil
}

type periphInputs struct{ ls *gpioioctl.LineSet }

func (p periphInputs) read() (uint64, error) {
	bits, err := p.ls.Read(0)
	return uint64(bits), err
}

func (p periphInputs) wait(timeout time.Duration) error {
	_, _, err := p.ls.WaitForEdge(timeout)
	return err
}

func (p periphInputs) Close() error { return p.ls.Close() }

type periphOutputs struct{ ls *gpioioctl.LineSet }

func (p periphOutputs) write(bits, mask uint64) error {
	return p.ls.Out(gpio.GPIOValue(bits), gpio.GPIOValue(mask))
}

func (p periphOutputs) Close() error { return p.ls.Close() }
