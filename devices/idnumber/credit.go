package idnumber

import "strings"

// creditAlphabet lists the characters of credit codes by value (GB 32100-2015, table 2).
// I, O, S, V and Z are left out because they look like other characters.
const creditAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// CheckCredit checks an 18-character unified social credit code (GB 32100-2015) with
// the organisation code inside it (GB 11714) and returns it normalised. A letter that
// such codes never contain is explained, not silently replaced. The error is a *Problem.
func CheckCredit(s string) (string, error) {
	s = Normalise(s)
	if err := firstProblem(checkLength(s, 18), checkCreditAlphabet(s), checkDigits(s, 3, 8)); err != nil {
		return "", err
	}
	if want := CreditCheck(s[:17]); s[17] != want {
		return "", &Problem{Kind: Check, Pos: 18, Got: s[17:], Want: string(want)}
	}
	if want := organisationCheck(s[8:16]); s[16] != want {
		return "", &Problem{Kind: Check, Pos: 17, Got: s[16:17], Want: string(want)}
	}
	return s, nil
}

func checkCreditAlphabet(s string) *Problem {
	for i, r := range []rune(s) {
		if strings.ContainsRune(creditAlphabet, r) {
			continue
		}
		if like := lookalike(r); like != "" {
			return &Problem{Kind: Letter, Pos: i + 1, Got: string(r), Want: like}
		}
		return &Problem{Kind: Alphabet, Pos: i + 1, Got: string(r)}
	}
	return nil
}

// CreditCheck computes the check character of the first 17 characters of a credit
// code: weights 3^(i-1) mod 31 (GB 32100-2015, 4.5).
func CreditCheck(s string) byte {
	sum, weight := 0, 1
	for i := range len(s) {
		sum += weight * strings.IndexByte(creditAlphabet, s[i])
		weight = weight * 3 % 31
	}
	return creditAlphabet[((31-sum%31)%31+31)%31]
}

// organisationCheck computes the check character of the eight characters of an
// organisation code (GB 11714): weights 3 7 9 10 5 8 4 2, A = 10 to Z = 35.
func organisationCheck(s string) byte {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * letterValue(s[i])
	}
	return "0123456789X0"[11-sum%11]
}
