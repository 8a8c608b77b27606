package panel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// configfs is where gpio-sim is told what to simulate (Documentation/admin-guide/gpio/gpio-sim.rst of the kernel).
const configfs = "/sys/kernel/config"

// Setup makes the chips in the guest. It runs once, at boot, as the superuser.
func Setup() error {
	if out, err := exec.Command("modprobe", "gpio-sim").CombinedOutput(); err != nil {
		return fmt.Errorf("cannot load gpio-sim: %w: %s", err, out)
	}
	root := filepath.Join(configfs, "gpio-sim")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		if err := syscall.Mount("configfs", configfs, "configfs", 0, ""); err != nil && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("cannot mount configfs: %w", err)
		}
	}
	if err := makeChip(filepath.Join(root, dir), Label, Lines()); err != nil {
		return err
	}
	if err := makeChip(filepath.Join(root, spareDir), SpareLabel, make([]string, spareLines)); err != nil {
		return err
	}
	return rest(root)
}

// makeChip describes a chip and switches it on. A line whose name is empty has none.
func makeChip(dir, label string, lines []string) error {
	bank := filepath.Join(dir, "bank0")
	dirs := []string{dir, bank}
	attributes := [][2]string{{bank + "/num_lines", strconv.Itoa(len(lines))}, {bank + "/label", label}}
	for i, name := range lines {
		if name != "" {
			line := filepath.Join(bank, "line"+strconv.Itoa(i))
			dirs = append(dirs, line)
			attributes = append(attributes, [2]string{line + "/name", name})
		}
	}
	attributes = append(attributes, [2]string{dir + "/live", "1"})
	for _, d := range dirs {
		if err := os.Mkdir(d, 0o755); err != nil {
			return fmt.Errorf("cannot describe the GPIO chip %s: %w", label, err)
		}
	}
	for _, a := range attributes {
		if err := os.WriteFile(a[0], []byte(a[1]), 0o644); err != nil {
			return fmt.Errorf("cannot describe the GPIO chip %s: %w", label, err)
		}
	}
	return nil
}

// rest pulls the inputs up, as the panel's resistors do: what a hand does pulls them to ground.
func rest(root string) error {
	name, err := os.ReadFile(filepath.Join(root, dir, "dev_name"))
	if err != nil {
		return err
	}
	for i, line := range Lines() {
		if !IsInput(line) {
			continue
		}
		found, err := filepath.Glob(attribute(string(name), i, "pull"))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%d attributes for the pull of line %s", len(found), line)
		}
		if err := os.WriteFile(found[0], []byte(released), 0o644); err != nil {
			return err
		}
	}
	return nil
}
