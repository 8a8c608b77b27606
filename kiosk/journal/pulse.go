package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
)

// defaultReserve is how much room must be left on the disk for new applications, in bytes. Below it deliveries and ratings, which need
// little, still find their place; a disk that is filled to its last page could not even take an acknowledgement.
const defaultReserve = 16 << 20

// Pulse commits one small row and returns when it is on the disk: the proof that facts can be recorded. It costs about 8 KiB of
// writing and one fsync. It also keeps the time floor, so that a clock that is set back between two facts is noticed.
//
// Errors: ErrDiskFull, ErrReadOnly, ErrDamaged, ErrClosed, and what the system says.
func (j *Journal) Pulse(ctx context.Context) error {
	err := j.Write(ctx, func(tx *Tx) error {
		known, err := floor(tx)
		if err != nil {
			return err
		}
		if now := j.opts.Now().UnixMilli(); trusted(now, known) {
			known = now
		}
		_, err = tx.Exec(`UPDATE pulse SET beats = beats + 1, floor = ?`, known)
		return err
	})
	return err
}

// Room says whether the disk has the reserve left, ErrLowRoom if not. A small row often still finds place on a disk where a signed
// letter would not.
func (j *Journal) Room() error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(j.path), &st); err != nil {
		return fmt.Errorf("cannot see how much room the disk has: %w", err)
	}
	if left := int64(st.Bavail) * st.Bsize; left < j.opts.Reserve {
		return fmt.Errorf("%w (%d MiB are left, %d MiB are kept in reserve)", ErrLowRoom, left>>20, j.opts.Reserve>>20)
	}
	return nil
}
