package pinyin

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestInitials(t *testing.T) {
	d := dict(t)
	for _, c := range []struct {
		text string
		want []string // in this order, at the beginning
	}{
		{"食品经营许可证", []string{"spjyxkz"}},
		{"营业执照", []string{"yyzz"}},
		{"银行开户", []string{"yhkh"}},
		{"行政许可", []string{"xzxk"}},
		{"重庆", []string{"cq"}},
		{"重新申请", []string{"cxsq"}},
		{"会计", []string{"kj"}},
		{"长", []string{"c", "z"}},
		{"重", []string{"z", "c"}},
		{"A类（GB/T 23647）许可", []string{"algbt23647xk"}},
		{"ＡＢ１号", []string{"ab1h"}},
		{"（）《》", nil},
		{"", nil},
	} {
		got := d.Initials(c.text)
		if len(got) < len(c.want) || !slices.Equal(got[:len(c.want)], c.want) || c.want == nil && got != nil {
			t.Errorf("Initials(%q) = %q, want first %q", c.text, got, c.want)
		}
	}
}

func TestSearch(t *testing.T) {
	items := []string{
		0: "食品经营许可证核发",
		1: "食品生产许可证核发",
		2: "公司设立登记",
		3: "变更食品经营许可",
		4: "重大建设项目核准",
		5: "银行开户",
		6: "12345热线诉求",
		7: "绿化工程（B级）审批",
		8: "公共场所卫生许可",
		9: "外国人A类工作许可",
	}
	ix := NewIndex(dict(t), items)
	for _, c := range []struct {
		query string
		want  []int
	}{
		{"食品", []int{0, 1, 3}},
		{"食品经营", []int{0, 3}},
		{"spjy", []int{0, 3}},
		{"SPJY", []int{0, 3}},
		{"shipin", []int{0, 1, 3}},
		{"shipinj", []int{0, 3}},
		{"shipinjing", []int{0, 3}},
		{"shipjy", []int{0, 3}}, // sh for shi, ip no syllable: sh·i fails, shi·p·j·y fits
		{"食品jy", []int{0, 3}},
		{"spscxkz", []int{1}},
		{"gs", []int{2, 3}},
		{"gg", []int{8}},
		{"xuke", []int{0, 1, 3, 8, 9}},
		{"yh", []int{5}},
		{"yinhang", []int{5}},
		{"yinxing", nil},
		{"zd", []int{4}},
		{"chongda", nil},
		{"123", []int{6}},
		{"lvhua", []int{7}},
		{"lühua", []int{7}},
		{"b级", []int{7}},
		{"（b", []int{7, 3}},
		{"ａ类", []int{9}},
		{"食品许可", []int{3, 0, 1}}, // with a gap
		{"spxk", []int{3, 0, 1}},
		{"shengchan许可", []int{1}},
		{"火箭发射", nil},
		{"qqqq", nil},
		{"", nil},
		{" ' ", nil},
		{strings.Repeat("食品", 500), nil},
	} {
		if got := ix.Search(c.query); !slices.Equal(got, c.want) && !(len(got) == 0 && len(c.want) == 0) {
			t.Errorf("Search(%q) = %v, want %v", c.query, got, c.want)
		}
	}
	d := dict(t)
	if !d.Match("食品经营许可证核发", "spjyxk") || d.Match("食品经营许可证核发", "gs") {
		t.Error("Match does not agree with Search")
	}
}

// A text is found by its own characters, initials and full pinyin, by any beginning of these, and by any part of its characters.
func TestSearchFindsWhatIsThere(t *testing.T) {
	d := dict(t)
	names := itemNames()
	ix := NewIndex(d, names)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, len(names)-1).Draw(t, "item")
		var full strings.Builder
		for _, r := range d.spelled(names[n]) {
			if len(r.ids) > 0 {
				full.WriteString(d.syllable(rapid.SampledFrom(r.ids).Draw(t, "reading")))
			}
		}
		queries := append(d.Initials(names[n]), full.String())
		chars := []rune(names[n])
		from := rapid.IntRange(0, len(chars)-2).Draw(t, "from")
		queries = append(queries, string(chars[from:rapid.IntRange(from+2, len(chars)).Draw(t, "to")]))
		q := rapid.SampledFrom(queries).Draw(t, "query")
		if rapid.Bool().Draw(t, "cut") && len(q) < 63 {
			for cut := rapid.IntRange(0, len(q)-1).Draw(t, "at"); cut > 0 && utf8.RuneStart(q[len(q)-1]); cut-- {
				q = q[:len(q)-1]
			}
		}
		if !slices.Contains(ix.Search(q), n) && strings.ContainsFunc(q, func(r rune) bool { return !ignored(r) }) {
			t.Fatalf("%q does not find %q", q, names[n])
		}
	})
}

