package serialport

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// Parity is the parity bit of the line. The zero value means ParityNone.
type Parity string

const (
	ParityNone Parity = "none"
	ParityOdd  Parity = "odd"
	ParityEven Parity = "even"
)

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

// word writes the format as technicians do: 8N1.
func (c Config) word() string {
	letter := map[Parity]string{ParityOdd: "O", ParityEven: "E"}[c.Parity]
	return fmt.Sprintf("%d%s%d", cmp.Or(c.Size, 8), cmp.Or(letter, "N"), cmp.Or(c.StopBits, 1))
}

// cflag is what the bits of c_cflag should be that a Config decides.
func (c Config) cflag() uint32 {
	bits := map[int]uint32{0: unix.CS8, 5: unix.CS5, 6: unix.CS6, 7: unix.CS7, 8: unix.CS8}[c.Size]
	switch c.Parity {
	case ParityOdd:
		bits |= unix.PARENB | unix.PARODD
	case ParityEven:
		bits |= unix.PARENB
	}
	if c.StopBits == 2 {
		bits |= unix.CSTOPB
	}
	if c.RTSCTS {
		bits |= unix.CRTSCTS
	}
	return bits
}

// settle switches RTS/CTS on and makes sure that the driver took the whole format. A
// pseudo-terminal carries bytes in any format, and says of flow control that it has it
// although it has not.
func (c Config) settle(fd int, pseudo bool) error {
	if pseudo {
		if c.RTSCTS {
			return fmt.Errorf("hardware flow control (RTS/CTS): %w", ErrNoModemLines)
		}
		return nil
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	if c.RTSCTS {
		t.Cflag |= unix.CRTSCTS
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return fmt.Errorf("hardware flow control (RTS/CTS): %w", err)
		}
		if t, err = unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return err
		}
	}
	return refused(c.cflag(), t.Cflag)
}

// refused says which part of a format the driver changed into something that its chip
// can do.
func refused(want, got uint32) error {
	for _, part := range []struct {
		bits uint32
		what string
	}{
		{unix.CSIZE, "number of data bits"},
		{unix.PARENB | unix.PARODD, "parity"},
		{unix.CSTOPB, "number of stop bits"},
		{unix.CRTSCTS, "hardware flow control (RTS/CTS)"},
	} {
		if (want^got)&part.bits != 0 {
			return fmt.Errorf("the driver of this line does not take the %s; choose another, or another adapter", part.what)
		}
	}
	return nil
}

// neverWait has the kernel throw unsent bytes away when the line is closed, or its
// process ends, instead of waiting up to 30 s for a device that takes none (closing_wait
// none, in the words of setserial(8)). It needs the superuser; without, see closeSoon.
func neverWait(fd int) {
	const (
		size        = 72 // struct serial_struct of linux/serial.h, where a pointer has 64 bits; it is less where it has 32
		closingWait = 40 // unsigned short, in hundredths of a second
		none        = 65535
	)
	var s [size]byte
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGSERIAL, uintptr(unsafe.Pointer(&s))); errno != 0 {
		return
	}
	binary.NativeEndian.PutUint16(s[closingWait:], none)
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSSERIAL, uintptr(unsafe.Pointer(&s)))
}
