package casefile

import (
	"fmt"
	"time"
)

// Calendar knows the working days of a year: the State Council's holiday plan with its make-up working days. known is false for
// a year whose plan is not loaded.
type Calendar interface {
	Workday(day time.Time) (workday, known bool)
}

const (
	dayLayout    = "2006-01-02"
	minuteLayout = "2006-01-02 15:04"
)

// days counts with the calendar, and by Monday to Friday where the calendar does not reach.
type days struct {
	calendar Calendar
	guessed  bool // the calendar did not know a day that was asked for
}

func (d *days) workday(day time.Time) bool {
	if d.calendar != nil {
		if workday, known := d.calendar.Workday(day); known {
			return workday
		}
	}
	d.guessed = true
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// from returns the first working day at or after day.
func (d *days) from(day time.Time) time.Time {
	// A year without any working day is a broken calendar, not a reason to search for ever.
	for range 366 {
		if d.workday(day) {
			return day
		}
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// due returns when a case is due and says so in words. A day (天) is 24 hours by the clock, for alarms; when that ends on a day off,
// the working day is told too. Working days (工作日) begin to count the day after acceptance and end with the day. 当场 ends with
// the day, or at a 24-hour machine on a day off with the next working day. A limit that cannot be computed gives the zero time.
func due(limit Limit, accepted time.Time, calendar Calendar) (time.Time, string, error) {
	d := &days{calendar: calendar}
	at, text := time.Time{}, ""
	switch limit.Unit {
	case OnTheSpot:
		at = endOfDay(d.from(accepted))
		text = "当场办结，最迟 " + at.Format(dayLayout)
	case Hour24:
		if limit.Amount < 1 {
			return time.Time{}, "", fmt.Errorf("a limit of %d times 24 hours is none", limit.Amount)
		}
		at = accepted.Add(time.Duration(limit.Amount) * 24 * time.Hour)
		text = at.Format(minuteLayout) + " 前"
		if !d.workday(at) {
			text += "（遇休息日，工作日顺延至 " + d.from(at).Format(dayLayout) + "）"
		}
	case Workday:
		if limit.Amount < 1 {
			return time.Time{}, "", fmt.Errorf("a limit of %d working days is none", limit.Amount)
		}
		day := accepted
		for range limit.Amount {
			day = d.from(day.AddDate(0, 0, 1))
		}
		at = endOfDay(day)
		text = fmt.Sprintf("%s 前（%d 个工作日）", at.Format(dayLayout), limit.Amount)
	case "", Unstated:
		return time.Time{}, "", nil // the catalogue's text is all there is
	default:
		return time.Time{}, "", fmt.Errorf("unit %q is not one of onTheSpot, hour24, workday", limit.Unit)
	}
	if d.guessed {
		text += "，以平台核定为准"
	}
	return at, text, nil
}

func endOfDay(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 23, 59, 59, 0, t.Location())
}
