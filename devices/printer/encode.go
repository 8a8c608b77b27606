package printer

import (
	"fmt"
	"slices"
	"strings"
)

// Command is one command of the printer, or one character. Nothing may be put between its bytes: a status request inside a command
// would be taken for its parameter.
type Command []byte

// The printer's control codes.
const (
	nul = 0x00
	lf  = 0x0A
	dle = 0x10
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// maxCommand is the longest command that Encode makes, in bytes. It bounds what a printer may still be waiting for when the program
// died in the middle of a command.
const maxCommand = 1024

// Encode lays a document out and turns it into the commands that print and cut it, beginning with a reset of the printer's modes. A
// character that neither the printer nor the system's fonts have is printed as 〓. The only error is a QR code that cannot be made.
func Encode(d *Document, p *Profile) ([]Command, error) {
	e, err := encode(d, p)
	if err != nil {
		return nil, err
	}
	return e.cmds, nil
}

func encode(d *Document, p *Profile) (*encoder, error) {
	e := &encoder{p: p, align: Left, size: 1, slots: map[rune][]byte{}}
	e.add(esc, '@')
	e.add(fs, '&') // a printer starts in a western code page: without this the first lines are garbled
	e.add(esc, '3', byte(p.LineDots))
	for _, l := range layout(d, p) {
		switch l.kind {
		case blankLine:
			e.blank++
		case qrLine:
			if err := e.qr(l.text); err != nil {
				return nil, err
			}
		default:
			e.text(l)
		}
	}
	e.flushBlank()
	e.cut()
	return e, nil
}

// encoder remembers the printer's modes, so that a mode is sent only when it changes.
type encoder struct {
	p      *Profile
	cmds   []Command
	align  Align
	size   int
	bold   bool
	blank  int // empty lines not yet sent
	last   int // index into cmds where the last printed line begins
	module int // QR module size the printer has; 0 = unknown
	slots  map[rune][]byte
}

func (e *encoder) add(b ...byte) { e.cmds = append(e.cmds, b) }

func (e *encoder) flushBlank() {
	if e.blank > 2 {
		e.add(esc, 'd', byte(e.blank))
	} else {
		for range e.blank {
			e.add(lf)
		}
	}
	e.blank = 0
}

func (e *encoder) cut() {
	// The cut is valid at the start of a line only. Every line ends with LF, so this one is the start.
	if n := e.p.Cut.FeedDots; n > 0 {
		e.add(esc, 'J', byte(n))
	}
	e.add(e.p.cut()...)
}

func (e *encoder) modes(align Align, size int, bold bool) {
	if align != e.align {
		e.add(esc, 'a', map[Align]byte{Left: 0, Center: 1, Right: 2}[align])
		e.align = align
	}
	if size != e.size {
		n := byte(size - 1)
		e.add(gs, '!', n<<4|n)
		e.size = size
	}
	if bold != e.bold {
		e.add(esc, 'E', map[bool]byte{true: 1}[bold])
		e.bold = bold
	}
}

func (e *encoder) text(l paperLine) {
	e.flushBlank()
	e.last = len(e.cmds)
	chars := make([]Command, 0, len(l.text)/2+1)
	at, gap := 0, 0 // columns used, spaces not yet sent
	for _, r := range l.text {
		if r == ' ' {
			gap++
			continue
		}
		chars = append(chars, e.gap(l, at, gap)...)
		at, gap = at+gap, 0
		c, ok := e.char(r)
		if !ok {
			e.drawn(l)
			return
		}
		chars = append(chars, c)
		at += columns(r)
	}
	e.modes(l.align, l.size, l.bold)
	e.cmds = append(append(e.cmds, chars...), Command{lf})
	if l.size == 2 { // the line is higher than the line spacing, so nothing keeps the next one off
		e.add(esc, 'J', byte(e.p.LineDots-24))
	}
}

// gap moves from column at over n more: by spaces, or by a jump to a place where that takes fewer bytes.
func (e *encoder) gap(l paperLine, at, n int) []Command {
	if n > 4 && e.p.Position && l.align == Left && l.size == 1 {
		dots := (at + n) * 12
		return []Command{{esc, '$', byte(dots), byte(dots >> 8)}}
	}
	return slices.Repeat([]Command{{' '}}, n)
}

// char gives the code of a character, defining it first where the printer lacks it. It is false if the line must be drawn.
func (e *encoder) char(r rune) (Command, bool) {
	if b, ok := e.p.Charset.encode(r); ok {
		return b, true
	}
	if slot, ok := e.slots[r]; ok {
		return slot, true
	}
	face, err := systemTypeface()
	if err != nil {
		return e.p.mustEncode(missing), true
	}
	cell, ok := face.cell(r, 24, false)
	if !ok {
		return e.p.mustEncode(missing), true
	}
	if e.p.Rare != RareGlyph || len(e.slots) >= 94 {
		return nil, false
	}
	slot := []byte{0xFE, byte(0xA1 + len(e.slots))}
	e.slots[r] = slot
	e.add(append([]byte{fs, '2', slot[0], slot[1]}, defuse(cell.columnBytes())...)...)
	return slot, true
}

func (p *Profile) mustEncode(r rune) Command {
	b, _ := p.Charset.encode(r)
	return b
}

// drawn prints a line as a picture, for a printer that cannot be taught a character.
func (e *encoder) drawn(l paperLine) {
	face, err := systemTypeface()
	if err != nil {
		return // not reached: without a typeface char gives 〓
	}
	h := 24 * l.size
	pic := newDots(e.p.Dots, h)
	x := e.p.Dots - width(l.text)*12*l.size
	switch l.align {
	case Center:
		x /= 2
	case Left:
		x = 0
	}
	for _, r := range l.text {
		cell, ok := face.cell(r, h, l.bold)
		if !ok {
			cell, _ = face.cell(missing, h, l.bold)
		}
		if cell != nil {
			pic.put(cell, x, 0, 1)
		}
		x += 12 * l.size * columns(r)
	}
	e.modes(Left, 1, false)
	e.raster(pic)
	if gap := e.p.LineDots - 24; gap > 0 {
		e.add(esc, 'J', byte(gap))
	}
}

// raster prints a picture in bands short enough for maxCommand. Bands join without a gap.
func (e *encoder) raster(pic *dots) {
	rows := max((maxCommand-8)/(pic.w/8), 1)
	for y := 0; y < pic.h; y += rows {
		n := min(rows, pic.h-y)
		head := []byte{gs, 'v', '0', 0, byte(pic.w / 8), byte(pic.w / 8 >> 8), byte(n), byte(n >> 8)}
		e.add(append(head, defuse(pic.rowBytes(y, n))...)...)
	}
}

func (e *encoder) qr(data string) error {
	code, err := qrDots(data, e.p.QR.Level)
	if err != nil {
		return err
	}
	e.flushBlank()
	e.last = len(e.cmds)
	module := qrModule(code.w, e.p)
	e.modes(Center, 1, false)
	if e.p.QR.Method == "raster" {
		w := (code.w*module + 7) / 8 * 8
		pic := newDots(w, code.h*module)
		pic.put(code, (w-code.w*module)/2, 0, module)
		e.raster(pic)
	} else {
		if e.module != module {
			e.add(gs, '(', 'k', 3, 0, '1', 'C', byte(module))
			e.add(gs, '(', 'k', 3, 0, '1', 'E', byte('0'+strings.Index("LMQH", e.p.QR.Level)))
			e.module = module
		}
		n := len(data) + 3
		e.add(append([]byte{gs, '(', 'k', byte(n), byte(n >> 8), '1', 'P', '0'}, data...)...)
		e.add(gs, '(', 'k', 3, 0, '1', 'Q', '0')
	}
	e.add(esc, 'J', 12) // the code ends at its last dot: keep the caption off it
	return nil
}

// defuse takes a dot out of wherever a picture would read as a realtime command (DLE EOT, DLE ENQ, DLE DC4). Printers obey these even
// inside data, and some of them switch the printer off.
func defuse(b []byte) []byte {
	for i := range len(b) - 1 {
		if b[i] == dle && (b[i+1] == 0x04 || b[i+1] == 0x05 || b[i+1] == 0x14) {
			b[i] = 0
		}
	}
	return b
}

// copyMark is the line that tells a copy from the original, which a person may already hold.
func copyMark(n int) Block {
	return Text{Text: fmt.Sprintf("【补打 %d】", n), Align: Center, Bold: true}
}
