package printer

import "slices"

// glyphSlots is how many characters a printer can be taught at a time (FS 2): the codes FE A1 to FE FE.
const glyphSlots = 94

// missing stands for a character that neither the printer's font nor ours can show: 〓, the mark of Chinese typesetters for a type
// that is not in the case. It is in every font, and nobody takes it for a part of the text, as would happen with a question mark.
const missing = '〓'

// Unprintable returns the characters of a document that would print as 〓 on this printer, each once: neither its font nor the system's
// fonts have them. They may be part of a name, so what they are belongs on the person's screen and not in a log; how many may be logged.
func Unprintable(d *Document, p *Profile) ([]rune, error) {
	e, err := encode(d, p)
	if err != nil {
		return nil, err
	}
	return e.lost, nil
}

// teach prepares the printer for the characters of a line that its font lacks. It is false if the printer cannot be taught one of them,
// so that the line must be drawn.
func (e *encoder) teach(l paperLine) bool {
	rare := e.rare(l)
	if len(rare) == 0 {
		return true
	}
	if e.p.Rare != RareGlyph || len(rare) > glyphSlots {
		return false
	}
	fresh := func(r rune) bool { return e.slots[r] == nil }
	if n := len(slices.DeleteFunc(slices.Clone(rare), func(r rune) bool { return !fresh(r) })); len(e.slots)+n > glyphSlots {
		clear(e.slots) // the lines before this one are on paper: their characters are not needed any more
	}
	face, _ := systemTypeface() // without one nothing is rare
	for _, r := range rare {
		if !fresh(r) {
			continue
		}
		cell, _ := face.cell(r, 24, false)
		slot := []byte{0xFE, byte(0xA1 + len(e.slots))}
		e.slots[r] = slot
		e.add(append([]byte{fs, '2', slot[0], slot[1]}, defuse(cell.columnBytes())...)...)
	}
	return true
}

// rare is the characters of a line, each once, that the printer's font lacks and ours has.
func (e *encoder) rare(l paperLine) []rune {
	var list []rune
	face, err := systemTypeface()
	if err != nil {
		return nil
	}
	for _, run := range l.runs {
		for _, r := range run.text {
			if _, own := e.p.Charset.encode(r); own || slices.Contains(list, r) {
				continue
			}
			if _, ok := face.cell(r, 24, false); ok {
				list = append(list, r)
			}
		}
	}
	return list
}

// char gives the code of a character of a line that was taught.
func (e *encoder) char(r rune) Command {
	if b, ok := e.p.Charset.encode(r); ok {
		return b
	}
	if slot := e.slots[r]; slot != nil {
		return slot
	}
	e.lose(r)
	b, _ := e.p.Charset.encode(missing)
	return b
}

func (e *encoder) lose(r rune) {
	if r != missing && !slices.Contains(e.lost, r) {
		e.lost = append(e.lost, r)
	}
}

// drawn prints a line as a picture, for a printer that cannot be taught a character. It looks like the lines around it: the same
// places, weights and sizes.
func (e *encoder) drawn(l paperLine) {
	face, err := systemTypeface()
	if err != nil {
		return // not reached: without a typeface nothing is rare
	}
	pic := newDots(e.p.Dots, 24*l.size)
	left := 0
	switch free := e.p.Dots - 12*l.runs[len(l.runs)-1].end(); l.align {
	case Center:
		left = free / 2
	case Right:
		left = free
	}
	for _, run := range l.runs {
		x, top := left+12*run.col, 24*(l.size-run.high)
		from := x
		for _, r := range run.text {
			ink, ok := face.ink(r, run.style)
			if !ok {
				e.lose(r)
				if ink, ok = face.ink(missing, run.style); !ok {
					continue
				}
			}
			pic.put(ink, x, top, 1)
			x += 12 * columns(r) * run.wide
		}
		if run.underline {
			pic.underline(from, x)
		}
	}
	e.alignment(Left)
	e.modes(plain())
	e.raster(pic)
	if gap := e.p.LineDots - 24; gap > 0 {
		e.add(esc, 'J', byte(gap))
	}
}
