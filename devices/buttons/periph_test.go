package buttons

import (
	"errors"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"periph.io/x/host/v3/gpioioctl"
)

// One file knows the library, and no other part of it than is walled off there.
func TestPeriphHasOneFile(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"periph.io/x/conn/v3/driver/driverreg", "periph.io/x/conn/v3/gpio", "periph.io/x/host/v3/gpioioctl"}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if !strings.HasPrefix(path, "periph.io/") {
				continue
			}
			if strings.TrimSuffix(name, "_test.go") != "periph" && name != "periph.go" {
				t.Errorf("%s imports %s: only periph.go may", name, path)
			}
			ok := false
			for _, a := range allowed {
				ok = ok || path == a
			}
			if !ok {
				t.Errorf("%s imports %s, which brings drivers of its own", name, path)
			}
		}
	}
}

// The words that periph.go must not use: see periph.md.
func TestPeriphIsWalledOff(t *testing.T) {
	text, err := os.ReadFile("periph.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "// periphMachine is")
	for _, word := range []string{".ByNumber(", ".ByName(", ".Halt(", ".Func(", "gpioreg", "Chips[0]", ".In(", "host.Init"} {
		if strings.Contains(code, word) {
			t.Errorf("periph.go uses %s", word)
		}
	}
}

// Lines without a name of their own get one inside the library: this holds for the version that go.mod names.
func TestRename(t *testing.T) {
	l := &gpioioctl.GPIOLine{}
	if !rename(l, "#17") || l.Name() != "#17" {
		t.Errorf("the library calls the line %q: lines without a name cannot be used with this version of it", l.Name())
	}
}

// The real library, asked for a chip that no machine has: build servers have none at all.
func TestOpenGPIOOfThisMachine(t *testing.T) {
	says := []string{"cannot open the rating buttons", "/dev/gpiochip", "plugged in", "kernel driver", "gpiodetect"}
	found, err := filepath.Glob("/dev/gpiochip*")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		says = []string{"cannot open the rating buttons", `no GPIO chip "no such pad"`, "plug the chip in"}
	}
	cfg := five(true)
	cfg.Chip = "no such pad"
	_, err = OpenGPIO(cfg)
	if !errors.Is(err, ErrAbsent) {
		t.Fatalf("got %v, want ErrAbsent", err)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := NewGPIOLamps(cfg).Lamps()[0].Set(true); !errors.Is(err, ErrAbsent) {
		t.Errorf("lamp: %v, want ErrAbsent", err)
	}
	if _, err := OpenRelay(GPIOConfig{Name: "relay", Chip: cfg.Chip, Wires: wires(true, "R")}); !errors.Is(err, ErrAbsent) {
		t.Errorf("relay: %v, want ErrAbsent", err)
	}
	// The library's own answer where there is nothing, which must leave file descriptor 0 filled.
	if err := (&periphMachine{}).scan(); len(found) == 0 && (err == nil || !strings.Contains(err.Error(), "no GPIO chips found")) {
		t.Errorf("scan: %v", err)
	}
}

// Only nodes that are proven to be chips, each once, are shown to the library.
func TestChipNodes(t *testing.T) {
	prove := func(path string) (node, error) {
		switch path {
		case "/dev/gpiochip0", "/dev/gpiochip4": // as on some single-board computers
			return node{device: 254, mark: "a"}, nil
		case "/dev/gpiochip1":
			return node{device: 255, mark: "b"}, nil
		case "/dev/gpiochip2":
			return node{}, &os.PathError{Op: "open", Path: path, Err: os.ErrPermission}
		case "/dev/gpiochip3":
			return node{}, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
		}
		return node{}, errors.New(path + " is not a GPIO chip")
	}
	for _, c := range []struct {
		name    string
		paths   string
		nodes   int
		refused bool
		err     string
	}{
		{"none", "", 0, false, "this machine has no /dev/gpiochip*"},
		{"two", "/dev/gpiochip0 /dev/gpiochip1", 2, false, ""},
		{"one is pulled out this moment", "/dev/gpiochip0 /dev/gpiochip3", 1, false, ""},
		{"one may not be opened", "/dev/gpiochip0 /dev/gpiochip2", 1, true, ""},
		{"none may be opened", "/dev/gpiochip2", 0, false, "must be in the group of that node"},
		{"a node that is no chip", "/dev/gpiochip0 /dev/gpiochip9", 0, false, "is not a GPIO chip"},
		{"two nodes of one chip", "/dev/gpiochip0 /dev/gpiochip4", 0, false, "/dev/gpiochip0 and /dev/gpiochip4 are the same GPIO chip"},
	} {
		nodes, refused, err := chipNodes(strings.Fields(c.paths), prove)
		if len(nodes) != c.nodes || (refused != nil) != c.refused || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, refused %v, %v; want %d nodes, %q", c.name, nodes, refused, err, c.nodes, c.err)
		}
	}
}

// periph closes file descriptor 0 where two nodes lead to one chip, and takes 0 for "not open".
func TestKeepStdin(t *testing.T) {
	keep, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil { // this test was started without standard input: it gets one, and loses it again
		null, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		if keep, err = unix.FcntlInt(null.Fd(), unix.F_DUPFD_CLOEXEC, 3); err != nil {
			t.Fatal(err)
		}
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
