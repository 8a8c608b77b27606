package printer

import (
	"bytes"
	"fmt"
	"strings"
)

// reader reads a stream as the printer's manual says and refuses everything that the encoder has no business sending. It shares no code
// with the encoder, the simulator or the framer, so that it can tell when they agree on something wrong.
type reader struct {
	p       *Profile
	command func(Command) // if not nil, hears of every command
	mayBe   []rune        // the characters that a defined one may be

	lines  []readLine // printed, the rasters and QR codes included
	line   readLine
	begun  bool // there is something on the line
	at     int  // dots from the left
	align  byte
	style  style
	under  [2]byte // of ASCII and of Hanzi
	hanzi  bool
	cuts   int
	glyphs map[[2]byte][]byte
}

// readLine is a printed line.
type readLine struct {
	marks   []readMark
	align   byte
	picture bool // drawn
	qr      string
}

type readMark struct {
	char
	x int // dots from the left of the line
}

func (l readLine) text() string {
	var b strings.Builder
	for _, m := range l.marks {
		b.WriteRune(m.r)
	}
	return b.String()
}

func (r *reader) read(b []byte) error {
	r.style, r.glyphs = style{wide: 1, high: 1}, map[[2]byte][]byte{}
	for len(b) > 0 {
		n, err := r.one(b)
		if err != nil {
			return fmt.Errorf("% x: %w", b[:min(len(b), 12)], err)
		}
		if r.command != nil {
			r.command(Command(b[:n]))
		}
		b = b[n:]
	}
	if r.begun || r.cuts == 0 {
		return fmt.Errorf("the stream does not end with a cut")
	}
	return nil
}

// one reads one command and returns its length.
func (r *reader) one(b []byte) (int, error) {
	if cut := r.p.cut(); bytes.HasPrefix(b, cut) {
		if r.begun {
			return 0, fmt.Errorf("a cut in the middle of a line")
		}
		r.cuts++
		return len(cut), nil
	}
	if b[0] >= 0x20 {
		return r.character(b)
	}
	if b[0] == 0x0A {
		r.newline()
		return 1, nil
	}
	if len(b) < 3 {
		if string(b) == "\x1b@" || string(b) == "\x1c&" {
			return 2, nil
		}
		return 0, fmt.Errorf("cut short")
	}
	n := b[2]
	switch string(b[:2]) {
	case "\x1b@":
		return 2, nil
	case "\x1c&":
		r.hanzi = true
		return 2, nil
	case "\x1b3":
		return 3, want(n >= 24, "line spacing below 24 dots")
	case "\x1ba":
		r.align = n
		return 3, want(n <= 2 && !r.begun, "alignment in a line or of no kind")
	case "\x1bE":
		r.style.bold = n == 1
		return 3, want(n <= 1, "bold of no kind")
	case "\x1b-", "\x1c-":
		r.under[map[byte]int{0x1b: 0, 0x1c: 1}[b[0]]] = n
		return 3, want(n == 0 || n == 2, "underline of no kind")
	case "\x1d!":
		r.style.wide, r.style.high = int(n>>4)+1, int(n&15)+1
		return 3, want(n>>4 < 6 && n&15 < 6, "size beyond 6")
	case "\x1bd", "\x1bJ":
		return 3, want(!r.begun, "a feed in a line")
	case "\x1b$":
		to := int(n) + int(b[3])<<8
		back := to <= r.at
		r.at, r.begun = to, true
		return 4, want(!back && r.align == 0 && r.p.Position && to < r.p.Dots, "a jump back, out of the paper or on an aligned line")
	case "\x1c2":
		if len(b) < 76 {
			return 0, fmt.Errorf("cut short")
		}
		r.glyphs[[2]byte(b[2:4])] = b[4:76]
		return 76, want(n == 0xFE && b[3] >= 0xA1 && b[3] <= 0xFE && r.p.Rare == RareGlyph, "a character defined where none can be")
	case "\x1dv":
		return r.raster(b)
	case "\x1d(":
		return r.qr(b)
	}
	return 0, fmt.Errorf("not allowed")
}

