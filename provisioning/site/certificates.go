package site

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	rootLife = 30 * 365 * 24 * time.Hour
	// A certificate is renewed from the middle of its life on, with every bundle, and at the site's server. So a machine may be
	// off for a year and still have a valid one.
	leafLife = 2 * 365 * 24 * time.Hour
)

// epoch is the beginning of every certificate's life: machines whose clock is behind must not find theirs "not yet valid".
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// root is the site's certificate. It is made anew each time from the key, the same but for its signature's randomness, of which
// Ed25519 has none: so there is no file that could be lost.
func (s *Site) root() (*x509.Certificate, []byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Yuanban site " + s.ID()},
		NotBefore: epoch, NotAfter: epoch.Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.Public(), s.key)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make the site's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return cert, der, err
}

// RootPEM is the site's certificate, by which platforms know its machines.
func (s *Site) RootPEM() ([]byte, error) {
	_, der, err := s.root()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// certificate returns the PEM of a machine's certificate, a new one from the middle of the old one's life on.
func (s *Site) certificate(ctx context.Context, m Machine) ([]byte, error) {
	var der []byte
	err := s.db.QueryRowContext(ctx, "SELECT der FROM certificates WHERE number = ? AND revoked IS NULL ORDER BY made DESC, serial LIMIT 1", m.Number).Scan(&der)
	switch {
	case err == nil:
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("cannot read the certificate of %s: %w", m.Number, err)
		}
		if s.now().Before(cert.NotAfter.Add(-leafLife/2)) && ed25519.PublicKey(m.public).Equal(cert.PublicKey) {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
		}
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		der, err = s.issue(tx, m)
		return err
	})
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

func (s *Site) issue(tx *sql.Tx, m Machine) ([]byte, error) {
	root, _, err := s.root()
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)) // RFC 5280, 4.1.2.2: at most 20 octets
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: m.Number, OrganizationalUnit: []string{m.Role}},
		NotBefore: epoch, NotAfter: s.now().Add(leafLife), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, root, ed25519.PublicKey(m.public), s.key)
	if err != nil {
		return nil, fmt.Errorf("cannot make the certificate of %s: %w", m.Number, err)
	}
	if _, err := tx.Exec("INSERT INTO certificates (serial, number, der, made) VALUES (?, ?, ?, ?)", serial.Text(16), m.Number, der, s.stamp()); err != nil {
		return nil, err
	}
	return der, s.event(tx, "certified", m.Number, "serial "+serial.Text(16))
}

// RevocationList is the list of certificates that are not to be believed (RFC 5280, 5), in PEM, for the platforms. It counts up with
// every revocation and holds for a year, for a site's laptop may lie in a cupboard.
func (s *Site) RevocationList(ctx context.Context) ([]byte, error) {
	root, _, err := s.root()
	if err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT serial, revoked FROM certificates WHERE revoked IS NOT NULL ORDER BY serial")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := &x509.RevocationList{ThisUpdate: s.now(), NextUpdate: s.now().AddDate(1, 0, 0)}
	for rows.Next() {
		var serial, at string
		if err := rows.Scan(&serial, &at); err != nil {
			return nil, err
		}
		n, ok := new(big.Int).SetString(serial, 16)
		when, err := time.Parse(time.RFC3339, at)
		if !ok || err != nil {
			return nil, fmt.Errorf("cannot read the revocation of certificate %s: %w", serial, err)
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: when})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	list.Number = big.NewInt(int64(len(list.RevokedCertificateEntries) + 1))
	der, err := x509.CreateRevocationList(rand.Reader, list, root, s.key)
	if err != nil {
		return nil, fmt.Errorf("cannot make the revocation list: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}
