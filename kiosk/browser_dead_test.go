package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser is a Chromium as kiosk-display.service starts it: nobody drives it, it only shows the page.
type browser struct {
	t   *testing.T
	cmd *exec.Cmd
}

func showPage(t *testing.T, url string) *browser {
	t.Helper()
	dir, err := os.MkdirTemp("", "kiosk-browser-")
	must(t, err)
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-renderer-backgrounding", "--disable-background-timer-throttling", "--user-data-dir="+dir, "--remote-debugging-port=0", url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its whole group is ended, as a unit's is
	must(t, cmd.Start())
	b := &browser{t: t, cmd: cmd}
	t.Cleanup(func() {
		b.end()
		os.RemoveAll(dir)
	})
	return b
}

func (b *browser) end() {
	if b.cmd.ProcessState == nil {
		syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		b.cmd.Wait()
	}
}

// renderers are the processes of its group that run pages.
func (b *browser) renderers() (pids []int) {
	b.t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(b.t, err)
	for _, path := range found {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte("--type=renderer")) {
			continue // it may have ended meanwhile
		}
		pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
		if group, err := syscall.Getpgid(pid); err == nil && group == b.cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestBrowserDies: a page that hangs, and one that has died, in a browser that runs on. The program asks for a restart of the screen,
// and what is shown afterwards lives. This test plays the units: it sees the request and starts the browser anew.
func TestBrowserDies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runtime := filepath.Join(dir, "run")
	must(t, os.Mkdir(runtime, 0o700))
	config := filepath.Join(dir, "kiosk.yaml")
	must(t, os.WriteFile(config, fmt.Appendf(nil, "machine: DEAD01\nrole: kiosk\nlisten: 127.0.0.1:%d\nstate: %q\n", freePort(t), filepath.Join(dir, "state")), 0o600))
	cmd := exec.Command(kioskBinary(t), "run", "-config", config)
	cmd.Env = append(os.Environ(), "RUNTIME_DIRECTORY="+runtime)
	p := startCommand(t, cmd)
	if env, err := os.ReadFile(filepath.Join(runtime, "display.env")); err != nil || string(env) != "KIOSK_URL="+p.url+"\n" {
		t.Fatalf("the display is told %q, %v; the screen is at %s", env, err, p.url)
	}
	request := filepath.Join(runtime, "restart-display")
	connected := func() bool {
		var st struct{ Display bool }
		p.must("GET", "/kiosk/v1/status", nil, &st)
		return st.Display
	}
	b := showPage(t, p.url)
	for _, harm := range []struct {
		what   string
		signal syscall.Signal
	}{{"hangs", syscall.SIGSTOP}, {"has died", syscall.SIGKILL}} {
		eventually(t, "the page is connected", connected)
		time.Sleep(15 * time.Second) // it is seen to live, and nothing is asked
		if why, err := os.ReadFile(request); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("a page that lives: asked for a restart: %s %v", why, err)
		}
		pages := b.renderers()
		if len(pages) == 0 {
			t.Fatal("the browser has no renderer")
		}
		for _, pid := range pages {
			must(t, syscall.Kill(pid, harm.signal))
		}
		began := time.Now()
		eventually(t, "the program asks for a restart", func() bool { _, err := os.Stat(request); return err == nil })
		if syscall.Kill(b.cmd.Process.Pid, 0) != nil {
			t.Error("the browser itself ended; its page alone should have")
		}
		noticed := time.Since(began)
		must(t, os.Remove(request))
		b.end()
		eventually(t, "the old page is gone", func() bool { return !connected() })
		b = showPage(t, p.url)
		eventually(t, "the page is back", connected)
		t.Logf("a page that %s was noticed after %s, and back after %s", harm.what, noticed.Round(100*time.Millisecond), time.Since(began).Round(100*time.Millisecond))
	}
}
