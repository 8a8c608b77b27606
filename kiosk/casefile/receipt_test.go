package casefile

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/receiptline"
	"yuanban/kiosk/catalogue"
	"yuanban/ui/wording"
)

// testWords are the texts of the program; a key that is missing shows in brackets.
func testWords() Words { return wording.Default().Text }

// templates are the built-in papers.
func templates(t testing.TB) catalogue.Receipts {
	t.Helper()
	c, err := catalogue.Load(catalogue.Example())
	if err != nil {
		t.Fatal(err)
	}
	return c.Receipts
}

// samples is every kind of paper, with a person whose every number is a canary.
func samples(t testing.TB, r catalogue.Receipts) map[string]*printer.Document {
	words := testWords()
	at := time.Date(2026, 7, 15, 14, 30, 0, 0, china)
	one := Case{Number: "LA1B2C32607150001F", Name: "企业投资项目备案", Seal: "园区行政审批服务专用章", AcceptedAt: at, DueText: "2026-07-16 14:30 前",
		Provisional: true, QueryCode: "1234567"}
	two := Case{Number: "LA1B2C32607150002D", PlatformNumber: "YB20260715000002", Name: "食品经营许可", Department: "市场监管（赋权园区）", AcceptedAt: at,
		DueText: "当场办结，最迟 2026-07-15", Uploaded: true, QueryCode: "7654321"}
	long := Case{Number: "LA1B2C32607150003B", Name: strings.Repeat("很长的事项名称（含变更、延续）", 13), Seal: "示例产业园区行政审批服务专用章", AcceptedAt: at,
		DueText: "2026-07-22（5 个工作日）", Provisional: true, QueryCode: "1112223"}
	person := Applicant{Name: canaryName, Number: canaryNumber, IDKind: "resident", CreditCode: canaryCredit, Phone: canaryPhone}
	return map[string]*printer.Document{
		"one": Receipt(ReceiptInfo{Template: r.Acceptance, Words: words, Park: "示例产业园区", Cases: []Case{one}, Applicant: person, Machine: "A1B2C3",
			QR: "https://example.invalid/q?case=LA1B2C32607150001F&code=1234567", Supervision: "0000-8880201（市行政审批服务局）", Hotline: "12345", Job: "000001", Copy: 1, PrintedAt: at.UTC()}),
		"package-copy": Receipt(ReceiptInfo{Template: r.Acceptance, Words: words, Park: "示例产业园区", Package: "企业入园大礼包", Cases: []Case{one, two},
			Applicant: Applicant{Name: "李明", Number: canaryNumber, NoCompany: true}, Machine: "A1B2C3", Copy: 3, Hotline: "12345", Job: "000003"}),
		"rare": Receipt(ReceiptInfo{Template: r.Acceptance, Words: words, Park: "示例产业园区", Cases: []Case{long},
			Applicant: Applicant{Name: "阿卜杜热合曼·买买提吐尔逊", Number: canaryNumber, NoCompany: true}, Hotline: "12345", Job: "000004"}),
		"assistance": AssistanceReceipt(AssistanceInfo{Template: r.Request, Words: words, Park: "示例产业园区", Kind: Assistance, Number: "BA1B2C326071500017",
			Item: "企业投资项目备案", Phone: canaryPhone, At: at, Machine: "A1B2C3", Supervision: "0730-1234567", Hotline: "12345"}),
		"demand": AssistanceReceipt(AssistanceInfo{Template: r.Request, Words: words, Park: "示例产业园区", Kind: Demand, Number: "SA1B2C326071500017", Text: "办不成事反映",
			At: at, QR: "https://example.invalid/q", Supervision: "0730-1234567", Hotline: "12345", Machine: "A1B2C3", Job: "000005", Copy: 2}),
		"sheet": Sheet(SheetInfo{Template: r.Sheet, Title: "公司设立登记", Park: "示例产业园区", Version: "示例 2026.1", Sections: []Section{
			{"受理条件", []string{"一、已入园；", "二、名称、住所、经营范围符合规定，法定代表人、股东身份经核验；"}}, {"", []string{"收费：0 元"}}, {"办理地点", nil}}}),
	}
}

