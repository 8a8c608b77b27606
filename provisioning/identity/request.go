package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxRequest is the size of a request, in bytes; real ones have about 1,500.
const maxRequest = 64 << 10

// rounds stretches a code; with 55 bits at random to begin with, guessing it takes 2^72 hashes.
const rounds = 100_000

// Hardware says what a machine is made of, so that a person can tell two requests apart.
type Hardware struct {
	Vendor string   `json:"vendor,omitempty"` // as the firmware says
	Model  string   `json:"model,omitempty"`
	Serial string   `json:"serial,omitempty"`
	MACs   []string `json:"macs,omitempty"`
	Arch   string   `json:"arch,omitempty"` // Debian's word: amd64, arm64
}

// Request is what a machine says of itself when it asks to be enrolled.
type Request struct {
	Machine  string    `json:"machine,omitempty"` // the number it wants; empty lets the site choose
	CSR      []byte    `json:"csr"`               // PKCS #10 (RFC 2986): the machine's public key
	SealKey  []byte    `json:"sealKey"`           // see Machine.SealKey
	Hardware Hardware  `json:"hardware"`
	Program  string    `json:"program,omitempty"` // version of the program that asks
	Made     time.Time `json:"made"`              // by the machine's clock, which may lie

	text       []byte // as it was signed
	commitment []byte
	public     ed25519.PublicKey
}

// sent is a request on its way.
type sent struct {
	Request    []byte `json:"request"`    // JSON of Request
	Signature  []byte `json:"signature"`  // of the CSR's key over domainRequest and Request
	Commitment []byte `json:"commitment"` // HMAC-SHA256 under the code's key
}

// What is signed or hashed begins with its purpose, so that nothing can be taken for something else.
const (
	domainRequest = "yuanban enrolment request 1\x00"
	domainMachine = "machine\x00"
	domainSite    = "site\x00"
)

// NewRequest asks for enrolment in the name of m. Code goes to the person before the machine by another way than the request.
func NewRequest(m *Machine, code Code, number, program string, hw Hardware, now time.Time) ([]byte, error) {
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: number}}, m.key)
	if err != nil {
		return nil, fmt.Errorf("cannot make enrolment request: %w", err)
	}
	text, err := json.Marshal(Request{Machine: number, CSR: csr, SealKey: m.SealKey(), Hardware: hw, Program: program, Made: now.UTC()})
	if err != nil {
		return nil, fmt.Errorf("cannot make enrolment request: %w", err)
	}
	k, err := stretch(code, m.Public())
	if err != nil {
		return nil, err
	}
	return json.Marshal(sent{text, ed25519.Sign(m.key, append([]byte(domainRequest), text...)), mac(k, domainMachine, text)})
}

// ParseRequest reads a request and makes sure that who wrote it has the key it names. Whether it comes from the machine it
// speaks of, only Matches can tell.
func ParseRequest(data []byte) (*Request, error) {
	if len(data) > maxRequest {
		return nil, fmt.Errorf("cannot read enrolment request: it has %d bytes, at most %d are possible", len(data), maxRequest)
	}
	var s sent
	if err := strict(data, &s); err != nil {
		return nil, fmt.Errorf("cannot read enrolment request: %w", err)
	}
	r := &Request{text: s.Request, commitment: s.Commitment}
	if err := strict(s.Request, r); err != nil {
		return nil, fmt.Errorf("cannot read enrolment request: %w", err)
	}
	csr, err := x509.ParseCertificateRequest(r.CSR)
	if err != nil {
		return nil, fmt.Errorf("cannot read enrolment request: its CSR: %w", err)
	}
	public, ok := csr.PublicKey.(ed25519.PublicKey)
	switch {
	case !ok:
		return nil, errors.New("cannot read enrolment request: its key is not an Ed25519 key")
	case csr.CheckSignature() != nil, !ed25519.Verify(public, append([]byte(domainRequest), s.Request...), s.Signature):
		return nil, errors.New("cannot take enrolment request: its signature is wrong; make a new one at the machine")
	case len(r.SealKey) != 32 || len(s.Commitment) != sha256.Size:
		return nil, errors.New("cannot read enrolment request: its seal key or commitment is not one")
	}
	r.public = public
	return r, nil
}

func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("something stands behind its end")
	}
	return nil
}

// Public is the machine's public key.
func (r *Request) Public() ed25519.PublicKey { return r.public }

// Hash names the request: SHA-256 in hexadecimal.
func (r *Request) Hash() string {
	sum := sha256.Sum256(r.text)
	return hex.EncodeToString(sum[:])
}

// Matches says whether the code is that of the machine that made the request. It takes about a tenth of a second.
func (r *Request) Matches(code Code) bool {
	k, err := stretch(code, r.public)
	return err == nil && hmac.Equal(mac(k, domainMachine, r.text), r.commitment)
}

// Proof is what the site with that key answers, to show that it was told the code.
func (r *Request) Proof(code Code, site ed25519.PublicKey) ([]byte, error) {
	k, err := stretch(code, r.public)
	if err != nil {
		return nil, err
	}
	return mac(k, domainSite, append(bytes.Clone(site), r.text...)), nil
}

// ProvenBy says whether an answer comes from a site that was told the code.
func (r *Request) ProvenBy(code Code, site ed25519.PublicKey, proof []byte) bool {
	want, err := r.Proof(code, site)
	return err == nil && hmac.Equal(want, proof)
}

func stretch(code Code, public ed25519.PublicKey) ([]byte, error) {
	k, err := pbkdf2.Key(sha256.New, string(code), public, rounds, 32)
	if err != nil {
		return nil, fmt.Errorf("cannot use the code: %w", err)
	}
	return k, nil
}

func mac(key []byte, domain string, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(domain))
	h.Write(text)
	return h.Sum(nil)
}