func TestCandidates(t *testing.T) {
	d := dict(t)
	for _, c := range []struct {
		letters, want string
		used          int
		within        int // so many candidates
	}{
		{"shipin", "食品", 6, 3},
		{"shipin", "视频", 6, 3},
		{"shi", "是", 3, 1},
		{"SHI", "是", 3, 1},
		{"xian", "先", 4, 9},
		{"xian", "西安", 4, 30},
		{"xi'an", "西安", 5, 1},
		{"xi an", "西安", 5, 1},
		{"'xi''an'", "西安", 8, 1},
		{"fang'an", "方案", 7, 1},
		{"fangan", "反感", 6, 9},
		{"lvse", "绿色", 4, 1},
		{"lüse", "绿色", 5, 1},
		{"lve", "略", 3, 3},
		{"lue", "略", 3, 3},
		{"nvxing", "女性", 6, 1},
		{"jvzhu", "居住", 5, 3},
		{"yuanqv", "园区", 6, 1},
		{"zhon", "中", 4, 3},
		{"zhongg", "中国", 6, 2},
		{"yyzz", "营业执照", 4, 3},
		{"shbx", "社会保险", 4, 3},
		{"yingyezz", "营业执照", 8, 1},
		{"banshizhin", "办事指南", 10, 1},
		{"gongzuoreny", "工作人员", 11, 1},
		{"shenfenz", "身份证", 8, 2},
		{"shouquanweituo", "授权委托书", 14, 9}, // what is boosted is foretold
		{"yingyezhizhao", "营业", 6, 9},
		{"yingyezhizhao", "营", 4, 54},
		{"wangxiuying", "王", 4, 9},
		{"i", "i", 1, 1},
		{"uber", "uber", 4, 1},
		{"wifi", "wifi", 4, 1},
	} {
		found := false
		all := d.Candidates(c.letters, 54)
		for _, got := range all[:min(len(all), c.within)] {
			found = found || got == Candidate{c.want, c.used}
		}
		if !found {
			t.Errorf("Candidates(%q): no {%s %d} in the first %d of %v", c.letters, c.want, c.used, c.within, all[:min(len(all), 12)])
		}
	}
	for _, nothing := range []string{"", "'", "''", "  ", "123"} {
		if got := d.Candidates(nothing, 9); got != nil {
			t.Errorf("Candidates(%q) = %v", nothing, got)
		}
	}
	if got := d.Candidates("shi", 0); got != nil {
		t.Errorf("none wanted, got %v", got)
	}
}

// What was boosted comes first, and so do its parts; others are not lost.
func TestBoost(t *testing.T) {
	d, err := decode(packed)
	if err != nil {
		t.Fatal(err)
	}
	first := func(letters string) string { return d.Candidates(letters, 1)[0].Text }
	if got := first("yuanbanzhineng"); got == "园办智能" {
		t.Fatal("known without being boosted")
	}
	before := d.Candidates("shipin", 9)
	d.Boost([]string{"园办智能科技（江苏）有限公司", "X光", ""})
	d.Boost([]string{"石品斋"})
	for letters, want := range map[string]string{
		"yuanbanzhinengkeji": "园办智能科技", "yuanbanzhineng": "园办智能", "jiangsu": "江苏", "shipinzhai": "石品斋", "youxiangongsi": "有限公司",
	} {
		if got := first(letters); got != want {
			t.Errorf("%s: %s, want %s", letters, got, want)
		}
	}
	after := d.Candidates("shipin", 12)
	for _, c := range before {
		if !slices.Contains(after, c) {
			t.Errorf("%v is gone: %v", c, after)
		}
	}
}

// checkCandidates checks what must hold whatever was typed.
func checkCandidates(t interface {
	Fatalf(string, ...any)
}, d *Dictionary, letters string, max int) {
	got := d.Candidates(letters, max)
	if len(got) > max {
		t.Fatalf("%d candidates for %q, at most %d wanted", len(got), letters, max)
	}
	seen := map[string]bool{}
	for _, c := range got {
		if c.Text == "" || seen[c.Text] || c.Used < 1 || c.Used > len(letters) {
			t.Fatalf("candidate %q of %q is empty, double, or uses %d of %d", c.Text, letters, c.Used, len(letters))
		}
		if utf8.ValidString(letters) && !utf8.ValidString(letters[c.Used:]) {
			t.Fatalf("candidate %q cuts a character of %q at %d", c.Text, letters, c.Used)
		}
		seen[c.Text] = true
	}
	typed := strings.ContainsFunc(letters, func(r rune) bool { return r < 0x80 && (r|0x20) >= 'a' && (r|0x20) <= 'z' })
	if typed && max > 0 && len(letters) < maxInput && len(got) == 0 {
		t.Fatalf("no candidate for %q", letters)
	}
}

