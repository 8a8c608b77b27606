package buttons

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// fakeChip plays one chip behind the seam.
type fakeChip struct {
	bits    uint64
	err     error // of read and write: the chip is gone
	busy    error
	waitErr error
	waits   int
	pullUp  bool
	names   []string
	writes  []uint64
	closed  int
}

func (f *fakeChip) inputs(names []string, pullUp bool) (inputSet, error) {
	f.names, f.pullUp = names, pullUp
	return f, f.busy
}
func (f *fakeChip) outputs(names []string) (outputSet, error) { f.names = names; return f, f.busy }
func (f *fakeChip) read() (uint64, error)                     { return f.bits, f.err }
func (f *fakeChip) wait(time.Duration) error                  { f.waits++; return f.waitErr }
func (f *fakeChip) Close() error                              { f.closed++; return nil }
func (f *fakeChip) write(bits, mask uint64) error {
	if f.err != nil {
		return f.err
	}
	f.bits = f.bits&^mask | bits
	f.writes = append(f.writes, f.bits)
	return nil
}

func machineOf(chips ...chip) scanner { return func() ([]chip, error) { return chips, nil } }

func named(f *fakeChip, label, name string, lines ...string) chip {
	c := chip{label: label, name: name, path: "/dev/" + name, request: f}
	for _, l := range lines {
		c.lines = append(c.lines, chipLine{name: l})
	}
	return c
}

var five = map[int]string{5: "B5", 4: "B4", 3: "B3", 2: "B2", 1: "B1"}

func TestGPIOLevels(t *testing.T) {
	for _, c := range []struct {
		name string
		low  bool
		bits uint64
		want uint32
	}{
		{"high is down", false, 0b10001, 0b10001},
		{"low is down", true, 0b01110, 0b10001},
		{"all up", true, 0b11111, 0},
		{"more bits than lines", false, 1<<40 | 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeChip{bits: c.bits}
			g, err := openGPIO(GPIOConfig{Chip: "pad", Lines: five, ActiveLow: c.low}, machineOf(named(f, "pad", "gpiochip3", "x", "B5", "B4", "B3", "B2", "B1")))
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Levels()
			if got != c.want || err != nil || f.pullUp != c.low || strings.Join(f.names, "") != "B1B2B3B4B5" {
				t.Errorf("levels %05b, %v, pull-up %v, lines %v; want %05b", got, err, f.pullUp, f.names, c.want)
			}
		})
	}
}

