// Package serialport opens serial lines so that idle, gone and closed are three
// different things, and so that nothing can hang the caller.
//
// tarm/serial sets speed and format but hands out a descriptor without deadlines,
// whose timeout looks like an unplugged cable and whose Close can wait for ever.
// The line settings belong to the tty and not to one descriptor, so a Port lets
// tarm/serial set them, closes that descriptor at once and talks on one of its
// own, which Go's poller watches.
//
// The package lists the lines of a machine and says which of their names will mean
// the same device tomorrow; records what crosses a line on a tape and plays tapes;
// and makes pseudo-terminals, on which simulated devices play the part of the
// hardware at the far end of the cable.
package serialport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// ErrGone says that the device behind the port has left: unplugged, powered off
// or never there. The port is of no more use; close it and open it again once the
// device is back.
var ErrGone = errors.New("device gone")

// ErrBusy says that another owner, in this process or another, holds the line.
var ErrBusy = errors.New("serial line in use")

// ErrOpenStuck says that the kernel does not open the line: its adapter does not
// answer, or the unsent bytes of its last user are still waited for.
var ErrOpenStuck = errors.New("the kernel does not open the line: the adapter is frozen, or still sends")

// ErrCloseStuck says that the kernel still waits for unsent bytes to leave. The
// port is unusable all the same; the descriptor is let go when the kernel gives up
// (30 s by default), and until then the line cannot be opened again.
var ErrCloseStuck = errors.New("the kernel still waits for unsent bytes")

const (
	// openWait is how long Open waits for the kernel. A control transfer to a USB
	// adapter is given up by its driver after 5 s.
	openWait = 6 * time.Second
	// closeWait is how long Close waits for the kernel, and closeHurry when it begins to
	// interrupt its waiting. Closing a USB modem that stopped reading takes 30 s without
	// that, was measured; an idle line takes microseconds, and the FIFO of a UART is sent
	// within closeHurry at every usual speed.
	closeWait  = 2 * time.Second
	closeHurry = 100 * time.Millisecond
)

// Config names a line and its format.
type Config struct {
	Path     string // the device, by a name that stays: see Describe
	Baud     int    // bits per second, one of the standard rates from 50 to 4000000
	Size     int    // data bits, 5 to 8; 0 means 8
	Parity   Parity // "" means none
	StopBits int    // 1 or 2; 0 means 1
	// RTSCTS lets the kernel heed CTS and serve RTS. Open refuses it where the driver
	// does not take it, as a pseudo-terminal does not.
	RTSCTS bool
	// Record is the path of a file to which every byte of the line is recorded, in the
	// format of Tape; "" for none. It may come to hold personal data. Opening the line
	// again appends to it. A file that cannot be written does not keep the line from
	// working: see RecordError.
	Record string
}

// Port is an open serial line that this process owns alone. One goroutine may read
// while another writes; deadlines and Close may come from anywhere.
type Port struct {
	path   string
	f      *os.File
	rtscts bool
	tape   *tapeWriter // nil if nothing is recorded

	// last is a second descriptor of the same open file. Only the close of the last one
	// can hang, and f may be closed by a Read that is just returning.
	last int

	closeOnce sync.Once
	closeErr  error
}

// Open takes the line for this process alone, sets speed and format, raw and
// without flow control in the kernel but RTSCTS, and throws away whatever bytes were
// waiting in it. It returns after at most six seconds.
//
// The error is ErrGone when the device is not there, ErrBusy when somebody else has
// it, fs.ErrPermission when this user may not open it, as is the case for a moment
// after plugging in, and ErrOpenStuck when the kernel does not come to an end.
// Processes of the superuser can pass the kernel's exclusive mode, which is why the
// line is also locked with flock(2).
func Open(cfg Config) (*Port, error) { return OpenContext(context.Background(), cfg) }

// OpenContext is Open, given up at the end of ctx.
func OpenContext(ctx context.Context, cfg Config) (*Port, error) {
	format, err := cfg.format()
	if err != nil {
		return nil, fmt.Errorf("cannot open serial line %s: %w", cfg.Path, err)
	}
	p, err := bounded(ctx, openWait, ErrOpenStuck, func() (*Port, error) { return open(cfg, format) }, func(late *Port) { late.Close() })
	if err != nil {
		return nil, fmt.Errorf("cannot open serial line %s: %w", cfg.Path, explain(err))
	}
	if cfg.Record != "" {
		p.tape = recordTo(cfg.Record, cfg.head())
	}
	return p, nil
}

// bounded runs f and returns what it returns, or stuck after the limit, or the error
// of ctx. What f returns after that, if it is no error, goes to late.
func bounded[T any](ctx context.Context, limit time.Duration, stuck error, f func() (T, error), late func(T)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case r := <-done:
		return r.v, r.err
	case <-timer.C:
		err = stuck
	case <-ctx.Done():
		err = ctx.Err()
	}
	go func() {
		if r := <-done; r.err == nil {
			late(r.v)
		}
	}()
	var none T
	return none, err
}

