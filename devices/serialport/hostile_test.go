package serialport_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"yuanban/devices/serialport"
)

// TestUnplugAtEveryMoment: whenever the plug is pulled, before, in or after any call, each call returns soon, and says that it
// worked, that the device is gone or that its own deadline came. Nothing is left behind.
func TestUnplugAtEveryMoment(t *testing.T) {
	link := openLink(t)
	cfg := serialport.Config{Path: link.Path(), Baud: 115200, Record: filepath.Join(t.TempDir(), "tape")}
	fds, routines := openFiles(t), runtime.NumGoroutine()
	random := rand.New(rand.NewPCG(1, 2))
	gone := map[string]int{}
	for i := range 400 {
		var plug sync.WaitGroup
		wait := time.Duration(random.IntN(600)) * time.Microsecond
		plug.Go(func() {
			for end := time.Now().Add(wait); time.Now().Before(end); {
				runtime.Gosched()
			}
			if err := link.Unplug(); err != nil {
				t.Error(err)
			}
		})
		use(t, cfg, i%2 == 0, gone)
		plug.Wait()
		if err := link.Replug(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("gone in: %v", gone)
	port, err := serialport.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	port.Close()
	nothingLeft(t, fds+1, routines) // one for the pseudo-terminal that is plugged in again
}

// use does what drivers do, until the device is gone.
func use(t *testing.T, cfg serialport.Config, flood bool, gone map[string]int) {
	t.Helper()
	port, err := serialport.Open(cfg)
	if err != nil {
		if !errors.Is(err, serialport.ErrGone) {
			t.Errorf("open: %v", err)
		}
		gone["open"]++
		return
	}
	chunk := make([]byte, 64)
	if flood {
		chunk = make([]byte, 1<<16)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"write", func() error { _, err := port.Write(chunk); return err }},
		{"queued", func() error { _, err := port.Queued(); return err }},
		{"drain", func() error { return port.Drain(context.Background()) }},
		{"read", func() error { _, err := port.Read(chunk); return err }},
		{"flush", port.Flush},
	}
	for begun, over := time.Now(), false; !over && time.Since(begun) < 5*time.Second; {
		for _, s := range steps {
			port.SetDeadline(time.Now().Add(50 * time.Microsecond))
			err := s.do()
			switch {
			case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
			case errors.Is(err, serialport.ErrGone):
				gone[s.name]++
				over = true
			default:
				t.Errorf("%s: %v", s.name, err)
				over = true
			}
			if over {
				break
			}
		}
	}
	if err := port.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// nothingLeft waits until there are no more descriptors and goroutines than before.
func nothingLeft(t *testing.T, fds, routines int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); openFiles(t) > fds || runtime.NumGoroutine() > routines; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("descriptors %d -> %d, goroutines %d -> %d", fds, openFiles(t), routines, runtime.NumGoroutine())
		}
	}
}

// TestUnplugInClose: closing and pulling the plug at once, from many sides.
func TestUnplugInClose(t *testing.T) {
	link := openLink(t)
	for range 100 {
		port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600})
		if err != nil {
			t.Fatal(err)
		}
		reading := make(chan error, 1)
		go func() { _, err := port.Read(make([]byte, 1)); reading <- err }()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := port.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := link.Unplug(); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if err := within(t, reading); !errors.Is(err, os.ErrClosed) && !errors.Is(err, serialport.ErrGone) {
			t.Errorf("read: %v", err)
		}
		if err := link.Replug(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestManyOwnersAtOnce: of those who open a line in the same moment one gets it.
func TestManyOwnersAtOnce(t *testing.T) {
	link := openLink(t)
	for range 50 {
		ports := make(chan *serialport.Port, 8)
		var all sync.WaitGroup
		for range cap(ports) {
			all.Go(func() {
				port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600})
				if err == nil {
					ports <- port
				} else if !errors.Is(err, serialport.ErrBusy) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(ports) != 1 {
			t.Fatalf("%d owners", len(ports))
		}
		(<-ports).Close()
	}
}

// TestNotALine: what is no serial line is refused at once, named, and left as it was.
func TestNotALine(t *testing.T) {
	dir := t.TempDir()
	file, pipe, socket := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "socket")
	dangling, circle := filepath.Join(dir, "dangling"), filepath.Join(dir, "circle")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := errors.Join(os.WriteFile(file, []byte("kept"), 0o600), unix.Mkfifo(pipe, 0o600),
		os.Symlink("/dev/ttyUSB-none", dangling), os.Symlink(circle, circle)); err != nil {
		t.Fatal(err)
	}
	fds, routines := openFiles(t), runtime.NumGoroutine()
	for _, tc := range []struct {
		path, says string
		gone       bool
	}{
		{file, "not a serial line but a file", false},
		{pipe, "not a serial line but a pipe", false},
		{socket, "not a serial line but a socket", false},
		{dir, "not a serial line but a directory", false},
		{"/dev/null", "not a serial line: inappropriate ioctl", false},
		{circle, "too many levels of symbolic links", false},
		{dangling, "device gone", true},
		{filepath.Join(file, "x"), "not a directory", false},
		{"/dev/pts/999999", "device gone", true},
		{"\x00", "invalid argument", false},
	} {
		port, err := serialport.Open(serialport.Config{Path: tc.path, Baud: 9600})
		if err == nil {
			port.Close()
			t.Errorf("%q opened", tc.path)
			continue
		}
		if !strings.Contains(err.Error(), tc.says) || errors.Is(err, serialport.ErrGone) != tc.gone {
			t.Errorf("%q: %v, want %q", tc.path, err, tc.says)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "kept" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	nothingLeft(t, fds, routines)
}

// TestPortsNeedNoThreads: twenty ports that wait for a byte are watched by Go's poller, not by twenty threads.
func TestPortsNeedNoThreads(t *testing.T) {
	const ports = 20
	before := threads(t)
	stop := idlePorts(t, ports)
	if n := threads(t) - before; n >= ports/2 {
		t.Errorf("%d more threads for %d waiting ports", n, ports)
	}
	stop()
}

// idlePorts opens ports each of which has a read waiting, and returns how to end that.
func idlePorts(t testing.TB, n int) (stop func()) {
	t.Helper()
	var reading sync.WaitGroup
	var close []io.Closer
	for i := range n {
		link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
		if err != nil {
			t.Fatal(err)
		}
		reading.Go(func() {
			if _, err := port.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		})
		close = append(close, port, link)
	}
	time.Sleep(50 * time.Millisecond) // until they all wait
	return func() {
		for _, c := range close {
			c.Close()
		}
		reading.Wait()
	}
}

// threads counts those of this process.
func threads(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
