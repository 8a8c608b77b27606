package receiptline

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"yuanban/devices/printer"
)

// problems parses a template and returns what is wrong with it, one a line.
func problems(text string) string {
	_, err := Parse(text)
	if all, ok := errors.AsType[Problems](err); ok {
		return all.Error()
	}
	return ""
}

// TestProblems: every problem has its place and its next step.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"single brace", "a{b", `1:2: a single brace; write \{ or \} for the character`},
		{"brace closed", "|a|b}", `1:5: a single brace`},
		{"property beside text", "a|{w:8}", "1:3: a property beside another column; put it on a line of its own, above this one"},
		{"braces of a value", "{{name", "1:1: {{ has no }}; write {{name}}"},
		{"empty name", "a {{ }}", "1:3: {{}} is not a name"},
		{"name of two words", "{{my name}}", "1:1: {{my name}} is not a name"},
		{"condition in a line", "a {{有 x}} b", "1:3: a condition in the middle of a line; put it at the beginning"},
		{"list beside text", "a {{每个x}}", "1:3: {{每个x}} and {{x结束}} enclose whole lines"},
		{"list under condition", "{{有 y}}{{每个x}}\n{{x结束}}", "1:8: {{每个x}} and {{x结束}} enclose whole lines; put it on a line of its own\n2:1: {{x结束}} ends nothing"},
		{"list without end", "{{每个x}}\na", "1:1: {{每个x}} has no end; write a line {{x结束}}"},
		{"end without list", "{{x结束}}", "1:1: {{x结束}} ends nothing"},
		{"list in a list", "{{每个x}}\n{{每个y}}\n{{y结束}}\n{{x结束}}", "2:1: {{每个y}} within the lines of x"},
		{"list twice", "{{每个x}}\n{{每个x}}\n{{x结束}}", "2:1: {{每个x}} within the lines of x"},
		{"escape at the end", `a\`, `1:2: a \ at the end of the line means nothing`},
		{"unknown escape", `\a`, `1:1: \a means nothing; write \\a for the two characters`},
		{"bad number", `\xZZ`, `1:1: \x wants two hexadecimal digits`},
		{"short number", `\x4`, `1:1: \x wants two hexadecimal digits`},
		{"control number", `a\x1b@`, `1:2: \x1b is a control character`},
		{"control", "a\x1b@", "1:2: a control character, which cannot be printed; delete it"},
		{"semicolon", `a\;`, `1:2: \; means nothing in a text`},
		{"reversed", "a`b`", "1:2: reversed text (`) is not printed; write"},
		{"too large", "^^^^^^^^a", "1:1: more than seven ^"},
		{"not UTF-8", "a\n\xff", "2: the line is not UTF-8; save the file as UTF-8"},
		{"no name", "{8,*}", "1:2: a property without a name or a value; write it as name:value"},
		{"no value", "{w:}", "1:2: a property without a name or a value"},
		{"unknown property", "{wide:8}", "1:2: there is no property wide; use width, border"},
		{"property twice", "{w:8;width:9}", "1:6: width twice on a line"},
		{"width of nothing", "{w:8, *}", "1:2: a width is missing between two commas or a comma and a space; write the widths as in {w:8,*}"},
		{"width 0", "{w:0,*}", "1:2: a column of width 0 would not be printed"},
		{"width 1", "{w:1,*}", `1:2: the width "1" is no number from 2 to 100`},
		{"width of words", "{w:wide}", `1:2: the width "wide" is no number from 2 to 100; a Hanzi takes 2`},
		{"many widths", "{w:2,2,2,2,2,2,2,2,2}", "1:2: more than 8 columns"},
		{"more columns than widths", "{w:8,*}\n|a |b |c", "2:8: more columns than widths: this one would not be printed; give it a width"},
		{"border", "{b:3}", "1:2: border is 0, 1, 2, none or space"},
		{"vertical lines", "{border:line}", "1:2: vertical lines are not printed"},
		{"align", "{a:middle}", "1:2: align is left, center or right"},
		{"wrap", "{t:cut}", "1:2: text is wrap or nowrap"},
		{"image", "{i:iVBORw0K}", "1:2: images are not printed"},
		{"command", `{x:\x1b@}`, `a template may not send commands to the printer; delete the line`},
		{"bar code", "{c:123}", "1:2: only QR codes are printed; add o:qrcode"},
		{"bar code by name", "{c:123;o:ean}", `1:8: the option "ean" is not known; write o:qrcode`},
		{"module", "{c:1;o:qrcode,9}", `the option "9" is not known`},
		{"long code", "{c:" + strings.Repeat("x", 101) + ";o:qrcode}", "1:2: more than 100 characters in a code"},
		{"line feed in a code", `{c:a\nb;o:qrcode}`, `1:5: \n in the data of a code`},
		{"value in a property", "{w:{{n}}}", "1:4: a value in width; only the data of a code and a text may hold values"},
		{"value as alignment", "{a:{{n}}}", "a value in align; only the data of a code and a text may hold values"},
		{"conditional layout", "{{有 x}}{w:8,*}", "1:9: width under a condition would change the lines that follow"},
		{"several at once", "a{\n{b:9}\n{{x结束}}\n`", "1:2: a single brace; write \\{ or \\} for the character\n2:2: border is 0, 1, 2, none or space; write {b:1}\n" +
			"3:1: {{x结束}} ends nothing; write {{每个x}} before the lines that are repeated, or delete this\n4:1: reversed text"},
	} {
		if got := problems(c.in); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q\n got %s\nwant %s", c.name, c.in, got, c.want)
		}
	}
}

