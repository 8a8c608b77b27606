package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func TestRun(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	for _, p := range []struct {
		name, script, stdin string
		stdout              string
		want                *ExitError
	}{
		{name: "words", script: "echo out; echo err >&2", stdout: "out\n"},
		{name: "stdin", script: "tr a-z A-Z", stdin: "hello", stdout: "HELLO"},
		{name: "stdin not wanted", script: "exec 0<&-; sleep 0.05; echo done", stdin: strings.Repeat("x", 1<<20), stdout: "done\n"},
		{name: "exit code", script: "echo why >&2; exit 7", want: &ExitError{Code: 7, Stderr: "why"}},
		{name: "signal", script: "kill -TERM $$", want: &ExitError{Signal: syscall.SIGTERM.String()}},
		{name: "environment", script: `printf "$BENCH"`, stdout: "yes"},
		{name: "a child that stays", script: "sleep 60 & echo here", stdout: "here\n"},
	} {
		t.Run(p.name, func(t *testing.T) {
			var out bytes.Buffer
			err := c.Run(t.Context(), Cmd{Args: []string{"sh", "-c", p.script}, Env: []string{"BENCH=yes"}, Stdin: strings.NewReader(p.stdin), Stdout: &out})
			exit, _ := errors.AsType[*ExitError](err)
			if p.want == nil && err != nil || p.want != nil && (exit == nil || *exit != *p.want) {
				t.Errorf("%v, want %v", err, p.want)
			}
			if out.String() != p.stdout {
				t.Errorf("said %q, want %q", out.String(), p.stdout)
			}
		})
	}
	if _, err := c.Output(t.Context(), "no-such-program"); err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("a program that is not there: %v", err)
	}
	var both bytes.Buffer
	if err := c.Run(t.Context(), Cmd{Args: []string{"sh", "-c", "echo 1; echo 2 >&2; echo 3"}, Stdout: &both, Stderr: &both}); err != nil || both.String() != "1\n2\n3\n" {
		t.Errorf("both outputs in one: %q, %v", both.String(), err)
	}
}

// TestRunCancelled: the end of the context kills the program with its children.
func TestRunCancelled(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	ctx, cancel := context.WithCancel(t.Context())
	pid := make(chan int, 1)
	err := c.Run(ctx, Cmd{Args: []string{"sh", "-c", "sleep 1000 & echo $!; wait"}, Stdout: writerFunc(func(b []byte) {
		n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		pid <- n
		cancel()
	})})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	waitGone(t, <-pid)
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// waitGone waits until a process is no more, or a zombie that nobody here can bury.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for range 1000 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

func TestFiles(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	dir := t.TempDir()
	path := filepath.Join(dir, "new folder", "file")
	big := make([]byte, 3<<20+17)
	for i := range big {
		big[i] = byte(rand.N(256))
	}
	if err := c.Put(t.Context(), path, 0o751, bytes.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode() != 0o751 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	got, err := c.Get(t.Context(), path)
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("got %d bytes of %d, %v", len(got), len(big), err)
	}
	broken := errors.New("the disk of the bench broke")
	if err := c.Put(t.Context(), path, 0o600, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a broken source: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, big) {
		t.Errorf("half a file took the place of a whole one: %d bytes, %v", len(got), err)
	}
	for what, err := range map[string]error{
		"get": func() error { _, err := c.Get(t.Context(), dir+"/none"); return err }(),
		"put": c.Put(t.Context(), path+"/below a file", 0o600, bytes.NewReader(big)),
	} {
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/.*"); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

func TestWrite(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	dir := t.TempDir()
	file := filepath.Join(dir, "gpiochip7", "pull")
	if err := c.Put(t.Context(), file, 0o600, strings.NewReader("before, and longer")); err != nil {
		t.Fatal(err)
	}
	pattern := filepath.Join(dir, "gpiochip*", "pull")
	began := time.Now()
	if err := c.Write(t.Context(), Step{Path: pattern, Data: "down"}, Step{After: 30 * time.Millisecond, Path: file, Data: "up"}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("a pause of 30 ms took %v", took)
	}
	if got, _ := os.ReadFile(file); string(got) != "up" {
		t.Errorf("the file says %q", got)
	}
	if err := c.Write(t.Context(), Step{Path: dir + "/none*", Data: "x"}); err == nil || !strings.Contains(err.Error(), "0 files") {
		t.Errorf("a pattern that fits nothing: %v", err)
	}
	if err := c.Put(t.Context(), filepath.Join(dir, "gpiochip8", "pull"), 0o600, strings.NewReader("other")); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), Step{Path: pattern, Data: "x"}); err == nil || !strings.Contains(err.Error(), "2 files") {
		t.Errorf("a pattern that fits two: %v", err)
	}
}

// TestSockets: connections in both directions, many at once, with half-closes, and deadlines as net/http wants them.
func TestSockets(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	srv := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		fmt.Fprintf(w, "%d %x %v", n, h.Sum(nil), err)
	})}
	// "guest" and "host" are one machine here, so that each side can be either.
	socket := filepath.Join(t.TempDir(), "sock")
	l, err := c.Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Dial(ctx, "unix", socket) }}
	client := &http.Client{Transport: transport}
	results := make(chan error, 20)
	for i := range cap(results) {
		go func() {
			body := bytes.Repeat([]byte{byte(i)}, i*10_000)
			resp, err := client.Post("http://guest/", "text/plain", bytes.NewReader(body))
			if err != nil {
				results <- err
				return
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if want := fmt.Sprintf("%d %x <nil>", len(body), sha256.Sum256(body)); string(got) != want {
				err = fmt.Errorf("got %q, %w, want %q", got, err, want)
			}
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	conn, err := c.Dial(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read past its deadline: %v", err)
	}
	conn.Close()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("read after Close")
	}
	transport.CloseIdleConnections()
	l.Close()
	if err := <-served; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener ended with %v", err)
	}
	if _, err := c.Dial(t.Context(), "unix", socket); err == nil {
		t.Error("somebody still listens")
	}
}

