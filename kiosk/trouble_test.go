package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/kiosk/journal"
	"yuanban/kiosk/upstream"
	"yuanban/ui/uitest"
)

// glance is a page of the built program that remembers what each region shows.
type glance struct {
	t      *testing.T
	conn   *websocket.Conn
	mu     sync.Mutex
	screen string
	region map[string]string
}

func glanceAt(t *testing.T, p *program) *glance {
	t.Helper()
	g := &glance{t: t, conn: dialPage(t, p), region: map[string]string{}}
	done := make(chan struct{})
	t.Cleanup(func() { g.conn.Close(); <-done })
	go func() {
		defer close(done)
		for {
			var f uitest.Frame
			if g.conn.ReadJSON(&f) != nil {
				return
			}
			g.mu.Lock()
			g.screen = f.Screen
			for name, html := range f.Regions {
				g.region[name] = html
			}
			g.mu.Unlock()
		}
	}()
	return g
}

// shows says whether a screen is there with all words but not with any of without.
func (g *glance) shows(screen string, words, without []string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all strings.Builder
	for _, html := range g.region {
		all.WriteString(html)
	}
	for _, w := range words {
		if !strings.Contains(all.String(), w) {
			return false
		}
	}
	for _, w := range without {
		if strings.Contains(all.String(), w) {
			return false
		}
	}
	return g.screen == screen
}

func (g *glance) sees(screen string, words ...string) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("the screen %s says %q", screen, words), func() bool { return g.shows(screen, words, nil) })
}

func (g *glance) no(screen string, words ...string) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("the screen %s says no more %q", screen, words), func() bool { return g.shows(screen, nil, words) })
}

func (g *glance) touch() {
	g.t.Helper()
	must(g.t, g.conn.WriteJSON(map[string]string{"do": "touch"}))
}

const (
	wordsOfClock = "本机时钟不准，暂时不能受理申报。"
	wordsOfDisk  = "本机暂时不能受理申报。"
)

// TestClockOnTheScreen: the built program on a machine whose clock went back or ahead ten years since its last fact. The screen says so and
// takes no applications; once the platform confirms the time, it goes on by itself.
func TestClockOnTheScreen(t *testing.T) {
	for name, years := range map[string]int{"ten years back": 10, "ten years ahead": -10} { // where the last fact lies, seen from now
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			state := filepath.Join(dir, "state")
			must(t, os.Mkdir(state, 0o700))
			then := time.Now().AddDate(years, 0, 0)
			file := filepath.Join(state, "journal.db")
			j, err := journal.Open(t.Context(), file, journal.Options{Machine: "CLOCK1", Now: func() time.Time { return then }})
			must(t, err)
			must(t, j.Write(t.Context(), func(tx *journal.Tx) error {
				_, err := tx.Fact("test.fact", "subject", struct{}{}, nil)
				return err
			}))
			must(t, j.Close())
			db, err := sql.Open("sqlite3", file)
			must(t, err)
			_, err = db.Exec("UPDATE pulse SET floor = ?", then.UnixMilli()) // the last known time, also from before this program was there
			must(t, errors.Join(err, db.Close()))

			key, err := ecdh.X25519().GenerateKey(rand.Reader)
			must(t, err)
			sim, err := upstream.NewSimulator(key.Bytes())
			must(t, err)
			address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
			config := filepath.Join(dir, "kiosk.yaml")
			must(t, os.WriteFile(config, fmt.Appendf(nil, "machine: CLOCK1\nrole: kiosk\nlisten: 127.0.0.1:%d\nstate: %q\nupstream: {url: %q, seal-key: %q}\n",
				freePort(t), state, "http://"+address, base64.StdEncoding.EncodeToString(sim.PublicKey())), 0o600))
			p := start(t, "run", "-hold", "-config", config)
			g := glanceAt(t, p)
			g.sees("attract")
			g.touch()
			g.sees("home", wordsOfClock)
			var st struct {
				Clock string `json:"clock"`
			}
			p.must("GET", "/kiosk/v1/status", nil, &st)
			if want := map[int]string{10: "an earlier time than before", -10: "more than 400 days after"}[years]; !strings.Contains(st.Clock, want) {
				t.Errorf("its status says of the clock %q, not %q", st.Clock, want)
			}

			l, err := net.Listen("tcp", address) // the platform is reached at last
			must(t, err)
			srv := &http.Server{Handler: sim}
			served := make(chan error, 1)
			go func() { served <- srv.Serve(l) }()
			t.Cleanup(func() {
				srv.Close()
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
			g.no("home", wordsOfClock)
			p.must("GET", "/kiosk/v1/status", nil, &st)
			if st.Clock != "ok" {
				t.Errorf("afterwards its status says of the clock %q", st.Clock)
			}
		})
	}
}

