package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// How far a clock may be from what the machine knows.
const (
	// maxAhead is how long a machine may have been switched off. A clock further ahead of the last trusted time was set wrongly (2036
	// for 2026); believing it once would make every right time after it look wrong.
	maxAhead = 400 * 24 * time.Hour
	// backTolerance is how far a clock may step back before people are told: time servers correct by seconds, batteries fail by years.
	backTolerance = 5 * time.Minute
	// sameTime is how near the platform's clock must be to confirm ours; its answer was some seconds on the way.
	sameTime = 2 * time.Minute
)

// What can be wrong with the clock, in words a technician can act on. Test with errors.Is.
var (
	ErrClockUnset  = errors.New("the clock shows a time before this program existed: set it, or connect the machine to a time server; it goes on by itself then")
	ErrClockBehind = errors.New("the clock shows an earlier time than before: its battery may be empty; set it, or connect the machine to a time server; it goes on by itself then")
	ErrClockAhead  = errors.New("the clock shows a time more than 400 days after the last known one: set it; if it is right, the platform confirms it when it is reached")
)

// floor returns the latest time that a trusted clock has shown, in milliseconds; 0 for a new machine.
func floor(q Queryer) (int64, error) {
	var pulse, corrected int64
	if err := q.QueryRow(`SELECT floor, corrected FROM pulse`).Scan(&pulse, &corrected); err != nil {
		return 0, explain(err)
	}
	var sequence, fact int64
	err := q.QueryRow(`SELECT sequence, floor FROM fact ORDER BY sequence DESC LIMIT 1`).Scan(&sequence, &fact)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, explain(err)
	}
	if sequence > corrected {
		return max(pulse, fact), nil
	}
	return pulse, nil
}

// trusted says whether a clock that shows now can be believed by a machine that knows floor. Both are milliseconds.
func trusted(now, floor int64) bool {
	return time.UnixMilli(now).UTC().Year() >= firstYear && now >= floor && !farAhead(now, floor)
}

func farAhead(now, floor int64) bool { return floor > 0 && now-floor > maxAhead.Milliseconds() }

// Clock says whether the wall clock can be believed: nil, ErrClockUnset, ErrClockBehind or ErrClockAhead. A step back of a few minutes
// is no error here; the facts of these minutes are marked all the same.
func (j *Journal) Clock(ctx context.Context) error {
	var known int64
	if err := j.Read(ctx, func(q Queryer) (err error) { known, err = floor(q); return err }); err != nil {
		return fmt.Errorf("cannot judge the clock: %w", err)
	}
	now := j.opts.Now()
	switch ms := now.UnixMilli(); {
	case now.UTC().Year() < firstYear:
		return ErrClockUnset
	case ms < known-backTolerance.Milliseconds():
		return fmt.Errorf("%w (it shows %s, the last known time is %s)", ErrClockBehind, stamp(ms), stamp(known))
	case farAhead(ms, known):
		return fmt.Errorf("%w (it shows %s, the last known time is %s)", ErrClockAhead, stamp(ms), stamp(known))
	}
	return nil
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04 UTC") }

// ConfirmClock compares the clock with at, the platform's. Where both agree within two minutes and the machine did not believe its
// clock, it does from now on: what it knew before was wrong. Where they do not, nothing changes. Call it once an answer of the platform
// has just come; at must be from a source nobody between can forge.
func (j *Journal) ConfirmClock(ctx context.Context, at time.Time) error {
	now := j.opts.Now()
	if off := now.Sub(at).Abs(); off > sameTime || now.UTC().Year() < firstYear {
		return nil
	}
	var known int64
	if err := j.Read(ctx, func(q Queryer) (err error) { known, err = floor(q); return err }); err != nil {
		return fmt.Errorf("cannot judge the clock: %w", err)
	}
	if trusted(now.UnixMilli(), known) {
		return nil // the usual case costs no write
	}
	err := j.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE pulse SET floor = ?, corrected = coalesce((SELECT max(sequence) FROM fact), 0)`, now.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot keep the confirmed time: %w", err)
	}
	j.opts.Log.Warn("the platform has confirmed the clock", "area", "journal", "now", stamp(now.UnixMilli()), "before", stamp(known))
	return nil
}
