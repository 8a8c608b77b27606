package serialport

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Pty is a pseudo-terminal: a cable whose near end is a tty for a driver and whose
// far end, Master, belongs to a simulated device.
type Pty struct {
	Master *os.File // the device's end: Read, Write, deadlines

	held *os.File // keeps the tty alive while no driver has it open
	path string
}

// OpenPty makes a pseudo-terminal, raw from its first byte on.
func OpenPty() (*Pty, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pseudo-terminal: %w", err)
	}
	polled, err := pollable(master)
	master.Close()
	if err == nil {
		if err = control(slave, makeRaw); err == nil {
			return &Pty{Master: polled, held: slave, path: slave.Name()}, nil
		}
		polled.Close()
	}
	slave.Close()
	return nil, fmt.Errorf("cannot make a pseudo-terminal: %w", err)
}

// pollable returns f again on a descriptor of its own that has deadlines. creack/pty
// hands out a blocking one, whose reads nothing but a byte can end.
func pollable(f *os.File) (*os.File, error) {
	var out *os.File
	err := control(f, func(fd int) error {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := unix.SetNonblock(own, true); err != nil {
			unix.Close(own)
			return err
		}
		out = os.NewFile(uintptr(own), f.Name())
		return nil
	})
	return out, err
}

// Path is the tty that a driver opens.
func (p *Pty) Path() string { return p.path }

// Close unplugs the cable: a driver that has the tty open reads ErrGone, and the
// tty is no more.
func (p *Pty) Close() error {
	return errors.Join(p.Master.Close(), p.held.Close())
}

// makeRaw switches off echo, line editing and character mapping (cfmakeraw(3)), so
// that bytes sent before a driver opens the tty pass unchanged and none come back.
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// PtyLink is the cable of a simulated device that can be pulled and put back: a
// symbolic link at a fixed path, behind which each Replug puts a new
// pseudo-terminal. The device keeps reading and writing the PtyLink throughout.
type PtyLink struct {
	link string

	mu         sync.Mutex
	now        *Pty          // nil while unplugged
	changed    chan struct{} // closed and replaced whenever something below or now changes
	closed     bool
	readUntil  time.Time
	writeUntil time.Time
}

// OpenPtyLink makes a pseudo-terminal and the symbolic link to it. A link left
// behind by an earlier process is replaced; anything else at that path is an error.
func OpenPtyLink(link string) (*PtyLink, error) {
	l := &PtyLink{link: link, changed: make(chan struct{})}
	if err := l.Replug(); err != nil {
		return nil, err
	}
	return l, nil
}

// Path is the stable path that drivers open.
func (l *PtyLink) Path() string { return l.link }

// Plugged tells whether the cable is in.
func (l *PtyLink) Plugged() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now != nil
}

// Unplug pulls the cable: the path vanishes and an open driver reads ErrGone.
func (l *PtyLink) Unplug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unplug()
}

func (l *PtyLink) unplug() error {
	if l.now == nil {
		return nil
	}
	// The path goes first: a driver that sees the hang-up and opens again at once
	// must not find the dead tty.
	err := errors.Join(os.Remove(l.link), l.now.Close())
	l.now = nil
	l.wake()
	if err != nil {
		return fmt.Errorf("cannot unplug %s cleanly: %w", l.link, err)
	}
	return nil
}

// Replug puts the cable back: a new pseudo-terminal at the same path.
func (l *PtyLink) Replug() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return fmt.Errorf("cannot plug in %s: %w", l.link, os.ErrClosed)
	case l.now != nil:
		return nil
	}
	if st, err := os.Lstat(l.link); err == nil {
		if st.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("cannot plug in %s: the path is taken by something that is not a link; choose another", l.link)
		}
		if err := os.Remove(l.link); err != nil {
			return fmt.Errorf("cannot plug in %s: %w", l.link, err)
		}
	}
	p, err := OpenPty()
	if err != nil {
		return err
	}
	if err := errors.Join(
		p.Master.SetReadDeadline(l.readUntil),
		p.Master.SetWriteDeadline(l.writeUntil),
		os.Symlink(p.Path(), l.link)); err != nil {
		p.Close()
		return fmt.Errorf("cannot plug in %s: %w", l.link, err)
	}
	l.now = p
	l.wake()
	return nil
}

// Close pulls the cable for good; waiting reads end with os.ErrClosed.
func (l *PtyLink) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	err := l.unplug()
	l.wake()
	return err
}

// Read reads what the driver sent. While the cable is out it waits for it to come
// back, for the deadline (os.ErrDeadlineExceeded) or for Close (os.ErrClosed).
func (l *PtyLink) Read(b []byte) (int, error) {
	for {
		p, changed, until, err := l.state(false)
		if err != nil {
			return 0, err
		}
		if p == nil {
			wait(changed, until)
			continue
		}
		n, err := p.Master.Read(b)
		if n > 0 || err == nil || l.current(p) {
			return n, err
		}
	}
}

// Write sends to the driver. While the cable is out the bytes go nowhere, as they
// do on a real line.
func (l *PtyLink) Write(b []byte) (int, error) {
	p, _, _, err := l.state(true)
	if err != nil {
		return 0, err
	}
	if p == nil {
		return len(b), nil
	}
	n, err := p.Master.Write(b)
	if err != nil && !l.current(p) {
		return len(b), nil // pulled in the middle
	}
	return n, err
}

// SetDeadline sets both deadlines; they outlive Unplug and Replug.
func (l *PtyLink) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

// SetReadDeadline ends reads at t, also one that waits for the cable.
func (l *PtyLink) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readUntil = t
	l.wake()
	if l.now == nil {
		return nil
	}
	return l.now.Master.SetReadDeadline(t)
}

// SetWriteDeadline ends writes at t.
func (l *PtyLink) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writeUntil = t
	if l.now == nil {
		return nil
	}
	return l.now.Master.SetWriteDeadline(t)
}

// state returns the present pseudo-terminal, or nil, with what a waiter needs.
func (l *PtyLink) state(writing bool) (*Pty, <-chan struct{}, time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.readUntil
	if writing {
		until = l.writeUntil
	}
	switch {
	case l.closed:
		return nil, nil, until, os.ErrClosed
	case !until.IsZero() && !time.Now().Before(until):
		return nil, nil, until, os.ErrDeadlineExceeded
	}
	return l.now, l.changed, until, nil
}

// current tells whether p is still plugged in, so that its errors count.
func (l *PtyLink) current(p *Pty) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now == p
}

func (l *PtyLink) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when changed is closed or, unless it is zero, until has come.
func wait(changed <-chan struct{}, until time.Time) {
	if until.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}
