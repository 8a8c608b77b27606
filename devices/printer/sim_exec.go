package printer

import (
	"bytes"
	"context"
	"slices"
	"time"
)

// mechanics executes commands in order and in the time that paper takes. When closing is closed it returns as soon as there is nothing
// it could do.
func (s *Sim) mechanics(ctx context.Context, closing <-chan struct{}) {
	for {
		s.mu.Lock()
		changed := s.changed
		if len(s.queue) == 0 || s.offline() {
			s.mu.Unlock()
			select {
			case <-changed:
			case <-closing:
				return
			case <-ctx.Done():
				return
			}
			continue
		}
		cmd := s.queue[0]
		dots, moves := s.paperFor(cmd)
		epoch := s.epoch
		if moves && !s.opts.Quick {
			s.mu.Unlock()
			d := s.takes(dots)
			if bytes.HasPrefix(cmd, []byte{gs, 'V'}) || isOldCut(cmd) {
				d += 300 * time.Millisecond
			}
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return // the line is printed when it is served again
			}
			s.mu.Lock()
		}
		s.execute(cmd)
		if moves && s.paperLeft > 0 {
			s.paperLeft = max(s.paperLeft-(dots+s.lineDots/2)/max(s.lineDots, 1), 0)
		}
		if epoch == s.epoch { // else the queue was cleared while the line was printing
			s.queue = s.queue[1:]
			s.queued -= len(cmd)
		}
		s.stateChanged()
		s.mu.Unlock()
		if moves {
			s.tell()
		}
	}
}

func isOldCut(c Command) bool { return len(c) == 2 && c[0] == esc && (c[1] == 'i' || c[1] == 'm') }

// paperFor says whether a command moves paper, and how far.
func (s *Sim) paperFor(c Command) (int, bool) {
	lineHigh := func() int {
		high := 1
		for _, m := range s.line {
			high = max(high, m.high)
		}
		return max(s.lineDots, 24*high)
	}
	switch {
	case c[0] == lf:
		return lineHigh(), true
	case c[0] == esc && len(c) == 3 && c[1] == 'd':
		return int(c[2]) * s.lineDots, true
	case c[0] == esc && len(c) == 3 && c[1] == 'J':
		return int(c[2]), true
	case c[0] == gs && len(c) == 4 && c[1] == 'V':
		return 12*8 + int(c[3]), true
	case c[0] == gs && c[1] == 'V', isOldCut(c):
		return 0, true
	case isQRPrint(c):
		if d, err := qrDots(s.qrData, string(s.qrLevel)); err == nil {
			return d.h * s.qrModule, true
		}
	case c[0] == gs && c[1] == 'v' && len(c) >= 8:
		return int(c[6]) + int(c[7])<<8, true
	}
	return 0, false
}

func isQRPrint(c Command) bool { return len(c) == 8 && bytes.HasPrefix(c, []byte("\x1d(k\x03\x001Q0")) }

// execute does what a command says. What it does not know has no effect.
func (s *Sim) execute(c Command) {
	switch c[0] {
	case lf:
		s.current.strips = append(s.current.strips, textStrip(s.line, s.align, s.lineDots, s.profile.Columns))
		s.line = nil
	case esc:
		s.executeESC(c)
	case fs:
		if c[1] == '2' && len(c) == 76 {
			s.glyphs[[2]byte(c[2:4])] = fromColumnBytes(c[4:], 24, 24)
		}
	case gs:
		s.executeGS(c)
	case dle:
	default:
		if c[0] >= 0x20 {
			s.character(c)
		}
	}
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
		s.execute(Command{lf})
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

func (s *Sim) executeESC(c Command) {
	if len(c) == 2 {
		switch c[1] {
		case '@':
			s.reset()
		case '2':
			s.lineDots = 30
		case 'i', 'm':
			s.cut()
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
			s.execute(Command{lf})
		}
	case 'J':
		if len(s.line) > 0 {
			s.execute(Command{lf})
		}
		s.feed(int(n))
	}
}

func (s *Sim) feed(dots int) {
	s.current.strips = append(s.current.strips, strip{height: dots})
}

// cut works only at the start of a line.
func (s *Sim) cut() {
	if len(s.line) == 0 {
		s.finish(false)
	}
}

func (s *Sim) executeGS(c Command) {
	switch c[1] {
	case '!':
		s.wide, s.high = 1+int(c[2]>>4&7), 1+int(c[2]&7)
	case 'V':
		s.cut()
	case 'a':
		s.asb = c[2]
		if s.lastASB = s.asbBytes(); s.asb != 0 {
			s.answer(s.lastASB[:]...)
		}
	case 'r':
		if c[2] == 1 || c[2] == '1' {
			s.answer(bit(s.nearEnd(), 0x03))
		} else {
			s.answer(0)
		}
	case 'v':
		s.raster(c)
	case '(':
		s.executeGSParen(c)
	}
}

func (s *Sim) executeGSParen(c Command) {
	switch c[2] {
	case 'H':
		if len(c) == 11 && c[5] == '0' && c[6] == '0' && s.profile.Confirm == ConfirmProcessID {
			s.answer(slices.Concat([]byte{blockHead, 0x22}, c[7:11], []byte{0})...)
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
	s.current.strips = append(s.current.strips, strip{
		pic: pic, align: s.align, height: pic.h, isLine: true,
		reads: picture("[QR "+s.qrData+"]", 1, s.align, s.profile.Columns),
	})
}

// raster prints GS v 0. Bands that follow each other are one picture.
func (s *Sim) raster(c Command) {
	if len(c) < 8 {
		return
	}
	w, h := (int(c[4])+int(c[5])<<8)*8, int(c[6])+int(c[7])<<8
	if w == 0 || h == 0 || len(c) != 8+w/8*h {
		return
	}
	pic := fromRowBytes(c[8:], w, h)
	if n := len(s.current.strips); n > 0 {
		if last := &s.current.strips[n-1]; last.pic != nil && last.pic.w == w && last.reads == "[picture]" {
			last.pic.on = append(last.pic.on, pic.on...)
			last.pic.h += h
			last.height += h
			return
		}
	}
	s.current.strips = append(s.current.strips, strip{pic: pic, align: s.align, height: h, isLine: true, reads: "[picture]"})
}
