package site

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver of the registry

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
)

const (
	keyFile      = "site.key"
	registryFile = "site.db"
	payloadDir   = "payload"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Site is an open site.
type Site struct {
	dir     string
	scratch string // of a dry run: all that is written goes there, and goes with it; "" else
	key     ed25519.PrivateKey
	db      *sql.DB
	now     func() time.Time
}

// CanCreate says why Create would fail, as far as that can be known without trying.
func CanCreate(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, keyFile)); err == nil {
		return fmt.Errorf("cannot make a site in %s: there is one already", dir)
	}
	at, err := filepath.Abs(dir)
	for err == nil {
		var st fs.FileInfo
		if st, err = os.Stat(at); err == nil {
			if !st.IsDir() {
				return fmt.Errorf("cannot make a site in %s: %s is not a folder", dir, at)
			}
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			at, err = filepath.Dir(at), nil
		}
	}
	return fmt.Errorf("cannot make a site in %s: %w", dir, err)
}

// Create makes a new site in dir, which must not hold one.
func Create(dir string) (*Site, error) {
	if err := CanCreate(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	for _, d := range []string{payloadDir, filepath.Join(payloadDir, "secrets", "all"), filepath.Join(payloadDir, "program")} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("cannot make a site: %w", err)
		}
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make a site: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot make a site: %w", err)
	}
	if err := identity.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return nil, fmt.Errorf("cannot keep the site's key: %w", err)
	}
	return Open(dir)
}

// Open opens the site in dir.
func Open(dir string) (*Site, error) {
	s, err := open(dir)
	if err != nil {
		return nil, err
	}
	if s.db, err = openRegistry(filepath.Join(dir, registryFile)); err != nil {
		return nil, fmt.Errorf("cannot open the site's registry: %w", err)
	}
	return s, nil
}

// OpenDry opens the site in dir for a dry run: everything is done on a copy of its registry, which Close throws away. A wrong code is
// not counted there either; who may run it has the site's key before him.
func OpenDry(dir string) (*Site, error) {
	s, err := open(dir)
	if err != nil {
		return nil, err
	}
	if s.scratch, err = os.MkdirTemp("", "kiosk-dry-"); err != nil {
		return nil, fmt.Errorf("cannot run dry: %w", err)
	}
	copied := filepath.Join(s.scratch, registryFile)
	if err = copyRegistry(filepath.Join(dir, registryFile), copied); err == nil {
		s.db, err = openRegistry(copied)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot copy the site's registry for a dry run: %w", err), os.RemoveAll(s.scratch))
	}
	return s, nil
}

// open reads the site's key.
func open(dir string) (*Site, error) {
	data, err := os.ReadFile(filepath.Join(dir, keyFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot open the site: there is none in %s; make one with kiosk provision site init", dir)
	case err != nil:
		return nil, fmt.Errorf("cannot open the site: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("cannot open the site: %s is not a key; restore it from the safe", keyFile)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("cannot open the site: %s is not an Ed25519 key (%v); restore it from the safe", keyFile, err)
	}
	return &Site{dir: dir, key: private, now: time.Now}, nil
}

// Close closes the registry.
func (s *Site) Close() error {
	err := s.db.Close()
	if s.scratch != "" {
		err = errors.Join(err, os.RemoveAll(s.scratch))
	}
	return err
}

// Public is the site's public key.
func (s *Site) Public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// ID names the site, see bundle.SiteID.
func (s *Site) ID() string { return bundle.SiteID(s.Public()) }

func openRegistry(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(path)+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_fk=1")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // one technician
	if err := migrate(db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// copyRegistry copies a registry as it is committed, whoever else has it open, and changes nothing of it.
func copyRegistry(from, to string) error {
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(from)+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("VACUUM INTO ?", to)
	return err
}

// migrate runs the migrations that the registry has not seen.
func migrate(db *sql.DB) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql") // sorted by name
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("it was made by a newer program (version %d, this one knows %d); use that one", version, len(steps))
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after the commit
	for _, name := range steps[version:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(string(text)); err != nil {
			return fmt.Errorf("cannot run %s: %w", name, err)
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}

// write runs f in a transaction that is committed when f returns nil.
func (s *Site) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // a no-op after the commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// stamp is the site's time as the registry keeps it.
func (s *Site) stamp() string { return s.now().UTC().Format(time.RFC3339) }

func (s *Site) event(tx *sql.Tx, what, number, detail string) error {
	_, err := tx.Exec("INSERT INTO events (at, what, number, detail) VALUES (?, ?, ?, ?)", s.stamp(), what, number, detail)
	return err
}

// Event is something that was done.
type Event struct{ At, What, Number, Detail string }

// Events returns what was done, oldest first.
func (s *Site) Events(ctx context.Context) ([]Event, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT at, what, number, detail FROM events ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Event
	for rows.Next() {
		var e Event
		if err := rows.Scan(&e.At, &e.What, &e.Number, &e.Detail); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}
