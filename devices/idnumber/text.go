package idnumber

import (
	"strconv"
	"strings"
	"unicode"
)

// Normalise brings a typed number into the form in which it is checked and stored:
// full-width letters and digits become ASCII, small letters capitals, and spaces and
// hyphens, by which people group digits, go away.
func Normalise(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // full-width forms lie in the order of ASCII
			r -= '！' - '!'
		case r == '—' || r == '–' || r == '−': // what keyboards make of a hyphen
			r = '-'
		}
		switch {
		case r == '-' || unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// checkLength wants exactly n characters.
func checkLength(s string, n int) *Problem {
	if got := len([]rune(s)); got != n {
		return &Problem{Kind: Length, Got: strconv.Itoa(got), Want: strconv.Itoa(n)}
	}
	return nil
}

// checkDigits wants digits at the positions from..to, counted from 1. It must run
// before s is indexed by byte: until then s may hold any characters.
func checkDigits(s string, from, to int) *Problem {
	for i, r := range []rune(s) {
		if i+1 >= from && i+1 <= to && !(r >= '0' && r <= '9') {
			if like := lookalike(r); like >= "0" && like <= "9" {
				return &Problem{Kind: Letter, Pos: i + 1, Got: string(r), Want: like}
			}
			return &Problem{Kind: Alphabet, Pos: i + 1, Got: string(r), Want: "digit"}
		}
	}
	return nil
}

// checkLetters wants capital letters at the positions from..to.
func checkLetters(s string, from, to int) *Problem {
	for i, r := range []rune(s) {
		if i+1 >= from && i+1 <= to && !(r >= 'A' && r <= 'Z') {
			return &Problem{Kind: Alphabet, Pos: i + 1, Got: string(r), Want: "letter"}
		}
	}
	return nil
}

// lookalike is what a typed I, O, S, V or Z most probably was on paper, "" for any
// other character.
func lookalike(r rune) string {
	const pairs = "I1O0S5VUZ2"
	if at := strings.IndexRune(pairs, r); at >= 0 && at%2 == 0 {
		return pairs[at+1 : at+2]
	}
	return ""
}

// firstProblem returns the first that is not nil, as an error that is nil when none is.
func firstProblem(problems ...*Problem) error {
	for _, p := range problems {
		if p != nil {
			return p
		}
	}
	return nil
}
