// Package enrol is a machine's side of enrolment: it asks, shows its code, and takes the answer of the site that was told it.
//
// What it keeps is in one folder: the machine's key (package identity), the request and its code while they wait, and then the site that the
// machine belongs to. The code is deleted with the answer.
package enrol

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
)

const (
	waitingFile = "request.json"
	siteFile    = "site.json"
	codeLife    = 24 * time.Hour
)

// Machine is a machine before its site.
type Machine struct {
	dir string
	Key *identity.Machine
	now func() time.Time
}

// Open opens the machine's identity in dir; its key is born there at the first time.
func Open(dir string) (*Machine, error) {
	k, err := identity.Load(dir)
	if err != nil {
		return nil, err
	}
	return &Machine{dir, k, time.Now}, nil
}

// Site is the site that a machine belongs to.
type Site struct {
	Key     ed25519.PublicKey `json:"key"`
	Machine string            `json:"machine"` // the number that the site gave
	Since   time.Time         `json:"since"`   // by the machine's clock
	Request string            `json:"request"` // that was answered, SHA-256 in hexadecimal
}

// Answered says whether the site's answer to that request was taken already, so that its bundle may be applied again.
func (s *Site) Answered(request string) bool { return s.Request == request }

// Site returns the machine's site, nil while it has none.
func (m *Machine) Site() (*Site, error) {
	s, err := read[Site](filepath.Join(m.dir, siteFile))
	if s != nil && len(s.Key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("cannot use %s: its key is not one; enrol the machine anew", filepath.Join(m.dir, siteFile))
	}
	return s, err
}

// Waiting is a request that has no answer yet.
type Waiting struct {
	Request []byte        `json:"request"` // as it goes to the site
	Code    identity.Code `json:"code"`
	Made    time.Time     `json:"made"` // by the machine's clock
}

// Waiting returns the request that waits for an answer, nil when there is none or it has waited for a day.
func (m *Machine) Waiting() (*Waiting, error) {
	w, err := read[Waiting](filepath.Join(m.dir, waitingFile))
	if w == nil || err != nil {
		return nil, err
	}
	if age := m.now().Sub(w.Made); age >= codeLife {
		return nil, os.Remove(filepath.Join(m.dir, waitingFile))
	}
	return w, nil
}

// Ask makes a request with a new code, in place of one that waits.
func (m *Machine) Ask(number, program string, hw identity.Hardware) (*Waiting, error) {
	w := &Waiting{Code: identity.NewCode(), Made: m.now().UTC()}
	var err error
	if w.Request, err = identity.NewRequest(m.Key, w.Code, number, program, hw, w.Made); err != nil {
		return nil, err
	}
	return w, m.write(waitingFile, w)
}

// Believe looks at the answer in a bundle that is not believed yet. If it answers this machine's request, by a site that was told its
// code, the machine belongs to that site from now on. A machine that belongs to a site already takes the answer of another one too, if
// it asked: that is how machines move. A dry run says what would be and keeps nothing.
func (m *Machine) Believe(manifest *bundle.Manifest, dry bool) (*Site, error) {
	w, err := m.Waiting()
	if err != nil {
		return nil, err
	}
	e := manifest.Enrolment
	switch {
	case e == nil:
		return nil, errors.New("cannot enrol: this bundle is for a machine that is enrolled already; take the one that kiosk provision site approve made")
	case w == nil:
		return nil, errors.New("cannot enrol: no request of this machine waits for an answer, or its code is older than a day; ask anew")
	}
	r, err := identity.ParseRequest(w.Request)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Request != r.Hash():
		return nil, errors.New("cannot enrol: this bundle answers another machine's request or an earlier one of this machine; approve the present one")
	case len(e.SiteKey) != ed25519.PublicKeySize, !r.ProvenBy(w.Code, e.SiteKey, e.Proof):
		return nil, errors.New("cannot enrol: whoever made this bundle was not told this machine's code; do not use this stick")
	}
	s := &Site{Key: e.SiteKey, Machine: manifest.Machine, Since: m.now().UTC(), Request: e.Request}
	if dry {
		return s, nil
	}
	if err := m.write(siteFile, s); err != nil {
		return nil, err
	}
	return s, os.Remove(filepath.Join(m.dir, waitingFile))
}

// CheckCertificate says whether a machine's certificate is its own and its site's.
func CheckCertificate(rootPEM, leafPEM []byte, machine ed25519.PublicKey, s *Site) error {
	root, err := certificate(rootPEM)
	if err != nil {
		return fmt.Errorf("cannot read the site's certificate: %w", err)
	}
	leaf, err := certificate(leafPEM)
	if err != nil {
		return fmt.Errorf("cannot read the machine's certificate: %w", err)
	}
	switch {
	case !s.Key.Equal(root.PublicKey):
		return errors.New("the site's certificate is not of this machine's site")
	case leaf.CheckSignatureFrom(root) != nil:
		return errors.New("the machine's certificate is not signed by its site")
	case !machine.Equal(leaf.PublicKey) || leaf.Subject.CommonName != s.Machine:
		return errors.New("the certificate is another machine's")
	}
	return nil
}

func certificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("it is not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func (m *Machine) write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := identity.WriteFile(filepath.Join(m.dir, name), data, 0o600); err != nil {
		return fmt.Errorf("cannot keep %s: %w", name, err)
	}
	return nil
}

func read[T any](path string) (*T, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	v := new(T)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; move it away and enrol the machine anew", path, err)
	}
	return v, nil
}
