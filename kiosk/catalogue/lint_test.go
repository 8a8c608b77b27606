package catalogue

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestLint(t *testing.T) {
	tests := map[string]struct {
		harm func(m files)
		want []string // among the findings; a leading ! means that none may say so
	}{
		"fee off the list": {func(m files) { m.change("packages/P2.yaml", "yuan: 0", "yuan: 80") }, []string{"packages/P2.yaml:39: error: 公司设立登记 costs 80元 but is not on the fee list"}},
		"fee of the city":  {func(m files) { m.change("packages/P4.yaml", "yuan: 0", "yuan: 80\n      row: F05") }, []string{"error: 建设用地规划许可证核发 costs 80元 although its level is 市级"}},
		"fee on the list": {func(m files) {
			m.change("packages/P4.yaml", "level: 市级", "level: 省级")
			m.change("packages/P4.yaml", "yuan: 0", "yuan: 80\n      row: F05")
		}, []string{"!costs 80元"}},
		"row not there": {func(m files) { m.change("packages/P5.yaml", "row: F01", "row: F99") }, []string{"names row F99 of the fee list, which is not there"}},
		"no basis of fee": {func(m files) {
			m.change("packages/P2.yaml", "basis: 收费目录清单之外一律不收费", "extra: x")
		}, []string{"warning: 公司设立登记 does not say on what its fee"}},
		"bottom line":  {func(m files) { m.change("packages/P1.yaml", "bottom-line: true", "bottom-line: true\n    apply: true") }, []string{"packages/P1.yaml:181: error: 建设项目环境影响登记表备案 is a bottom-line item"}},
		"link applied": {func(m files) { m.change("packages/P6.yaml", "mode: 跳转", "mode: 跳转\n    apply: true") }, []string{"发票领用 is a link only (跳转) and can be applied for here", "发票领用 can be applied for but has no letter"}},
		"by authority": {func(m files) {
			m.change("packages/P2.yaml", "mode: 告知承诺", "mode: 告知承诺\n    class: 依职权")
		}, []string{"公司设立登记 is exercised by the authority (依职权)"}},
		"not handed over": {func(m files) {
			m.change("packages/P2.yaml", "mode: 告知承诺", "mode: 告知承诺\n    transfer: 下放中")
		}, []string{"公司设立登记 is 下放中, so the park may not accept"}},
		"three steps": {func(m files) {
			m.change("packages/P2.yaml", "steps: [收件受理, 办结出件]", "steps: [收件受理, 审查, 办结出件]")
		}, []string{"公司设立登记 is promised within a day (即办) but has the steps 收件受理、审查、办结出件"}},
		"longer than law": {func(m files) {
			m.change("packages/P2.yaml", "promise: 1天\n    legal", "promise: 5个工作日\n    legal")
		}, []string{"error: 公司设立登记 promises 5个工作日, longer than the legal limit 3个工作日"}},
		"as the law":  {func(m files) {}, []string{"warning: 公章刻制备案（首套） promises 1天 while the law says 即时", "!longer than the legal limit"}},
		"no due time": {func(m files) { m.change("packages/P2.yaml", "promise: 1天\n    legal", "promise: 尽快\n    legal") }, []string{`公司设立登记 promises "尽快", from which no due time can be computed`}},
		"asks a 证明":   {func(m files) { m.change("packages/P3.yaml", "name: 公司印章", "name: 印章遗失证明") }, []string{"公章缴销备案 asks for 印章遗失证明"}},
		"asks a paper": {func(m files) {
			m.change("packages/P2.yaml", "{source: ID, name: 法定代表人或经办人居民身份证}", "{source: ID, name: 房产证}")
		}, []string{"公司设立登记 asks for 房产证 as if it were an identity card"}},
		"says bring it": {func(m files) {
			m.change("defaults.yaml", "DQ: 免提交，由{{单位}}调取核对", "DQ: 请携带原件")
		}, []string{"公司设立登记 says to bring 住所（经营场所）产权信息"}},
		"taken back": {func(m files) { m.change("packages/P3.yaml", "onsite: 1", "onsite: 0") }, []string{"takes an original back but says that nobody needs to come"}},
		"no assistance": {func(m files) {
			m.change("defaults.yaml", "      assist: 可请帮办代办员免费协助或代为申报\n", "")
		}, []string{"公司设立登记 has no 帮办代办"}},
		"no window": {func(m files) {
			m.change("defaults.yaml", "      window: 到{{地点}}办理；不采用告知承诺的，按一般程序办理\n", "")
		},
			[]string{"公司设立登记 can only be done on commitment"}},
		"dead end": {func(m files) {
			m.change("defaults.yaml", "      window: 到{{地点}}办理；不采用告知承诺的，按一般程序办理\n", "")
			m.change("defaults.yaml", "      online: 手机扫码，在园区网上服务大厅核验身份、签署承诺书\n", "")
		}, []string{"公司设立登记 has neither an online way nor a window"}},
		"closed site": {func(m files) {
			m.change("packages/P7.yaml", "https://park.example/tiaozhuan/shuiwu", "https://old-service.example/x")
		}, []string{"links to old-service.example, which no longer takes applications"}},
		"letter of": {func(m files) {
			m.change("packages/P2.yaml", "mode: 告知承诺", "mode: 告知承诺\n    letter: 备案")
		}, []string{"公司设立登记 is 告知承诺 but its letter 备案 is made for 备案"}},
		"not in power": {func(m files) { m.change("lists/power.csv", "P2-01、", "") }, []string{"lists/lists.yaml:3: warning: P2-01 exercise a power but stand in no row of the 权力清单"}},
		"no list":      {func(m files) { m.change("lists/lists.yaml", "kind: negative", "kind: other") }, []string{"there is no 投资经营负面清单, which the park must disclose"}},
		"no helpline":  {func(m files) { m.change("help.yaml", "'12345'", "'12346'") }, []string{"the help screen does not have the hotline 12345"}},
		"one window": {func(m files) {
			m.change("staff.yaml", "window: '2'", "window: '1'")
			m.change("staff.yaml", "window: '3'", "window: '1'")
		}, []string{"fewer than two windows have staff"}},
		"no next year":  {func(m files) { m.drop("calendar/2027.csv") }, []string{"calendar/2027.csv:1: warning: the calendar of next year is missing"}},
		"no this year":  {func(m files) { m.drop("calendar/2026.csv") }, []string{"calendar/2026.csv:1: error: the calendar of this year is missing"}},
		"calendar seen": {func(m files) { m.put("calendar/2026.csv", "日期,安排,说明\n2026-01-01,休,元旦\n") }, []string{"!working days of 2026 are marked", "working days of 2027 are marked"}},
		"same name":     {func(m files) { m.change("items/S.yaml", "name: 公司变更登记", "name: 公司设立登记") }, []string{"P2-01 and S-04 have the same name"}},
		"coded": {func(m files) {
			m.put("items/S.yaml", strings.ReplaceAll(string(m.MapFS["items/S.yaml"].Data), "implementation-code: ''", "implementation-code: '1'"))
		}, []string{"!cases of S-01"}},
		"no place": {func(m files) {
			m.change("packages/P7.yaml", "    ways:\n      online-url: https://park.example/tiaozhuan/shuiwu\n", "")
			m.change("catalogue.yaml", "online-url: https://park.example/fuwu\n", "")
		}, []string{"纳税申报与缴款 only links elsewhere but has no address"}},
		"in force":  {func(m files) { m.change("catalogue.yaml", "example: true", "example: false") }, []string{"!this content is an example"}},
		"guide gap": {func(m files) { m.change("defaults.yaml", "    scope: 以主管部门公布为准\n", "") }, []string{"the guide of 海关报关单位备案注销 leaves out 通办范围"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := exampleFiles(t)
			tt.harm(m)
			c, err := Load(m.MapFS)
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, f := range c.Lint(afterNewYear) {
				text += fmt.Sprintln(f)
			}
			for _, want := range tt.want {
				none := strings.HasPrefix(want, "!")
				if strings.Contains(text, strings.TrimPrefix(want, "!")) == none {
					t.Errorf("want %s in\n%s", want, text)
				}
			}
		})
	}
}

func TestLintOrder(t *testing.T) {
	m := exampleFiles(t)
	m.change("packages/P9.yaml", "yuan: 0", "yuan: 1")
	m.change("packages/P2.yaml", "yuan: 0", "yuan: 1")
	c, err := Load(m.MapFS)
	if err != nil {
		t.Fatal(err)
	}
	findings := c.Lint(afterNewYear)
	if len(findings) < 3 || findings[0].Severity != SeverityError || !strings.HasPrefix(findings[0].Where, "packages/P2") || !strings.HasPrefix(findings[1].Where, "packages/P9") || findings[2].Severity == SeverityError && findings[2].Where < findings[1].Where {
		t.Errorf("%v", findings[:3])
	}
	for range 10 { // and the same each time
		for i, f := range c.Lint(afterNewYear) {
			if f != findings[i] {
				t.Fatalf("%v, then %v", findings[i], f)
			}
		}
	}
	if n := len(c.Lint(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))); n != len(findings)+2 {
		t.Errorf("years without calendars: %d findings, want %d", n, len(findings)+2)
	}
}
