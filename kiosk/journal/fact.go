package journal

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Bounds of one fact. The sealed part holds a signed letter of some pages and its signature.
const (
	maxBody    = 64 << 10
	maxSealed  = 1 << 20
	maxSubject = 100 // characters; case numbers of provinces have at most 50
)

// TimeLayout is the form of a fact's time in its hash and on the wire: UTC, milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

var factKind = regexp.MustCompile(`^[a-z]+(\.[a-z]+)+$`)

// Fact is something that happened, as it is kept and sent.
type Fact struct {
	Sequence     int64           // 1, 2, 3, … without gaps within one machine and epoch
	Kind         string          // for example "case.accepted"
	Subject      string          // what it is about: a case number, an invitation
	Time         time.Time       // as the clock said, UTC, milliseconds
	ClockTrusted bool            // false: the clock was behind an earlier time, more than 400 days ahead of it, or before 2026
	Body         json.RawMessage // canonical JSON, never with personal data
	Sealed       []byte          // personal part, readable by the platform only; nil when there is none or it was dropped
	SealedSHA256 []byte          // of the sealed part; stays when the sealed part is dropped; nil when there never was one
	Prev, Hash   []byte          // 32 bytes each; see ChainHash
}

// SealedDropped says that the fact had a sealed part, which was deleted after the platform acknowledged it.
func (f Fact) SealedDropped() bool { return f.Sealed == nil && f.SealedSHA256 != nil }

// ChainHash returns the hash a fact must have: SHA-256 over these fields in this order, each preceded by its length in bytes as
// an 8-byte big-endian number: the label "yuanban fact 1", Prev, epoch, the sequence in decimal, kind, subject, the time in
// TimeLayout, "trusted" or "untrusted", the canonical body, SealedSHA256 (empty when there is no sealed part). The first fact of
// an epoch has 32 zero bytes as Prev.
func ChainHash(epoch string, f Fact) []byte {
	trusted := "untrusted"
	if f.ClockTrusted {
		trusted = "trusted"
	}
	h := sha256.New()
	for _, part := range [][]byte{
		[]byte("yuanban fact 1"), f.Prev, []byte(epoch), strconv.AppendInt(nil, f.Sequence, 10), []byte(f.Kind), []byte(f.Subject),
		[]byte(f.Time.UTC().Format(TimeLayout)), []byte(trusted), f.Body, f.SealedSHA256,
	} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// FirstPrev is the Prev of the first fact of an epoch.
func FirstPrev() []byte { return make([]byte, sha256.Size) }

// Fact adds the next fact. kind is dotted lower-case words; subject has at most 100 characters; body is encoded as canonical JSON
// (at most 64 KiB, numbers whole) and must not hold personal data; sealed (at most 1 MiB) may be nil. The fact is in the outbox as
// soon as the transaction commits.
func (tx *Tx) Fact(kind, subject string, body any, sealed []byte) (Fact, error) {
	f, err := tx.fact(kind, subject, body, sealed)
	if err != nil {
		return Fact{}, fmt.Errorf("cannot record fact %q: %w", kind, explain(err))
	}
	tx.facts++
	return f, nil
}

func (tx *Tx) fact(kind, subject string, body any, sealed []byte) (Fact, error) {
	switch {
	case !factKind.MatchString(kind):
		return Fact{}, errors.New("a kind is lower-case words joined by dots")
	case subject == "" || len([]rune(subject)) > maxSubject:
		return Fact{}, fmt.Errorf("a subject has 1 to %d characters", maxSubject)
	case len(sealed) > maxSealed:
		return Fact{}, fmt.Errorf("the sealed part has %d bytes, at most %d are kept", len(sealed), maxSealed)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return Fact{}, err
	}
	if raw, err = Canonical(raw); err != nil {
		return Fact{}, err
	}
	if len(raw) > maxBody {
		return Fact{}, fmt.Errorf("the body has %d bytes, at most %d are kept", len(raw), maxBody)
	}
	f := Fact{Kind: kind, Subject: subject, Body: raw, Time: tx.j.opts.Now().UTC().Truncate(time.Millisecond)}
	if len(sealed) > 0 {
		sum := sha256.Sum256(sealed)
		f.Sealed, f.SealedSHA256 = bytes.Clone(sealed), sum[:]
	}
	if f.Sequence, f.Prev, err = tx.head(); err != nil {
		return Fact{}, err
	}
	f.Sequence++
	// The floor is the latest time a believable clock has shown. A clock behind it has been set back or has lost its battery, one far
	// ahead of it was set wrongly: its time is kept as it is, marked, and order comes from the sequence.
	known, err := floor(tx)
	if err != nil {
		return Fact{}, err
	}
	if ms := f.Time.UnixMilli(); trusted(ms, known) {
		f.ClockTrusted, known = true, ms
	}
	f.Hash = ChainHash(tx.j.epoch, f)
	_, err = tx.Exec(`INSERT INTO fact (sequence, kind, subject, time, clock_trusted, floor, body, sealed_sha256, prev, hash, sealed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		f.Sequence, f.Kind, f.Subject, f.Time.UnixMilli(), f.ClockTrusted, known, string(f.Body), f.SealedSHA256, f.Prev, f.Hash, f.Sealed)
	return f, err
}

// head returns the sequence and hash of the last fact; Prune never deletes it.
func (tx *Tx) head() (sequence int64, hash []byte, err error) {
	err = tx.QueryRow(`SELECT sequence, hash FROM fact ORDER BY sequence DESC LIMIT 1`).Scan(&sequence, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, FirstPrev(), nil
	}
	return sequence, hash, err
}

const factColumns = `sequence, kind, subject, time, clock_trusted, body, sealed_sha256, prev, hash, sealed`

func scanFact(row interface{ Scan(...any) error }) (Fact, error) {
	var f Fact
	var ms int64
	var body string
	if err := row.Scan(&f.Sequence, &f.Kind, &f.Subject, &ms, &f.ClockTrusted, &body, &f.SealedSHA256, &f.Prev, &f.Hash, &f.Sealed); err != nil {
		return Fact{}, err
	}
	f.Time, f.Body = time.UnixMilli(ms).UTC(), json.RawMessage(body)
	return f, nil
}
