package catalogue

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzTable: whatever a spreadsheet saves, each row has the header's width, and problems stay within the file.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"", "编号,名称\n1,a\n", "\uFEFFa,b\r\n\"1,\n2\",3\r\n,,\r\n", "a\n\"", "a,a\n", "a,b\n1\n", "\xff", ",\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, problems := parseTable("f", data)
		for _, r := range table.rows {
			if len(r.cells) != len(table.header) || r.line < 1 || r.line > strings.Count(string(data), "\n")+1 {
				t.Errorf("row %+v under %v", r, table.header)
			}
		}
		for _, p := range problems {
			if p.Line < 0 || p.Line > strings.Count(string(data), "\n")+2 || p.Text == "" {
				t.Errorf("%+v", p)
			}
		}
		if len(problems) == 0 && len(table.header) == 0 {
			t.Errorf("%q has no header and nothing was said", data)
		}
	})
}

// FuzzLetter: a letter without a problem composes into three parts that name the applicant and hold no placeholder.
func FuzzLetter(f *testing.F) {
	for _, name := range []string{"letters/filing.md", "letters/general.md", "letters/commitment.md"} {
		data, err := fs.ReadFile(Example(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("---\nname: n\ntitle: t\nversion: v\nmode: 备案\n---\n# 第一部分\n{{文书编号}}{{园区}}{{清单版本}}{{模板版本}}{{申请人}}{{日期}}\n{{每个事项}}\n{{若 备案}}{{有 结果}}{{事项}}\n{{受理条件}}\n{{事项结束}}\n# 第二部分\nx\n# 第三部分\n## 承诺与签署\nx\n"))
	item := &Item{Code: "A", Name: "甲", Mode: ModeFiling, Conditions: []string{"乙", "丙"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		template, problems := parseTemplate("f", data)
		if len(problems) > 0 {
			return
		}
		l := template.Compose(LetterData{Number: "N1", Applicant: "{{园区}}申请人甲", Items: []*Item{item, item}, Date: time.Unix(0, 0)})
		if strings.Contains(strings.ReplaceAll(l.Text, "{{园区}}申请人甲", ""), "{{") || len(l.Declaration) == 0 {
			t.Errorf("leftovers in\n%s", l.Text)
		}
		for _, part := range l.Parts {
			if part.Title == "" {
				t.Errorf("a part has no title in\n%s", l.Text)
			}
		}
	})
}

func FuzzParseTerm(f *testing.F) {
	for _, s := range []string{"当场", "1天(受理)", "并联5个工作日", "公示期20日后", "24小时", "（）", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		term, err := ParseTerm(s)
		if err != nil {
			return
		}
		again, err := ParseTerm(term.Text)
		if err != nil || again != term {
			t.Errorf("%q: %+v, again %+v %v", s, term, again, err)
		}
		if l := term.Limit; (l.Unit == UnitHour24 || l.Unit == UnitWorkday) != (l.Amount > 0) {
			t.Errorf("%q: %+v", s, l)
		}
	})
}

// manyItems is the example with hundreds of items more; 14 hundreds are the size of a large city's list.
func manyItems(b testing.TB, hundreds int) files {
	m := exampleFiles(b)
	sample, _, found := strings.Cut(string(m.MapFS["packages/P2.yaml"].Data), "\n\n")
	_, sample, ok := strings.Cut(sample, "items:\n")
	if !found || !ok {
		b.Fatal("P2.yaml has changed its form")
	}
	for n := range hundreds {
		var text strings.Builder
		text.WriteString("items:\n")
		for i := range 100 {
			code := fmt.Sprintf("T%d-%03d", n, i)
			item := strings.NewReplacer("code: P2-01", "code: "+code, "name: 公司设立登记", "name: 合成事项"+code).Replace(sample)
			text.WriteString(item + "\n")
		}
		m.put(fmt.Sprintf("items/T%d.yaml", n), text.String())
	}
	return m
}

func TestManyItems(t *testing.T) {
	c, err := Load(manyItems(t, 2).MapFS)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Items()) != 262 || c.Item("T1-099") == nil || len(c.Texts()) != 262 || c.Texts()[0][0] != c.Items()[0].Name {
		t.Errorf("%d items", len(c.Items()))
	}
}

func BenchmarkLoadExample(b *testing.B) {
	for b.Loop() {
		if _, err := Load(Example()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad1462Items(b *testing.B) {
	m := fstest.MapFS(manyItems(b, 14).MapFS)
	size := 0
	for _, f := range m {
		size += len(f.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLint1462Items(b *testing.B) {
	c, err := Load(manyItems(b, 14).MapFS)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c.Lint(afterNewYear)
	}
}

func BenchmarkComposePackage(b *testing.B) {
	c := loadExample(b)
	d := applicant(c.Package("P2").Items...)
	t := c.LetterFor(d.Items)
	for b.Loop() {
		t.Compose(d)
	}
}
