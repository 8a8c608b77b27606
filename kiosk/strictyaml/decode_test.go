package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

type color string

func (color) Choices() []string { return []string{"red", "green"} }

type even int

func (e *even) UnmarshalText(text []byte) error {
	if _, err := fmt.Sscanf(string(text), "%d", (*int)(e)); err != nil || *e%2 != 0 {
		return errors.New("want an even number")
	}
	return nil
}

type part struct {
	Name string `yaml:"name,required"`
	Size int8   `yaml:"size"`
}

type file struct {
	Title  string            `yaml:"title,required"`
	Wait   time.Duration     `yaml:"wait"`
	Color  color             `yaml:"color"`
	Even   even              `yaml:"even"`
	On     bool              `yaml:"on"`
	Inch   float64           `yaml:"inch"`
	Part   *part             `yaml:"part"`
	Parts  []part            `yaml:"parts"`
	Lines  map[int]string    `yaml:"lines"`
	Words  map[string]string `yaml:"words"`
	Hidden string            `yaml:"-"`
	secret string
}

func TestDecode(t *testing.T) {
	const text = `
title: 1.10
wait: 1m30s
color: green
even: 4
on: true
inch: 21.5
part: {name: "7", size: -3}
parts:
  - name: 0730
  - name: b
    size: 2
lines: {1: one, 5: five}
words:
  k: v
`
	got := file{Hidden: "kept"}
	doc, problems := Decode("x.yaml", []byte(text), &got)
	want := file{
		Title: "1.10", Wait: 90 * time.Second, Color: "green", Even: 4, On: true, Inch: 21.5, Part: &part{"7", -3},
		Parts: []part{{"0730", 0}, {"b", 2}}, Lines: map[int]string{1: "one", 5: "five"}, Words: map[string]string{"k": "v"}, Hidden: "kept",
	}
	if len(problems) > 0 || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, problems %v\nwant %+v", got, problems, want)
	}
	if got.secret != "" {
		t.Error("an unexported field was set")
	}
	for path, line := range map[string]int{"wait": 3, "parts[1].size": 12, "parts[1].absent": 11, "nothing": 2, "lines.5": 13, "part.name": 8} {
		if doc.Line(path) != line {
			t.Errorf("Line(%q) = %d, want %d", path, doc.Line(path), line)
		}
	}
	if p := doc.Problem("parts[1].size", "too %s", "small").String(); p != "x.yaml:12: parts[1].size: too small" {
		t.Error(p)
	}
}

func TestDefaultsStay(t *testing.T) {
	got := file{Wait: time.Minute, Part: &part{Name: "a", Size: 3}}
	if _, problems := Decode("x", []byte("title: t\nwait:\npart: {name: b}\n"), &got); len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.Wait != time.Minute || *got.Part != (part{"b", 3}) {
		t.Errorf("%+v %+v", got, got.Part)
	}
}

