package printer

import "fmt"

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
// character that neither the printer nor the system's fonts have is printed as 〓; [Unprintable] says which these are. The only error
// is a QR code that cannot be made.
func Encode(d *Document, p *Profile) ([]Command, error) {
	e, err := encode(d, p)
	if err != nil {
		return nil, err
	}
	return e.cmds, nil
}

func encode(d *Document, p *Profile) (*encoder, error) {
	e := &encoder{p: p, align: Left, style: plain(), slots: map[rune][]byte{}}
	e.add(esc, '@')
	e.add(fs, '&') // a printer starts in a western code page: without this the first lines are garbled
	e.add(esc, '3', byte(p.LineDots))
	for _, l := range layout(d, p) {
		switch l.kind {
		case blankLine:
			e.blank++
		case qrLine:
			e.begin()
			if err := e.qr(l.qr); err != nil {
				return nil, err
			}
		case cutLine:
			e.flushBlank()
			e.cut()
			e.parted = true
		case textLine:
			e.begin()
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
	style  style
	blank  int  // empty lines not yet sent
	spaced bool // there is an empty line before this one
	last   int  // index into cmds where the last printed line of the first paper begins
	parted bool // the first paper has been cut off
	module int  // QR module size and level the printer has; 0 = unknown
	level  string
	slots  map[rune][]byte // characters the printer has been taught, with their codes
	lost   []rune          // characters printed as 〓, each once
}

func (e *encoder) add(b ...byte) { e.cmds = append(e.cmds, b) }

// begin ends the feed before a line that prints something, and notes where it begins.
func (e *encoder) begin() {
	e.spaced = e.blank > 0
	e.flushBlank()
	if !e.parted {
		e.last = len(e.cmds)
	}
}

func (e *encoder) flushBlank() {
	for e.blank > 2 {
		n := min(e.blank, 0xFF)
		e.add(esc, 'd', byte(n))
		e.blank -= n
	}
	for ; e.blank > 0; e.blank-- {
		e.add(lf)
	}
}

func (e *encoder) cut() {
	// The cut is valid at the start of a line only. Every line ends with LF, so this one is the start.
	if n := e.p.Cut.FeedDots; n > 0 {
		e.add(esc, 'J', byte(n))
	}
	e.add(e.p.cut()...)
}

// alignment sets the mode, which is taken at the start of a line only.
func (e *encoder) alignment(a Align) {
	if a != e.align {
		e.add(esc, 'a', map[Align]byte{Left: 0, Center: 1, Right: 2}[a])
		e.align = a
	}
}

func (e *encoder) modes(st style) {
	if st.wide != e.style.wide || st.high != e.style.high {
		e.add(gs, '!', byte(st.wide-1)<<4|byte(st.high-1))
	}
	if st.bold != e.style.bold {
		e.add(esc, 'E', onOff(st.bold, 1))
	}
	if st.underline != e.style.underline { // two dots thick; Hanzi have a mode of their own
		e.add(esc, '-', onOff(st.underline, 2))
		e.add(fs, '-', onOff(st.underline, 2))
	}
	e.style = st
}

func (e *encoder) text(l paperLine) {
	if !e.teach(l) {
		e.drawn(l)
		return
	}
	e.alignment(l.align.valid())
	at := 0
	for _, r := range l.runs {
		e.gap(l, at, r.col-at)
		e.modes(r.style)
		at = r.col
		gap := 0
		for _, c := range r.text {
			if c == ' ' && r.style.wide == 1 && !r.underline {
				gap++
				continue
			}
			e.gap(l, at, gap)
			e.cmds = append(e.cmds, e.char(c))
			at, gap = at+gap+columns(c)*r.wide, 0
		}
	}
	e.add(lf)
	if l.size > 1 { // the line is higher than the line spacing, so nothing keeps the next one off
		e.add(esc, 'J', byte(e.p.LineDots-24))
	}
}

// gap moves from column at over n more: by spaces, or by a jump to a place where that takes fewer bytes.
func (e *encoder) gap(l paperLine, at, n int) {
	if n > 4 && e.p.Position && l.align.valid() == Left {
		dots := (at + n) * 12
		e.add(esc, '$', byte(dots), byte(dots>>8))
		return
	}
	if n > 0 && (e.style.wide > 1 || e.style.underline) {
		e.modes(style{wide: 1, high: 1, bold: e.style.bold})
	}
	for range n {
		e.add(' ')
	}
}

// maxBand is the longest band of a picture, in bytes. A question about the printer's state waits until a band is through, which at 9600 baud
// takes half of the second within which a fault must be known.
const maxBand = 512

// raster prints a picture in bands. Bands join without a gap.
func (e *encoder) raster(pic *dots) {
	rows := max((maxBand-8)/(pic.w/8), 1)
	for y := 0; y < pic.h; y += rows {
		n := min(rows, pic.h-y)
		head := []byte{gs, 'v', '0', 0, byte(pic.w / 8), byte(pic.w / 8 >> 8), byte(n), byte(n >> 8)}
		e.add(append(head, defuse(pic.rowBytes(y, n))...)...)
	}
}

// defuse takes a dot out of wherever a picture would read as a realtime command (DLE EOT, DLE ENQ, DLE DC4). Printers obey these even
// inside data, and some of them switch the printer off.
func defuse(b []byte) []byte {
	for i := range len(b) - 1 {
		if obeyed(b[i], b[i+1]) {
			b[i] = 0
		}
	}
	return b
}

// obeyed says whether two bytes begin a realtime command.
func obeyed(a, b byte) bool { return a == dle && (b == 0x04 || b == 0x05 || b == 0x14) }

// hasRealtime says whether a realtime command begins anywhere in b.
func hasRealtime(b []byte) bool {
	for i := range len(b) - 1 {
		if obeyed(b[i], b[i+1]) {
			return true
		}
	}
	return false
}

// onOff is v where a mode is on.
func onOff(on bool, v byte) byte {
	if on {
		return v
	}
	return 0
}

// copyMark is the line that tells a copy from the original, which a person may already hold.
func copyMark(n int) Block {
	return Text{Text: fmt.Sprintf("【补打 %d】", n), Align: Center, Bold: true}
}
