package casefile

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Sealed data begins with sealVersion and 8 bytes of the SHA-256 of the public key, so that a platform with several keys knows
// which one to take; then the HPKE encapsulated key (32 bytes) and the ciphertext.
const (
	sealVersion = 1
	sealHeader  = 1 + 8
)

// sealInfo binds a ciphertext to its purpose (RFC 9180, 5.1 "info").
var sealInfo = []byte("yuanban personal data 1")

// HPKESealer seals to the platform's public key by HPKE (RFC 9180, base mode): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
// ChaCha20-Poly1305, which is fast and constant-time also on boards without AES instructions. Nothing on the machine can open what
// it sealed.
type HPKESealer struct {
	key    hpke.PublicKey
	header [sealHeader]byte
}

// NewSealer takes the 32 bytes of an X25519 public key.
func NewSealer(publicKey []byte) (*HPKESealer, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use the platform's public key: %w", err)
	}
	s := &HPKESealer{key: key}
	s.header = headerOf(publicKey)
	return s, nil
}

func headerOf(publicKey []byte) (h [sealHeader]byte) {
	sum := sha256.Sum256(publicKey)
	h[0] = sealVersion
	copy(h[1:], sum[:])
	return h
}

// Seal encrypts plain. Sealing the same text twice gives different bytes.
func (s *HPKESealer) Seal(plain []byte) ([]byte, error) {
	sealed, err := hpke.Seal(s.key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), sealInfo, plain)
	if err != nil {
		return nil, fmt.Errorf("cannot seal personal data: %w", err)
	}
	return append(s.header[:], sealed...), nil
}

// NewKey makes a platform's key pair, 32 bytes each.
func NewKey() (private, public []byte, err error) {
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make key: %w", err)
	}
	private, err = key.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make key: %w", err)
	}
	return private, key.PublicKey().Bytes(), nil
}

// PublicKey returns the public key of a private one.
func PublicKey(private []byte) ([]byte, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("cannot use private key: %w", err)
	}
	return key.PublicKey().Bytes(), nil
}

// OpenSealed opens what Seal sealed, with the platform's private key.
func OpenSealed(private, sealed []byte) ([]byte, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("cannot open sealed data: %w", err)
	}
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return nil, errors.New("cannot open sealed data: it is not in a form this program knows")
	}
	if h := headerOf(key.PublicKey().Bytes()); !bytes.Equal(h[:], sealed[:sealHeader]) {
		return nil, errors.New("cannot open sealed data: it was sealed to another key")
	}
	plain, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), sealInfo, sealed[sealHeader:])
	if err != nil {
		return nil, fmt.Errorf("cannot open sealed data: %w", err)
	}
	return plain, nil
}
