package printer

import (
	"slices"
	"strings"
)

// Characters that may not begin a line (GB/T 15834-2011 5.1: closing marks) and those that may not end one (opening marks).
const (
	closing = "、，。．：；！？）］｝】》」』〉〕〗”’…—～·％‰℃°,.:;!?)]}%'\""
	opening = "（［｛【《「『〈〔〖“‘￥$＄([{#№"
)

// unit is a piece of text that is not broken if it can be helped.
type unit struct {
	text  string
	width int
	space bool
}

// units cuts a paragraph into pieces: a Hanzi, a word or number, a space. Closing marks stay with what they close, opening marks with
// what they open.
func units(s string) []unit {
	var list []unit
	glue := false // the last unit ends with an opening mark
	word := false // the last unit ends inside a word
	for _, r := range s {
		w := columns(r)
		if r == ' ' {
			list = append(list, unit{" ", 1, true})
			glue, word = false, false
			continue
		}
		ascii := r < 0x80
		n := len(list)
		joined := n > 0 && !list[n-1].space && (glue || word && ascii || strings.ContainsRune(closing, r))
		if joined {
			list[n-1].text += string(r)
			list[n-1].width += w
		} else {
			list = append(list, unit{string(r), w, false})
		}
		glue = strings.ContainsRune(opening, r)
		word = ascii
	}
	return list
}

// wrap breaks one paragraph into lines of at most cols columns, cols >= 2. An empty paragraph is one empty line. Spaces at the break
// disappear, spaces at the beginning of the paragraph stay.
func wrap(s string, cols int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	end := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	for _, u := range units(s) {
		switch {
		case u.space && (used == 0 && len(lines) > 0 || used+1 > cols):
		case used+u.width <= cols:
			line.WriteString(u.text)
			used += u.width
		default:
			if strings.Trim(line.String(), " ") != "" {
				end()
			} else {
				line.Reset()
				used = 0
			}
			for _, r := range u.text { // longer than a line only here
				if used+columns(r) > cols {
					end()
				}
				line.WriteRune(r)
				used += columns(r)
			}
		}
	}
	if used > 0 || len(lines) == 0 {
		end()
	}
	return slices.Clip(lines)
}
