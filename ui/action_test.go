package ui

import (
	"maps"
	"strings"
	"testing"
)

func TestParseAction(t *testing.T) {
	for frame, want := range map[string]map[string]string{
		`{"do":"home"}`:                        {},
		`{"do":"choose","item":"P2-01"}`:       {"item": "P2-01"},
		` {"item":"中文","do":"choose"} `:        {"item": "中文"},
		`{"do":"ink","strokes":"[[[1,2,3]]]"}`: {"strokes": "[[[1,2,3]]]"},
	} {
		a, err := parseAction([]byte(frame))
		if err != nil || !maps.Equal(a.Args, want) || a.Do == "" {
			t.Errorf("parseAction(%s) = %+v, %v; want the arguments %v", frame, a, err, want)
		}
	}
	for name, frame := range map[string]string{
		"empty": ``, "no object": `"home"`, "array": `["do"]`, "no do": `{"item":"x"}`, "empty do": `{"do":""}`,
		"number": `{"do":"page","to":3}`, "null": `{"do":null}`, "nested": `{"do":"x","a":{"b":"c"}}`, "twice": `{"do":"a","do":"b"}`,
		"trailing": `{"do":"a"}{"do":"b"}`, "open": `{"do":"a"`, "upper case": `{"do":"Home"}`, "odd name": `{"do":"a","__proto__":"b"}`,
		"not UTF-8": "{\"do\":\"a\xff\"}", "too many": `{"do":"a","a":"","b":"","c":"","d":"","e":"","f":"","g":"","h":""}`,
		"too long": `{"do":"ink","strokes":"` + strings.Repeat("1", maxFrame) + `"}`,
	} {
		if a, err := parseAction([]byte(frame)); err == nil {
			t.Errorf("%s: parseAction took %.40s as %+v", name, frame, a)
		}
	}
}

func FuzzParseAction(f *testing.F) {
	f.Add([]byte(`{"do":"choose","item":"P2-01"}`))
	f.Add([]byte(`{"do":"a","do":"b"}`))
	f.Add([]byte(`{"do":["a"]}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		a, err := parseAction(frame)
		if err != nil {
			return
		}
		if !plainWord(a.Do) || len(a.Args) >= maxFields {
			t.Errorf("parseAction took %q as %+v", frame, a)
		}
	})
}
