package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"yuanban/kiosk/strictyaml"
)

// LetterTemplate is a commitment letter (告知承诺书) before anyone's data is in it.
//
// It is written as a page with three headings # for its three parts and headings ## within them. {{园区}} and the like
// stand for what is filled in. Lines between {{每个事项}} and {{事项结束}} are repeated for each item; such a line may
// begin with {{若 备案}}, which keeps it for items of that mode only, or {{有 收回材料}}, which drops it where that is empty.
// A line that is only {{受理条件}} or {{特殊程序}} becomes one paragraph for each of them.
type LetterTemplate struct {
	Name    string // of the file's head
	Title   string
	Version string
	Mode    Mode // of the items it is for

	parts [3]partTemplate
	used  map[string]bool // names of the placeholders in it
	park  Park
	at    place
}

type partTemplate struct {
	title string
	lines []lineTemplate
}

// lineTemplate is one heading or paragraph.
type lineTemplate struct {
	head     bool
	each     int    // number of the repeated block it is in, 0 for none
	mode     Mode   // keep it for this mode only
	unless   string // drop it when this is empty
	segments []segment
}

// segment is a piece of text or a name to be replaced.
type segment struct {
	text string
	name string
}

// commonNames can be used everywhere in a letter.
func commonNames() []string {
	return []string{
		"园区", "文书编号", "模板版本", "清单版本", "日期", "事项清单", "事项数", "套餐", "申请人", "证件号码", "申请单位", "统一社会信用代码", "联系电话",
		"领取方式", "设备编号", "负面清单确认", "监督电话", "咨询电话", "服务热线", "评价渠道", "收件部门章", "地址", "办公时间", "取件地点",
		"信息处理者", "信息联系方式", "保存天数", "告知版本", "示例说明",
	}
}

// itemNames can be used between {{每个事项}} and {{事项结束}}.
func itemNames() []string {
	return []string{
		"序号", "事项", "事项编码", "事项类型", "实施部门", "办理方式", "设定依据", "受理条件", "免提交材料", "收回材料", "承诺时限", "法定时限", "收费", "收费依据",
		"结果", "领取", "特殊程序", "事项监督电话", "办理选项", "办理环节", "现场次数", "审查方式", "联办机构",
	}
}

// manyNames become a paragraph each when they stand alone on a line.
func manyNames() []string { return []string{"受理条件", "特殊程序"} }

var (
	placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)
	condition   = regexp.MustCompile(`^\{\{(若|有) ([^{}]+)\}\}`)
)

// requiredNames must occur in every letter: without them it would not say who signed what, and which text it was.
func requiredNames() []string {
	return []string{"文书编号", "园区", "事项", "清单版本", "模板版本", "申请人", "日期"}
}

func (l *loader) letters() {
	for _, name := range l.files("letters", ".md") {
		data, ok := l.read(name, true)
		if !ok {
			continue
		}
		t, problems := parseTemplate(name, data)
		l.problems = append(l.problems, problems...)
		t.park = l.c.Park
		switch other := l.c.letters[t.Name]; {
		case t.Name == "":
		case other != nil:
			l.problem(t.at.in("name"), "the letter %q is in %s already", t.Name, other.at)
		default:
			l.c.letters[t.Name] = t
		}
	}
}

// parseTemplate reads a letter and reports everything that is wrong with it.
func parseTemplate(file string, data []byte) (*LetterTemplate, strictyaml.Problems) {
	var raw rawLetter
	page, problems := parsePage(file, data, &raw)
	p := &templateParser{file: file, problems: problems, t: &LetterTemplate{
		Name: raw.Name, Title: raw.Title, Version: raw.Version, Mode: raw.Mode, used: map[string]bool{}, at: place{doc: page.doc},
	}}
	for _, line := range page.lines {
		p.line(line)
	}
	if p.open > 0 {
		p.problem(p.open, "{{每个事项}} has no {{事项结束}}")
	}
	if len(page.lines) > 0 {
		p.whole(page)
	}
	return p.t, p.problems
}

type templateParser struct {
	file     string
	t        *LetterTemplate
	problems strictyaml.Problems
	part     int // 1..3, 0 before the first heading
	blocks   int // repeated blocks so far
	open     int // line of the open block, 0 for none
}

