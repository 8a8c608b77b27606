package guest

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// overlay is what the bench adds to Debian.
//
//go:embed overlay
var overlay embed.FS

// enabled are the units of the overlay, each wanted by a target.
var enabled = [][2]string{{"basic.target", "bench-panel.service"}, {"multi-user.target", "bench-agent.service"}}

// masked are units that have nothing to do in a guest that lives for minutes, and those that can only fail to find what the
// image does not have. They cost a sixth of the boot.
var masked = []string{
	"apt-daily.timer", "apt-daily-upgrade.timer", "fstrim.timer", "e2scrub_all.timer", "e2scrub_reap.service", "dpkg-db-backup.timer",
	"systemd-tmpfiles-clean.timer", "getty@tty1.service", "serial-getty@ttyS0.service", "dev-hugepages.mount", "dev-mqueue.mount",
	"sys-kernel-debug.mount", "sys-kernel-tracing.mount", "modprobe@drm.service", "modprobe@efi_pstore.service",
	"modprobe@dm_mod.service", "modprobe@loop.service", "modprobe@fuse.service",
}

// imageSize is that of the root file system; what is empty takes no room on the host.
const imageSize = "3G"

// buildAgent builds the program that the bench talks to in the guest. Go's own cache makes that quick.
func buildAgent(ctx context.Context, c *cache, module string) (string, error) {
	s, err := c.begin("agent")
	if err != nil {
		return "", err
	}
	defer s.end()
	path := filepath.Join(c.dir, "bench-agent")
	return path, s.run(ctx, module, "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-buildvcs=false", "-o", path, "./systemd/bench/agentd")
}

// buildImage makes a folder with root.img: Debian, the kernel's modules, the overlay and the agent.
func buildImage(ctx context.Context, c *cache, kernel, rootfs, agent string) (string, error) {
	parts := []string{filepath.Base(kernel), filepath.Base(rootfs), imageSize, strings.Join(masked, " ")}
	for _, e := range enabled {
		parts = append(parts, e[0], e[1])
	}
	hash, err := hashFile(agent)
	if err != nil {
		return "", err
	}
	parts = append(parts, hash)
	err = fs.WalkDir(overlay, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := overlay.ReadFile(path)
		parts = append(parts, path, string(data))
		return err
	})
	if err != nil {
		return "", err
	}
	return c.step(ctx, "image", key(parts...), func(ctx context.Context, s *work) error {
		s.say("making the root file system")
		stage := filepath.Join(s.tmp, "stage")
		if err := os.Mkdir(stage, 0o755); err != nil {
			return err
		}
		if err := s.run(ctx, "", "tar", "-C", stage, "-xpf", filepath.Join(rootfs, "rootfs.tar"), "--xattrs", "--xattrs-include=*"); err != nil {
			return err
		}
		if err := s.run(ctx, "", "cp", "-r", filepath.Join(kernel, "modules/lib/modules"), filepath.Join(stage, "usr/lib/")); err != nil {
			return err
		}
		if err := dress(stage); err != nil {
			return err
		}
		if err := copyFile(filepath.Join(stage, "usr/local/bin/bench-agent"), agent, 0o755); err != nil {
			return err
		}
		// All inode tables are written here, so that the guest's kernel has nothing to do behind our back.
		return s.run(ctx, "", "mke2fs", "-q", "-t", "ext4", "-L", "root", "-E", "root_owner=0:0,lazy_itable_init=0", "-d", stage,
			filepath.Join(s.out, "root.img"), imageSize)
	})
}

// dress puts the overlay into a root file system and enables and masks its units.
func dress(stage string) error {
	files, err := fs.Sub(overlay, "overlay")
	if err != nil {
		return err
	}
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		to := filepath.Join(stage, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		return err
	}
	units := filepath.Join(stage, "etc/systemd/system")
	for _, e := range enabled {
		if err := link("../"+e[1], filepath.Join(units, e[0]+".wants", e[1])); err != nil {
			return err
		}
	}
	for _, unit := range masked {
		if err := link("/dev/null", filepath.Join(units, unit)); err != nil {
			return err
		}
	}
	return nil
}

// link makes a symbolic link in place of whatever is there.
func link(to, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(to, path)
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
