package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/kiosk/config"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is a machine in this process.
type running struct {
	t     *testing.T
	addr  string
	ready chan string
	end   func() error // asks it to end and returns what Run returned
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, problems := config.Parse("test", []byte(text))
	ok(t, problems.Err())
	return cfg
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	return l.Addr().String()
}

func launch(t *testing.T, format string, args ...any) *running {
	t.Helper()
	r := &running{t: t, addr: freeAddress(t), ready: make(chan string, 1)}
	cfg := parse(t, "listen: "+r.addr+"\n"+fmt.Sprintf(format, args...))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Options{Config: cfg, Version: "test", Log: slog.New(slog.DiscardHandler), Ready: func(url string) { r.ready <- url }})
	}()
	r.end = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("Run has not returned 20 s after its context ended")
		}
	})
	t.Cleanup(func() { r.end() })
	return r
}

// get returns the status and body of an address of the machine; status 0 while nobody answers.
func (r *running) get(path, host string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.addr+path, nil)
	ok(r.t, err)
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(r.t, err)
	return resp.StatusCode, string(body)
}

func (r *running) eventually(what string, happened func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("did not happen within a minute: %s", what)
		}
	}
}

// TestRunAndEnd: a machine without devices serves its screen and its status, keeps its journal, and leaves nothing behind.
func TestRunAndEnd(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made", "state")
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\n", state)
	if url := <-r.ready; url != "http://"+r.addr+"/" {
		t.Errorf("ready at %s", url)
	}
	for path, want := range map[string]string{"/": "<html", "/kiosk/v1/status": `"machine":"TEST01"`, "/healthz": "ok", "/metrics": "kiosk_journal_ok 1"} {
		if code, body := r.get(path, ""); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s answered %d %s", path, code, body)
		}
		if code, body := r.get(path, "kiosk.lan"); code != http.StatusMisdirectedRequest {
			t.Errorf("%s under a name of the LAN answered %d %s", path, code, body)
		}
	}
	if code, _ := r.get("/bench", ""); code != http.StatusNotFound {
		t.Errorf("a real machine answers %d for the bench", code)
	}
	ok(t, r.end())
	if code, _ := r.get("/", ""); code != 0 {
		t.Errorf("after its end it answers %d", code)
	}
	for name, mode := range map[string]os.FileMode{".": 0o700, "journal.db": 0o600, "person.key": 0o600} {
		info, err := os.Stat(filepath.Join(state, name))
		ok(t, err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), mode)
		}
	}
	var stacks bytes.Buffer
	ok(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
	for _, part := range []string{"yuanban/kiosk/station", "yuanban/kiosk/upstream", "yuanban/kiosk/visit", "yuanban/ui.", "daemon.(*services)"} {
		if strings.Contains(stacks.String(), part) {
			t.Errorf("%s still runs:\n%s", part, stacks.String())
		}
	}
}

// TestDevicesThatNeverAnswer: a configured device that is not there is offline from the first moment, and stops nothing.
func TestDevicesThatNeverAnswer(t *testing.T) {
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\nreader: {port: /dev/nowhere/r}\nprinter: {port: /dev/nowhere/p}\n", t.TempDir())
	<-r.ready
	_, body := r.get("/kiosk/v1/status", "")
	if strings.Count(body, `"state":"offline"`) != 2 {
		t.Errorf("two devices that are away are told as %s", body)
	}
	ok(t, r.end())
}

// TestDiskAway: while the journal cannot be opened the screen is there and says so; when the disk comes back the machine works.
func TestDiskAway(t *testing.T) {
	t.Parallel()
	away := filepath.Join(t.TempDir(), "disk")
	ok(t, os.WriteFile(away, nil, 0o600)) // a file where the folder should be, which not even root can write into
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\n", filepath.Join(away, "state"))
	r.eventually("the page is there", func() bool { code, _ := r.get("/", ""); return code == 200 })
	if code, body := r.get("/healthz", ""); code != http.StatusServiceUnavailable || !strings.Contains(body, "journal") {
		t.Errorf("without its disk it answers %d %s", code, body)
	}
	ok(t, os.Remove(away))
	select {
	case <-r.ready:
	case <-time.After(20 * time.Second):
		t.Fatal("the disk is back and the machine is not ready")
	}
	ok(t, r.end())
}

// TestEndsWhileWaitingForTheDisk: being asked to end is no failure.
func TestEndsWhileWaitingForTheDisk(t *testing.T) {
	away := filepath.Join(t.TempDir(), "disk")
	ok(t, os.WriteFile(away, nil, 0o600))
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\n", filepath.Join(away, "state"))
	r.eventually("the page is there", func() bool { code, _ := r.get("/", ""); return code == 200 })
	ok(t, r.end())
}

func TestServicesStopInReverse(t *testing.T) {
	var mu sync.Mutex
	var order []string
	s := newServices(slog.New(slog.DiscardHandler))
	for _, name := range []string{"a", "b", "c"} {
		s.start(name, func(ctx context.Context) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
			return errors.New("an error at its end is no failure")
		})
	}
	s.stop()
	s.stop() // harmless
	if !slices.Equal(order, []string{"c", "b", "a"}) {
		t.Errorf("stopped in the order %v", order)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ok(t, s.wait(ctx))
}

func TestServiceThatFails(t *testing.T) {
	broken := errors.New("broken")
	s := newServices(slog.New(slog.DiscardHandler))
	s.start("good", func(ctx context.Context) error { <-ctx.Done(); return nil })
	s.start("bad", func(context.Context) error { return broken })
	if err := s.wait(t.Context()); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("the failure is told as %v", err)
	}
	s.stop()
}

func TestHosts(t *testing.T) {
	for addr, want := range map[string][]string{
		"127.0.0.1:8080": {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"},
		"127.0.0.1:80":   {"127.0.0.1:80", "127.0.0.1", "localhost"},
		"127.0.0.2:8080": {"127.0.0.2:8080", "127.0.0.1:8080"},
	} {
		hosts := (&machine{addr: addr}).hosts()
		for _, w := range want {
			if !slices.Contains(hosts, w) {
				t.Errorf("at %s the name %s is not ours: %v", addr, w, hosts)
			}
		}
		for _, not := range []string{"", "0.0.0.0:8080", "127.0.0.1"} {
			if slices.Contains(hosts, not) && !slices.Contains(want, not) {
				t.Errorf("at %s the name %q is ours", addr, not)
			}
		}
	}
}
