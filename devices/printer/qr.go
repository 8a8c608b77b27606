package printer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// The ways of printing a QR code.
const (
	qrNative = "native" // the printer makes it: GS ( k
	qrVendor = "vendor" // the printer makes it, with a command of its maker's own
	qrRaster = "raster" // it is drawn and sent as a picture: GS v 0. Works everywhere and takes about 15 times the bytes.
)

// QRProfile says how QR codes get onto the paper.
type QRProfile struct {
	Method string `json:"method"` // "native" (GS ( k), "vendor" (the command below) or "raster" (GS v 0)
	Module int    `json:"module"` // wanted dots a module, 1..16; less when the code would not fit
	Level  string `json:"level"`  // error correction: L, M, Q or H
	// Command is the command of method vendor, as bytes in hexadecimal and names in braces:
	//
	//	{data}    the data itself; exactly once
	//	{length}  its length in bytes, in one byte; longer data is drawn
	//	{low} {high}  its length in two bytes, apart, so that both orders can be written
	//	{module}  dots a module, 1..16
	//	{level}   error correction, 0 L, 1 M, 2 Q, 3 H
	//
	// A name may have a constant added, in hexadecimal: {low+3} is the low byte of the length plus 3, {level+30} the digit 0 to 3. The
	// way every maker documents GS ( k, written as such a command, is in the tests. No profile of this package has a command of its own
	// yet: for the family that needs one (Masung MS-D347, opcode 13 52 in its SDK) no page that shows the bytes could be had, so its
	// QR codes are drawn until someone with the printer and its manual fills it in.
	Command string `json:"command,omitempty"`
}

// check says what is wrong with the profile, "" for nothing.
func (q QRProfile) check() string {
	switch {
	case q.Method != qrNative && q.Method != qrVendor && q.Method != qrRaster:
		return "qr.method must be native, vendor or raster"
	case q.Method != qrVendor && q.Command != "":
		return "qr.command belongs to qr.method vendor"
	case q.Method == qrVendor:
		if _, err := parseVendorQR(q.Command); err != nil {
			return "qr.command " + err.Error()
		}
	}
	return ""
}

// vendorPart is bytes as they are, or a name with a constant added to its value.
type vendorPart struct {
	bytes []byte
	name  string
	add   int
}

// parseVendorQR reads a [QRProfile.Command].
func parseVendorQR(s string) ([]vendorPart, error) {
	var parts []vendorPart
	data := 0
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] != '{' {
			lit, rest, _ := strings.Cut(s, "{")
			b, err := hex.DecodeString(strings.Join(strings.Fields(lit), ""))
			if err != nil {
				return nil, fmt.Errorf("must be hexadecimal outside braces, got %q", strings.TrimSpace(lit))
			}
			parts = append(parts, vendorPart{bytes: b})
			if s = ""; len(rest) > 0 {
				s = "{" + rest
			}
			continue
		}
		inside, rest, closed := strings.Cut(s[1:], "}")
		if !closed {
			return nil, errors.New("has a { without a }")
		}
		s = rest
		name, add, plus := strings.Cut(inside, "+")
		p := vendorPart{name: name}
		switch name {
		case "data":
			data++
			if plus {
				return nil, errors.New("cannot add to {data}")
			}
		case "length", "low", "high", "module", "level":
		default:
			return nil, fmt.Errorf("knows no {%s}: there are data, length, low, high, module, level", inside)
		}
		if plus {
			n, err := strconv.ParseUint(add, 16, 8)
			if err != nil {
				return nil, fmt.Errorf("must add a hexadecimal number to FF, got {%s}", inside)
			}
			p.add = int(n)
		}
		parts = append(parts, p)
	}
	if data != 1 {
		return nil, errors.New("must have {data} exactly once")
	}
	return parts, nil
}

// vendorQR fills a vendor's command in. It is nil where the command cannot say it, or where it would hold bytes that a printer obeys
// wherever they stand: then the code must be drawn.
func vendorQR(command, data string, module int, level string) Command {
	parts, err := parseVendorQR(command)
	if err != nil {
		return nil // not reached: checked when the profile was read
	}
	var out []byte
	for _, p := range parts {
		n := 0
		switch p.name {
		case "":
			out = append(out, p.bytes...)
			continue
		case "data":
			out = append(out, data...)
			continue
		case "length":
			n = len(data) + p.add
		case "low":
			n = (len(data) + p.add) & 0xFF
		case "high":
			n = (len(data) + p.add) >> 8
		case "module":
			n = module + p.add
		case "level":
			n = strings.Index("LMQH", level) + p.add
		}
		if n > 0xFF {
			return nil
		}
		out = append(out, byte(n))
	}
	if len(out) > maxCommand || hasRealtime(out) {
		return nil
	}
	return out
}

// qr prints a code: made by the printer where it can, else drawn.
func (e *encoder) qr(b QR) error {
	code, err := qrDots(b.Data, b.Level)
	if err != nil {
		return err
	}
	module := qrModule(code.w, b.Module, e.p)
	quiet := quietZone * module
	if above := quiet - (e.p.LineDots - 24); above > 0 && !e.spaced {
		e.add(esc, 'J', byte(above))
	}
	e.alignment(b.Align)
	e.modes(plain())
	vendor := Command(nil)
	if e.p.QR.Method == qrVendor {
		vendor = vendorQR(e.p.QR.Command, b.Data, module, b.Level)
	}
	switch {
	case vendor != nil:
		e.cmds = append(e.cmds, vendor)
	case e.p.QR.Method == qrNative:
		e.nativeQR(b, module)
	default:
		w := (code.w*module + 7) / 8 * 8
		pic := newDots(w, code.h*module)
		pic.put(code, (w-code.w*module)/2, 0, module)
		e.raster(pic)
	}
	e.add(esc, 'J', byte(quiet)) // the code ends at its last dot
	return nil
}

func (e *encoder) nativeQR(b QR, module int) {
	if e.module != module {
		e.add(gs, '(', 'k', 3, 0, '1', 'C', byte(module))
		e.module = module
	}
	if e.level != b.Level {
		e.add(gs, '(', 'k', 3, 0, '1', 'E', byte('0'+strings.Index("LMQH", b.Level)))
		e.level = b.Level
	}
	n := len(b.Data) + 3
	e.add(append([]byte{gs, '(', 'k', byte(n), byte(n >> 8), '1', 'P', '0'}, b.Data...)...)
	e.add(gs, '(', 'k', 3, 0, '1', 'Q', '0')
}

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

// quietZone is how many modules around a code must stay white, or telephones do not find it (ISO/IEC 18004:2015 6.3.8).
const quietZone = 4

// paperMargin is the white that paper has on each side of the printable width, in dots: 4 mm on 80 mm paper, 5 mm on 58 mm paper.
const paperMargin = 32

// qrModule is the number of dots a module for a code of that many modules: the wanted number, less if the paper is too narrow.
func qrModule(modules, want int, p *Profile) int {
	return max(min(want, p.Dots/modules, (p.Dots+2*paperMargin)/(modules+2*quietZone)), 1)
}
