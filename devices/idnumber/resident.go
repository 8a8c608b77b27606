package idnumber

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// provinces are the first two digits of GB/T 2260 that resident numbers begin with.
// The other four digits of the region are not checked: a district keeps its place on
// the cards of those born there long after it has been abolished.
var provinces = []string{
	"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37",
	"41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65",
	"71", "81", "82",
}

// permitPrefixes begin the numbers of residence permits: Hong Kong, Macao, Taiwan.
var permitPrefixes = []string{"810000", "820000", "830000"}

// clockFloor is the day before which this program cannot be running. A machine whose
// clock fell back to 1970 would otherwise call every birth date future.
var clockFloor = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckResident checks an 18-character resident identity number (GB 11643-1999) and
// returns it normalised. The error is a *Problem.
func CheckResident(s string) (string, error) {
	s = Normalise(s)
	if err := checkPerson(s); err != nil {
		return "", err
	}
	if !slices.Contains(provinces, s[:2]) {
		return "", &Problem{Kind: Region, Pos: 1, Got: s[:2]}
	}
	if err := checkMod11(s); err != nil {
		return "", err
	}
	return s, nil
}

// CheckPermit checks the number of a residence permit for Hong Kong, Macao and Taiwan
// residents (港澳台居民居住证): the same 18 characters with a region of its own.
func CheckPermit(s string) (string, error) {
	s = Normalise(s)
	if err := checkPerson(s); err != nil {
		return "", err
	}
	if !slices.Contains(permitPrefixes, s[:6]) {
		return "", &Problem{Kind: Prefix, Pos: 1, Got: s[:6], Want: strings.Join(permitPrefixes, ", ")}
	}
	if err := checkMod11(s); err != nil {
		return "", err
	}
	return s, nil
}

// CheckPass checks the number of the travel pass that a residence permit names and returns it normalised: H or M and
// eight digits of a Hong Kong or Macao resident, eight digits of a Taiwan resident. It has no check character, so that
// most mistakes pass. The error is a *Problem.
func CheckPass(s string) (string, error) {
	s = Normalise(s)
	runes := []rune(s)
	digits := 1 // the first place that must hold a digit
	switch n := len(runes); {
	case n == 9 && (runes[0] == 'H' || runes[0] == 'M'):
		digits = 2
	case n == 9:
		return "", &Problem{Kind: Alphabet, Pos: 1, Got: string(runes[0])}
	case n != 8:
		return "", &Problem{Kind: Length, Got: strconv.Itoa(n), Want: "8 or 9"}
	}
	if err := firstProblem(checkDigits(s, digits, len(runes))); err != nil {
		return "", err
	}
	return s, nil
}

// UpgradeResident turns a 15-digit number of the first card generation into the 18
// characters that stand for the same person today.
func UpgradeResident(s string) (string, error) {
	s = Normalise(s)
	if err := firstProblem(checkLength(s, 15), checkDigits(s, 1, 15)); err != nil {
		return "", err
	}
	long := s[:6] + "19" + s[6:]
	return CheckResident(long + string(ResidentCheck(long)))
}

// ResidentCheck computes the check character of the 17 digits of a resident number:
// ISO 7064 MOD 11-2. Characters that are not digits make the result meaningless.
func ResidentCheck(digits string) byte {
	p := 0
	for i := range len(digits) {
		p = (p + int(digits[i]-'0')) * 2 % 11
	}
	return "0123456789X"[((12-p)%11+11)%11]
}

// checkPerson checks all of an 18-character personal number but region and check
// character, so that the digits can be indexed by byte afterwards.
func checkPerson(s string) error {
	if err := firstProblem(checkLength(s, 18), checkDigits(s, 1, 17)); err != nil {
		return err
	}
	if last := s[17:]; last != "X" && (last < "0" || last > "9") {
		return &Problem{Kind: Alphabet, Pos: 18, Got: last}
	}
	return checkBirth(s[6:14])
}

func checkBirth(day string) error {
	birth, err := time.Parse("20060102", day)
	if err != nil || birth.Year() < 1800 {
		return &Problem{Kind: Date, Pos: 7, Got: day}
	}
	now := time.Now()
	if now.Before(clockFloor) {
		now = clockFloor
	}
	// A day of grace covers every time zone the clock may be set to.
	if birth.After(now.AddDate(0, 0, 1)) {
		return &Problem{Kind: Future, Pos: 7, Got: day}
	}
	return nil
}

func checkMod11(s string) error {
	if want := ResidentCheck(s[:17]); s[17] != want {
		return &Problem{Kind: Check, Pos: 18, Got: s[17:], Want: string(want)}
	}
	return nil
}