func TestCandidateLaws(t *testing.T) {
	d := dict(t)
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.OneOf(
			rapid.StringMatching(`[a-z']{1,40}`),
			rapid.Custom(func(t *rapid.T) string {
				return strings.Join(rapid.SliceOfN(rapid.SampledFrom(d.syllables), 1, 12).Draw(t, "syllables"), rapid.SampledFrom([]string{"", "'", " "}).Draw(t, "parting"))
			}),
			rapid.String(),
		).Draw(t, "letters")
		checkCandidates(t, d, letters, rapid.IntRange(0, 60).Draw(t, "max"))
	})
}

func FuzzCandidates(f *testing.F) {
	d := dict(f)
	for _, s := range []string{"yyzz", "xi'an", "lüse", "zhongguo", "ivu", "A1 b\xff", strings.Repeat("zhsh", 20)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, letters string) { checkCandidates(t, d, letters, 54) })
}

func FuzzSearch(f *testing.F) {
	d := dict(f)
	for _, s := range []string{"spjy", "食品xkz", "lü", "12345", "zzzz", strings.Repeat("sh", 60)} {
		f.Add("食品经营许可证（12345）", s)
	}
	f.Fuzz(func(t *testing.T, text, query string) {
		for _, s := range d.Initials(text) {
			if s == "" {
				t.Errorf("empty initials of %q", text)
			}
		}
		if len(d.Initials(text)) > maxInitials {
			t.Errorf("%d initials of %q", len(d.Initials(text)), text)
		}
		if d.Match(text, query) && len(newQuery(query).chars) == 0 {
			t.Errorf("nothing finds %q", text)
		}
	})
}

// FuzzDecode: a damaged file is an error, never a panic.
func FuzzDecode(f *testing.F) {
	f.Add("a\t啊1\na a\t啊啊2\n")
	f.Add("b\n")
	f.Add("a b c d e\t一1\n")
	f.Add("a\t1\n")
	f.Fuzz(func(t *testing.T, plain string) {
		var gz bytes.Buffer
		z := gzip.NewWriter(&gz)
		z.Write([]byte(plain))
		z.Close()
		if d, err := decode(gz.Bytes()); err == nil {
			d.Candidates("aa", 9)
			d.Initials(plain)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	for name, plain := range map[string]string{
		"nothing":               "",
		"five syllables":        "a a a a a\t啊啊啊啊啊1\n",
		"no pinyin":             "4\t啊1\n",
		"two parted by two":     "a  a\t啊啊1\n",
		"not in order":          "b\t吧1\na\t啊1\n",
		"twice":                 "a\t啊1\na\t阿1\n",
		"a word without weight": "a\t啊\n",
		"a weight without word": "a\t1\n",
		"too many characters":   "a\t啊啊1\n",
	} {
		var gz bytes.Buffer
		z := gzip.NewWriter(&gz)
		z.Write([]byte(plain))
		z.Close()
		if _, err := decode(gz.Bytes()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := decode([]byte("no gzip")); err == nil {
		t.Error("no gzip: no error")
	}
	if got := len(dict(t).costs); got != 65123 {
		t.Errorf("%d entries are embedded, DATA-LICENSE.md says 65,123", got)
	}
}

func TestComposer(t *testing.T) {
	d := dict(t)
	c := NewComposer(d, "", 8)
	press := func(keys ...string) {
		for _, k := range keys {
			c.Act("key", map[string]string{"key": k})
		}
	}
	press(strings.Split("yingyezhizhao", "")...)
	if words, page, pages := c.Candidates(); words[0] != "营业执照" || len(words) != perPage || page != 1 || pages < 2 {
		t.Errorf("candidates %q, page %d of %d", words, page, pages)
	}
	press("space", "h", "e", "n")
	c.Act("candidates", map[string]string{"to": "2"})
	second, _, _ := c.Candidates()
	c.Act("candidate", map[string]string{"n": "0"})
	if want := "营业执照" + second[0]; c.Text() != want || c.Letters() != "" {
		t.Errorf("%q and %q, want %q", c.Text(), c.Letters(), want)
	}
	press("del", "H", "a", "o", "，", "h", "a")
	if c.Text() != "营业执照好，" || c.Letters() != "ha" {
		t.Errorf("%q and %q", c.Text(), c.Letters())
	}
	press("h", "h", "h", "h")
	c.Flush()
	if n := utf8.RuneCountInString(c.Text()); n != 8 || c.Letters() != "" {
		t.Errorf("%q has %d characters, at most 8 are allowed", c.Text(), n)
	}
	press("clear")
	if c.Text() != "" {
		t.Errorf("%q after clear", c.Text())
	}
}
