package serialport

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// TestFormatWords: a configuration as the bits that the kernel is asked for and as technicians write it.
func TestFormatWords(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		bits uint32
		word string
	}{
		{Config{}, unix.CS8, "8N1"},
		{Config{Size: 8, Parity: ParityNone, StopBits: 1}, unix.CS8, "8N1"},
		{Config{Size: 7, Parity: ParityEven, StopBits: 2}, unix.CS7 | unix.PARENB | unix.CSTOPB, "7E2"},
		{Config{Size: 5, Parity: ParityOdd}, unix.CS5 | unix.PARENB | unix.PARODD, "5O1"},
		{Config{RTSCTS: true}, unix.CS8 | unix.CRTSCTS, "8N1"},
	} {
		if got := tc.cfg.cflag(); got != tc.bits || tc.cfg.word() != tc.word {
			t.Errorf("%+v: bits %o, want %o; %s, want %s", tc.cfg, got, tc.bits, tc.cfg.word(), tc.word)
		}
	}
}

// TestRefused: what a driver changed is named, and what it may do with other bits is its own affair.
func TestRefused(t *testing.T) {
	want := Config{Size: 7, Parity: ParityOdd, StopBits: 2, RTSCTS: true}.cflag()
	for _, tc := range []struct {
		got  uint32
		says string
	}{
		{want, ""},
		{want | unix.CREAD | unix.CLOCAL | unix.HUPCL | unix.B115200, ""},
		{want ^ unix.CS7 ^ unix.CS8, "data bits"},
		{want &^ unix.PARENB, "parity"},
		{want &^ unix.PARODD, "parity"},
		{want &^ unix.CSTOPB, "stop bits"},
		{want &^ unix.CRTSCTS, "RTS/CTS"},
		{0, "data bits"},
	} {
		err := refused(want, tc.got)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%o: %v, want %q", tc.got, err, tc.says)
		}
	}
	if err := refused(Config{}.cflag(), unix.CS8|unix.CRTSCTS); err == nil {
		t.Error("flow control that was not asked for passed")
	}
}

