package printer

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// printed gives the picture of a document as the simulator draws it.
func printed(t testing.TB, doc *Document, p *Profile) image.Image {
	t.Helper()
	if _, err := systemTypeface(); err != nil {
		t.Fatal(err)
	}
	cmds, err := Encode(doc, p)
	if err != nil {
		t.Fatal(err)
	}
	sim := NewSim(p, &SimOpts{Quick: true})
	for _, c := range cmds {
		sim.execute(c)
	}
	data, err := sim.PNG("1")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("RECEIPT_PICTURES"); dir != "" { // to look at them
		if err := os.WriteFile(filepath.Join(dir, t.Name()+"."+p.Name+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func black(img image.Image, x, y int) bool {
	r, _, _, a := img.At(x, y).RGBA()
	return a > 0 && r < 0x4000
}

// inkBox is the smallest box around all ink.
func inkBox(img image.Image) image.Rectangle {
	var box image.Rectangle
	for y := range img.Bounds().Max.Y {
		for x := range img.Bounds().Max.X {
			if black(img, x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

func TestPictureOfReceipt(t *testing.T) {
	for name, p := range Profiles() {
		img := printed(t, acceptance(), p)
		if w := img.Bounds().Dx(); w != p.Dots+2*sideMargin {
			t.Errorf("%s: %d wide", name, w)
		}
		// The rules reach from edge to edge of the printable width, and nothing reaches beyond.
		if box := inkBox(img); box.Min.X != sideMargin || box.Max.X != sideMargin+p.Dots {
			t.Errorf("%s: ink in %v", name, box)
		}
		if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
			t.Errorf("%s: the corner is not cut", name)
		}
	}
}

// TestPictureOfQR reads the code back out of the picture.
func TestPictureOfQR(t *testing.T) {
	for name := range Profiles() {
		for _, method := range []string{"native", "raster"} {
			p := with(t, name, func(p *Profile) { p.QR.Method = method })
			img := printed(t, &Document{Blocks: []Block{QR{Data: "https://example.cn/1"}}}, p)
			code, err := qrDots("https://example.cn/1", "M")
			if err != nil {
				t.Fatal(err)
			}
			box, m := inkBox(img), p.QR.Module
			if box.Dx() != code.w*m || box.Dy() != code.h*m {
				t.Fatalf("%s %s: ink in %v", name, method, box)
			}
			wrong := 0
			for y := range code.h {
				for x := range code.w {
					if black(img, box.Min.X+x*m+m/2, box.Min.Y+y*m+m/2) != code.at(x, y) {
						wrong++
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%s %s: %d modules are wrong", name, method, wrong)
			}
		}
	}
}

// TestPictureOfRareCharacter: a character the printer lacks looks the same whether it is defined or the whole line is drawn.
func TestPictureOfRareCharacter(t *testing.T) {
	want := inkBox(printed(t, &Document{Blocks: []Block{Text{Text: "张𠅤三"}}}, profile(t, "epson80")))
	if got := inkBox(printed(t, &Document{Blocks: []Block{Text{Text: "张𠅤三"}}}, profile(t, "kp628e"))); got != want {
		t.Errorf("drawn: %v, defined: %v", got, want)
	}
	blank := inkBox(printed(t, &Document{Blocks: []Block{Text{Text: "张　三"}}}, profile(t, "epson80")))
	if blank != want {
		t.Errorf("ink in %v, without the rare character %v", want, blank)
	}
	empty := printed(t, &Document{Blocks: []Block{Text{Text: "　𠅤　"}}}, profile(t, "epson80"))
	if box := inkBox(empty); box.Dx() < 15 || box.Dy() < 15 {
		t.Errorf("the rare character alone: ink in %v", box)
	}
}

// TestDrawnLooksLikeItsNeighbours: a line drawn for one rare character is, dot for dot, the line that a printer which can be taught
// prints from its font: weight, size, place and distance of everything. Only the rare character itself is finer when it is large.
func TestDrawnLooksLikeItsNeighbours(t *testing.T) {
	cells := func(align Align, spans ...Span) Line { return Line{Cells: []Cell{{Align: align, Spans: spans}}} }
	for name, line := range map[string]Line{
		"plain":  cells(Left, Span{Text: "受理单位  㙍园区，A1"}),
		"bold":   cells(Center, Span{Text: "张", Bold: true}, Span{Text: "㙍三 No. 7", Bold: true}),
		"right":  cells(Right, Span{Text: "㙍"}),
		"under":  cells(Left, Span{Text: "签字 "}, Span{Text: " 㙍  ", Underline: true}, Span{Text: "x"}),
		"large":  cells(Center, Span{Text: "预受理", Wide: 2, High: 2, Bold: true}, Span{Text: "㙍"}, Span{Text: "A", Wide: 3, High: 3}),
		"wide":   cells(Left, Span{Text: "宽", Wide: 2}, Span{Text: "高", High: 2}, Span{Text: "㙍", Underline: true}),
		"cells":  {Gap: 2, Cells: []Cell{{Width: 8, Spans: []Span{{Text: "申请人"}}}, {Spans: []Span{{Text: "㙍"}}}, {Align: Right, Spans: []Span{{Text: "￥5"}}}}},
		"doubly": cells(Center, Span{Text: "㙍 㙍"}, Span{Text: "。"}),
	} {
		doc := &Document{Blocks: []Block{Text{Text: "上一行 above"}, line, Text{Text: "下一行 below"}}}
		for _, model := range []string{"epson80", "kp628e"} {
			picture := func(r Rare) image.Image {
				return printed(t, doc, with(t, model, func(p *Profile) { p.Charset, p.Rare, p.Name = GBK, r, model+"."+name+"."+string(r) }))
			}
			a, b := picture(RareGlyph), picture(RareRaster)
			if a.Bounds() != b.Bounds() {
				t.Errorf("%s, %s: %v taught, %v drawn", model, name, a.Bounds(), b.Bounds())
				continue
			}
			wrong := 0
			for y := range a.Bounds().Dy() {
				for x := range a.Bounds().Dx() {
					if black(a, x, y) != black(b, x, y) {
						wrong++
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%s, %s: %d dots differ", model, name, wrong)
			}
		}
	}
}

// TestFallbackFont: what the first font lacks is drawn with the next.
func TestFallbackFont(t *testing.T) {
	latin, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	system, err := systemTypeface()
	if err != nil {
		t.Fatal(err)
	}
	both := &typeface{fonts: append([]*outlines{newOutlines(latin, darkSans)}, system.fonts...)}
	want, _ := system.cell('园', 24, false)
	if got, ok := both.cell('园', 24, false); !ok || !slices.Equal(got.on, want.on) {
		t.Error("园 is not that of the second font")
	}
	noto, _ := system.cell('A', 24, false)
	if got, ok := both.cell('A', 24, false); !ok || slices.Equal(got.on, noto.on) {
		t.Error("A is not that of the first font")
	}
	if _, ok := both.cell('\U000F0000', 24, false); ok {
		t.Error("a private character was drawn")
	}
}

func TestNoPicture(t *testing.T) {
	if _, err := NewSim(profile(t, "epson80"), nil).PNG("7"); err == nil {
		t.Error("a picture of no receipt")
	}
}
