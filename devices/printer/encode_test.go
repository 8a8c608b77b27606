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
		if back := c.set.decode(b); ok && back != c.r {
			t.Errorf("%s %x: decoded to %q, want %q", c.set, b, back, c.r)
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
		"刘\ue863\ue816":    "刘䶮𠂇",
		"⼀⾯":               "一面",
		"a\rb\u2028c\vd":   "a\nb\ncd",
		"x\u0331\u20e3":    "x\u0331\u20e3", // nothing that means something is dropped in silence
		"9〜12 ⸺":           "9～12 ——",
		"\ue814\ue865":     "\ue814\ue865",
	} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestFoldProperties: what is folded needs no more folding, and holds nothing that a printer could take for a command.
func TestFoldProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := fold(rapid.OneOf(texts(), rapid.String()).Draw(t, "text"))
		if twice := fold(once); twice != once {
			t.Fatalf("%+q becomes %+q", once, twice)
		}
		if strings.ContainsFunc(once, func(r rune) bool { return r < 0x20 && r != '\n' || r == 0x7F }) {
			t.Fatalf("a control character in %+q", once)
		}
	})
}

// TestLongFeed: empty lines beyond what one command takes.
func TestLongFeed(t *testing.T) {
	var doc Document
	for range 26 {
		doc.Blocks = append(doc.Blocks, Space{Lines: 20})
	}
	cmds, err := Encode(&doc, profile(t, "epson80"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bytes.Join(toBytes(cmds), nil), "\x1bd\xff\x1bd\xff\x1bd\x0a\x1dVB\x00"; !strings.HasSuffix(string(got), want) {
		t.Errorf("% x", got)
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

// TestCut: a document may be several papers, and none of them is empty.
func TestCut(t *testing.T) {
	p := profile(t, "epson80")
	doc := &Document{Blocks: []Block{Cut{}, Space{Lines: 1}, Text{Text: "一"}, Text{Text: "二"}, Cut{}, Cut{}, Space{Lines: 2}, Cut{}, Text{Text: "三"}, Cut{}, Space{Lines: 1}}}
	e, err := encode(doc, p)
	if err != nil {
		t.Fatal(err)
	}
	sim := NewSim(p, &SimOpts{Quick: true})
	for _, c := range e.cmds {
		sim.execute(c)
	}
	var got []string
	for _, r := range sim.Receipts() {
		got = append(got, strings.Join(r.Lines, "/"))
	}
	if !slices.Equal(got, []string{"/一/二", "//三"}) {
		t.Errorf("papers %q", got)
	}
	// What is asked before the last line of the first paper is answered while no paper is whole yet.
	if c := e.cmds[e.last]; p.Charset.decode(c) != '二' {
		t.Errorf("the last line of the first paper begins with %x", c)
	}
}

func TestStyles(t *testing.T) {
	doc := &Document{Blocks: []Block{
		Line{Cells: []Cell{{Spans: []Span{{Text: "甲", Wide: 2}, {Text: "a ", Bold: true}, {Text: " b", Underline: true, High: 3}}}}},
		Line{Gap: 2, Cells: []Cell{{Width: 4, Spans: []Span{{Text: "a", Underline: true}}}, {Spans: []Span{{Text: "b", Underline: true}}}}},
	}}
	cmds, err := Encode(doc, profile(t, "kp628e"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cmds {
		got = append(got, hex.EncodeToString(c))
	}
	// A gap is never underlined or wide, and what is underlined is so for ASCII and Hanzi.
	want := strings.Fields(`1b40 1c26 1b3322 1d2110 bcd7 1d2100 1b4501 61 20 1d2102 1b4500 1b2d02 1c2d02 20 62 0a 1b4a0a
		1d2100 61 1b2d00 1c2d00 20 20 20 20 20 1b2d02 1c2d02 62 0a 1b4a64 1b6d`)
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

// TestOnlyAllowedCommands reads the encoder's bytes as a printer would: the same commands, none but the allowed, none that a printer
// would obey inside data, and the text that was meant.
func TestOnlyAllowedCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		doc := documents().Draw(t, "document")
		cmds, err := Encode(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cmds {
			if len(c) > maxCommand || isRaster(c) && len(c) > maxBand {
				t.Fatalf("command of %d bytes", len(c))
			}
		}
		stream := bytes.Join(toBytes(cmds), nil)
		var got []Command
		r := reader{p: p, command: func(c Command) { got = append(got, c) }}
		if err := r.read(stream); err != nil {
			t.Fatalf("%v in %x", err, stream)
		}
		same := slices.EqualFunc(got, cmds, func(a, b Command) bool { return bytes.Equal(a, b) })
		if p.QR.Method == qrVendor { // written as one command, it reads as the four it is made of
			same = bytes.Equal(bytes.Join(toBytes(got), nil), stream)
		}
		if !same {
			t.Fatalf("a printer reads %x, sent %x", got, cmds)
		}
		for _, bad := range []string{"\x10\x04", "\x10\x05", "\x10\x14"} {
			if bytes.Contains(stream, []byte(bad)) {
				t.Fatalf("% x in the stream", bad)
			}
		}
		sim := NewSim(p, &SimOpts{Quick: true})
		for _, c := range got {
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

// anyProfile draws a printer with any font and any way of doing things.
func anyProfile(t *rapid.T) *Profile {
	p := *Profiles()[rapid.SampledFrom([]string{"epson80", "kp628e"}).Draw(t, "profile")]
	p.Charset = rapid.SampledFrom([]Charset{GB2312, GBK, GB18030}).Draw(t, "charset")
	p.Rare = rapid.SampledFrom([]Rare{RareGlyph, RareRaster}).Draw(t, "rare")
	p.Position = rapid.Bool().Draw(t, "position")
	p.QR.Method = rapid.SampledFrom([]string{"native", "raster", "vendor"}).Draw(t, "qr")
	if p.QR.Method == qrVendor {
		p.QR.Command = nativeAsVendor
	}
	return &p
}

// TestTextSurvives: what the printer is told to print, read back with nothing but the printer's manual, is the folded text, in order
// and in its style. A character defined with FS 2 is known again by its dots.
func TestTextSurvives(t *testing.T) {
	face, err := systemTypeface()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := anyProfile(t)
		p.Rare = RareGlyph
		var doc Document
		var want []char
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			var cell Cell
			for range rapid.IntRange(1, 3).Draw(t, "spans") {
				s := Span{
					Text: texts().Draw(t, "text"), Bold: rapid.Bool().Draw(t, "bold"), Underline: rapid.Bool().Draw(t, "underline"),
					Wide: rapid.IntRange(1, 6).Draw(t, "wide"), High: rapid.IntRange(1, 6).Draw(t, "high"),
				}
				cell.Spans = append(cell.Spans, s)
				want = append(want, styled(fold(s.Text), style{wide: s.Wide, high: s.High, bold: s.Bold, underline: s.Underline})...)
			}
			doc.Blocks = append(doc.Blocks, Line{Cells: []Cell{cell}})
		}
		want = slices.DeleteFunc(want, func(c char) bool { return c.r == ' ' || c.r == '\n' })
		lost, err := Unprintable(&doc, p)
		if err != nil {
			t.Fatal(err)
		}
		r := reader{p: p}
		for _, c := range want {
			r.mayBe = append(r.mayBe, c.r)
		}
		for i, c := range want {
			if _, own := p.Charset.encode(c.r); slices.Contains(lost, c.r) {
				want[i].r = missing
			} else if cell, ok := face.cell(c.r, 24, false); ok && !own {
				want[i].r = r.known(defuse(cell.columnBytes())) // two characters may look the same
			}
		}
		cmds, err := Encode(&doc, p)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.read(bytes.Join(toBytes(cmds), nil)); err != nil {
			t.Fatal(err)
		}
		var got []char
		for _, l := range r.lines {
			for _, m := range l.marks {
				if m.r != ' ' {
					got = append(got, m.char)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// TestManyRareCharacters: a printer can be taught 94 characters at a time, and a receipt may have more.
func TestManyRareCharacters(t *testing.T) {
	var rare []rune
	face, err := systemTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for r := rune(0x3400); len(rare) < 250; r++ {
		if _, ok := face.cell(r, 24, false); ok {
			rare = append(rare, r)
		}
	}
	p := with(t, "epson80", func(p *Profile) { p.Charset = GBK })
	cmds, err := Encode(&Document{Blocks: []Block{Text{Text: string(rare) + string(rare[:9])}}}, p)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{p: p, mayBe: rare}
	if err := r.read(bytes.Join(toBytes(cmds), nil)); err != nil {
		t.Fatal(err)
	}
	var got []rune
	for _, l := range r.lines {
		if l.picture {
			t.Fatal("a line was drawn")
		}
		for _, m := range l.marks {
			got = append(got, m.r)
		}
	}
	if string(got) != string(rare)+string(rare[:9]) {
		t.Errorf("on paper %s", string(got))
	}
}

// TestNames: the characters of real names come out on every kind of printer: as text where only one character must be taught, and never
// as a question mark.
func TestNames(t *testing.T) {
	const names = "朱镕基 陶喆 堃犇 㙍㼆 买买提·艾力 刘\uE863"
	for _, charset := range []Charset{GB2312, GBK, GB18030} {
		for _, rare := range []Rare{RareGlyph, RareRaster} {
			p := with(t, "epson80", func(p *Profile) { p.Charset, p.Rare = charset, rare })
			e, err := encode(&Document{Blocks: []Block{Text{Text: names}}}, p)
			if err != nil || len(e.lost) > 0 {
				t.Errorf("%s, %s: lost %q, %v", charset, rare, e.lost, err)
			}
			r := reader{p: p, mayBe: []rune(fold(names))}
			if err := r.read(bytes.Join(toBytes(e.cmds), nil)); err != nil {
				t.Fatal(err)
			}
			drawn := rare == RareRaster && charset != GB18030
			if l := r.lines[0]; l.picture != drawn || !drawn && l.text() != "朱镕基 陶喆 堃犇 㙍㼆 买买提·艾力 刘䶮" {
				t.Errorf("%s, %s: %q, drawn %v", charset, rare, l.text(), l.picture)
			}
		}
	}
}

// TestUnprintable: what no font has is shown as 〓, once a place, and named once.
func TestUnprintable(t *testing.T) {
	doc := &Document{Blocks: []Block{Text{Text: "甲\U000F0000乙\uF8FE丙\U000F0000镕"}, Row{Left: "ཀ", Right: "〓"}}}
	for name, p := range Profiles() {
		lost, err := Unprintable(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		if string(lost) != "\U000F0000\uF8FEཀ" {
			t.Errorf("%s: %+q", name, lost)
		}
		cmds, err := Encode(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		r := reader{p: p}
		if err := r.read(bytes.Join(toBytes(cmds), nil)); err != nil {
			t.Fatal(err)
		}
		if got := r.lines[0].text(); got != "甲〓乙〓丙〓镕" {
			t.Errorf("%s: %q", name, got)
		}
	}
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
	for _, l := range layout(d, p) {
		line := ""
		rare := false
		switch l.kind {
		case cutLine:
			continue
		case qrLine:
			line = picture("[QR "+l.qr.Data+"]", 1, l.align, p.Columns)
			if p.QR.Method == "raster" {
				line = "[picture]"
			}
		case textLine:
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
			}, l.picture(p.Columns))
		}
		if rare && p.Rare == RareRaster {
			line = "[picture]"
		}
		out = append(out, line)
	}
	return out
}
