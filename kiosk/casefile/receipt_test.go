package casefile

import (
	"os"
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
	"yuanban/ui/wording"
)

// testWords are the texts of the program; a key that is missing shows in brackets.
func testWords() Words { return wording.Default().Text }

// blocks shows a document as text, one block a line, so that golden files can be read.
func blocks(d *printer.Document) string {
	var b strings.Builder
	for _, block := range d.Blocks {
		switch v := block.(type) {
		case printer.Text:
			size := ""
			if v.Size > 1 {
				size = "大 "
			}
			if v.Bold {
				size += "粗 "
			}
			if v.Align == printer.Center {
				size += "中 "
			}
			b.WriteString(size + "| " + v.Text)
		case printer.Row:
			b.WriteString("| " + v.Left + " … " + v.Right)
		case printer.Rule:
			b.WriteString("--------")
		case printer.QR:
			b.WriteString("[QR " + v.Data + "] " + v.Caption)
		case printer.Space:
			b.WriteString("")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestReceipts(t *testing.T) {
	words := testWords()
	at := time.Date(2026, 7, 15, 14, 30, 0, 0, china)
	one := Case{Number: "LA1B2C32607150001F", Name: "企业投资项目备案", Seal: "园区行政审批服务专用章", AcceptedAt: at, DueText: "2026-07-16 14:30 前",
		Provisional: true, QueryCode: "1234567"}
	two := Case{Number: "LA1B2C32607150002D", PlatformNumber: "YB20260715000002", Name: "食品经营许可", Department: "市场监管（赋权园区）", AcceptedAt: at,
		DueText: "当场办结，最迟 2026-07-15", Uploaded: true, QueryCode: "7654321"}
	person := Applicant{Name: canaryName, Number: canaryNumber, IDKind: "resident", CreditCode: canaryCredit, Phone: canaryPhone}
	for name, doc := range map[string]*printer.Document{
		"one": Receipt(ReceiptInfo{Words: words, Park: "示例产业园区", Cases: []Case{one}, Applicant: person, Machine: "A1B2C3", QR: "https://example.invalid/q",
			Supervision: "0730-1234567", Job: "000001", Copy: 1, PrintedAt: at}),
		"package-copy": Receipt(ReceiptInfo{Words: words, Park: "示例产业园区", Package: "企业入园大礼包", Cases: []Case{one, two},
			Applicant: Applicant{Name: "李明", Number: canaryNumber, NoCompany: true}, Machine: "A1B2C3", Copy: 3}),
		"assistance": AssistanceReceipt(AssistanceInfo{Words: words, Park: "示例产业园区", Kind: Assistance, Number: "BA1B2C326071500017", Item: "企业投资项目备案",
			Phone: canaryPhone, At: at, Machine: "A1B2C3", Supervision: "0730-1234567"}),
		"demand": AssistanceReceipt(AssistanceInfo{Words: words, Kind: Demand, Number: "SA1B2C326071500017", Text: "办不成事反映", At: at, QR: "https://example.invalid/q"}),
		"sheet":  Sheet("办事指南", []Section{{"受理条件", []string{"一、已入园", "二、无不良信用"}}, {"", []string{"收费：0 元"}}}, []string{"示例产业园区", "版本 2026-01"}),
	} {
		got := blocks(doc)
		golden := "testdata/" + name + ".golden"
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
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
		if strings.Contains(got, "⟦") {
			t.Errorf("%s lacks a text:\n%s", name, got)
		}
		for _, canary := range []string{canaryName, canaryNumber, canaryPhone, canaryCredit} {
			if strings.Contains(got, canary) {
				t.Errorf("%s prints %s", name, canary)
			}
		}
	}
}
