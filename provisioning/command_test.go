package provisioning

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yuanban/provisioning/update"
)

var program = Program{Version: "1.0",
	CheckConfig: func(string, []byte) error { return nil },
	Ailments:    func(context.Context, string) ([]update.Ailment, error) { return nil, nil },
}

// background runs a subcommand and gives its output line by line. It is ended with the test, and must end with that code.
func background(t *testing.T, want int, args ...string) *bufio.Scanner {
	t.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		code := Run(ctx, program, args, w, w)
		w.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		go func() { _, _ = io.Copy(io.Discard, r) }()
		if code := <-ended; code != want {
			t.Errorf("%v ended with %d, want %d", args, code, want)
		}
	})
	return bufio.NewScanner(r)
}

// until reads lines up to one that begins so, and gives the rest of it.
func until(t *testing.T, s *bufio.Scanner, begin string) string {
	t.Helper()
	var seen []string
	for s.Scan() {
		if rest, ok := strings.CutPrefix(s.Text(), begin); ok {
			return strings.TrimSpace(rest)
		}
		seen = append(seen, s.Text())
	}
	t.Fatalf("no line begins with %q:\n%s", begin, strings.Join(seen, "\n"))
	return ""
}

func do(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code := Run(t.Context(), program, args, &out, &out); code != want {
		t.Fatalf("%v ended with %d, want %d:\n%s", args, code, want, out.String())
	}
	return out.String()
}

// TestByCable: laptop and machine on one cable. The machine asks and waits, the technician types its code, the machine has its version;
// and later another one.
func TestByCable(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	do(t, exitOK, "site", "init", "-site", at("site"))
	for name, text := range map[string]string{"table.csv": "number,role,place\nK00001,kiosk,hall\n", "site/payload/kiosk.yaml": "machine: {{.number}}\n"} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do(t, exitOK, "site", "plan", "-site", at("site"), at("table.csv"))
	address, _, _ := strings.Cut(until(t, background(t, exitOK, "site", "serve", "-site", at("site"), "-listen", "127.0.0.1:0"), "site "), ";")
	url := address[strings.Index(address, "https://"):]

	machine := background(t, exitOK, "ask", "-dir", at("machine"), "-unit", "", "-site", url)
	request := until(t, machine, "request")
	code := until(t, machine, "code")
	until(t, machine, "Type the code at the laptop")
	if out := do(t, exitOK, "site", "list", "-site", at("site")); !strings.Contains(out, "waiting  request "+request) {
		t.Errorf("the request is not listed:\n%s", out)
	}
	do(t, exitFailed, "site", "approve", "-site", at("site"), "-code", code, "-number", "K00001", "ffffff")
	do(t, exitOK, "site", "approve", "-site", at("site"), "-code", code, "-number", "K00001", request)
	if v := until(t, machine, "version"); v != "1" {
		t.Errorf("version %s", v)
	}
	if got, err := os.ReadFile(at("machine/current/kiosk.yaml")); err != nil || string(got) != "machine: K00001\n" {
		t.Errorf("%q, %v", got, err)
	}
	if out := do(t, exitOK, "fetch", "-dir", at("machine"), "-unit", "", "-site", url); !strings.Contains(out, "nothing new") {
		t.Errorf("nothing was made, and fetched is:\n%s", out)
	}
	do(t, exitOK, "site", "bundle", "-site", at("site"))
	if out := do(t, exitOK, "fetch", "-dir", at("machine"), "-unit", "", "-site", url); !strings.Contains(out, "version  2") {
		t.Errorf("the second version:\n%s", out)
	}

	sweptAtStart(t, at("machine"))

	// A version that was taken back is not tried again by itself.
	do(t, exitOK, "site", "bundle", "-site", at("site"))
	if err := os.WriteFile(at("machine/state.json"), []byte(`{"committed": 2, "failed": {"version": 3}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := do(t, exitOK, "fetch", "-dir", at("machine"), "-unit", ""); !strings.Contains(out, "version 3 was taken back and is not tried again") || !strings.Contains(out, "nothing new") {
		t.Errorf("the night after a version was taken back:\n%s", out)
	}
	if out := do(t, exitOK, "fetch", "-dir", at("machine"), "-unit", "", "-again"); !strings.Contains(out, "version  3") {
		t.Errorf("a version that was taken back, tried again:\n%s", out)
	}
}

// sweptAtStart: what power cuts left is gone after a start, and nothing else.
func sweptAtStart(t *testing.T, dir string) {
	t.Helper()
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".repack-1/root/usr/bin", ".fetched-2", ".new-kiosk.before"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	do(t, exitOK, "resume", "-dir", dir, "-unit", "")
	if _, err := os.Stat(filepath.Join(dir, ".fetched-2")); err != nil {
		t.Error("what a running fetch may be writing was removed")
	}
	do(t, exitOK, "recover", "-dir", dir, "-unit", "")
	after, err := os.ReadDir(dir)
	if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("after a start there are %v (%v), before there were %v", after, err, before)
	}
}

func TestHardware(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"sys/class/dmi/id/sys_vendor": "Example\n", "sys/class/dmi/id/product_name": "Box 1\n", "sys/class/net/eth0/address": "02:00:00:00:00:01\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "sys/class/net/lo"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "sys/class/net/eth0/device"), 0o755); err != nil {
		t.Fatal(err)
	}
	hw := hardware(root)
	if hw.Vendor != "Example" || hw.Model != "Box 1" || strings.Join(hw.MACs, " ") != "02:00:00:00:00:01" {
		t.Errorf("%+v", hw)
	}
}
