package serialpad

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestChecksums(t *testing.T) {
	for kind, want := range map[Check]string{
		CheckNone: "", CheckSum8: "DD", CheckXOR: "31", CheckLRC: "23", CheckCRC16: "37 4B", CheckCRC16HL: "4B 37", // CRC-16/MODBUS of 123456789 is 4B37
	} {
		if got := spaced(kind.append(nil, []byte("123456789"))); got != want || len(want) != max(0, 3*kind.size()-1) {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

// hear feeds bursts, separated by silences, to a scanner and says what it finds: "press 5", "answer".
func hear(t testing.TB, profile string, hexBursts ...string) (got []string, skipped int) {
	t.Helper()
	p, err := ByName(profile)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.compile()
	if err != nil {
		t.Fatal(err)
	}
	s := newScanner(c)
	take := func() {
		for h, ok := s.next(); ok; h, ok = s.next() {
			_, name, _ := strings.Cut(string(h.kind), ".")
			if k := c.keys[h.key]; c.messages[h.kind].has(key) && k.grade > 0 {
				name += fmt.Sprint(" ", k.grade)
			}
			got = append(got, name)
		}
	}
	for _, b := range hexBursts {
		s.feed(unspaced(t, b), time.Time{})
		take()
		s.quiet()
		take()
	}
	return got, s.skipped
}

func TestScan(t *testing.T) {
	const press, answer = "A5 5A 04 01 50 07 05 16 1E", "A5 5A 04 01 51 07 02 06 1C"
	for _, c := range []struct {
		name, profile string
		bursts        []string
		want          []string
		skipped       int
	}{
		{"one", "reference", []string{press}, []string{"press 5"}, 0},
		{"merged", "reference", []string{press + answer + press}, []string{"press 5", "answer", "press 5"}, 0},
		{"a wrong checksum", "reference", []string{"A5 5A 04 01 50 07 05 16 1F"}, nil, 9},
		{"a wrong grade", "reference", []string{"A5 5A 04 01 50 07 04 16 1E"}, nil, 9},
		{"half", "reference", []string{"A5 5A 04 01 50 07"}, nil, 6},
		{"half, then whole", "reference", []string{"A5 5A 04 01 50 07" + press}, []string{"press 5"}, 6},
		{"half, silence, the other half", "reference", []string{"A5 5A 04 01", "50 07 05 16 1E"}, nil, 9},
		{"noise that begins alike", "reference", []string{"A5 A5 5A 7E" + press}, []string{"press 5"}, 4},
		{"a length that swallows", "reference", []string{"A5 5A 30" + press + answer}, []string{"press 5", "answer"}, 3},
		{"an address that no pad has", "reference", []string{"A5 5A 04 F8 50 07 05 26 82"}, nil, 9},
		{"our own words, echoed", "reference", []string{"A5 5A 02 01 D1 11 CC" + answer}, []string{"query", "answer"}, 0},
		{"a byte", "single-byte", []string{"35"}, []string{"press 5"}, 0},
		{"three copies", "single-byte", []string{"35 35 35"}, []string{"press 5", "press 5", "press 5"}, 0},
		{"a byte among others", "single-byte", []string{"35 00"}, nil, 2},
		{"a byte behind others", "single-byte", []string{"00", "35"}, []string{"press 5"}, 1},
		{"a line", "ascii-line", []string{"4B 35 0D 0A"}, []string{"press 5"}, 0},
		{"a line and a half", "ascii-line", []string{"4B 35 0D 0A 4B 34"}, nil, 6},
		{"an answer with a rest", "ascii-line", []string{"4F 4B 20 76 32 0D 0A 4B 34 0D 0A"}, []string{"answer", "press 4"}, 0},
		{"an unknown letter", "ascii-line", []string{"4B 39 0D 0A"}, nil, 4},
		{"nothing pressed", "modbus-poll", []string{"01 03 02 00 00 B8 44"}, []string{"answer"}, 0},
		{"pressed", "modbus-poll", []string{"01 03 02 00 05 78 47"}, []string{"answer 5"}, 0},
		{"an echo of the query", "modbus-poll", []string{"01 03 00 00 00 01 84 0A"}, []string{"query"}, 0},
		{"the neighbour's press", "hallque", []string{"FF 68 03 03 68 82 11 03 96 16"}, []string{"press 5"}, 0},
		{"a call box", "hallque", []string{"FF 68 03 03 68 05 11 03 19 16"}, nil, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, skipped := hear(t, c.profile, c.bursts...)
			if !slices.Equal(got, c.want) || skipped != c.skipped {
				t.Errorf("got %q, skipped %d; want %q, %d", got, skipped, c.want, c.skipped)
			}
		})
	}
}

// TestLongNoise: where silence is all there is to go by, a line that never falls silent is not believed, and memory stays bounded.
func TestLongNoise(t *testing.T) {
	p, _ := ByName("single-byte")
	c, _ := p.compile()
	s := newScanner(c)
	for range 1000 {
		s.feed([]byte("55555"), time.Time{})
	}
	s.feed(bytes.Repeat([]byte("5"), 4*maxBurst), time.Time{})
	s.quiet()
	if h, ok := s.next(); ok || cap(s.buf) > 8*maxBurst {
		t.Errorf("found %+v, %v; room for %d bytes", h, ok, cap(s.buf))
	}
	s.feed([]byte("5"), time.Time{})
	s.quiet()
	if _, ok := s.next(); !ok {
		t.Error("after the noise nothing is heard any more")
	}
}

// TestMessageRoundTrip: what is rendered is read back, alone and before other bytes, and begins to fit from its first byte on.
func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pad := drawPad(t)
		f := fields{key: rapid.Byte().Draw(t, "key"), sequence: rapid.Byte().Draw(t, "sequence")}
		b := pad.m.render(f)
		n, got, fit := pad.m.match(append(slices.Clone(b), rapid.SliceOf(rapid.Byte()).Draw(t, "behind")...))
		if fit != whole || n != len(b) || got.key != f.key || pad.m.has(sequence) && got.sequence != f.sequence {
			t.Fatalf("%s: %X is read as %d bytes, %+v, %v", pad.text, b, n, got, fit)
		}
		for i := range b {
			if _, _, fit := pad.m.match(b[:i]); fit != begun {
				t.Fatalf("%s: the first %d bytes of %X are %v", pad.text, i, b, fit)
			}
		}
	})
}