// TestReceipts compares the papers as text. Run with UPDATE_GOLDEN=1 after a wanted change, and read the difference.
func TestReceipts(t *testing.T) {
	for name, doc := range samples(t, templates(t)) {
		for _, model := range []string{"epson80", "kp628e"} {
			p, err := printer.ByName(model)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(printer.Lines(doc, p), "\n") + "\n"
			golden := "testdata/" + name + "." + model + ".txt"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is\n%s\nwant\n%s", golden, got, want)
			}
			if strings.Contains(got, "⟦") {
				t.Errorf("%s lacks a text:\n%s", golden, got)
			}
			lost, err := printer.Unprintable(doc, p)
			if err != nil || len(lost) > 0 {
				t.Errorf("%s: cannot print %q, %v", golden, lost, err)
			}
		}
	}
}

// greedy is a template that prints every name there is, where it is and where it is not.
func greedy(t *testing.T, v receiptline.Vocabulary) *receiptline.Template {
	t.Helper()
	var b strings.Builder
	for _, n := range v.Names {
		b.WriteString("|" + n.Name + "={{" + n.Name + "}}\n{{有 " + n.Name + "}}{c:{{" + n.Name + "}};o:qrcode}\n")
	}
	for _, l := range v.Lists {
		b.WriteString("===\n{{每个" + l.Name + "}}\n")
		for _, n := range l.Names {
			b.WriteString("|" + n.Name + "={{" + n.Name + "}}\n")
		}
		b.WriteString("{{" + l.Name + "结束}}\n")
	}
	tpl, err := receiptline.Parse(b.String() + "===\n\n===\n")
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// TestNoTemplateSeesANumber: whatever a park writes, what it can print is masked, and a copy is marked on each of its papers.
func TestNoTemplateSeesANumber(t *testing.T) {
	all := catalogue.Receipts{Acceptance: greedy(t, catalogue.AcceptanceNames()), Request: greedy(t, catalogue.RequestNames()), Sheet: greedy(t, catalogue.SheetNames())}
	p, err := printer.ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range samples(t, all) {
		paper := strings.Join(printer.Lines(doc, p), "\n")
		for _, canary := range []string{canaryName, canaryNumber, canaryPhone, canaryCredit} {
			if strings.Contains(paper, canary) {
				t.Errorf("%s prints %s", name, canary)
			}
		}
		marks := strings.Count(paper, "补打")
		want := map[string]int{"package-copy": 2, "demand": 1}[name]
		if marks != want {
			t.Errorf("%s has %d marks of a copy, want %d:\n%s", name, marks, want, paper)
		}
		if want > 0 && !strings.HasPrefix(strings.TrimSpace(paper), "补打") {
			t.Errorf("%s does not begin with the mark of a copy:\n%s", name, paper)
		}
	}
}

// TestEveryNameHasAValue: the names that the catalogue lets a template use are those that are filled in, no more and no fewer.
func TestEveryNameHasAValue(t *testing.T) {
	sheet := sheetValues(SheetInfo{Sections: []Section{{"a", []string{"b"}}}})
	acceptance := acceptanceValues(ReceiptInfo{Words: testWords(), Cases: []Case{{}}})
	for _, c := range []struct {
		name string
		v    receiptline.Vocabulary
		data receiptline.Data
	}{
		{"acceptance", catalogue.AcceptanceNames(), acceptance},
		{"request", catalogue.RequestNames(), receiptline.Data{Values: requestValues(AssistanceInfo{Words: testWords()})}},
		{"sheet", catalogue.SheetNames(), sheet},
	} {
		compare := func(where string, names []receiptline.Name, v receiptline.Values) {
			var want []string
			for _, n := range names {
				want = append(want, n.Name)
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(v)); !slices.Equal(got, want) {
				t.Errorf("%s%s: filled in %v, known to templates %v", c.name, where, got, want)
			}
		}
		compare("", c.v.Names, c.data.Values)
		for _, l := range c.v.Lists {
			for _, entry := range c.data.Lists[l.Name] {
				compare(" "+l.Name, l.Names, entry)
			}
			if len(c.data.Lists[l.Name]) == 0 {
				t.Errorf("%s: no entries of %s", c.name, l.Name)
			}
		}
	}
}
