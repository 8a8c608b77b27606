//go:build vm

package bench

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"yuanban/systemd/bench/guest"
	"yuanban/systemd/bench/machine"
)

var (
	cuts   = flag.Int("cuts", 3, "how often the power is cut")
	kernel = flag.String("kernel", guest.DefaultKernel, "Debian's package of the guest's kernel")
)

const (
	module = "../.." // the folder of go.mod
	cache  = module + "/build/vm"
)

// say prints a line with the seconds since the start, also while a test runs.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
}

var began = time.Now()

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := locked(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	say("the end")
	os.Exit(code)
}

// locked keeps other runs away from the cache, and the machine from being shared by two guests.
func locked(run func() int) (int, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return 0, fmt.Errorf("another make vm-test is running in this folder: %w", err)
	}
	return run(), nil
}

// build builds the guest once for all tests.
func build(t *testing.T) *guest.Guest {
	t.Helper()
	dir, err := filepath.Abs(cache)
	if err != nil {
		t.Fatal(err)
	}
	g, err := guest.Build(t.Context(), guest.Options{Cache: dir, Module: module, Kernel: *kernel, Say: say})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// setup is a machine for a test: a fresh disk, and logs that stay if the test fails.
func setup(t *testing.T, g *guest.Guest, cfg machine.Config) machine.Config {
	t.Helper()
	where, err := filepath.Abs(cache)
	if err != nil {
		t.Fatal(err)
	}
	// Not in the cache, whose path may be long: those of sockets are at most 107 bytes. The name is the same each time, so that
	// what a killed run left behind goes.
	hash := sha256.Sum256([]byte(where))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("vm-%x", hash[:4]), t.Name())
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.Kernel, cfg.Initrd, cfg.Say = dir, g.Kernel, g.Initrd, say
	cfg.Disk.Path = filepath.Join(dir, "root.img")
	t.Cleanup(func() {
		_ = os.Remove(cfg.Disk.Path)
		if t.Failed() {
			keep := filepath.Join(cache, "log", "failed-"+t.Name())
			_ = os.RemoveAll(keep)
			if out, err := exec.Command("cp", "-r", dir, keep).CombinedOutput(); err != nil {
				t.Logf("cannot keep the logs: %v: %s", err, out)
			} else {
				t.Logf("the logs of the virtual machine are in %s", keep)
			}
		}
		_ = os.RemoveAll(filepath.Dir(dir))
	})
	if err := machine.Copy(t.Context(), cfg.Disk.Path, g.Image); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start starts a machine that is off at the end of the test.
func start(t *testing.T, cfg machine.Config) *machine.Machine {
	t.Helper()
	m, err := machine.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.PowerCut)
	say("ready after %.1f s (%.1f s of processor time)", m.BootTime.Seconds(), m.BootWork.Seconds())
	return m
}

// output is what a program in the guest says.
func output(t *testing.T, m *machine.Machine, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := m.Agent().Output(ctx, args...)
	if err != nil {
		t.Error(err)
	}
	return out
}
