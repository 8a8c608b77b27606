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
		return b, len(b) == 2 && inGB2312(b[0], b[1])
	default:
		g, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		return g, err == nil && len(g) == 2
	}
}

// inGB2312 says whether a code is one of the 7,445 of GB/T 2312-1980: rows 1 to 9 and 16 to 87, without what GBK added between them.
func inGB2312(hi, lo byte) bool {
	switch {
	case lo < 0xA1 || hi < 0xA1 || hi > 0xF7 || hi > 0xA9 && hi < 0xB0:
		return false
	case hi == 0xA2:
		return lo > 0xAA // ⅰ to ⅹ are of GBK
	case hi == 0xA6:
		return lo < 0xE0 // brackets for vertical lines
	case hi == 0xA8:
		return lo < 0xBB || lo > 0xC0 // ɑ, ń, ň, ǹ, ɡ
	}
	return true
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

// gbkPrivate is the characters that GBK and GB 18030-2000 had before Unicode had them: fonts and registers of that time carry them in
// the private use area, U+E815 to U+E864, and names such as 刘䶮 still come that way. They are in the order of the codes FE50 to FEA0, as
// GB 18030-2022 assigns them: iconv -f GB18030 -t UTF-8 of these codes gives this line.
const gbkPrivate = "⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱䎬⺻䏝䓖䙡䙌龹䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻"

// gbkPrivateFirst is the private code of the first of them.
const gbkPrivateFirst = 0xE815

// look is a printable character that looks like r, where Chinese fonts lack r itself.
func look(r rune) string {
	switch r {
	case '\t':
		return " "
	case '\r', '\u0085', '\u2028', '\u2029':
		return "\n"
	case '¥': // U+00A5; its four-byte code prints as "0 6" on a printer with a GBK font
		return "￥"
	case '•', '・', '‧', '∙', '⋅':
		return "·"
	case '✓', '✔':
		return "√"
	case '✗', '✘':
		return "×"
	case '☐':
		return "□"
	case '‐', '‑', '−':
		return "-"
	case '〜':
		return "～"
	case '⸺':
		return "——"
	case '©':
		return "(c)"
	case '®':
		return "(R)"
	}
	switch {
	case r >= gbkPrivateFirst && r < gbkPrivateFirst+80:
		return string([]rune(gbkPrivate)[r-gbkPrivateFirst])
	case r >= 0x2F00 && r <= 0x2FD5: // Kangxi radicals, which copying out of a PDF puts in the place of Hanzi
		return norm.NFKC.String(string(r))
	case r != '\u3000' && unicode.Is(unicode.Zs, r):
		return " "
	}
	return string(r)
}

// unseen says whether a character leaves nothing on paper and means nothing there: controls, and marks for software.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// fold prepares a text for the paper: composed characters, printable look-alikes for signs that Chinese fonts lack, one kind of
// space, no control or invisible characters. Line feeds stay, and so does everything else: what cannot be shown is seen as 〓.
func fold(s string) string {
	s = strings.ReplaceAll(norm.NFC.String(strings.ToValidUTF8(s, string(missing))), "\r\n", "\n")
	if strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7F && !plainHanzi(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if out := look(r); out == "\n" || !unseen(r) || out != string(r) {
			b.WriteString(out)
		}
	}
	return norm.NFC.String(b.String()) // what was left out may have stood between a letter and its accent
}

// plainHanzi says whether a character is one of those that texts are mostly made of, and that look and unseen leave alone.
func plainHanzi(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3001 && r <= 0x3017 || r == '，' || r == '：'
}

// foldLine is fold for a text that must stay on one line.
func foldLine(s string) string { return strings.TrimSpace(strings.ReplaceAll(fold(s), "\n", " ")) }
