package provisioning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A machine that was installed by hand has no package to go back to when its first update with a program fails. So one is made of what is
// installed, as dpkg-repack does. The files of /etc are left out: dpkg then leaves them alone, with all that a technician changed.

const programPackage = "kiosk"

// repack writes the installed package to file, in one step. A program that was not installed as a package has none, and no error.
func repack(ctx context.Context, file string) error {
	status, err := exec.CommandContext(ctx, "dpkg", "--status", programPackage).Output()
	if err != nil || !bytes.Contains(status, []byte("\nStatus: install ok installed\n")) {
		return nil
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), ".repack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := installedFiles(ctx, dir); err != nil {
		return err
	}
	if err := controlFiles(dir, controlOf(string(status))); err != nil {
		return err
	}
	built := filepath.Join(dir, "built.deb")
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", filepath.Join(dir, "root"), built).CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, bytes.TrimSpace(out))
	}
	f, err := os.Open(built)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(built, file)
}

// installedFiles copies the package's files into dir/root.
func installedFiles(ctx context.Context, dir string) error {
	list, err := exec.CommandContext(ctx, "dpkg-query", "--listfiles", programPackage).Output()
	if err != nil {
		return fmt.Errorf("dpkg-query: %w", err)
	}
	for name := range strings.Lines(string(list)) {
		name = strings.TrimSpace(name)
		st, err := os.Lstat(name)
		if err != nil || !st.Mode().IsRegular() || strings.HasPrefix(name, "/etc/") {
			continue // folders come with their files
		}
		to := filepath.Join(dir, "root", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := copyFile(name, to, st.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// controlFiles writes what dpkg reads of a package, with the scripts that are installed.
func controlFiles(dir, control string) error {
	to := filepath.Join(dir, "root", "DEBIAN")
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "control"), []byte(control), 0o644); err != nil {
		return err
	}
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		err := copyFile("/var/lib/dpkg/info/"+programPackage+"."+script, filepath.Join(to, script), 0o755)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// controlOf takes out of dpkg's status what is about the machine and not about the package.
func controlOf(status string) string {
	var b strings.Builder
	dropped := false
	for line := range strings.Lines(status) {
		if !strings.HasPrefix(line, " ") {
			field, _, _ := strings.Cut(line, ":")
			dropped = field == "Status" || field == "Conffiles" || field == "Config-Version"
		}
		if !dropped {
			b.WriteString(line)
		}
	}
	return b.String()
}
