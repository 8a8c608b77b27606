package printer

import (
	"bytes"
	"strings"
	"testing"
)

// nativeAsVendor is GS ( k as the command of a vendor's own.
const nativeAsVendor = "1D 28 6B 03 00 31 43 {module} 1D286B0300 3145 {level+30} 1D286B {low+3}{high+3} 31 50 30 {data} 1D 28 6B 03 00 31 51 30"

func TestVendorQR(t *testing.T) {
	data := strings.Repeat("x", 300)
	doc := &Document{Blocks: []Block{QR{Data: data, Level: "Q", Module: 4}}}
	native, err := Encode(doc, profile(t, "epson80"))
	if err != nil {
		t.Fatal(err)
	}
	vendor, err := Encode(doc, with(t, "epson80", func(p *Profile) { p.QR.Method, p.QR.Command = "vendor", nativeAsVendor }))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := bytes.Join(toBytes(native), nil), bytes.Join(toBytes(vendor), nil); !bytes.Equal(a, b) {
		t.Errorf("native %x\nvendor %x", a, b)
	}
	for _, c := range []struct {
		command, data string
		want          string // "" = must be drawn
	}{
		{"13 52 {low}{high}{module}{level} {data} 00", "ab", "\x13\x52\x02\x00\x04\x02ab\x00"},
		{"{length}{data}", "ab", "\x02ab"},
		{"{length+1}{data}", strings.Repeat("x", 255), ""},
		{"{high}{low}{data}", strings.Repeat("x", 258), "\x01\x02" + strings.Repeat("x", 258)},
		{"{low}04{data}", strings.Repeat("x", 16), ""}, // 10 04: the printer would answer with its status
		{"10 {module} {data}", "ab", ""},
		{"{data}" + strings.Repeat("00", maxCommand), "ab", ""},
	} {
		if got := string(vendorQR(c.command, c.data, 4, "Q")); got != c.want {
			t.Errorf("%s: got %q, want %q", c.command, got, c.want)
		}
	}
	p := with(t, "epson80", func(p *Profile) { p.QR.Method, p.QR.Command = "vendor", "1F {length} {data}" })
	cmds, err := Encode(doc, p)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{p: p}
	if err := r.read(bytes.Join(toBytes(cmds), nil)); err != nil || len(r.lines) != 1 || !r.lines[0].picture {
		t.Errorf("a code too long for the vendor's command is not drawn: %v, %+v", err, r.lines)
	}
}

func TestVendorQRCommandIsChecked(t *testing.T) {
	for command, want := range map[string]string{
		"":                   "{data} exactly once",
		"13 52":              "{data} exactly once",
		"{data} {data}":      "{data} exactly once",
		"1 {data}":           "hexadecimal outside braces",
		"xx {data}":          "hexadecimal outside braces",
		"{data":              "{ without a }",
		"{data} }":           "hexadecimal outside braces",
		"{size} {data}":      "knows no {size}",
		"{data+1}":           "cannot add to {data}",
		"{level+100} {data}": "to FF",
		"{level+} {data}":    "to FF",
	} {
		if got := (QRProfile{Method: "vendor", Command: command}).check(); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", command, got, want)
		}
	}
	for _, q := range []QRProfile{{Method: "native", Command: "{data}"}, {Method: "other"}} {
		if q.check() == "" {
			t.Errorf("%+v is taken", q)
		}
	}
	if got := (QRProfile{Method: "vendor", Command: nativeAsVendor}).check(); got != "" {
		t.Error(got)
	}
}

// TestQuietZone: a telephone finds a code only in white, on paper of any width.
func TestQuietZone(t *testing.T) {
	for name, p := range Profiles() {
		for _, data := range []string{"a", strings.Repeat("b", 200), strings.Repeat("c", maxQR)} {
			doc := &Document{Blocks: []Block{Text{Text: "园"}, QR{Data: data}, Text{Text: "区"}}}
			img := printed(t, doc, p)
			code, err := qrDots(data, p.QR.Level)
			if err != nil {
				t.Fatal(err)
			}
			m := qrModule(code.w, p.QR.Module, p)
			box := inkBox(img)
			top, bottom := box.Min.Y, box.Max.Y
			white := func(y int) int { // rows without ink below y
				n := 0
				for x := 0; y+n < bottom && x < img.Bounds().Dx(); x++ {
					if x == img.Bounds().Dx()-1 {
						n, x = n+1, -1
					} else if black(img, x, y+n) {
						break
					}
				}
				return n
			}
			y := top
			for white(y) == 0 {
				y++
			}
			if above := white(y); above < 4*m {
				t.Errorf("%s, %d bytes: %d dots of white above modules of %d", name, len(data), above, m)
			}
			if w := code.w*m + 8*m; w > img.Bounds().Dx() {
				t.Errorf("%s, %d bytes: %d modules of %d dots leave no white beside them", name, len(data), code.w, m)
			}
		}
	}
}

// FuzzVendorQR: a command that passes the check makes bytes that a printer can be sent, or none.
func FuzzVendorQR(f *testing.F) {
	f.Add(nativeAsVendor, "https://example.cn/1")
	f.Add("13 52 {low+3}{high} {module}{level+30} {data}", "a")
	f.Add("{data", "")
	f.Fuzz(func(t *testing.T, command, data string) {
		if (QRProfile{Method: "vendor", Command: command}).check() != "" {
			return
		}
		if c := vendorQR(command, data, 4, "M"); len(c) > maxCommand || hasRealtime(c) || len(c) > 0 && !strings.Contains(string(c), data) {
			t.Errorf("%q makes % x", command, c)
		}
	})
}