func (p *templateParser) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, strictyaml.Problem{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (p *templateParser) line(line pageLine) {
	switch {
	case line.level == 1:
		p.begin(line)
		return
	case p.part == 0:
		p.problem(line.line, "this text is before the first part; begin with # 第一部分 …")
		return
	case p.part > 3:
		return
	case line.text == "{{每个事项}}":
		if p.open > 0 {
			p.problem(line.line, "{{每个事项}} of line %d is not closed", p.open)
		}
		p.open = line.line
		p.blocks++
		return
	case line.text == "{{事项结束}}":
		if p.open == 0 {
			p.problem(line.line, "{{事项结束}} without {{每个事项}}")
		}
		p.open = 0
		return
	}
	lt := lineTemplate{head: line.level == 2}
	if p.open > 0 {
		lt.each = p.blocks
	}
	text := line.text
	for m := condition.FindStringSubmatch(text); m != nil; m = condition.FindStringSubmatch(text) {
		p.condition(&lt, line.line, m[1], m[2])
		text = strings.TrimSpace(text[len(m[0]):])
	}
	if text == "" {
		p.problem(line.line, "a condition without a text")
	}
	lt.segments = p.segments(text, line.line, lt.each > 0)
	part := &p.t.parts[p.part-1]
	part.lines = append(part.lines, lt)
}

func (p *templateParser) begin(line pageLine) {
	if p.open > 0 {
		p.problem(line.line, "{{每个事项}} of line %d is not closed", p.open)
		p.open = 0
	}
	p.part++
	names := []string{"第一部分", "第二部分", "第三部分"}
	switch {
	case p.part > 3:
		p.problem(line.line, "a letter has three parts; this is one too many")
	case !strings.HasPrefix(line.text, names[p.part-1]):
		p.problem(line.line, "want # %s …, got # %s", names[p.part-1], line.text)
		fallthrough
	default:
		p.t.parts[p.part-1].title = line.text
	}
}

func (p *templateParser) condition(lt *lineTemplate, line int, word, of string) {
	switch {
	case word == "若" && (lt.each == 0 || !slices.Contains(Mode("").Choices(), of)):
		p.problem(line, "{{若 %s}} must stand between {{每个事项}} and {{事项结束}} and name one of %s", of, strings.Join(Mode("").Choices(), ", "))
	case word == "若":
		lt.mode = Mode(of)
	case !p.known(of, lt.each > 0):
		p.problem(line, "{{有 %s}} names nothing that can be filled in here", of)
	default:
		lt.unless = of
	}
}

func (p *templateParser) known(name string, each bool) bool {
	return slices.Contains(commonNames(), name) || each && slices.Contains(itemNames(), name)
}

func (p *templateParser) segments(text string, line int, each bool) []segment {
	var out []segment
	rest := text
	for m := placeholder.FindStringSubmatchIndex(rest); m != nil; m = placeholder.FindStringSubmatchIndex(rest) {
		if m[0] > 0 {
			out = append(out, segment{text: rest[:m[0]]})
		}
		name := strings.TrimSpace(rest[m[2]:m[3]])
		switch {
		case p.known(name, each):
			p.t.used[name] = true
			out = append(out, segment{name: name})
		case name == "":
			p.problem(line, "{{}} is empty; write the name of what is filled in")
		case slices.Contains(itemNames(), name):
			p.problem(line, "{{%s}} belongs to one item; put it between {{每个事项}} and {{事项结束}}", name)
		default:
			p.problem(line, "{{%s}} is not known; use one of %s; for each item also %s", name, strings.Join(commonNames(), " "), strings.Join(itemNames(), " "))
		}
		rest = rest[m[1]:]
	}
	if strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		p.problem(line, "{{ and }} must enclose a name")
	}
	if rest != "" {
		out = append(out, segment{text: rest})
	}
	return out
}

// whole checks what concerns the letter as a whole.
func (p *templateParser) whole(pg *page) {
	for i, name := range []string{"第一部分 申报条件告知书", "第二部分 未履行承诺惩戒措施", "第三部分 事项办理申报书"} {
		if i >= p.part {
			p.problem(1, "the letter has no # %s", name)
		} else if len(p.t.parts[i].lines) == 0 {
			p.problem(1, "# %s has no text", p.t.parts[i].title)
		}
	}
	for _, name := range requiredNames() {
		if !p.t.used[name] {
			p.problem(1, "the letter nowhere says {{%s}}; without it nobody can tell later who signed what", name)
		}
	}
	if p.part == 3 && len(p.t.declaration()) == 0 {
		p.problem(1, "part 3 has no heading ## 承诺与签署 with what is signed")
	}
}

// declaration returns what is signed: the lines under ## 承诺与签署 in part 3.
func (t *LetterTemplate) declaration() []lineTemplate {
	lines := t.parts[2].lines
	for i, line := range lines {
		if line.head && len(line.segments) == 1 && strings.Contains(line.segments[0].text, "承诺与签署") {
			return lines[i+1:]
		}
	}
	return nil
}
