package visit

import (
	"unicode"

	"yuanban/ui/view"
)

// A block is a paragraph or a line of a guide, as far as paging is concerned.
type block struct {
	head bool
	text string
}

// piece is what of a block stands on a page.
type piece struct {
	block
	index int  // of the block
	more  bool // continues from the page before
}

// paginate lays blocks on pages of m.Lines lines of m.Chars full-width characters.
//
// A heading never ends a page, and a paragraph that does not fit is continued on the next one: no text is ever cut.
func paginate(blocks []block, m view.Metrics) [][]piece {
	const gap = 0.6 // of a line, between blocks
	lines := float64(m.Lines)
	var pages [][]piece
	var page []piece
	used := 0.0
	flush := func() {
		if len(page) > 0 {
			pages, page, used = append(pages, page), nil, 0
		}
	}
	for i, b := range blocks {
		need := float64(len(wrap(b.text, m.Chars)))
		if b.head {
			next := 0.0 // a heading wants two lines of what it heads
			if i+1 < len(blocks) {
				next = min(2, float64(len(wrap(blocks[i+1].text, m.Chars))))
			}
			need = need*1.2 + 0.4
			if used+need+next > lines {
				flush()
			}
			page, used = append(page, piece{block: b, index: i}), used+need
			continue
		}
		rest, more := wrap(b.text, m.Chars), false
		for len(rest) > 0 {
			room := int(lines - used)
			headed := len(page) > 0 && page[len(page)-1].head // its heading stays with it
			if room < 1 || (room < 2 && len(rest) > 2 && !headed) {
				flush()
				room = int(lines)
			}
			n := min(room, len(rest))
			text := ""
			for _, l := range rest[:n] {
				text += l
			}
			page = append(page, piece{block: block{text: text}, index: i, more: more})
			used += float64(n) + gap
			rest, more = rest[n:], true
			if len(rest) > 0 {
				flush()
			}
		}
	}
	flush()
	return pages
}

// wrap breaks text into lines of at most width full-width characters, as the browser does with text of one size.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0.0
	for _, r := range text {
		w := 1.0
		if r < unicode.MaxASCII || unicode.Is(unicode.Latin, r) {
			w = 0.6
		}
		if used+w > float64(width) {
			lines, line, used = append(lines, line), "", 0
		}
		line, used = line+string(r), used+w
	}
	return append(lines, line)
}
