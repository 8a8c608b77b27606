package casefile

import (
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
)

// What a person must be able to read off the paper is there whole, on wide and on narrow paper.
func TestReceiptOnPaper(t *testing.T) {
	at := time.Date(2026, 7, 15, 14, 30, 0, 0, china)
	c := Case{Number: "LA1B2C32607150001F", Name: strings.Repeat("很长的事项名称", 28), Seal: "园区行政审批服务专用章", AcceptedAt: at, DueText: "2026-07-16 14:30 前",
		Provisional: true, QueryCode: "1234567"}
	doc := Receipt(ReceiptInfo{Words: testWords(), Park: "示例产业园区", Cases: []Case{c, c}, Applicant: Applicant{Name: canaryName, Number: canaryNumber},
		Supervision: "0730-1234567", QR: "https://example.invalid/q"})
	for _, name := range []string{"epson80", "kp628e"} {
		p, err := printer.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		paper := strings.Map(func(r rune) rune {
			if r == ' ' || r == '\n' {
				return -1
			}
			return r
		}, strings.Join(printer.Lines(doc, p), "\n"))
		for _, want := range []string{"LA1B2C32607150001F", "预受理编号", c.Name, "2026-07-1514:30", "2026-07-1614:30前", c.Seal, c.QueryCode, "张*园",
			"110105********002X", "0730-1234567", "12345", "https://example.invalid/q"} {
			if !strings.Contains(paper, want) {
				t.Errorf("%s: %q is not on the paper:\n%s", name, want, paper)
			}
		}
	}
}
