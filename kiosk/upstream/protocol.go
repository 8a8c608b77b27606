package upstream

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"yuanban/kiosk/journal"
)

// Bounds of messages, so that neither side can fill the other's memory.
const (
	maxRequest = 32 << 20 // bytes after decompression
	maxAnswer  = 1 << 20
	maxBatch   = 2 << 20 // bytes of facts a batch holds before it is cut; one fact may exceed it
	factsPath  = "/v1/facts"
)

// Batch is the body of POST {url}/v1/facts.
type Batch struct {
	Machine      string `json:"machine"`
	Epoch        string `json:"epoch"`
	Oldest       int64  `json:"oldest"`       // the first fact the machine still has
	Acknowledged int64  `json:"acknowledged"` // what the machine believes the platform has
	Facts        []Fact `json:"facts"`        // consecutive; empty as a sign of life
}

// Fact is a journal fact on the wire.
type Fact struct {
	Sequence      int64           `json:"sequence"`
	Kind          string          `json:"kind"`
	Subject       string          `json:"subject"`
	Time          string          `json:"time"` // journal.TimeLayout
	ClockTrusted  bool            `json:"clock_trusted"`
	Body          json.RawMessage `json:"body"`
	Sealed        []byte          `json:"sealed,omitempty"`         // base64
	SealedSHA256  string          `json:"sealed_sha256,omitempty"`  // hex
	SealedDropped bool            `json:"sealed_dropped,omitempty"` // sent before, acknowledged, and deleted
	Prev          string          `json:"prev"`                     // hex
	Hash          string          `json:"hash"`                     // hex
}

// Answer is the platform's answer to a batch.
type Answer struct {
	Acknowledged int64             `json:"acknowledged"`      // the platform has every fact up to this one, durably
	Numbers      map[string]string `json:"numbers,omitempty"` // provisional case number -> 办件编号
	Rewind       *int64            `json:"rewind,omitempty"`  // send again everything after this one
	Error        string            `json:"error,omitempty"`   // with a status other than 200: why, for a technician
}

// wire puts a journal fact into its form on the wire.
func wire(f journal.Fact) Fact {
	return Fact{Sequence: f.Sequence, Kind: f.Kind, Subject: f.Subject, Time: f.Time.UTC().Format(journal.TimeLayout), ClockTrusted: f.ClockTrusted,
		Body: f.Body, Sealed: f.Sealed, SealedSHA256: hex.EncodeToString(f.SealedSHA256), SealedDropped: f.SealedDropped(),
		Prev: hex.EncodeToString(f.Prev), Hash: hex.EncodeToString(f.Hash)}
}

// unwire is the reverse; it checks the form of every field, not the hashes.
func unwire(w Fact) (journal.Fact, error) {
	f := journal.Fact{Sequence: w.Sequence, Kind: w.Kind, Subject: w.Subject, ClockTrusted: w.ClockTrusted, Sealed: w.Sealed}
	var err error
	if f.Time, err = time.Parse(journal.TimeLayout, w.Time); err != nil {
		return f, fmt.Errorf("time: %w", err)
	}
	if f.Body, err = journal.Canonical(w.Body); err != nil {
		return f, fmt.Errorf("body: %w", err)
	}
	for _, field := range []struct {
		name, text string
		optional   bool
		into       *[]byte
	}{{"prev", w.Prev, false, &f.Prev}, {"hash", w.Hash, false, &f.Hash}, {"sealed_sha256", w.SealedSHA256, true, &f.SealedSHA256}} {
		if field.text == "" && field.optional {
			continue
		}
		if *field.into, err = hex.DecodeString(field.text); err != nil || len(*field.into) != 32 {
			return f, fmt.Errorf("%s: not 32 bytes in hexadecimal", field.name)
		}
	}
	if len(f.Sealed) == 0 {
		f.Sealed = nil
	}
	switch {
	case f.Sequence < 1:
		return f, errors.New("sequence: counts from 1")
	case f.Sealed != nil && (f.SealedSHA256 == nil || w.SealedDropped), w.SealedDropped && f.SealedSHA256 == nil:
		return f, errors.New("sealed, sealed_sha256 and sealed_dropped contradict each other")
	case f.Sealed == nil && f.SealedSHA256 != nil && !w.SealedDropped:
		return f, errors.New("sealed: missing")
	}
	return f, nil
}

// encodeBatch writes a batch as gzip JSON.
func encodeBatch(b Batch) ([]byte, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	enc := json.NewEncoder(z)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b); err != nil {
		return nil, fmt.Errorf("cannot encode batch: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("cannot encode batch: %w", err)
	}
	return buf.Bytes(), nil
}

var (
	machinePattern = regexp.MustCompile(`^[0-9A-Z]{6}$`)
	epochPattern   = regexp.MustCompile(`^[0-9A-Za-z]{16,64}$`)
)

// decodeBatch reads what a machine sent. It is strict: an unknown field, a number out of order or a broken form refuses all of it.
func decodeBatch(r io.Reader) (Batch, []journal.Fact, error) {
	var b Batch
	z, err := gzip.NewReader(r)
	if err != nil {
		return b, nil, fmt.Errorf("cannot read batch: not gzip: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxRequest+1))
	switch {
	case err != nil:
		return b, nil, fmt.Errorf("cannot read batch: %w", err)
	case len(data) > maxRequest:
		return b, nil, fmt.Errorf("cannot read batch: longer than %d bytes", maxRequest)
	}
	return parseBatch(data)
}

func parseBatch(data []byte) (Batch, []journal.Fact, error) {
	var b Batch
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return b, nil, fmt.Errorf("cannot read batch: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return b, nil, errors.New("cannot read batch: more than one value")
	}
	if !machinePattern.MatchString(b.Machine) || !epochPattern.MatchString(b.Epoch) || b.Oldest < 1 || b.Acknowledged < 0 {
		return b, nil, errors.New("cannot read batch: machine, epoch, oldest or acknowledged is not of the right form")
	}
	facts := make([]journal.Fact, 0, len(b.Facts))
	for i, w := range b.Facts {
		f, err := unwire(w)
		if err != nil {
			return b, nil, fmt.Errorf("cannot read batch: fact at place %d: %w", i+1, err)
		}
		if i > 0 && f.Sequence != facts[i-1].Sequence+1 {
			return b, nil, fmt.Errorf("cannot read batch: fact %d follows %d", f.Sequence, facts[i-1].Sequence)
		}
		facts = append(facts, f)
	}
	return b, facts, nil
}

// parseAnswer reads what the platform answered to a batch whose facts were first..last (last = first-1 for none) and refuses what no
// honest platform can say: to have what was not sent.
func parseAnswer(data []byte, first, last int64) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return Answer{}, fmt.Errorf("the platform's answer is not understood: %w", err)
	}
	switch {
	case a.Rewind != nil && (*a.Rewind < 0 || *a.Rewind >= first):
		return Answer{}, fmt.Errorf("the platform asks to go back to %d, the facts sent began with %d", *a.Rewind, first)
	case a.Rewind != nil:
		return a, nil
	case a.Acknowledged > last:
		return Answer{}, fmt.Errorf("the platform acknowledges fact %d, the last one sent was %d", a.Acknowledged, last)
	case a.Acknowledged < first-1:
		return Answer{}, fmt.Errorf("the platform acknowledges fact %d, but has acknowledged %d before and asks for nothing again", a.Acknowledged, first-1)
	}
	return a, nil
}