// onDisk starts the built program with its journal on a small disk of its own, in a mount namespace. prepare is what a shell does with the
// disk, $1, before the program starts. disk is where it is for this process. nil says that this system allows no such namespace.
func onDisk(t *testing.T, prepare string) (p *program, disk string) {
	t.Helper()
	dir := t.TempDir()
	mounted, config := filepath.Join(dir, "disk"), filepath.Join(dir, "kiosk.yaml")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	must(t, os.Mkdir(mounted, 0o700))
	must(t, os.WriteFile(config, fmt.Appendf(nil, "machine: DISK01\nrole: kiosk\nlisten: %s\nstate: %q\nupstream: {url: \"http://127.0.0.1:9\", seal-key: \"%s=\"}\n",
		address, filepath.Join(mounted, "state"), strings.Repeat("A", 43)), 0o600))
	inside := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	if err := (&exec.Cmd{Path: "/bin/true", SysProcAttr: inside}).Run(); err != nil {
		t.Logf("this system allows no mount namespace (%v): the daemon's and the journal's tests stand alone", err)
		return nil, ""
	}
	cmd := exec.Command("/bin/sh", "-ec", prepare+"\nexec \"$2\" run -hold -config \"$3\"", "sh", mounted, kioskBinary(t), config)
	cmd.SysProcAttr = inside
	p, _ = launch(t, cmd) // it says that it is ready once it serves, which it cannot yet
	p.url = "http://" + address + "/"
	eventually(t, "it answers", func() bool {
		resp, err := http.Get(p.url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return true
	})
	return p, filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "root", mounted)
}

// TestFullDiskOnTheScreen: full at the start, and nearly full in the middle of the day.
func TestFullDiskOnTheScreen(t *testing.T) {
	t.Parallel()
	p, disk := onDisk(t, `mount -t tmpfs -o size=40m disk "$1"; head -c 41m /dev/zero >"$1/hog" 2>/dev/null || true`)
	if p == nil {
		return
	}
	hog := filepath.Join(disk, "hog")
	g := glanceAt(t, p)
	g.sees("outofservice", "S-905", "请清出空间")
	must(t, os.Remove(hog))
	g.sees("attract")
	g.touch()
	g.no("home", wordsOfDisk)
	var st syscall.Statfs_t
	must(t, syscall.Statfs(disk, &st))
	must(t, os.WriteFile(hog, make([]byte, int64(st.Bavail)*st.Bsize-1<<20), 0o600))
	g.sees("home", wordsOfDisk)
	must(t, os.Remove(hog))
	g.no("home", wordsOfDisk)
}

// TestReadOnlyDiskOnTheScreen: read-only at the start, as after a check of the file system that failed; then it can be written again.
func TestReadOnlyDiskOnTheScreen(t *testing.T) {
	t.Parallel()
	p, disk := onDisk(t, `mount -t tmpfs -o size=40m,ro disk "$1"`)
	if p == nil {
		return
	}
	g := glanceAt(t, p)
	g.sees("outofservice", "S-904", "不能写入")
	_, mounted, _ := strings.Cut(disk, "/root")
	out, err := exec.Command("nsenter", "-t", strconv.Itoa(p.cmd.Process.Pid), "-U", "-m", "--preserve-credentials", "mount", "-o", "remount,rw", mounted).CombinedOutput()
	if err != nil {
		t.Fatalf("nsenter: %v: %s", err, out)
	}
	g.sees("attract")
}
