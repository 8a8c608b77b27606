package idnumber

import (
	"strings"
	"unicode"
)

// MaskNumber hides the middle of a document number: 110105********002X keeps the
// region and the last four, a pass number H1*****78 less, a short one nothing.
func MaskNumber(s string) string {
	switch n := len([]rune(s)); {
	case n >= 15:
		return stars(s, 6, 4)
	case n >= 8:
		return stars(s, 2, 2)
	default:
		return stars(s, 0, 0)
	}
}

// MaskName hides a name but for what lets its owner recognise it: 张*三, 张*, and of
// a name in Latin letters the first of each word, E****** J***.
func MaskName(s string) string {
	s = strings.TrimSpace(s)
	latin := !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && r > unicode.MaxLatin1 })
	if latin {
		words := strings.Fields(s)
		for i, w := range words {
			words[i] = stars(w, 1, 0)
		}
		return strings.Join(words, " ")
	}
	switch n := len([]rune(s)); {
	case n >= 3:
		return stars(s, 1, 1)
	case n == 2:
		return stars(s, 1, 0)
	default:
		return stars(s, 0, 0)
	}
}

// MaskPhone hides the middle of a phone number, 138****1234; of one that is no mobile
// number it keeps the last four, of a short one nothing.
func MaskPhone(s string) string {
	s = Normalise(s)
	switch n := len([]rune(s)); {
	case n == 11:
		return stars(s, 3, 4)
	case n >= 7:
		return stars(s, 0, 4)
	default:
		return stars(s, 0, 0)
	}
}

// stars replaces all but the first head and last tail characters. The dot inside names
// of some peoples stays.
func stars(s string, head, tail int) string {
	runes := []rune(s)
	// A mask that hides nothing is none.
	if head+tail >= len(runes) {
		head, tail = min(head, len(runes)-1), 0
	}
	for i := max(head, 0); i < len(runes)-tail; i++ {
		if runes[i] != '·' {
			runes[i] = '*'
		}
	}
	return string(runes)
}
