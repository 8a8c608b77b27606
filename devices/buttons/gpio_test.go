package buttons

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// fakeChip plays one chip behind the seam.
type fakeChip struct {
	bits     uint64
	err      error // of read and write: the chip is gone
	busy     error
	waitErr  error
	edge     int
	waits    int
	lines    []inputLine
	edges    bool
	keys     []string
	held     map[int]string
	writes   []uint64
	closed   int
	requests int
}

func (f *fakeChip) inputs(lines []inputLine, edges bool) (inputSet, error) {
	f.lines, f.edges = lines, edges
	f.requests++
	return f, f.busy
}
func (f *fakeChip) outputs(keys []string) (outputSet, error) {
	f.keys = keys
	f.requests++
	f.bits = 0 // as the kernel does
	return f, f.busy
}
func (f *fakeChip) holder(number int) string        { return f.held[number] }
func (f *fakeChip) read() (uint64, error)           { return f.bits, f.err }
func (f *fakeChip) wait(time.Duration) (int, error) { f.waits++; return f.edge, f.waitErr }
func (f *fakeChip) Close() error                    { f.closed++; return nil }
func (f *fakeChip) write(bits, mask uint64) error {
	if f.err != nil {
		return f.err
	}
	f.bits = f.bits&^mask | bits
	f.writes = append(f.writes, f.bits)
	return nil
}

func (f *fakeChip) asked() string {
	var all []string
	for _, l := range f.lines {
		all = append(all, l.key+" "+string(l.pull))
	}
	return strings.Join(all, ", ")
}

func machineOf(chips ...chip) scanner { return func() ([]chip, error) { return chips, nil } }

// named is a chip whose lines have these names; a line without one is found by its number, as linesOf arranges it.
func named(f *fakeChip, label, name string, lines ...string) chip {
	c := chip{label: label, name: name, path: "/dev/" + name, request: f}
	for n, l := range lines {
		key := l
		if l == "" {
			key = fmt.Sprintf("#%d", n)
		}
		c.lines = append(c.lines, chipLine{name: l, key: key})
	}
	return c
}

// wires are wires to lines, named after what hangs on them.
func wires(low bool, lines ...string) (all []Wire) {
	for i, l := range lines {
		all = append(all, Wire{Name: fmt.Sprintf("button %d", i+1), Line: l, ActiveLow: low})
	}
	return all
}

func five(low bool) GPIOConfig {
	return GPIOConfig{Name: "rating buttons", Chip: "pad", Wires: wires(low, "B1", "B2", "B3", "B4", "B5")}
}

func TestGPIOLevels(t *testing.T) {
	for _, c := range []struct {
		name string
		low  bool
		bits uint64
		want uint64
	}{
		{"high is down", false, 0b10001, 0b10001},
		{"low is down", true, 0b01110, 0b10001},
		{"all up", true, 0b11111, 0},
		{"more bits than lines", false, 1<<40 | 1, 1},
		{"more bits than lines, low", true, 1<<40 | 0b11110, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeChip{bits: c.bits}
			g, err := openGPIO(five(c.low), machineOf(named(f, "pad", "gpiochip3", "x", "B5", "B4", "B3", "B2", "B1")))
			if err != nil {
				t.Fatal(err)
			}
			got, err := g.Levels()
			pull := map[bool]string{true: "up", false: "down"}[c.low]
			asked := strings.ReplaceAll("B1 P, B2 P, B3 P, B4 P, B5 P", "P", pull)
			if got != c.want || err != nil || f.asked() != asked {
				t.Errorf("levels %05b, %v, asked for %q; want %05b, %q", got, err, f.asked(), c.want, asked)
			}
		})
	}
}

