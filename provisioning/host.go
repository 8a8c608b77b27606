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

	"yuanban/provisioning/identity"
	"yuanban/provisioning/site"
)

// host is this machine as an update needs it.
type host struct {
	unit   string // "" where no program runs, as in an image that is being made: then nothing can prove itself
	config string // of the version in force
	well   func(ctx context.Context, configFile string) error
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
	for _, name := range credentials {
		secret := filepath.Join(dir, site.SecretsDir, name)
		if _, err := os.Stat(secret); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := encrypt(ctx, name, secret, filepath.Join(credentialStore, "kiosk."+name)); err != nil {
			return err
		}
	}
	if deb == "" {
		return nil
	}
	return install(ctx, deb)
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

func (h host) Restart(ctx context.Context) error {
	if h.unit == "" {
		return nil
	}
	// At the machine's start the unit has not run yet and must not be waited for by what runs before it.
	out, err := exec.CommandContext(ctx, "systemctl", "--no-block", "try-restart", h.unit).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl try-restart %s: %w: %s", h.unit, err, bytes.TrimSpace(out))
	}
	return nil
}

func (h host) Healthy(ctx context.Context) error {
	if h.unit == "" {
		return nil
	}
	return h.well(ctx, h.config)
}