func want(ok bool, wrong string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s", wrong)
}

// character reads a character. Everything outside ASCII is a Hanzi to the printer.
func (r *reader) character(b []byte) (int, error) {
	n := 1
	switch {
	case !r.hanzi:
		return 0, fmt.Errorf("text before FS &")
	case b[0] == 0x7F || b[0] == 0x80 || b[0] == 0xFF:
		return 0, fmt.Errorf("no character")
	case b[0] > 0x80 && len(b) > 1 && b[1] >= 0x30 && b[1] <= 0x39:
		n = 4
	case b[0] > 0x80:
		n = 2
	}
	if len(b) < n {
		return 0, fmt.Errorf("cut short")
	}
	c, st := Command(b[:n]), r.style
	if n == 4 && r.p.Charset != GB18030 {
		return n, fmt.Errorf("a four-byte code for a printer with %s", r.p.Charset)
	}
	ch := r.p.Charset.decode(c)
	if n == 2 {
		if dots := r.glyphs[[2]byte(c)]; dots != nil {
			ch = r.known(dots)
		}
	}
	wide := 24 * st.wide
	if n == 1 {
		wide = 12 * st.wide
	}
	if r.under[0] != r.under[1] {
		return n, fmt.Errorf("underline of ASCII and of Hanzi differ")
	}
	st.underline = r.under[0] != 0
	r.line.marks = append(r.line.marks, readMark{char{ch, st}, r.at})
	r.at += wide
	r.begun = true
	return n, want(r.at <= r.p.Columns*12, "the line is too long")
}

func (r *reader) newline() {
	r.line.align = r.align
	r.lines = append(r.lines, r.line)
	r.line, r.begun, r.at = readLine{}, false, 0
}

// known tells a defined character by its dots, among those it may be.
func (r *reader) known(glyph []byte) rune {
	face, err := systemTypeface()
	if err != nil {
		return missing
	}
	for _, c := range r.mayBe {
		if cell, ok := face.cell(c, 24, false); ok && bytes.Equal(defuse(cell.columnBytes()), glyph) {
			return c
		}
	}
	return missing
}

func (r *reader) raster(b []byte) (int, error) {
	if len(b) < 8 || b[2] != '0' || b[3] != 0 {
		return 0, fmt.Errorf("a picture of no kind")
	}
	w, h := int(b[4])+int(b[5])<<8, int(b[6])+int(b[7])<<8
	n := 8 + w*h
	if len(b) < n || r.begun || w*8 > r.p.Dots || w == 0 || h == 0 {
		return 0, fmt.Errorf("a picture cut short, in a line, or too wide")
	}
	if k := len(r.lines); k == 0 || !r.lines[k-1].picture {
		r.lines = append(r.lines, readLine{picture: true, align: r.align})
	}
	return n, nil
}

func (r *reader) qr(b []byte) (int, error) {
	if len(b) < 8 || b[2] != 'k' || b[5] != '1' || r.begun {
		return 0, fmt.Errorf("a GS ( of no kind")
	}
	n := 5 + int(b[3]) + int(b[4])<<8
	if len(b) < n {
		return 0, fmt.Errorf("cut short")
	}
	switch b[6] {
	case 'C':
		return n, want(n == 8 && b[7] >= 1 && b[7] <= 16, "module")
	case 'E':
		return n, want(n == 8 && b[7] >= '0' && b[7] <= '3', "level")
	case 'P':
		r.line.qr = string(b[8:n])
		return n, want(b[7] == '0' && n > 8 && !bytes.ContainsFunc(b[8:n], func(r rune) bool { return r < 0x20 }), "data")
	case 'Q':
		r.newline()
		return n, want(n == 8 && b[7] == '0', "print")
	}
	return 0, fmt.Errorf("a QR command of no kind")
}
