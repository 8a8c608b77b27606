package serialport

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrNoModemLines says that a line has none of RTS, CTS, DTR and DSR: a
// pseudo-terminal, or an adapter with two wires.
var ErrNoModemLines = errors.New("this line has no modem lines")

// CTS tells whether the device is ready to receive, as it says by the line of that
// name (V.24 circuit 106). Without a wire the level is the adapter's fancy. The errors
// are ErrNoModemLines, ErrGone and os.ErrClosed.
func (p *Port) CTS() (bool, error) { return p.level("CTS", unix.TIOCM_CTS) }

// DSR tells whether the device is there and switched on (V.24 circuit 107); a printer's
// DTR is often wired to it. Errors are those of CTS.
func (p *Port) DSR() (bool, error) { return p.level("DSR", unix.TIOCM_DSR) }

// SetDTR tells the device that we are there (V.24 circuit 108/2). The kernel does so at
// Open; some readers are reset or powered by it. Errors are those of CTS.
func (p *Port) SetDTR(on bool) error { return p.setLevel("DTR", unix.TIOCM_DTR, on) }

// SetRTS tells the device that we are ready to receive (V.24 circuit 105, in its modern
// use). The kernel does so at Open. With RTSCTS the line is the kernel's, and setting it
// is refused. Errors are those of CTS.
func (p *Port) SetRTS(on bool) error {
	if p.rtscts {
		return fmt.Errorf("cannot set RTS of %s: flow control is configured, so the kernel sets it", p.path)
	}
	return p.setLevel("RTS", unix.TIOCM_RTS, on)
}

func (p *Port) level(name string, bit int) (bool, error) {
	var bits int
	err := control(p.f, func(fd int) (err error) {
		bits, err = unix.IoctlGetInt(fd, unix.TIOCMGET)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("cannot read %s of %s: %w", name, p.path, explainModem(err))
	}
	return bits&bit != 0, nil
}

func (p *Port) setLevel(name string, bit int, on bool) error {
	request := uint(unix.TIOCMBIC)
	if on {
		request = unix.TIOCMBIS
	}
	if err := control(p.f, func(fd int) error { return unix.IoctlSetPointerInt(fd, request, bit) }); err != nil {
		return fmt.Errorf("cannot set %s of %s: %w", name, p.path, explainModem(err))
	}
	return nil
}

// explainModem knows the kernel's two ways of saying that a driver has no such lines.
func explainModem(err error) error {
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%w: %w", ErrNoModemLines, err)
	}
	return explain(err)
}
