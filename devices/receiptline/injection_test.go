package receiptline

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yuanban/devices/printer"
)

func equal(a, b printer.Block) bool { return reflect.DeepEqual(a, b) }

// hostile draws values as nobody should be called: everything that means something to the format or to a printer, alone and mixed.
func hostile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{`\`, "|", "{", "}", "_", `"`, "`", "^", "~", "-", "=", "---", "===", "{{", "}}", "{{n}}", "{{有 n}}", "{{每个l}}", "{{l结束}}",
				"{w:2}", "{c:x;o:qrcode}", "{x:1}", `\n`, `\x1b`, "\n", "\r\n", "\x1b@", "\x1bi", "\x10\x14\x08", "\x1dV\x00", "\x00", "\u2028", " ", "  ", "张", "㙍"}),
			rapid.String(),
		), 0, 12).Draw(t, "parts"), "")
	})
}

// TestInjection: whatever a value is, everything else on the paper stays what it is, and the value reads back.
func TestInjection(t *testing.T) {
	tpl, err := Parse("|head\n{w:8,*}\n\"label|{{n}}\n_foot_|right|\n{w:auto}\n===\n{{每个l}}\n|before\n|{{n}}\n|behind\n{{l结束}}\n---\n^{{n}}^end\n")
	if err != nil {
		t.Fatal(err)
	}
	fill := func(v string) []printer.Block {
		return tpl.Document(Data{Values: Values{"n": v}, Lists: map[string][]Values{"l": {{"n": v}, {"n": v}}}}).Blocks
	}
	const mark = "value"
	plain := fill(mark)
	rapid.Check(t, func(t *rapid.T) {
		v := hostile().Draw(t, "value")
		got := fill(v)
		if len(got) != len(plain) {
			t.Fatalf("%d blocks instead of %d", len(got), len(plain))
		}
		seen := 0
		for i, b := range got {
			line, ok := b.(printer.Line)
			if !ok {
				if !equal(b, plain[i]) {
					t.Fatalf("block %d is %+v", i, b)
				}
				continue
			}
			// Put the mark back into the place of the value: then the line must be the one of the mark.
			for c := range line.Cells {
				for s, span := range line.Cells[c].Spans {
					if plain[i].(printer.Line).Cells[c].Spans[s].Text == mark {
						if want := clean(Values{"n": v})["n"]; span.Text != want {
							t.Fatalf("the value reads %q, want %q", span.Text, want)
						}
						line.Cells[c].Spans[s].Text = mark
						seen++
					}
				}
			}
			if !equal(line, plain[i]) {
				t.Fatalf("line %d is %+v, want %+v", i, line, plain[i])
			}
		}
		if seen != 4 {
			t.Fatalf("the value stands in %d places", seen)
		}
	})
}

// TestInjectionOnPaper: the same, seen from the paper: the lines before and behind a value are untouched, and what is between is the value.
func TestInjectionOnPaper(t *testing.T) {
	const text = "|head \\| {{other}}\n{w:8,*;b:2}\n标签 |{{n}}\n{w:auto}\n---\n|foot"
	rapid.Check(t, func(t *rapid.T) {
		v := hostile().Draw(t, "value")
		model := rapid.SampledFrom([]string{"epson80", "kp628e"}).Draw(t, "model")
		tpl, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, err := printer.ByName(model)
		if err != nil {
			t.Fatal(err)
		}
		got := printer.Lines(tpl.Document(Data{Values: Values{"n": v, "other": "值"}}), p)
		n := len(got)
		if n < 4 || got[0] != "head | 值" || got[n-2] != strings.Repeat("─", p.Columns/2) || got[n-1] != "foot" || !strings.HasPrefix(got[1], "标签") {
			t.Fatalf("on paper %q", got)
		}
		var between strings.Builder
		for i, l := range got[1 : n-2] {
			if i == 0 {
				l = strings.TrimPrefix(l, "标签")
			}
			between.WriteString(l)
		}
		// The same value alone on its own paper reads the same.
		alone := printer.Lines(&printer.Document{Blocks: []printer.Block{printer.Text{Text: clean(Values{"n": v})["n"]}}}, p)
		if a, b := squeeze(between.String()), squeeze(strings.Join(alone, "")); a != b {
			t.Fatalf("the value reads %q, want %q", a, b)
		}
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// FuzzParse: no text makes the parser fail, a template without a problem can be printed, and one with problems has a place for each.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a|b", "{w:8,*}\na |{{n}}", "{{每个l}}\n{{有 n}}^^^\"{{n}}\n{{l结束}}", "{c:{{n}}\\;;o:qrcode,6,m}", "---\n===\n\\x41~_u_", "{{{{", "{{有 }}", "|{|}|"} {
		f.Add(s)
	}
	p, err := printer.ByName("kp628e")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tpl, err := Parse(text)
		if err != nil {
			all, ok := err.(Problems)
			if !ok || len(all) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			for _, one := range all {
				if one.Line < 1 || one.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+1 || one.Text == "" || one.Next == "" {
					t.Fatalf("a problem without a place or a next step: %+v", one)
				}
			}
			return
		}
		tpl.Check(Vocabulary{Names: []Name{{Name: "n", Must: "why"}}, Lists: []List{{Name: "l", Names: []Name{{Name: "n"}}}}})
		doc := tpl.Document(Data{Values: Values{"n": "值 value"}, Lists: map[string][]Values{"l": {{"n": "1"}, {}}}})
		if slices.ContainsFunc(doc.Blocks, func(b printer.Block) bool { q, ok := b.(printer.QR); return ok && len(q.Data) > 600 }) {
			return // the only document that cannot be printed
		}
		if _, err := printer.Encode(doc, p); err != nil && !strings.Contains(err.Error(), "QR code") {
			t.Fatal(err)
		}
	})
}
