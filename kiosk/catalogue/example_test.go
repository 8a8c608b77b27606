package catalogue

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func loadExample(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Load(Example())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// afterNewYear is a day on which both calendars of the example are wanted.
var afterNewYear = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)

func TestExampleIsWhole(t *testing.T) {
	c := loadExample(t)
	if len(c.Packages) != 9 || len(c.Items()) != 62 || !c.Park.Example {
		t.Errorf("%d packages, %d items, example %v", len(c.Packages), len(c.Items()), c.Park.Example)
	}
	modes, inPackages := map[Mode]int{}, 0
	for _, it := range c.Items() {
		modes[it.Mode]++
		inPackages += len(it.Packages)
		if c.Item(it.Code) != it {
			t.Errorf("Item(%s) finds another", it.Code)
		}
	}
	if inPackages != 57 || modes[ModeCommitment] != 30 || modes[ModeFiling] != 22 || modes[ModeGeneral] != 3 || modes[ModeLink] != 7 {
		t.Errorf("%d in packages, modes %v", inPackages, modes)
	}
	if c.Packages[0].Code != "P1" || c.Packages[8].Code != "P9" || c.Packages[1].Name != "企业开办大礼包" {
		t.Errorf("order of packages")
	}
	for _, l := range c.Lists {
		if l.Kind != ListFee && (len(l.Rows) < 8 || len(l.Rows) > 12) {
			t.Errorf("%s has %d rows", l.Name, len(l.Rows))
		}
		if !strings.Contains(l.Version, "示例") {
			t.Errorf("%s is not marked 示例", l.Name)
		}
	}
	if len(c.Documents) < 3 || len(c.Staff) != 3 || len(c.Helpers) < 3 || len(c.Stages()) != 7 {
		t.Errorf("%d documents, %d staff, %d helpers, %d stages", len(c.Documents), len(c.Staff), len(c.Helpers), len(c.Stages()))
	}
	var numbers []string
	for _, h := range c.Help {
		numbers = append(numbers, h.Number)
	}
	if !slices.Equal(numbers, []string{"12345", "110", "119", "120", "122"}) {
		t.Errorf("help %v", numbers)
	}
	if got := strings.Count(string(c.Reasons.Raw), "\n"); got != 41 || c.Reasons.Version == "" {
		t.Errorf("reasons: %d lines, version %q", got, c.Reasons.Version)
	}
}

// The example is what parks start from: it breaks no rule, and says of itself what must be replaced.
func TestExampleHasNoErrors(t *testing.T) {
	var text []string
	for _, f := range loadExample(t).Lint(afterNewYear) {
		if f.Severity == SeverityError {
			t.Errorf("%v", f)
		}
		if f.Next == "" || !strings.Contains(f.Where, ":") {
			t.Errorf("no place or next step: %v", f)
		}
		text = append(text, f.String())
	}
	for _, want := range []string{"未配置实施编码，不能上报", "示例", "须核对"} {
		if !strings.Contains(strings.Join(text, "\n"), want) {
			t.Errorf("lint does not say %s", want)
		}
	}
}

func TestExampleRules(t *testing.T) {
	c := loadExample(t)
	for _, it := range c.Items() {
		if n := utf8.RuneCountInString(it.Summary); n == 0 || n > 40 {
			t.Errorf("%s: summary of %d characters", it.Code, n)
		}
		if len(it.FAQ) == 0 || len(it.FAQ) > 3 {
			t.Errorf("%s: %d questions", it.Code, len(it.FAQ))
		}
		if it.CanApply != (it.Mode != ModeLink) || it.CanApply != (it.Ways.Kiosk != "") || it.CanApply != (it.Letter != "") {
			t.Errorf("%s: apply %v, mode %s, kiosk %q, letter %q", it.Code, it.CanApply, it.Mode, it.Ways.Kiosk, it.Letter)
		}
		if !it.CanApply && it.WhyNot == "" {
			t.Errorf("%s: says not why it cannot be applied for", it.Code)
		}
		if it.Fee.Cents != 0 || it.Implementation != "" || it.Basic != "" {
			t.Errorf("%s: the example invents a fee or a code", it.Code)
		}
		if !slices.ContainsFunc(it.Basis, func(s string) bool { return strings.Contains(s, "示例") }) {
			t.Errorf("%s: its basis is not marked 示例", it.Code)
		}
	}
	it := c.Item("P2-01")
	if it.Applicant != ApplicantEither || !it.Negative || it.Promise.Limit != (Limit{1, UnitHour24}) || it.Seal != c.Park.Seals.Approval || it.Stage != "开办" {
		t.Errorf("P2-01: %+v", it)
	}
	if it := c.Item("P4-04"); it.Seal != c.Park.Seals.Supervision {
		t.Errorf("P4-04 bears %s", it.Seal)
	}
	if it := c.Item("P1-05"); !it.BottomLine || it.CanApply {
		t.Errorf("the bottom-line item P1-05 can be applied for")
	}
	for _, it := range c.Package("P2").Items {
		if it.Applicant == ApplicantEnterprise {
			t.Errorf("%s asks for a credit code that a company to be founded has not", it.Code)
		}
	}
	if it := c.Item("P4-05"); it.Promise.Limit != (Limit{5, UnitWorkday}) || len(it.Options) != 3 {
		t.Errorf("P4-05: %+v %v", it.Promise, it.Options)
	}
}

