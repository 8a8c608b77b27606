package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func newCache(t *testing.T) (*cache, *strings.Builder) {
	t.Helper()
	var said strings.Builder
	c := &cache{dir: t.TempDir(), say: func(format string, args ...any) { fmt.Fprintf(&said, format+"\n", args...) }}
	if err := os.Mkdir(c.logs(), 0o755); err != nil {
		t.Fatal(err)
	}
	return c, &said
}

// TestStep: a step is taken once for its inputs, a failed one leaves its log and nothing else, and what other inputs made goes.
func TestStep(t *testing.T) {
	c, _ := newCache(t)
	taken := 0
	do := func(_ context.Context, s *work) error {
		taken++
		if err := os.WriteFile(filepath.Join(s.tmp, "scratch"), nil, 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(s.out, "result"), []byte("done"), 0o644)
	}
	first, err := c.step(t.Context(), "thing", key("a"), do)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.step(t.Context(), "thing", key("a"), do); again != first || err != nil || taken != 1 {
		t.Errorf("%s and %s, taken %d times, %v", first, again, taken, err)
	}
	other, err := c.step(t.Context(), "thing-else", key("a"), do)
	if err != nil {
		t.Fatal(err)
	}
	// Killed in the middle: what it left behind does not count.
	if err := os.MkdirAll(filepath.Join(c.dir, "tmp", "thing", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = c.step(t.Context(), "thing", key("b"), func(ctx context.Context, s *work) error {
		return s.run(ctx, "", "sh", "-c", "echo the reason; exit 3")
	})
	if err == nil || !strings.Contains(err.Error(), "thing.log") {
		t.Errorf("a failed step: %v", err)
	}
	if log, err := os.ReadFile(filepath.Join(c.logs(), "thing.log")); err != nil || !strings.Contains(string(log), "the reason") {
		t.Errorf("its log: %q, %v", log, err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Errorf("a failed step took the result of another along: %v", err)
	}
	third, err := c.step(t.Context(), "thing", key("b"), do)
	if err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(c.dir + "/*-*/*")
	if want := []string{third + "/result", other + "/result"}; !sameSet(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

func sameSet(a, b []string) bool {
	in := map[string]int{}
	for _, s := range a {
		in[s]++
	}
	for _, s := range b {
		in[s]--
	}
	for _, n := range in {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestKey(t *testing.T) {
	seen := map[string]string{}
	for _, parts := range [][]string{{}, {""}, {"a"}, {"a", ""}, {"a", "bc"}, {"ab", "c"}, {"1:a,"}} {
		k := key(parts...)
		if was, ok := seen[k]; ok {
			t.Errorf("%q and %s have the same key", parts, was)
		}
		seen[k] = fmt.Sprintf("%q", parts)
	}
}

func TestMissingProgram(t *testing.T) {
	if _, err := ask(t.Context(), "no-such-program", "x"); err == nil || !strings.Contains(err.Error(), "make vm-test installs") {
		t.Errorf("%v", err)
	}
	if _, err := ask(t.Context(), "sh", "-c", "echo why >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("%v", err)
	}
}

func TestNeedDebian(t *testing.T) {
	for text, ok := range map[string]bool{
		"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n": true,
		"VERSION_ID=\"13\"\nID=debian\n":                                                 false,
		"VERSION_ID=\"12\"\nID=other\nID_LIKE=debian\n":                                  false,
	} {
		path := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := needDebian(path); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := needDebian("/no/such/file"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestAptOutput(t *testing.T) {
	deps := parseDepends("linux-headers-6.1.0-56-amd64\n  Depends: linux-headers-6.1.0-56-common\n  Depends: linux-kbuild-6.1\n" +
		"  Depends: <virtual>\n  Recommends: other\n |Depends: either\n")
	if want := []string{"linux-headers-6.1.0-56-common", "linux-kbuild-6.1"}; !reflect.DeepEqual(deps, want) {
		t.Errorf("depends on %q, want %q", deps, want)
	}
	files, err := parseURIs("N: a notice\n'http://mirror/pool/main/k/kmod_30%2b1_amd64.deb' kmod_30+1_amd64.deb 94736 SHA256:ab12\n")
	if want := []debFile{{"kmod_30+1_amd64.deb", 94736, "SHA256:ab12"}}; err != nil || !reflect.DeepEqual(files, want) {
		t.Errorf("%v, %v, want %v", files, err, want)
	}
	if _, err := parseURIs("'http://mirror/x' x\n"); err == nil {
		t.Error("half a line was understood")
	}
}

// TestDress: the overlay's files are there, its units wanted, and what is masked leads nowhere, whatever was there before.
func TestDress(t *testing.T) {
	stage := t.TempDir()
	units := filepath.Join(stage, "etc/systemd/system")
	if err := link("/lib/systemd/system/fstrim.timer", filepath.Join(units, masked[0])); err != nil {
		t.Fatal(err)
	}
	if err := dress(stage); err != nil {
		t.Fatal(err)
	}
	for _, unit := range masked {
		if to, err := os.Readlink(filepath.Join(units, unit)); to != "/dev/null" {
			t.Errorf("%s leads to %q, %v", unit, to, err)
		}
	}
	for _, e := range enabled {
		if _, err := os.Stat(filepath.Join(units, e[0]+".wants", e[1])); err != nil {
			t.Errorf("a unit that is not there is wanted: %v", err)
		}
	}
	if host, err := os.ReadFile(filepath.Join(stage, "etc/hostname")); err != nil || strings.TrimSpace(string(host)) != "bench" {
		t.Errorf("host name %q, %v", host, err)
	}
}
