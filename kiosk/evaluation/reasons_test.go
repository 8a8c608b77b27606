package evaluation

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestNationalReasons(t *testing.T) {
	r := national(t)
	if r.Version() != "national-2021" {
		t.Errorf("version %s", r.Version())
	}
	for level := 1; level <= 5; level++ {
		list := r.ForLevel(level)
		if len(list) != 8 {
			t.Errorf("level %d has %d reasons", level, len(list))
		}
		for i, reason := range list {
			if reason.First != (i < 3) {
				t.Errorf("level %d: %+v at place %d", level, reason, i+1)
			}
		}
	}
	if got := r.ForLevel(5)[0]; got != (Reason{Code: "510", Text: "一窗受理一次办结", First: true}) {
		t.Errorf("the first reason is %+v", got)
	}
	for _, level := range []int{-1, 0, 6} {
		if r.ForLevel(level) != nil {
			t.Errorf("level %d has reasons", level)
		}
	}
	r.ForLevel(5)[0].Code = "changed"
	if r.ForLevel(5)[0].Code != "510" {
		t.Error("a caller can change the list")
	}
}

func TestReasonsAreStrict(t *testing.T) {
	data, err := os.ReadFile("testdata/rating_reasons.csv")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	for name, tc := range map[string]struct{ from, to, want string }{
		"column order":   {"code,level", "level,code", "line 1"},
		"level 6":        {"510,5,", "510,6,", `line 2: level "6"`},
		"code twice":     {"511,5,", "510,5,", "line 3: code 510 is there twice"},
		"no code":        {"512,5,", ",5,", "line 4"},
		"letters":        {"512,5,", "5x2,5,", "line 4"},
		"shown":          {"510,5,非常满意,1,", "510,5,非常满意,yes,", "line 2: shown_first"},
		"no text":        {"服务热情效率高", " ", "line 9"},
		"long text":      {"服务热情效率高", strings.Repeat("长", 61), "line 9"},
		"fields":         {"服务热情效率高", "服务,热情", "line 9"},
		"level is empty": {",3,基本满意", ",4,基本满意", "level 3 has none"},
	} {
		if _, err := LoadReasons(strings.NewReader(strings.ReplaceAll(good, tc.from, tc.to)), "v"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
	if _, err := LoadReasons(strings.NewReader(good), ""); err == nil {
		t.Error("a list without a version was taken")
	}
	if _, err := LoadReasons(strings.NewReader("\ufeff"+good), "v"); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
}

func FuzzLoadReasons(f *testing.F) {
	data, err := os.ReadFile("testdata/rating_reasons.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("code,level,level_name,shown_first,text\n1,1,a,0,\"b\nc\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := LoadReasons(bytes.NewReader(data), "v")
		if err != nil {
			return
		}
		for level := 1; level <= 5; level++ {
			if len(r.ForLevel(level)) == 0 {
				t.Fatalf("level %d is empty", level)
			}
			for _, reason := range r.ForLevel(level) {
				if !r.has(level, reason.Code) || strings.TrimSpace(reason.Text) == "" {
					t.Fatalf("reason %+v", reason)
				}
			}
		}
	})
}