func TestProblems(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string // one for each problem, in order
	}{
		"empty":             {"", []string{"x: the file is empty"}},
		"only a comment":    {"# nothing\n", []string{"x: the file is empty"}},
		"only a line":       {"---", []string{"x:1: the file is empty"}},
		"not a mapping":     {"- a\n", []string{"x:1: want keys with values, got a list"}},
		"syntax":            {"title: a\n b: [", []string{"x:2: cannot read this as YAML: mapping values are not allowed"}},
		"not UTF-8":         {"title: a\nwords: {k: \xb1}", []string{"x:2: the file is not UTF-8"}},
		"two documents":     {"title: a\n---\ntitle: b\n", []string{"x:2: a second document begins here"}},
		"missing":           {"on: true\n", []string{"x:1: title: missing; add the key title"}},
		"required is empty": {"title: ''\npart: {name: }", []string{"x:1: title: must not be empty", "x:2: part.name: must not be empty"}},
		"unknown, close":    {"title: a\ncolour: red\n", []string{"x:2: colour: unknown key, did you mean color?"}},
		"unknown, swapped":  {"tilte: a\n", []string{"x:1: tilte: unknown key, did you mean title?", "x:1: title: missing"}},
		"unknown, style":    {"title: a\nLines: {}\n", []string{"did you mean lines?"}},
		"unknown, far":      {"title: a\nzebra: 1\n", []string{"x:2: zebra: unknown key; known here: title, wait"}},
		"unexported":        {"title: a\nsecret: x\n", []string{"x:2: secret: unknown key"}},
		"excluded":          {"title: a\nHidden: x\n", []string{"x:2: Hidden: unknown key"}},
		"twice":             {"title: a\ntitle: b\n", []string{"x:2: title: written twice; line 1 has it already"}},
		"twice in map":      {"title: a\nwords: {a: b, a: c}\n", []string{"x:2: words.a: written twice"}},
		"choice":            {"title: a\ncolor: gren\n", []string{`x:2: color: "gren" is none of red, green, did you mean green?`}},
		"choice, far":       {"title: a\ncolor: blue\n", []string{`x:2: color: "blue" is none of red, green`}},
		"duration, no unit": {"title: a\nwait: 45\n", []string{"x:2: wait: want a duration like 45s or 1m30s: add the unit, got 45"}},
		"duration":          {"title: a\nwait: soon\n", []string{"x:2: wait: want a duration like 45s or 1m30s, got soon"}},
		"quoted number":     {"title: a\nparts: [{name: a, size: \"3\"}]", []string{`x:2: parts[0].size: want a whole number like 12, without quotes or leading zeros, got "3"`}},
		"octal":             {"title: a\npart: {name: a, size: 010}", []string{"got 010"}},
		"too large":         {"title: a\npart: {name: a, size: 300}", []string{"x:2: part.size: want a whole number of 8 bits, got 300"}},
		"bool":              {"title: a\non: yes\n", []string{"x:2: on: want true or false without quotes, got yes"}},
		"bool as text":      {"title: true\n", []string{"x:1: title: want a text, got true; put it in quotes"}},
		"not a number":      {"title: a\ninch: .nan\n", []string{"x:2: inch: want a number like 21.5, without quotes, got .nan"}},
		"own type":          {"title: a\neven: 3\n", []string{"x:2: even: want an even number"}},
		"list for text":     {"title: [a]\n", []string{"x:1: title: want a text, got a list"}},
		"text for list":     {"title: a\nparts: x\n", []string{"x:2: parts: want a list (lines that begin with -), got a single value"}},
		"list for struct":   {"title: a\npart: [x]\n", []string{"x:2: part: want keys with values, got a list"}},
		"text for map":      {"title: a\nwords: x\n", []string{"x:2: words: want keys with values, got a single value"}},
		"empty list line":   {"title: a\nparts:\n  -\n", []string{"x:3: parts[0]: empty line in a list"}},
		"map key":           {"title: a\nlines: {x: y}\n", []string{"x:2: lines.x: want a whole number as key, got x"}},
		"complex key":       {"title: a\n? [a]\n: b\n", []string{"x:2: want a plain word as key, got a list"}},
		"anchor":            {"title: &t a\n", []string{"x:1: title: &t is a name for other places"}},
		"alias":             {"words: &w {a: b}\ntitle: *w\n", []string{"x:1: words: &w is a name", "x:2: title: *w refers to another place"}},
		"merge":             {"title: a\npart:\n  <<: {name: b}\n", []string{"x:3: part: << merges", "x:3: part.name: missing"}},
		"tag":               {"title: !!str a\n", []string{"x:1: title: the tag !!str is not allowed"}},
		"every one":         {"color: pink\nwait: 1\non: 1\n", []string{"x:1: color: ", "x:1: title: missing", "x:2: wait: ", "x:3: on: "}},
		"too big":           {"title: " + strings.Repeat("a", MaxSize), []string{"x: the file has "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got file
			_, problems := Decode("x", []byte(tt.text), &got)
			if len(problems) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(problems), len(tt.want), problems)
			}
			for i, want := range tt.want {
				if s := problems[i].String(); !strings.Contains(s, want) {
					t.Errorf("problem %d:\n got %s\nwant %s", i, s, want)
				}
			}
			if problems.Err() == nil || strings.Count(problems.Err().Error(), "\n") != len(tt.want)-1 {
				t.Errorf("Err: %v", problems.Err())
			}
		})
	}
}

func TestDecodePanicsOnWrongTarget(t *testing.T) {
	for _, into := range []any{file{}, new(int), nil} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for %T", into)
				}
			}()
			Decode("x", []byte("a: b"), into)
		}()
	}
}

func TestNoProblemIsNoError(t *testing.T) {
	if err := (Problems{}).Err(); err != nil {
		t.Errorf("got %#v", err)
	}
}

// FuzzDecode: whatever is in a file, Decode neither panics nor reports a problem outside of it.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "title: a\n", "title: &a [*a]", "a: {b: [c, {d: e}]}", "? x\n: y\n", "---\n---\n", "\xff", "title: |\n  x\n", "%YAML 1.2\n---\na: b", "<<: {a: b}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var into file
		doc, problems := Decode("f", data, &into)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029") + strings.Count(string(data), "\u0085") + 2
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines || p.Text == "" {
				t.Errorf("%d lines, problem %+v", lines, p)
			}
		}
		if doc == nil || (len(problems) == 0 && into.Title == "") {
			t.Errorf("a required value is missing and nothing was said: %q", data)
		}
	})
}
