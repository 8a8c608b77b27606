package guest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// rootfsPackages are the guest's, on top of Debian's essential ones: what a machine of the product is sure to have.
var rootfsPackages = []string{"systemd-sysv", "udev", "dbus", "kmod", "e2fsprogs", "procps", "libnss-systemd"}

// rootfsOptions keep the guest small.
var rootfsOptions = []string{
	"--variant=essential",
	"--dpkgopt=force-unsafe-io",
	"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
	`--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*`,
	"--skip=cleanup/reproducible", // keeps /etc/machine-id and the like away, which the image sets itself
}

// buildRootfs makes a folder with rootfs.tar: Debian as it comes from its packages. It is made anew when one of the
// packages that are named here, or the list of sources, has changed.
func buildRootfs(ctx context.Context, c *cache) (string, error) {
	lines, err := sources(ctx)
	if err != nil {
		return "", err
	}
	debs, err := files(ctx, append([]string{"libc6", "util-linux"}, rootfsPackages...))
	if err != nil {
		return "", err
	}
	parts := append([]string{lines}, rootfsOptions...)
	for _, d := range debs {
		parts = append(parts, d.name, d.hash)
	}
	return c.step(ctx, "rootfs", key(parts...), func(ctx context.Context, s *work) error {
		s.say("installing Debian 12 into a folder (mmdebstrap)")
		list := filepath.Join(s.tmp, "sources.list")
		if err := os.WriteFile(list, []byte(lines), 0o644); err != nil {
			return err
		}
		proxy, err := aptProxy(ctx)
		if err != nil {
			return err
		}
		args := append(append([]string{}, rootfsOptions...), proxy...)
		args = append(args, "--include="+strings.Join(rootfsPackages, ","), "bookworm", filepath.Join(s.out, "rootfs.tar"), list)
		if err := s.run(ctx, s.tmp, "mmdebstrap", args...); err != nil {
			return fmt.Errorf("cannot install Debian 12: %w", err)
		}
		return nil
	})
}

// aptProxy are the options that make mmdebstrap use the proxy that the host's apt uses.
func aptProxy(ctx context.Context) ([]string, error) {
	var out []string
	for _, option := range []string{"Acquire::http::Proxy", "Acquire::https::Proxy"} {
		text, err := ask(ctx, "apt-config", "dump", "--format", "%v", option)
		if err != nil {
			return nil, err
		}
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, fmt.Sprintf("--aptopt=%s %q", option, text))
		}
	}
	return out, nil
}
