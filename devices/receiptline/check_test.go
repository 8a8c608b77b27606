package receiptline

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	v := Vocabulary{
		Names: []Name{{Name: "园区"}, {Name: "码", Must: "it leads to the case", Code: true}, {Name: "监督电话", Must: "a person must know whom to complain to"}},
		Lists: []List{{Name: "办件", Names: []Name{{Name: "编号", Must: "without it nobody finds the case"}, {Name: "事项"}}}},
	}
	const code = "{{有 码}}{c:{{码}};o:qrcode}"
	const good = "{{园区}}\n{{有 监督电话}}|{{监督电话}}\n{{每个办件}}\n|{{编号}} {{事项}} {{园区}}\n{{办件结束}}\n" + code + "\n"
	for _, c := range []struct{ name, in, want string }{
		{"nothing wrong", good, ""},
		{"unknown", good + "{{圆区}}", "7:1: {{圆区}} is not known; use one of 园区 码 监督电话"},
		{"unknown in a list", strings.Replace(good, "{{事项}}", "{{事由}}", 1), "4:9: {{事由}} is not known; use one of 园区 码 监督电话 编号 事项"},
		{"unknown condition", good + "{{有 圆区}}a", "7:1: {{圆区}} is not known"},
		{"unknown in a code", good + "{c:{{圆区}};o:qrcode}", "7:4: {{圆区}} is not known"},
		{"outside its list", good + "|{{事项}}", "7:2: {{事项}} belongs to one entry of 办件; put it between {{每个办件}} and {{办件结束}}"},
		{"unknown list", good + "{{每个人}}\n{{人结束}}", "7:1: {{每个人}} repeats nothing: there is no such list; use one of {{每个办件}}"},
		{"missing", strings.Replace(good, "{{监督电话}}", "", 1), "1: the template nowhere prints {{监督电话}}: a person must know whom to complain to; write {{监督电话}} on any line"},
		{"missing in a list", strings.Replace(good, "{{编号}}", "", 1), "1: the template nowhere prints {{编号}}: without it nobody finds the case; write {{编号}} between {{每个办件}} and {{办件结束}}"},
		{"under another condition", strings.Replace(good, "{{有 监督电话}}", "{{有 园区}}", 1), "2:10: {{监督电话}} is not always printed whole: a person must know"},
		{"when it is not there", strings.Replace(good, "{{有 监督电话}}", "{{无 监督电话}}", 1), "2:12: {{监督电话}} is not always printed whole"},
		{"cut off", "{t:nowrap}\n" + good, "3:12: {{监督电话}} is not always printed whole"},
		{"only once a case", "{{园区}}\n{{每个办件}}\n|{{编号}}{{监督电话}}\n{{办件结束}}\n{c:{{码}};o:qrcode}", "3:8: {{监督电话}} is not always printed whole"},
		{"only as a code", strings.Replace(good, "|{{监督电话}}", "{c:{{监督电话}};o:qrcode}", 1), "1: the template nowhere prints {{监督电话}}"},
		{"code as text", strings.Replace(good, code, "{{码}}", 1), "1: the template nowhere prints {{码}}: it leads to the case; write {c:{{码}}; o:qrcode} on any line"},
		{"once is enough", good + "{{有 园区}}{{监督电话}}", ""},
		{"all at once", "{{a}}\n{{b}}", "1: the template nowhere prints {{码}}"},
	} {
		tpl, err := Parse(c.in)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := tpl.Check(v).Error()
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if c.name == "all at once" && strings.Count(got, "\n") != 4 {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestParseFor: problems of the format and of the names are told together, and nothing is called missing while a line could not be read.
func TestParseFor(t *testing.T) {
	v := Vocabulary{Names: []Name{{Name: "a", Must: "why"}}}
	for in, want := range map[string]string{
		"{{a}}":            "",
		"{{b}}\n{{a}}":     "1:1: {{b}} is not known; use one of a",
		"{b:line}\n{{b}}":  "1:2: vertical lines are not printed; write {b:space} and part the rows with ---\n2:1: {{b}} is not known; use one of a",
		"x":                "1: the template nowhere prints {{a}}: why; write {{a}} on any line",
		"{{每个b}}\n{{有 c}}": "1:1: {{每个b}} has no end; write a line {{b结束}}\n1:1: {{每个b}} repeats nothing: there is no such list; delete it\n2:1: {{c}} is not known; use one of a",
	} {
		got := ""
		tpl, err := ParseFor(in, v)
		if err != nil {
			got = err.Error()
		}
		if got != want || (tpl == nil) != (err != nil) {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
}
