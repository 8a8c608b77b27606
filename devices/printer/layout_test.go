package printer

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name, in string
		cols     int
		want     []string
	}{
		{"empty", "", 8, []string{""}},
		{"fits", "园区事办", 8, []string{"园区事办"}},
		{"breaks between Hanzi", "园区事园区办", 8, []string{"园区事园", "区办"}},
		{"no closing mark at line start", "园区事办，好", 8, []string{"园区事", "办，好"}},
		{"two closing marks", "园区事办”。好", 8, []string{"园区事", "办”。好"}},
		{"no opening mark at line end", "园区事（办）", 8, []string{"园区事", "（办）"}},
		{"a dash stays whole", "园区事——办", 8, []string{"园区", "事——办"}},
		{"a word stays whole", "编号 20261122", 10, []string{"编号", "20261122"}},
		{"a word too long is cut", "20261122-0142", 8, []string{"20261122", "-0142"}},
		{"spaces vanish at the break", "abc   def", 4, []string{"abc", "def"}},
		{"indent stays", "  园区事园区", 8, []string{"  园区事", "园区"}},
		{"price stays whole", "共计￥12.00", 10, []string{"共计", "￥12.00"}},
		{"a wide space stays", "\u3000A", 2, []string{"\u3000", "A"}},
		{"half a cell is left", "园区事园区", 7, []string{"园区事", "园区"}},
		{"one Hanzi makes no line", "园区事园", 7, []string{"园区", "事园"}},
		{"nor does one with marks", "园区事园区”。", 9, []string{"园区事", "园区”。"}},
		{"nor one after a number", "到期日 2026年", 11, []string{"到期日", "2026年"}},
		{"but one after a gap does", "园区事园 区", 8, []string{"园区事园", "区"}},
		{"and one that leaves too little", "园ABCDEFGHIJ办", 12, []string{"园ABCDEFGHIJ", "办"}},
		{"nothing but closing marks", "。。。。。", 4, []string{"。。", "。。", "。"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := wrapped(c.in, c.cols); !slices.Equal(got, c.want) {
				t.Errorf("wrap(%q, %d) = %q, want %q", c.in, c.cols, got, c.want)
			}
		})
	}
}

// wrapped is wrap for a text in the plain style.
func wrapped(s string, cols int) []string {
	var out []string
	for _, line := range wrap(styled(s, plain()), cols) {
		out = append(out, reads(line))
	}
	return out
}

func reads(line []char) string {
	var b strings.Builder
	for _, c := range line {
		b.WriteRune(c.r)
	}
	return b.String()
}

func TestLayoutRow(t *testing.T) {
	for _, c := range []struct {
		left, right string
		want        []string
	}{
		{"编号", "0142", []string{"编号        0142"}},
		{"编号", "", []string{"编号"}},
		{"", "0142", []string{"            0142"}},
		{"事项", "企业设立登记", []string{"事项  企业设立", "      登记"}},
		{"很长的标签名称在此", "是", []string{"很长的标签名称", "在此          是"}},
		{"很长的标签名称", "也很长的值", []string{"很长的标签名称", "      也很长的值"}},
	} {
		p := &Profile{Columns: 16}
		if got := Lines(&Document{Blocks: []Block{Row{Left: c.left, Right: c.right}}}, p); !slices.Equal(got, c.want) {
			t.Errorf("row %q, %q = %q, want %q", c.left, c.right, got, c.want)
		}
	}
}

// TestGolden compares the paper as text. Run with -update after a wanted change, and read the difference.
func TestGolden(t *testing.T) {
	for name, p := range Profiles() {
		got := strings.Join(Lines(acceptance(), p), "\n") + "\n"
		file := filepath.Join("testdata", "acceptance."+name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
	}
}

// texts draws texts a receipt may meet: Hanzi, rare ones too, marks, words, signs that must be folded, and rubbish.
func texts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"园区", "，", "。", "“", "”", "（", "）", "——", "……", " ", "   ", "\n", "ab", "2026-11-22", "￥", "¥", "镕", "㙍", "𠅤", "é", "\x00", "\x1b@", "\x10\x04\x01", "\u200b", "€", "☃", "1234567890123456789012345678901234567890123456789012345"}),
			rapid.StringN(0, 6, -1),
		), 0, 30).Draw(t, "parts")
		return strings.Join(parts, "")
	})
}

