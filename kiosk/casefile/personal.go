package casefile

import (
	"fmt"
	"io"
	"log/slog"

	"yuanban/devices/idnumber"
)

// Applicant is who applies. It is personal: printed or logged by any means it shows itself masked.
type Applicant struct {
	Name       string
	Number     string // id number
	IDKind     string // kind of card: "resident", "hmt", …
	CreditCode string // of the company, "" with NoCompany
	NoCompany  bool
	Phone      string
}

// String masks name, number and phone.
func (a Applicant) String() string {
	return fmt.Sprintf("%s %s %s %s", idnumber.MaskName(a.Name), a.IDKind, idnumber.MaskNumber(a.Number), idnumber.MaskPhone(a.Phone))
}

// Format masks for every verb.
func (a Applicant) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue masks.
func (a Applicant) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String names the visit and what is applied for, and nothing of the person.
func (a Application) String() string {
	return fmt.Sprintf("application of visit %s, %d items", a.Visit, len(a.Items))
}

// Format keeps the person out for every verb.
func (a Application) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue keeps the person out.
func (a Application) LogValue() slog.Value { return slog.StringValue(a.String()) }

// String names the letter without its text.
func (l Letter) String() string {
	return fmt.Sprintf("letter %s version %s, %x", l.Template, l.Version, l.TextSHA256)
}

// Format keeps the text out for every verb.
func (l Letter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// LogValue keeps the text out.
func (l Letter) LogValue() slog.Value { return slog.StringValue(l.String()) }

// String names the request without what was said or by whom.
func (r Request) String() string { return fmt.Sprintf("request for %s, item %q", r.Kind, r.Item) }

// Format keeps the person out for every verb.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue keeps the person out.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }
