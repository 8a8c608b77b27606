package upstream

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/journal"
)

func sample() Batch {
	f := journal.Fact{Sequence: 1, Kind: "case.accepted", Subject: "LA1B2C32607150001F", Time: time.Date(2026, 7, 15, 6, 30, 0, 0, time.UTC), ClockTrusted: true,
		Body: []byte(`{"case":"LA1B2C32607150001F"}`), Prev: journal.FirstPrev()}
	f.Hash = journal.ChainHash("ABCDEFGHIJKLMNOPQRSTUVWXYZ", f)
	return Batch{Machine: "A1B2C3", Epoch: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Oldest: 1, Facts: []Fact{wire(f)}}
}

func TestBatchRoundTrip(t *testing.T) {
	data, err := encodeBatch(sample())
	if err != nil {
		t.Fatal(err)
	}
	_, facts, err := decodeBatch(bytes.NewReader(data))
	if err != nil || len(facts) != 1 || !bytes.Equal(facts[0].Hash, journal.ChainHash("ABCDEFGHIJKLMNOPQRSTUVWXYZ", facts[0])) {
		t.Errorf("facts %+v, %v", facts, err)
	}
	for n := range data {
		if _, _, err := decodeBatch(bytes.NewReader(data[:n])); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(data))
		}
	}
}

func TestBatchesAreReadStrictly(t *testing.T) {
	good, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := parseBatch(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(b *Batch){
		"machine":            func(b *Batch) { b.Machine = "a1" },
		"epoch":              func(b *Batch) { b.Epoch = "x y" },
		"oldest":             func(b *Batch) { b.Oldest = 0 },
		"acknowledged":       func(b *Batch) { b.Acknowledged = -1 },
		"sequence":           func(b *Batch) { b.Facts[0].Sequence = 0 },
		"gap":                func(b *Batch) { b.Facts = append(b.Facts, b.Facts[0]); b.Facts[1].Sequence = 3 },
		"time":               func(b *Batch) { b.Facts[0].Time = "2026-07-15 06:30:00" },
		"body":               func(b *Batch) { b.Facts[0].Body = []byte(`1.5`) },
		"hash":               func(b *Batch) { b.Facts[0].Hash = "00" },
		"prev":               func(b *Batch) { b.Facts[0].Prev = "" },
		"sealed, no digest":  func(b *Batch) { b.Facts[0].Sealed = []byte("x") },
		"digest, no sealed":  func(b *Batch) { b.Facts[0].SealedSHA256 = strings.Repeat("0", 64) },
		"dropped, no digest": func(b *Batch) { b.Facts[0].SealedDropped = true },
	} {
		b := sample()
		change(&b)
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := parseBatch(data); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for name, data := range map[string]string{
		"unknown field": strings.Replace(string(good), `"machine"`, `"extra":1,"machine"`, 1),
		"two values":    string(good) + "{}",
		"cut":           string(good[:len(good)-1]),
	} {
		if _, _, err := parseBatch([]byte(data)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// The examples in PROTOCOL.md are what the code takes, hashes included.
func TestExamplesInTheProtocol(t *testing.T) {
	page, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	requests, answers := 0, 0
	for _, part := range strings.Split(string(page), "```json ")[1:] {
		kind, rest, _ := strings.Cut(part, "\n")
		example, _, _ := strings.Cut(rest, "```")
		switch kind {
		case "request":
			requests++
			b, facts, err := parseBatch([]byte(example))
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range facts {
				if !bytes.Equal(f.Hash, journal.ChainHash(b.Epoch, f)) || i > 0 && !bytes.Equal(f.Prev, facts[i-1].Hash) {
					t.Errorf("fact %d of the example has a wrong hash", f.Sequence)
				}
			}
		case "answer":
			answers++
			dec := json.NewDecoder(strings.NewReader(example))
			dec.DisallowUnknownFields()
			if err := dec.Decode(new(Answer)); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	if requests != 1 || answers != 3 {
		t.Errorf("%d requests and %d answers in the page", requests, answers)
	}
}

func FuzzBatch(f *testing.F) {
	good, err := json.Marshal(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"machine":"A1B2C3","epoch":"ABCDEFGHIJKLMNOP","oldest":1,"acknowledged":0,"facts":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, facts, err := parseBatch(data)
		if err != nil {
			return
		}
		if len(facts) != len(b.Facts) {
			t.Fatalf("%d facts of %d", len(facts), len(b.Facts))
		}
		for i, fact := range facts {
			if again, err := unwire(wire(fact)); err != nil || !bytes.Equal(journal.ChainHash(b.Epoch, again), journal.ChainHash(b.Epoch, fact)) {
				t.Fatalf("fact %d changes when it is sent on: %v", i, err)
			}
		}
		sim, err := NewSimulator(bytes.Repeat([]byte{1}, 32))
		if err != nil {
			t.Fatal(err)
		}
		first, err := sim.take(b, facts)
		if err != nil || first.Rewind != nil {
			return
		}
		n := len(sim.Records())
		if second, err := sim.take(b, facts); err != nil || second.Rewind != nil || second.Acknowledged != first.Acknowledged || len(sim.Records()) != n {
			t.Fatalf("the same batch again gives %+v, %v and %d records after %d", second, err, len(sim.Records()), n)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"acknowledged":7,"numbers":{"L1":"YB1"}}`), int64(5), uint8(3))
	f.Add([]byte(`{"rewind":2}`), int64(5), uint8(3))
	f.Add([]byte(`{"acknowledged":9223372036854775807}`), int64(1), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, first int64, n uint8) {
		if first < 1 {
			return
		}
		last := first + int64(n) - 1
		a, err := parseAnswer(data, first, last)
		switch {
		case err != nil:
		case a.Rewind != nil && (*a.Rewind < 0 || *a.Rewind >= first), a.Rewind == nil && (a.Acknowledged > last || a.Acknowledged < first-1):
			t.Fatalf("%s is believed for %d to %d", data, first, last)
		}
	})
}
