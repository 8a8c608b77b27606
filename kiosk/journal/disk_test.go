package journal

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSmallDisk runs testSmallDisk on real small file systems. They are mounted in a mount namespace of a process of its own, so
// that nothing is left behind whatever happens. Where a system forbids such namespaces, TestDiskFullIsSaidAndPasses with its limit on
// pages stands alone.
func TestSmallDisk(t *testing.T) {
	if os.Getenv("SMALL_DISK") != "" {
		testSmallDisk(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSmallDisk$", "-test.v")
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

func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all room that is left, and returns the file that holds it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "other program's log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for range 1 << 16 {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return path
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the disk is never full")
	return ""
}

func testSmallDisk(t *testing.T) {
	t.Run("full while running", func(t *testing.T) {
		dir := mount(t, "size=4m")
		j, err := Open(t.Context(), filepath.Join(dir, "j.db"), Options{Machine: "A1B2C3", Reserve: 256 << 10})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		pulse(t, j)
		record(t, j, "a.b", "before", nil, nil)
		hog := fill(t, dir)
		if err := j.Room(); !errors.Is(err, ErrLowRoom) {
			t.Errorf("on a full disk there is room: %v", err)
		}
		for range 100 { // what is left of the write-ahead log may still take a few
			if err = j.Write(t.Context(), func(tx *Tx) error { _, err := tx.Fact("a.b", "s", nil, make([]byte, 20_000)); return err }); err != nil {
				break
			}
		}
		if !errors.Is(err, ErrDiskFull) {
			t.Errorf("a fact on a full disk gives %v", err)
		}
		if err := j.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		if err := j.Clock(t.Context()); err != nil {
			t.Errorf("reading on a full disk: %v", err)
		}
		if err := os.Remove(hog); err != nil {
			t.Fatal(err)
		}
		if err := j.Room(); err != nil {
			t.Error(err)
		}
		pulse(t, j)
		record(t, j, "a.b", "after", nil, make([]byte, 20_000))
		if err := j.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("nearly full", func(t *testing.T) {
		dir := mount(t, "size=4m")
		j, err := Open(t.Context(), filepath.Join(dir, "j.db"), Options{Machine: "A1B2C3", Reserve: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := j.Room(); !errors.Is(err, ErrLowRoom) {
			t.Errorf("with less than the reserve left it says %v", err)
		}
		pulse(t, j)
		record(t, j, "a.b", "a rating still finds its place", nil, nil)
	})
	t.Run("full at the start", func(t *testing.T) {
		dir := mount(t, "size=1m")
		hog := fill(t, dir)
		path := filepath.Join(dir, "j.db")
		if j, err := Open(t.Context(), path, Options{Machine: "A1B2C3"}); !errors.Is(err, ErrDiskFull) {
			t.Errorf("opened %v, %v", j, err)
		}
		if err := os.Remove(hog); err != nil {
			t.Fatal(err)
		}
		j, err := Open(t.Context(), path, Options{Machine: "A1B2C3", Reserve: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		record(t, j, "a.b", "s", nil, nil)
	})
	t.Run("read-only at the start", func(t *testing.T) {
		dir := mount(t, "size=4m")
		path := filepath.Join(dir, "j.db")
		j, err := Open(t.Context(), path, Options{Machine: "A1B2C3", Reserve: 1})
		if err != nil {
			t.Fatal(err)
		}
		record(t, j, "a.b", "s", nil, nil)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		remount := func(flags uintptr) {
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
				t.Fatal(err)
			}
		}
		remount(syscall.MS_RDONLY)
		if j, err := Open(t.Context(), path, Options{Machine: "A1B2C3"}); !errors.Is(err, ErrReadOnly) {
			t.Errorf("opened %v, %v", j, err)
		}
		remount(0)
		j, err = Open(t.Context(), path, Options{Machine: "A1B2C3", Reserve: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		pulse(t, j)
	})
}
