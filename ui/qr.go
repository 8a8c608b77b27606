package ui

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrCode draws a QR code as inline SVG with its quiet zone of four modules (ISO/IEC 18004).
//
// Level M survives a scratched screen and keeps modules large. The path joins dark modules of a row.
func qrCode(text, label string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("cannot draw the QR code: %w", err)
	}
	const quiet = 4
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		r, _, _, _ := code.At(x, y).RGBA()
		return r < 0x8000
	}
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			if !dark(x, y) {
				continue
			}
			from := x
			for x < size && dark(x, y) {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
		}
	}
	all := size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path class="qr-paper" d="M0 0h%dv%dh-%dz"></path><path class="qr-ink" d="%s"></path></svg>`,
		template.HTMLEscapeString(label), all, all, all, all, all, path.String())), nil
}
