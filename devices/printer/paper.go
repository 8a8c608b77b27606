package printer

import "strings"

// mark is a character in the simulated printer's line buffer, with the modes it was sent under.
type mark struct {
	r          rune
	glyph      *dots // a character defined by the host
	wide, high int   // 1..8
	bold       bool
	under      bool // underlined
}

// strip is a piece of printed paper.
type strip struct {
	marks  []mark // of a line of text
	align  Align
	pic    *dots // of a picture or a QR code
	reads  string
	height int  // with the feed after it, in dots
	isLine bool // it counts as a line of Receipt.Lines
}

// sheet is the paper from one cut to the next.
type sheet struct {
	id      string
	strips  []strip
	where   sheetPlace
	partial bool // torn off before it was cut
}

// sheetPlace is where a sheet is.
type sheetPlace int

const (
	sheetHeld      sheetPlace = iota // in the printer
	sheetOut                         // in its mouth
	sheetTaken                       // in somebody's hand
	sheetRetracted                   // in the printer's bin
)

func (s *sheet) lines() []string {
	var out []string
	for _, p := range s.strips {
		if p.isLine {
			out = append(out, p.reads)
		}
	}
	return out
}

func (s *sheet) blank() bool {
	for _, p := range s.strips {
		if p.pic != nil || len(p.marks) > 0 {
			return false
		}
	}
	return true
}

// textStrip prints a line buffer.
func textStrip(marks []mark, align Align, lineDots, cols int) strip {
	var b strings.Builder
	high, used := 1, 0
	for _, m := range marks {
		b.WriteRune(m.r)
		high = max(high, m.high)
		used += columns(m.r) * m.wide
	}
	text := b.String()
	return strip{
		marks: marks, align: align, isLine: true,
		reads:  place(text, used, align, cols),
		height: max(lineDots, 24*high),
	}
}
