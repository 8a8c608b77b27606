package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// standInFor is how long the screen says 暂停服务 before the daemon is tried again; the unit's start limit has forgotten by then.
const standInFor = 11 * time.Minute

// runReboots is "kiosk reboots": may the machine be rebooted once more? A fault that outlives reboots would otherwise keep it rebooting
// for ever, with a dark screen.
func runReboots(_ context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newFlags("reboots", stderr)
	record := flags.String("record", "/var/lib/kiosk-reboots/reboots.json", "`FILE` that remembers them")
	most := flags.Int("most", 2, "how `MANY` are allowed")
	within := flags.Duration("within", 6*time.Hour, "in how `LONG` a time")
	if code, done := parse(flags, args, stdout); done {
		return code
	}
	allowed, err := allowReboot(*record, *most, *within, time.Now())
	if err != nil {
		fmt.Fprintln(stderr, "kiosk reboots: cannot keep the record of reboots, so none is allowed:", err)
		return exitFailed
	}
	if !allowed {
		fmt.Fprintf(stderr, "kiosk reboots: the machine was rebooted %d times within %s and that did not help; it is not rebooted again\n", *most, *within)
		return exitUnwell
	}
	fmt.Fprintln(stdout, "kiosk reboots: the machine may be rebooted")
	return exitOK
}

// allowReboot counts a reboot and says whether it is allowed. It is on the disk before it is allowed: a record that cannot be written
// allows nothing. A clock that lies can only make it stricter: times after now count too.
func allowReboot(path string, most int, within time.Duration, now time.Time) (bool, error) {
	var times []time.Time
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, err
	default:
		if err := json.Unmarshal(data, &times); err != nil {
			times = nil // a torn record of two numbers is worth nothing; begin anew
		}
	}
	times = slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) > within || t.Sub(now) > 366*24*time.Hour })
	if len(times) >= most {
		return false, nil
	}
	if data, err = json.Marshal(append(times, now.UTC())); err != nil {
		return false, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close(), os.Rename(f.Name(), path)); err != nil {
		return false, err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return false, err
	}
	return true, errors.Join(dir.Sync(), dir.Close())
}
