package catalogue

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// termForm matches what a clerk writes: 当场, 1天, 并联5个工作日, each with a remark in brackets.
var termForm = regexp.MustCompile(`^(?:并联)?(?:(当场|即时)|(\d{1,3})(个工作日|工作日|天|日|小时))(?:[(（]([^()（）]+)[)）])?$`)

// ParseTerm reads a time limit as it is published. What counts from another moment than acceptance (公示期满后, 30日内申办)
// and what names no number (无, 按政策) is a text only. The error says how to write it when a number is there but not understood.
func ParseTerm(s string) (Term, error) {
	s = strings.TrimSpace(s)
	t := Term{Text: s, Limit: Limit{Unit: UnitText}}
	m := termForm.FindStringSubmatch(s)
	switch {
	case s == "":
		return t, fmt.Errorf("a time limit must not be empty; write 当场, 1天, 5个工作日, or 无")
	case m == nil:
		if strings.ContainsAny(s, "0123456789") && !strings.HasSuffix(s, "后") && !strings.HasSuffix(s, "申办") {
			return t, fmt.Errorf("cannot read the time limit %q; write 当场, 1天 or 5个工作日, with a remark in brackets: 1天(受理)", s)
		}
		return t, nil
	case strings.HasSuffix(m[4], "后"): // 1天(公示期满后): counted from a moment that is not known at acceptance
		return t, nil
	case m[1] != "":
		t.Limit.Unit = UnitOnTheSpot
		return t, nil
	}
	n, err := strconv.Atoi(m[2])
	if err != nil || n == 0 {
		return t, fmt.Errorf("the time limit %q has no days; write 当场", s)
	}
	switch m[3] {
	case "个工作日", "工作日":
		t.Limit = Limit{n, UnitWorkday}
	case "小时":
		if n%24 != 0 {
			return t, fmt.Errorf("the time limit %q is not a number of days; write days: 24小时 is 1天", s)
		}
		t.Limit = Limit{n / 24, UnitHour24}
	default:
		t.Limit = Limit{n, UnitHour24}
	}
	return t, nil
}

// UnmarshalText reads a term from a file.
func (t *Term) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTerm(string(text))
	return err
}

// longer says whether l takes longer than another limit; ok is false where the two cannot be compared.
func (l Limit) longer(than Limit) (longer, ok bool) {
	switch {
	case l.Unit == UnitText || than.Unit == UnitText:
		return false, false
	case l.Unit == than.Unit || l.Unit == UnitOnTheSpot || than.Unit == UnitOnTheSpot:
		return l.Amount > than.Amount, true
	case l.Unit == UnitHour24 && than.Unit == UnitWorkday: // n working days are at least n natural days
		return false, l.Amount <= than.Amount
	default: // working days against natural days: five working days may take nine days
		return false, false
	}
}

// yuan is an amount of money in 分, written in 元: 0, 80, 0.50.
type yuan int

var yuanForm = regexp.MustCompile(`^(0|[1-9]\d{0,6})(?:\.(\d{1,2}))?$`)

// UnmarshalText reads an amount from a file.
func (y *yuan) UnmarshalText(text []byte) error {
	m := yuanForm.FindStringSubmatch(string(text))
	if m == nil {
		return fmt.Errorf("want an amount in 元 like 0, 80 or 0.50, got %q", text)
	}
	whole, _ := strconv.Atoi(m[1])
	part, _ := strconv.Atoi((m[2] + "00")[:2])
	*y = yuan(whole*100 + part)
	return nil
}

// formatYuan writes 分 as 元.
func formatYuan(cents int) string {
	if cents%100 == 0 {
		return strconv.Itoa(cents / 100)
	}
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}
