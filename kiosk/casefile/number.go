package casefile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// The first letter of a number says what it counts.
const (
	prefixCase       = 'L' // 办件, provisional
	prefixAssistance = 'B' // 帮办代办
	prefixDemand     = 'S' // 诉求
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// numberLength is prefix 1, machine 6, yyMMdd 6, sequence of the day 4, check character 1.
const numberLength = 18

// ErrNumber says that a provisional number was mistyped.
var ErrNumber = errors.New("the number is mistyped: its check character does not fit")

// makeNumber returns prefix + machine + yyMMdd + seq + check character. seq is 1..9999 within a day.
//
// The check character is ISO/IEC 7064 MOD 37,36 over the characters before it: start with p = 36; for each character of value v
// (0-9, A=10 … Z=35) let s = (p + v) mod 36, or 36 if that is 0, and p = 2s mod 37; the check value is (37 - p) mod 36. It finds
// every single mistyped character and every swap of neighbours but a few.
func makeNumber(prefix byte, machine string, day time.Time, seq int64) (string, error) {
	if seq < 1 || seq > 9999 {
		return "", fmt.Errorf("the machine has given out all 9999 numbers of this day; go on tomorrow or at a window (would be %d)", seq)
	}
	body := fmt.Sprintf("%c%s%s%04d", prefix, machine, day.Format("060102"), seq)
	c, err := checkCharacter(body)
	return body + string(c), err
}

func checkCharacter(body string) (byte, error) {
	p := 36
	for _, r := range body {
		v := strings.IndexRune(alphabet, r)
		if v < 0 {
			return 0, fmt.Errorf("%q is not one of 0-9 A-Z", r)
		}
		s := (p + v) % 36
		if s == 0 {
			s = 36
		}
		p = s * 2 % 37
	}
	return alphabet[(37-p)%36], nil
}

// CheckNumber says whether a provisional number can have been given out by a machine. Spaces, hyphens and case do not matter.
// Errors: ErrNumber.
func CheckNumber(number string) error {
	n := normalise(number)
	if len(n) != numberLength {
		return fmt.Errorf("%w (it has %d characters, not %d)", ErrNumber, len(n), numberLength)
	}
	if c, err := checkCharacter(n[:numberLength-1]); err != nil || c != n[numberLength-1] {
		return ErrNumber
	}
	return nil
}

// Grouped returns a number for the eye and the voice, in groups of four.
func Grouped(number string) string {
	var b strings.Builder
	for i, r := range []rune(number) {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// normalise undoes what people do to numbers when they copy them.
func normalise(number string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u3000' {
			return -1
		}
		return r
	}, number))
}

// newQueryCode returns 6 random digits and their check digit by ISO/IEC 7064 MOD 11,10.
func newQueryCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("cannot draw query code: %w", err)
	}
	code := fmt.Sprintf("%06d", n)
	return code + string(checkDigit(code)), nil
}

func checkDigit(digits string) byte {
	p := 10
	for i := range len(digits) {
		s := (p + int(digits[i]-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return '0' + byte((11-p)%10)
}

// CheckQueryCode says whether a query code is complete and free of typing errors.
func CheckQueryCode(code string) bool {
	if len(code) != 7 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	return checkDigit(code[:6]) == code[6]
}
