package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Options say what to build and where to keep it.
type Options struct {
	Cache  string                           // folder, made if need be; about 500 MB, 2.5 GB while a kernel is prepared
	Module string                           // folder of this repository, where the agent is built
	Kernel string                           // Debian's package that depends on the kernel wanted; DefaultKernel if empty
	Say    func(format string, args ...any) // a line of progress
}

// DefaultKernel is Debian 12's own kernel. linux-image-6.12-amd64 of bookworm-security works, too.
const DefaultKernel = "linux-image-amd64"

// Guest is what a virtual machine is started from.
type Guest struct {
	Version string // of the kernel, as uname -r says it
	Kernel  string // path of its image
	Initrd  string
	Image   string // of the root file system, ext4; start from a copy
}

// Build builds what is not in the cache yet. It needs the superuser, as Debian's files belong to several users, and the
// programs that the Makefile's target vm-test installs.
func Build(ctx context.Context, o Options) (*Guest, error) {
	g, err := build(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("cannot build the guest: %w", err)
	}
	return g, nil
}

func build(ctx context.Context, o Options) (*Guest, error) {
	if o.Kernel == "" {
		o.Kernel = DefaultKernel
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("only the superuser can: run make vm-test as root, e.g. in a container or by sudo")
	}
	if err := needDebian("/etc/os-release"); err != nil {
		return nil, err
	}
	c := &cache{dir: o.Cache, say: o.Say}
	for _, dir := range []string{c.dir, c.logs()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	kernel, version, err := buildKernel(ctx, c, o.Kernel)
	if err != nil {
		return nil, err
	}
	rootfs, err := buildRootfs(ctx, c)
	if err != nil {
		return nil, err
	}
	agent, err := buildAgent(ctx, c, o.Module)
	if err != nil {
		return nil, err
	}
	image, err := buildImage(ctx, c, kernel, rootfs, agent)
	if err != nil {
		return nil, err
	}
	return &Guest{
		Version: version,
		Kernel:  filepath.Join(kernel, "vmlinuz"),
		Initrd:  filepath.Join(kernel, "initrd"),
		Image:   filepath.Join(image, "root.img"),
	}, nil
}
