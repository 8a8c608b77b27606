package idcard

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// The text of a card is 256 bytes of UTF-16, low byte first, in fields padded with
// spaces (GA 490-2013). The character at byte 248 tells which of four layouts it has;
// the layouts of types J, I and Y are published by the makers of readers.
const (
	textSize = 256
	typeAt   = 248
)

// text is a card as it is stored, before codes become words.
type text struct {
	Card
	nameRest string // second part of a long English name on a card of 2023
	typeChar string
}

// field is one run of characters.
type field struct {
	name      string
	at, chars int
	may       set
	of        func(*text) *string
}

// set is what a field may contain, besides padding at its end.
type set string

const (
	ofDigits set = "digits"
	ofDays   set = "days"  // digits, or 长期
	ofCode   set = "code"  // digits and capital letters
	ofLatin  set = "latin" // what English names are written with
	ofWords  set = "words" // anything that can be read, rare characters of the private use areas too
)

func (s set) has(r rune) bool {
	digit, capital := r >= '0' && r <= '9', r >= 'A' && r <= 'Z'
	switch s {
	case ofDigits:
		return digit
	case ofDays:
		return digit || strings.ContainsRune(forever, r)
	case ofCode:
		return digit || capital
	case ofLatin:
		return r >= ' ' && r <= '~'
	}
	return r >= ' ' && r != 0x7F && !(r >= 0x80 && r < 0xA0) && r&0xFFFE != 0xFFFE
}

var (
	residentFields = []field{
		{"name", 0, 15, ofWords, func(t *text) *string { return &t.Name }},
		{"sex", 30, 1, ofDigits, func(t *text) *string { return &t.Sex }},
		{"nation", 32, 2, ofDigits, func(t *text) *string { return &t.Nation }},
		{"birth date", 36, 8, ofDigits, func(t *text) *string { return &t.Birth }},
		{"address", 52, 35, ofWords, func(t *text) *string { return &t.Address }},
		{"number", 122, 18, ofCode, func(t *text) *string { return &t.Number }},
		{"authority", 158, 15, ofWords, func(t *text) *string { return &t.Authority }},
		{"first day", 188, 8, ofDigits, func(t *text) *string { return &t.ValidFrom }},
		{"last day", 204, 8, ofDays, func(t *text) *string { return &t.ValidTo }},
		{"type", typeAt, 1, ofCode, func(t *text) *string { return &t.typeChar }},
	}
	hmtFields = []field{
		{"name", 0, 15, ofWords, func(t *text) *string { return &t.Name }},
		{"sex", 30, 1, ofDigits, func(t *text) *string { return &t.Sex }},
		{"birth date", 36, 8, ofDigits, func(t *text) *string { return &t.Birth }},
		{"address", 52, 35, ofWords, func(t *text) *string { return &t.Address }},
		{"number", 122, 18, ofCode, func(t *text) *string { return &t.Number }},
		{"authority", 158, 15, ofWords, func(t *text) *string { return &t.Authority }},
		{"first day", 188, 8, ofDigits, func(t *text) *string { return &t.ValidFrom }},
		{"last day", 204, 8, ofDays, func(t *text) *string { return &t.ValidTo }},
		{"pass number", 220, 9, ofCode, func(t *text) *string { return &t.PassNumber }},
		{"times issued", 238, 2, ofDigits, func(t *text) *string { return &t.Issue }},
		{"type", typeAt, 1, ofCode, func(t *text) *string { return &t.typeChar }},
	}
	foreign2017Fields = []field{
		{"English name", 0, 60, ofLatin, func(t *text) *string { return &t.EnglishName }},
		{"sex", 120, 1, ofDigits, func(t *text) *string { return &t.Sex }},
		{"number", 122, 15, ofCode, func(t *text) *string { return &t.Number }},
		{"country", 152, 3, ofCode, func(t *text) *string { return &t.Country }},
		{"name", 158, 15, ofWords, func(t *text) *string { return &t.Name }},
		{"first day", 188, 8, ofDigits, func(t *text) *string { return &t.ValidFrom }},
		{"last day", 204, 8, ofDays, func(t *text) *string { return &t.ValidTo }},
		{"birth date", 220, 8, ofDigits, func(t *text) *string { return &t.Birth }},
		{"card version", 236, 2, ofCode, func(t *text) *string { return &t.Issue }},
		{"authority", 240, 4, ofWords, func(t *text) *string { return &t.Authority }},
		{"type", typeAt, 1, ofCode, func(t *text) *string { return &t.typeChar }},
	}
	foreign2023Fields = []field{
		{"name", 0, 15, ofWords, func(t *text) *string { return &t.Name }},
		{"sex", 30, 1, ofDigits, func(t *text) *string { return &t.Sex }},
		{"times renewed", 32, 2, ofDigits, func(t *text) *string { return &t.Issue }},
		{"birth date", 36, 8, ofDigits, func(t *text) *string { return &t.Birth }},
		{"English name", 52, nameSplit, ofLatin, func(t *text) *string { return &t.EnglishName }},
		{"number", 122, 18, ofCode, func(t *text) *string { return &t.Number }},
		{"first day", 188, 8, ofDigits, func(t *text) *string { return &t.ValidFrom }},
		{"last day", 204, 8, ofDays, func(t *text) *string { return &t.ValidTo }},
		{"English name", 220, 11, ofLatin, func(t *text) *string { return &t.nameRest }},
		{"country", 242, 3, ofCode, func(t *text) *string { return &t.Country }},
		{"type", typeAt, 1, ofCode, func(t *text) *string { return &t.typeChar }},
		{"link", 250, 3, ofCode, func(t *text) *string { return &t.Link }},
	}
)

// nameSplit is how many characters of an English name the first of its two fields
// on a card of 2023 holds.
const nameSplit = 35

