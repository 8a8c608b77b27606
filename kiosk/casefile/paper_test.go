package casefile

import (
	"strings"
	"testing"

	"yuanban/devices/printer"
)

// What a person must be able to read off the paper is there whole, on wide and on narrow paper.
func TestReceiptOnPaper(t *testing.T) {
	want := map[string][]string{
		"one": {"LA1B2C32607150001F", "预受理编号", "企业投资项目备案", "2026-07-1514:30", "2026-07-1614:30前", "园区行政审批服务专用章", "1234567", "张*园",
			"110105********002X", "914306********CD7X", "138****5678", "0000-8880201", "12345", "已受理，待上传平台", "000001",
			"https://example.invalid/q?case=LA1B2C32607150001F&code=1234567"},
		"package-copy": {"补打2", "企业入园大礼包", "1.企业投资项目备案", "预受理编号", "2.食品经营许可", "办件编号", "YB20260715000002", "市场监管（赋权园区）"},
		"rare":         {strings.Repeat("很长的事项名称（含变更、延续）", 13), "阿*****·*****逊"},
	}
	for name, doc := range samples(t, templates(t)) {
		for _, model := range []string{"epson80", "kp628e"} {
			p, err := printer.ByName(model)
			if err != nil {
				t.Fatal(err)
			}
			paper := strings.Join(strings.Fields(strings.Join(printer.Lines(doc, p), "")), "")
			for _, text := range want[name] {
				if !strings.Contains(paper, text) {
					t.Errorf("%s, %s: %q is not on the paper:\n%s", model, name, text, strings.Join(printer.Lines(doc, p), "\n"))
				}
			}
		}
	}
}
