package hotplug

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// child marks this test's own process in a network namespace of its own, in which it is the superuser and the kernel lets it
// send events as its own (uevent_net_broadcast in lib/kobject_uevent.c).
const child = "HOTPLUG_TEST_CHILD"

// TestKernelEvents: events that the kernel itself delivers, in a namespace where nobody else hears them.
func TestKernelEvents(t *testing.T) {
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKernelEvents$", "-test.v", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), child+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, os.ErrPermission) {
			t.Logf("this machine allows no namespace (%v): only that nothing is heard and the end are shown", err)
			watchAndStop(t)
			return
		}
		if err != nil || !strings.Contains(string(out), "heard all") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	heard := make(chan Event, 16)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Watch(ctx, func(e Event) { heard <- e }) }()
	send := openSender(t)
	// The socket may not be there yet: the first event is sent until it is heard.
	for begun := time.Now(); len(heard) == 0; time.Sleep(time.Millisecond) {
		send(0, "add@/first\x00SUBSYSTEM=tty\x00")
		if time.Since(begun) > 20*time.Second {
			t.Fatal("nothing is heard")
		}
	}
	send(0, "add@/devices/t\x00ACTION=add\x00DEVPATH=/devices/t\x00SUBSYSTEM=tty\x00DEVNAME=ttyUSB0\x00")
	for want := (Event{Action: Add, Path: "/devices/t", Subsystem: "tty", Name: "ttyUSB0"}); ; {
		if got := <-heard; got == want {
			break
		} else if got.Path != "/first" {
			t.Fatalf("heard %+v", got)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	spoofed(t)
	overrun(t)
	fmt.Println("heard all")
}

// spoofed: a message of a process is not the kernel's, whatever it says.
func spoofed(t *testing.T) {
	f, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var own unix.Sockaddr
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { own, err = unix.Getsockname(int(fd)) })
	if err != nil {
		t.Fatal(err)
	}
	send := openSender(t)
	send(own.(*unix.SockaddrNetlink).Pid, "add@/devices/evil\x00SUBSYSTEM=tty\x00")
	send(0, "add@/devices/good\x00SUBSYSTEM=tty\x00")
	buf := make([]byte, longest)
	if m, err := receive(f, buf); m != nil || err != nil {
		t.Fatalf("a process's message: %q, %v", m, err)
	}
	if m, err := receive(f, buf); err != nil || !strings.HasPrefix(string(m), "add@/devices/good\x00") || !strings.Contains(string(m), "SEQNUM=") {
		t.Fatalf("the kernel's message: %q, %v", m, err)
	}
}

// overrun: who does not listen for long is told that it missed something, and hears on.
func overrun(t *testing.T) {
	var heard []string
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	send := openSender(t)
	ready, full := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- Watch(ctx, func(e Event) {
			switch {
			case len(heard) == 0:
				close(ready)
				<-full
			case e.Action == Overrun:
				stop()
			}
			heard = append(heard, e.Action)
		})
	}()
	for {
		send(0, "add@/first\x00")
		select {
		case <-ready:
		case <-time.After(time.Millisecond):
			continue
		}
		break
	}
	filler := "change@/x\x00FILL=" + strings.Repeat("x", 1500) + "\x00"
	for range 2000 { // 3 MB, and rmem_default is 212,992 bytes
		send(0, filler)
	}
	close(full)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if last := heard[len(heard)-1]; last != Overrun {
		t.Fatalf("the last of %d events is %q", len(heard), last)
	}
}

// openSender returns a function that sends a message to a socket of this namespace, or, to 0, has the kernel send it.
func openSender(t *testing.T) func(to uint32, message string) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func(to uint32, message string) {
		b := []byte(message)
		if to == 0 { // struct nlmsghdr: length, type, flags, sequence, port
			b = append(make([]byte, unix.NLMSG_HDRLEN), message...)
			binary.NativeEndian.PutUint32(b, uint32(len(b)))
			binary.NativeEndian.PutUint16(b[4:], unix.NLMSG_MIN_TYPE)
			binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
		}
		if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: to}); err != nil {
			t.Errorf("cannot send %.30q: %v", message, err)
		}
	}
}

// TestWatchEnds: without privileges, idle, and ended at once by its context; nothing is left behind.
func TestWatchEnds(t *testing.T) {
	watchAndStop(t)
	fds, routines := openFiles(t), runtime.NumGoroutine()
	for range 20 {
		watchAndStop(t)
	}
	if n := openFiles(t); n > fds {
		t.Errorf("descriptors %d -> %d", fds, n)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > routines; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("goroutines %d -> %d", routines, runtime.NumGoroutine())
		}
	}
}

func watchAndStop(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Watch(ctx, func(Event) {}) }()
	time.AfterFunc(time.Millisecond, stop)
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Watch did not end with its context")
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

// TestRefusalsSayWhy: what a unit or a container forbids is named.
func TestRefusalsSayWhy(t *testing.T) {
	for errno, says := range map[unix.Errno]string{
		unix.EAFNOSUPPORT: "AF_NETLINK", unix.EPROTONOSUPPORT: "this kernel sends none", unix.EPERM: "may not", unix.EACCES: "may not",
	} {
		if err := explain(errno); !errors.Is(err, errno) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v", errno, err)
		}
	}
}
