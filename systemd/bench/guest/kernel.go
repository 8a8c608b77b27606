package guest

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What the initrd loads to find the root file system, and what the guest may want later.
var (
	bootModules  = []string{"virtio_pci", "virtio_blk", "crc32c_generic", "ext4"}
	guestModules = []string{"virtio_console", "virtio-rng", "configfs", "gpio-sim", "i6300esb", "xhci_pci", "usbserial", "ftdi_sio", "usb-storage", "sd_mod", "autofs4", "virtio-gpu"}
)

// kernelNames are the names of Debian's packages of one kernel.
type kernelNames struct {
	version string // e.g. 6.1.0-56-amd64
	source  string // folder in linux-source's archive, e.g. linux-source-6.1
	image   string
	build   []string // headers and tools to build a module with
}

func findKernel(ctx context.Context, meta string) (k kernelNames, err error) {
	if k.image, err = depend(ctx, meta, "linux-image-"); err != nil {
		return k, err
	}
	k.version = strings.TrimPrefix(k.image, "linux-image-")
	number := strings.SplitN(k.version, ".", 3)
	if len(number) != 3 {
		return k, fmt.Errorf("%s has a kernel of the strange version %q", meta, k.version)
	}
	k.source = "linux-source-" + number[0] + "." + number[1]
	headers := "linux-headers-" + k.version
	k.build = []string{headers}
	for _, prefix := range []string{"linux-headers-", "linux-kbuild-"} {
		pkg, err := depend(ctx, headers, prefix)
		if err != nil {
			return k, err
		}
		k.build = append(k.build, pkg)
	}
	return k, nil
}

// buildKernel makes a folder with vmlinuz, initrd and modules/lib/modules/VERSION.
func buildKernel(ctx context.Context, c *cache, meta string) (dir, version string, err error) {
	k, err := findKernel(ctx, meta)
	if err != nil {
		return "", "", err
	}
	debs, err := files(ctx, append([]string{k.image, k.source}, k.build...))
	if err != nil {
		return "", "", err
	}
	parts := []string{initScript, kbuild, irqSimCall, irqSimInstead, strings.Join(slices.Concat(bootModules, guestModules, kbuildOptions), " ")}
	for _, d := range debs {
		parts = append(parts, d.name, d.hash)
	}
	dir, err = c.step(ctx, meta, key(parts...), func(ctx context.Context, s *work) error {
		// Files fetched stay until the step is done, so that one that fails later need not fetch them again.
		fetched := filepath.Join(c.dir, "deb")
		if err := s.fetch(ctx, fetched, debs, append([]string{k.image, k.source}, k.build...)); err != nil {
			return err
		}
		b := &kernelBuild{work: s, names: k, root: filepath.Join(s.tmp, "root")}
		if err := b.all(ctx, fetched, debs); err != nil {
			return err
		}
		return os.RemoveAll(fetched)
	})
	return dir, k.version, err
}

// fetch downloads packages without installing them. What is there already is checked and kept.
func (s *work) fetch(ctx context.Context, dir string, debs []debFile, pkgs []string) error {
	var size int64
	for _, d := range debs {
		size += d.size
	}
	s.say("fetching %d packages, %d MB, from this machine's package sources", len(debs), size/1_000_000)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return s.run(ctx, dir, "apt-get", append([]string{"-q", "download"}, pkgs...)...)
}

// kernelBuild prepares one kernel.
type kernelBuild struct {
	*work
	names kernelNames
	root  string // where the packages are unpacked
}

