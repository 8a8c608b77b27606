package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

const (
	magic       = "yuanban bundle 1\n"
	maxManifest = 4 << 20 // bytes
	maxFiles    = 10_000
	maxSize     = 4 << 30 // bytes of all files together: FAT32 sticks hold no larger file
)

// AnyMachine in Manifest.Machine addresses every machine of the site.
const AnyMachine = "*"

// Manifest says what a bundle is and for whom.
type Manifest struct {
	Site    string    `json:"site"`    // SiteID of the key that signed it
	Machine string    `json:"machine"` // machine number, or AnyMachine
	Version int64     `json:"version"` // of the machine's whole configuration; counts up, from 1
	Made    time.Time `json:"made"`    // by the clock of the site
	Expires time.Time `json:"expires"` // a stick found later is refused
	// Enrolment makes a machine one of the site; nil for one that is.
	Enrolment *Enrolment `json:"enrolment,omitempty"`
	Program   *Program   `json:"program,omitempty"` // the program this configuration was made for
	Files     []File     `json:"files"`
}

// Enrolment is a site's answer to a machine's request. A machine that belongs to no site yet believes SiteKey because of Proof, see
// package identity.
type Enrolment struct {
	Request string `json:"request"` // SHA-256 of the request, in hexadecimal
	SiteKey []byte `json:"siteKey"` // Ed25519
	Proof   []byte `json:"proof"`
}

// Program names a package of this program among the files.
type Program struct {
	Version      string `json:"version"`      // as kiosk version says it
	Architecture string `json:"architecture"` // Debian's word: amd64, arm64
	File         string `json:"file"`         // path of the .deb among Files
}

// File is one file of a bundle.
type File struct {
	Path   string `json:"path"`             // slash-separated, relative, see fs.ValidPath
	Size   int64  `json:"size"`             // bytes in the bundle; a sealed file is a little longer than what it holds
	SHA256 string `json:"sha256"`           // of the bytes in the bundle, in hexadecimal
	Sealed bool   `json:"sealed,omitempty"` // to the machine's key; unpacked readable by its owner only
}

// SiteID is the name of a site's key: the first 16 bytes of its SHA-256 in hexadecimal, in groups that a person can compare.
func SiteID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	s := hex.EncodeToString(sum[:16])
	var groups []string
	for ; len(s) > 0; s = s[4:] {
		groups = append(groups, s[:4])
	}
	return strings.Join(groups, "-")
}

// parseManifest reads a manifest and checks that it makes sense in itself.
func parseManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	m := new(Manifest)
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("its manifest is not readable: %w", err)
	}
	if dec.More() {
		return nil, errors.New("something stands behind its manifest")
	}
	return m, m.check()
}

func (m *Manifest) check() error {
	switch {
	case m.Site == "" || m.Machine == "":
		return errors.New("its manifest does not say for which site and machine it is")
	case m.Version < 1:
		return fmt.Errorf("its version is %d; versions count from 1", m.Version)
	case m.Made.IsZero() || !m.Expires.After(m.Made):
		return errors.New("its times make no sense: it expires before it was made")
	case len(m.Files) == 0 || len(m.Files) > maxFiles:
		return fmt.Errorf("it has %d files; 1 to %d are possible", len(m.Files), maxFiles)
	}
	var total int64
	seen := map[string]bool{}
	for _, f := range m.Files {
		switch sum, err := hex.DecodeString(f.SHA256); {
		case !validPath(f.Path):
			return fmt.Errorf("path %q is not allowed in a bundle", f.Path)
		case seen[f.Path]:
			return fmt.Errorf("path %q is there twice", f.Path)
		case f.Size < 0 || f.Size > maxSize:
			return fmt.Errorf("%s has an impossible size of %d bytes", f.Path, f.Size)
		case err != nil || len(sum) != sha256.Size:
			return fmt.Errorf("the SHA-256 of %s is not one", f.Path)
		case f.Sealed && m.Machine == AnyMachine:
			return fmt.Errorf("%s is sealed, but the bundle is for no machine in particular", f.Path)
		}
		seen[f.Path] = true
		if total += f.Size; total > maxSize {
			return fmt.Errorf("it is larger than %d bytes", int64(maxSize))
		}
	}
	for path := range seen { // a file cannot be a folder too
		for i := range path {
			if path[i] == '/' && seen[path[:i]] {
				return fmt.Errorf("%q is a file and a folder", path[:i])
			}
		}
	}
	if p := m.Program; p != nil && (!seen[p.File] || p.Version == "" || p.Architecture == "") {
		return errors.New("its program is not among its files, or has no version or architecture")
	}
	return nil
}

// validPath says whether a path may be unpacked: relative, clean, without hidden parts and without characters that a file
// system of a stick or a person would stumble over.
func validPath(p string) bool {
	if !fs.ValidPath(p) || p == "." || len(p) > 240 || strings.ContainsAny(p, "\\:*?\"<>|") {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if strings.HasPrefix(part, ".") || strings.ContainsFunc(part, func(r rune) bool { return r < 0x20 || r == 0x7F }) {
			return false
		}
	}
	return true
}
