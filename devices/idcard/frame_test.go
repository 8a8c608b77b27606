package idcard

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// bytesOf reads hexadecimal with spaces.
func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes that public drivers of eleven makers agree on.
func TestFramesOnTheWire(t *testing.T) {
	host := func(c command) []byte { return []byte(c.body) }
	for _, tc := range []struct {
		name string
		body []byte
		want string
	}{
		{"reset", host(cmdReset), "AA AA AA 96 69 00 03 10 FF EC"},
		{"status", host(cmdStatus), "AA AA AA 96 69 00 03 11 FF ED"},
		{"module number", host(cmdSAMID), "AA AA AA 96 69 00 03 12 FF EE"},
		{"find", host(cmdFind), "AA AA AA 96 69 00 03 20 01 22"},
		{"select", host(cmdSelect), "AA AA AA 96 69 00 03 20 02 21"},
		{"read", host(cmdRead), "AA AA AA 96 69 00 03 30 01 32"},
		{"appended address", host(cmdAddress), "AA AA AA 96 69 00 03 30 03 30"},
		{"RF size", []byte{0x61, 0xFF, 0x50}, "AA AA AA 96 69 00 04 61 FF 50 CA"},
		{"ok", []byte{0, 0, swOK}, "AA AA AA 96 69 00 04 00 00 90 94"},
		{"found", []byte{0, 0, swFound, 0, 0, 0, 0}, "AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97"},
		{"no card", []byte{0, 0, swNoCard}, "AA AA AA 96 69 00 04 00 00 80 84"},
		{"selected", append([]byte{0, 0, swOK}, make([]byte, 8)...), "AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C"},
		{"not selected", []byte{0, 0, swNotSelected}, "AA AA AA 96 69 00 04 00 00 81 85"},
		{"read failed", []byte{0, 0, swReadFailed}, "AA AA AA 96 69 00 04 00 00 41 45"},
		{"nothing", []byte{0, 0, swNothing}, "AA AA AA 96 69 00 04 00 00 91 95"},
		{"number", append([]byte{0, 0, swOK}, bytesOf(t, "05 00 03 00 75 C5 33 01 01 00 00 00 01 00 00 00")...),
			"AA AA AA 96 69 00 14 00 00 90 05 00 03 00 75 C5 33 01 01 00 00 00 01 00 00 00 00"},
	} {
		if got := appendFrame(nil, tc.body); !bytes.Equal(got, bytesOf(t, tc.want)) {
			t.Errorf("%s: % X, want %s", tc.name, got, tc.want)
		}
	}
}

// appendFrame appends the frame of an answer in the module's own framing.
func appendFrame(dst []byte, parts ...[]byte) []byte {
	return SDT.fromReader().wrap(dst, slices.Concat(parts...))
}

// readBody is the body of the answer that carries a card.
func readBody(text, photo []byte) []byte { return append([]byte{0, 0, swOK}, cardData(text, photo)...) }

// The frames of a bank's module, as its makers write them.
func TestSTXFramesOnTheWire(t *testing.T) {
	if got, want := STX.fromHost().wrap(nil, []byte(cmdReadAll.body)), "02 00 03 CA 01 00 CB 03"; !bytes.Equal(got, bytesOf(t, want)) {
		t.Errorf("read all: % X, want %s", got, want)
	}
	for _, tc := range []struct {
		name string
		sw3  byte
		want string
	}{
		{"no card", swNoCard, "02 00 02 80 00 80 03"},
		{"not selected", swNotSelected, "02 00 02 81 00 81 03"},
		{"read failed", swReadFailed, "02 00 02 41 00 41 03"},
		{"wrong card", swWrongCard, "02 00 02 40 00 40 03"},
	} {
		if got := STX.fromReader().wrap(nil, []byte{tc.sw3, 0}); !bytes.Equal(got, bytesOf(t, tc.want)) {
			t.Errorf("%s: % X, want %s", tc.name, got, tc.want)
		}
	}
	text, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	frame := STX.fromReader().wrap(nil, append([]byte{swOK, 0}, cardData(text, emptyPhoto())...))
	if head := bytesOf(t, "02 05 06 90 00 01 00 04 00"); len(frame) != 1291 || !bytes.HasPrefix(frame, head) || frame[1290] != 3 {
		t.Errorf("a card: %d bytes, % X …", len(frame), frame[:9])
	}
	if body, ok := STX.fromReader().unwrap(frame); !ok || !cmdReadAll.accepts(STX.parse(body)) {
		t.Error("the answer with a card is not accepted")
	}
}

const (
	goodFrame  = "AA AA AA 96 69 00 04 00 00 90 94"
	otherFrame = "AA AA AA 96 69 00 04 00 00 80 84"
	goodBody   = "00 00 90"
	otherBody  = "00 00 80"
)

// scanned is what a scanner of answers finds in b, given chunk bytes at a time.
func scanned(f Framing, b []byte, chunk int) ([]string, *scanner) {
	return scannedBy(f.fromReader(), b, chunk)
}

