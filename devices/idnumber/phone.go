package idnumber

// CheckMobile checks a Chinese mobile number: eleven digits, the first 1, the second
// 3 to 9. Spaces, hyphens and full-width digits are allowed; store Normalise of it. The
// error is a *Problem.
func CheckMobile(s string) error {
	s = Normalise(s)
	if err := firstProblem(checkLength(s, 11), checkDigits(s, 1, 11)); err != nil {
		return err
	}
	switch {
	case s[0] != '1':
		return &Problem{Kind: Prefix, Pos: 1, Got: s[:1], Want: "1"}
	case s[1] < '3':
		return &Problem{Kind: Prefix, Pos: 2, Got: s[:2], Want: "13 to 19"}
	}
	return nil
}
