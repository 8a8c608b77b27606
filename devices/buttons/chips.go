package buttons

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Chip is a GPIO chip of this machine, for people who look for their buttons.
type Chip struct {
	Path  string     `json:"path"`  // of its node: /dev/gpiochip0
	Name  string     `json:"name"`  // the kernel's: gpiochip0
	Label string     `json:"label"` // the maker's: pinctrl-bcm2711
	Lines []ChipLine `json:"lines"`
}

// ChipLine is one line of a chip.
type ChipLine struct {
	Number   int    `json:"number"`
	Name     string `json:"name,omitempty"`
	Consumer string `json:"consumer,omitempty"` // the program or driver that has it
	Used     bool   `json:"used,omitempty"`
	Output   bool   `json:"output,omitempty"`
	Level    string `json:"level"` // "high", "low"; "?" for lines that are used or are outputs: reading them would take them
}

// Free says whether a line may be listened to: nobody has it, and it drives nothing.
func (l ChipLine) Free() bool { return !l.Used && !l.Output }

// Requests and flags of linux/gpio.h (uAPI v2, kernel 5.10), for amd64 and arm64.
const (
	getChipInfo   = 0x8044B401 // GPIO_GET_CHIPINFO_IOCTL
	getLineInfo   = 0xC100B405 // GPIO_V2_GET_LINEINFO_IOCTL
	getLine       = 0xC250B407 // GPIO_V2_GET_LINE_IOCTL
	getLineValues = 0xC010B40E // GPIO_V2_LINE_GET_VALUES_IOCTL

	flagUsed     = 1 << 0
	flagInput    = 1 << 2
	flagOutput   = 1 << 3
	flagPullUp   = 1 << 8
	flagPullDown = 1 << 9

	maxRequest = 64 // lines of a request
)

type (
	chipInfo struct {
		name, label [32]byte
		lines       uint32
	}
	lineInfo struct {
		name, consumer [32]byte
		offset         uint32
		_              uint32 // number of attributes
		flags          uint64
		_              [10 * 16]byte // attributes
		_              [16]byte
	}
	lineRequest struct {
		offsets  [maxRequest]uint32
		consumer [32]byte
		flags    uint64
		_        [4 + 20 + 10*24]byte // no attributes
		lines    uint32
		_        [4 + 20]byte
		fd       int32
	}
	lineValues struct{ bits, mask uint64 }
)

// ioctl calls the kernel with the address of one of the structs above.
func ioctl[T any](f *os.File, request uintptr, arg *T) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(arg)))
	runtime.KeepAlive(f)
	if errno != 0 {
		return errno
	}
	return nil
}

func cString(b []byte) string { s, _, _ := bytes.Cut(b, []byte{0}); return string(s) }

// Chips returns the GPIO chips of this machine with all their lines, none where it has none. No line changes: only lines that are inputs
// already and that nobody has are read, and each is given back at once.
func Chips() ([]Chip, error) {
	paths, err := filepath.Glob("/dev/gpiochip*")
	if err != nil {
		return nil, fmt.Errorf("cannot list GPIO chips: %w", err)
	}
	slices.SortFunc(paths, func(a, b string) int {
		if len(a) != len(b) { // gpiochip2 before gpiochip10
			return len(a) - len(b)
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	out := []Chip{}
	var wrong []error
	for _, path := range paths {
		c, err := describeChip(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // pulled out this moment, or a link to nowhere
		case errors.Is(err, fs.ErrPermission):
			wrong = append(wrong, fmt.Errorf("cannot read GPIO chip %s: %w; run this as root, or as a user of its group", path, err))
		case err != nil:
			wrong = append(wrong, fmt.Errorf("cannot read GPIO chip %s: %w", path, err))
		default:
			out = append(out, c)
		}
	}
	return out, errors.Join(wrong...)
}

func describeChip(path string) (Chip, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return Chip{}, err
	}
	defer f.Close()
	var info chipInfo
	if err := ioctl(f, getChipInfo, &info); err != nil {
		return Chip{}, fmt.Errorf("it is no GPIO chip: %w", err)
	}
	c := Chip{Path: path, Name: cString(info.name[:]), Label: cString(info.label[:])}
	for n := range info.lines {
		li := lineInfo{offset: n}
		if err := ioctl(f, getLineInfo, &li); err != nil {
			return c, fmt.Errorf("line %d: %w", n, err)
		}
		l := ChipLine{Number: int(n), Name: cString(li.name[:]), Consumer: cString(li.consumer[:]), Used: li.flags&flagUsed != 0, Output: li.flags&flagOutput != 0, Level: "?"}
		if l.Free() {
			l.Level = levelOf(f, int(n))
		}
		c.Lines = append(c.Lines, l)
	}
	return c, nil
}

// levelOf reads a line as it is: without a flag for its direction the kernel leaves the line alone.
func levelOf(chip *os.File, line int) string {
	r, err := requestLines(chip, []int{line}, 0)
	if err != nil {
		return "?"
	}
	defer r.Close()
	v := lineValues{mask: 1}
	switch err := ioctl(r, getLineValues, &v); {
	case err != nil:
		return "?"
	case v.bits&1 != 0:
		return "high"
	}
	return "low"
}

func requestLines(chip *os.File, lines []int, flags uint64) (*os.File, error) {
	r := lineRequest{flags: flags, lines: uint32(len(lines))}
	copy(r.consumer[:], "kiosk provision")
	for i, n := range lines {
		r.offsets[i] = uint32(n)
	}
	if err := ioctl(chip, getLine, &r); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(r.fd), "gpio lines"), nil
}

// Watch listens to lines of a chip, to find out which of them a button is on. It is used from one goroutine.
type Watch struct {
	sets  []*os.File // of maxRequest lines each
	count int
}

// OpenWatch takes lines of a chip as inputs with a pull resistor, up for buttons that pull to ground. It refuses lines that are not free.
func OpenWatch(c Chip, lines []int, pullUp bool) (*Watch, error) {
	for _, n := range lines {
		if n < 0 || n >= len(c.Lines) || !c.Lines[n].Free() {
			return nil, fmt.Errorf("cannot watch line %d of GPIO chip %s: it is in use or an output", n, c.Label)
		}
	}
	f, err := os.OpenFile(c.Path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot watch GPIO chip %s: %w", c.Label, err)
	}
	defer f.Close()
	flags := uint64(flagInput | flagPullDown)
	if pullUp {
		flags = flagInput | flagPullUp
	}
	w := &Watch{count: len(lines)}
	for part := range slices.Chunk(lines, maxRequest) {
		set, err := requestLines(f, part, flags)
		if err != nil {
			w.Close()
			return nil, fmt.Errorf("cannot watch GPIO chip %s: %w; does it have pull resistors, and is a program using it?", c.Label, err)
		}
		w.sets = append(w.sets, set)
	}
	return w, nil
}

// Levels tells which of the lines are high, in the order in which they were asked for.
func (w *Watch) Levels() ([]bool, error) {
	out := make([]bool, 0, w.count)
	for _, set := range w.sets {
		n := min(maxRequest, w.count-len(out))
		v := lineValues{mask: 1<<n - 1}
		if err := ioctl(set, getLineValues, &v); err != nil {
			return nil, fmt.Errorf("%w: cannot read GPIO lines: %w", ErrGone, err)
		}
		for i := range n {
			out = append(out, v.bits>>i&1 != 0)
		}
	}
	return out, nil
}

// Close gives the lines back.
func (w *Watch) Close() error {
	var wrong []error
	for _, set := range w.sets {
		wrong = append(wrong, set.Close())
	}
	w.sets = nil
	return errors.Join(wrong...)
}
