package provisioning

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/enrol"
	"yuanban/provisioning/identity"
)

// A machine at a wall has no keyboard. Whoever stands before it plugs a stick in and touches a key of the maintenance screen; the program,
// which may do nothing of the kind itself, asks kiosk-stick.service, and shows what that writes into its progress file.

// report is where this use of the command is, as the screen shows it.
type report struct {
	file string // "" keeps nothing
	last progressLine
}

// progressLine is the file's content, one JSON object.
type progressLine struct {
	Step     string    `json:"step"`          // Ask, Download, Install, Verify, Commit, Rollback, Done or Failed
	Progress float64   `json:"progress"`      // of the step, 0 to 1
	Text     string    `json:"text"`          // what a technician should know
	Code     string    `json:"code"`          // of a request that waits for its answer
	Why      string    `json:"why,omitempty"` // of Failed, for a screen: noStick, noMount, noBundle, readOnly, a bundle.Reason, or the step that failed
	Version  int64     `json:"version"`       // that is in force; 0 before the first
	At       time.Time `json:"at"`
}

// quiet is how long the file may stay as it is. The screen takes much longer silence for an update that has died.
const quiet = 20 * time.Second

// step writes where it is: as it begins, each tenth of it, and now and then while it waits.
func (r *report) step(name string, done float64) {
	if r.last.Step == name && done < r.last.Progress+0.1 && time.Since(r.last.At) < quiet {
		return
	}
	r.write(progressLine{Step: name, Progress: done})
}

// write replaces the file. That it cannot is no reason to stop: then nobody is looking.
func (r *report) write(p progressLine) {
	p.At = time.Now().UTC()
	r.last = p
	if r.file == "" {
		return
	}
	if text, err := json.Marshal(p); err == nil {
		_ = identity.WriteFile(r.file, append(text, '\n'), 0o644)
	}
}

func runStick(c *call) error {
	v := c.versions()
	c.flags.StringVar(&c.report.file, "progress", "", "`FILE` that says in JSON how far it is, for the screen")
	c.dryFlag()
	if err := c.parse(-1); err != nil {
		return err
	}
	if c.dry {
		c.report.file = "" // the screen waits for what is done
	}
	if len(c.args) > 1 {
		fmt.Fprintf(c.stderr, "%s: give one folder, or none: then the stick is found and mounted\n", c.flags.Name())
		return errUsage
	}
	c.report.write(progressLine{Step: "Download", Text: "looking for a stick"})
	end, err := c.stick(v)
	if err != nil {
		end = progressLine{Step: "Failed", Text: err.Error(), Why: c.report.last.Step, Version: c.committed(v)}
		if s, ok := errors.AsType[*stickError](err); ok {
			end.Why = s.why
		} else if r, ok := errors.AsType[*bundle.Refusal](err); ok {
			end.Why = string(r.Reason)
		}
	}
	end.Progress = 1
	c.report.write(end)
	return err
}

// stickError is what is the matter with the stick itself.
type stickError struct {
	why string // as in progressLine
	err error
}

func (e *stickError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *stickError) Unwrap() error { return e.err }

// stick finds the stick and does what it is for.
func (c *call) stick(v *versions) (end progressLine, err error) {
	s := &stick{dir: strings.Join(c.args, "")}
	if s.dir == "" {
		if s, err = plugged("/sys/class/block"); err != nil {
			return end, err
		}
		defer s.unmount()
	}
	if c.dry && !born(*v.dir) {
		return end, c.askOnDry(s)
	}
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return end, err
	}
	home, err := m.Site()
	if err != nil {
		return end, err
	}
	w, err := m.Waiting()
	if err != nil {
		return end, err
	}
	found, err := s.bundleFor(home, w)
	switch {
	case err != nil:
		return end, err
	case found == "" && home == nil && c.dry:
		return end, c.askOnDry(s)
	case found == "" && home == nil:
		return c.askOn(s, m, w)
	case found == "":
		return end, &stickError{"noBundle", fmt.Errorf("the stick has no bundle for %s; put the file that kiosk provision site bundle made into its top folder", home.Machine)}
	}
	f, err := os.Open(found)
	if err != nil {
		return end, fmt.Errorf("cannot read the bundle: %w", err)
	}
	defer f.Close()
	if err := c.take(f, v); err != nil {
		return end, err
	}
	return progressLine{Step: "Done", Version: c.committed(v), Text: filepath.Base(found)}, nil
}

// askOn writes the machine's request on the stick. A request that waits already stays the same: the stick may have been plugged in twice.
func (c *call) askOn(s *stick, m *enrol.Machine, w *enrol.Waiting) (end progressLine, err error) {
	if w == nil {
		if w, err = m.Ask("", c.Version, hardware("/")); err != nil {
			return end, err
		}
	}
	r, err := identity.ParseRequest(w.Request)
	if err != nil {
		return end, err
	}
	if err := s.writable(); err != nil {
		return end, err
	}
	name := "machine-" + r.Hash()[:12] + ".request"
	if err := identity.WriteFile(filepath.Join(s.dir, name), w.Request, 0o644); err != nil {
		return end, fmt.Errorf("cannot write the request on the stick: %w", err)
	}
	c.say("file     %s\ncode     %s", name, w.Code)
	return progressLine{Step: "Ask", Code: w.Code.String(), Text: name}, nil
}

