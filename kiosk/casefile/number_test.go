package casefile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCheckCharacter(t *testing.T) {
	// ISO/IEC 7064 MOD 37,36: the example of the Global Release Identifier standard, A1-2425G-ABC1234002-M.
	if c, err := checkCharacter("A12425GABC1234002"); err != nil || c != 'M' {
		t.Errorf("check character %c, %v", c, err)
	}
	// ISO/IEC 7064 MOD 11,10: the example of the standard, 0794 has check digit 5.
	if d := checkDigit("0794"); d != '5' {
		t.Errorf("check digit %c", d)
	}
}

func TestNumberFindsTypingErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		machine := rapid.StringMatching(`[0-9A-Z]{6}`).Draw(t, "machine")
		day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 36500).Draw(t, "day"))
		number, err := makeNumber('L', machine, day, rapid.Int64Range(1, 9999).Draw(t, "seq"))
		if err != nil || len(number) != numberLength || CheckNumber(number) != nil {
			t.Fatalf("number %q, %v", number, err)
		}
		if err := CheckNumber(strings.ToLower(Grouped(number))); err != nil {
			t.Fatalf("grouped: %v", err)
		}
		place := rapid.IntRange(0, numberLength-1).Draw(t, "place")
		wrong := []byte(number)
		wrong[place] = alphabet[rapid.IntRange(0, 35).Draw(t, "typed")]
		if err := CheckNumber(string(wrong)); (err == nil) != (string(wrong) == number) {
			t.Fatalf("%s mistyped as %s: %v", number, wrong, err)
		}
	})
	for _, bad := range []string{"", "L", "LA1B2C32607150001", "LA1B2C3260715000é", "LA1B2C32607150001YY"} {
		if err := CheckNumber(bad); !errors.Is(err, ErrNumber) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, seq := range []int64{0, 10000} {
		if _, err := makeNumber('L', "A1B2C3", time.Now(), seq); err == nil {
			t.Errorf("sequence %d was numbered", seq)
		}
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{
		"LA1B2C32607150001F": "LA1B 2C32 6071 5000 1F",
		"YB20260715000001":   "YB20 2607 1500 0001",
		"汕尾123":              "汕尾12 3",
		"":                   "",
	} {
		if got := Grouped(in); got != want {
			t.Errorf("%s is grouped as %q, want %q", in, got, want)
		}
	}
}

func TestQueryCode(t *testing.T) {
	for range 100 {
		code, err := newQueryCode()
		if err != nil || !CheckQueryCode(code) {
			t.Fatalf("code %s, %v", code, err)
		}
		wrong := fmt.Sprintf("%d%s", (code[0]-'0'+1)%10, code[1:])
		if CheckQueryCode(wrong) {
			t.Errorf("%s mistyped as %s passes", code, wrong)
		}
	}
	for _, bad := range []string{"", "123456", "12345６7", "abcdefg"} {
		if CheckQueryCode(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

// plan is a calendar with the days that differ from Monday to Friday, known for 2026 only.
type plan map[string]bool

func (p plan) Workday(day time.Time) (bool, bool) {
	if day.Year() != 2026 {
		return false, false
	}
	if differs, ok := p[day.Format(dayLayout)]; ok {
		return differs, true
	}
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday, true
}

func TestDue(t *testing.T) {
	// The week of the National Day of 2026 as an example: 1 to 7 October off, Saturday 10 October worked.
	holiday := plan{"2026-10-10": true}
	for d := 1; d <= 7; d++ {
		holiday[fmt.Sprintf("2026-10-%02d", d)] = false
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, china)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct {
		name, accepted string
		limit          Limit
		calendar       Calendar
		due, text      string
	}{
		{"on the spot", "2026-09-29 10:00:00", Limit{0, OnTheSpot}, holiday, "2026-09-29 23:59:59", "当场办结，最迟 2026-09-29"},
		{"on the spot in a holiday night", "2026-10-02 03:00:00", Limit{0, OnTheSpot}, holiday, "2026-10-08 23:59:59", "当场办结，最迟 2026-10-08"},
		{"one day", "2026-09-29 10:00:00", Limit{1, Hour24}, holiday, "2026-09-30 10:00:00", "2026-09-30 10:00 前"},
		{"one day into a holiday", "2026-09-30 10:00:00", Limit{1, Hour24}, holiday, "2026-10-01 10:00:00", "2026-10-01 10:00 前（遇休息日，工作日顺延至 2026-10-08）"},
		{"three days", "2026-09-28 23:59:59", Limit{3, Hour24}, plan{}, "2026-10-01 23:59:59", "2026-10-01 23:59 前"},
		{"working days", "2026-09-29 10:00:00", Limit{3, Workday}, holiday, "2026-10-09 23:59:59", "2026-10-09 前（3 个工作日）"},
		{"a Saturday that is worked", "2026-09-29 10:00:00", Limit{4, Workday}, holiday, "2026-10-10 23:59:59", "2026-10-10 前（4 个工作日）"},
		{"accepted on a day off", "2026-10-03 10:00:00", Limit{1, Workday}, holiday, "2026-10-08 23:59:59", "2026-10-08 前（1 个工作日）"},
		{"into a year without a plan", "2026-12-31 10:00:00", Limit{1, Workday}, holiday, "2027-01-01 23:59:59", "2027-01-01 前（1 个工作日），以平台核定为准"},
		{"without a calendar", "2026-07-17 10:00:00", Limit{1, Workday}, nil, "2026-07-20 23:59:59", "2026-07-20 前（1 个工作日），以平台核定为准"},
	} {
		due, text, err := due(tc.limit, at(tc.accepted), tc.calendar)
		if err != nil || !due.Equal(at(tc.due)) || text != tc.text {
			t.Errorf("%s: %v, %q, %v; want %s, %q", tc.name, due, text, err, tc.due, tc.text)
		}
	}
	if due, _, err := due(Limit{0, Unstated}, at("2026-07-17 10:00:00"), nil); err != nil || !due.IsZero() {
		t.Errorf("a limit that cannot be computed is due %v, %v", due, err)
	}
}
