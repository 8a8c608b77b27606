package catalogue

import "testing"

func TestParseTerm(t *testing.T) {
	tests := []struct {
		text string
		want Limit
		fail bool
	}{
		{text: "当场", want: Limit{0, UnitOnTheSpot}},
		{text: "即时", want: Limit{0, UnitOnTheSpot}},
		{text: "当场(预约)", want: Limit{0, UnitOnTheSpot}},
		{text: "当场（预约）", want: Limit{0, UnitOnTheSpot}},
		{text: "1天", want: Limit{1, UnitHour24}},
		{text: "1天(受理)", want: Limit{1, UnitHour24}},
		{text: "24小时", want: Limit{1, UnitHour24}},
		{text: "7日", want: Limit{7, UnitHour24}},
		{text: "5个工作日", want: Limit{5, UnitWorkday}},
		{text: "8工作日", want: Limit{8, UnitWorkday}},
		{text: "并联5个工作日", want: Limit{5, UnitWorkday}},
		{text: "3个工作日（复杂可再延3个工作日）", want: Limit{3, UnitWorkday}},
		{text: " 3个工作日 ", want: Limit{3, UnitWorkday}},
		// What does not begin at acceptance cannot be computed from it.
		{text: "1天（公示期满后）", want: Limit{0, UnitText}},
		{text: "公示期20日后", want: Limit{0, UnitText}},
		{text: "30日内申办", want: Limit{0, UnitText}},
		{text: "验收合格后15日内申办", want: Limit{0, UnitText}},
		{text: "无", want: Limit{0, UnitText}},
		{text: "按政策", want: Limit{0, UnitText}},
		// A number that is not understood must not silently become a text.
		{text: "", fail: true},
		{text: "5 days", fail: true},
		{text: "0个工作日", fail: true},
		{text: "36小时", fail: true},
		{text: "5工作天", fail: true},
		{text: "1000个工作日", fail: true},
	}
	for _, tt := range tests {
		got, err := ParseTerm(tt.text)
		if (err != nil) != tt.fail || !tt.fail && got.Limit != tt.want {
			t.Errorf("%q: %+v, %v; want %+v", tt.text, got, err, tt.want)
		}
	}
}

func TestLonger(t *testing.T) {
	for _, tt := range []struct {
		a, b       string
		longer, ok bool
	}{
		{"1天", "20个工作日", false, true},
		{"5个工作日", "3个工作日", true, true},
		{"当场", "1天", false, true},
		{"1天", "即时", true, true},
		{"5个工作日", "7日", false, false}, // five working days may take nine days
		{"30天", "20个工作日", false, false},
		{"1天", "按政策", false, false},
	} {
		a, errA := ParseTerm(tt.a)
		b, errB := ParseTerm(tt.b)
		if longer, ok := a.Limit.longer(b.Limit); longer != tt.longer || ok != tt.ok || errA != nil || errB != nil {
			t.Errorf("%s longer than %s: %v %v", tt.a, tt.b, longer, ok)
		}
	}
}

func TestYuan(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "80": 8000, "0.5": 50, "0.50": 50, "12.34": 1234} {
		var y yuan
		if err := y.UnmarshalText([]byte(text)); err != nil || int(y) != want {
			t.Errorf("%s: %d %v", text, y, err)
		}
	}
	for _, text := range []string{"", "-1", "1,50", "01", "1.234", "x", "99999999"} {
		var y yuan
		if y.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q accepted", text)
		}
	}
	if formatYuan(8000) != "80" || formatYuan(50) != "0.50" {
		t.Error(formatYuan(8000), formatYuan(50))
	}
}
