package hotplug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	kernelGroup = 1    // of NETLINK_KOBJECT_UEVENT: the kernel's own messages; udev repeats them to group 2
	longest     = 8192 // bytes of a message; the kernel's own limit is 2048 (UEVENT_BUFFER_SIZE) and the first line
)

// Watch calls event for each event of the kernel until ctx ends, which returns nil. It needs no privilege, holds no thread and
// costs nothing while nothing happens. Where the kernel's messages cannot be had, such as in a container with a network of its
// own or under a unit without AF_NETLINK, it hears nothing or returns an error that says why; the caller then lives by looking.
//
// event is called from Watch's goroutine. While it does not return, events wait in the kernel, and are dropped (Overrun) once
// they are too many.
func Watch(ctx context.Context, event func(Event)) error {
	f, err := listen()
	if err != nil {
		return fmt.Errorf("cannot listen to the kernel's device events: %w", explain(err))
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, longest)
	for {
		message, err := receive(f, buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS):
			event(Event{Action: Overrun})
		case err != nil:
			return fmt.Errorf("cannot hear the kernel's device events any more: %w", err)
		case message != nil:
			if e, err := ParseEvent(message); err == nil { // else it is not for us: no event of the kernel is in another form
				event(e)
			}
		}
	}
}

func listen() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "kernel events"), nil // non-blocking, so Go's poller watches it
}

// receive returns the next message, or nil for one that the kernel did not send. Any process may write to the socket if it has
// the privilege, and only the kernel's address is 0.
func receive(f *os.File, buf []byte) ([]byte, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var n int
	var from unix.Sockaddr
	var failed error
	if err := raw.Read(func(fd uintptr) bool {
		n, _, _, from, failed = unix.Recvmsg(int(fd), buf, nil, 0)
		return failed != unix.EAGAIN && failed != unix.EINTR
	}); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return nil, nil
	}
	return buf[:n], nil
}

// explain says what a refusal means.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w: the unit allows no AF_NETLINK (RestrictAddressFamilies); devices are found by looking for them instead", err)
	case errors.Is(err, unix.EPROTONOSUPPORT):
		return fmt.Errorf("%w: this kernel sends none; devices are found by looking for them instead", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: this user or container may not; devices are found by looking for them instead", err)
	}
	return err
}
