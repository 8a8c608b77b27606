package update

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// link makes DIR/current name a version, in one step.
func (s *Store) link(version int64) error {
	tmp := filepath.Join(s.dir, ".current")
	s.at("before link")
	defer s.at("after link")
	if err := os.Remove(tmp); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Symlink(filepath.Join("versions", strconv.FormatInt(version, 10)), tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, "current")); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// replace puts the folder from at the place to, in one step also where there is one already; that one is then removed.
func (s *Store) replace(from, to string) error {
	s.at("before folder")
	defer s.at("after folder")
	err := os.Rename(from, to)
	if err != nil {
		if _, stat := os.Stat(to); stat != nil {
			return err
		}
		if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(to))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Lock takes the store for this process until unlock is called. The error says that another process works on it.
func (s *Store) Lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot begin: another process works on %s; wait for it to end: %w", s.dir, err)
	}
	return func() { f.Close() }, nil
}
