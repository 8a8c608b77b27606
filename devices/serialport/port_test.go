package serialport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"yuanban/devices/serialport"
)

// openPair returns a driver's port and the cable at whose far end the test sits.
func openPair(t *testing.T) (*serialport.Port, *serialport.PtyLink) {
	t.Helper()
	link := openLink(t)
	port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return port, link
}

func openLink(t *testing.T) *serialport.PtyLink {
	t.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	return link
}

func TestBytesPassUnchangedBothWays(t *testing.T) {
	port, link := openPair(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, way := range []struct {
		name     string
		from, to io.ReadWriter
	}{{"device to driver", link, port}, {"driver to device", port, link}} {
		if _, err := way.from.Write(all); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(way.to, got); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		if !bytes.Equal(got, all) {
			t.Errorf("%s: got % X", way.name, got)
		}
	}
}

// The three ends of a read that tarm/serial cannot tell apart.
func TestIdleGoneAndClosedDiffer(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*serialport.Port, *serialport.PtyLink) error
		want error
	}{
		{"idle", func(p *serialport.Port, _ *serialport.PtyLink) error {
			return p.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		}, os.ErrDeadlineExceeded},
		{"unplugged", func(_ *serialport.Port, l *serialport.PtyLink) error { return l.Unplug() }, serialport.ErrGone},
		{"closed", func(p *serialport.Port, _ *serialport.PtyLink) error { return p.Close() }, os.ErrClosed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			port, link := openPair(t)
			result := make(chan error, 1)
			go func() {
				_, err := port.Read(make([]byte, 1))
				result <- err
			}()
			if err := tc.end(port, link); err != nil {
				t.Fatal(err)
			}
			err := within(t, result)
			if !errors.Is(err, tc.want) {
				t.Errorf("read ended with %v, want %v", err, tc.want)
			}
			for _, other := range []error{os.ErrDeadlineExceeded, serialport.ErrGone, os.ErrClosed, io.EOF} {
				if other != tc.want && errors.Is(err, other) {
					t.Errorf("%v also is %v", err, other)
				}
			}
		})
	}
}

func TestAfterUnplugEverythingIsGone(t *testing.T) {
	port, link := openPair(t)
	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
	_, readErr := port.Read(make([]byte, 1))
	_, writeErr := port.Write([]byte{1})
	_, openErr := serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600})
	for what, err := range map[string]error{"read": readErr, "write": writeErr, "flush": port.Flush(), "open": openErr} {
		if !errors.Is(err, serialport.ErrGone) {
			t.Errorf("%s: %v, want %v", what, err, serialport.ErrGone)
		}
	}
	if err := port.Close(); err != nil {
		t.Error(err)
	}
}

func TestReplugBringsTheSamePathBack(t *testing.T) {
	port, link := openPair(t)
	for range 3 {
		if err := errors.Join(link.Unplug(), port.Close(), link.Replug()); err != nil {
			t.Fatal(err)
		}
		var err error
		if port, err = serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200}); err != nil {
			t.Fatal(err)
		}
		if _, err := port.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(link, got); err != nil || string(got) != "ping" {
			t.Fatalf("device read %q, %v", got, err)
		}
	}
	port.Close()
}

