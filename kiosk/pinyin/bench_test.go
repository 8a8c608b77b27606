package pinyin

import (
	"runtime"
	"strings"
	"testing"
)

// Target: less than 150 ms, and less than 25 MB of the heap afterwards.
func BenchmarkLoad(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var d *Dictionary
	for b.Loop() {
		var err error
		if d, err = decode(packed); err != nil {
			b.Fatal(err)
		}
		d.Boost(strings.Fields(hallWords))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-kept")
	runtime.KeepAlive(d)
}

// Target: less than 5 ms a key.
func BenchmarkCandidates(b *testing.B) {
	d := dict(b)
	for _, c := range []struct{ name, letters string }{
		{"word", "yuanqu"},
		{"phrase", "gongzuorenyuanhenreqing"},
		{"initials", "yyzz"},
		{"allInitials", strings.Repeat("zsyl", 12)},
		{"longest", strings.Repeat("xian", 16)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				d.Candidates(c.letters, maxCandidates)
			}
		})
	}
}

// 1,456 item names, as many as a district has.
func itemNames() []string {
	var out []string
	for _, what := range strings.Fields("食品经营 药品零售 医疗器械经营 公共场所卫生 建设工程施工 建设用地规划 道路运输经营 特种设备使用 外商投资企业 高新技术企业 人力资源服务 劳务派遣经营 民办非企业单位 出版物零售 娱乐场所经营 烟草专卖零售") {
		for _, kind := range strings.Fields("许可 许可证核发 许可证变更 许可证延续 许可证注销 备案 登记 变更登记 注销登记 资质认定 资格审查 补贴申领 年度报告") {
			for _, who := range strings.Fields("（新办） （个人） （单位） （换证） （补办） （简易程序） （告知承诺制）") {
				out = append(out, what+kind+who)
			}
		}
	}
	return out
}

// Target: far less than 5 ms for 1,400 items.
func BenchmarkSearch(b *testing.B) {
	ix := NewIndex(dict(b), itemNames())
	for _, c := range []struct{ name, query string }{
		{"chinese", "许可证"}, {"initial", "s"}, {"initials", "spjyxkz"}, {"full", "shipinjingying"}, {"mixed", "食品xkzhefa"}, {"nothing", "zzzz"}, {"gaps", "食品换证"},
	} {
		b.Run(c.name, func(b *testing.B) {
			found := 0
			for b.Loop() {
				found = len(ix.Search(c.query))
			}
			b.ReportMetric(float64(found), "found")
		})
	}
}

func BenchmarkNewIndex(b *testing.B) {
	d, names := dict(b), itemNames()
	for b.Loop() {
		NewIndex(d, names)
	}
}
