// Package wording holds every text a visitor sees, in one file that a park can read, check and override.
//
// The file zh.txt has one text a line, "key = text". A text may hold placeholders in braces, {count}. A line that begins
// with two spaces continues the text above it; lines that begin with # are comments. Flows and screens ask for texts by
// key; a key or a placeholder that is missing shows as ⟦key⟧, so that a test and an eye both find it.
package wording

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"yuanban/ui/view"
)

//go:embed zh.txt
var standard []byte

// Book is a set of texts by key. It does not change once it is in use, so it is safe for concurrent readers.
type Book struct{ texts map[string]string }

// Default returns the texts that come with the program.
func Default() *Book {
	b, err := Load("zh.txt", standard)
	if err != nil {
		panic(fmt.Sprintf("cannot read the embedded texts: %v", err)) // a test loads them; this cannot happen in a built program
	}
	return b
}

// Load reads a wording file; file only names it in errors. All problems are reported together.
func Load(file string, data []byte) (*Book, error) {
	texts, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	return &Book{texts: texts}, nil
}

// Overlay returns a copy of the book with a park's own texts in place of the standard ones.
//
// A key the book does not have is an error: it would never be shown, and is most likely a spelling mistake.
func (b *Book) Overlay(file string, data []byte) (*Book, error) {
	own, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(own)) {
		old, ok := b.texts[key]
		if !ok {
			problems = append(problems, fmt.Errorf("cannot use %s: there is no text with the key %q", file, key))
			continue
		}
		for _, name := range placeholders(own[key]) {
			if !slices.Contains(placeholders(old), name) {
				problems = append(problems, fmt.Errorf("cannot use %s: the program does not fill in {%s} of %q", file, name, key))
			}
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	all := maps.Clone(b.texts)
	maps.Copy(all, own)
	return &Book{texts: all}, nil
}

// Has tells whether the book has a text.
func (b *Book) Has(key string) bool { _, ok := b.texts[key]; return ok }

// Keys returns all keys in order.
func (b *Book) Keys() []string { return slices.Sorted(maps.Keys(b.texts)) }

// Text returns a text with its placeholders filled in from pairs of name and value.
//
// A missing key gives ⟦key⟧; a placeholder without a value gives ⟦key:name⟧ in its place.
func (b *Book) Text(key string, pairs ...string) string {
	text, ok := b.texts[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	if !strings.Contains(text, "{") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			out.WriteString("{" + rest)
			return out.String()
		}
		out.WriteString(value(key, name, pairs))
		text = after
	}
}

func value(key, name string, pairs []string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1]
		}
	}
	return "⟦" + key + ":" + name + "⟧"
}

// Failure returns the three sentences of a failure code, e.g. P-104, with their placeholders filled in.
func (b *Book) Failure(code string, pairs ...string) view.Failure {
	return view.Failure{
		Code:  code,
		What:  b.Text(code+".what", pairs...),
		Means: b.Text(code+".means", pairs...),
		Do:    b.Text(code+".do", pairs...),
	}
}

func parse(file string, data []byte) (map[string]string, error) {
	texts := map[string]string{}
	var problems []error
	problem := func(line int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("cannot read %s, line %d: %s", file, line, fmt.Sprintf(format, args...)))
	}
	last, n := "", 0
	for raw := range bytes.Lines(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))) {
		n++
		line := strings.TrimRight(string(raw), " \t\r\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			last = ""
		case strings.HasPrefix(line, "  "):
			if last == "" {
				problem(n, "this line continues a text, but there is none above it")
				continue
			}
			texts[last] += strings.TrimSpace(line)
		default:
			key, text, ok := strings.Cut(line, "=")
			key, text = strings.TrimSpace(key), strings.TrimSpace(text)
			switch {
			case !ok || key == "":
				problem(n, "a text is written as key = text")
			case strings.Count(text, "{") != strings.Count(text, "}"):
				problem(n, "the braces of %q do not match", key)
			case texts[key] != "":
				problem(n, "the key %q was used before", key)
			default:
				texts[key], last = text, key
			}
		}
	}
	return texts, errors.Join(problems...)
}

// placeholders lists the names in braces of a text.
func placeholders(text string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(text, "{")
		if !found {
			return names
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return names
		}
		names, text = append(names, name), after
	}
}