func documents() *rapid.Generator[*Document] {
	block := rapid.Custom(func(t *rapid.T) Block {
		align := rapid.SampledFrom([]Align{"", Left, Center, Right, "odd"})
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return Text{
				Text: texts().Draw(t, "text"), Align: align.Draw(t, "align"),
				Size: rapid.IntRange(-1, 7).Draw(t, "size"), Bold: rapid.Bool().Draw(t, "bold"),
			}
		case 1:
			return Row{Left: texts().Draw(t, "left"), Right: texts().Draw(t, "right"), Bold: rapid.Bool().Draw(t, "bold")}
		case 2:
			return Rule{Width: rapid.IntRange(-1, 60).Draw(t, "width"), Align: align.Draw(t, "align")}
		case 3:
			return QR{
				Data: "q" + rapid.StringN(0, 40, 200).Draw(t, "data"), Caption: texts().Draw(t, "caption"), Align: align.Draw(t, "align"),
				Module: rapid.IntRange(-1, 17).Draw(t, "module"), Level: rapid.SampledFrom([]string{"", "L", "M", "Q", "H", "LM", "x"}).Draw(t, "level"),
			}
		case 4:
			return Cut{}
		case 5:
			return rapid.Custom(lines).Draw(t, "line")
		}
		return Space{Lines: rapid.IntRange(-1, 30).Draw(t, "lines")}
	})
	return rapid.Custom(func(t *rapid.T) *Document {
		return &Document{Blocks: rapid.SliceOfN(block, 0, 8).Draw(t, "blocks")}
	})
}

func lines(t *rapid.T) Line {
	l := Line{Gap: rapid.IntRange(-1, 9).Draw(t, "gap"), Align: rapid.SampledFrom([]Align{"", Center, Right}).Draw(t, "align")}
	for range rapid.IntRange(0, 12).Draw(t, "cells") {
		c := Cell{Width: rapid.IntRange(-1, 60).Draw(t, "width"), Align: rapid.SampledFrom([]Align{"", Center, Right}).Draw(t, "align")}
		for range rapid.IntRange(0, 3).Draw(t, "spans") {
			c.Spans = append(c.Spans, Span{
				Text: texts().Draw(t, "text"), Bold: rapid.Bool().Draw(t, "bold"), Underline: rapid.Bool().Draw(t, "underline"),
				Wide: rapid.IntRange(-1, 7).Draw(t, "wide"), High: rapid.IntRange(-1, 7).Draw(t, "high"),
			})
		}
		l.Cells = append(l.Cells, c)
	}
	return l
}

func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "\n", "").Replace(s)
}

func TestWrapProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := strings.ReplaceAll(fold(texts().Draw(t, "text")), "\n", "")
		cols := rapid.IntRange(2, 48).Draw(t, "cols")
		lines := wrapped(in, cols)
		for i, l := range lines {
			if width(l) > cols {
				t.Fatalf("line %q is wider than %d", l, cols)
			}
			// A closing mark begins a line only when it and what it closes are longer than a line.
			if r := []rune(l); i > 0 && len(r) > 0 && strings.ContainsRune(closing, r[0]) && fitsWhole(in, cols) {
				t.Fatalf("line %d of %q begins with a closing mark", i, lines)
			}
		}
		if got := squeeze(strings.Join(lines, "")); got != squeeze(in) {
			t.Fatalf("wrap changed %q to %q", squeeze(in), got)
		}
	})
}

func fitsWhole(s string, cols int) bool {
	return !slices.ContainsFunc(units(styled(s, plain())), func(u unit) bool {
		return u.width > cols || strings.ContainsRune(closing, u.chars[0].r)
	})
}

func TestEveryLineFits(t *testing.T) {
	all := Profiles()
	rapid.Check(t, func(t *rapid.T) {
		p := all[rapid.SampledFrom([]string{"epson80", "kp628e"}).Draw(t, "profile")]
		for _, l := range layout(documents().Draw(t, "document"), p) {
			at := 0
			for _, r := range l.runs {
				if r.col < at || r.end() > p.Columns {
					t.Fatalf("%+v does not fit into %d columns", l, p.Columns)
				}
				at = r.end()
			}
		}
	})
}