// TestSlowReader: a stream that nobody reads does not hold up the others.
func TestSlowReader(t *testing.T) {
	c := dialGuest(t, serveGuest(t))
	ctx, cancel := context.WithCancel(t.Context())
	stuck := make(chan error, 1)
	hold := make(chan struct{})
	go func() {
		stuck <- c.Run(ctx, Cmd{Args: []string{"cat", "/dev/zero"}, Stdout: writerFunc(func([]byte) { <-hold })})
	}()
	for range 10 {
		if got, err := c.Output(t.Context(), "sh", "-c", "head -c 300000 /dev/zero | wc -c"); err != nil || got != "300000" {
			t.Errorf("%q, %v", got, err)
		}
	}
	cancel()
	close(hold)
	if err := <-stuck; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestHostComesAnew: a host that leaves at any moment, in the middle of frames in both directions, and comes back finds an
// agent that answers, and nothing of before.
func TestHostComesAnew(t *testing.T) {
	path := serveGuest(t)
	for range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c, err := Dial(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		over := make(chan error, 2)
		pid := make(chan int, 1)
		go func() {
			over <- c.Run(ctx, Cmd{Args: []string{"sh", "-c", "echo $$; exec cat /dev/zero"}, Stdout: writerFunc(func(b []byte) {
				var n int
				if _, err := fmt.Sscan(string(b), &n); err == nil {
					pid <- n
				}
			})})
		}()
		go func() { over <- c.Run(ctx, Cmd{Args: []string{"cat"}, Stdin: zeros{}}) }()
		child := <-pid
		if got, err := c.Output(ctx, "echo", "here"); err != nil || got != "here" {
			t.Fatalf("%q, %v", got, err)
		}
		time.Sleep(rand.N(5 * time.Millisecond))
		c.Close()
		for range 2 {
			if err := <-over; !errors.Is(err, errOver) {
				t.Errorf("a program under way ended with %v", err)
			}
		}
		if _, err := c.Output(ctx, "echo"); err == nil {
			t.Error("a closed client ran a program")
		}
		waitGone(t, child)
		cancel()
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestGuestComesAnew: the host learns that the agent has started anew, and what it was waiting for is over.
func TestGuestComesAnew(t *testing.T) {
	p, path := newPort(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { first <- Serve(ctx, p) }()
	c := dialGuest(t, path)
	over := make(chan error, 1)
	go func() { over <- c.Run(t.Context(), Cmd{Args: []string{"sleep", "1000"}}) }()
	if _, err := c.Output(t.Context(), "true"); err != nil {
		t.Fatal(err)
	}
	cancel()
	// The second begins while the first still reads: as after a kill, it gets whatever bytes come next.
	second := make(chan error, 1)
	go func() { second <- Serve(t.Context(), p) }()
	if err := <-over; !errors.Is(err, errOver) {
		t.Errorf("a program under way ended with %v", err)
	}
	<-c.Done()
	c.Close()
	again := dialGuest(t, path)
	if got, err := again.Output(t.Context(), "echo", "new"); err != nil || got != "new" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestNobodyAnswers: Dial ends with its context.
func TestNobodyAnswers(t *testing.T) {
	_, path := newPort(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
