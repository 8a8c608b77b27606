package site

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
)

func key(b []byte) ed25519.PublicKey { return ed25519.PublicKey(b) }

// bundleLife is how long a stick is good for.
const bundleLife = 30 * 24 * time.Hour

// Where things are in a bundle. A machine's program looks for them there.
const (
	ConfigFile      = "kiosk.yaml"
	ContentDir      = "content"
	SecretsDir      = "secrets"
	ProgramDir      = "program"
	RootFile        = "identity/site.pem"
	CertificateFile = "identity/machine.pem"
)

// Bundle writes the next bundle of an enrolled machine. Check reads a configuration and says everything that is wrong with it; what
// would be refused at the machine is refused here. answer is that of Approve, or nil for a machine that is enrolled already.
func (s *Site) Bundle(ctx context.Context, w io.Writer, number string, answer *bundle.Enrolment, check func(config []byte) error) (*bundle.Manifest, error) {
	m, err := s.Machine(ctx, number)
	if err != nil {
		return nil, err
	}
	if m.State != Enrolled {
		return nil, fmt.Errorf("cannot make a bundle for %s: it is %s; enrol it first, for nothing secret can be given to a machine without a key", number, m.State)
	}
	manifest := bundle.Manifest{Machine: number, Made: s.now(), Enrolment: answer}
	manifest.Expires = manifest.Made.Add(bundleLife)
	files, program, err := s.contents(ctx, m, check)
	if err != nil {
		return nil, fmt.Errorf("cannot make a bundle for %s: %w", number, err)
	}
	manifest.Program = program
	// The number is taken before the bundle is made: one that nobody got is lost, but none is given twice.
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow("UPDATE machines SET version = version + 1 WHERE number = ? RETURNING version", number).Scan(&manifest.Version); err != nil {
			return err
		}
		return s.event(tx, "bundle", number, fmt.Sprintf("version %d", manifest.Version))
	})
	if err != nil {
		return nil, err
	}
	return &manifest, bundle.Write(w, manifest, files, s.key)
}

// CheckConfiguration says what is wrong with the configuration that a machine would get. It is asked before a machine is approved, whose
// code is good for one answer only.
func (s *Site) CheckConfiguration(ctx context.Context, number string, check func(config []byte) error) error {
	m, err := s.Machine(ctx, number)
	if err == nil {
		_, err = s.config(m, check)
	}
	return err
}

// contents gathers the files of a machine's bundle.
func (s *Site) contents(ctx context.Context, m Machine, check func([]byte) error) ([]bundle.Content, *bundle.Program, error) {
	config, err := s.config(m, check)
	if err != nil {
		return nil, nil, err
	}
	root, err := s.RootPEM()
	if err != nil {
		return nil, nil, err
	}
	leaf, err := s.certificate(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	files := []bundle.Content{memory(ConfigFile, config), memory(RootFile, root), memory(CertificateFile, leaf)}
	content, err := tree(filepath.Join(s.dir, payloadDir, ContentDir), ContentDir)
	if err != nil {
		return nil, nil, err
	}
	secrets, err := s.secrets(m)
	if err != nil {
		return nil, nil, err
	}
	files = append(append(files, content...), secrets...)
	program, err := s.program(m)
	if program != nil {
		files = append(files, onDisk(program.File, filepath.Join(s.dir, payloadDir, filepath.FromSlash(program.File))))
	}
	return files, program, err
}

// config fills the template of the configuration with a machine's columns and checks what comes out. A column that the table does not
// have is an error.
func (s *Site) config(m Machine, check func([]byte) error) ([]byte, error) {
	file := filepath.Join(s.dir, payloadDir, ConfigFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: write the configuration of your machines there, with {{.number}} and other columns of the table where they differ", file)
	}
	if err != nil {
		return nil, err
	}
	t, err := template.New(ConfigFile).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, m.Fields); err != nil {
		return nil, err
	}
	if err := check(b.Bytes()); err != nil {
		return nil, fmt.Errorf("the configuration of %s, made from payload/%s: %w", m.Number, ConfigFile, err)
	}
	return b.Bytes(), nil
}

// secrets seals the secret files of a machine to it; its own go before those of all.
func (s *Site) secrets(m Machine) ([]bundle.Content, error) {
	var out []bundle.Content
	seen := map[string]bool{}
	for _, dir := range []string{m.Number, "all"} {
		files, err := tree(filepath.Join(s.dir, payloadDir, SecretsDir, dir), SecretsDir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if seen[f.Path] {
				continue
			}
			seen[f.Path] = true
			sealed, err := seal(m, f)
			if err != nil {
				return nil, err
			}
			out = append(out, sealed)
		}
	}
	return out, nil
}

func seal(m Machine, f bundle.Content) (bundle.Content, error) {
	r, err := f.Open()
	if err != nil {
		return bundle.Content{}, err
	}
	defer r.Close()
	plain, err := io.ReadAll(r)
	if err != nil {
		return bundle.Content{}, err
	}
	sealed, err := identity.SealTo(m.sealKey, f.Path, plain)
	clear(plain)
	c := memory(f.Path, sealed)
	c.Sealed = true
	return c, err
}

// program finds the newest package for a machine's architecture in payload/program, by Debian's naming NAME_VERSION_ARCH.deb.
func (s *Site) program(m Machine) (*bundle.Program, error) {
	packages, err := filepath.Glob(filepath.Join(s.dir, payloadDir, ProgramDir, "*.deb"))
	if err != nil {
		return nil, err
	}
	var newest *bundle.Program
	var at time.Time
	for _, p := range packages {
		part := strings.Split(strings.TrimSuffix(filepath.Base(p), ".deb"), "_")
		if len(part) != 3 || part[2] != m.Hardware.Arch {
			continue
		}
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if newest == nil || st.ModTime().After(at) {
			newest, at = &bundle.Program{Version: part[1], Architecture: part[2], File: path.Join(ProgramDir, filepath.Base(p))}, st.ModTime()
		}
	}
	return newest, nil
}

func memory(name string, data []byte) bundle.Content {
	return bundle.Content{Path: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func onDisk(name, file string) bundle.Content {
	return bundle.Content{Path: name, Open: func() (io.ReadCloser, error) { return os.Open(file) }}
}

// tree lists the files below dir, which need not be there, to be put below prefix.
func tree(dir, prefix string) ([]bundle.Content, error) {
	var out []bundle.Content
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && file == dir {
			return fs.SkipAll
		}
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is not a regular file: only such go into bundles", file)
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		out = append(out, onDisk(path.Join(prefix, filepath.ToSlash(rel)), file))
		return nil
	})
	return out, err
}
