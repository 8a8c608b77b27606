package idcard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"
)

type vector struct {
	Name        string
	TextHex     string
	FrameSHA256 string
	XOR         string
	FrameLen    int
}

func vectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cards []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cards) != len(Kinds()) {
		t.Fatalf("%d vectors", len(file.Cards))
	}
	return file.Cards
}

// Each golden card decodes to the example of its kind, encodes to the same bytes again
// and makes the golden frame.
func TestGoldenCards(t *testing.T) {
	for i, v := range vectors(t) {
		raw := bytesOf(t, v.TextHex)
		card, err := DecodeCard(raw)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if want := Examples()[i]; card != want || card.Kind != Kinds()[i] {
			a, _ := json.Marshal(card)
			b, _ := json.Marshal(want)
			t.Errorf("%s decodes to %s, want %s", v.Name, a, b)
		}
		if err := card.Check(); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
		encoded, err := EncodeCard(card)
		if err != nil || !bytes.Equal(encoded, raw) {
			t.Errorf("%s encodes to %x, %v", v.Name, encoded, err)
		}
		frame := appendFrame(nil, readBody(encoded, emptyPhoto()))
		sum := sha256.Sum256(frame)
		if hex.EncodeToString(sum[:]) != v.FrameSHA256 || len(frame) != v.FrameLen || fmt.Sprintf("%02X", frame[len(frame)-1]) != v.XOR {
			t.Errorf("%s: frame of %d bytes, checksum %02X, sha256 %x", v.Name, len(frame), frame[len(frame)-1], sum)
		}
	}
}