// Inputs of either polarity, with pulls of their own, by name, by number, behind a prefix: one request, each its own bit.
func TestGPIOMixedWires(t *testing.T) {
	f := &fakeChip{bits: 0b1001, edge: 2}
	cfg := GPIOConfig{Name: "sensors", Chip: "/dev/gpiochip3", Wires: []Wire{
		{Name: Help, Line: "#2", ActiveLow: true}, {Name: Key, Line: "KEY"}, {Name: Door, Line: "#0", Pull: PullUp}, {Name: Presence, Line: "A", Pull: PullNone}}}
	g, err := openGPIO(cfg, machineOf(named(&fakeChip{}, "pad", "gpiochip1"), named(f, "pad", "gpiochip3", "", "gpiochip3-KEY", "", "A", "")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := g.Levels(); got != 0b1000 || err != nil {
		t.Errorf("levels %04b, %v", got, err)
	}
	if edges, err := g.WaitEdge(time.Second); edges != 0b100 || err != nil {
		t.Errorf("edges %04b, %v", edges, err)
	}
	if want := "#2 up, gpiochip3-KEY down, #0 up, A none"; f.asked() != want || f.requests != 1 {
		t.Errorf("asked for %q in %d requests, want %q in one", f.asked(), f.requests, want)
	}
}

func TestGPIOErrors(t *testing.T) {
	link := filepath.Join(t.TempDir(), "buttons")
	if err := os.Symlink("/dev/gpiochip9", link); err != nil {
		t.Fatal(err)
	}
	held := named(&fakeChip{busy: errors.New("LineSetFromConfig: device or resource busy"), held: map[int]string{0: "gpiomon"}}, "pad", "gpiochip3", "B1")
	old := named(&fakeChip{}, "pad", "gpiochip0", "")
	old.lines[0].key = "" // a library that cannot be told
	one := wires(false, "B1")
	for _, c := range []struct {
		name  string
		chip  string
		wires []Wire
		scan  scanner
		want  []string
		is    error
	}{
		{"no lines", "pad", nil, machineOf(), []string{"no line is named"}, nil},
		{"too many lines", "pad", make([]Wire, 65), machineOf(), []string{"65 lines are too many"}, nil},
		{"no such chip", "pad", one, machineOf(named(nil, "soc", "gpiochip0")), []string{`no GPIO chip "pad"`, `"soc" (/dev/gpiochip0)`}, ErrAbsent},
		{"no such path", link, one, machineOf(named(nil, "soc", "gpiochip0")), []string{link}, ErrAbsent},
		{"two of a label", "pad", one, machineOf(named(nil, "pad", "gpiochip0"), named(nil, "pad", "gpiochip1")), []string{"2 GPIO chips", "/dev/gpiochip0, /dev/gpiochip1"}, nil},
		{"no such line", "pad", one, machineOf(named(nil, "pad", "gpiochip0", "A")), []string{"line of button 1", `no line "B1"`, "gpioinfo"}, ErrAbsent},
		{"no such number", "pad", wires(false, "#1"), machineOf(named(nil, "pad", "gpiochip0", "A")), []string{"lines #0 to #0"}, ErrAbsent},
		{"no number", "pad", wires(false, "#x"), machineOf(named(nil, "pad", "gpiochip0", "A")), []string{`not "#x"`}, ErrAbsent},
		{"a line that cannot be told apart", "pad", wires(false, "#0"), machineOf(old), []string{"device tree"}, nil},
		{"a name twice", "pad", one, machineOf(named(nil, "pad", "gpiochip0", "A", "B1", "B1")), []string{"several lines", `"#1"`}, nil},
		{"a line for two buttons", "pad", wires(false, "B1", "#0"), machineOf(named(nil, "pad", "gpiochip0", "B1")), []string{"button 1 and button 2 have the same line"}, nil},
		{"somebody else has it", "pad", one, machineOf(held), []string{`B1 held by "gpiomon"`}, ErrBusy},
		{"no chips at all", "pad", one, func() ([]chip, error) { return nil, ErrAbsent }, nil, ErrAbsent},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openGPIO(GPIOConfig{Name: "rating buttons", Chip: c.chip, Wires: c.wires}, c.scan)
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
		g, err := openGPIO(five(true), machineOf(named(f, "pad", "gpiochip3", "B5", "B4", "B3", "B2", "B1")))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Run("reading fails", func(t *testing.T) {
		f := &fakeChip{bits: 0, err: errors.New("no such device")} // all low, which is "pressed" here
		r := &record{}
		err := New(open(t, f), r.opts(nil)).Run(t.Context())
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
			f := &fakeChip{waitErr: os.ErrDeadlineExceeded, bits: 0b11111}
			if got, err := listen(open(t, f), nil, 2*time.Second); len(got) != 1 || err != nil || f.waits > 10 {
				t.Errorf("told %v, %v, %d waits in 2 s", got, err, f.waits)
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

// tapeSet are the lines of a tape, looked at only.
type tapeSet struct{ *tape }

func (s tapeSet) read() (uint64, error)         { return s.Levels() }
func (tapeSet) wait(time.Duration) (int, error) { panic("edges are not waited for") }
func (tapeSet) Close() error                    { return nil }

// TestPoll: where no edges are waited for, an honest press is told all the same, and any press that is told was seen for its
// debounce time. A chip that is pulled out is noticed.
func TestPoll(t *testing.T) {
	inputs := RatingButtons()
	rapid.Check(t, func(rt *rapid.T) {
		moves := drawMoves(rt, len(inputs))
		end := moves[len(moves)-1].at
		moves = append(moves, move{end + 50*time.Millisecond, 0, false}, move{end + 50*time.Millisecond, 1, false}, move{end + 50*time.Millisecond, 2, false},
			move{end + 50*time.Millisecond, 3, false}, move{end + 50*time.Millisecond, 4, false})
		n := rapid.IntRange(1, Count).Draw(rt, "button")
		moves = append(moves, finger(n, end+40*time.Second, 150*time.Millisecond, 5*time.Millisecond, 300*time.Microsecond)...)
		l := newTape(moves)
		l.gone = end + 50*time.Second
		var problem error
		synctest.Test(t, func(t *testing.T) {
			got, err := listen(&GPIO{set: tapeSet{l}, all: 1<<Count - 1, poll: true}, inputs, end+time.Minute)
			switch presses := pressesOf(got); {
			case !errors.Is(err, ErrGone) || got[len(got)-1].at > l.gone+2*pollEvery:
				problem = fmt.Errorf("pulled out at %v: %v, told %v", l.gone, err, got)
			case len(presses) == 0 || presses[len(presses)-1] != n:
				problem = fmt.Errorf("an honest press of %d was not told: %v", n, got)
			default:
				problem = shown(l, inputs, got)
			}
		})
		if problem != nil {
			rt.Fatalf("%v\nmoves %v", problem, moves)
		}
	})
}

// Chips on USB are polled where the kernel does not survive an unplug.
func TestNoEdges(t *testing.T) {
	for _, c := range []struct{ asked, fragile bool }{{false, false}, {false, true}, {true, false}} {
		f := &fakeChip{}
		chip := named(f, "pad", "gpiochip3", "B1", "B2", "B3", "B4", "B5")
		chip.noEdges = c.fragile
		cfg := five(true)
		cfg.Poll = c.asked
		if _, err := openGPIO(cfg, machineOf(chip)); err != nil || f.edges != (!c.asked && !c.fragile) {
			t.Errorf("%+v: edges %v, %v", c, f.edges, err)
		}
	}
	for release, want := range map[string]bool{"6.1.0-56-amd64": false, "6.6.30": false, "6.12.117+deb12-amd64": true, "7.0.1": true, "5.10.0": false, "6.12-rc1": true, "?": false} {
		if got := survivesUnplug(release); got != want {
			t.Errorf("%s: %v", release, got)
		}
	}
	for device, want := range map[string]bool{
		"/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:10C4:EA90.0001/gpiochip2": true,
		"/sys/devices/platform/INT34C5:00/gpiochip0":                                          false,
	} {
		if got := pluggable(device); got != want {
			t.Errorf("%s: %v", device, got)
		}
	}
}

// The chip comes back under another number, its names now behind that number, and a wait without timeout is never asked for.
func TestGPIOComesBackElsewhere(t *testing.T) {
	first, second := &fakeChip{}, &fakeChip{bits: 0b00100}
	for _, c := range []chip{
		named(first, "pad", "gpiochip1", "B1", "B2", "B3", "B4", "B5"),
		named(second, "pad", "gpiochip7", "gpiochip7-B1", "gpiochip7-B2", "gpiochip7-B3", "gpiochip7-B4", "gpiochip7-B5"),
	} {
		if _, err := openGPIO(five(false), machineOf(named(&fakeChip{}, "soc", "gpiochip0"), c)); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	if first.requests != 1 || second.requests != 1 || second.lines[2].key != "gpiochip7-B3" {
		t.Errorf("asked %q, then %q", first.asked(), second.asked())
	}
}

func TestGPIOLamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeChip{}
		var here bool
		l := newGPIOLamps(GPIOConfig{Name: "lamps", Chip: "pad", Wires: wires(true, "", "L2", "", "", "L5")}, func() ([]chip, error) {
			if !here {
				return nil, ErrAbsent
			}
			return []chip{named(f, "pad", "gpiochip0", "L5", "L2")}, nil
		})
		lamps := l.Lamps()
		if len(lamps) != Count || lamps[0] != nil || lamps[1] == nil || lamps[4] == nil {
			t.Fatalf("lamps %v", lamps)
		}
		if err := lamps[1].Set(true); !errors.Is(err, ErrAbsent) {
			t.Errorf("no chip: %v", err)
		}
		here = true
		if err := lamps[1].Set(true); !errors.Is(err, ErrAbsent) {
			t.Errorf("looked again at once: %v", err)
		}
		time.Sleep(reopenPause)
		if err := errors.Join(lamps[1].Set(true), lamps[4].Set(true), lamps[1].Set(false)); err != nil {
			t.Fatal(err)
		}
		if want := []uint64{0b10, 0b00, 0b01}; !slices.Equal(f.writes, want) { // low is lit; bit 0 is button 2
			t.Errorf("wrote %b, want %b", f.writes, want)
		}
		f.err = errors.New("no such device")
		if err := lamps[4].Set(false); !errors.Is(err, ErrGone) || f.closed != 1 {
			t.Errorf("gone: %v, closed %d times", err, f.closed)
		}
		f.err, f.writes = nil, nil
		time.Sleep(reopenPause)
		if err := lamps[1].Set(true); err != nil || !slices.Equal(f.writes, []uint64{0b10}) {
			t.Errorf("back: %v, wrote %b, want what was set last of each", err, f.writes)
		}
		if err := l.Close(); err != nil || f.closed != 2 {
			t.Errorf("closed: %v, %d times", err, f.closed)
		}
	})
}

// A relay has the power on from the moment it is opened until after it is closed, but where it is told otherwise.
func TestRelay(t *testing.T) {
	for _, c := range []struct {
		name     string
		low      bool
		on, off  uint64
		starting uint64 // what the kernel makes of the line at first
	}{
		{"low is powered: never off by itself", true, 0, 1, 0},
		{"high is powered", false, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeChip{bits: 1}
			cfg := GPIOConfig{Name: "reader relay", Chip: "pad", Wires: []Wire{{Name: "reader relay", Line: "R", ActiveLow: c.low}}}
			r, err := openRelay(cfg, machineOf(named(f, "pad", "gpiochip0", "R")))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.Set(false), r.Set(true), r.Set(false), r.Close(), r.Close()); err != nil {
				t.Error(err)
			}
			if want := []uint64{c.on, c.off, c.on, c.off, c.on}; !slices.Equal(f.writes, want) || f.closed != 1 {
				t.Errorf("wrote %b, want %b; closed %d times", f.writes, want, f.closed)
			}
			if err := r.Set(false); !errors.Is(err, ErrGone) {
				t.Errorf("after Close: %v", err)
			}
		})
	}
	f := &fakeChip{err: errors.New("no such device")}
	cfg := GPIOConfig{Name: "reader relay", Chip: "pad", Wires: wires(true, "R")}
	if _, err := openRelay(cfg, machineOf(named(f, "pad", "gpiochip0", "R"))); !errors.Is(err, ErrGone) || f.closed != 1 {
		t.Errorf("a chip that goes as it is opened: %v, closed %d times", err, f.closed)
	}
	cfg.Wires = wires(true, "R", "S")
	if _, err := openRelay(cfg, machineOf(named(f, "pad", "gpiochip0", "R", "S"))); err == nil {
		t.Error("a relay of two lines was opened")
	}
}
