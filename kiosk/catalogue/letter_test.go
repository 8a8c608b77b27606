package catalogue

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// applicant is made up; the number is the sample of GB 11643.
func applicant(items ...*Item) LetterData {
	return LetterData{
		Number: "C0001", Items: items, Applicant: "张小三", ApplicantNumber: "11010519491231002X", CreditCode: "11110000000021135M",
		Phone: "13812341234", Date: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Machine: "DEMO01", NotListed: true,
	}
}

func partText(p Part) string {
	var b strings.Builder
	for _, par := range p.Paragraphs {
		b.WriteString(par.Text + "\n")
	}
	return b.String()
}

func TestComposePackage(t *testing.T) {
	c := loadExample(t)
	p := c.Package("P2")
	d := applicant(p.Items...)
	d.Package = p
	l := c.LetterFor(d.Items).Compose(d)

	for i, title := range []string{"第一部分 申报条件告知书", "第二部分 未履行承诺惩戒措施", "第三部分 事项办理申报书"} {
		if l.Parts[i].Title != title || len(l.Parts[i].Paragraphs) == 0 {
			t.Errorf("part %d: %q with %d paragraphs", i+1, l.Parts[i].Title, len(l.Parts[i].Paragraphs))
		}
	}
	one, two, three := partText(l.Parts[0]), partText(l.Parts[1]), partText(l.Parts[2])
	for i, it := range d.Items {
		for name, text := range map[string]string{"basis": one, "application": three} {
			if !strings.Contains(text, fmt.Sprintf("%d. ", i+1)) || !strings.Contains(text, it.Name) {
				t.Errorf("%s of %s is missing", name, it.Name)
			}
		}
		for _, condition := range it.Conditions {
			if !strings.Contains(one, condition) {
				t.Errorf("part 1 lacks the condition %s", condition)
			}
		}
	}
	// What is common stands once, however many items there are.
	for _, common := range []string{"文书编号：C0001", "十、个人信息处理告知", "是否采用告知承诺由您自愿选择", "六、收费"} {
		if n := strings.Count(one, common); n != 1 {
			t.Errorf("%q stands %d times in part 1", common, n)
		}
	}
	// A filing in a commitment letter says that it is one; the others do not.
	if !strings.Contains(one, "“公章刻制备案（首套）”实行备案") || strings.Contains(one, "“公司设立登记”实行备案") {
		t.Error("modes are mixed up")
	}
	if !strings.Contains(one, "住所（经营场所）产权信息（由不动产登记机构调取核对）") || !strings.Contains(two, "信用修复") {
		t.Error("content is missing")
	}
	for _, want := range []string{"张小三", "11010519491231002X", "11110000000021135M", "13812341234", "企业开办大礼包", "不在园区投资经营负面清单之内", "DEMO01", "2026年3月2日", c.Park.Seals.Approval} {
		if !strings.Contains(three, want) {
			t.Errorf("part 3 lacks %s", want)
		}
	}
	if len(l.Declaration) < 5 || !strings.Contains(three, l.Declaration[0].Text) || l.Declaration[0].Head {
		t.Errorf("declaration %v", len(l.Declaration))
	}
	sum := sha256.Sum256([]byte(l.Text))
	if l.SHA256 != hex.EncodeToString(sum[:]) || !strings.Contains(l.Text, one) || !strings.Contains(l.Text, two) || !strings.Contains(l.Text, three) {
		t.Error("the hashed text is not the letter that was read")
	}
	if strings.ContainsAny(l.Text, "{}") || strings.Contains(l.Text, "。。") {
		t.Error("leftovers of the template")
	}
}

// Every point that a commitment letter must make has its heading in every letter, in the same order.
func TestLettersHoldEveryPoint(t *testing.T) {
	c := loadExample(t)
	want := [3][]string{
		{"事项名称和设定依据", "条件和标准", "免予提交的材料", "您的权利", "办理环节和时限", "收费", "核查", "公开", "监督和评价", "个人信息处理告知"},
		{"", "", "信用记录", "限制适用告知承诺", "法律责任", "陈述申辩和救济"},
		{"申请人信息", "经办人信息和授权", "事项", "负面清单确认", "领取方式", "承诺与签署"},
	}
	for _, name := range []string{"告知承诺", "备案", "一般"} {
		l := c.Letter(name).Compose(applicant(c.Item("P2-01")))
		for i, part := range l.Parts {
			var heads []string
			for _, p := range part.Paragraphs {
				if p.Head {
					heads = append(heads, p.Text)
				}
			}
			if len(heads) != len(want[i]) {
				t.Fatalf("%s part %d has the headings %v", name, i+1, heads)
			}
			for j, h := range heads {
				if !strings.Contains(h, want[i][j]) {
					t.Errorf("%s part %d: heading %s, want %s", name, i+1, h, want[i][j])
				}
			}
		}
		for _, must := range []string{"12345", "好差评", "信用修复", "行政复议", "撤回", "0元", "示例", "一式两份", "真实意思表示"} {
			if !strings.Contains(l.Text, must) {
				t.Errorf("%s does not say %s", name, must)
			}
		}
	}
}

