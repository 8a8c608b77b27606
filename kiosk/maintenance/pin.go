package maintenance

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// A PIN has 6 to 12 digits.
const (
	LeastPIN = 6
	MostPIN  = 12
)

// The file of a PIN is one line, scheme$rounds$salt$hash, the last two in base64 without padding. The rounds are those that OWASP's
// Password Storage Cheat Sheet (2023) asks of PBKDF2 with HMAC-SHA256; a line with others is honoured within bounds.
const (
	pinScheme   = "pbkdf2-sha256"
	pinRounds   = 600_000
	leastRounds = 100_000
	mostRounds  = 10_000_000 // seconds on a small processor: a typing error in the file must not be taken for a machine that hangs
	saltLen     = 16
	hashLen     = sha256.Size
)

// PIN is what is kept of a technician's PIN: enough to know it again, not enough to tell it.
type PIN struct {
	rounds     int
	salt, hash []byte
}

// CheckPIN says what is wrong with a PIN that is to be set.
func CheckPIN(pin string) error {
	if len(pin) < LeastPIN || len(pin) > MostPIN || strings.Trim(pin, "0123456789") != "" {
		return fmt.Errorf("a PIN has %d to %d digits and nothing else", LeastPIN, MostPIN)
	}
	if strings.Count(pin, pin[:1]) == len(pin) || strings.Contains("01234567890123", pin) || strings.Contains("32109876543210", pin) {
		return errors.New("a PIN of one digit, or of digits in a row, is the first that is tried; choose another")
	}
	return nil
}

// NewPIN returns what is kept of a PIN, under a salt of its own.
func NewPIN(pin string) (PIN, error) {
	if err := CheckPIN(pin); err != nil {
		return PIN{}, err
	}
	return keep(pin, pinRounds)
}

func keep(pin string, rounds int) (PIN, error) {
	p := PIN{rounds: rounds, salt: make([]byte, saltLen)}
	rand.Read(p.salt)
	var err error
	p.hash, err = p.derive(pin)
	return p, err
}

// ParsePIN reads the line that String writes. Its error never repeats the line.
func ParsePIN(line string) (PIN, error) {
	part := strings.Split(strings.TrimSpace(line), "$")
	if len(part) != 4 || part[0] != pinScheme {
		return PIN{}, errors.New("this is no line of kiosk pin; make one with kiosk pin and write it into the file as it is")
	}
	var p PIN
	var errs [3]error
	p.rounds, errs[0] = strconv.Atoi(part[1])
	p.salt, errs[1] = base64.RawStdEncoding.Strict().DecodeString(part[2])
	p.hash, errs[2] = base64.RawStdEncoding.Strict().DecodeString(part[3])
	if errors.Join(errs[:]...) != nil || p.rounds < leastRounds || p.rounds > mostRounds || len(p.salt) != saltLen || len(p.hash) != hashLen {
		return PIN{}, errors.New("the line of kiosk pin is damaged; make a new one with kiosk pin")
	}
	return p, nil
}

// String is the line for the file.
func (p PIN) String() string {
	return fmt.Sprintf("%s$%d$%s$%s", pinScheme, p.rounds, base64.RawStdEncoding.EncodeToString(p.salt), base64.RawStdEncoding.EncodeToString(p.hash))
}

// LogValue keeps even the hash out of logs: the hash of six digits can be tried out.
func (PIN) LogValue() slog.Value { return slog.StringValue("(PIN)") }

// Set says whether there is a PIN at all.
func (p PIN) Set() bool { return len(p.hash) > 0 }

// Matches tells whether pin is the PIN. It takes some tenths of a second of one processor, on purpose. Without a PIN nothing matches.
func (p PIN) Matches(pin string) bool {
	if !p.Set() {
		return false
	}
	hash, err := p.derive(pin)
	return err == nil && subtle.ConstantTimeCompare(hash, p.hash) == 1
}

func (p PIN) derive(pin string) ([]byte, error) {
	return pbkdf2.Key(sha256.New, pin, p.salt, p.rounds, hashLen)
}
