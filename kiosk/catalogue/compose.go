package catalogue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LetterData is what one application puts into a letter. It carries personal data and shows itself masked.
type LetterData struct {
	Number          string // 文书编号
	Items           []*Item
	Package         *Package // nil when single items were chosen
	Applicant       string   // the person at the machine
	ApplicantNumber string   // of their card
	Company         string   // its name, "" when it is not known
	CreditCode      string   // "" when there is none yet
	NoCompany       bool     // 企业尚未设立
	Phone           string
	Delivery        string    // 领取方式, "" for the items' own
	Date            time.Time // in the park's time zone
	Machine         string    // where it is signed
	NotListed       bool      // 负面清单 confirmed as not listed
}

// String names the letter and nobody.
func (d LetterData) String() string { return "letter " + d.Number }

// LogValue names the letter and nobody.
func (d LetterData) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Format keeps every verb, %+v and %#v too, from printing the fields.
func (d LetterData) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, d.String()) }

// Letter is a composed letter. It carries personal data and shows itself without it.
type Letter struct {
	Template, Version string // name and version of the template
	Number            string // 文书编号
	Title             string
	Parts             [3]Part
	Declaration       []Paragraph // what is signed: the end of part 3 once more
	Text              string      // canonical full text: what is kept and hashed
	SHA256            string      // of Text, lower-case hex
}

// Part is one of the three parts of a letter.
type Part struct {
	Title      string
	Paragraphs []Paragraph
}

// Paragraph is one paragraph or heading of a letter.
type Paragraph struct {
	Head bool
	Text string
}

// String names the letter and nobody.
func (l *Letter) String() string { return "letter " + l.Number + " " + l.SHA256 }

// LogValue names the letter and nobody.
func (l *Letter) LogValue() slog.Value { return slog.StringValue(l.String()) }

// Format keeps every verb from printing the text.
func (l *Letter) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, l.String()) }

// Letter returns the template with a name, nil when there is none.
func (c *Catalogue) Letter(name string) *LetterTemplate { return c.letters[name] }

// LetterFor returns the one template that covers all the given items, nil when an item has none.
//
// Items of different modes go into one letter, that of the mode that asks most of the applicant: a commitment letter can
// also carry a filing, but not the other way round.
func (c *Catalogue) LetterFor(items []*Item) *LetterTemplate {
	var best *LetterTemplate
	order := []Mode{ModeFiling, ModeGeneral, ModeCommitment}
	for _, it := range items {
		t := c.letters[it.Letter]
		if t == nil {
			return nil
		}
		if best == nil || slices.Index(order, t.Mode) > slices.Index(order, best.Mode) {
			best = t
		}
	}
	return best
}

// Compose fills the letter in. A package becomes one letter: what differs is repeated for each item, what is common stands once.
//
// Compose neither fails nor leaves a placeholder: Load has checked every name in the template, and what is not given says so.
func (t *LetterTemplate) Compose(d LetterData) *Letter {
	l := &Letter{Template: t.Name, Version: t.Version, Number: d.Number, Title: t.Title}
	f := &filler{common: t.common(d)}
	for i, it := range d.Items {
		f.items = append(f.items, filled{it, itemValues(it, i+1)})
	}
	for i, part := range t.parts {
		l.Parts[i] = Part{Title: part.title, Paragraphs: f.lines(part.lines)}
	}
	l.Declaration = f.lines(t.declaration())
	l.Text = l.canonical()
	sum := sha256.Sum256([]byte(l.Text))
	l.SHA256 = hex.EncodeToString(sum[:])
	return l
}

// canonical is the whole letter as plain text: one paragraph a line, UTF-8, lines ended by \n.
func (l *Letter) canonical() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n文书编号：%s\n文书模板：%s %s\n", l.Title, l.Number, l.Template, l.Version)
	for _, part := range l.Parts {
		fmt.Fprintf(&b, "\n%s\n", part.Title)
		for _, p := range part.Paragraphs {
			b.WriteString(p.Text + "\n")
		}
	}
	return b.String()
}

// filler puts values into lines.
type filler struct {
	common map[string]string
	items  []filled
}

type filled struct {
	item   *Item
	values map[string]string
}

func (f *filler) lines(lines []lineTemplate) []Paragraph {
	var out []Paragraph
	for i := 0; i < len(lines); {
		if lines[i].each == 0 {
			out = f.line(out, lines[i], filled{})
			i++
			continue
		}
		end := i
		for end < len(lines) && lines[end].each == lines[i].each {
			end++
		}
		for _, it := range f.items {
			for _, line := range lines[i:end] {
				out = f.line(out, line, it)
			}
		}
		i = end
	}
	return out
}