// TestNoModemLines: a pseudo-terminal says so, in every way of asking, and not that it is gone.
func TestNoModemLines(t *testing.T) {
	link, err := OpenPtyLink(filepath.Join(t.TempDir(), "device"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	port, err := Open(Config{Path: link.Path(), Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	all := func() map[string]error {
		_, cts := port.CTS()
		_, dsr := port.DSR()
		return map[string]error{"CTS": cts, "DSR": dsr, "SetDTR": port.SetDTR(true), "SetRTS": port.SetRTS(false)}
	}
	for name, err := range all() {
		if !errors.Is(err, ErrNoModemLines) || errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(Config{Path: link.Path(), Baud: 9600}); !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	link.Unplug()
	for name, err := range all() {
		if !errors.Is(err, ErrGone) {
			t.Errorf("%s of an unplugged line: %v", name, err)
		}
	}
	port.Close()
	for name, err := range all() {
		if !errors.Is(err, os.ErrClosed) || errors.Is(err, ErrGone) {
			t.Errorf("%s of a closed line: %v", name, err)
		}
	}
	_, queued := port.Queued()
	for name, err := range map[string]error{"Queued": queued, "Flush": port.Flush(), "Drain": port.Drain(t.Context()), "SetDeadline": port.SetDeadline(time.Now())} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s of a closed line: %v", name, err)
		}
	}
	// The kernel would say that a pseudo-terminal has flow control, and stop nobody.
	link.Replug()
	if _, err := Open(Config{Path: link.Path(), Baud: 9600, RTSCTS: true}); !errors.Is(err, ErrNoModemLines) || !strings.Contains(err.Error(), "RTS/CTS") {
		t.Errorf("RTS/CTS of a pseudo-terminal: %v", err)
	}
	// With flow control RTS is not ours.
	if err := (&Port{rtscts: true}).SetRTS(true); err == nil || !strings.Contains(err.Error(), "the kernel sets it") {
		t.Errorf("setting RTS against flow control: %v", err)
	}
}

// TestTheKernelHangs: no call of this package waits longer than it says for a kernel that does not come back, and what comes back
// after all is let go.
func TestTheKernelHangs(t *testing.T) {
	stuck := errors.New("stuck")
	synctest.Test(t, func(t *testing.T) {
		kernel := make(chan error)
		let := make(chan int, 1)
		call := func(ctx context.Context) (time.Duration, error) {
			begun := time.Now()
			v, err := bounded(ctx, openWait, stuck, func() (int, error) {
				if err := <-kernel; err != nil {
					return 0, err
				}
				return 7, nil
			}, func(v int) { let <- v })
			if err != nil && v != 0 {
				t.Errorf("%d beside %v", v, err)
			}
			return time.Since(begun), err
		}
		if took, err := call(t.Context()); took != openWait || err != stuck {
			t.Errorf("%v after %v", err, took)
		}
		kernel <- nil
		if v := <-let; v != 7 {
			t.Errorf("let go: %d", v)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if took, err := call(ctx); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %v", err, took)
		}
		kernel <- unix.EIO // nothing to let go
		synctest.Wait()
		if len(let) != 0 {
			t.Error("an error was let go as a port")
		}
		time.AfterFunc(time.Millisecond, func() { kernel <- unix.EIO })
		if took, err := call(t.Context()); took != time.Millisecond || err != unix.EIO {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestTheLockedTtyIsSet: a link that leads elsewhere by the time tarm/serial opens it must not get another tty set.
func TestTheLockedTtyIsSet(t *testing.T) {
	locked, other := mustPty(t), mustPty(t)
	f, err := os.OpenFile(locked.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cfg := Config{Path: other.Path(), Baud: 1200}
	format, err := cfg.format()
	if err != nil {
		t.Fatal(err)
	}
	if err := control(f, func(fd int) error { return claim(fd, cfg, format) }); err != nil {
		t.Fatal(err)
	}
	for pty, want := range map[*Pty]bool{locked: true, other: false} {
		var rate uint32
		if err := control(pty.held, func(fd int) error {
			tio, err := unix.IoctlGetTermios(fd, unix.TCGETS)
			rate = tio.Cflag & unix.CBAUD
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if (rate == unix.B1200) != want {
			t.Errorf("%s: rate %o", pty.Path(), rate)
		}
	}
}

func mustPty(t *testing.T) *Pty {
	t.Helper()
	p, err := OpenPty()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestExplain: what the kernel says, in the words that drivers tell apart.
func TestExplain(t *testing.T) {
	all := []error{ErrGone, ErrBusy, fs.ErrPermission}
	for err, want := range map[error]error{
		io.EOF: ErrGone, unix.EIO: ErrGone, unix.ENXIO: ErrGone, unix.ENODEV: ErrGone, unix.ENOENT: ErrGone,
		unix.EBUSY: ErrBusy, unix.EWOULDBLOCK: ErrBusy, unix.EACCES: fs.ErrPermission, unix.EPERM: fs.ErrPermission,
		unix.ENOTTY: nil, os.ErrDeadlineExceeded: nil, os.ErrClosed: nil, context.Canceled: nil,
	} {
		got := explain(&fs.PathError{Op: "open", Path: "/dev/x", Err: err})
		for _, is := range all {
			if errors.Is(got, is) != (is == want) {
				t.Errorf("%v became %v", err, got)
			}
		}
		if err != io.EOF && !errors.Is(got, err) {
			t.Errorf("%v lost its cause: %v", err, got)
		}
	}
	if err := explain(unix.EACCES); !strings.Contains(err.Error(), "dialout") {
		t.Errorf("%v names no remedy", err)
	}
}

// TestCloseIsHurried: the kernel waits for 30 s in a close, as for a tty that cannot send, and need not. What waits here is a TCP
// socket that lingers for a peer that reads nothing.
func TestCloseIsHurried(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	to := &unix.SockaddrInet4{Port: listener.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(unix.Connect(fd, to), unix.SetNonblock(fd, true),
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 30})); err != nil {
		t.Fatal(err)
	}
	for chunk := make([]byte, 1<<16); err == nil; {
		_, err = unix.Write(fd, chunk)
	}
	if err != unix.EAGAIN {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := closeSoon(fd); err != nil {
		t.Errorf("close: %v", err)
	}
	took := time.Since(begun)
	t.Logf("closed after %v", took)
	if took < closeHurry {
		t.Error("nothing hung")
	}
}