func lines(t testing.TB, text string, d Data, model string) []string {
	t.Helper()
	tpl, err := Parse(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	p, err := printer.ByName(model)
	if err != nil {
		t.Fatal(err)
	}
	return printer.Lines(tpl.Document(d), p)
}

func TestValues(t *testing.T) {
	data := Data{
		Values: Values{"number": "20261122-0142", "name": " 张*三\n", "qr": "https://example.cn/1", "hostile": `"_|\{}{{name}}^~=`, "rule": "---", "empty": " \n "},
		Lists:  map[string][]Values{"case": {{"no": "1", "item": "备案"}, {"no": "2", "item": "许可", "number": "own"}}},
	}
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"in a text", "|编号 {{number}}。", []string{"编号 20261122-0142。"}},
		{"trimmed", "|[{{ name }}]", []string{"[张*三]"}},
		{"in a column", "{w:8,*}\n编号 |{{number}}", []string{"编号     20261122-0142"}},
		{"alone is no rule", "|{{rule}}", []string{"---"}},
		{"hostile", "|{{hostile}}x", []string{`"_|\{}{{name}}^~=x`}},
		{"unknown is empty", "|a{{none}}b", []string{"ab"}},
		{"given", "{{有 number}}|a\n{{有 empty}}|b\n{{有 none}}|c", []string{"a"}},
		{"lacking", "{{无 number}}|a\n{{无 empty}} |b", []string{"b"}},
		{"both", "{{有 number}}{{无 none}}|a\n{{有 number}} {{有 none}}|b", []string{"a"}},
		{"conditional rule and space", "|a\n{{有 none}}---\n{{有 none}}\n{{无 none}}\n|b", []string{"a", "", "b"}},
		{"list", "{{每个case}}\n|{{no}} {{item}} {{number}}\n{{有 none}}---\n{{case结束}}\n|end", []string{"1 备案 20261122-0142", "2 许可 own", "end"}},
		{"empty list", "|a\n{{每个other}}\n|{{no}}\n{{other结束}}\n|b", []string{"a", "b"}},
		{"list without lines", "{{每个case}}\n{{case结束}}", nil},
		{"code", "{c:{{qr}}?a=\\;;o:qrcode}", []string{"[QR https://example.cn/1?a=;]"}},
		{"code of nothing", "|a\n{c:{{none}};o:qrcode}", []string{"a"}},
		{"a note", "{_:nothing {{to}} see}\n|a", []string{"a"}},
		{"spaces around a rule", "|a\n  ----\t\n|b", []string{"a", "────────────────", "b"}},
		{"escaped rule", `|\---`, []string{"---"}},
	} {
		got := lines(t, c.in, data, "kp628e")
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q\n got %q\nwant %q", c.name, c.in, got, c.want)
		}
	}
}

// TestDocument: a template becomes the blocks that a program would have written.
func TestDocument(t *testing.T) {
	tpl, err := Parse("\uFEFF{w:8,*; b:2; a:left; t:nowrap}\r\n\"a\"|^_b_\r---\r\n{w:10,10}\n---\n===\n{o:qrcode,4,h}\n|{c:x} \n\n{w:auto;t:wrap}\n^^^{{n}}\n")
	if err != nil {
		t.Fatal(err)
	}
	got := tpl.Document(Data{Values: Values{"n": "v"}}).Blocks
	want := []printer.Block{
		printer.Line{Gap: 2, Align: printer.Left, OneLine: true, Cells: []printer.Cell{
			{Width: 8, Align: printer.Right, Spans: []printer.Span{{Text: "a", Bold: true}}},
			{Align: printer.Left, Spans: []printer.Span{{Text: "b", Underline: true, Wide: 2, High: 1}}},
		}},
		printer.Rule{Align: printer.Left},
		printer.Rule{Align: printer.Left, Width: 22},
		printer.Cut{},
		printer.QR{Data: "x", Align: printer.Left, Module: 4, Level: "H"},
		printer.Space{Lines: 1},
		printer.Line{Gap: 2, Align: printer.Left, Cells: []printer.Cell{{Align: printer.Center, Spans: []printer.Span{{Text: "v", Wide: 2, High: 2}}}}},
	}
	if len(got) != len(want) {
		t.Fatalf("%d blocks: %+v", len(got), got)
	}
	for i := range got {
		if !equal(got[i], want[i]) {
			t.Errorf("block %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
