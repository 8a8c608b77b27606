package identity

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Code is an enrolment code: eleven characters drawn at random and one that catches typing errors, without the dashes that
// String puts in. It is a secret: String is for the screen, the paper and the person before the machine, and for no log.
type Code string

// alphabet is Crockford's base 32: no I, L, O or U, so that nothing reads as something else.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const codeLength = 12

// NewCode draws a code: 55 bits.
func NewCode() Code {
	var b [codeLength]byte
	rand.Read(b[:codeLength-1])
	for i := range b[:codeLength-1] {
		b[i] %= 32
	}
	b[codeLength-1] = check(b[:codeLength-1])
	for i := range b {
		b[i] = alphabet[b[i]]
	}
	return Code(b[:])
}

// ParseCode reads a code as a person types it: small letters, spaces and dashes are welcome, O is 0, I and L are 1.
func ParseCode(s string) (Code, error) {
	clean := strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(clean) != codeLength {
		return "", fmt.Errorf("a code has %d characters, this one %d: type it as it stands on the machine", codeLength, len(clean))
	}
	var v [codeLength]byte
	for i := range clean {
		n := strings.IndexByte(alphabet, clean[i])
		if n < 0 {
			return "", fmt.Errorf("%q does not occur in codes: type it as it stands on the machine", clean[i])
		}
		v[i] = byte(n)
	}
	if check(v[:codeLength-1]) != v[codeLength-1] {
		return "", fmt.Errorf("one or two characters of the code are mistyped: compare it with the machine's, group by group")
	}
	return Code(clean), nil
}

// String is the code in groups of four.
func (c Code) String() string {
	if len(c) != codeLength {
		return string(c)
	}
	return string(c[:4] + "-" + c[4:8] + "-" + c[8:])
}

// check is the sum of v[i]*x^(i+1) in the field of 32 elements (modulo x^5+x^2+1). It differs after any one character was
// changed and after any two different ones were exchanged.
func check(v []byte) byte {
	var sum byte
	for i := len(v) - 1; i >= 0; i-- {
		sum = double(sum ^ v[i])
	}
	return sum
}

// double multiplies by x.
func double(v byte) byte {
	v <<= 1
	if v&32 != 0 {
		v ^= 0b100101
	}
	return v
}
