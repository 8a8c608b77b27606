package catalogue

import (
	"fmt"
	"strconv"
	"strings"
)

// Guide returns the guide (办事指南) of an item, in the order a visitor asks: who, what is needed, how long, how much, how,
// then the course, the result and whom to turn to. Name and summary head the page and are not repeated in it.
func (c *Catalogue) Guide(it *Item) []Section {
	sections := []Section{
		{"谁能办", guideWho(it)},
		{"需要什么", guideMaterials(it)},
		{"多久", guideTime(it)},
		{"多少钱", guideFee(it)},
		{"怎么办", guideWays(it)},
		{"流程", guideSteps(it)},
		{"结果", guideResult(it)},
		{"到现场次数", []string{onsiteText(it)}},
		{"通办范围", lines(it.Scope)},
		{"设定依据", it.Basis},
		{"办理地点和时间", lines(it.Place, it.Hours, c.kioskHours(it))},
		{"咨询", lines(it.Consult, "政务服务便民热线 "+c.Park.Phones.Hotline)},
		{"监督", lines(it.Supervise, c.rating())},
		{"常见问题", guideFAQ(it)},
		{"版本", []string{fmt.Sprintf("%s，%s 更新", it.Version, it.Updated)}},
	}
	if c.Park.Example {
		last := &sections[len(sections)-1]
		last.Lines = append(last.Lines, "本指南为示例，以园区正式公布的为准")
	}
	kept := sections[:0]
	for _, s := range sections {
		if len(s.Lines) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// lines leaves out what is empty.
func lines(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func guideWho(it *Item) []string {
	out := lines(it.Who)
	for i, s := range it.Conditions {
		out = append(out, fmt.Sprintf("%d. %s", i+1, s))
	}
	if it.BottomLine {
		out = append(out, "本事项属于安全、环保等底线事项，由主管部门办理，本机只提供指南")
	}
	return out
}

// guideMaterials says first what one must bring, then what nobody needs to bring.
func guideMaterials(it *Item) []string {
	var own, free []string
	for _, m := range it.Materials {
		text := m.Name + "：" + m.Text
		if m.Source == SourceFetched || m.Source == SourceThirdParty {
			free = append(free, text)
			continue
		}
		own = append(own, text)
	}
	return append(own, free...)
}

func guideTime(it *Item) []string {
	return lines("承诺时限："+it.Promise.Text, "法定时限："+it.Legal.Text, prefixed("可提前准备：", it.Early))
}

func prefixed(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

func guideFee(it *Item) []string {
	amount := "不收费（0元）"
	if it.Fee.Cents > 0 {
		amount = formatYuan(it.Fee.Cents) + "元"
	}
	return lines(amount, prefixed("依据：", it.Fee.Basis), prefixed("另有：", it.Fee.Extra))
}

// guideWays puts what works from anywhere before what needs a way to the hall.
func guideWays(it *Item) []string {
	w := it.Ways
	online := prefixed("网上办：", w.Online)
	if online != "" && w.OnlineURL != "" {
		online += "（" + w.OnlineURL + "）"
	}
	kiosk := prefixed("自助机办：", w.Kiosk)
	if kiosk == "" && it.WhyNot != "" {
		kiosk = "自助机：本机不能申报，" + it.WhyNot
	}
	return lines(online, kiosk, prefixed("窗口办：", w.Window), prefixed("帮办代办：", w.Assist))
}

func guideSteps(it *Item) []string {
	out := []string{strings.Join(it.Steps, " → ")}
	if it.Capability == CapabilityForward {
		out = append(out, "园区受理后转"+it.Department+"办理")
	}
	if len(it.Joint) > 0 {
		out = append(out, "联办机构："+strings.Join(it.Joint, "、"))
	}
	if it.Review != "" {
		out = append(out, "审查方式："+it.Review)
	}
	if len(it.Options) > 0 {
		out = append(out, "可选择："+strings.Join(it.Options, "；"))
	}
	if len(it.Special) > 0 {
		out = append(out, "特殊程序："+strings.Join(it.Special, "；"))
	}
	return append(out, lines(prefixed("说明：", it.Note))...)
}

func guideResult(it *Item) []string {
	return lines(it.Result.Name, prefixed("样本：", it.Result.Sample), prefixed("领取方式：", strings.Join(it.Result.Delivery, "、")))
}

func onsiteText(it *Item) string {
	if it.Onsite > 0 {
		return "最多 " + strconv.Itoa(it.Onsite) + " 次"
	}
	return "0 次，不用跑窗口"
}

func (c *Catalogue) kioskHours(it *Item) string {
	if it.Ways.Kiosk == "" {
		return ""
	}
	return "自助机：" + c.Park.KioskHours
}

func (c *Catalogue) rating() string {
	return prefixed("“好差评”：", strings.Join(c.Park.Channels, "、"))
}

func guideFAQ(it *Item) []string {
	var out []string
	for _, qa := range it.FAQ {
		out = append(out, "问："+qa.Q, "答："+qa.A)
	}
	return out
}
