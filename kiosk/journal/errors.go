package journal

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// What can be wrong with the file, in words a technician can act on. Test with errors.Is.
var (
	ErrDiskFull = errors.New("the disk is full: nothing was recorded, what was recorded before is safe; free some space, recording then goes on by itself")
	ErrLowRoom  = errors.New("the disk is nearly full: no applications are taken, so that deliveries still find room; free some space, it goes on by itself then")
	ErrReadOnly = errors.New("the disk cannot be written: nothing was recorded, what was recorded before is safe; check the disk and restart the machine")
	ErrDamaged  = errors.New("the journal file is damaged: keep a copy of it for the platform's people, then move it away; the machine starts a new one")
	ErrNewer    = errors.New("the journal was written by a newer version of this program: install that version or a later one")
	ErrForeign  = errors.New("the file is not a journal of this program: choose another path")
	ErrMachine  = errors.New("the journal belongs to another machine: correct the machine's name, or move the file away to begin a new journal")
	ErrInUse    = errors.New("another running program has the journal open: stop it first")
	ErrClosed   = errors.New("the journal is closed")
	ErrNotFound = errors.New("no such row")
)

// explain gives a storage error of SQLite the sentence that belongs to it; all other errors pass unchanged.
func explain(err error) error {
	se, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return err
	}
	for _, known := range []error{ErrDiskFull, ErrReadOnly, ErrDamaged} {
		if errors.Is(err, known) {
			return err
		}
	}
	switch {
	case se.Code == sqlite3.ErrFull, se.SystemErrno == syscall.ENOSPC, se.SystemErrno == syscall.EDQUOT:
		return fmt.Errorf("%w (%w)", ErrDiskFull, err)
	case se.Code == sqlite3.ErrReadonly, se.SystemErrno == syscall.EROFS:
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	case se.Code == sqlite3.ErrCorrupt, se.Code == sqlite3.ErrNotADB:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	case se.Code == sqlite3.ErrInterrupt:
		return fmt.Errorf("%w (%w)", context.Canceled, err)
	}
	return err
}