// Texts of the example hold no English words, no leftovers of templates, no half-width punctuation between Chinese characters.
func TestExampleProse(t *testing.T) {
	c := loadExample(t)
	check := func(where, text string) {
		runes := []rune(text)
		for i, r := range runes {
			before, after := i > 0 && runes[i-1] > 0x2E80, i+1 < len(runes) && runes[i+1] > 0x2E80
			if strings.ContainsRune(",;:()?!", r) && (before || after) {
				t.Errorf("%s: half-width %q in %s", where, r, text)
			}
		}
		if strings.Contains(text, "{{") || strings.Contains(text, "}}") || strings.TrimSpace(text) == "" || strings.Contains(text, "。。") {
			t.Errorf("%s: %q", where, text)
		}
	}
	for _, it := range c.Items() {
		check(it.Code, it.Summary)
		for _, s := range c.Guide(it) {
			for _, line := range s.Lines {
				check(it.Code+" "+s.Head, line)
			}
		}
	}
	for _, d := range c.Documents {
		for _, s := range d.Sections {
			for _, line := range s.Lines {
				check(d.ID, line)
			}
		}
	}
}

// The avatars are pictures a browser shows under a strict policy: well-formed, without script and without links.
func TestExamplePhotos(t *testing.T) {
	c := loadExample(t)
	for _, s := range c.Staff {
		data, err := fs.ReadFile(c.Files, s.Photo)
		if err != nil || path.Ext(s.Photo) != ".svg" {
			t.Fatalf("%s: %v", s.Photo, err)
		}
		dec := xml.NewDecoder(strings.NewReader(string(data)))
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", s.Photo, err)
			}
			if e, ok := token.(xml.StartElement); ok && !slices.Contains([]string{"svg", "rect", "circle", "path", "g"}, e.Name.Local) {
				t.Errorf("%s: element %s", s.Photo, e.Name.Local)
			}
		}
	}
}

func TestGuideOrder(t *testing.T) {
	c := loadExample(t)
	want := []string{"谁能办", "需要什么", "多久", "多少钱", "怎么办", "流程", "结果", "到现场次数", "通办范围", "设定依据", "办理地点和时间", "咨询", "监督", "常见问题", "版本"}
	for _, it := range c.Items() {
		var heads []string
		for _, s := range c.Guide(it) {
			heads = append(heads, s.Head)
		}
		if !slices.Equal(heads, want) {
			t.Errorf("%s: %v", it.Code, heads)
		}
	}
	text := func(code, head string) string {
		for _, s := range c.Guide(c.Item(code)) {
			if s.Head == head {
				return strings.Join(s.Lines, "\n")
			}
		}
		return ""
	}
	for _, tt := range []struct{ code, head, want string }{
		{"P2-01", "需要什么", "免提交，由不动产登记机构调取核对"},
		{"P3-05", "需要什么", "公司印章：需收回原件，请到窗口交回"},
		{"P3-05", "到现场次数", "最多 1 次"},
		{"P2-01", "到现场次数", "0 次"},
		{"P2-01", "多少钱", "0元"},
		{"P2-01", "多久", "承诺时限：1天\n法定时限：3个工作日（复杂可再延3个工作日）"},
		{"P1-05", "谁能办", "底线事项"},
		{"P1-05", "怎么办", "本机不能申报，属于底线事项"},
		{"P4-05", "流程", "土方开挖与基坑支护；基础与地下工程；地上主体工程"},
		{"P4-08", "流程", "联办机构：自然资源"},
		{"P8-04", "流程", "园区受理后转科技办理"},
		{"P2-07", "常见问题", "问：可以指定银行吗？\n答：可以，由您自主选择。"},
		{"P2-01", "咨询", "12345"},
		{"P2-01", "版本", "示例"},
	} {
		if got := text(tt.code, tt.head); !strings.Contains(got, tt.want) {
			t.Errorf("%s %s: %s\nwant %s", tt.code, tt.head, got, tt.want)
		}
	}
	// Online comes before the machine, the machine before the window.
	ways := text("P2-01", "怎么办")
	if !(strings.Index(ways, "网上办") < strings.Index(ways, "自助机办") && strings.Index(ways, "自助机办") < strings.Index(ways, "窗口办") && strings.Index(ways, "窗口办") < strings.Index(ways, "帮办代办")) {
		t.Errorf("order of ways:\n%s", ways)
	}
}

func TestWorkday(t *testing.T) {
	c := loadExample(t)
	for _, tt := range []struct {
		date           string
		workday, known bool
	}{
		{"2026-01-05", true, true},   // Monday
		{"2026-01-10", false, true},  // Saturday
		{"2026-01-01", false, true},  // Thursday, a holiday
		{"2026-01-04", true, true},   // Sunday, worked
		{"2030-01-07", true, false},  // Monday of a year without a file
		{"2030-01-06", false, false}, // Sunday of such a year
	} {
		day, err := time.Parse(time.DateOnly, tt.date)
		if err != nil {
			t.Fatal(err)
		}
		if workday, known := c.Calendar.Workday(day); workday != tt.workday || known != tt.known {
			t.Errorf("%s: %v %v, want %v %v", tt.date, workday, known, tt.workday, tt.known)
		}
	}
	// The date is that of the park's time zone, not of UTC.
	shanghai := time.FixedZone("", 8*3600)
	if workday, _ := c.Calendar.Workday(time.Date(2026, 1, 5, 1, 0, 0, 0, shanghai)); !workday {
		t.Error("Monday at 01:00 in Shanghai is Sunday in UTC, but a working day in the park")
	}
}
