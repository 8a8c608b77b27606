package catalogue

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Finding is one thing Lint found.
type Finding struct {
	Severity Severity
	Where    string // file:line
	Text     string // what is wrong, and what it means for a visitor
	Next     string // what to do about it
}

// String returns the finding on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s; %s", f.Where, f.Severity, f.Text, f.Next)
}

// Severity of a finding.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the content breaks a promise of the park or of the law
	SeverityWarning Severity = "warning" // the content works, but something is missing or wants a look
)

// Lint judges well-formed content: whether it keeps what the park has promised. Errors come first, then in the order of
// the files. now decides which calendars are needed.
func (c *Catalogue) Lint(now time.Time) []Finding {
	l := &linter{c: c, now: now, findings: slices.Clone(c.warnings)}
	for _, it := range c.items {
		l.ways(it)
		l.apply(it)
		l.materials(it)
		l.fee(it)
		l.limits(it)
		l.complete(it)
	}
	l.together()
	l.park()
	l.lists()
	l.calendar()
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), naturally(a.Where, b.Where))
	})
	return l.findings
}

// wholeFile is a finding's place when no line of the file is to blame.
type wholeFile string

func (f wholeFile) String() string { return string(f) + ":1" }

type linter struct {
	c        *Catalogue
	now      time.Time
	findings []Finding
}

func (l *linter) error(at fmt.Stringer, next, format string, args ...any) {
	l.findings = append(l.findings, Finding{SeverityError, at.String(), fmt.Sprintf(format, args...), next})
}

func (l *linter) warning(at fmt.Stringer, next, format string, args ...any) {
	l.findings = append(l.findings, Finding{SeverityWarning, at.String(), fmt.Sprintf(format, args...), next})
}

// ways: no item is a dead end.
func (l *linter) ways(it *Item) {
	at := it.at.in("ways")
	if it.Ways.Online == "" && it.Ways.Window == "" {
		l.error(at, "write ways.online or ways.window", "%s has neither an online way nor a window; who cannot use this machine has nowhere to go", it.Name)
	}
	if it.Ways.Assist == "" {
		l.error(at, "write ways.assist here or for its mode in defaults.yaml", "%s has no 帮办代办, which the park promises for every item", it.Name)
	}
	if it.Mode == ModeLink && it.Ways.OnlineURL == "" {
		l.warning(at, "write ways.online-url", "%s only links elsewhere but has no address to link to", it.Name)
	}
	if it.Mode == ModeCommitment && it.Ways.Window == "" {
		l.error(at, "write ways.window", "%s can only be done on commitment; 告知承诺 is voluntary, so an ordinary way must exist", it.Name)
	}
	u, err := url.Parse(it.Ways.OnlineURL)
	if err == nil && u.Host != "" && slices.Contains(l.c.Park.ClosedSites, u.Hostname()) {
		l.error(at, "link to the park's own service", "%s links to %s, which no longer takes applications for items of this park", it.Name, u.Hostname())
	}
}

// apply: what may be applied for on this machine.
func (l *linter) apply(it *Item) {
	if !it.CanApply {
		return
	}
	at := it.at.in("apply")
	switch {
	case it.BottomLine:
		l.error(at, "set apply: false", "%s is a bottom-line item (底线事项) and can be applied for here; safety and environment stay with their departments", it.Name)
	case it.Mode == ModeLink:
		l.error(at, "set apply: false or change the mode", "%s is a link only (跳转) and can be applied for here", it.Name)
	case it.Class == "依职权":
		l.error(at, "set apply: false", "%s is exercised by the authority (依职权); nobody can apply for it", it.Name)
	case it.Transfer != "已承接":
		l.error(at, "set apply: false until the handover is complete", "%s is %s, so the park may not accept applications yet", it.Name, it.Transfer)
	}
	if it.Letter == "" {
		l.error(it.at.in("letter"), "name a letter here or for its mode in defaults.yaml", "%s can be applied for but has no letter to sign", it.Name)
	}
	if t := l.c.letters[it.Letter]; t != nil && t.Mode != it.Mode {
		l.warning(it.at.in("letter"), "use the letter of its own mode", "%s is %s but its letter %s is made for %s", it.Name, it.Mode, t.Name, t.Mode)
	}
	spot := it.Promise.Limit.Unit == UnitOnTheSpot || it.Promise.Limit.Unit == UnitHour24 && it.Promise.Limit.Amount == 1
	if spot && !slices.Equal(it.Steps, []string{"收件受理", "办结出件"}) {
		l.error(it.at.in("steps"), "leave exactly 收件受理 and 办结出件, and move the rest to special", "%s is promised within a day (即办) but has the steps %s", it.Name, strings.Join(it.Steps, "、"))
	}
}