func TestLetterFor(t *testing.T) {
	c := loadExample(t)
	for _, tt := range []struct {
		codes []string
		want  string // "" for none
	}{
		{[]string{"P2-01"}, "告知承诺"},
		{[]string{"P2-02"}, "备案"},
		{[]string{"P3-07"}, "一般"},
		{[]string{"P2-02", "P2-01"}, "告知承诺"},
		{[]string{"P2-02", "P3-07"}, "一般"},
		{[]string{"P3-07", "P3-06"}, "告知承诺"},
		{[]string{"P1-05"}, ""},
		{nil, ""},
	} {
		var items []*Item
		for _, code := range tt.codes {
			items = append(items, c.Item(code))
		}
		got := ""
		if l := c.LetterFor(items); l != nil {
			got = l.Name
		}
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.codes, got, tt.want)
		}
	}
}

func TestComposeSaysWhatIsMissing(t *testing.T) {
	c := loadExample(t)
	for name, tt := range map[string]struct {
		data LetterData
		want []string
	}{
		"not founded yet": {LetterData{Items: []*Item{c.Item("P2-01")}, NoCompany: true}, []string{"申请单位：企业尚未设立，由申请人本人申报。", "统一社会信用代码：暂无。", "负面清单：不涉及。", "联系电话：无。"}},
		"a person":        {LetterData{Items: []*Item{c.Item("S-03")}}, []string{"申请单位：申请人本人。"}},
		"code only":       {LetterData{Items: []*Item{c.Item("S-04")}, CreditCode: "X"}, []string{"申请单位：以统一社会信用代码登记的名称为准。", "需要收回原件：原营业执照正副本"}},
		"named":           {LetterData{Items: []*Item{c.Item("S-04")}, CreditCode: "X", Company: "甲公司"}, []string{"申请单位：甲公司。"}},
		"delivery":        {LetterData{Items: []*Item{c.Item("S-04")}, Delivery: "免费邮寄"}, []string{"领取方式：免费邮寄。"}},
		"nothing":         {LetterData{}, []string{"您本次申请 0 个事项"}},
	} {
		l := c.Letter("告知承诺").Compose(tt.data)
		for _, want := range tt.want {
			if !strings.Contains(l.Text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, partText(l.Parts[2]))
			}
		}
	}
}

// Whatever a visitor types stays text: it can neither fill a placeholder nor change what else the letter says.
func TestVisitorCannotChangeTheLetter(t *testing.T) {
	c := loadExample(t)
	letter := c.Letter("告知承诺")
	plain := letter.Compose(applicant(c.Item("P2-01")))
	rapid.Check(t, func(t *rapid.T) {
		d := applicant(c.Item("P2-01"))
		d.Applicant = rapid.StringMatching(`[张{}有若 事项园区。]{1,30}`).Draw(t, "name")
		l := letter.Compose(d)
		if want := strings.ReplaceAll(plain.Text, "张小三", d.Applicant); l.Text != want {
			t.Fatalf("%q changed the letter", d.Applicant)
		}
	})
}

// The hash of a letter follows from its data alone, and any difference in what is said changes it.
func TestComposeIsDeterministic(t *testing.T) {
	c := loadExample(t)
	a := c.Letter("备案").Compose(applicant(c.Item("P2-02")))
	b := loadExample(t).Letter("备案").Compose(applicant(c.Item("P2-02")))
	d := applicant(c.Item("P2-02"))
	d.Phone = "13812341235"
	if a.SHA256 != b.SHA256 || a.SHA256 == c.Letter("备案").Compose(d).SHA256 {
		t.Error("hash")
	}
}

func TestPersonalDataIsNotLogged(t *testing.T) {
	c := loadExample(t)
	d := applicant(c.Item("P2-01"))
	l := c.Letter("告知承诺").Compose(d)
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("x", "data", d, "letter", l)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		fmt.Fprintf(&out, format+format+format, d, &d, l)
	}
	for _, secret := range []string{"张小三", "11010519491231002X", "13812341234", "11110000000021135M"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s is in\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "C0001") {
		t.Error("a log that names no letter helps nobody")
	}
}