func open(cfg Config, format *serial.Config) (*Port, error) {
	// Before it is opened, for opening some other nodes has effects of its own.
	if st, err := os.Stat(cfg.Path); err != nil {
		return nil, err
	} else if st.Mode()&os.ModeCharDevice == 0 {
		return nil, fmt.Errorf("not a serial line but %s", kind(st.Mode()))
	}
	f, err := os.OpenFile(cfg.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	p := &Port{path: cfg.Path, f: f, rtscts: cfg.RTSCTS}
	err = control(f, func(fd int) (err error) {
		p.last, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		f.Close()
		return nil, err
	}
	if err := control(f, func(fd int) error { return claim(fd, cfg, format) }); err != nil {
		f.Close()
		_ = closeSoon(p.last) // the error of claim says more
		return nil, err
	}
	return p, nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a file"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "something else"
}

// claim locks the line, lets tarm/serial set it and makes it exclusive.
func claim(fd int, cfg Config, format *serial.Config) error {
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return fmt.Errorf("not a serial line: %w", err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	// By the descriptor: the name may lead to another device by now. ReadTimeout stays
	// 0: reads then end at the poller's deadline and an end-of-file means hang-up and
	// nothing else.
	format.Name = fmt.Sprintf("/proc/self/fd/%d", fd)
	setter, err := serial.OpenPort(format)
	if err != nil {
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			err = path.Err
		}
		return fmt.Errorf("cannot set speed and format: %w", err)
	}
	// Not the last descriptor and nothing written through it: this close cannot wait.
	setter.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if err := cfg.settle(fd, pseudo(st.Rdev)); err != nil {
		return err
	}
	if !pseudo(st.Rdev) {
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			return err
		}
		neverWait(fd)
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}

// pseudo tells whether a device is a pseudo-terminal. Its exclusive mode would outlive a
// driver that was killed, for as long as the simulated device lives, and lock out the
// next one; a real tty loses it with its last descriptor.
func pseudo(rdev uint64) bool {
	major := unix.Major(rdev)
	return major >= 136 && major <= 143 // Documentation/admin-guide/devices.txt
}

// String names the line.
func (p *Port) String() string { return p.path }

// Read reads at least one byte. When none came before the deadline the error is
// os.ErrDeadlineExceeded, when the device left ErrGone, after Close os.ErrClosed.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.f.Read(b)
	if n > 0 || err == nil {
		p.tape.bytes(FromDevice, b[:n])
		return n, nil
	}
	err = explain(err)
	p.tape.failed(err)
	return 0, fmt.Errorf("cannot read from %s: %w", p.path, err)
}

// Write hands b to the kernel. A device that takes nothing more ends it at the
// write deadline with os.ErrDeadlineExceeded and the number of bytes accepted; the
// other errors are those of Read. Accepted is not sent: see Drain.
func (p *Port) Write(b []byte) (int, error) {
	p.tape.bytes(ToDevice, b)
	n, err := p.f.Write(b)
	if err == nil {
		return n, nil
	}
	err = explain(err)
	p.tape.unsent(len(b) - n)
	p.tape.failed(err)
	return n, fmt.Errorf("cannot write to %s: %w", p.path, err)
}

// SetDeadline sets both deadlines; the zero time means none.
func (p *Port) SetDeadline(t time.Time) error { return named(p.f.SetDeadline(t)) }

// SetReadDeadline ends reads at t, also one that is already waiting.
func (p *Port) SetReadDeadline(t time.Time) error { return named(p.f.SetReadDeadline(t)) }

// SetWriteDeadline ends writes at t, also one that is already waiting.
func (p *Port) SetWriteDeadline(t time.Time) error { return named(p.f.SetWriteDeadline(t)) }

// RecordError says why nothing, or nothing more, is recorded of this opening of the
// line; it is nil while everything is, and for a line that is not to be recorded.
func (p *Port) RecordError() error { return p.tape.failure() }

// Close discards unsent bytes, releases the line and ends pending reads and writes
// with os.ErrClosed. It returns after at most two seconds, then with ErrCloseStuck; else
// the line can be opened again at once. Closing twice is harmless.
func (p *Port) Close() error {
	p.closeOnce.Do(func() { p.closeErr = p.close() })
	return p.closeErr
}

func (p *Port) close() error {
	// Best effort each: a device that left has nothing to release any more.
	_ = control(p.f, func(fd int) error {
		_ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
		// The exclusive flag outlives the descriptor for as long as the tty does.
		_ = unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
		return unix.Flock(fd, unix.LOCK_UN)
	})
	err := p.f.Close()
	p.tape.close()
	if err := errors.Join(err, closeSoon(p.last)); err != nil {
		return fmt.Errorf("cannot close %s: %w", p.path, err)
	}
	return nil
}

// closeSoon closes a descriptor whose close may hang, for closeWait at most. The kernel's
// waiting can be interrupted by a signal to the thread that waits; SIGURG is the one that
// Go's own runtime sends to threads and that changes nothing.
func closeSoon(fd int) error {
	thread, done := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		done <- unix.Close(fd)
	}()
	tid := <-thread
	hurry := time.NewTicker(closeHurry)
	defer hurry.Stop()
	limit := time.NewTimer(closeWait)
	defer limit.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-hurry.C:
			_ = unix.Tgkill(unix.Getpid(), tid, unix.SIGURG) // a thread that has ended needs none
		case <-limit.C:
			return ErrCloseStuck
		}
	}
}

// control runs f on the descriptor without taking it out of the poller, which
// File.Fd would do.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return named(err)
	}
	return inner
}

// named gives its name to the one error that a polled file can have here. Package poll
// has its own for it, which is not exported.
func named(err error) error {
	if err != nil {
		return os.ErrClosed
	}
	return nil
}

// explain puts ErrGone and ErrBusy before the kernel's own words, and the remedy
// behind a refusal.
func explain(err error) error {
	switch {
	case errors.Is(err, io.EOF): // reads of a hung-up line
		return ErrGone
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV),
		errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrGone, err)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: this program's user must be in the group of that node (dialout, udev rule of the package)", err)
	}
	return err
}