// Only some of the buttons, by number or behind a prefix: each keeps its own bit.
func TestGPIOLineNames(t *testing.T) {
	f := &fakeChip{bits: 0b10}
	g, err := openGPIO(GPIOConfig{Chip: "/dev/gpiochip3", Lines: map[int]string{4: "#2", 2: "KEY"}},
		machineOf(named(&fakeChip{}, "pad", "gpiochip1"), named(f, "pad", "gpiochip3", "", "gpiochip3-KEY", "A")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Levels(); got != 0b1000 || err != nil {
		t.Errorf("levels %05b, %v", got, err)
	}
}

func TestGPIOErrors(t *testing.T) {
	link := filepath.Join(t.TempDir(), "buttons")
	if err := os.Symlink("/dev/gpiochip9", link); err != nil {
		t.Fatal(err)
	}
	held := named(&fakeChip{busy: errors.New("LineSetFromConfig: device or resource busy")}, "pad", "gpiochip3", "B1")
	held.lines[0].consumer = "gpiomon"
	one := map[int]string{1: "B1"}
	for _, c := range []struct {
		name string
		cfg  GPIOConfig
		scan scanner
		want []string
		is   error
	}{
		{"no lines", GPIOConfig{Chip: "pad"}, machineOf(), []string{"no line is named"}, nil},
		{"a sixth button", GPIOConfig{Chip: "pad", Lines: map[int]string{6: "B"}}, machineOf(), []string{"no button 6"}, nil},
		{"no such chip", GPIOConfig{Chip: "pad", Lines: one}, machineOf(named(nil, "soc", "gpiochip0")), []string{`no GPIO chip "pad"`, `"soc" (/dev/gpiochip0)`}, ErrAbsent},
		{"no such path", GPIOConfig{Chip: link, Lines: one}, machineOf(named(nil, "soc", "gpiochip0")), []string{link}, ErrAbsent},
		{"two of a label", GPIOConfig{Chip: "pad", Lines: one}, machineOf(named(nil, "pad", "gpiochip0"), named(nil, "pad", "gpiochip1")), []string{"2 GPIO chips", "/dev/gpiochip0, /dev/gpiochip1"}, nil},
		{"no such line", GPIOConfig{Chip: "pad", Lines: one}, machineOf(named(nil, "pad", "gpiochip0", "A")), []string{"line of button 1", `no line "B1"`, "gpioinfo"}, ErrAbsent},
		{"no such number", GPIOConfig{Chip: "pad", Lines: map[int]string{1: "#1"}}, machineOf(named(nil, "pad", "gpiochip0", "A")), []string{"lines #0 to #0"}, ErrAbsent},
		{"a line without name", GPIOConfig{Chip: "pad", Lines: map[int]string{1: "#0"}}, machineOf(named(nil, "pad", "gpiochip0", "")), []string{"device tree"}, nil},
		{"a name twice", GPIOConfig{Chip: "pad", Lines: one}, machineOf(named(nil, "pad", "gpiochip0", "B1", "B1")), []string{"several lines"}, nil},
		{"a line for two buttons", GPIOConfig{Chip: "pad", Lines: map[int]string{1: "B1", 2: "#0"}}, machineOf(named(nil, "pad", "gpiochip0", "B1")), []string{"buttons 1 and 2 have the same line"}, nil},
		{"somebody else has it", GPIOConfig{Chip: "pad", Lines: one}, machineOf(held), []string{`B1 held by "gpiomon"`}, ErrBusy},
		{"no chips at all", GPIOConfig{Chip: "pad", Lines: one}, func() ([]chip, error) { return nil, ErrAbsent }, nil, ErrAbsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openGPIO(c.cfg, c.scan)
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			for _, w := range append(c.want, "cannot open the rating buttons: ") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
}

// A removed chip never is a press, and never a busy loop.
func TestGPIOGone(t *testing.T) {
	open := func(t *testing.T, f *fakeChip) *GPIO {
		g, err := openGPIO(GPIOConfig{Chip: "pad", Lines: five, ActiveLow: true}, machineOf(named(f, "pad", "gpiochip3", "B5", "B4", "B3", "B2", "B1")))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Run("reading fails", func(t *testing.T) {
		f := &fakeChip{bits: 0, err: errors.New("no such device")} // all low, which is "pressed" here
		r := &record{}
		err := New(open(t, f), r.opts()).Run(t.Context())
		if !errors.Is(err, ErrGone) || f.closed != 1 || len(r.all()) != 1 || !strings.HasPrefix(r.all()[0], "offline: ") {
			t.Errorf("got %v, closed %d times, told %q", err, f.closed, r.all())
		}
	})
	t.Run("waiting fails", func(t *testing.T) {
		if _, err := open(t, &fakeChip{waitErr: errors.New("EOF")}).WaitEdge(time.Second); !errors.Is(err, ErrGone) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("waiting ends at once, for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeChip{waitErr: os.ErrDeadlineExceeded}
			g := open(t, f)
			for began := time.Now(); time.Since(began) < 2*time.Second; {
				if edge, err := g.WaitEdge(100 * time.Millisecond); edge || err != nil {
					t.Fatal(edge, err)
				}
			}
			if f.waits > 20 {
				t.Errorf("%d waits in 2 s", f.waits)
			}
		})
	})
	t.Run("after Close", func(t *testing.T) {
		f := &fakeChip{}
		g := open(t, f)
		g.Close()
		g.Close()
		_, err1 := g.Levels()
		_, err2 := g.WaitEdge(time.Second)
		if !errors.Is(err1, os.ErrClosed) || !errors.Is(err2, os.ErrClosed) || f.closed != 1 {
			t.Errorf("%v, %v, closed %d times", err1, err2, f.closed)
		}
	})
}

func TestGPIOLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeChip{}
		var here bool
		l := &GPIOLamps{cfg: GPIOConfig{Chip: "pad", Lines: map[int]string{2: "L2", 5: "L5"}, ActiveLow: true}, scan: func() ([]chip, error) {
			if !here {
				return nil, ErrAbsent
			}
			return []chip{named(f, "pad", "gpiochip0", "L5", "L2")}, nil
		}}
		lamps := l.Lamps()
		if len(lamps) != 2 {
			t.Fatalf("%d lamps", len(lamps))
		}
		if err := lamps[0].Set(true); !errors.Is(err, ErrAbsent) {
			t.Errorf("no chip: %v", err)
		}
		here = true
		if err := lamps[0].Set(true); !errors.Is(err, ErrAbsent) {
			t.Errorf("looked again at once: %v", err)
		}
		time.Sleep(reopenPause)
		if err := errors.Join(lamps[0].Set(true), lamps[1].Set(true), lamps[0].Set(false)); err != nil {
			t.Fatal(err)
		}
		if want := []uint64{0b11, 0b10, 0b00, 0b01}; !equal(f.writes, want) { // dark first; low is lit; bit 0 is button 2
			t.Errorf("wrote %b, want %b", f.writes, want)
		}
		f.err = errors.New("no such device")
		if err := lamps[1].Set(false); !errors.Is(err, ErrGone) || f.closed != 1 {
			t.Errorf("gone: %v, closed %d times", err, f.closed)
		}
		f.err, f.writes = nil, nil
		time.Sleep(reopenPause)
		if err := lamps[1].Set(true); err != nil || !equal(f.writes, []uint64{0b11, 0b01}) {
			t.Errorf("back: %v, wrote %b", err, f.writes)
		}
		l.Close()
	})
}

func equal(a, b []uint64) bool {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// The real thing, on a machine without a GPIO chip, which includes every build server.
func TestOpenGPIOWithoutChips(t *testing.T) {
	if found, _ := filepath.Glob("/dev/gpiochip*"); len(found) > 0 {
		t.Skipf("this machine has %v; buttons must not be taken from it", found)
	}
	_, err := OpenGPIO(GPIOConfig{Chip: "pad", Lines: five})
	if !errors.Is(err, ErrAbsent) {
		t.Fatalf("got %v, want ErrAbsent", err)
	}
	for _, want := range []string{"cannot open the rating buttons", "/dev/gpiochip", "plugged in", "kernel driver", "gpiodetect"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := NewGPIOLamps(GPIOConfig{Chip: "pad", Lines: five}).Lamps()[0].Set(true); !errors.Is(err, ErrAbsent) {
		t.Errorf("lamp: %v, want ErrAbsent", err)
	}
	// Even so the library is asked as it would be with chips, which must leave file descriptor 0 filled.
	if err := (&periphMachine{}).scan(); err == nil || !strings.Contains(err.Error(), "no GPIO chips found") {
		t.Errorf("scan: %v", err)
	}
}

// periph closes file descriptor 0 where two nodes lead to one chip.
func TestKeepStdin(t *testing.T) {
	keep, err := unix.Dup(0)
	if err != nil {
		t.Skip("this test runs without standard input:", err)
	}
	defer unix.Close(keep)
	defer unix.Dup2(keep, 0)
	unix.Close(0)
	keepStdin()
	var st unix.Stat_t
	if err := unix.Fstat(0, &st); err != nil {
		t.Fatalf("descriptor 0 is still closed: %v", err)
	}
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Fd() == 0 {
		t.Error("the next open got descriptor 0")
	}
}

// A plain file in the place of a chip would leave the library with a descriptor that is closed twice.
func TestProveChip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gpiochip0")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := proveChip(path); err == nil || !strings.Contains(err.Error(), "not a GPIO chip") {
		t.Errorf("got %v", err)
	}
	if _, err := proveChip(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