// FuzzMessage: no text is misread, and what a message renders it reads.
func FuzzMessage(f *testing.F) {
	for _, p := range Profiles() {
		for _, text := range p.written() {
			f.Add(text, []byte("\xA5\x5A\x04"), []byte("请"))
		}
	}
	f.Add("[ {length+3} {address} {any} {state} {rest} 0D 'a' ] {lrc} 0A", []byte{9}, []byte{1, 2})
	f.Fuzz(func(t *testing.T, s string, data, inside []byte) {
		m, err := parseMessage(s)
		if err != nil {
			return
		}
		if n, _, fit := m.match(data); fit == whole && (n < m.least || n > len(data) || n > maxMessage) {
			t.Errorf("%q: %X is read as %d bytes", s, data, n)
		}
		b := m.render(fields{address: 1, key: 2, sequence: 3, state: 4, text: inside})
		if len(b) > maxMessage || len(b) < m.least {
			t.Errorf("%q: rendered as %d bytes", s, len(b))
		}
		if m.open >= 0 && m.length < 0 {
			return // its end may be inside
		}
		if n, got, fit := m.match(b); fit != whole || n != len(b) || m.has(key) && got.key != 2 {
			t.Errorf("%q: %X is read as %d bytes, %+v, %v", s, b, n, got, fit)
		}
	})
}

// FuzzScan: whatever comes, in whatever pieces, the same messages are found, and each is what the bytes say.
func FuzzScan(f *testing.F) {
	f.Add(uint8(0), []byte("\xA5\x5A\x04\x01\x50\x07\x05\x16\x1E5"), uint8(3))
	f.Add(uint8(1), []byte("K5\r\nOK 2\r\n"), uint8(1))
	f.Add(uint8(2), []byte("\xFF\x68\x03\x03\x68\x81\x11\x03\x95\x16"), uint8(2))
	f.Add(uint8(3), []byte("\x01\x03\x02\x00\x05\x78\x47\x01\x03"), uint8(9))
	f.Add(uint8(4), []byte("555"), uint8(1))
	names := []string{"reference", "ascii-line", "hallque", "modbus-poll", "single-byte"}
	f.Fuzz(func(t *testing.T, which uint8, data []byte, piece uint8) {
		p, _ := ByName(names[int(which)%len(names)])
		c, err := p.compile()
		if err != nil {
			t.Fatal(err)
		}
		run := func(n int) (out []string, skipped int) {
			s := newScanner(c)
			total := 0
			take := func() {
				for h, ok := s.next(); ok; h, ok = s.next() {
					total += len(h.raw)
					again, _, fit := c.messages[h.kind].match(h.raw)
					if fit != whole || again != len(h.raw) {
						t.Fatalf("%s is said to be in %X", h.kind, h.raw)
					}
					out = append(out, fmt.Sprintf("%s %X", h.kind, h.raw))
				}
			}
			for chunk := range slices.Chunk(data, n) {
				s.feed(chunk, time.Time{})
				take()
			}
			s.quiet()
			take()
			if s.pending() || len(data) <= maxBurst && total+s.skipped != len(data) {
				t.Fatalf("%d bytes became %d of messages and %d skipped; pending %v", len(data), total, s.skipped, s.pending())
			}
			return out, s.skipped
		}
		if len(data) == 0 || len(data) > maxBurst {
			return
		}
		whole, _ := run(len(data))
		pieces, _ := run(int(piece)%len(data) + 1)
		if !slices.Equal(whole, pieces) {
			t.Errorf("in one piece %q, in pieces %q", whole, pieces)
		}
	})
}

// FuzzParseProfile: no file brings the program down, and one that is taken can be used and written again.
func FuzzParseProfile(f *testing.F) {
	for _, p := range Profiles() {
		f.Add(p.JSON())
	}
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseProfile(data)
		if err != nil {
			return
		}
		if !json.Valid(p.JSON()) {
			t.Fatalf("%s", p.JSON())
		}
		again, err := ParseProfile(p.JSON())
		if err != nil || string(again.JSON()) != string(p.JSON()) {
			t.Errorf("%v: %s", err, p.JSON())
		}
		c, _ := p.compile()
		s := newScanner(c)
		s.feed(data, time.Time{})
		for _, ok := s.next(); ok; _, ok = s.next() {
		}
		s.quiet()
		NewSim(p, nil).Press(5)
	})
}
