//go:build vm

package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"yuanban/systemd/bench/guest"
	"yuanban/systemd/bench/machine"
)

var (
	cuts       = flag.Int("cuts", 3, "how often the power is cut")
	updateCuts = flag.Int("updates", 4, "how often it is cut in the middle of an update")
	kernel     = flag.String("kernel", guest.DefaultKernel, "Debian's package of the guest's kernel")
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

// lockFile is held by the one run of the bench on this machine: two virtual machines would only slow each other down.
const lockFile = "/run/lock/yuanban-bench"

// locked waits for its turn.
func locked(run func() int) (int, error) {
	f, err := os.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("cannot keep other runs of the bench away: %w; run make vm-test as root", err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		say("waiting for another run of the bench on this machine")
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			return 0, err
		}
	}
	return run(), nil
}

// built is the guest, built once for all tests.
var built = sync.OnceValues(func() (*guest.Guest, error) {
	dir, err := filepath.Abs(cache)
	if err != nil {
		return nil, err
	}
	return guest.Build(context.Background(), guest.Options{Cache: dir, Module: module, Kernel: *kernel, Say: say})
})

func build(t *testing.T) *guest.Guest {
	t.Helper()
	g, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// setup is a machine for a test: a fresh disk, and logs that stay if the test fails.
func setup(t *testing.T, g *guest.Guest, cfg machine.Config) machine.Config {
	t.Helper()
	dir := filepath.Join(cache, "run", t.Name())
	if err := os.RemoveAll(dir); err != nil { // a run that was killed may have left something behind
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cfg.Dir, cfg.Kernel, cfg.Initrd, cfg.Say = dir, g.Kernel, g.Initrd, say
	cfg.Disk.Path = filepath.Join(dir, "root.img")
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
			return
		}
		_ = os.Remove(cfg.Disk.Path)
		t.Logf("the logs of the virtual machine are in build/vm/run/%s", t.Name())
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