func TestTemplateProblems(t *testing.T) {
	const head = "---\nname: n\ntitle: t\nversion: v\nmode: 备案\n---\n"
	const one = "# 第一部分 a\n{{文书编号}}{{园区}}{{清单版本}}{{模板版本}}{{申请人}}{{日期}}\n{{每个事项}}\n{{事项}}\n{{事项结束}}\n"
	const rest = "# 第二部分 b\ntext\n# 第三部分 c\n## 承诺与签署\ntext\n"
	if _, problems := parseTemplate("x", []byte(head+one+rest)); len(problems) > 0 {
		t.Fatal(problems)
	}
	tests := map[string]struct {
		text string
		want []string
	}{
		"empty":             {"", []string{"x:1: must begin with a line ---"}},
		"head only":         {"---\nname: n\n---\n", []string{"missing", "missing", "missing"}},
		"head not closed":   {"---\nname: n\n", []string{"x:1: must begin with a line ---"}},
		"text before":       {head + "hello\n" + one + rest, []string{"x:7: this text is before the first part"}},
		"two parts":         {head + one + "# 第二部分 b\ntext\n", []string{"the letter has no # 第三部分"}},
		"empty part":        {head + one + "# 第二部分 b\n# 第三部分 c\n## 承诺与签署\nx\n", []string{"x:1: # 第二部分 b has no text"}},
		"four parts":        {head + one + rest + "# 第四部分\ntext\n", []string{"x:17: a letter has three parts; this is one too many"}},
		"parts in disorder": {head + one + "# 第三部分 c\nx\n# 第二部分 b\n## 承诺与签署\nx\n", []string{"x:12: want # 第二部分", "x:14: want # 第三部分"}},
		"deep heading":      {head + one + "### x\n" + rest, []string{"x:12: want # or ##"}},
		"empty heading":     {head + one + "##\n" + rest, []string{"x:12: want # or ##"}},
		"not closed":        {head + strings.Replace(one, "{{事项结束}}\n", "", 1) + rest, []string{"x:11: {{每个事项}} of line 9 is not closed"}},
		"not closed, end":   {head + one + rest + "{{每个事项}}\n", []string{"x:17: {{每个事项}} has no {{事项结束}}"}},
		"not opened":        {head + one + "{{事项结束}}\n" + rest, []string{"x:12: {{事项结束}} without {{每个事项}}"}},
		"nested":            {head + strings.Replace(one, "{{每个事项}}\n", "{{每个事项}}\n{{每个事项}}\n", 1) + rest, []string{"x:10: {{每个事项}} of line 9 is not closed"}},
		"unknown":           {head + one + "{{谁}}\n" + rest, []string{"x:12: {{谁}} is not known"}},
		"empty name":        {head + one + "a{{ }}\n" + rest, []string{"x:12: {{}} is empty"}},
		"half open":         {head + one + "a{{园区\n" + rest, []string{"x:12: {{ and }} must enclose a name"}},
		"half closed":       {head + one + "a}}\n" + rest, []string{"x:12: {{ and }} must enclose a name"}},
		"item outside":      {head + one + "{{结果}}\n" + rest, []string{"x:12: {{结果}} belongs to one item"}},
		"mode outside":      {head + one + "{{若 备案}}x\n" + rest, []string{"x:12: {{若 备案}} must stand between"}},
		"mode unknown":      {head + strings.Replace(one, "{{事项}}\n", "{{事项}}\n{{若 快办}}x\n", 1) + rest, []string{"x:11: {{若 快办}} must stand between"}},
		"condition":         {head + one + "{{有 谁}}x\n" + rest, []string{"x:12: {{有 谁}} names nothing"}},
		"condition alone":   {head + one + "{{有 套餐}}\n" + rest, []string{"x:12: a condition without a text"}},
		"says not who":      {head + strings.Replace(one, "{{申请人}}", "", 1) + rest, []string{"x:1: the letter nowhere says {{申请人}}"}},
		"nothing to sign":   {head + one + "# 第二部分 b\nx\n# 第三部分 c\nx\n", []string{"x:1: part 3 has no heading ## 承诺与签署"}},
		"not UTF-8":         {head + "\xff", []string{"x:1: the file is not UTF-8"}},
		"every one":         {head + "a\n" + one + "{{谁}}\n{{结果}}\n" + rest, []string{"x:7", "x:13", "x:14"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := parseTemplate("x", []byte(tt.text))
			problems.Sort()
			if len(problems) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(problems), len(tt.want), problems)
			}
			for i, want := range tt.want {
				if !strings.Contains(problems[i].String(), want) {
					t.Errorf("problem %d:\n got %s\nwant %s", i, problems[i], want)
				}
			}
		})
	}
}

// Every name that may be written in a letter is filled in: none is known to the checker only.
func TestEveryNameHasAValue(t *testing.T) {
	c := loadExample(t)
	template := c.Letter("告知承诺")
	d := applicant(c.Item("P2-01"))
	common, item := template.common(d), itemValues(d.Items[0], 1)
	for _, name := range commonNames() {
		if _, ok := common[name]; !ok {
			t.Errorf("{{%s}} has no value", name)
		}
	}
	for _, name := range itemNames() {
		if _, ok := item[name]; !ok {
			t.Errorf("{{%s}} has no value", name)
		}
	}
	for name := range common {
		if !slices.Contains(commonNames(), name) {
			t.Errorf("{{%s}} has a value but cannot be written", name)
		}
	}
	for name := range item {
		if !slices.Contains(itemNames(), name) {
			t.Errorf("{{%s}} has a value but cannot be written", name)
		}
	}
}