func scannedBy(f framer, b []byte, chunk int) (bodies []string, s *scanner) {
	s = &scanner{framer: f}
	for part := range slices.Chunk(b, chunk) {
		s.feed(part)
		for body, ok := s.next(); ok; body, ok = s.next() {
			bodies = append(bodies, hex.EncodeToString(body))
		}
	}
	return bodies, s
}

func TestScannerFindsFrames(t *testing.T) {
	for _, tc := range []struct {
		name    string
		stream  string
		want    []string
		skipped int
		badSums int
	}{
		{"one", goodFrame, []string{goodBody}, 0, 0},
		{"two at once", goodFrame + otherFrame, []string{goodBody, otherBody}, 0, 0},
		{"a gateway's heartbeat", "41 41 41 41" + goodFrame, []string{goodBody}, 4, 0},
		{"extra AA", "AA AA" + goodFrame, []string{goodBody}, 2, 0},
		{"stale checksum before", "9C" + goodFrame, []string{goodBody}, 1, 0},
		{"wrong checksum, then good", "AA AA AA 96 69 00 04 00 00 90 95" + goodFrame, []string{goodBody}, 11, 1},
		{"half a frame, then two", "AA AA AA 96 69 00 0C 00 00 90" + goodFrame + otherFrame, []string{goodBody, otherBody}, 10, 1},
		{"noise inside the preamble, then good", "AA 00 AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C" + goodFrame, []string{goodBody}, 20, 0},
		{"a preamble as data", "AA AA AA 96 69 00 09 00 00 90 AA AA AA 96 69 CC", []string{"00 00 90 AA AA AA 96 69"}, 0, 0},
		{"length FFFF", "AA AA AA 96 69 FF FF" + goodFrame, []string{goodBody}, 7, 0},
		{"length too short", "AA AA AA 96 69 00 03 20 01 22" + goodFrame, []string{goodBody}, 10, 0},
		{"nothing but noise", "00 01 02 AA AA 03", nil, 6, 0},
	} {
		var want []string
		for _, w := range tc.want {
			want = append(want, strings.ToLower(strings.ReplaceAll(w, " ", "")))
		}
		stream := bytesOf(t, tc.stream)
		for _, chunk := range []int{1, 7, len(stream)} {
			got, s := scanned(SDT, stream, chunk)
			if !slices.Equal(got, want) || s.skipped != tc.skipped || s.badSums != tc.badSums {
				t.Errorf("%s in pieces of %d: %q, %d skipped, %d bad sums; want %q, %d, %d",
					tc.name, chunk, got, s.skipped, s.badSums, want, tc.skipped, tc.badSums)
			}
		}
	}
}

// The same for a bank's module. One byte is all that marks the beginning of its frames; their few lengths must make up for it.
func TestSTXScannerFindsFrames(t *testing.T) {
	const none, failed = "02 00 02 80 00 80 03", "02 00 02 41 00 41 03"
	for _, tc := range []struct {
		name    string
		stream  string
		want    []string
		skipped int
		badSums int
	}{
		{"one", none, []string{"80 00"}, 0, 0},
		{"two at once", none + failed, []string{"80 00", "41 00"}, 0, 0},
		{"extra 02", "02 02" + none, []string{"80 00"}, 2, 0},
		{"our own echo", "02 00 03 CA 01 00 CB 03" + none, []string{"80 00"}, 8, 0},
		{"wrong LRC, then good", "02 00 02 80 00 81 03" + none, []string{"80 00"}, 7, 1},
		{"wrong end, then good", "02 00 02 80 00 80 04" + none, []string{"80 00"}, 7, 1},
		{"an impossible length", "02 00 30 11" + none, []string{"80 00"}, 4, 0},
		{"length FFFF", "02 FF FF" + none, []string{"80 00"}, 3, 0},
		{"the module's own framing", goodFrame + none, []string{"80 00"}, 11, 0},
		{"nothing but noise", "00 01 03 AA", nil, 4, 0},
	} {
		stream := bytesOf(t, tc.stream)
		var want []string
		for _, w := range tc.want {
			want = append(want, strings.ReplaceAll(w, " ", ""))
		}
		for _, chunk := range []int{1, 5, len(stream)} {
			got, s := scanned(STX, stream, chunk)
			if !slices.Equal(got, want) || s.skipped != tc.skipped || s.badSums != tc.badSums {
				t.Errorf("%s in pieces of %d: %q, %d skipped, %d bad sums; want %q, %d, %d",
					tc.name, chunk, got, s.skipped, s.badSums, want, tc.skipped, tc.badSums)
			}
		}
	}
}

// Half a frame holds a good one back until the line has been silent.
func TestScannerAbandonsHalfAFrame(t *testing.T) {
	bodies, s := scanned(SDT, bytesOf(t, "AA AA AA 96 69 05 08 00 00 90"+goodFrame), 4)
	if len(bodies) > 0 || !s.pending() {
		t.Fatalf("found %q, pending %v", bodies, s.pending())
	}
	s.abandon()
	if body, ok := s.next(); !ok || !bytes.Equal(body, bytesOf(t, goodBody)) {
		t.Errorf("got % X, %v", body, ok)
	}
	if s.pending() {
		t.Error("still pending")
	}
}

