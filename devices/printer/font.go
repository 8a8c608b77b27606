package printer

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"os"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fontFiles are the places where distributions put Noto Sans CJK (Debian: fonts-noto-cjk).
var fontFiles = [...]string{
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/local/share/fonts/NotoSansCJK-Regular.ttc",
}

// typeface draws characters into cells as a printer's own font would: a Hanzi in a square, an ASCII character in half of one.
type typeface struct {
	mu    sync.Mutex
	font  *sfnt.Font
	faces map[int]font.Face
	buf   sfnt.Buffer
}

// systemTypeface opens the system's font at first use and keeps it. The file is read piece by piece, never as a whole.
var systemTypeface = sync.OnceValues(func() (*typeface, error) {
	for _, name := range fontFiles {
		f, err := os.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot open Noto Sans CJK: %w", err)
		}
		t, err := newTypeface(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		return t, nil
	}
	return nil, errors.New("cannot find Noto Sans CJK: install the package fonts-noto-cjk")
})

func newTypeface(f *os.File) (*typeface, error) {
	all, err := opentype.ParseCollectionReaderAt(f)
	if err != nil {
		return nil, err
	}
	var best *sfnt.Font
	var buf sfnt.Buffer
	for i := range all.NumFonts() {
		ft, err := all.Font(i)
		if err != nil {
			return nil, err
		}
		name, err := ft.Name(&buf, sfnt.NameIDFull)
		if err != nil {
			continue
		}
		// The Mono cut has the same Hanzi and ASCII of exactly half their width: 12x24, as font A.
		if name == "Noto Sans Mono CJK SC Regular" || name == "Noto Sans Mono CJK SC" {
			best = ft
			break
		}
		if best == nil && (name == "Noto Sans CJK SC Regular" || name == "Noto Sans CJK SC") {
			best = ft
		}
	}
	if best == nil {
		return nil, errors.New("no Simplified Chinese font in it")
	}
	return &typeface{font: best, faces: map[int]font.Face{}}, nil
}

// cell draws r into a cell px high and px or px/2 wide. It is false for a character the font lacks.
func (t *typeface) cell(r rune, px int, bold bool) (*dots, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := px / 2 * columns(r)
	if i, err := t.font.GlyphIndex(&t.buf, r); err != nil || i == 0 {
		return nil, false
	}
	face, ok := t.faces[px]
	if !ok {
		f, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: float64(px), DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return nil, false
		}
		face, t.faces[px] = f, f
	}
	gray := image.NewAlpha(image.Rect(0, 0, w, px))
	// The em box of a Hanzi reaches from 0.88 above the baseline to 0.12 below.
	base := fixed.Point26_6{X: 0, Y: fixed.Int26_6(px * 64 * 88 / 100)}
	at, mask, from, _, ok := face.Glyph(base, r)
	if !ok {
		return nil, false
	}
	draw.DrawMask(gray, at, image.Opaque, image.Point{}, mask, from, draw.Over)
	d := newDots(w, px)
	for i, a := range gray.Pix {
		d.on[i] = a >= 0x60 // thin strokes must survive: a little under one half
	}
	if bold { // as a thermal head does it: every dot once more, one further right (two at double size)
		for y := range px {
			for x := w - 1; x > 0; x-- {
				if d.at(x-1, y) || px >= 48 && d.at(x-2, y) {
					d.set(x, y)
				}
			}
		}
	}
	return d, true
}
