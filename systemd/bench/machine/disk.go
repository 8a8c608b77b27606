package machine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
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

// serveCached starts nbdkit on socket.
func serveCached(ctx context.Context, dir, socket, path string) (*cachedDisk, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &cachedDisk{}
	cmd := exec.Command("nbdkit", "--foreground", "--unix", socket, "--filter=cache", "file", path, "cache=writeback")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir) // where the filter keeps what is not flushed
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

// process is a program of ours that must not outlive us.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// start starts cmd. Its words go to the file log.
func (p *process) start(cmd *exec.Cmd, log string) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	done := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		// The kernel kills the program when the thread that started it ends, so this one stays until it has ended.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.log, p.done = cmd, log, done
	return nil
}

// kill ends it at once, and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// words are the end of what it said.
func (p *process) words() string { return tailOf(p.log) }

const tailLen = 3000

// tailOf is the end of a text file, for an error.
func tailOf(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(len(b)-tailLen, 0):]))
}
