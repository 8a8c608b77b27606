package visit

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yuanban/ui/view"
)

func TestPaginateKeepsEveryCharacter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := view.Metrics{Chars: rapid.IntRange(6, 40).Draw(t, "chars"), Lines: rapid.IntRange(4, 30).Draw(t, "lines")}
		var blocks []block
		for range rapid.IntRange(0, 12).Draw(t, "blocks") {
			text := strings.Repeat(rapid.SampledFrom([]string{"园", "a", "，", "9"}).Draw(t, "letter"), rapid.IntRange(1, 300).Draw(t, "length"))
			head := len(wrap(text, m.Chars)) == 1 && rapid.Bool().Draw(t, "head")
			blocks = append(blocks, block{head: head, text: text})
		}
		got := make([]string, len(blocks))
		for _, page := range paginate(blocks, m) {
			lines := 0
			for i, p := range page {
				got[p.index] += p.text
				if !p.head {
					lines += len(wrap(p.text, m.Chars))
				}
				if p.head && i == len(page)-1 && p.index < len(blocks)-1 && !blocks[p.index+1].head {
					t.Errorf("the heading %q ends a page", p.text)
				}
			}
			if lines > m.Lines {
				t.Errorf("a page has %d lines of %d", lines, m.Lines)
			}
			if len(page) == 0 {
				t.Error("a page is empty")
			}
		}
		for i, b := range blocks {
			if got[i] != b.text {
				t.Fatalf("block %d: %q became %q", i, b.text, got[i])
			}
		}
	})
}

func TestInk(t *testing.T) {
	for _, tt := range []struct {
		name, strokes string
		want          bool
	}{
		{"nothing", "", false},
		{"empty", "[]", false},
		{"a slip of the finger", "[[[1,1,0],[2,2,9]]]", false},
		{"a signature", "[[[1,1,0],[2,2,9],[3,3,20],[4,3,30]],[[9,9,60],[10,10,70],[11,10,80]]]", true},
		{"no JSON", "[[[1,1,0]", false},
		{"points of two numbers", `[[["a",1]]]`, false},
		{"too long", "[[" + strings.Repeat("[1,1,1],", maxInk) + "[1,1,1]]]", false},
	} {
		if got := inked(tt.strokes); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func FuzzInk(f *testing.F) {
	f.Add("[[[1,1,0],[2,2,9]]]")
	f.Add("[[[1e400,1,0]]]")
	f.Fuzz(func(t *testing.T, s string) {
		if inked(s) && !validInk(s) {
			t.Error("ink that cannot be read counts as a signature")
		}
	})
}

func TestTyped(t *testing.T) {
	value := ""
	for _, k := range []string{"1", "3", "x", "8", "12", "del", "9"} {
		value = typed(value, k, 4, digit)
	}
	if value != "139" {
		t.Errorf("typed %q, want 139", value)
	}
	for range 9 {
		value = typed(value, "7", 4, digit)
	}
	if value != "1397" {
		t.Errorf("typed %q beyond the length", value)
	}
	if value = typed(value, "clear", 4, digit); value != "" {
		t.Errorf("cleared to %q", value)
	}
}
