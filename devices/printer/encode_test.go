package printer

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCharset(t *testing.T) {
	for _, c := range []struct {
		set  Charset
		r    rune
		want string // hexadecimal; "" = the printer lacks it
	}{
		{GBK, 'A', "41"}, {GBK, '园', "d4b0"}, {GBK, '镕', "e946"}, {GBK, '￥', "a3a4"}, {GBK, '€', "a2e3"}, {GBK, '㙍', ""}, {GBK, '𠅤', ""},
		{GB2312, '园', "d4b0"}, {GB2312, '镕', ""}, {GB2312, '喆', ""}, {GB2312, '─', "a9a4"}, {GB2312, '€', ""},
		{GB18030, '镕', "e946"}, {GB18030, '㙍', "8230ab33"}, {GB18030, '𠅤', ""}, {GB18030, '¥', ""}, {GB18030, '\uE000', ""},
		{GBK, 0x1B, ""}, {GBK, 0x7F, ""}, {GBK, 0x80, ""},
	} {
		b, ok := c.set.encode(c.r)
		if ok != (c.want != "") || ok && hex.EncodeToString(b) != c.want {
			t.Errorf("%s %q: got %x, %v; want %q", c.set, c.r, b, ok, c.want)
		}
		if ok && c.set.decode(b) != c.r {
			t.Errorf("%s %x: decoded to %q, want %q", c.set, b, c.set.decode(b), c.r)
		}
	}
}

