package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/kiosk/config"
	"yuanban/kiosk/journal"
)

// screen is a display that looks at what the machine shows.
type screen struct {
	mu   sync.Mutex
	name string
	main string
	line string // the banner
	foot string
	conn *websocket.Conn
}

// look connects a display to the machine as its page would.
func (r *running) look() *screen {
	r.t.Helper()
	s := &screen{}
	r.eventually("a display can connect", func() bool {
		jar, err := cookiejar.New(nil)
		ok(r.t, err)
		resp, err := (&http.Client{Jar: jar}).Get("http://" + r.addr + "/")
		if err != nil {
			return false
		}
		resp.Body.Close()
		d := websocket.Dialer{Jar: jar}
		s.conn, _, err = d.Dial("ws://"+r.addr+"/ui/ws", http.Header{"Origin": {"http://" + r.addr}})
		return err == nil
	})
	r.t.Cleanup(func() { s.conn.Close() })
	go func() {
		for {
			var f struct {
				Screen  string            `json:"screen"`
				Regions map[string]string `json:"regions"`
			}
			if s.conn.ReadJSON(&f) != nil {
				return
			}
			s.mu.Lock()
			s.name = f.Screen
			for region, into := range map[string]*string{"main": &s.main, "banner": &s.line, "foot": &s.foot} {
				if text, changed := f.Regions[region]; changed {
					*into = text
				}
			}
			s.mu.Unlock()
		}
	}()
	return s
}

func (s *screen) shows(name string, words ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range words {
		if !strings.Contains(s.main+s.line+s.foot, w) {
			return false
		}
	}
	return s.name == name
}

func (r *running) sees(s *screen, name string, words ...string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("the screen %s says %v", name, words), func() bool { return s.shows(name, words...) })
}

// stand launches a machine as its unit does: it holds, and reads its configuration itself.
func stand(t *testing.T, runtime string, load func(addr string) (*config.Config, error)) *running {
	t.Helper()
	r := &running{t: t, addr: freeAddress(t), ready: make(chan string, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Stand(ctx, Options{Version: "test", Runtime: runtime, Log: slog.New(slog.DiscardHandler), Ready: func(url string) { r.ready <- url }},
			func() (*config.Config, error) { return load(r.addr) })
	}()
	r.end = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			return errors.New("Stand has not returned 20 s after its context ended")
		}
	})
	t.Cleanup(func() { r.end() })
	return r
}

// TestWhatATechnicianMends: each trouble of the journal's folder is on the screen with its cause, and ends by itself when it is mended.
func TestWhatATechnicianMends(t *testing.T) {
	made := func(t *testing.T, machine string) string {
		state := t.TempDir()
		j, err := journal.Open(t.Context(), filepath.Join(state, "journal.db"), journal.Options{Machine: machine})
		ok(t, err)
		ok(t, j.Write(t.Context(), func(tx *journal.Tx) error { // one without any fact would take another name
			_, err := tx.Fact("test.fact", "subject", struct{}{}, nil)
			return err
		}))
		ok(t, j.Close())
		return state
	}
	aside := func(path string) func() error { return func() error { return os.Rename(path, path+".copy") } }
	for name, tc := range map[string]struct {
		spoil func(t *testing.T) (state string, mend func() error)
		code  string
		cause string
	}{
		"another machine's journal": {func(t *testing.T) (string, func() error) {
			state := made(t, "OTHER1")
			return state, aside(filepath.Join(state, "journal.db"))
		}, "S-906", "不是本机的记录"},
		"a damaged journal": {func(t *testing.T) (string, func() error) {
			state := t.TempDir()
			path := filepath.Join(state, "journal.db")
			ok(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 500)), 0o600))
			return state, aside(path)
		}, "S-906", "先留一份副本"},
		"a journal in use": {func(t *testing.T) (string, func() error) {
			state := t.TempDir()
			j, err := journal.Open(t.Context(), filepath.Join(state, "journal.db"), journal.Options{Machine: "TEST01"})
			ok(t, err)
			return state, j.Close
		}, "S-906", "另一个程序正在使用"},
		"a damaged key": {func(t *testing.T) (string, func() error) {
			state := made(t, "TEST01")
			path := filepath.Join(state, "person.key")
			ok(t, os.WriteFile(path, []byte("short"), 0o600))
			return state, aside(path)
		}, "S-906", "person.key 已损坏"},
		"a folder that cannot be written": {func(t *testing.T) (string, func() error) {
			away := filepath.Join(t.TempDir(), "disk")
			ok(t, os.WriteFile(away, nil, 0o600))
			return filepath.Join(away, "state"), func() error { return os.Remove(away) }
		}, "S-904", "不能写入"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, mend := tc.spoil(t)
			r := stand(t, "", func(addr string) (*config.Config, error) {
				cfg, problems := config.Parse("test", fmt.Appendf(nil, "machine: TEST01\nrole: kiosk\nlisten: %s\nstate: %q\n", addr, state))
				return cfg, problems.Err()
			})
			s := r.look()
			r.sees(s, "outofservice", tc.code, tc.cause)
			if code, body := r.get("/healthz", ""); code != http.StatusServiceUnavailable || !strings.HasPrefix(body, "not serving anybody: cannot ") {
				t.Errorf("it answers %d %s", code, body)
			}
			ok(t, mend())
			r.sees(s, "attract")
			ok(t, r.end())
		})
	}
}