// layout returns the fields and the type character of a kind.
func layout(k Kind) ([]field, string, error) {
	switch k {
	case Resident:
		return residentFields, "", nil
	case HMT:
		return hmtFields, "J", nil
	case Foreign2017:
		return foreign2017Fields, "I", nil
	case Foreign2023:
		return foreign2023Fields, "Y", nil
	}
	return nil, "", fmt.Errorf("kind %q is not known", k)
}

// DecodeCard reads the 256 bytes of text on a card. It is lenient about what the
// fields contain, see Check; only the size must be right. Any type but J, I and Y
// counts as a resident identity card.
func DecodeCard(b []byte) (Card, error) {
	if len(b) != textSize {
		return Card{}, fmt.Errorf("cannot decode card: %d bytes of text, must be %d", len(b), textSize)
	}
	var t text
	switch binary.LittleEndian.Uint16(b[typeAt:]) {
	case 'J':
		t.Kind = HMT
	case 'I':
		t.Kind = Foreign2017
	case 'Y':
		t.Kind = Foreign2023
	default:
		t.Kind = Resident
	}
	fields, _, err := layout(t.Kind)
	if err != nil {
		return Card{}, err
	}
	for _, f := range fields {
		s := decodeText(b[f.at : f.at+2*f.chars])
		// The first part of a split name may end in a space that belongs to it.
		if f.at != 52 || t.Kind != Foreign2023 {
			s = trim(s)
		}
		if strings.ContainsRune(s, utf8.RuneError) {
			t.Garbled = true
		}
		*f.of(&t) = s
	}
	t.EnglishName = trim(t.EnglishName + t.nameRest)
	t.Sex = sexWord(t.Sex)
	t.Nation = nationWord(t.Nation)
	if strings.HasPrefix(t.ValidTo, forever) {
		t.ValidTo, t.Permanent = "", true
	}
	return t.Card, nil
}

// decodeText decodes UTF-16; halves of surrogate pairs become U+FFFD. The result is the only copy it makes.
func decodeText(b []byte) string {
	var out strings.Builder
	out.Grow(len(b) * 3 / 2)
	for len(b) >= 2 {
		r := rune(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if utf16.IsSurrogate(r) {
			var low rune
			if len(b) >= 2 {
				low = rune(binary.LittleEndian.Uint16(b))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				b = b[2:]
			}
		}
		out.WriteRune(r)
	}
	return out.String()
}

// trim cuts the padding at the end. Spaces inside a name stay.
func trim(s string) string { return strings.TrimRightFunc(s, isPadding) }

// odd tells whether the 256 bytes of text, of which c was made, hold something that cards do not: characters outside the
// fields, behind the padding of a field or of a kind that the field does not have. Such a card may be genuine all the same,
// but more probably the reading was damaged.
func odd(b []byte, c Card) bool {
	fields, _, err := layout(c.Kind)
	if err != nil || c.Garbled {
		return true
	}
	var covered [textSize / 2]bool
	for _, f := range fields {
		gap := 0
		for i := f.at / 2; i < f.at/2+f.chars; i++ {
			covered[i] = true
			r := rune(binary.LittleEndian.Uint16(b[2*i:]))
			if isPadding(r) {
				gap++
				continue
			}
			spaced := f.may == ofWords || f.may == ofLatin // may hold single spaces
			if gap > 1 || gap == 1 && !spaced || !utf16.IsSurrogate(r) && !f.may.has(r) {
				return true
			}
			gap = 0
		}
	}
	for i, known := range covered {
		if !known && !isPadding(rune(binary.LittleEndian.Uint16(b[2*i:]))) {
			return true
		}
	}
	return false
}

// isPadding tells what fills fields; some readers pad with NUL.
func isPadding(r rune) bool { return r == ' ' || r == 0 }

// EncodeCard is the inverse of DecodeCard, for simulators and tests. The error names
// the first field that the card cannot hold.
func EncodeCard(c Card) ([]byte, error) {
	fields, typeChar, err := layout(c.Kind)
	if err != nil {
		return nil, fmt.Errorf("cannot encode card: %w", err)
	}
	t := text{Card: c, typeChar: typeChar}
	if err := t.toCodes(); err != nil {
		return nil, fmt.Errorf("cannot encode card: %w", err)
	}
	b := make([]byte, textSize)
	for i := 0; i < textSize; i += 2 {
		b[i] = ' '
	}
	for _, f := range fields {
		units := utf16.Encode([]rune(*f.of(&t)))
		if len(units) > f.chars {
			return nil, fmt.Errorf("cannot encode card: %s has %d characters, the card holds %d", f.name, len(units), f.chars)
		}
		for i, u := range units {
			binary.LittleEndian.PutUint16(b[f.at+2*i:], u)
		}
	}
	return b, nil
}

// toCodes turns the words of the card into what is stored.
func (t *text) toCodes() (err error) {
	if t.Sex, err = sexCode(t.Sex); err != nil {
		return err
	}
	if t.Nation, err = nationCode(t.Nation); err != nil {
		return err
	}
	for _, d := range []struct{ name, day string }{{"birth date", t.Birth}, {"first day", t.ValidFrom}, {"last day", t.ValidTo}} {
		if _, err := time.Parse(dateForm, d.day); d.day != "" && err != nil {
			return fmt.Errorf("%s must be a day written YYYYMMDD", d.name)
		}
	}
	if t.Permanent {
		t.ValidTo = forever
	}
	if t.Kind == Foreign2023 {
		if units := utf16.Encode([]rune(t.EnglishName)); len(units) > nameSplit {
			t.EnglishName, t.nameRest = string(utf16.Decode(units[:nameSplit])), string(utf16.Decode(units[nameSplit:]))
		}
	}
	return nil
}
