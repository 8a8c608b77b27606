package daemon

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"yuanban/kiosk/config"
	"yuanban/kiosk/maintenance"
)

// personKeyFile is its name in the folder of the journal.
const personKeyFile = "person.key"

// errPersonKey is a key file that only a technician can mend.
var errPersonKey = errors.New("cannot use the key of this machine")

// personKey returns the key under which people find their own cases, and makes it at the first start.
//
// It never leaves the machine. Without it the hashes in the journal cannot be tried against all id numbers.
func personKey(state string) ([]byte, error) {
	path := filepath.Join(state, personKeyFile)
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == 32:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%w: %s has %d bytes instead of 32; restore it, or move it away (people then no longer find their earlier cases here)", errPersonKey, path, len(key))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot read the key of this machine: %w", err)
	}
	key = make([]byte, 32)
	rand.Read(key)
	if err := writeSynced(path, key); err != nil {
		return nil, fmt.Errorf("cannot keep the key of this machine: %w", err)
	}
	return key, nil
}

// writeSynced puts a private file in place so that a power cut leaves either all of it or nothing.
func writeSynced(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// secrets is what the configuration keeps in files of their own.
type secrets struct {
	platform, window string
	pin              maintenance.PIN // the zero PIN when there is none
}

// Check says everything that would keep Run from using cfg on a real machine, beyond what the file itself can get wrong.
func Check(cfg *config.Config) error {
	_, err := readSecrets(cfg, stored("window.token"))
	if cfg.Pad != nil {
		_, bad := padProfile(cfg.Pad)
		err = errors.Join(err, bad)
	}
	return err
}

// stored says that a credential lies ready for the unit, where only the service manager can read it.
func stored(name string) bool {
	_, err := os.Stat("/etc/credstore.encrypted/kiosk." + name)
	return err == nil
}

// readSecrets reads the tokens; its error has everything that is wrong with them, a line each. open says that a window PC needs none.
func readSecrets(cfg *config.Config, open bool) (s secrets, err error) {
	var problems []error
	if up := cfg.Upstream; up != nil {
		s.platform, err = secret(cmp.Or(up.TokenFile, credential("upstream.token")), "the token of the platform")
		problems = append(problems, err)
	}
	if w := cfg.Window; w != nil {
		file := cmp.Or(w.TokenFile, credential("window.token"))
		s.window, err = secret(file, "the token of the window PC")
		if file == "" && !open {
			err = errors.New("cannot serve the window: window.token-file is not set, and without a token any program on this machine could invite; write at least 16 random characters into a file and name it there, or give the unit the credential window.token")
		}
		problems = append(problems, err)
	}
	s.pin, err = maintenancePIN(cfg)
	return s, errors.Join(append(problems, err)...)
}

// maintenancePIN reads what is kept of the technician's PIN. There is none unless one was set.
func maintenancePIN(cfg *config.Config) (maintenance.PIN, error) {
	path := credential("maintenance.pin")
	if c := cfg.Maintenance; c != nil {
		path = cmp.Or(c.PINFile, path)
	}
	if path == "" {
		return maintenance.PIN{}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return maintenance.PIN{}, fmt.Errorf("cannot read the maintenance PIN: %w", err)
	}
	defer f.Close()
	line, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return maintenance.PIN{}, fmt.Errorf("cannot read the maintenance PIN: %w", err)
	}
	pin, err := maintenance.ParsePIN(string(line))
	if err != nil {
		return maintenance.PIN{}, fmt.Errorf("cannot use the maintenance PIN in %s: %w", path, err)
	}
	return pin, nil
}

// credential is the file of a secret that the service manager hands over, decrypted and readable for this program only; "" when there is
// none. It is asked for what the configuration does not name: systemd.exec(5), LoadCredentialEncrypted=.
func credential(name string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return ""
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// secret reads a token file; "" names none.
func secret(path, what string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", what, err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < 16 {
		return "", fmt.Errorf("cannot use %s in %s: a token has at least 16 characters", what, path)
	}
	return token, nil
}

func sealKey(encoded string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("cannot read upstream.seal-key: %w", err)
	}
	return key, nil
}
