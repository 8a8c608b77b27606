package identity

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyFile = "machine.key"

// Machine is a machine's own key. It signs its requests and is the key of its certificate; a second key, derived from it,
// opens what is sealed to the machine.
type Machine struct {
	key  ed25519.PrivateKey
	seal hpke.PrivateKey
}

// Drawn says whether the machine has a key in dir.
func Drawn(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, keyFile))
	return err == nil
}

// Load reads the machine's key from dir, or draws one and keeps it there if there is none. A damaged key is an error and is never
// replaced: the site knows the machine by it.
func Load(dir string) (*Machine, error) {
	path := filepath.Join(dir, keyFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the machine's key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("cannot use %s: it is not a key; move it away and enrol the machine anew", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w; move it away and enrol the machine anew", path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("cannot use %s: it is not an Ed25519 key; move it away and enrol the machine anew", path)
	}
	return newMachine(private)
}

func create(path string) (*Machine, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot draw the machine's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot draw the machine's key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot keep the machine's key: %w", err)
	}
	switch err := keep(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); {
	case errors.Is(err, fs.ErrExist):
		return Load(filepath.Dir(path)) // another process was quicker: its key is the machine's
	case err != nil:
		return nil, fmt.Errorf("cannot keep the machine's key: %w", err)
	}
	return newMachine(key)
}

// keep puts a file for its owner only in place as WriteFile does, but never in place of one that is there: fs.ErrExist.
func keep(path string, data []byte) error { return putFile(path, data, 0o600, os.Link) }

// sealKeyInfo binds the derived key to its purpose (RFC 5869, 3.2).
const sealKeyInfo = "yuanban machine seal key 1"

func newMachine(key ed25519.PrivateKey) (*Machine, error) {
	seed, err := hkdf.Key(sha256.New, key.Seed(), nil, sealKeyInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("cannot derive the machine's key: %w", err)
	}
	seal, err := kem().DeriveKeyPair(seed)
	if err != nil {
		return nil, fmt.Errorf("cannot derive the machine's key: %w", err)
	}
	return &Machine{key, seal}, nil
}

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

// Public is the machine's public key.
func (m *Machine) Public() ed25519.PublicKey { return m.key.Public().(ed25519.PublicKey) }

// Signer signs as the machine does, for TLS.
func (m *Machine) Signer() crypto.Signer { return m.key }

// SealKey is the public key to which secrets for this machine are sealed: 32 bytes, X25519.
func (m *Machine) SealKey() []byte { return m.seal.PublicKey().Bytes() }

// sealInfo binds a sealed file to its place (RFC 9180, 5.1 "info"), so that no secret can be put in another's.
func sealInfo(path string) []byte { return []byte("yuanban bundle secret 1\x00" + path) }

// SealTo seals a file of a bundle to the machine with that seal key by HPKE (RFC 9180, base mode): DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256, ChaCha20-Poly1305.
func SealTo(sealKey []byte, path string, plain []byte) ([]byte, error) {
	key, err := kem().NewPublicKey(sealKey)
	if err != nil {
		return nil, fmt.Errorf("cannot seal %s: the machine's seal key is not one: %w", path, err)
	}
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), sealInfo(path), plain)
	if err != nil {
		return nil, fmt.Errorf("cannot seal %s: %w", path, err)
	}
	return sealed, nil
}

// Unseal opens what SealTo sealed to this machine for that path.
func (m *Machine) Unseal(path string, sealed []byte) ([]byte, error) {
	plain, err := hpke.Open(m.seal, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), sealInfo(path), sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: it was sealed to another machine or key; enrol this machine anew or make its bundle anew", path)
	}
	return plain, nil
}

// WriteFile puts a file in place so that a power cut leaves either all of it or what was there before.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return putFile(path, data, mode, os.Rename)
}

// putFile writes a file beside its place, and then puts it there.
func putFile(path string, data []byte, mode fs.FileMode, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already where it was renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