// A simulator keeps one Read going while the cable is pulled and put back.
func TestDeviceReadLivesThroughReplug(t *testing.T) {
	port, link := openPair(t)
	type result struct {
		b   byte
		err error
	}
	reads := make(chan result, 1)
	read := func() {
		b := make([]byte, 1)
		_, err := link.Read(b)
		reads <- result{b[0], err}
	}
	go read()
	if err := errors.Join(link.Unplug(), port.Close()); err != nil {
		t.Fatal(err)
	}
	if n, err := link.Write([]byte("lost")); n != 4 || err != nil {
		t.Errorf("writing into a pulled cable: %d, %v", n, err)
	}
	if err := link.Replug(); err != nil {
		t.Fatal(err)
	}
	port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := port.Write([]byte{7}); err != nil {
		t.Fatal(err)
	}
	if r := within(t, reads); r.b != 7 || r.err != nil {
		t.Errorf("read %d, %v", r.b, r.err)
	}

	// Unplugged, the read ends at the deadline or at Close.
	if err := errors.Join(link.Unplug(), link.SetReadDeadline(time.Now().Add(10*time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	go read()
	if r := within(t, reads); !errors.Is(r.err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline while unplugged: %v", r.err)
	}
	if err := link.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go read()
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	if r := within(t, reads); !errors.Is(r.err, os.ErrClosed) {
		t.Errorf("close while unplugged: %v", r.err)
	}
	if err := link.Replug(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("replug after close: %v", err)
	}
}

// The device's end has deadlines too, also for a read or write that already waits.
func TestDeviceDeadlines(t *testing.T) {
	_, link := openPair(t)
	for _, tc := range []struct {
		name string
		wait func() error
	}{
		{"read", func() error { _, err := link.Read(make([]byte, 1)); return err }},
		{"write", func() error { _, err := link.Write(make([]byte, 1<<20)); return err }},
	} {
		done := make(chan error, 1)
		go func() { done <- tc.wait() }()
		if err := link.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := within(t, done); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err := link.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
}

// The driver may close and open the line as often as it likes without the device
// noticing, and what a line held before is not read as an answer.
func TestReopenAtOnce(t *testing.T) {
	port, link := openPair(t)
	for i := range 50 {
		if err := port.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := link.Write([]byte("stale")); err != nil {
			t.Fatal(err)
		}
		var err error
		if port, err = serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600}); err != nil {
			t.Fatalf("open %d: %v", i, err)
		}
	}
	defer port.Close()
	if _, err := link.Write([]byte("N")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := port.Read(b); err != nil || string(b[:n]) != "N" {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

func TestOneOwner(t *testing.T) {
	port, link := openPair(t)
	if _, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600}); !errors.Is(err, serialport.ErrBusy) {
		t.Errorf("second open: %v, want %v", err, serialport.ErrBusy)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 9600})
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	again.Close()
}

// A driver that is killed releases nothing itself; whatever it held must go with it.
func TestAKilledDriverLeavesNoLock(t *testing.T) {
	_, link := openPair(t)
	tty, err := os.OpenFile(link.Path(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if exclusive, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGEXCL); err != nil || exclusive != 0 {
		t.Errorf("exclusive mode of the pseudo-terminal: %d, %v", exclusive, err)
	}
}

func TestWriteDeadlineOnADeviceThatTakesNothing(t *testing.T) {
	port, _ := openPair(t)
	if err := port.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 1<<20)
	n, err := port.Write(big)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n <= 0 || n >= len(big) {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	start := time.Now()
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("close took %v", took)
	}
}

func TestDrain(t *testing.T) {
	port, link := openPair(t)
	if _, err := port.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := port.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	link.Unplug()
	if err := port.Drain(context.Background()); !errors.Is(err, serialport.ErrGone) {
		t.Errorf("drain of a gone line: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	link := openLink(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		cfg  serialport.Config
		says string
	}{
		{serialport.Config{Baud: 9600}, "no device path"},
		{serialport.Config{Path: file, Baud: 9600}, "not a serial line"},
		{serialport.Config{Path: link.Path(), Baud: 12345}, "baud"},
		{serialport.Config{Path: link.Path(), Baud: 9600, Size: 9}, "9 data bits"},
		{serialport.Config{Path: link.Path(), Baud: 9600, StopBits: 3}, "3 stop bits"},
		{serialport.Config{Path: link.Path(), Baud: 9600, Parity: "mark"}, `parity "mark"`},
	} {
		port, err := serialport.Open(tc.cfg)
		if err == nil {
			port.Close()
			t.Errorf("%+v opened", tc.cfg)
			continue
		}
		if !strings.HasPrefix(err.Error(), "cannot open serial line") || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: %q does not say %q", tc.cfg, err, tc.says)
		}
	}
	if _, err := serialport.OpenPtyLink(file); err == nil {
		t.Error("a link replaced a file")
	}
	// Every format that a device asks for.
	for _, cfg := range []serialport.Config{
		{Baud: 57600, Size: 7, Parity: serialport.ParityEven, StopBits: 2},
		{Baud: 9600, Parity: serialport.ParityOdd},
	} {
		cfg.Path = link.Path()
		port, err := serialport.Open(cfg)
		if err != nil {
			t.Error(err)
			continue
		}
		port.Close()
	}
}

func TestStaleLinkIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "printer")
	if err := os.Symlink("/dev/pts/no-such", path); err != nil {
		t.Fatal(err)
	}
	link, err := serialport.OpenPtyLink(path)
	if err != nil {
		t.Fatal(err)
	}
	link.Close()
}

func TestNothingIsLeftBehind(t *testing.T) {
	cycle := func() {
		link := openLink(t)
		port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := port.Read(make([]byte, 1))
			done <- err
		}()
		if _, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 1}); err == nil {
			t.Fatal("opened twice")
		}
		if err := errors.Join(link.Unplug(), link.Replug(), port.Close(), link.Close()); err != nil {
			t.Fatal(err)
		}
		within(t, done)
	}
	cycle() // the poller and the like are made once
	fds, routines := openFiles(t), runtime.NumGoroutine()
	for range 20 {
		cycle()
	}
	deadline := time.Now().Add(5 * time.Second)
	for openFiles(t) > fds || runtime.NumGoroutine() > routines {
		if time.Now().After(deadline) {
			t.Fatalf("descriptors %d -> %d, goroutines %d -> %d", fds, openFiles(t), routines, runtime.NumGoroutine())
		}
		runtime.Gosched()
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// within receives from ch and fails the test when nothing comes in five seconds.
func within[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("still waiting after 5 s")
		panic("unreachable")
	}
}
