package bundle

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Reason is why a bundle is refused. Values are stable: they are kept in reports.
type Reason string

// The reasons.
const (
	Damaged  Reason = "damaged"  // it cannot be read to its end, or its bytes are not those that were signed
	Unsigned Reason = "unsigned" // the signature is not that of the key it names
	Foreign  Reason = "foreign"  // it is signed by another site
	Other    Reason = "other"    // it is for another machine
	Expired  Reason = "expired"
	Older    Reason = "older" // the machine has a newer configuration
)

// Refusal is the error of a bundle that a machine does not take.
type Refusal struct {
	Reason Reason
	Text   string // what was found, and what to do now
}

func (r *Refusal) Error() string { return "cannot take this bundle: " + r.Text }

func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}

// Bundle is a bundle whose head has been read. Nothing in it is to be believed before Judge has accepted it.
type Bundle struct {
	Manifest *Manifest

	signed    []byte
	signature []byte
	files     io.Reader
}

// Read reads the head of a bundle. Errors are of type *Refusal.
func Read(r io.Reader) (*Bundle, error) {
	br := bufio.NewReader(r)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(br, head); err != nil || string(head) != magic {
		return nil, refuse(Damaged, "it is not a bundle of this program; make it with kiosk provision site")
	}
	length, err := line(br, 10)
	n, bad := strconv.Atoi(length)
	if err != nil || bad != nil || n < 1 || n > maxManifest {
		return nil, refuse(Damaged, "the length of its manifest is not readable; copy it to the stick again")
	}
	signed := append([]byte(magic+length+"\n"), make([]byte, n+1)...)
	text := signed[len(signed)-n-1:]
	if _, err := io.ReadFull(br, text); err != nil || text[n] != '\n' {
		return nil, refuse(Damaged, "it ends in its manifest; copy it to the stick again")
	}
	m, err := parseManifest(text[:n])
	if err != nil {
		return nil, refuse(Damaged, "%v", err)
	}
	encoded, err := line(br, 2*ed25519.SignatureSize)
	if err != nil {
		return nil, refuse(Damaged, "it ends before its signature; copy it to the stick again")
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(signature) != ed25519.SignatureSize {
		return nil, refuse(Unsigned, "it carries no signature")
	}
	return &Bundle{Manifest: m, signed: signed, signature: signature, files: br}, nil
}

// line reads a line of at most n characters.
func line(r *bufio.Reader, n int) (string, error) {
	var b strings.Builder
	for b.Len() <= n {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return b.String(), nil
		}
		b.WriteByte(c)
	}
	return "", errors.New("the line is too long")
}

// Standing is what a machine knows when it judges a bundle.
type Standing struct {
	Site    ed25519.PublicKey // the site that the machine belongs to
	Machine string            // its number
	Version int64             // of the configuration it has, 0 for none
	// Now is the time by the machine's clock or, where that lags behind, the latest time known to have been reached.
	Now time.Time
}

// Judge says whether a machine takes the bundle: nil, or a *Refusal with the reason that a technician can act on.
func (b *Bundle) Judge(s Standing) error {
	m := b.Manifest
	switch ours := SiteID(s.Site); {
	case m.Site != ours:
		return refuse(Foreign, "it is of the site %s, and this machine belongs to %s; make it at the machine's own site", m.Site, ours)
	case !ed25519.Verify(s.Site, b.signed, b.signature):
		return refuse(Unsigned, "its signature is not that of the site; do not use this stick")
	case m.Machine != AnyMachine && m.Machine != s.Machine:
		return refuse(Other, "it is for machine %s, and this is %s; take the stick to the other one", m.Machine, s.Machine)
	case !s.Now.Before(m.Expires):
		return refuse(Expired, "it expired on %s, and this machine has %s: if that is wrong set its clock, else make a new one at the site",
			m.Expires.Format(time.DateOnly), s.Now.UTC().Format("2006-01-02 15:04 MST"))
	case m.Version < s.Version:
		return refuse(Older, "it has version %d, and this machine has %d already; make a new one at the site", m.Version, s.Version)
	}
	return nil
}

// Unpack writes the files into dir, which must be empty, and makes sure that they are on the disk. unseal opens sealed files
// and may be nil where there are none. It may be called once, after Judge. On an error dir holds an unknown part.
func (b *Bundle) Unpack(dir string, unseal func(path string, sealed []byte) ([]byte, error), progress func(done, total int64)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("cannot unpack bundle: %w", err)
	}
	defer root.Close()
	var done, total int64
	for _, f := range b.Manifest.Files {
		total += f.Size
	}
	for _, f := range b.Manifest.Files {
		if err := b.unpack(root, f, unseal); err != nil {
			return err
		}
		done += f.Size
		if progress != nil {
			progress(done, total)
		}
	}
	if n, _ := b.files.Read(make([]byte, 1)); n > 0 {
		return refuse(Damaged, "something stands behind its last file")
	}
	return syncFolders(root, b.Manifest.Files)
}

// maxSealed is the size of a sealed file, which is read into memory: tokens and keys are short.
const maxSealed = 1 << 20

func (b *Bundle) unpack(root *os.Root, f File, unseal func(string, []byte) ([]byte, error)) error {
	if dir := path.Dir(f.Path); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot unpack bundle: %w", err)
		}
	}
	mode := os.FileMode(0o644)
	if f.Sealed {
		mode = 0o600
	}
	out, err := root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("cannot unpack bundle: %w", err)
	}
	defer out.Close()
	h := sha256.New()
	content := io.TeeReader(io.LimitReader(b.files, f.Size), h)
	n, err := int64(0), error(nil)
	if f.Sealed {
		n, err = b.unseal(out, f, content, unseal)
	} else {
		n, err = io.Copy(out, content)
	}
	switch {
	case err != nil:
		return fmt.Errorf("cannot unpack %s: %w", f.Path, err)
	case n != f.Size:
		return refuse(Damaged, "it ends in %s; copy it to the stick again", f.Path)
	case hex.EncodeToString(h.Sum(nil)) != f.SHA256:
		return refuse(Damaged, "%s is not as it was signed; copy it to the stick again, and use another stick if that does not help", f.Path)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("cannot unpack %s: %w", f.Path, err)
	}
	return out.Close()
}

// unseal writes what is in a sealed file and tells how many sealed bytes were read.
func (b *Bundle) unseal(out io.Writer, f File, content io.Reader, unseal func(string, []byte) ([]byte, error)) (int64, error) {
	if f.Size > maxSealed || unseal == nil {
		return 0, fmt.Errorf("a sealed file of %d bytes: this machine has no key for it, or it is too long", f.Size)
	}
	sealed, err := io.ReadAll(content)
	if err != nil || int64(len(sealed)) != f.Size {
		return int64(len(sealed)), err
	}
	plain, err := unseal(f.Path, sealed)
	if err != nil {
		return 0, err
	}
	_, err = out.Write(plain)
	clear(plain)
	return f.Size, err
}

// syncFolders makes sure that the names are on the disk too.
func syncFolders(root *os.Root, files []File) error {
	dirs := map[string]bool{".": true}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	for dir := range dirs {
		d, err := root.Open(dir)
		if err != nil {
			return fmt.Errorf("cannot unpack bundle: %w", err)
		}
		err = d.Sync()
		d.Close()
		if err != nil {
			return fmt.Errorf("cannot unpack bundle: %w", err)
		}
	}
	return nil
}