// TestNothingIsLost: every character of a document stands on the paper, as often as it was written, however narrow its place.
func TestNothingIsLost(t *testing.T) {
	all := Profiles()
	rapid.Check(t, func(t *rapid.T) {
		p := *all[rapid.SampledFrom([]string{"epson80", "kp628e"}).Draw(t, "profile")]
		p.Columns = rapid.SampledFrom([]int{8, 16, 32, 42, 48}).Draw(t, "columns")
		doc := documents().Draw(t, "document")
		count := map[rune]int{}
		add := func(s string, n int) {
			for _, r := range s {
				if !unicode.IsSpace(r) {
					count[r] += n
				}
			}
		}
		for _, b := range doc.Blocks {
			switch b := b.(type) {
			case Text:
				add(fold(b.Text), 1)
			case Row:
				add(fold(b.Left)+fold(b.Right), 1)
			case QR:
				add(fold(b.Caption), 1)
			case Line:
				for _, c := range b.Cells {
					for _, s := range c.Spans {
						add(fold(s.Text), 1)
					}
				}
			case Rule:
				w := p.Columns
				if b.Width > 0 {
					w = min(b.Width, w)
				}
				count['─'] += max(w/2, 1)
			}
		}
		for _, l := range layout(doc, &p) {
			for _, r := range l.runs {
				add(r.text, -1)
			}
		}
		for r, n := range count {
			if n != 0 {
				t.Fatalf("%q: %d lost", r, n)
			}
		}
	})
}

func TestLine(t *testing.T) {
	cell := func(text string, width int, align Align) Cell {
		return Cell{Spans: []Span{{Text: text}}, Width: width, Align: align}
	}
	for _, c := range []struct {
		name string
		in   Line
		want []string
	}{
		{"label and value", Line{Gap: 2, Cells: []Cell{cell("申请人", 8, Left), cell("张*三", 0, Left)}}, []string{"申请人    张*三"}},
		{"both wrap", Line{Gap: 1, Cells: []Cell{cell("园区事办", 4, Left), cell("123 4567", 0, Right)}}, []string{"园区    123 4567", "事办"}},
		{"fixed, in the middle", Line{Align: Center, Cells: []Cell{cell("a", 2, Left), cell("b", 3, Right)}}, []string{"     a   b"}},
		{"fixed, at the right", Line{Align: Right, Cells: []Cell{cell("a", 2, Left), cell("b", 3, Left)}}, []string{"           a b"}},
		{"three of equal share", Line{Gap: 1, Cells: []Cell{cell("a", 0, Left), cell("b", 0, Center), cell("c", 0, Right)}}, []string{"a      b       c"}},
		{"too wide is made to fit", Line{Cells: []Cell{cell("ab", 99, Left), cell("园", 0, Left)}}, []string{"ab            园"}},
		{"below each other", Line{Gap: 9, Cells: []Cell{cell("a", 0, Left), cell("b", 0, Right), cell("c", 0, Center)}}, []string{"a", "               b", "        c"}},
		{"one line", Line{OneLine: true, Cells: []Cell{cell("园区事园区办园区事园区办", 0, Left)}}, []string{"园区事园区办园区"}},
		{"nothing", Line{}, nil},
		{"empty cells", Line{Cells: []Cell{{}, {}}}, []string{""}},
		{"styles part words from gaps", Line{Cells: []Cell{{Spans: []Span{{Text: "a  "}, {Text: "  b", Bold: true}, {Text: "c "}}}}}, []string{"a    bc"}},
		{"underlined blanks stay", Line{Cells: []Cell{{Spans: []Span{{Text: "x"}, {Text: "    ", Underline: true}}}}}, []string{"x"}},
		{"larger than its place", Line{Cells: []Cell{{Width: 4, Spans: []Span{{Text: "园区", Wide: 6, High: 6}}}, cell("b", 0, Left)}}, []string{"园b", "区"}},
	} {
		if got := Lines(&Document{Blocks: []Block{c.in}}, &Profile{Columns: 16}); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}
