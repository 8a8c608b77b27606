package catalogue

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"yuanban/kiosk/strictyaml"
)

// page is a text file with facts about itself at its head, between two lines ---, and then a simple text:
// lines that begin with # or ## are headings, every other line that is not empty is a paragraph.
type page struct {
	doc   *strictyaml.Doc
	lines []pageLine
}

type pageLine struct {
	line  int // 1-based
	level int // of a heading, 0 for a paragraph
	text  string
}

// parsePage reads a page, its head into the struct that into points to.
func parsePage(file string, data []byte, into any) (*page, strictyaml.Problems) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	end := -1
	if strings.TrimRight(lines[0], " \t") == "---" {
		for i, line := range lines[1:] {
			if strings.TrimRight(line, " \t") == "---" {
				end = i + 1
				break
			}
		}
	}
	if end < 0 || !utf8.Valid(data) {
		doc, _ := strictyaml.Decode(file, []byte("{}"), &struct{}{})
		text := "must begin with a line ---, facts like title: …, and another line ---"
		if !utf8.Valid(data) {
			text = "the file is not UTF-8; save it as UTF-8"
		}
		return &page{doc: doc}, strictyaml.Problems{{File: file, Line: 1, Text: text}}
	}
	// The first line is kept, empty, so that lines are counted as in the file.
	doc, problems := strictyaml.Decode(file, []byte("\n"+strings.Join(lines[1:end], "\n")+"\n"), into)
	p := &page{doc: doc}
	for i, text := range lines[end+1:] {
		text = strings.TrimSpace(text)
		level := 0
		for level < len(text) && text[level] == '#' {
			level++
		}
		if level > 0 {
			text = strings.TrimSpace(text[level:])
		}
		switch number := end + 2 + i; {
		case level > 2 || level > 0 && text == "":
			problems = append(problems, strictyaml.Problem{File: file, Line: number, Text: "want # or ## and the words of the heading"})
		case text != "":
			p.lines = append(p.lines, pageLine{number, level, text})
		}
	}
	return p, problems
}