// materials: 收回 is the only reason to ask for a paper, 身份核验 the only document that is shown.
func (l *linter) materials(it *Item) {
	takenBack := false
	for i, m := range it.Materials {
		at := it.at.in(fmt.Sprintf("materials[%d].name", i))
		switch m.Source {
		case SourceTakenBack:
			takenBack = true
			if strings.Contains(m.Name, "证明") {
				l.error(at, "let a department fetch it (source: DQ)", "%s asks for %s; a 证明 may not be asked of the applicant", it.Name, m.Name)
			}
		case SourceIdentity:
			if !slices.ContainsFunc([]string{"身份证", "通行证", "居留", "居住证"}, func(s string) bool { return strings.Contains(m.Name, s) }) {
				l.error(at, "let a department fetch it (source: DQ); only originals that are taken back may be asked for (source: SH)", "%s asks for %s as if it were an identity card", it.Name, m.Name)
			}
		}
		if m.Source != SourceTakenBack && (strings.Contains(m.Text, "提交原件") || strings.Contains(m.Text, "提供复印件") || strings.Contains(m.Text, "携带")) {
			l.error(at, "say 免提交 and who fetches it", "%s says to bring %s, but only originals that are taken back may be asked for", it.Name, m.Name)
		}
	}
	if takenBack && it.Onsite == 0 {
		l.error(it.at.in("onsite"), "set onsite: 1", "%s takes an original back but says that nobody needs to come", it.Name)
	}
}

// fee: nothing is charged outside the fee list, and nothing of the city's own.
func (l *linter) fee(it *Item) {
	at := it.at.in("fee")
	fees := l.c.ListOf(ListFee)
	listed := it.Fee.Row != "" && fees != nil && slices.ContainsFunc(fees.Rows, func(r Row) bool { return r.Number == it.Fee.Row })
	switch {
	case it.Fee.Row != "" && !listed:
		l.error(at.in("row"), "correct the number or add the row to the fee list (收费目录清单)", "%s names row %s of the fee list, which is not there", it.Name, it.Fee.Row)
	case it.Fee.Cents > 0 && !listed:
		l.error(at, "set yuan: 0, or name its row in the fee list (收费目录清单)", "%s costs %s元 but is not on the fee list; outside the list nothing is charged", it.Name, formatYuan(it.Fee.Cents))
	case it.Fee.Cents > 0 && (it.Level == "市级" || it.Level == "县级" || it.Level == "园区"):
		l.error(at, "set yuan: 0", "%s costs %s元 although its level is %s; fees of this level are waived", it.Name, formatYuan(it.Fee.Cents), it.Level)
	}
	if it.Fee.Basis == "" {
		l.warning(at, "write fee.basis", "%s does not say on what its fee, or its being free, is based", it.Name)
	}
}

func (l *linter) limits(it *Item) {
	longer, ok := it.Promise.Limit.longer(it.Legal.Limit)
	switch {
	case !ok || !longer:
	case it.Legal.Limit.Unit == UnitOnTheSpot: // 即时: the law names no days, and what "at once" takes is the park's to judge
		l.warning(it.at.in("promise"), "compare it with the law and promise 当场 if you can", "%s promises %s while the law says %s", it.Name, it.Promise.Text, it.Legal.Text)
	default:
		l.error(it.at.in("promise"), "promise no more than the law allows", "%s promises %s, longer than the legal limit %s", it.Name, it.Promise.Text, it.Legal.Text)
	}
	if it.CanApply && it.Promise.Limit.Unit == UnitText && len(it.Special) == 0 {
		l.warning(it.at.in("promise"), "write 当场, 1天 or 5个工作日, or the special procedure it waits for", "%s promises %q, from which no due time can be computed", it.Name, it.Promise.Text)
	}
}

