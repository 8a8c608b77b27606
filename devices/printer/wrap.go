package printer

import (
	"slices"
	"strings"
)

// style is how a character is printed.
type style struct {
	wide, high      int // 1..maxScale
	bold, underline bool
}

// plain is the style a printer has after its reset.
func plain() style { return style{wide: 1, high: 1} }

// maxScale is how many times as wide or as high as a normal one a character may be. Printers go to 8; nothing on a receipt wants that.
const maxScale = 6

// char is a character and how it is printed.
type char struct {
	r rune
	style
}

func (c char) columns() int { return columns(c.r) * c.wide }

// blank says whether the character leaves no ink.
func (c char) blank() bool { return c.r == ' ' && !c.underline }

// styled is a text in one style.
func styled(s string, st style) []char {
	list := make([]char, 0, len(s)/2+1)
	for _, r := range s {
		list = append(list, char{r, st})
	}
	return list
}

func charsWidth(list []char) int {
	n := 0
	for _, c := range list {
		n += c.columns()
	}
	return n
}

// trimRight drops the blanks at the end.
func trimRight(list []char) []char {
	for len(list) > 0 && list[len(list)-1].blank() {
		list = list[:len(list)-1]
	}
	return list
}

// Characters that may not begin a line (GB/T 15834-2011 5.1: closing marks) and those that may not end one (opening marks).
const (
	closing = "、，。．：；！？）］｝】》」』〉〕〗”’…—～·％‰℃°,.:;!?)]}%'\""
	opening = "（［｛【《「『〈〔〖“‘￥$＄([{#№"
)

// unit is a piece of text that is not broken if it can be helped.
type unit struct {
	chars []char
	width int
	space bool
}

// units cuts a paragraph into pieces: a Hanzi, a word or number, a space. Closing marks stay with what they close, opening marks with
// what they open.
func units(par []char) []unit {
	var list []unit
	glue := false // the last unit ends with an opening mark
	word := false // the last unit ends inside a word
	for i, c := range par {
		if c.blank() {
			list = append(list, unit{par[i : i+1], c.columns(), true})
			glue, word = false, false
			continue
		}
		ascii := c.r < 0x80
		n := len(list)
		joined := n > 0 && !list[n-1].space && (glue || word && ascii || strings.ContainsRune(closing, c.r))
		if joined {
			last := &list[n-1]
			last.chars = par[i-len(last.chars) : i+1]
			last.width += c.columns()
		} else {
			list = append(list, unit{par[i : i+1], c.columns(), false})
		}
		glue = strings.ContainsRune(opening, c.r)
		word = ascii
	}
	return list
}

// wrap breaks one paragraph into lines of at most cols columns, cols >= 2. An empty paragraph is one empty line. Blanks at the break
// disappear, blanks at the beginning of the paragraph stay.
func wrap(par []char, cols int) [][]char {
	par = shrink(par, cols)
	var lines [][]char
	var line []char
	used := 0
	apart, gap := false, false // there was a blank at the last break; the unit before this one is a blank
	end := func() {
		lines = append(lines, trimRight(line))
		line, used = nil, 0
	}
	for _, u := range units(par) {
		switch {
		case u.space && (used == 0 && len(lines) > 0 || used+u.width > cols):
		case used+u.width <= cols:
			line = append(line, u.chars...)
			used += u.width
		default:
			apart = gap
			if len(trimRight(line)) > 0 {
				end()
			} else {
				line, used = nil, 0
			}
			for _, c := range u.chars { // longer than a line only here
				if used+c.columns() > cols {
					end()
					apart = false
				}
				line = append(line, c)
				used += c.columns()
			}
		}
		gap = u.space
	}
	if used > 0 || len(lines) == 0 {
		end()
	}
	if !apart {
		keepCompany(lines, cols)
	}
	return lines
}

// keepCompany gives a last line of a single Hanzi, with or without a mark behind it, the end of the line before it: one character makes
// no line (单字不成行).
func keepCompany(lines [][]char, cols int) {
	n := len(lines)
	if n < 2 {
		return
	}
	prev, last := lines[n-2], lines[n-1]
	alone := units(last)
	if len(alone) != 1 || last[0].r < 0x80 {
		return
	}
	for _, c := range last[1:] {
		if !strings.ContainsRune(closing, c.r) {
			return
		}
	}
	before := units(prev)
	tail := before[len(before)-1]
	rest := trimRight(prev[:len(prev)-len(tail.chars)])
	if tail.width+alone[0].width > cols || 2*charsWidth(rest) < cols {
		return
	}
	lines[n-2], lines[n-1] = rest, slices.Concat(tail.chars, last)
}

// shrink makes characters that are wider than cols just as wide.
func shrink(par []char, cols int) []char {
	for i, c := range par {
		if c.columns() <= cols {
			continue
		}
		c.wide = max(cols/columns(c.r), 1)
		c.high = min(c.high, c.wide)
		par[i] = c
	}
	return par
}
