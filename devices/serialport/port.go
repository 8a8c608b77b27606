// Package serialport opens serial lines so that idle, gone and closed are three
// different things, and so that nothing can hang the caller.
//
// tarm/serial sets speed and format but hands out a descriptor without deadlines,
// whose timeout looks like an unplugged cable and whose Close can wait for ever.
// The line settings belong to the tty and not to one descriptor, so a Port lets
// tarm/serial set them, closes that descriptor at once and talks on one of its
// own, which Go's poller watches.
//
// The package also makes pseudo-terminals, on which simulated devices play the
// part of the hardware at the far end of the cable.
package serialport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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

// ErrCloseStuck says that the kernel still waits for unsent bytes to leave. The
// port is unusable all the same; the descriptor is let go when the kernel gives up
// (30 s by default).
var ErrCloseStuck = errors.New("the kernel still waits for unsent bytes")

// closeWait is how long Close waits for the kernel. Closing the last descriptor of
// a USB modem that stopped reading was measured at 31.9 s; an idle line takes
// microseconds.
const closeWait = 2 * time.Second

// drainPoll is the interval at which Drain asks how many bytes are left; at
// 115200 baud 5 ms are 58 bytes.
const drainPoll = 5 * time.Millisecond

// Parity is the parity bit of the line. The zero value means ParityNone.
type Parity string

const (
	ParityNone Parity = "none"
	ParityOdd  Parity = "odd"
	ParityEven Parity = "even"
)

// Config names a line and its format.
type Config struct {
	Path     string // the device, best by /dev/serial/by-path: ttyUSB numbers change when a cable is pulled
	Baud     int    // bits per second, one of the standard rates from 50 to 4000000
	Size     int    // data bits, 5 to 8; 0 means 8
	Parity   Parity // "" means none
	StopBits int    // 1 or 2; 0 means 1
}

// Port is an open serial line that this process owns alone. One goroutine may read
// while another writes; deadlines and Close may come from anywhere.
type Port struct {
	path string
	f    *os.File

	closeOnce sync.Once
	closeErr  error
}

// Open takes the line for this process alone, sets speed and format, raw and
// without flow control, and throws away whatever bytes were waiting in it.
//
// The error is ErrGone when the device is not there and ErrBusy when somebody else
// has it. Processes of the superuser can pass the kernel's exclusive mode, which is
// why the line is also locked with flock(2).
func Open(cfg Config) (*Port, error) {
	format, err := cfg.format()
	if err != nil {
		return nil, fmt.Errorf("cannot open serial line %s: %w", cfg.Path, err)
	}
	f, err := os.OpenFile(cfg.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open serial line %s: %w", cfg.Path, explain(err))
	}
	if err := claim(f, format); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot open serial line %s: %w", cfg.Path, explain(err))
	}
	return &Port{path: cfg.Path, f: f}, nil
}

// claim locks f, lets tarm/serial set the line and makes the line exclusive.
func claim(f *os.File, format *serial.Config) error {
	if err := control(f, func(fd int) error {
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return fmt.Errorf("not a serial line: %w", err)
		}
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	}); err != nil {
		return err
	}
	// ReadTimeout stays 0: reads then end at the poller's deadline and an
	// end-of-file means hang-up and nothing else.
	setter, err := serial.OpenPort(format)
	if err != nil {
		return err
	}
	// Not the last descriptor and nothing written through it: this close cannot wait.
	setter.Close()
	return control(f, func(fd int) error {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		if !pseudo(st.Rdev) {
			if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
				return err
			}
		}
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
}

// pseudo tells whether a device is a pseudo-terminal. Its exclusive mode would outlive a
// driver that was killed, for as long as the simulated device lives, and lock out the
// next one; a real tty loses it with its last descriptor.
func pseudo(rdev uint64) bool {
	major := unix.Major(rdev)
	return major >= 136 && major <= 143 // Documentation/admin-guide/devices.txt
}