func (b *kernelBuild) all(ctx context.Context, fetched string, debs []debFile) error {
	b.say("unpacking %s", b.names.version)
	for _, d := range debs {
		if err := b.run(ctx, "", "dpkg-deb", "-x", filepath.Join(fetched, d.name), b.root); err != nil {
			return err
		}
	}
	// Debian moves /lib to /usr/lib some day.
	modules := ""
	for _, lib := range []string{"lib", "usr/lib"} {
		if dir := filepath.Join(b.root, lib, "modules", b.names.version); isDir(dir) && modules == "" {
			modules = dir
		}
	}
	if modules == "" {
		return fmt.Errorf("%s has no modules", b.names.image)
	}
	b.say("compiling gpio-sim")
	ko, err := b.gpioSim(ctx)
	if err != nil {
		return fmt.Errorf("cannot compile gpio-sim: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(modules, "extra"), 0o755); err != nil {
		return err
	}
	if err := b.run(ctx, "", "objcopy", "--strip-debug", ko, filepath.Join(modules, "extra", "gpio-sim.ko")); err != nil {
		return err
	}
	base := strings.TrimSuffix(filepath.Dir(filepath.Dir(filepath.Dir(modules))), "/") // holds lib/modules
	if err := b.run(ctx, "", "depmod", "-b", base, b.names.version); err != nil {
		return err
	}
	if err := b.pick(ctx, base, modules, filepath.Join(b.out, "modules"), slices.Concat(bootModules, guestModules)); err != nil {
		return err
	}
	if err := b.initrd(ctx, base, modules); err != nil {
		return err
	}
	return copyFile(filepath.Join(b.out, "vmlinuz"), filepath.Join(b.root, "boot", "vmlinuz-"+b.names.version), 0o644)
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// Debian leaves CONFIG_GPIO_SIM and CONFIG_IRQ_SIM off. Both become one module, with one change: irq_to_desc() is not
// exported to modules, generic_handle_irq() is, and for the simulated interrupts it does the same.
const (
	kbuild        = "obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n"
	irqSimCall    = "handle_simple_irq(irq_to_desc(irqnum))"
	irqSimInstead = "generic_handle_irq(irqnum)"
)

// kbuildOptions: type information for BPF would need one more program, pahole, and nobody here wants it.
var kbuildOptions = []string{"CC=gcc-12", "CONFIG_DEBUG_INFO_BTF_MODULES="}

// gpioSim compiles the module and returns its path.
func (b *kernelBuild) gpioSim(ctx context.Context) (string, error) {
	dir := filepath.Join(b.tmp, "gpio-sim")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	source := func(file string) string { return b.names.source + "/" + file }
	archive := filepath.Join(b.root, "usr/src", b.names.source+".tar.xz")
	if err := b.run(ctx, "", "tar", "-C", dir, "--strip-components=1", "-xJf", archive,
		source("drivers/gpio/gpio-sim.c"), source("drivers/gpio/gpiolib.h"), source("kernel/irq/irq_sim.c")); err != nil {
		return "", err
	}
	irqSim, err := os.ReadFile(filepath.Join(dir, "kernel/irq/irq_sim.c"))
	if err != nil {
		return "", err
	}
	changed := strings.Replace(string(irqSim), irqSimCall, irqSimInstead, 1)
	if changed == string(irqSim) {
		return "", fmt.Errorf("irq_sim.c of %s does not call %s any more: see what it does now", b.names.source, irqSimCall)
	}
	for name, text := range map[string]string{"irq_sim.c": changed, "Kbuild": kbuild} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	for from, to := range map[string]string{"drivers/gpio/gpio-sim.c": "gpio-sim-main.c", "drivers/gpio/gpiolib.h": "gpiolib.h"} {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
			return "", err
		}
	}
	// The headers' Makefile names its place on a machine where they are installed.
	headers := filepath.Join(b.root, "usr/src/linux-headers-"+b.names.version)
	makefile := filepath.Join(headers, "Makefile")
	text, err := os.ReadFile(makefile)
	if err != nil {
		return "", err
	}
	text = []byte(strings.ReplaceAll(string(text), "include /usr/src/", "include "+filepath.Join(b.root, "usr/src")+"/"))
	if err := os.WriteFile(makefile, text, 0o644); err != nil {
		return "", err
	}
	if err := b.run(ctx, "", "make", append([]string{"-C", headers, "M=" + dir, "modules"}, kbuildOptions...)...); err != nil {
		return "", err
	}
	return filepath.Join(dir, "gpio-sim.ko"), nil
}

// pick copies modules and what they need to dir/lib/modules/VERSION, uncompressed.
func (b *kernelBuild) pick(ctx context.Context, base, modules, dir string, names []string) error {
	to := filepath.Join(dir, "lib/modules", b.names.version)
	for _, name := range names {
		text, err := b.output(ctx, "", "modprobe", "-d", base, "-S", b.names.version, "--show-depends", name)
		if err != nil {
			return fmt.Errorf("cannot find the module %s: %w", name, err)
		}
		for line := range strings.Lines(text) {
			path, ok := strings.CutPrefix(strings.TrimSpace(line), "insmod ")
			if !ok {
				continue // built in
			}
			rel, err := filepath.Rel(modules, path)
			if err != nil {
				return err
			}
			if err := copyFile(filepath.Join(to, rel), path, 0o644); err != nil {
				return err
			}
		}
	}
	var packed []string
	err := filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".xz") {
			packed = append(packed, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	if packed != nil {
		if err := b.run(ctx, "", "xz", append([]string{"-d"}, packed...)...); err != nil {
			return err
		}
	}
	for _, list := range []string{"modules.builtin", "modules.builtin.modinfo", "modules.order"} {
		if err := copyFile(filepath.Join(to, list), filepath.Join(modules, list), 0o644); err != nil {
			return err
		}
	}
	return b.run(ctx, "", "depmod", "-b", dir, b.names.version)
}

// initScript is the first program of the guest: it finds the root file system and hands over to systemd.
var initScript = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for m in ` + strings.Join(bootModules, " ") + `; do modprobe $m; done
i=0
while [ ! -b /dev/vda ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done
mount -t ext4 -o ro /dev/vda /mnt || { echo "initrd: no root file system"; reboot -f; }
umount /proc /sys
mount --move /dev /mnt/dev
exec switch_root /mnt /sbin/init
`

func (b *kernelBuild) initrd(ctx context.Context, base, modules string) error {
	dir := filepath.Join(b.tmp, "initrd")
	for _, d := range []string{"bin", "proc", "sys", "dev", "mnt"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "init"), []byte(initScript), 0o755); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(dir, "bin/busybox"), "/bin/busybox", 0o755); err != nil {
		return fmt.Errorf("%w: busybox-static is needed; make vm-test installs what is missing", err)
	}
	if err := b.pick(ctx, base, modules, dir, bootModules); err != nil {
		return err
	}
	return b.run(ctx, dir, "sh", "-c", `find . | busybox cpio -o -H newc | gzip -1 > "$0"`, filepath.Join(b.out, "initrd"))
}

// copyFile copies a file and makes the folders above it.
func copyFile(to, from string, mode os.FileMode) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return cmp.Or(os.WriteFile(to, data, mode), os.Chmod(to, mode)) // the umask may have taken something away
}
