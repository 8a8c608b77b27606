package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the program once, with the race detector, and returns its path: these tests drive what a user runs.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kiosk-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kiosk")
	out, err := exec.Command("go", "build", "-race", "-o", path, "yuanban/kiosk").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot build the program: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func kioskBinary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program is a running kiosk.
type program struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string // of the screen, with a slash at its end
	log  *lockedBuffer
	out  *lockedBuffer // its standard output
	done chan struct{}
}

// start runs the program and waits until it says where its screen is.
func start(t testing.TB, args ...string) *program {
	t.Helper()
	return startCommand(t, exec.Command(kioskBinary(t), args...))
}

// startCommand does the same for a command that was made ready.
func startCommand(t testing.TB, cmd *exec.Cmd) *program {
	t.Helper()
	p, ready := launch(t, cmd)
	select {
	case p.url = <-ready:
	case <-p.done:
		t.Fatalf("the program ended at its start:\n%s", p.log)
	case <-time.After(60 * time.Second):
		t.Fatalf("the program was not ready after a minute:\n%s", p.log)
	}
	return p
}

// launch runs the program, which is stopped with the test; where its screen is comes from ready once it says so.
func launch(t testing.TB, cmd *exec.Cmd) (p *program, ready <-chan string) {
	t.Helper()
	p = &program{t: t, cmd: cmd, log: &lockedBuffer{}, out: &lockedBuffer{}, done: make(chan struct{})}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		defer close(p.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			fmt.Fprintln(p.out, s.Text())
			for _, w := range strings.Fields(s.Text()) {
				if strings.HasPrefix(w, "http://") && !strings.HasSuffix(w, "bench") {
					select {
					case said <- w:
					default:
					}
				}
			}
		}
		p.cmd.Wait()
	}()
	t.Cleanup(p.stop)
	return p, said
}

// stop asks the program to end and waits for it; what the race detector found fails the test.
func (p *program) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.cmd.Process.Kill()
		p.t.Errorf("the program did not stop within 20 s of SIGTERM")
		<-p.done
	}
	if log := p.log.String(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") {
		p.t.Errorf("the program said:\n%s", log)
	}
}

// kill ends the program as a power cut does.
func (p *program) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// call sends one request to the program and decodes its answer into out, when that is not nil.
func (p *program) call(method, path string, body, out any) int {
	p.t.Helper()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, p.url+strings.TrimPrefix(path, "/"), in)
	if err != nil {
		p.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", method, path, err, p.log)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			p.t.Fatalf("%s %s answered %s: %v\n%s", method, path, resp.Status, err, data)
		}
	}
	return resp.StatusCode
}

// must is call for what has to succeed.
func (p *program) must(method, path string, body, out any) {
	p.t.Helper()
	if code := p.call(method, path, body, out); code < 200 || code > 299 {
		p.t.Fatalf("%s %s answered %d", method, path, code)
	}
}

// receipt is a paper as the bench tells it.
type receipt struct {
	ID    string   `json:"id"`
	Lines []string `json:"lines"`
	Taken bool     `json:"taken"`
}

func (r receipt) text() string { return strings.Join(r.Lines, "\n") }

func (p *program) receipts() []receipt {
	p.t.Helper()
	var pr struct {
		Receipts []receipt `json:"receipts"`
	}
	p.must("GET", "/bench/api/printer", nil, &pr)
	return pr.Receipts
}

// record is a fact as the platform has it.
type record struct {
	Machine  string          `json:"machine"`
	Epoch    string          `json:"epoch"`
	Sequence int64           `json:"sequence"`
	Kind     string          `json:"kind"`
	Subject  string          `json:"subject"`
	Body     json.RawMessage `json:"body"`
	Personal json.RawMessage `json:"personal"`
}

func (p *program) records(kind string) []record {
	p.t.Helper()
	var all struct {
		Records []record `json:"records"`
	}
	p.must("GET", "/bench/api/platform/records", nil, &all)
	var out []record
	for _, r := range all.Records {
		if kind == "" || r.Kind == kind {
			out = append(out, r)
		}
	}
	return out
}

// eventually waits for a condition of the world outside this process.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(45 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("did not happen within 45 s: %s", what)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
