package printer

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"
)

// Charset is the set of characters in a printer's Chinese font.
type Charset string

// The Chinese fonts found in printers.
const (
	GB2312  Charset = "gb2312"  // 6,763 Hanzi, two bytes each
	GBK     Charset = "gbk"     // 20,902 Hanzi, two bytes each; a four-byte code prints as garbage
	GB18030 Charset = "gb18030" // GBK and, in four bytes, the Hanzi of extension A (the compulsory part of GB 18030-2000)
)

// missing stands for a character that neither the printer's font nor ours can show: 〓, the mark of Chinese typesetters for a type
// that is not in the case. It is in every font, and nobody takes it for a part of the text, as would happen with a question mark.
const missing = '〓'

// encode returns the bytes that make the printer show r from its own font.
func (c Charset) encode(r rune) ([]byte, bool) {
	switch {
	case r >= 0x20 && r < 0x7F:
		return []byte{byte(r)}, true
	case r < 0x80 || r >= 0xE000 && r <= 0xF8FF: // private use: some codes exist, glyphs do not
		return nil, false
	case r == '€':
		// The usual table for GBK gives the single byte 80, which printers do not know.
		return []byte{0xA2, 0xE3}, c != GB2312
	}
	b, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(string(r)))
	if err != nil {
		return nil, false
	}
	switch c {
	case GB18030:
		return b, len(b) == 2 || len(b) == 4 && r >= 0x3400 && r <= 0x4DBF
	case GB2312:
		// Rows 1..9 and 16..87 of GB/T 2312-1980, both bytes with the high bit.
		return b, len(b) == 2 && b[1] >= 0xA1 && (b[0] >= 0xA1 && b[0] <= 0xA9 || b[0] >= 0xB0 && b[0] <= 0xF7)
	default:
		g, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		return g, err == nil && len(g) == 2
	}
}

// decode is the reverse of encode for one code; it gives [missing] for a code without a character.
func (c Charset) decode(code []byte) rune {
	if len(code) == 1 && code[0] < 0x80 {
		return rune(code[0])
	}
	s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(code)
	if r := []rune(string(s)); err == nil && len(r) == 1 && r[0] != unicode.ReplacementChar {
		return r[0]
	}
	return missing
}

// columns is the width of a character: Hanzi and everything else outside ASCII is printed in a cell of 24x24 dots.
func columns(r rune) int {
	if r < 0x80 {
		return 1
	}
	return 2
}

func width(s string) int {
	n := 0
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// fold prepares a text for the paper: composed characters, printable look-alikes for signs that Chinese fonts lack, one kind of
// space, no control or invisible characters. Line feeds stay.
func fold(s string) string {
	s = strings.ReplaceAll(norm.NFC.String(strings.ToValidUTF8(s, string(missing))), "\r\n", "\n")
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '\n':
			b.WriteRune('\n')
			continue
		case '\t':
			r = ' '
		case '¥': // U+00A5; its four-byte code prints as "0 6" on a printer with a GBK font
			r = '￥'
		case '•', '・', '‧', '∙':
			r = '·'
		case '✓', '✔':
			r = '√'
		case '✗', '✘':
			r = '×'
		case '☐':
			r = '□'
		case '‐', '‑', '−':
			r = '-'
		case '©':
			b.WriteString("(c)")
			continue
		case '®':
			b.WriteString("(R)")
			continue
		}
		switch {
		case r == '\u3000':
		case unicode.Is(unicode.Zs, r):
			r = ' '
		case unicode.In(r, unicode.C, unicode.M, unicode.Zl, unicode.Zp) && !unicode.Is(unicode.Co, r):
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foldLine is fold for a text that must stay on one line.
func foldLine(s string) string { return strings.TrimSpace(strings.ReplaceAll(fold(s), "\n", " ")) }