// TestCharsetCounts counts the common Hanzi each font has, against the figures of the standards.
func TestCharsetCounts(t *testing.T) {
	count := map[Charset]int{}
	for r := rune(0x4E00); r <= 0x9FA5; r++ {
		for _, c := range []Charset{GB2312, GBK, GB18030} {
			if b, ok := c.encode(r); ok && len(b) == 2 {
				count[c]++
			}
		}
	}
	if count[GB2312] != 6763 || count[GBK] != 20902 || count[GB18030] != 20902 {
		t.Errorf("Hanzi: %v, want 6763 in GB2312 and 20902 in GBK and GB18030", count)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"¥5 ✓ ・ ©":         "￥5 √ · (c)",
		"a\tb\u00a0c\r\nd": "a b c\nd",
		"x\x1b@\x10\x04":   "x@",
		"e\u0301":          "é",
		"汉\u200b字\ufe00":   "汉字",
		"bad\xffbyte":      "bad〓byte",
		"全\u3000角":         "全\u3000角",
	} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEncodeBytes(t *testing.T) {
	d := &Document{Blocks: []Block{Text{Text: "园A", Align: Center, Bold: true}, Row{Left: "编号", Right: "1"}}}
	cmds, err := Encode(d, profile(t, "epson80"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cmds {
		got = append(got, hex.EncodeToString(c))
	}
	want := strings.Fields("1b40 1c26 1b3322 1b6101 1b4501 d4b0 41 0a 1b6100 1b4500 b1e0 bac5 1b243402 31 0a 1d564200")
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestQRTooLong(t *testing.T) {
	for _, data := range []string{"", strings.Repeat("x", maxQR+1)} {
		if _, err := Encode(&Document{Blocks: []Block{QR{Data: data}}}, profile(t, "epson80")); err == nil {
			t.Errorf("QR of %d bytes: no error", len(data))
		}
	}
	if _, err := Encode(&Document{Blocks: []Block{QR{Data: strings.Repeat("x", maxQR)}}}, profile(t, "kp628e")); err != nil {
		t.Error(err)
	}
}

func TestDefuse(t *testing.T) {
	pic := newDots(64, 3)
	copyRow := func(y int, b ...byte) {
		for x := range 64 {
			pic.on[y*64+x] = b[x/8]&(0x80>>(x%8)) != 0
		}
	}
	copyRow(0, 0x10, 0x04, 0x01, 0x10, 0x14, 0x08, 0x01, 0x10)
	copyRow(1, 0x05, 0x01, 0x10, 0x10, 0x04, 0, 0, 0)
	got := defuse(pic.rowBytes(0, 3))
	for _, bad := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
		if bytes.Contains(got, []byte(bad)) {
			t.Errorf("%x still holds % x", got, bad)
		}
	}
}

// allowed is every command the encoder may send to a printer, by its first bytes.
var allowed = []string{"\x1b@", "\x1c&", "\x1b3", "\x1ba", "\x1bE", "\x1bd", "\x1bJ", "\x1b$", "\x1bm", "\x1d!", "\x1dVB\x00", "\x1d(k", "\x1dv0\x00", "\x1c2\xfe", "\n"}

// TestOnlyAllowedCommands reads the encoder's bytes as a printer would: the same commands, none but the allowed, none that a printer
// would obey inside data, and the text that was meant.
func TestOnlyAllowedCommands(t *testing.T) {
	all := Profiles()
	rapid.Check(t, func(t *rapid.T) {
		p := all[rapid.SampledFrom([]string{"epson80", "kp628e"}).Draw(t, "profile")]
		doc := documents().Draw(t, "document")
		cmds, err := Encode(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		f := framer{gb18030: p.Charset == GB18030}
		var got []Command
		stream := bytes.Join(toBytes(cmds), nil)
		for _, b := range stream {
			if c := f.feed(b); c != nil {
				got = append(got, c)
			}
		}
		if !slices.EqualFunc(got, cmds, func(a, b Command) bool { return bytes.Equal(a, b) }) || f.inside() {
			t.Fatalf("a printer reads %x, sent %x", got, cmds)
		}
		for _, c := range cmds {
			text := c[0] >= 0x20
			if !text && !slices.ContainsFunc(allowed, func(a string) bool { return bytes.HasPrefix(c, []byte(a)) }) {
				t.Fatalf("command %x is not allowed", c)
			}
			if len(c) > maxCommand {
				t.Fatalf("command of %d bytes", len(c))
			}
		}
		for _, bad := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
			if bytes.Contains(stream, []byte(bad)) {
				t.Fatalf("% x in the stream", bad)
			}
		}
		sim := NewSim(p, &SimOpts{Quick: true})
		for _, c := range cmds {
			sim.execute(c)
		}
		var lines []string
		for _, r := range sim.Receipts() {
			lines = append(lines, r.Lines...)
		}
		if want := sees(doc, p); len(strings.Join(want, "")) > 0 && !slices.Equal(lines, want) {
			t.Fatalf("on paper %q\nwant     %q", lines, want)
		}
	})
}

func toBytes(cmds []Command) [][]byte {
	out := make([][]byte, len(cmds))
	for i, c := range cmds {
		out[i] = c
	}
	return out
}

// sees is Lines with the eyes of a simulator that cannot read drawn characters.
func sees(d *Document, p *Profile) []string {
	var out []string
	face, _ := systemTypeface()
	for i, l := range layout(d, p) {
		line := Lines(d, p)[i]
		rare := false
		if l.kind == textLine {
			line = strings.Map(func(r rune) rune {
				if _, ok := p.Charset.encode(r); ok {
					return r
				}
				if face != nil {
					if _, ok := face.cell(r, 24, false); ok {
						rare = true
					}
				}
				return missing
			}, line)
		}
		if rare && p.Rare == RareRaster {
			line = "[picture]"
		}
		out = append(out, line)
	}
	return out
}

func TestProfiles(t *testing.T) {
	if _, err := ByName("nonesuch"); err == nil || !strings.Contains(err.Error(), "epson80, kp628e") {
		t.Errorf("unknown profile: %v", err)
	}
	if len(Profiles()) != 2 {
		t.Errorf("%d profiles", len(Profiles()))
	}
	for in, want := range map[string]string{
		`{"name":"x","colour":1}`: "unknown field",
		`{"name":"x"}`:            "dots must be",
		`{`:                       "cannot read",
	} {
		if _, err := ParseProfile([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}