func TestScannerWipesWhatItHeld(t *testing.T) {
	_, s := scanned(SDT, bytesOf(t, goodFrame+"11 22 33 AA AA AA 96 69 00 50 77 77 77"), 100)
	held := s.buf[:cap(s.buf)]
	s.wipe()
	if !bytes.Equal(held, make([]byte, len(held))) {
		t.Errorf("still held: % X", held)
	}
	// What it grew out of is wiped too.
	s.feed(bytes.Repeat([]byte{0xAA, 0x77}, 40))
	small := s.buf[:cap(s.buf)]
	s.feed(bytes.Repeat([]byte{0x77}, 2*cap(s.buf)))
	if &small[0] == &s.buf[0] || !bytes.Equal(small, make([]byte, len(small))) {
		t.Errorf("left behind: % X", small[:20])
	}
}

// Frames among noise that contains no mark of theirs are found, all and in order, however the line
// cuts them.
func TestScannerProperty(t *testing.T) {
	for _, f := range Framings() {
		mark := f.fromReader().wrap(nil, nil)[0]
		rapid.Check(t, func(t *rapid.T) {
			noise := rapid.SliceOf(rapid.Byte().Filter(func(b byte) bool { return b != mark }))
			var stream []byte
			var want []string
			skipped := 0
			for range rapid.IntRange(0, 5).Draw(t, "frames") {
				n := noise.Draw(t, "noise")
				body := rapid.SliceOfN(rapid.Byte(), 3, 200).Draw(t, "body")
				if f == STX {
					body = rapid.SliceOfN(rapid.Byte(), 2, 2).Draw(t, "state")
					if rapid.Bool().Draw(t, "card") {
						some := rapid.SliceOfN(rapid.Byte(), textSize, textSize+100).Draw(t, "text")
						body = append([]byte{swOK, body[1]}, cardData(some[:textSize], some[textSize:])...)
					}
				}
				stream = f.fromReader().wrap(append(stream, n...), body)
				skipped += len(n)
				want = append(want, hex.EncodeToString(body))
			}
			got, s := scanned(f, stream, rapid.IntRange(1, 64).Draw(t, "chunk"))
			if !slices.Equal(got, want) || s.skipped != skipped || s.badSums != 0 {
				t.Fatalf("got %q, want %q; %d skipped, want %d", got, want, s.skipped, skipped)
			}
		})
	}
}

// Whatever comes, the pieces in which it comes do not matter, every byte is accounted
// for, and memory stays bounded; in both framings and both directions.
func FuzzScanner(f *testing.F) {
	for _, s := range []string{goodFrame, otherFrame + goodFrame, "AA AA AA 96 69 00 0C 00 00 90" + goodFrame, "AA AA AA 96 69 FF FF AA AA",
		"02 00 02 80 00 80 03", "02 05 06 90 00 01 00 04 00 02 00 02 80 00 80 03", "02 00 03 CA 01 00 CB 03"} {
		f.Add(bytesOf(f, s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, chunk uint8) {
		if len(stream) > 8192 {
			return // a line brings no more between two silences
		}
		for _, framing := range Framings() {
			for _, fr := range []framer{framing.fromReader(), framing.fromHost()} {
				whole, s := scannedBy(fr, stream, max(len(stream), 1))
				pieces, p := scannedBy(fr, stream, int(chunk)+1)
				if !slices.Equal(whole, pieces) || s.skipped != p.skipped || s.badSums != p.badSums {
					t.Fatalf("%s: whole %q, pieces %q", framing, whole, pieces)
				}
				used := s.skipped
				for _, body := range whole {
					raw, err := hex.DecodeString(body)
					if err != nil {
						t.Fatal(err)
					}
					used += len(fr.wrap(nil, raw))
				}
				if held := s.behind(); used+held != len(stream) || held > sdtHead+maxReply+stxTail {
					t.Fatalf("%s: %d used, %d held, of %d", framing, used, held, len(stream))
				}
				for s.pending() {
					s.abandon()
					for _, ok := s.next(); ok; _, ok = s.next() {
					}
				}
			}
		}
	})
}

// Whatever is wrapped comes out again, and any answer can be parsed.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 0, swOK})
	f.Add([]byte{swNoCard, 0})
	f.Add(append([]byte{swOK, 0, 1, 0, 4, 0}, make([]byte, 1280)...))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > maxReply {
			return
		}
		for _, framing := range Framings() {
			bodies, s := scanned(framing, framing.fromReader().wrap(nil, body), 7)
			if len(bodies) > 0 && bodies[0] == hex.EncodeToString(body) && s.skipped == 0 {
				a := framing.parse(body)
				for _, c := range []*command{&cmdStatus, &cmdSAMID, &cmdFind, &cmdSelect, &cmdRead, &cmdAddress, &cmdReadAll} {
					if c.accepts(a) && (a.sw3 == swOK) && len(a.data) >= textSize && !announced(a.data) {
						t.Fatalf("%s accepts %d bytes of data that are not what they announce", c.op, len(a.data))
					}
				}
			}
		}
	})
}
