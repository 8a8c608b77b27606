package printer

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"os"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fontFiles are the places where distributions put Noto Sans CJK (Debian: fonts-noto-cjk).
//
// fallbackFiles are asked for what it lacks: Hanazono Mincho (Debian: fonts-hanazono) has the Hanzi of extensions B to F, such as 𠅤,
// which occur in names. A machine without it prints these as 〓.
var fontFiles = [...]string{
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
	"/usr/local/share/fonts/NotoSansCJK-Regular.ttc",
}

var fallbackFiles = [...]string{
	"/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
	"/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
}

// typeface draws characters into cells as a printer's own font would: a Hanzi in a square, an ASCII character in half of one.
type typeface struct {
	mu    sync.Mutex
	fonts []*outlines // in the order they are asked
	buf   sfnt.Buffer
}

// outlines is one font file. dark is how much of a dot must be covered to be printed, of 255.
type outlines struct {
	font  *sfnt.Font
	dark  uint8
	faces map[int]font.Face // by height in dots
}

func newOutlines(f *sfnt.Font, dark uint8) *outlines {
	return &outlines{font: f, dark: dark, faces: map[int]font.Face{}}
}

// Thin strokes must survive, so a little under one half of a dot is enough. The hairlines of a Mincho are thinner still.
const (
	darkSans   = 0x60
	darkMincho = 0x48
)

// systemTypeface opens the system's fonts at first use and keeps them. The files are read piece by piece, never as a whole.
var systemTypeface = sync.OnceValues(func() (*typeface, error) {
	for _, name := range fontFiles {
		f, err := os.Open(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot open Noto Sans CJK: %w", err)
		}
		noto, err := simplifiedChinese(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		return &typeface{fonts: append([]*outlines{newOutlines(noto, darkSans)}, fallbacks()...)}, nil
	}
	return nil, errors.New("cannot find Noto Sans CJK: install the package fonts-noto-cjk")
})

// fallbacks opens the fonts of fallbackFiles. One that is not there or cannot be read is left out: its characters then print as 〓,
// which is reported.
func fallbacks() []*outlines {
	var all []*outlines
	for _, name := range fallbackFiles {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		ft, err := opentype.ParseReaderAt(f)
		if err != nil {
			f.Close()
			continue
		}
		all = append(all, newOutlines(ft, darkMincho))
	}
	return all
}

// simplifiedChinese picks the Simplified Chinese font of a collection.
func simplifiedChinese(f *os.File) (*sfnt.Font, error) {
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
	return best, nil
}

// cell draws r into a cell px high and px or px/2 wide. It is false for a character that no font has.
func (t *typeface) cell(r rune, px int, bold bool) (*dots, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := px / 2 * columns(r)
	gray := image.NewAlpha(image.Rect(0, 0, w, px))
	dark, ok := t.paint(gray, r, px)
	if !ok {
		return nil, false
	}
	d := newDots(w, px)
	for i, a := range gray.Pix {
		d.on[i] = a >= dark
	}
	if bold {
		d.embolden(max(px/24, 1))
	}
	return d, true
}

// paint draws r in shades with the first font that has it, and says how dark a printed dot must be. Private characters mean what two
// parties agreed on, and no font was party to that: they are never drawn.
func (t *typeface) paint(gray *image.Alpha, r rune, px int) (dark uint8, ok bool) {
	if unicode.Is(unicode.Co, r) {
		return 0, false
	}
	for _, o := range t.fonts {
		if i, err := o.font.GlyphIndex(&t.buf, r); err != nil || i == 0 {
			continue
		}
		face, ok := o.faces[px]
		if !ok {
			f, err := opentype.NewFace(o.font, &opentype.FaceOptions{Size: float64(px), DPI: 72, Hinting: font.HintingNone})
			if err != nil {
				continue
			}
			face, o.faces[px] = f, f
		}
		// The em box of a Hanzi reaches from 0.88 above the baseline to 0.12 below.
		base := fixed.Point26_6{X: 0, Y: fixed.Int26_6(px * 64 * 88 / 100)}
		at, mask, from, _, ok := face.Glyph(base, r)
		if !ok {
			continue
		}
		draw.DrawMask(gray, at, image.Opaque, image.Point{}, mask, from, draw.Over)
		return o.dark, true
	}
	return 0, false
}

// ink draws a character as the printer prints it in a style, without the underline.
func (t *typeface) ink(r rune, st style) (*dots, bool) {
	w, h := 12*columns(r)*st.wide, 24*st.high
	if r == '─' { // joined from cell to cell
		d := newDots(w, h)
		for i := range w * 2 * st.high {
			d.set(i%w, 11*st.high+i/w)
		}
		return d, true
	}
	// Characters of even enlargement are drawn finer, as printers with smoothing do.
	k := min(st.wide, st.high)
	cell, ok := t.cell(r, 24*k, st.bold)
	if !ok {
		return nil, false
	}
	if st.wide == k && st.high == k {
		return cell, true
	}
	out := newDots(w, h)
	for y := range h {
		for x := range w {
			if cell.at(x*k/st.wide, y*k/st.high) {
				out.set(x, y)
			}
		}
	}
	return out, true
}
