package daemon

import (
	"bytes"

	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// serviceManager is the receiving end of sd_notify: a real datagram socket.
type serviceManager struct {
	t    *testing.T
	mu   sync.Mutex
	said []string
}

func listenAsManager(t *testing.T, watchdog time.Duration) *serviceManager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify-") // a socket's path has at most 108 bytes; a test's own folder may be longer
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	ok(t, err)
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	if watchdog > 0 {
		t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
		t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	}
	s := &serviceManager{t: t}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.said = append(s.said, string(buf[:n]))
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *serviceManager) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.said...)
}

func (s *serviceManager) count(line string) (n int) {
	for _, l := range s.all() {
		if l == line {
			n++
		}
	}
	return n
}

func (s *serviceManager) status() string {
	last := ""
	for _, l := range s.all() {
		if text, is := strings.CutPrefix(l, "STATUS="); is {
			last = text
		}
	}
	return last
}

// TestServiceManager: a machine says when its screens are served, feeds the watchdog while it lives, and says when it ends.
func TestServiceManager(t *testing.T) {
	s := listenAsManager(t, 300*time.Millisecond)
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\n", t.TempDir())
	<-r.ready
	r.eventually("the watchdog is fed five times", func() bool { return s.count("WATCHDOG=1") >= 5 })
	if s.count("READY=1") != 1 || s.all()[0] != "READY=1" {
		t.Errorf("it said %q", s.all())
	}
	r.eventually("it says what it does", func() bool {
		return strings.HasPrefix(s.status(), "serving http://"+r.addr+"/; no display is connected")
	})
	ok(t, r.end())
	r.eventually("it says that it ends", func() bool { return s.count("STOPPING=1") == 1 })
}

// TestReadyWithoutDisk: the display waits for READY, so it comes although the journal does not, and the watchdog is fed.
func TestReadyWithoutDisk(t *testing.T) {
	s := listenAsManager(t, 300*time.Millisecond)
	away := filepath.Join(t.TempDir(), "disk")
	ok(t, os.WriteFile(away, nil, 0o600))
	r := launch(t, "machine: TEST01\nrole: pad\nwindow: {number: 3, token-file: %q}\nstate: %q\n", token(t), filepath.Join(away, "state"))
	r.eventually("ready without a disk", func() bool { return s.count("READY=1") == 1 })
	r.eventually("the cause is told", func() bool { return strings.HasPrefix(s.status(), "out of service: cannot make the folder") })
	before := s.count("WATCHDOG=1")
	r.eventually("the watchdog is fed", func() bool { return s.count("WATCHDOG=1") > before })
	ok(t, os.Remove(away))
	<-r.ready
	r.eventually("and it serves", func() bool { return strings.HasPrefix(s.status(), "serving ") })
	ok(t, r.end())
}

func token(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	ok(t, os.WriteFile(path, []byte("0123456789abcdef0123\n"), 0o600))
	return path
}

// TestNoManager: at a terminal nothing is said, and a manager that is gone stops nobody.
func TestNoManager(t *testing.T) {
	var log bytes.Buffer
	m := &manager{log: slog.New(slog.NewTextHandler(&log, nil))}
	t.Setenv("NOTIFY_SOCKET", "")
	m.ready()
	m.alive()
	if log.Len() > 0 || m.watchdogEvery() != 0 {
		t.Errorf("without a manager: %s", &log)
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	m.ready()
	if !strings.Contains(log.String(), "cannot speak to the service manager") {
		t.Errorf("a manager that is gone: %q", &log)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if m.watchdogEvery() != 0 {
		t.Error("a watchdog whose time cannot be read is fed")
	}
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", "1")
	if m.watchdogEvery() != 0 {
		t.Error("the watchdog of another process is fed")
	}
}
