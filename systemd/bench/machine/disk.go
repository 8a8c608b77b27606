package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Copy makes a disk from an image; what is empty takes no room.
func Copy(ctx context.Context, to, from string) error {
	out, err := exec.CommandContext(ctx, "cp", "--sparse=always", "--reflink=auto", from, to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot copy the disk: %w: %s", err, out)
	}
	return nil
}

// Disk is what the machine has as /dev/vda.
type Disk struct {
	Path string // raw
	// Cached gives the disk a write cache that loses its contents with the power, as real disks have: what the guest has
	// written but not flushed is gone after a PowerCut. Without it a PowerCut loses what the guest's kernel had not written.
	Cached bool
}

// cachedDisk is nbdkit as a disk with a write cache.
type cachedDisk struct{ process }

// serveCached starts nbdkit on the socket disk.sock in dir.
func serveCached(ctx context.Context, dir, path string) (*cachedDisk, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &cachedDisk{}
	socket := filepath.Join(dir, "disk.sock")
	cmd := exec.Command("nbdkit", "--foreground", "--unix", "disk.sock", "--filter=cache", "file", path, "cache=writeback")
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "TMPDIR=.") // where the filter keeps what is not flushed
	if err := d.start(cmd, filepath.Join(dir, "nbdkit.log")); err != nil {
		return nil, fmt.Errorf("cannot start the disk: %w", err)
	}
	for {
		if _, err := os.Stat(socket); err == nil {
			return d, nil
		}
		select {
		case <-d.done:
			return nil, fmt.Errorf("cannot start the disk: nbdkit ended: %s", d.words())
		case <-ctx.Done():
			d.kill()
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
