package catalogue

import (
	"errors"
	"strings"
	"testing"

	"yuanban/devices/printer"
	"yuanban/devices/receiptline"
	"yuanban/kiosk/strictyaml"
)

// TestReceiptProblems: what is wrong with a template is said with file, line, column and what to do, all of it at once.
func TestReceiptProblems(t *testing.T) {
	for name, tt := range map[string]struct {
		harm func(files)
		want []string
	}{
		"misspelt": {func(m files) { m.change("receipts/acceptance.receipt", "{{受理单位}}", "{{受理章}}") }, []string{
			"receipts/acceptance.receipt:1: the template nowhere prints {{受理单位}}: a person would not know who accepted the case; write {{受理单位}} between {{每个办件}} and {{办件结束}}",
			"receipts/acceptance.receipt:20: column 7: {{受理章}} is not known; use one of 园区 申请人"}},
		"no provisional note": {func(m files) {
			m.change("receipts/acceptance.receipt", "{{有 预受理说明}}|{{预受理说明}}\n", "")
		}, []string{"receipts/acceptance.receipt:1: the template nowhere prints {{预受理说明}}: a person would take the number of this machine for that of the platform"}},
		"no number": {func(m files) { m.change("receipts/acceptance.receipt", "|^^\"{{编号}}\n", "") }, []string{
			"receipts/acceptance.receipt:1: the template nowhere prints {{编号}}: nobody finds the case without its number"}},
		"supervision only for companies": {func(m files) {
			m.change("receipts/acceptance.receipt", "{{有 监督电话}}监督电话", "{{有 统一社会信用代码}}监督电话")
		}, []string{"receipts/acceptance.receipt:31: column 21: {{监督电话}} is not always printed whole: a person would not know whom to complain to"}},
		"code as text": {func(m files) {
			m.change("receipts/acceptance.receipt", "{c:{{二维码}}; o:qrcode}", "{{二维码}}")
		}, []string{"prints {{二维码}}: a person could neither look the case up nor rate the service by phone; write {c:{{二维码}}; o:qrcode} on any line"}},
		"cut off": {func(m files) { m.change("receipts/request.receipt", "{w:auto}", "{t:nowrap}\n{w:auto}") }, []string{
			"receipts/request.receipt:20: column 17: {{监督电话}} is not always printed whole"}},
		"of a case, outside": {func(m files) {
			m.change("receipts/acceptance.receipt", "{{办件结束}}", "{{办件结束}}\n{{查询码}}")
		}, []string{
			"receipts/acceptance.receipt:23: column 1: {{查询码}} belongs to one entry of 办件"}},
		"format": {func(m files) {
			m.put("receipts/sheet.receipt", "{w:8;b:line}\n`{{标题}}`\n|{{园区}|\n")
		}, []string{"receipts/sheet.receipt:1: column 6: vertical lines are not printed", "receipts/sheet.receipt:2: column 1: reversed text", "receipts/sheet.receipt:2: column 8: reversed text",
			"receipts/sheet.receipt:3: column 2: {{ has no }}"}},
		"empty":         {func(m files) { m.put("receipts/sheet.receipt", "") }, []string{"prints {{标题}}", "prints {{园区}}", "prints {{段落标题}}", "prints {{正文}}"}},
		"not ours":      {func(m files) { m.put("receipts/invoice.receipt", "x") }, []string{"receipts/invoice.receipt: this machine prints no such paper; known here: receipts/acceptance.receipt"}},
		"other ending":  {func(m files) { m.put("receipts/sheet.txt", "x") }, []string{"receipts/sheet.txt: would not be read; files in receipts end with .receipt"}},
		"saved as GBK":  {func(m files) { m.put("receipts/sheet.receipt", "\xb1\xea\xcc\xe2\n") }, []string{"receipts/sheet.receipt:1: the line is not UTF-8; save the file as UTF-8"}},
		"with commands": {func(m files) { m.change("receipts/sheet.receipt", "---\n", "{x:\\x1bi}\n---\n") }, []string{"a template may not send commands to the printer", "control character"}},
	} {
		m := exampleFiles(t)
		tt.harm(m)
		_, err := Load(m.MapFS)
		problems, _ := errors.AsType[strictyaml.Problems](err)
		if len(problems) != len(tt.want) {
			t.Errorf("%s: %d problems:\n%v", name, len(problems), err)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(problems[i].String(), want) {
				t.Errorf("%s:\n got %s\nwant %s", name, problems[i], want)
			}
		}
	}
}

// TestReceiptsOfThePark: a park prints its own template, and the built-in one where it has none.
func TestReceiptsOfThePark(t *testing.T) {
	m := exampleFiles(t)
	m.drop("receipts/acceptance.receipt")
	m.drop("receipts/request.receipt")
	m.put("receipts/sheet.receipt", "\uFEFF|{{园区}}\r\n|标题：{{标题}}\r\n{{每个段落}}\r\n|{{段落标题}}{{正文}}\r\n{{段落结束}}\r\n") // as Notepad saves it
	c, err := Load(m.MapFS)
	if err != nil {
		t.Fatal(err)
	}
	p, err := printer.ByName("kp628e")
	if err != nil {
		t.Fatal(err)
	}
	data := receiptline.Data{Values: receiptline.Values{"园区": "甲", "标题": "乙"}, Lists: map[string][]receiptline.Values{"段落": {{"正文": "丙"}}}}
	if got := strings.Join(printer.Lines(c.Receipts.Sheet.Document(data), p), "/"); got != "甲/标题：乙/丙" {
		t.Errorf("the park's own sheet reads %q", got)
	}
	data = receiptline.Data{Values: receiptline.Values{"标题": "帮办代办登记单", "编号": "B1"}}
	if got := strings.Join(printer.Lines(c.Receipts.Request.Document(data), p), "/"); !strings.Contains(got, "帮办代办登记单") || !strings.Contains(got, "B1") {
		t.Errorf("the built-in request receipt reads %q", got)
	}
	if c.Receipts.Acceptance == nil {
		t.Error("no acceptance receipt")
	}
}

// TestReadmeNamesEverything: the page for clerks lists the names as the program knows them, those that must be printed in bold.
func TestReadmeNamesEverything(t *testing.T) {
	page, err := example.ReadFile("example/README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := func(label string, names []receiptline.Name) {
		var want []string
		for _, n := range names {
			if n.Must != "" {
				n.Name = "**" + n.Name + "**"
			}
			want = append(want, n.Name)
		}
		got := ""
		for line := range strings.Lines(string(page)) {
			if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| "+label+" |") && len(cells) == 2 {
				got = strings.TrimSuffix(cells[1], " |\n")
			}
		}
		if got = strings.ReplaceAll(got, "（不是第一部分的开头时才有）", ""); got != strings.Join(want, "、") {
			t.Errorf("%s:\n got %s\nwant %s", label, got, strings.Join(want, "、"))
		}
	}
	row("受理回执", AcceptanceNames().Names)
	row("其中每个办件", AcceptanceNames().Lists[0].Names)
	row("登记单", RequestNames().Names)
	row("办事指南等", SheetNames().Names)
	row("其中每个段落", SheetNames().Lists[0].Names)
}