// complete: the guide answers every question.
func (l *linter) complete(it *Item) {
	var missing []string
	given := map[string]bool{}
	for _, s := range l.c.Guide(it) {
		given[s.Head] = true
	}
	for _, head := range []string{"谁能办", "需要什么", "流程", "结果", "通办范围", "设定依据", "办理地点和时间", "咨询", "监督", "常见问题"} {
		if !given[head] {
			missing = append(missing, head)
		}
	}
	if len(missing) > 0 {
		l.warning(it.at, "fill them in here or in defaults.yaml", "the guide of %s leaves out %s", it.Name, strings.Join(missing, "、"))
	}
	if it.CanApply && len(it.Result.Delivery) == 0 {
		l.warning(it.at.in("result"), "write result.delivery", "%s does not say how the result is fetched", it.Name)
	}
}

// together: what is wrong the same way with many items is said once for each file.
func (l *linter) together() {
	names := map[string]*Item{}
	uncoded := map[string][]*Item{}
	for _, it := range l.c.items {
		if other := names[it.Name]; other != nil {
			l.warning(it.at.in("name"), "give them different names, or use include in the package", "%s and %s have the same name %s", other.Code, it.Code, it.Name)
		}
		names[it.Name] = it
		if it.CanApply && it.Implementation == "" {
			file := it.at.doc.File()
			uncoded[file] = append(uncoded[file], it)
		}
	}
	for _, items := range uncoded {
		var codes []string
		for _, it := range items {
			codes = append(codes, it.Code)
		}
		l.warning(items[0].at.in("implementation-code"), "enter the park's own 实施编码 under implementation-code",
			"未配置实施编码，不能上报: cases of %s stay 预受理 and cannot be reported to the province", strings.Join(codes, " "))
	}
}

func (l *linter) park() {
	park := l.c.Park
	if park.Example {
		l.warning(park.at.in("example"), "replace it by the park's own content and remove example: true", "this content is an example (示例); nothing in it is in force")
	}
	if len(l.c.Packages) == 0 {
		l.warning(park.at, "write packages/P1.yaml", "there is no package (一件事一次办)")
	}
	if len(l.c.Helpers) == 0 {
		l.error(wholeFile("helpers.yaml"), "write helpers.yaml", "nobody is named for 帮办代办")
	}
	if !slices.ContainsFunc(l.c.Help, func(h HelpLine) bool { return h.Number == park.Phones.Hotline }) {
		l.error(park.at.in("phones.hotline"), "add it to help.yaml", "the help screen does not have the hotline %s", park.Phones.Hotline)
	}
	windows := map[string]bool{}
	for _, s := range l.c.Staff {
		windows[s.Window] = true
	}
	if len(windows) < 2 {
		l.warning(wholeFile("staff.yaml"), "add the staff of the second window to staff.yaml", "fewer than two windows have staff; the park promises two integrated windows")
	}
}

// lists: the three lists are disclosed, and they agree with the items.
func (l *linter) lists() {
	for _, want := range []struct {
		kind ListKind
		name string
	}{{ListPower, "权力清单"}, {ListNegative, "投资经营负面清单"}, {ListResponsibility, "责任清单"}} {
		if l.c.ListOf(want.kind) == nil {
			l.error(l.c.Park.at, "add it to lists/lists.yaml", "there is no %s, which the park must disclose", want.name)
		}
	}
	power := l.c.ListOf(ListPower)
	if power == nil {
		return
	}
	listed := map[string]bool{}
	for _, row := range power.Rows {
		for _, code := range row.Items {
			listed[code] = true
		}
	}
	var missing []string
	for _, it := range l.c.items {
		if it.Kind != KindPublic && it.Kind != KindBroker && it.CanApply && !listed[it.Code] {
			missing = append(missing, it.Code)
		}
	}
	if len(missing) > 0 {
		l.warning(power.at, "name them under 业务事项 of a row in lists/"+power.ID+".csv", "%s exercise a power but stand in no row of the %s", strings.Join(missing, " "), power.Name)
	}
}

func (l *linter) calendar() {
	year := l.now.Year()
	if l.c.Calendar.years[year] == nil {
		l.error(calendarFile(year), "write it from the published plan of the State Council", "the calendar of this year is missing; due dates in 工作日 count holidays as working days")
	}
	if l.c.Calendar.years[year+1] == nil {
		l.warning(calendarFile(year+1), "write it once the State Council has published its plan", "the calendar of next year is missing; due dates beyond December count holidays as working days")
	}
}

func calendarFile(year int) wholeFile { return wholeFile("calendar/" + strconv.Itoa(year) + ".csv") }
