// Package idnumber checks the numbers that people and companies in China go by, and
// masks them for paper, screens and logs: resident identity numbers (GB 11643-1999),
// residence permits of Hong Kong, Macao and Taiwan residents with the passes they
// name, foreign permanent residents' numbers of 2004 and 2023, unified social credit
// codes (GB 32100-2015) and mobile phone numbers.
//
// A number that fails yields a *Problem with the place and the kind of the mistake,
// enough for a sentence that helps a person to find it. No error text contains the
// number itself.
package idnumber

import (
	"fmt"
	"log/slog"
)

// ProblemKind says what is wrong with a number.
type ProblemKind string

const (
	Length   ProblemKind = "length"        // too short or too long; Got and Want are character counts
	Alphabet ProblemKind = "alphabet"      // a character that cannot stand there; Want is "digit", "letter" or ""
	Letter   ProblemKind = "letter-IOSVZ"  // a letter never used there; Want is the character it is mistaken for
	Region   ProblemKind = "region"        // no such province
	Date     ProblemKind = "date"          // no such day in the calendar
	Future   ProblemKind = "date-future"   // a birth date that has not come yet
	Check    ProblemKind = "check"         // the check character does not fit the rest; Want is the one that would
	Prefix   ProblemKind = "number-prefix" // not the beginning that this kind of number has; Want lists the possible ones
)

// Problem is why a number cannot be right. It is always returned as a pointer.
type Problem struct {
	Kind ProblemKind
	Pos  int    // first character concerned, from 1, counted after Normalise; 0 means the whole number
	Got  string // what stands there: personal data when Kind is Date or Future
	Want string // what should stand there, "" when many things could
}

// Error describes the problem without repeating any part of the number longer than
// a character or a province code.
func (p *Problem) Error() string {
	switch p.Kind {
	case Length:
		return fmt.Sprintf("cannot accept number: %s characters, must be %s", p.Got, p.Want)
	case Alphabet:
		if p.Want != "" {
			return fmt.Sprintf("cannot accept number: character %d is %q, must be a %s", p.Pos, p.Got, p.Want)
		}
		return fmt.Sprintf("cannot accept number: character %d is %q, which no such number contains", p.Pos, p.Got)
	case Letter:
		return fmt.Sprintf("cannot accept number: character %d is the letter %s, which is never used; probably %s", p.Pos, p.Got, p.Want)
	case Region:
		return fmt.Sprintf("cannot accept number: characters %d and %d are %s, which is no province", p.Pos, p.Pos+1, p.Got)
	case Date:
		return fmt.Sprintf("cannot accept number: the birth date from character %d on is no day of the calendar", p.Pos)
	case Future:
		return fmt.Sprintf("cannot accept number: the birth date from character %d on is in the future", p.Pos)
	case Check:
		return fmt.Sprintf("cannot accept number: check character %d is %s, the rest asks for %s", p.Pos, p.Got, p.Want)
	case Prefix:
		return fmt.Sprintf("cannot accept number: it must begin with %s", p.Want)
	}
	return "cannot accept number: " + string(p.Kind)
}

// LogValue leaves Got and Want out where they are personal data.
func (p *Problem) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(p.Kind)), slog.Int("position", p.Pos))
}
