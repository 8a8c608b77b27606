package maintenance

import (
	"errors"
	"io/fs"
	"time"
)

// A wrong PIN costs three minutes, and five of them are given on credit: for half of the PINs of six digits that is nearly three years
// without a pause, whatever is done to the machine's plug, clock and disk meanwhile.
const (
	tryCosts     = 3 * time.Minute
	triesAllowed = 5
	lockedFor    = triesAllowed * tryCosts
	keepEvery    = time.Minute // while wrong ones count, how long they still do is kept so often: a cut costs no more than that
)

// tries counts wrong PINs. After the fifth nothing can be tried for a quarter of an hour; a quarter of an hour after the last wrong one all
// are forgotten.
//
// No clock on the wall is asked, so none that was set, forward or back, or begins in 1970 ends a lock or makes it longer: what counts is the
// time that the program ran, and what is left of it is kept, never when it ends. Pulling the plug thus gains nothing, and costs a technician
// at most a minute more (keepEvery).
//
// What the disk does not tell is taken for the worst that it could have told, once: a count that cannot be read is five wrong ones. Where
// the count cannot be written, a new start would forget it, so nothing is on credit there: one try, then three minutes, and three minutes
// first after a start. That is the same rate as everywhere, and nobody waits longer than the quarter of an hour, with any disk. Who can put
// another disk in stands in the open cabinet, and needs no PIN.
type tries struct {
	known  bool      // what was kept was looked at, and whether it can be kept; before that nothing can be tried
	wrong  int       // that count
	over   time.Time // when they are forgotten, by the monotonic clock; zero when none count
	unread bool      // they stand for a count that could not be read
	loose  bool      // the disk does not take the count

	number int       // of the records that were made
	kept   time.Time // when the last was
	dirty  bool      // the last is not true any more
}

// begin takes what was kept, or why it cannot be read. Its record has to be settled before anything can be tried.
func (t *tries) begin(data []byte, err error, now time.Time) {
	*t = tries{}
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var r record
	if err == nil {
		r, err = parseRecord(data)
	}
	if err != nil {
		r, t.unread = record{Wrong: triesAllowed, Seconds: int(lockedFor / time.Second)}, true
	}
	if r.Wrong > 0 {
		t.wrong, t.over = r.Wrong, now.Add(time.Duration(r.Seconds)*time.Second)
	}
}

// settle takes what became of a record. The first is that of the start.
func (t *tries) settle(err error, number int, now time.Time) {
	t.left(now)
	was := t.loose
	t.known = true
	if t.loose = err != nil; was || !t.loose {
		return
	}
	if number == 1 && t.wrong == 0 { // there may have been one before the start
		t.wrong, t.over = 1, now.Add(tryCosts)
	}
	if soon := now.Add(time.Duration(t.wrong) * tryCosts); soon.Before(t.over) && !t.unread {
		t.over = soon
	}
}

// left is how many tries are left; 0 while it is locked.
func (t *tries) left(now time.Time) int {
	if t.wrong > 0 && !now.Before(t.over) {
		t.hit()
	}
	switch {
	case !t.known:
		return 0
	case t.loose:
		return max(1-t.wrong, 0)
	}
	return triesAllowed - t.wrong
}

// missed counts a wrong PIN.
func (t *tries) missed(now time.Time) {
	if t.left(now) == 0 {
		return
	}
	t.wrong++
	t.over = now.Add(lockedFor)
	if t.loose {
		t.over = now.Add(tryCosts)
	}
	t.dirty = true
}

// hit forgets the wrong ones.
func (t *tries) hit() { t.wrong, t.over, t.unread, t.dirty = 0, time.Time{}, false, true }

// next is when something is due by itself, zero when nothing is.
func (t *tries) next() time.Time {
	if !t.known || t.wrong == 0 {
		return time.Time{}
	}
	if keep := t.kept.Add(keepEvery); keep.Before(t.over) {
		return keep
	}
	return t.over
}

// due says that a record should be kept now.
func (t *tries) due(now time.Time) bool {
	t.left(now)
	return t.known && (t.dirty || t.wrong > 0 && now.Sub(t.kept) >= keepEvery)
}

// record is what is to be kept of the count, with its number.
func (t *tries) record(now time.Time) (r record, number int) {
	t.left(now)
	t.number++
	t.kept, t.dirty = now, false
	r.Wrong = t.wrong
	if t.wrong > 0 {
		r.Seconds = int((t.over.Sub(now) + time.Second - 1) / time.Second)
	}
	return r, t.number
}
