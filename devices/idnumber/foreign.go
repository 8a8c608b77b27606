package idnumber

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Foreign is what the number of a foreign permanent resident tells.
type Foreign struct {
	Number  string
	Issue   int    // 2017 for the 15-character number used until then and since, 2023 for the 18-digit one
	Country string // ISO 3166: three letters in 2017 numbers, three digits in 2023 ones
	Region  string // accepting authority: four digits in 2017 numbers, the province's two in 2023 ones
	Birth   string // YYMMDD in 2017 numbers, YYYYMMDD in 2023 ones
}

// ParseForeign checks the number of a foreign permanent resident's card, of either
// layout: both stay valid side by side. The error is a *Problem.
func ParseForeign(s string) (Foreign, error) {
	s = Normalise(s)
	switch n := len([]rune(s)); n {
	case 15:
		return parseForeign2017(s)
	case 18:
		return parseForeign2023(s)
	default:
		return Foreign{}, &Problem{Kind: Length, Got: strconv.Itoa(n), Want: "15 or 18"}
	}
}

// parseForeign2017: 3 letters country, 4 digits region, YYMMDD, 1 sequence, 1 check.
func parseForeign2017(s string) (Foreign, error) {
	if err := firstProblem(checkLetters(s, 1, 3), checkDigits(s, 4, 15)); err != nil {
		return Foreign{}, err
	}
	if !slices.Contains(provinces, s[3:5]) {
		return Foreign{}, &Problem{Kind: Region, Pos: 4, Got: s[3:5]}
	}
	// The century is not told; two-digit leap years are those of 2000 to 2099.
	if _, err := time.Parse("20060102", "20"+s[7:13]); err != nil {
		return Foreign{}, &Problem{Kind: Date, Pos: 8, Got: s[7:13]}
	}
	if want := string(ForeignCheck(s[:14])); s[14:] != want {
		return Foreign{}, &Problem{Kind: Check, Pos: 15, Got: s[14:], Want: want}
	}
	return Foreign{Number: s, Issue: 2017, Country: s[:3], Region: s[3:7], Birth: s[7:13]}, nil
}

// parseForeign2023: 9, 2 digits province, 3 digits country, YYYYMMDD, 3 sequence and
// the check character of resident numbers.
func parseForeign2023(s string) (Foreign, error) {
	if err := checkPerson(s); err != nil {
		return Foreign{}, err
	}
	if !strings.HasPrefix(s, "9") {
		return Foreign{}, &Problem{Kind: Prefix, Pos: 1, Got: s[:1], Want: "9"}
	}
	if !slices.Contains(provinces, s[1:3]) {
		return Foreign{}, &Problem{Kind: Region, Pos: 2, Got: s[1:3]}
	}
	if err := checkMod11(s); err != nil {
		return Foreign{}, err
	}
	return Foreign{Number: s, Issue: 2023, Country: s[3:6], Region: s[1:3], Birth: s[6:14]}, nil
}

// ForeignCheck computes the check digit of the first 14 characters of a 2017 number:
// the weights 7, 3, 1 of machine-readable travel documents (ICAO 9303) with A = 10 to
// Z = 35, modulo 10.
func ForeignCheck(s string) byte {
	weights := [3]int{7, 3, 1}
	sum := 0
	for i := range len(s) {
		sum += weights[i%3] * letterValue(s[i])
	}
	return '0' + byte(sum%10)
}

// letterValue counts 0 to 9 and then A = 10 to Z = 35.
func letterValue(c byte) int {
	if c >= 'A' {
		return int(c-'A') + 10
	}
	return int(c - '0')
}
