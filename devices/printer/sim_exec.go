package printer

import (
	"bytes"
	"slices"
	"strings"
)

func isQRPrint(c Command) bool { return len(c) == 8 && bytes.HasPrefix(c, []byte("\x1d(k\x03\x001Q0")) }

// interpret does what a command says: what moves paper becomes a motion. What it does not know has no effect.
func (s *Sim) interpret(c Command) {
	if s.interpretVendor(c) {
		return
	}
	switch c[0] {
	case lf:
		st := textStrip(s.line, s.align, s.lineDots, s.profile.Columns)
		s.line = nil
		s.motions = append(s.motions, motion{dots: st.height, strips: []strip{st}})
	case esc:
		s.interpretESC(c)
	case fs:
		if c[1] == '2' && len(c) == 76 {
			s.glyphs[[2]byte(c[2:4])] = fromColumnBytes(c[4:], 24, 24)
		}
	case gs:
		s.interpretGS(c)
	case dle:
	default:
		if c[0] >= 0x20 {
			s.character(c)
		}
	}
}

// interpretVendor does what the profile's own commands say.
func (s *Sim) interpretVendor(c Command) bool {
	d := s.dialect
	switch {
	case d.present != nil && slices.Equal(c, d.present):
		s.motions = append(s.motions, motion{present: sheetOut})
	case d.retract != nil && slices.Equal(c, d.retract):
		s.motions = append(s.motions, motion{present: sheetRetracted})
	case d.clearOut != nil && slices.Equal(c, d.clearOut): // thrown out into the hand of whoever stands there
		s.motions = append(s.motions, motion{present: sheetTaken})
	case d.enable != nil && slices.Equal(c, d.enable):
		s.automatic = true
		s.lastAuto = string(d.automatic.compose(s.sensor))
		s.answer([]byte(s.lastAuto)...)
	case d.ask != nil && slices.Equal(c, d.ask):
		s.answer(s.inOrderAnswer())
	default:
		for _, q := range d.polls {
			if q.inOrder && slices.Equal(c, q.ask) {
				s.answer(q.compose(s.sensor)...)
				return true
			}
		}
		return false
	}
	return true
}

// inOrderAnswer has the letters n and e of the profile's answer for near end and paper end.
func (s *Sim) inOrderAnswer() byte {
	q := s.dialect.inOrder[0]
	b := q.value
	for i, r := range q.text {
		if r == 'n' && s.nearEnd() || r == 'e' && s.paperLeft == 0 {
			b |= 0x80 >> i
		}
	}
	return b
}

// character puts a character into the line buffer. A full line prints itself, as on a real printer.
func (s *Sim) character(c Command) {
	m := mark{r: s.profile.Charset.decode(c), wide: s.wide, high: s.high, bold: s.bold, under: s.under}
	if len(c) == 2 {
		if g, ok := s.glyphs[[2]byte(c)]; ok {
			m.glyph, m.r = g, missing
		}
	}
	if s.profile.Charset != GB18030 && len(c) == 4 {
		m.r = missing
	}
	used := columns(m.r) * m.wide
	for _, l := range s.line {
		used += columns(l.r) * l.wide
	}
	if used > s.profile.Columns {
		s.interpret(Command{lf})
	}
	s.line = append(s.line, m)
}

// moveTo goes on printing at that many dots from the left. Only the way to the right is played, in whole columns.
func (s *Sim) moveTo(dots int) {
	used := 0
	for _, m := range s.line {
		used += columns(m.r) * m.wide
	}
	for ; used < min(dots/12, s.profile.Columns); used++ {
		s.line = append(s.line, mark{r: ' ', wide: 1, high: 1})
	}
}

func (s *Sim) interpretESC(c Command) {
	if len(c) == 2 {
		switch c[1] {
		case '@':
			s.reset()
		case '2':
			s.lineDots = 30
		case 'i', 'm':
			s.cut(0)
		}
		return
	}
	n := c[2]
	switch c[1] {
	case '$':
		s.moveTo(int(n) + int(c[3])<<8)
	case 'a':
		if a := int(n & 0x0F); a <= 2 && len(s.line) == 0 {
			s.align = []Align{Left, Center, Right}[a]
		}
	case 'E':
		s.bold = n&1 != 0
	case '-':
		s.under = n&3 != 0
	case '!':
		s.bold = n&8 != 0
		s.high, s.wide = 1+int(n>>4&1), 1+int(n>>5&1)
	case '3':
		s.lineDots = int(n)
	case 'd':
		for range n {
			s.interpret(Command{lf})
		}
	case 'J':
		if len(s.line) > 0 {
			s.interpret(Command{lf})
		}
		s.feed(int(n))
	}
}

func (s *Sim) feed(dots int) {
	s.motions = append(s.motions, motion{dots: dots, strips: []strip{{height: dots}}})
}

// cut feeds and cuts. It works only at the start of a line.
func (s *Sim) cut(dots int) {
	if len(s.line) == 0 {
		s.motions = append(s.motions, motion{dots: dots, cut: true})
	}
}

func (s *Sim) interpretGS(c Command) {
	switch c[1] {
	case '!':
		s.wide, s.high = 1+int(c[2]>>4&7), 1+int(c[2]&7)
	case 'V':
		dots := 0
		if len(c) == 4 {
			dots = 12*s.profile.DPI/25 + int(c[3])
		}
		s.cut(dots)
	case 'I':
		if name := map[byte]string{66: "YUANBAN", 67: strings.ToUpper(s.profile.Name)}[c[2]]; name != "" {
			s.motions = append(s.motions, motion{say: slices.Concat([]byte{identityHead}, []byte(name), []byte{0})})
		}
	case 'v':
		s.raster(c)
	case '(':
		s.interpretGSParen(c)
	}
}

func (s *Sim) interpretGSParen(c Command) {
	switch c[2] {
	case 'H':
		if len(c) == 11 && c[5] == '0' && c[6] == '0' && s.profile.Confirm.Method == ConfirmProcessID {
			s.motions = append(s.motions, motion{say: slices.Concat([]byte{blockHead, 0x22}, c[7:11], []byte{0})})
		}
	case 'k':
		if len(c) < 8 || c[5] != '1' {
			return
		}
		switch c[6] {
		case 'C':
			s.qrModule = min(max(int(c[7]), 1), 16)
		case 'E':
			if c[7] >= '0' && c[7] <= '3' {
				s.qrLevel = "LMQH"[c[7]-'0']
			}
		case 'P':
			s.qrData = string(c[8:])
		case 'Q':
			s.printQR()
		}
	}
}

func (s *Sim) printQR() {
	code, err := qrDots(s.qrData, string(s.qrLevel))
	if err != nil {
		return
	}
	pic := newDots(code.w*s.qrModule, code.h*s.qrModule)
	pic.put(code, 0, 0, s.qrModule)
	s.motions = append(s.motions, motion{dots: pic.h, strips: []strip{{
		pic: pic, align: s.align, height: pic.h, isLine: true,
		reads: picture("[QR "+s.qrData+"]", 1, s.align, s.profile.Columns),
	}}})
}

// raster prints GS v 0.
func (s *Sim) raster(c Command) {
	if len(c) < 8 {
		return
	}
	w, h := (int(c[4])+int(c[5])<<8)*8, int(c[6])+int(c[7])<<8
	if w == 0 || h == 0 || len(c) != 8+w/8*h {
		return
	}
	s.motions = append(s.motions, motion{dots: h, strips: []strip{{
		pic: fromRowBytes(c[8:], w, h), align: s.align, height: h, isLine: true, reads: "[picture]",
	}}})
}
