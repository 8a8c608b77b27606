package catalogue

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"yuanban/kiosk/strictyaml"
)

// files is the example in memory, for tests to break.
type files struct {
	t testing.TB
	fstest.MapFS
}

func exampleFiles(t testing.TB) files {
	m := files{t, fstest.MapFS{}}
	err := fs.WalkDir(Example(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Example(), name)
		m.put(name, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (m files) put(name, text string) { m.MapFS[name] = &fstest.MapFile{Data: []byte(text)} }

// change replaces the first occurrence of a text that must be there.
func (m files) change(name, before, after string) {
	m.t.Helper()
	f := m.MapFS[name]
	if f == nil || !strings.Contains(string(f.Data), before) {
		m.t.Fatalf("%s has no %q to change", name, before)
	}
	m.put(name, strings.Replace(string(f.Data), before, after, 1))
}

func (m files) drop(name string) { delete(m.MapFS, name) }

func TestLoadReportsEveryProblem(t *testing.T) {
	tests := map[string]struct {
		harm func(m files)
		want []string
	}{
		"nothing is there": {func(m files) { clear(m.MapFS) }, []string{"calendar: there is no calendar", "catalogue.yaml: missing", "defaults.yaml: missing", "help.yaml: missing",
			"helpers.yaml: missing", "lists/lists.yaml: missing", "packages: there is no item", "reasons.csv: missing", "reasons.yaml: missing", "staff.yaml: missing"}},
		"unknown key":      {func(m files) { m.change("catalogue.yaml", "slogan:", "slogn:") }, []string{"catalogue.yaml:4: slogn: unknown key, did you mean slogan?"}},
		"colour":           {func(m files) { m.change("catalogue.yaml", "# accent: '#1d4f91' ", "accent: blue") }, []string{`catalogue.yaml:5: accent: want a colour like "#1d4f91" in quotes`}},
		"date":             {func(m files) { m.change("catalogue.yaml", "updated: 2026-01-05", "updated: 5.1.2026") }, nil}, // checked below: items inherit it
		"address":          {func(m files) { m.change("catalogue.yaml", "https://park.example/fuwu", "park") }, nil},
		"days":             {func(m files) { m.change("catalogue.yaml", "days: 30", "days: -1") }, []string{"privacy.days: want 1 to 3650 days, got -1"}},
		"unknown dept":     {func(m files) { m.change("packages/P2.yaml", "department: 公安", "department: 公按") }, []string{`packages/P2.yaml:66: items[1].department: no department "公按"`}},
		"unknown mode":     {func(m files) { m.change("packages/P2.yaml", "mode: 备案", "mode: 备按") }, []string{`packages/P2.yaml:65: items[1].mode: "备按" is none of 告知承诺, 备案, 一般, 跳转`}},
		"summary too long": {func(m files) { m.change("packages/P2.yaml", "summary: 新办", "summary: "+strings.Repeat("长", 40)) }, []string{"packages/P2.yaml:60: items[1].summary: has 53 characters; at most 40"}},
		"name too long": {func(m files) {
			m.change("packages/P2.yaml", "name: 公司设立登记", "name: "+strings.Repeat("长", 201))
		}, []string{"items[0].name: has 201 characters; at most 200"}},
		"bad limit":      {func(m files) { m.change("packages/P2.yaml", "promise: 1天\n    legal", "promise: 1 tag\n    legal") }, []string{`items[0].promise: cannot read the time limit "1 tag"`}},
		"bad fee":        {func(m files) { m.change("packages/P2.yaml", "yuan: 0", "yuan: 3.333") }, []string{"items[0].fee.yuan: want an amount in 元"}},
		"no conditions":  {func(m files) { m.change("items/S.yaml", "    conditions:\n", "    conditons:\n") }, []string{"items/S.yaml:4: items[0].conditions: missing", "items[0].conditons: unknown key, did you mean conditions?"}},
		"unknown stage":  {func(m files) { m.change("items/S.yaml", "stage: 开办", "stage: 开张") }, []string{`items[0].stage: "开张" is none of 入园, 开办`}},
		"unknown letter": {func(m files) { m.change("items/S.yaml", "stage: 开办", "stage: 开办\n    letter: 无此") }, []string{`items[0].letter: there is no letter "无此"`}},
		"code":           {func(m files) { m.change("items/S.yaml", "code: S-05", "code: 变更") }, []string{`items[4].code: want capital letters and digits like P2-01, got "变更"`, "lists/power.csv:3: there is no item S-05"}},
		"code twice":     {func(m files) { m.change("items/S.yaml", "code: S-05", "code: P2-01") }, []string{"items[4].code: the item P2-01 is in packages/P2.yaml:12 already", "lists/power.csv:3: there is no item S-05"}},
		"package twice":  {func(m files) { m.put("packages/P10.yaml", string(m.MapFS["packages/P9.yaml"].Data)) }, []string{"packages/P10.yaml:3: code: the package P9 is in packages/P9.yaml:3 already"}},
		"no items": {func(m files) { m.put("packages/P10.yaml", "code: P10\nname: n\ndesc: d\npromise: 当场\n") },
			[]string{"packages/P10.yaml:1: the package has no items"}},
		"include": {func(m files) {
			m.put("packages/P10.yaml", "code: P10\nname: n\ndesc: d\npromise: 当场\ninclude: [P2-01, X-1, P2-01]\n")
		}, []string{"packages/P10.yaml:5: include[1]: there is no item X-1", "include[2]: the package has the item P2-01 already"}},
		"follow-up":           {func(m files) { m.change("packages/P2.yaml", "follow-up: [P2-02", "follow-up: [P2-99") }, []string{"items[0].follow-up[0]: there is no item P2-99"}},
		"fetched from nobody": {func(m files) { m.change("packages/P2.yaml", ", from: 不动产登记机构", "") }, []string{"items[0].materials[2].name: needs from"}},
		"source":              {func(m files) { m.change("defaults.yaml", "\n  SH: ", "\n  XX: ") }, []string{"defaults.yaml:21: sources: says nothing for the source SH", `sources.XX: "XX" is none of ID, GZCN`}},
		"letter part": {func(m files) {
			m.change("letters/filing.md", "# 第二部分 未履行承诺惩戒措施", "第二部分 未履行承诺惩戒措施")
		},
			[]string{"letters/filing.md:1: the letter has no # 第三部分", `letters/filing.md:99: want # 第二部分 …, got # 第三部分`}},
		"placeholder": {func(m files) {
			m.change("letters/filing.md", "{{申请人}}。告知日期", "{{申请仁}}。告知日期")
		}, []string{"letters/filing.md:12: {{申请仁}} is not known; use one of"}},
		"item placeholder outside": {func(m files) {
			m.change("letters/filing.md", "告知单位：{{园区}}", "告知单位：{{园区}}{{事项}}")
		},
			[]string{"letters/filing.md:12: {{事项}} belongs to one item"}},
		"list column":   {func(m files) { m.change("lists/power.csv", "职权名称", "名称") }, []string{"lists/lists.yaml:9: lists[0].columns.name: lists/power.csv has no column 职权名称; it has 编号, 类别, 名称"}},
		"list item":     {func(m files) { m.change("lists/power.csv", "P1-03,", "P1-33,") }, []string{"lists/power.csv:4: there is no item P1-33"}},
		"list cells":    {func(m files) { m.change("lists/negative.csv", "N02,禁止,", "N02,禁止,,") }, []string{"lists/negative.csv:3: has a different number of cells"}},
		"list number":   {func(m files) { m.change("lists/negative.csv", "N02,", "N01,") }, []string{"lists/negative.csv:3: 编号 N01 is in line 2 already"}},
		"list file":     {func(m files) { m.drop("lists/fee.csv") }, []string{"lists/fee.csv: missing"}},
		"list unnamed":  {func(m files) { m.put("lists/more.csv", "编号,名称\n1,a\n") }, []string{"lists/more.csv: lists/lists.yaml does not name this list"}},
		"list path":     {func(m files) { m.change("lists/lists.yaml", "id: fee", "id: ../fee") }, []string{"lists/fee.csv: lists/lists.yaml does not name this list", "lists[3].id: want the name of a file"}},
		"list as gbk":   {func(m files) { m.put("lists/fee.csv", "\xb1\xe0\xba\xc5\n1\n") }, []string{"lists/fee.csv: the file is not UTF-8; save it as “CSV UTF-8"}},
		"calendar date": {func(m files) { m.change("calendar/2026.csv", "2026-01-01", "2026-13-01") }, []string{`calendar/2026.csv:2: want a date like 2026-05-01, got "2026-13-01"`}},
		"calendar year": {func(m files) { m.change("calendar/2026.csv", "2026-01-01", "2025-01-01") }, []string{"calendar/2026.csv:2: 2025-01-01 is not in 2026"}},
		"calendar kind": {func(m files) { m.change("calendar/2026.csv", "2026-01-01,休", "2026-01-01,假") }, []string{`calendar/2026.csv:2: want 休 or 班, got "假"`}},
		"calendar same": {func(m files) { m.change("calendar/2026.csv", "2026-01-01,休", "2026-01-01,班") }, []string{"calendar/2026.csv:2: 2026-01-01 is a working day anyway"}},
		"calendar name": {func(m files) { m.put("calendar/next.csv", "日期,安排\n") }, []string{"calendar/next.csv: want the year as name"}},
		"photo":         {func(m files) { m.change("staff.yaml", "photos/li.svg", "photos/no.svg") }, []string{"photos/no.svg: missing"}},
		"photo outside": {func(m files) { m.change("staff.yaml", "photos/li.svg", "../li.svg") }, []string{"staff.yaml:14: staff[1].photo: want a picture in photos/"}},
		"staff twice":   {func(m files) { m.change("staff.yaml", "id: li", "id: chen") }, []string{"staff.yaml:9: staff[1].id: chen is there twice"}},
		"status":        {func(m files) { m.change("documents/01-fuwu.md", "status: 试行", "status: 试用") }, []string{`documents/01-fuwu.md:8: status: "试用" is none of 送审稿, 试行, 有效, 废止`}},
		"no head":       {func(m files) { m.put("documents/05-x.md", "# 标题\n正文\n") }, []string{"documents/05-x.md:1: must begin with a line ---"}},
		"reason level":  {func(m files) { m.change("reasons.csv", "510,5,", "510,6,") }, []string{`reasons.csv:2: want a level from 1 to 5, got "6"`}},
		"reason twice":  {func(m files) { m.change("reasons.csv", "511,5,", "510,5,") }, []string{"reasons.csv:3: needs a code of its own and a text"}},
		"left out":      {func(m files) { m.put("packages/P10.yml", "") }, []string{"packages/P10.yml: would not be read; files in packages end with .yaml"}},
		"strange file":  {func(m files) { m.put("catalog.yaml", "") }, []string{"catalog.yaml: this file is not part of a content folder"}},
		"strange dir":   {func(m files) { m.put("package/P1.yaml", "") }, []string{"package: this folder is not part of the content"}},
		"several files at once": {func(m files) {
			m.change("catalogue.yaml", "brand:", "brnd:")
			m.change("packages/P3.yaml", "kind: 公共服务", "kind: 服务")
			m.change("lists/fee.csv", "F02", "F01")
			m.change("calendar/2027.csv", "2027-01-01", "x")
			m.drop("help.yaml")
		}, []string{"calendar/2027.csv:2: ", "catalogue.yaml:2: brand: missing", "catalogue.yaml:3: brnd: unknown key", "help.yaml: missing", "lists/fee.csv:3: ", "packages/P3.yaml:18: items[0].kind: "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := exampleFiles(t)
			tt.harm(m)
			_, err := Load(m.MapFS)
			problems, ok := errors.AsType[strictyaml.Problems](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if tt.want == nil { // reported once or more; it is enough that it is
				return
			}
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

func TestLoadForgives(t *testing.T) {
	m := exampleFiles(t)
	m.put("lists/~$power.csv", "left by a spreadsheet")
	m.put(".DS_Store", "\x00")
	m.put("packages/README.txt", "notes")
	m.put("lists/fee.csv", "\uFEFF"+strings.ReplaceAll(string(m.MapFS["lists/fee.csv"].Data), "\n", "\r\n")+",,,,,,,,\r\n\r\n") // as Excel saves it
	m.put("letters/filing.md", strings.ReplaceAll(string(m.MapFS["letters/filing.md"].Data), "\n", "\r\n"))
	c, err := Load(m.MapFS)
	if err != nil {
		t.Fatal(err)
	}
	if l := c.ListOf(ListFee); len(l.Rows) != 5 || l.Rows[0].Number != "F01" || l.Rows[0].Fields[0].Name != "编号" {
		t.Errorf("%+v", l.Rows)
	}
	if !strings.HasSuffix(c.Letter("备案").Compose(LetterData{}).Text, "。\n") {
		t.Error("a carriage return stays in the letter")
	}
}

// An item of a package may stand in another file; it is one item, with one code.
func TestInclude(t *testing.T) {
	m := exampleFiles(t)
	m.put("packages/P10.yaml", "code: P10\nname: 变更一件事\ndesc: d\npromise: 1天\ninclude: [S-04, S-05]\n")
	c, err := Load(m.MapFS)
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Packages[9]; p.Code != "P10" || len(p.Items) != 2 || p.Items[0] != c.Item("S-04") || len(c.Items()) != 62 {
		t.Errorf("%+v", p)
	}
	if it := c.Item("S-04"); len(it.Packages) != 1 || it.Packages[0] != "P10" {
		t.Errorf("%v", it.Packages)
	}
}

func TestInheritance(t *testing.T) {
	m := exampleFiles(t)
	m.change("packages/P2.yaml", "    follow-up: [P2-02, P2-03, P2-05]", "    consult: '1'\n    place: 别处\n    apply: false\n    why-not: 系统升级\n    version: v9\n    updated: 2026-02-02\n    scope: 全市通办\n    seal: 自己的章\n    ways: {window: '到{{地点}}'}")
	c, err := Load(m.MapFS)
	if err != nil {
		t.Fatal(err)
	}
	it := c.Item("P2-01")
	got := fmt.Sprint(it.Consult, it.Place, it.CanApply, it.WhyNot, it.Version, it.Updated, it.Scope, it.Seal, it.Ways.Window, it.Ways.Kiosk, it.Letter)
	if got != "1别处false系统升级v92026-02-02全市通办自己的章到别处" {
		t.Errorf("got %s", got)
	}
	if it.Supervise != c.Park.Phones.SuperviseApproval || !strings.Contains(it.Ways.Online, "扫码") {
		t.Errorf("not inherited: %q %q", it.Supervise, it.Ways.Online)
	}
}

func TestLoadWithoutFolder(t *testing.T) {
	if _, err := Load(brokenFS{}); err == nil || !strings.HasPrefix(err.Error(), "cannot read content: ") || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

func TestNatural(t *testing.T) {
	for _, pair := range [][2]string{{"P2.yaml", "P10.yaml"}, {"P9", "P9-1"}, {"a", "b"}, {"P2-09", "P2-10"}} {
		if naturally(pair[0], pair[1]) >= 0 || naturally(pair[1], pair[0]) <= 0 || naturally(pair[0], pair[0]) != 0 {
			t.Errorf("%v", pair)
		}
	}
}
