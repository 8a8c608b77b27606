package provisioning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"yuanban/provisioning/identity"
	"yuanban/provisioning/site"
	"yuanban/provisioning/update"
)

// host is this machine as an update needs it.
type host struct {
	dir    string // of the machine's versions
	unit   string // "" where no program runs, as in an image that is being made: then nothing can prove itself
	config string // of the version in force
	ailing func(ctx context.Context, configFile string) ([]update.Ailment, error)
	// beforeStart says that the machine starts, and the program after this: it must not be waited for by what it waits for.
	beforeStart bool
}

// credentials are what kiosk.service may be given as credentials (kiosk(1), CREDENTIALS). A version brings them as sealed files of these
// names in its folder of secrets.
var credentials = []string{"upstream.token", "window.token", "maintenance.pin"}

// credentialStore is where the service manager looks for them, encrypted to this machine.
const credentialStore = "/etc/credstore.encrypted"

// Install keeps the version's secrets for the service manager and installs its package. Secrets that a version does not bring stay as
// they are: a technician may have put them there.
func (h host) Install(ctx context.Context, dir, deb string) error {
	if h.unit == "" {
		return nil // an image, which is not the machine that will have the secrets
	}
	if dir != "" { // else the machine goes back to before its first version
		if err := keepSecrets(ctx, dir); err != nil {
			return err
		}
	}
	kept := filepath.Join(h.dir, keptPackage)
	if deb == "" {
		// The version before a trial may have brought no package, because it was there already.
		if _, err := os.Stat(kept); err == nil {
			return install(ctx, kept)
		}
		return nil
	}
	if err := keepProgram(ctx, h.dir); err != nil {
		return err
	}
	return install(ctx, deb)
}

func keepSecrets(ctx context.Context, dir string) error {
	for _, name := range credentials {
		secret := filepath.Join(dir, site.SecretsDir, name)
		if _, err := os.Stat(secret); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := encrypt(ctx, name, secret, filepath.Join(credentialStore, "kiosk."+name)); err != nil {
			return err
		}
	}
	return nil
}

// What began a trial is kept in the folder of the machine's versions: a copy of the program and its package. The program on trial may not
// run at all, and would then have to take itself back: kiosk-recover.service and kiosk-resume.service run the copy while it is there.
const (
	keptProgram = "kiosk.before"
	keptPackage = "kiosk.before.deb"
)

func keepProgram(ctx context.Context, dir string) error {
	kept := filepath.Join(dir, keptProgram)
	if _, err := os.Stat(kept); err == nil {
		return nil // a trial that goes on, or is taken back: what began it stays the judge
	}
	if err := repack(ctx, filepath.Join(dir, keptPackage)); err != nil {
		return fmt.Errorf("cannot keep the present package: %w", err)
	}
	if err := copyProgram("/proc/self/exe", kept); err != nil {
		return fmt.Errorf("cannot keep the present program: %w", err)
	}
	return nil
}

// copyProgram copies in one step: a power cut must not leave half a program.
func copyProgram(from, to string) error {
	part := filepath.Join(filepath.Dir(to), ".new-"+filepath.Base(to))
	if err := copyFile(from, part, 0o755); err != nil {
		return err
	}
	return os.Rename(part, to)
}

// copyFile makes a new file of that mode, on the disk when it returns.
func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(mode), out.Sync(), out.Close())
}

// sweep removes what power cuts left of files that were being made in the folder of the machine's versions: until they are whole their
// names begin with a dot.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	for _, name := range left {
		_ = os.RemoveAll(name) // else the next start does
	}
}

// settle forgets what began a trial once there is none.
func settle(dir string, store *update.Store) {
	if st, err := store.State(); err == nil && st.Trial == nil {
		_ = os.Remove(filepath.Join(dir, keptProgram))
		_ = os.Remove(filepath.Join(dir, keptPackage))
	}
}

// encrypt replaces the encrypted credential in one step: a power cut must not leave half of one, with which the unit does not start.
func encrypt(ctx context.Context, name, secret, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("cannot keep the secret %s: %w", name, err)
	}
	out, err := exec.CommandContext(ctx, "systemd-creds", "encrypt", "--name="+name, secret, "-").Output()
	if err != nil {
		reason := err.Error()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			reason += ": " + string(bytes.TrimSpace(exit.Stderr))
		}
		return fmt.Errorf("cannot keep the secret %s: systemd-creds: %s", name, reason)
	}
	if err := identity.WriteFile(to, out, 0o600); err != nil {
		return fmt.Errorf("cannot keep the secret %s: %w", name, err)
	}
	return nil
}

// install installs a package. Its scripts start nothing (KIOSK_PROVISION): before the program's own start they would wait for what
// waits for them, and after it Restart does it.
func install(ctx context.Context, deb string) error {
	for _, args := range [][]string{
		{"--configure", "-a"}, // what a power cut left half unpacked is finished first; both may be repeated
		{"--install", "--force-confold", "--force-downgrade", deb},
	} {
		cmd := exec.CommandContext(ctx, "dpkg", args...)
		cmd.Env = append(os.Environ(), "KIOSK_PROVISION=1", "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("dpkg %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// Restart also starts a program that somebody has stopped, or that the service manager has given up: a version is proven by running.
func (h host) Restart(ctx context.Context) error {
	if h.unit == "" || h.beforeStart {
		return nil
	}
	// Restarts by hand count against the budget of starts; several versions within its ten minutes are no fault of the program. A unit
	// that the service manager has not heard of yet has none to begin anew. With a program that cannot run the reboot has failed, too.
	_ = exec.CommandContext(ctx, "systemctl", "reset-failed", h.unit, rebootUnit).Run()
	out, err := exec.CommandContext(ctx, "systemctl", "--no-block", "restart", h.unit).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl restart %s: %w: %s", h.unit, err, bytes.TrimSpace(out))
	}
	return nil
}

func (h host) Ailments(ctx context.Context) ([]update.Ailment, error) {
	switch {
	case h.unit == "":
		return nil, nil
	case h.givenUp(ctx):
		return nil, fmt.Errorf("%w: journalctl -u %s says why it does not stay up", update.ErrGivenUp, h.unit)
	}
	return h.ailing(ctx, h.config)
}

// rebootUnit is what decides when the program is given up.
const rebootUnit = "kiosk-reboot.service"

// givenUp tells whether the program has spent its budget of starts.
func (h host) givenUp(ctx context.Context) bool {
	return exec.CommandContext(ctx, "systemctl", "--quiet", "is-failed", h.unit).Run() == nil
}
