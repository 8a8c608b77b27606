package printer

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

// The paper around the print, in dots.
const (
	sideMargin = 32 // 4 mm on each side
	topMargin  = 44
	endMargin  = 40
	tooth      = 6 // depth of the cut edge
)

// picture colours, from outside the paper to the blackest ink.
const (
	outside = iota
	edge    // the shaded rim of the cut
	paperWhite
	ink
)

var paperColors = color.Palette{
	color.NRGBA{}, color.NRGBA{0xE4, 0xE0, 0xD6, 0xFF}, color.NRGBA{0xFD, 0xFC, 0xF8, 0xFF}, color.NRGBA{0x23, 0x22, 0x26, 0xFF},
}

// PNG draws a receipt dot by dot, as the paper would look, on a transparent ground: as wide as the printable width and a margin on
// each side, one pixel a dot. It needs Noto Sans CJK for the printer's own characters.
func (s *Sim) PNG(id string) ([]byte, error) {
	face, err := systemTypeface()
	if err != nil {
		return nil, fmt.Errorf("cannot draw receipt: %w", err)
	}
	s.mu.Lock()
	var strips []strip
	width, found, whole := s.profile.Dots, false, true
	for _, sh := range s.sheets() {
		if sh.id == id {
			// Pictures of the sheet being printed may still grow: keep what there is now.
			strips, found, whole = slices.Clone(sh.strips), true, sh != s.current && !sh.partial
			for i, p := range strips {
				if p.pic != nil {
					c := *p.pic
					strips[i].pic = &c
				}
			}
		}
	}
	s.mu.Unlock()
	if !found {
		return nil, fmt.Errorf("cannot draw receipt %q: there is none", id)
	}
	return drawPaper(face, trimFeed(strips), width, whole)
}

// trimFeed drops the blank paper at the end, which is as long as the way to the cutter.
func trimFeed(strips []strip) []strip {
	for n := len(strips); n > 0 && strips[n-1].pic == nil && len(strips[n-1].marks) == 0; n-- {
		strips = strips[:n-1]
	}
	return strips
}

func drawPaper(face *typeface, strips []strip, width int, whole bool) ([]byte, error) {
	height := topMargin + endMargin
	for _, p := range strips {
		height += p.height
	}
	img := image.NewPaletted(image.Rect(0, 0, width+2*sideMargin, height), paperColors)
	drawSheet(img, whole)
	y := topMargin
	for _, p := range strips {
		pic, x := p.pic, 0
		if pic == nil {
			pic = drawLine(face, p)
		}
		switch p.align {
		case Center:
			x = (width - pic.w) / 2
		case Right:
			x = width - pic.w
		}
		for dy := range pic.h {
			for dx := range min(pic.w, width-max(x, 0)) {
				if pic.at(dx, dy) {
					img.SetColorIndex(sideMargin+max(x, 0)+dx, y+dy, ink)
				}
			}
		}
		y += p.height
	}
	var buf bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, img); err != nil {
		return nil, fmt.Errorf("cannot draw receipt: %w", err)
	}
	return buf.Bytes(), nil
}

// drawSheet lays the paper down: the upper edge and, once it was cut, the lower one bear the teeth of the cutter.
func drawSheet(img *image.Paletted, whole bool) {
	b := img.Bounds()
	for x := range b.Max.X {
		up := abs(x%(2*tooth) - tooth) // a triangle wave: 0 at the points
		down := b.Max.Y - 1
		if whole {
			down -= up
		}
		for y := up; y <= down; y++ {
			c := uint8(paperWhite)
			if y < up+2 || whole && y > down-2 || x == 0 || x == b.Max.X-1 {
				c = edge
			}
			img.SetColorIndex(x, y, c)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// drawLine draws a line of text with the printer's font.
func drawLine(face *typeface, p strip) *dots {
	w, high := 0, 1
	for _, m := range p.marks {
		w += 12 * columns(m.r) * m.wide
		high = max(high, m.high)
	}
	line := newDots(w, 24*high)
	x := 0
	for _, m := range p.marks {
		y := 24 * (high - m.high)
		cellW := 12 * columns(m.r) * m.wide
		switch {
		case m.glyph != nil:
			g := *m.glyph
			if m.bold {
				g.on = slices.Clone(g.on)
				g.embolden(1)
			}
			line.put(scaled(&g, m.wide, m.high), x, y, 1)
		case m.r == '─': // joined from cell to cell
			for i := range cellW * 2 * m.high {
				line.set(x+i%cellW, y+11*m.high+i/cellW)
			}
		default:
			// Characters of even enlargement are drawn finer, as printers with smoothing do.
			k := min(m.wide, m.high)
			if cell, ok := face.cell(m.r, 24*k, m.bold); ok {
				line.put(scaled(cell, m.wide/k, m.high/k), x, y, 1)
			}
		}
		if m.under {
			line.underline(x, x+cellW)
		}
		x += cellW
	}
	return line
}

// scaled makes every dot wx wide and hx high.
func scaled(d *dots, wx, hx int) *dots {
	if wx == 1 && hx == 1 {
		return d
	}
	out := newDots(d.w*wx, d.h*hx)
	for y := range out.h {
		for x := range out.w {
			if d.at(x/wx, y/hx) {
				out.set(x, y)
			}
		}
	}
	return out
}
