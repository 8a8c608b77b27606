package wording_test

import (
	"strings"
	"testing"

	"yuanban/ui/wording"
)

func TestText(t *testing.T) {
	book, err := wording.Load("t.txt", []byte("# words\na.b = 已选 {count} 项\nlong = 第一句。\n  第二句。\nplain = 好\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key   string
		pairs []string
		want  string
	}{
		{"plain", nil, "好"},
		{"long", nil, "第一句。第二句。"},
		{"a.b", []string{"count", "3"}, "已选 3 项"},
		{"a.b", []string{"count", "{count}"}, "已选 {count} 项"}, // a value is never filled in again
		{"a.b", nil, "已选 ⟦a.b:count⟧ 项"},
		{"nothing", nil, "⟦nothing⟧"},
	} {
		if got := book.Text(c.key, c.pairs...); got != c.want {
			t.Errorf("Text(%q, %q) = %q, want %q", c.key, c.pairs, got, c.want)
		}
	}
}

func TestLoadReportsEveryProblem(t *testing.T) {
	_, err := wording.Load("bad.txt", []byte("  nothing above\nno equals sign\nopen = {name\ntwice = 1\ntwice = 2\n"))
	if err == nil {
		t.Fatal("a bad file was loaded")
	}
	for _, want := range []string{"bad.txt, line 1:", "bad.txt, line 2:", "bad.txt, line 3:", "bad.txt, line 5:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q: %v", want, err)
		}
	}
}

func TestOverlay(t *testing.T) {
	book := wording.Default()
	own, err := book.Overlay("park.txt", []byte("brand.name = 临江产业园\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := own.Text("brand.name"); got != "临江产业园" {
		t.Errorf("the park's name is %q", got)
	}
	if got := book.Text("brand.name"); got == "临江产业园" {
		t.Error("the standard book was changed")
	}
	_, err = book.Overlay("park.txt", []byte("brand.nmae = 错\npage.next = 看 {what}\n"))
	if err == nil || !strings.Contains(err.Error(), "brand.nmae") || !strings.Contains(err.Error(), "{what}") {
		t.Errorf("an overlay with an unknown key and an unknown placeholder gave %v", err)
	}
}

// TestFailures checks the form of every failure: three sentences, in whole words.
func TestFailures(t *testing.T) {
	book := wording.Default()
	codes := 0
	for _, key := range book.Keys() {
		code, ok := strings.CutSuffix(key, ".what")
		if !ok || !strings.Contains(code, "-") {
			continue
		}
		codes++
		f := book.Failure(code, "what", "回执", "place", "3 号窗口", "left", "3", "why", "缺纸。", "next", "请装纸。", "own", "Failed")
		for part, text := range map[string]string{"what": f.What, "means": f.Means, "do": f.Do} {
			if text == "" || strings.Contains(text, "⟦") {
				t.Errorf("%s.%s is %q", code, part, text)
			}
		}
		if !strings.HasSuffix(f.What, "。") || !strings.HasSuffix(f.Do, "。") {
			t.Errorf("%s: what and do are sentences: %q %q", code, f.What, f.Do)
		}
	}
	if codes < 25 {
		t.Errorf("the file has %d failures, there are more", codes)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("a = b\n  c\n# d\n"))
	f.Add([]byte("a = {b}{c}}{"))
	f.Add([]byte("\xef\xbb\xbfa=\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		book, err := wording.Load("fuzz", data)
		if err != nil {
			return
		}
		for _, key := range book.Keys() {
			book.Text(key, "b", "x")
		}
	})
}