func TestExamplesAreConsistent(t *testing.T) {
	for _, c := range Examples() {
		b, err := EncodeCard(c)
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if back, err := DecodeCard(b); back != c || err != nil {
			t.Errorf("%v comes back as %v, %v", c, back, err)
		}
		if err := c.Check(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestComplete(t *testing.T) {
	for _, tc := range []struct {
		in, want Card
	}{
		{Card{}, Examples()[0]},
		{Card{Kind: HMT}, Examples()[1]},
		{Card{Kind: Foreign2023}, Examples()[3]},
	} {
		if got := Complete(tc.in); got != tc.want {
			t.Errorf("%v completed to %v", tc.in, got)
		}
	}
	got := Complete(Card{Name: "钱示例", Number: "320500200002290039"})
	if got.Birth != "20000229" || got.Sex != "男" || got.Name != "钱示例" || !got.Permanent {
		t.Error("birth date, sex or validity do not follow")
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	if got := Complete(Card{ValidTo: "20200101"}); got.Permanent || got.ValidTo != "20200101" {
		t.Error("an end of validity was overruled")
	}
}

// put writes characters into the text of the first golden card.
func put(t *testing.T, at int, s string) []byte {
	raw := bytesOf(t, vectors(t)[0].TextHex)
	for i, u := range utf16.Encode([]rune(s)) {
		raw[at+2*i], raw[at+2*i+1] = byte(u), byte(u>>8)
	}
	return raw
}

func TestDecodeCodes(t *testing.T) {
	for _, tc := range []struct {
		name string
		at   int
		text string
		get  func(Card) string
		want string
	}{
		{"male", 30, "1", func(c Card) string { return c.Sex }, "男"},
		{"female", 30, "2", func(c Card) string { return c.Sex }, "女"},
		{"sex unknown", 30, "0", func(c Card) string { return c.Sex }, "未知"},
		{"sex not stated", 30, "9", func(c Card) string { return c.Sex }, "未说明"},
		{"no code of a sex", 30, "7", func(c Card) string { return c.Sex }, "未知"},
		{"sex blank", 30, " ", func(c Card) string { return c.Sex }, ""},
		{"德昂", 32, "46", func(c Card) string { return c.Nation }, "德昂"},
		{"last nation", 32, "98", func(c Card) string { return c.Nation }, "外国血统中国籍人士"},
		{"code between", 32, "57", func(c Card) string { return c.Nation }, "其他(57)"},
		{"code 81", 32, "81", func(c Card) string { return c.Nation }, "其他(81)"},
		{"code 00", 32, "00", func(c Card) string { return c.Nation }, "其他(00)"},
		{"no number", 32, "x1", func(c Card) string { return c.Nation }, "其他(x1)"},
		{"padded with NUL", 0, "王五\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", func(c Card) string { return c.Name }, "王五"},
		{"outside the basic plane", 0, "𠮷", func(c Card) string { return c.Name }, "𠮷"},
		{"last day", 204, "20300101", func(c Card) string { return c.ValidTo }, "20300101"},
		{"unknown type", typeAt, "Q", func(c Card) string { return string(c.Kind) }, "resident"},
	} {
		c, err := DecodeCard(put(t, tc.at, tc.text))
		if got := tc.get(c); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
	if _, err := DecodeCard(make([]byte, 255)); err == nil {
		t.Error("255 bytes decoded")
	}
	half := put(t, 0, "王")
	half[2], half[3] = 0x42, 0xD8 // a high surrogate without its low one
	if c, err := DecodeCard(half); err != nil || !c.Garbled || !strings.Contains(c.Name, "\uFFFD") {
		t.Errorf("half a character: %v garbled %v", err, c.Garbled)
	}
}

func TestEncodeRefuses(t *testing.T) {
	base := Examples()[0]
	for _, tc := range []struct {
		change func(*Card)
		says   string
	}{
		{func(c *Card) { c.Kind = "passport" }, `kind "passport"`},
		{func(c *Card) { c.Name = strings.Repeat("王", 16) }, "name has 16 characters, the card holds 15"},
		{func(c *Card) { c.Sex = "male" }, `sex is "male"`},
		{func(c *Card) { c.Nation = "罗马" }, `nation "罗马"`},
		{func(c *Card) { c.Birth = "1949-12-31" }, "birth date must be"},
		{func(c *Card) { c.ValidFrom = "20200230" }, "first day must be"},
		{func(c *Card) { c.Permanent, c.ValidTo = false, "long" }, "last day must be"},
	} {
		c := base
		tc.change(&c)
		if _, err := EncodeCard(c); err == nil || !strings.HasPrefix(err.Error(), "cannot encode card: ") || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%v, want it to say %q", err, tc.says)
		}
	}
}

func TestLongEnglishName(t *testing.T) {
	c := Examples()[3]
	for _, name := range []string{
		"WOLFESCHLEGELSTEINHAUSENBERGERDORFF, HUBERT BL", // 46
		"EXAMPLE, MARIA DEL CARMEN FRANCISC JOSEFA",      // the first field ends in a space
		"EXAMPLE, MARIA DEL CARMEN FRANCISCA JOSEFA",     // the second begins with one
	} {
		c.EnglishName = name
		b, err := EncodeCard(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeCard(b); err != nil || back != c {
			t.Errorf("%q comes back as %q, %v", name, back.EnglishName, err)
		}
	}
	c.EnglishName = strings.Repeat("A", 47)
	if _, err := EncodeCard(c); err == nil {
		t.Error("47 characters encoded")
	}
}

func TestCheckFindsContradictions(t *testing.T) {
	for _, tc := range []struct {
		name   string
		of     int
		change func(*Card)
	}{
		{"check character", 0, func(c *Card) { c.Number = "110105194912310021" }},
		{"birth date", 0, func(c *Card) { c.Birth = "19491230" }},
		{"no number", 0, func(c *Card) { c.Number = "" }},
		{"resident's number on a permit", 1, func(c *Card) { c.Number, c.Birth = Examples()[0].Number, Examples()[0].Birth }},
		{"new number on an old card", 2, func(c *Card) { c.Number, c.Birth = Examples()[3].Number, Examples()[3].Birth }},
		{"birth date of an old card", 2, func(c *Card) { c.Birth = "19901230" }},
		{"old number on a new card", 3, func(c *Card) { c.Number, c.Birth = Examples()[2].Number, Examples()[2].Birth }},
		{"kind", 0, func(c *Card) { c.Kind = "" }},
	} {
		c := Examples()[tc.of]
		tc.change(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), "cannot trust card: ") {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestExpired(t *testing.T) {
	at := func(s string) time.Time {
		d, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, tc := range []struct {
		card Card
		now  string
		want bool
	}{
		{Card{ValidTo: "20240901"}, "2024-09-01T23:59:59+08:00", false},
		{Card{ValidTo: "20240901"}, "2024-09-02T00:00:00+08:00", true},
		{Card{ValidTo: "20240901"}, "2024-09-01T16:00:00Z", true}, // midnight in China
		{Card{ValidTo: "20240901"}, "2024-09-01T15:59:59Z", false},
		{Card{Permanent: true}, "2124-09-01T00:00:00Z", false},
		{Card{ValidTo: "        "}, "2124-09-01T00:00:00Z", false},
		{Card{}, "2124-09-01T00:00:00Z", false},
	} {
		if got := tc.card.Expired(at(tc.now)); got != tc.want {
			t.Errorf("valid to %q at %s: %v", tc.card.ValidTo, tc.now, got)
		}
	}
}

// However a card is printed, nothing but masked name and number comes out.
func TestCardsPrintMasked(t *testing.T) {
	var log strings.Builder
	for _, c := range Examples() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&log, verb+" ", c)
			fmt.Fprintf(&log, verb+" ", &c)
			fmt.Fprintf(&log, verb+" ", []Card{c})
		}
		slog.New(slog.NewTextHandler(&log, nil)).Info("read", "card", c, "ref", &c)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("read", "card", c, "ref", &c)
		for _, secret := range []string{c.Name, c.EnglishName, c.Address, c.Number, c.Birth, c.PassNumber} {
			if secret != "" && strings.Contains(log.String(), secret) {
				t.Errorf("%q came out", secret)
			}
		}
	}
	if !strings.Contains(log.String(), "110105********002X") {
		t.Error("not even the mask came out")
	}
}

// Any card that can be encoded comes back the same.
func TestCardRoundTrip(t *testing.T) {
	han := rapid.StringMatching(`[\x{4E00}-\x{9FA5}·]{1,7}|[\x{20000}-\x{20100}]{1,7}`)
	day := rapid.Custom(func(t *rapid.T) string {
		return time.Unix(int64(rapid.IntRange(0, 4e9).Draw(t, "second")), 0).UTC().Format(dateForm)
	})
	rapid.Check(t, func(t *rapid.T) {
		c := Card{
			Kind:  rapid.SampledFrom(Kinds()).Draw(t, "kind"),
			Name:  han.Draw(t, "name"),
			Sex:   rapid.SampledFrom([]string{"", "男", "女", "未知", "未说明"}).Draw(t, "sex"),
			Birth: day.Draw(t, "birth"), ValidFrom: day.Draw(t, "from"),
		}
		if c.Permanent = rapid.Bool().Draw(t, "permanent"); !c.Permanent {
			c.ValidTo = day.Draw(t, "to")
		}
		switch c.Kind {
		case Resident:
			c.Nation = nationWord(fmt.Sprintf("%02d", rapid.IntRange(0, 99).Draw(t, "nation")))
			c.Address = han.Draw(t, "address")
		case Foreign2017, Foreign2023:
			c.EnglishName = rapid.StringMatching(`[A-Z, ]{0,45}[A-Z]`).Draw(t, "english")
		}
		b, err := EncodeCard(c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := DecodeCard(b); err != nil || back != c {
			x, _ := json.Marshal(c)
			y, _ := json.Marshal(back)
			t.Fatalf("%s came back as %s, %v", x, y, err)
		}
	})
}

// Whatever is on a chip, decoding neither panics nor fails, and nothing in the result
// has trailing padding.
func FuzzDecodeCard(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(bytesOf(f, v.TextHex))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := DecodeCard(raw)
		if (err == nil) != (len(raw) == textSize) {
			t.Fatalf("%d bytes: %v", len(raw), err)
		}
		if err != nil {
			return
		}
		if trim(c.Name) != c.Name || trim(c.EnglishName) != c.EnglishName || c.Permanent && c.ValidTo != "" {
			t.Errorf("not trimmed: %q %q", c.Name, c.EnglishName)
		}
		_ = c.Check()
		_ = c.Expired(time.Now())
		if s := fmt.Sprintf("%+v", c); c.Address != "" && len(c.Address) > 12 && strings.Contains(s, c.Address) {
			t.Errorf("%q", s)
		}
		// What can be written again reads the same.
		if again, err := EncodeCard(c); err == nil {
			if back, err := DecodeCard(again); err != nil || back != c && !c.Garbled {
				t.Errorf("came back different: %v", err)
			}
		}
	})
}