// TestConfigurationThatIsWrong: a machine whose file or content is wrong says so, and starts when it is right.
func TestConfigurationThatIsWrong(t *testing.T) {
	var mu sync.Mutex
	wrong := errors.New("kiosk.yaml:3: unknown key")
	content := filepath.Join(t.TempDir(), "content")
	r := stand(t, "", func(addr string) (*config.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		cfg, problems := config.Parse("test", fmt.Appendf(nil, "machine: TEST01\nrole: kiosk\nlisten: %s\nstate: %q\ncontent: %q\n", addr, t.TempDir(), content))
		return cfg, errors.Join(wrong, problems.Err())
	})
	s := r.look()
	r.sees(s, "outofservice", "S-907", "kiosk check")
	if code, body := r.get("/healthz", ""); code != 503 || !strings.Contains(body, "unknown key") {
		t.Errorf("it answers %d %s", code, body)
	}
	mu.Lock()
	wrong = nil // the file is right now, but the content is not there
	mu.Unlock()
	r.eventually("the next cause is told", func() bool {
		_, body := r.get("/healthz", "")
		return strings.Contains(body, "cannot read the content")
	})
	mu.Lock()
	content = ""
	mu.Unlock()
	<-r.ready
	r.sees(r.look(), "attract")
	ok(t, r.end())
}

// TestStandIn: in place of a program that fails, the screen says 暂停服务 for its time, with or without a configuration.
func TestStandIn(t *testing.T) {
	r := &running{t: t, addr: freeAddress(t)}
	cfg := parse(t, "machine: TEST01\nrole: kiosk\nlisten: "+r.addr+"\n")
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opt := Options{Version: "test", Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- StandIn(ctx, opt, cfg, time.Hour) }()
	r.sees(r.look(), "outofservice", "S-901", "程序多次启动失败")
	cancel()
	ok(t, <-ended)
	ok(t, StandIn(t.Context(), opt, cfg, time.Nanosecond))
	if code, _ := r.get("/", ""); code != 0 {
		t.Errorf("after its time it answers %d", code)
	}
}

// TestDiskThatFills runs a machine on a small file system of its own, in a mount namespace of another process. Where a system forbids
// such namespaces the journal's tests stand alone.
func TestDiskThatFills(t *testing.T) {
	if os.Getenv("SMALL_DISK") != "" {
		testDiskThatFills(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiskThatFills$", "-test.v")
	cmd.Env = append(os.Environ(), "SMALL_DISK=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && cmd.Process == nil:
		t.Logf("this system allows no mount namespace (%v)", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}

func testDiskThatFills(t *testing.T) {
	dir := t.TempDir()
	ok(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"))
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	hog := filepath.Join(dir, "other program's log")
	fill := func(leave int64) {
		var st syscall.Statfs_t
		ok(t, syscall.Statfs(dir, &st))
		f, err := os.OpenFile(hog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		ok(t, err)
		defer f.Close()
		for left := int64(st.Bavail)*st.Bsize - leave; left > 0; left -= 4096 {
			if _, err := f.Write(make([]byte, 4096)); err != nil {
				break // full to the last page
			}
		}
	}
	fill(0)
	r := launch(t, "machine: TEST01\nrole: kiosk\nstate: %q\nupstream: {url: \"http://127.0.0.1:9\", seal-key: \"%s=\"}\n", filepath.Join(dir, "state"), strings.Repeat("A", 43))
	s := r.look()
	r.sees(s, "outofservice", "S-905", "请清出空间")
	ok(t, os.Remove(hog))
	r.sees(s, "attract")
	ok(t, s.conn.WriteJSON(map[string]string{"do": "touch"}))
	r.sees(s, "home")
	if s.shows("home", "本机暂时不能受理申报") {
		t.Error("a machine with room takes no applications")
	}
	fill(1 << 20) // in the middle of the day; the next proof notices it
	r.sees(s, "home", "本机暂时不能受理申报")
	if code, body := r.get("/healthz", ""); code != 503 || !strings.Contains(body, "nearly full") {
		t.Errorf("it answers %d %s", code, body)
	}
	ok(t, os.Remove(hog))
	r.eventually("it takes applications again", func() bool { code, _ := r.get("/healthz", ""); return code == 200 })
	r.eventually("and the screen says nothing of it", func() bool { return !s.shows("home", "本机暂时不能受理申报") })
	ok(t, r.end())
}
