package receiptline

import (
	"strconv"
	"strings"
	"unicode"
)

// kind is what a token is.
type kind int

const (
	plain   kind = iota // a character that may mean something: | " _ ^ { and so on
	literal             // an escaped character: only itself
	newline             // \n
	value               // {{name}}
	given               // {{有 name}}
	lacking             // {{无 name}}
	each                // {{每个name}}
	ended               // {{name结束}}
)

// The words of the braces, as the commitment letters have them.
const (
	wordGiven   = "有"
	wordLacking = "无"
	wordEach    = "每个"
	wordEnded   = "结束"
)

// token is a character of a line or one of its double braces.
type token struct {
	kind   kind
	r      rune   // of plain and literal
	name   string // of the others
	column int    // where it begins, from 1
}

func (t token) is(r rune) bool { return t.kind == plain && t.r == r }

func (t token) blank() bool { return t.is(' ') || t.is('\t') }

// trim drops the blanks at both ends.
func trim(list []token) []token {
	for len(list) > 0 && list[0].blank() {
		list = list[1:]
	}
	for len(list) > 0 && list[len(list)-1].blank() {
		list = list[:len(list)-1]
	}
	return list
}

// scan cuts a line into tokens.
func (p *parser) scan(line string) []token {
	var list []token
	text := []rune(line)
	for i := 0; i < len(text); {
		t := token{kind: plain, r: text[i], column: i + 1}
		n := 1
		switch {
		case text[i] == '\\':
			t, n = p.escape(text, i)
		case text[i] == '{' && i+1 < len(text) && text[i+1] == '{':
			t, n = p.braces(text, i)
		case text[i] != '\t' && unicode.IsControl(text[i]):
			p.problem(i+1, "a control character, which cannot be printed", "delete it")
			i++
			continue
		}
		i += n
		list = append(list, t)
	}
	return list
}

// escape reads \ and what follows it at text[i:].
func (p *parser) escape(text []rune, i int) (token, int) {
	t := token{kind: literal, column: i + 1}
	if i+1 == len(text) {
		p.problem(i+1, `a \ at the end of the line means nothing`, `delete it, or write \\ for the character`)
		return t, 1
	}
	switch t.r = text[i+1]; {
	case t.r == 'n':
		t.kind = newline
		return t, 2
	case t.r == 'x':
		if i+3 < len(text) {
			if n, err := strconv.ParseUint(string(text[i+2:i+4]), 16, 8); err == nil {
				if t.r = rune(n); unicode.IsControl(t.r) {
					p.problem(i+1, `\x`+string(text[i+2:i+4])+" is a control character, which cannot be printed", "delete it")
				}
				return t, 4
			}
		}
		p.problem(i+1, `\x wants two hexadecimal digits`, `write for example \x41, or \\x for the characters`)
	case !strings.ContainsRune("\\{}|-=~_\"`^;", t.r):
		p.problem(i+1, `\`+string(t.r)+" means nothing", `write \\`+string(t.r)+" for the two characters")
	}
	return t, 2
}

// braces reads {{…}} at text[i:].
func (p *parser) braces(text []rune, i int) (token, int) {
	end := -1
	for k := i + 2; k+1 < len(text); k++ {
		if text[k] == '{' {
			break
		}
		if text[k] == '}' && text[k+1] == '}' {
			end = k
			break
		}
	}
	if end < 0 {
		p.problem(i+1, "{{ has no }}", `write {{name}}, or \{\{ for the characters`)
		return token{kind: newline, column: i + 1}, len(text) - i
	}
	t := token{kind: value, name: strings.TrimSpace(string(text[i+2 : end])), column: i + 1}
	first, rest, spaced := strings.Cut(t.name, " ")
	switch {
	case spaced && first == wordGiven:
		t.kind, t.name = given, strings.TrimSpace(rest)
	case spaced && first == wordLacking:
		t.kind, t.name = lacking, strings.TrimSpace(rest)
	case strings.HasPrefix(t.name, wordEach):
		t.kind, t.name = each, strings.TrimPrefix(t.name, wordEach)
	case strings.HasSuffix(t.name, wordEnded):
		t.kind, t.name = ended, strings.TrimSuffix(t.name, wordEnded)
	}
	if !isName(t.name) {
		p.problem(i+1, "{{"+strings.TrimSpace(string(text[i+2:end]))+"}} is not a name", "write a name of letters and digits between the braces")
	}
	return t, end + 2 - i
}

func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
}