// askOnDry says what askOn would do. A stick that was mounted here stays as it is, so that it can be written is not proven.
func (c *call) askOnDry(s *stick) error {
	if !s.mounted {
		if err := tryFolder(s.dir); err != nil {
			return fmt.Errorf("cannot write the request on the stick: %w", err)
		}
	}
	c.say("the machine's request would be written on the stick, and its code shown\n%s", dryEnd)
	return nil
}

// committed is the version that is in force, 0 where there is none.
func (c *call) committed(v *versions) int64 {
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return 0
	}
	home, err := m.Site()
	if err != nil || home == nil {
		return 0
	}
	store, err := c.machineStore(v, home, m.Key)
	if err != nil {
		return 0
	}
	st, _ := store.State()
	return st.Committed
}

// stick is a file system with files of a site.
type stick struct {
	dir     string
	device  string // "" where somebody else has mounted it
	kind    string
	mounted bool
}

// maxBundles is how many files of a stick are looked into; one for each machine of a site fit.
const maxBundles = 2000

// bundleFor is the path of the newest bundle for this machine: of its site, or the answer to its request. "" says that there is none.
func (s *stick) bundleFor(home *enrol.Site, w *enrol.Waiting) (path string, err error) {
	asked := ""
	if w != nil {
		r, err := identity.ParseRequest(w.Request)
		if err != nil {
			return "", err
		}
		asked = r.Hash()
	}
	var all []string
	for _, pattern := range []string{"*.bundle", "*/*.bundle"} {
		found, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return "", fmt.Errorf("cannot look at the stick: %w", err)
		}
		all = append(all, found...)
	}
	best := int64(0)
	for _, name := range all[:min(len(all), maxBundles)] {
		m := manifestOf(name)
		switch {
		case m == nil: // not a bundle, or damaged: another one may be good
		case asked != "" && m.Enrolment != nil && m.Enrolment.Request == asked:
			return name, nil
		case home != nil && m.Machine == home.Machine && m.Version > best:
			path, best = name, m.Version
		}
	}
	return path, nil
}

func manifestOf(name string) *bundle.Manifest {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := bundle.Read(f)
	if err != nil {
		return nil
	}
	return b.Manifest
}

// kinds of file systems that sticks have, the usual first. The kernel says which it is by refusing the others.
var kinds = []string{"vfat", "exfat", "ext4", "ntfs3", "iso9660"}

const guarded = syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC

// plugged mounts the first file system on USB, to be read only: nothing is written on a stick that was not asked for.
func plugged(blocks string) (*stick, error) {
	devices, err := onUSB(blocks)
	if err != nil {
		return nil, err
	}
	if len(devices) == 0 {
		return nil, &stickError{"noStick", errors.New("no stick is plugged in; plug it in, wait five seconds and try again")}
	}
	dir, err := os.MkdirTemp("", "kiosk-stick-")
	if err != nil {
		return nil, fmt.Errorf("cannot mount the stick: %w", err)
	}
	var last error
	for _, device := range devices {
		for _, kind := range kinds {
			if last = syscall.Mount(device, dir, kind, guarded|syscall.MS_RDONLY, ""); last == nil {
				return &stick{dir: dir, device: device, kind: kind, mounted: true}, nil
			}
		}
	}
	return nil, errors.Join(&stickError{"noMount", fmt.Errorf("cannot mount the stick (%s): %w; format it as FAT32", strings.Join(devices, ", "), last)}, os.Remove(dir))
}

// onUSB lists the block devices on USB that can hold a file system: partitions, and disks without any.
func onUSB(blocks string) (devices []string, err error) {
	names, err := os.ReadDir(blocks)
	if err != nil {
		return nil, fmt.Errorf("cannot look for a stick: %w", err)
	}
	for _, n := range names {
		place, err := filepath.EvalSymlinks(filepath.Join(blocks, n.Name()))
		if err != nil || !strings.Contains(place, "/usb") {
			continue
		}
		if parts, _ := filepath.Glob(filepath.Join(place, n.Name()+"*", "partition")); len(parts) > 0 {
			continue
		}
		if size, err := os.ReadFile(filepath.Join(place, "size")); err != nil || strings.TrimSpace(string(size)) == "0" {
			continue // a card reader without a card
		}
		devices = append(devices, filepath.Join("/dev", n.Name()))
	}
	return devices, nil
}

// writable lets the stick be written.
func (s *stick) writable() error {
	if !s.mounted {
		return nil
	}
	err := syscall.Mount(s.device, s.dir, s.kind, guarded|syscall.MS_REMOUNT|syscall.MS_SYNCHRONOUS, "")
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return &stickError{"readOnly", errors.New("the stick cannot be written; move its switch, or take another one")}
	}
	if err != nil {
		return &stickError{"readOnly", fmt.Errorf("cannot write on the stick: %w", err)}
	}
	return nil
}

func (s *stick) unmount() {
	if !s.mounted {
		return
	}
	if err := syscall.Unmount(s.dir, 0); err == nil {
		_ = os.Remove(s.dir)
	}
}
