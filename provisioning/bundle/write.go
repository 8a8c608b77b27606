package bundle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Content is a file to be put into a bundle. Open is called twice: for its checksum and for its bytes.
type Content struct {
	Path   string
	Sealed bool // the bytes are sealed already
	Open   func() (io.ReadCloser, error)
}

// Write writes a bundle of the site whose key is given. Site and Files of the manifest are filled in.
func Write(w io.Writer, m Manifest, files []Content, key ed25519.PrivateKey) error {
	m.Site = SiteID(key.Public().(ed25519.PublicKey))
	m.Made, m.Expires = m.Made.UTC(), m.Expires.UTC()
	m.Files = nil
	for _, c := range files {
		f, err := sum(c)
		if err != nil {
			return fmt.Errorf("cannot make bundle: %w", err)
		}
		m.Files = append(m.Files, f)
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("cannot make bundle: %w", err)
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("cannot make bundle: %w", err)
	}
	if len(text) > maxManifest {
		return fmt.Errorf("cannot make bundle: its manifest has %d bytes, %d are possible", len(text), maxManifest)
	}
	head := append([]byte(magic+strconv.Itoa(len(text))+"\n"), text...)
	head = append(head, '\n')
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(key, head))
	if _, err := io.WriteString(w, string(head)+signature+"\n"); err != nil {
		return fmt.Errorf("cannot write bundle: %w", err)
	}
	for i, c := range files {
		if err := copyContent(w, c, m.Files[i].Size); err != nil {
			return fmt.Errorf("cannot write bundle: %w", err)
		}
	}
	return nil
}

func sum(c Content) (File, error) {
	r, err := c.Open()
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", c.Path, err)
	}
	return File{Path: c.Path, Size: n, SHA256: hex.EncodeToString(h.Sum(nil)), Sealed: c.Sealed}, nil
}

func copyContent(w io.Writer, c Content, size int64) error {
	r, err := c.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if n, err := io.Copy(w, io.LimitReader(r, size)); err != nil || n != size {
		return fmt.Errorf("%s changed while it was packed (%d of %d bytes): %w", c.Path, n, size, err)
	}
	return nil
}
