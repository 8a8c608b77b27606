package printer

import (
	"fmt"

	"github.com/boombuler/barcode/qr"
)

// maxQR is the most data a QR block takes, in bytes. It fits on the narrowest paper with dots a telephone can still tell apart, and
// keeps every command well below healBytes.
const maxQR = 600

// qrDots draws a QR code one dot a module without a quiet zone.
func qrDots(data, level string) (*dots, error) {
	if len(data) > maxQR {
		return nil, fmt.Errorf("cannot print a QR code of %d bytes: at most %d", len(data), maxQR)
	}
	if data == "" {
		return nil, fmt.Errorf("cannot print a QR code without data")
	}
	lv := map[string]qr.ErrorCorrectionLevel{"L": qr.L, "M": qr.M, "Q": qr.Q, "H": qr.H}[level]
	code, err := qr.Encode(data, lv, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("cannot make QR code: %w", err)
	}
	size := code.Bounds().Dx()
	d := newDots(size, size)
	for y := range size {
		for x := range size {
			if c, _, _, _ := code.At(x, y).RGBA(); c == 0 {
				d.set(x, y)
			}
		}
	}
	return d, nil
}

// qrModule is the number of dots a module for a code of that many modules: the wanted number, less if the paper is too narrow.
func qrModule(modules int, p *Profile) int {
	return max(min(p.QR.Module, (p.Dots-16)/modules), 1)
}