// format turns the configuration into tarm/serial's words.
func (c Config) format() (*serial.Config, error) {
	out := &serial.Config{Name: c.Path, Baud: c.Baud, Size: 8, StopBits: serial.Stop1}
	if c.Path == "" {
		return nil, errors.New("no device path given")
	}
	if c.Size != 0 {
		if c.Size < 5 || c.Size > 8 {
			return nil, fmt.Errorf("%d data bits: 5 to 8 are possible", c.Size)
		}
		out.Size = byte(c.Size)
	}
	switch c.StopBits {
	case 0, 1:
	case 2:
		out.StopBits = serial.Stop2
	default:
		return nil, fmt.Errorf("%d stop bits: 1 or 2 are possible", c.StopBits)
	}
	switch c.Parity {
	case "", ParityNone:
		out.Parity = serial.ParityNone
	case ParityOdd:
		out.Parity = serial.ParityOdd
	case ParityEven:
		out.Parity = serial.ParityEven
	default:
		return nil, fmt.Errorf("parity %q: none, odd or even are possible", c.Parity)
	}
	return out, nil
}

// String names the line.
func (p *Port) String() string { return p.path }

// Read reads at least one byte. When none came before the deadline the error is
// os.ErrDeadlineExceeded, when the device left ErrGone, after Close os.ErrClosed.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.f.Read(b)
	if n > 0 || err == nil {
		return n, nil
	}
	return 0, fmt.Errorf("cannot read from %s: %w", p.path, explain(err))
}

// Write hands b to the kernel. A device that takes nothing more ends it at the
// write deadline with os.ErrDeadlineExceeded and the number of bytes accepted; the
// other errors are those of Read. Accepted is not sent: see Drain.
func (p *Port) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	if err == nil {
		return n, nil
	}
	return n, fmt.Errorf("cannot write to %s: %w", p.path, explain(err))
}

// SetDeadline sets both deadlines; the zero time means none.
func (p *Port) SetDeadline(t time.Time) error { return p.f.SetDeadline(t) }

// SetReadDeadline ends reads at t, also one that is already waiting.
func (p *Port) SetReadDeadline(t time.Time) error { return p.f.SetReadDeadline(t) }

// SetWriteDeadline ends writes at t, also one that is already waiting.
func (p *Port) SetWriteDeadline(t time.Time) error { return p.f.SetWriteDeadline(t) }

// Queued tells how many written bytes have not yet left the kernel's buffer. A
// pseudo-terminal always says 0.
func (p *Port) Queued() (int, error) {
	var n int
	err := control(p.f, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("cannot ask %s for its unsent bytes: %w", p.path, explain(err))
	}
	return n, nil
}

// Drain waits until the kernel's output buffer is empty or ctx ends. The last few
// bytes, at most the FIFO of the UART, may still be on the wire. tcdrain(3) is not
// used because nothing can interrupt it.
func (p *Port) Drain(ctx context.Context) error {
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		n, err := p.Queued()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot drain %s, %d bytes unsent: %w", p.path, n, ctx.Err())
		case <-tick.C:
		}
	}
}

// Flush throws away what was received but not read and what was written but not
// sent. An answer still on its way is not affected.
func (p *Port) Flush() error {
	err := control(p.f, func(fd int) error {
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
	if err != nil {
		return fmt.Errorf("cannot flush %s: %w", p.path, explain(err))
	}
	return nil
}

// Close discards unsent bytes, releases the line and ends pending reads and writes
// with os.ErrClosed. It returns after at most two seconds, then with ErrCloseStuck.
// The line can be opened again at once. Closing twice is harmless.
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
	done := make(chan error, 1)
	go func() { done <- p.f.Close() }()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("cannot close %s: %w", p.path, err)
		}
		return nil
	case <-timer.C:
		return fmt.Errorf("cannot close %s: %w", p.path, ErrCloseStuck)
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
		return err
	}
	return inner
}

// explain puts ErrGone and ErrBusy before the kernel's own words.
func explain(err error) error {
	switch {
	case errors.Is(err, io.EOF): // reads of a hung-up line
		return ErrGone
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV),
		errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrGone, err)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