func (f *filler) line(out []Paragraph, line lineTemplate, of filled) []Paragraph {
	value := func(name string) string {
		if v, ok := of.values[name]; ok {
			return v
		}
		return f.common[name]
	}
	if line.mode != "" && of.item.Mode != line.mode || line.unless != "" && value(line.unless) == "" {
		return out
	}
	if len(line.segments) == 1 && slices.Contains(manyNames(), line.segments[0].name) {
		many := of.item.Conditions
		if line.segments[0].name == "特殊程序" {
			many = of.item.Special
		}
		for i, text := range many {
			out = append(out, Paragraph{Text: fmt.Sprintf("%d. %s。", i+1, strings.TrimRight(text, "。"))})
		}
		return out
	}
	var b strings.Builder
	for _, s := range line.segments {
		if s.name == "" {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(or(value(s.name), "无"))
	}
	return append(out, Paragraph{Head: line.head, Text: b.String()})
}

// common are the values of commonNames.
func (t *LetterTemplate) common(d LetterData) map[string]string {
	var names, seals, supervise, delivery []string
	for _, it := range d.Items {
		names = append(names, it.Name)
		seals = appendNew(seals, it.Seal)
		supervise = appendNew(supervise, it.Supervise)
		if len(it.Result.Delivery) > 0 {
			delivery = appendNew(delivery, it.Result.Delivery[0])
		}
	}
	park := t.park
	company := d.Company
	switch {
	case d.NoCompany:
		company = or(company, "企业尚未设立，由申请人本人申报")
	case company == "" && d.CreditCode == "":
		company = "申请人本人"
	case company == "":
		company = "以统一社会信用代码登记的名称为准"
	}
	listed := "不涉及"
	if d.NotListed {
		listed = "已查看并确认：拟投资经营的业务不在园区投资经营负面清单之内"
	}
	v := map[string]string{
		"园区": park.Name, "文书编号": d.Number, "模板版本": t.Version, "清单版本": park.ListVersion, "日期": d.Date.Format("2006年1月2日"),
		"事项清单": strings.Join(names, "、"), "事项数": strconv.Itoa(len(d.Items)), "套餐": "", "申请人": d.Applicant, "证件号码": d.ApplicantNumber,
		"申请单位": company, "统一社会信用代码": or(d.CreditCode, "暂无"), "联系电话": d.Phone, "领取方式": or(d.Delivery, strings.Join(delivery, "；")),
		"设备编号": d.Machine, "负面清单确认": listed, "监督电话": strings.Join(supervise, "、"), "咨询电话": park.Phones.Consult, "服务热线": park.Phones.Hotline,
		"评价渠道": strings.Join(park.Channels, "、"), "收件部门章": strings.Join(seals, "、"), "地址": park.Address, "办公时间": park.Hours, "取件地点": park.Pickup,
		"信息处理者": park.Privacy.Processor, "信息联系方式": park.Privacy.Contact, "保存天数": strconv.Itoa(park.Privacy.Days), "告知版本": park.Privacy.Version,
		"示例说明": "",
	}
	if d.Package != nil {
		v["套餐"] = d.Package.Name
	}
	if park.Example {
		v["示例说明"] = "本文书为示例，不具有法律效力"
	}
	return v
}

func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// itemValues are the values of itemNames for the nth item of a letter.
func itemValues(it *Item, n int) map[string]string {
	var fetched, takenBack []string
	for _, m := range it.Materials {
		switch m.Source {
		case SourceFetched:
			fetched = append(fetched, m.Name+"（由"+m.From+"调取核对）")
		case SourceThirdParty:
			fetched = append(fetched, m.Name+"（由"+m.From+"提前导入）")
		case SourceTakenBack:
			takenBack = append(takenBack, m.Name)
		}
	}
	code := "实施编码待园区配置"
	if it.Implementation != "" {
		code = it.Implementation
	}
	return map[string]string{
		"序号": strconv.Itoa(n), "事项": it.Name, "事项编码": it.Code + "（" + code + "）", "事项类型": string(it.Kind), "实施部门": it.Department,
		"办理方式": string(it.Mode), "设定依据": strings.Join(it.Basis, "；"), "受理条件": strings.Join(it.Conditions, "；"),
		"免提交材料": strings.Join(fetched, "、"), "收回材料": strings.Join(takenBack, "、"), "承诺时限": it.Promise.Text, "法定时限": it.Legal.Text,
		"收费": formatYuan(it.Fee.Cents) + "元", "收费依据": it.Fee.Basis, "结果": it.Result.Name, "领取": strings.Join(it.Result.Delivery, "、"),
		"特殊程序": strings.Join(it.Special, "；"), "事项监督电话": it.Supervise, "办理选项": strings.Join(it.Options, " / "),
		"办理环节": strings.Join(it.Steps, "→"), "现场次数": strconv.Itoa(it.Onsite), "审查方式": it.Review, "联办机构": strings.Join(it.Joint, "、"),
	}
}
