// Package deb makes packages that the trials of updates need: that of a commit, under another version and with another program.
package deb

import (
	"bytes"
	"crypto/md5" // what dpkg compares with
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const program = "usr/bin/kiosk"

// Next makes of the package from another one, to: of this version, and with what change makes of the program's bytes. Both may be the
// same as before.
func Next(from, to, version string, change func(program []byte) []byte) error {
	dir, err := os.MkdirTemp(filepath.Dir(to), ".next-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "root")
	if err := dpkgDeb("-R", from, root); err != nil {
		return err
	}
	if err := edit(root, version, change); err != nil {
		return fmt.Errorf("cannot make the next package of %s: %w", from, err)
	}
	return dpkgDeb("--root-owner-group", "-Zgzip", "-b", root, to)
}

func dpkgDeb(args ...string) error {
	if out, err := exec.Command("dpkg-deb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// edit changes what is unpacked, and its sums.
func edit(root, version string, change func([]byte) []byte) error {
	path := filepath.Join(root, program)
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := change(bytes.Clone(old))
	return errors.Join(os.WriteFile(path, changed, 0o755),
		replace(filepath.Join(root, "DEBIAN", "md5sums"), sum(old)+"  "+program, sum(changed)+"  "+program),
		replaceField(filepath.Join(root, "DEBIAN", "control"), "Version: ", version))
}

func sum(b []byte) string {
	s := md5.Sum(b)
	return hex.EncodeToString(s[:])
}

func replace(path, old, changed string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte(old)) {
		return fmt.Errorf("%s has no %q", path, old)
	}
	return os.WriteFile(path, bytes.Replace(text, []byte(old), []byte(changed), 1), 0o644)
}

func replaceField(path, field, value string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, field) {
			lines[i] = field + value
			return os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644)
		}
	}
	return fmt.Errorf("%s has no %q", path, field)
}
