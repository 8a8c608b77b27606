package maintenance

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"yuanban/kiosk/journal"
	"yuanban/kiosk/station"
	"yuanban/kiosk/upstream"
	"yuanban/ui/view"
)

// Facts are what the machine says of itself. They name no visitor.
type Facts struct {
	Number        string
	Place         string
	Program       string // version
	Configuration string // version, "" when it is not known
	Devices       []station.Health
	Recording     error     // why no fact can be written; nil when they can
	Backlog       int       // facts that the platform has not acknowledged
	Oldest        time.Time // of them
	Free          uint64    // bytes on the journal's disk, 0 when it is not known
	Room          error     // why there is too little room
	Clock         error     // why the clock cannot be believed
	Platform      bool      // one is configured
	Online        bool      // and acknowledges
	LastOK        time.Time // when it did last
	LastError     string
	Cause         upstream.Cause // of LastError
	SelfTestAt    time.Time      // of the last one, zero when there was none
	SelfTestWell  bool
	SelfTestScore int // 0 to 100
	Display       bool
}

// rawMost is how much of a driver's own English is shown, in characters: one line; all of it is on the technician's page and in the log.
const rawMost = 56

// cards lays the facts out, what is not well first.
func (d *Desk) cards(f *Facts) []view.Card {
	if f == nil {
		return []view.Card{{Name: d.word("maint.card.machine"), Mark: d.word("maint.state.looking"), Well: true}}
	}
	var bad, good []view.Card
	add := func(c view.Card) {
		if !c.Well {
			if d.modes.Large && c.Next != "" {
				c.Detail = "" // in large words the next step is what counts
			}
			if c.Raw = tail(c.Raw); d.modes.Large || d.modes.Wheelchair || d.small() {
				c.Raw = "" // it is for the telephone, and there is no room for it here
			}
			bad = append(bad, c)
			return
		}
		c.Next, c.Raw = "", ""
		good = append(good, c)
	}
	for _, h := range f.Devices {
		add(d.device(h))
	}
	add(d.journal(f))
	add(d.platform(f))
	add(d.disk(f))
	add(d.clock(f))
	if !f.SelfTestAt.IsZero() {
		add(view.Card{Name: d.word("maint.card.selftest"), Mark: d.mark(f.SelfTestWell), Well: f.SelfTestWell,
			Detail: d.word("maint.selftest", "when", d.when(f.SelfTestAt), "score", strconv.Itoa(f.SelfTestScore)), Next: d.word("maint.next.selftest")})
	}
	return append(bad, good...)
}

func (d *Desk) mark(well bool) string {
	if well {
		return d.word("maint.state.well")
	}
	return d.word("maint.state.wrong")
}

// journal is what this machine has recorded and not yet delivered.
func (d *Desk) journal(f *Facts) view.Card {
	c := view.Card{Name: d.word("maint.card.journal"), Mark: d.mark(f.Recording == nil), Well: f.Recording == nil}
	switch {
	case f.Recording != nil:
		kind := "other"
		for _, k := range []struct {
			err  error
			kind string
		}{{journal.ErrDiskFull, "full"}, {journal.ErrReadOnly, "readonly"}, {journal.ErrDamaged, "damaged"}} {
			if errors.Is(f.Recording, k.err) {
				kind = k.kind
			}
		}
		c.Detail, c.Next, c.Raw = d.word("maint.journal."+kind), d.word("maint.next.journal."+kind), f.Recording.Error()
	case f.Backlog == 0:
		c.Detail = d.word("maint.journal.all")
	case f.Oldest.IsZero():
		c.Detail = d.word("maint.journal.waiting", "count", strconv.Itoa(f.Backlog))
	default:
		c.Detail = d.word("maint.journal.since", "count", strconv.Itoa(f.Backlog), "when", d.when(f.Oldest))
	}
	return c
}

func (d *Desk) platform(f *Facts) view.Card {
	c := view.Card{Name: d.word("tech.platform"), Well: f.Online || !f.Platform}
	switch {
	case !f.Platform:
		c.Mark, c.Detail = d.word("maint.state.noDevice"), d.word("maint.platform.none")
	case f.Online:
		c.Mark = d.word("maint.state.online")
		if !f.LastOK.IsZero() {
			c.Detail = d.word("maint.platform.last", "when", d.when(f.LastOK))
		}
	case f.Cause == "": // nothing has been sent yet
		c.Mark, c.Detail, c.Next = d.word("maint.state.offline"), d.word("maint.platform.waiting"), d.word("maint.next.platform.waiting")
	default:
		c.Mark, c.Raw = d.word("maint.state.offline"), f.LastError
		c.Detail, c.Next = d.word("maint.platform."+string(f.Cause)), d.word("maint.next.platform."+string(f.Cause))
	}
	return c
}

func (d *Desk) disk(f *Facts) view.Card {
	c := view.Card{Name: d.word("maint.card.disk"), Mark: d.mark(f.Room == nil), Well: f.Room == nil, Next: d.word("maint.next.disk")}
	switch {
	case f.Free > 0:
		c.Detail = d.word("maint.disk.free", "size", size(f.Free))
	case !c.Well:
		c.Detail = d.word("maint.disk.unknown")
	}
	return c
}

func (d *Desk) clock(f *Facts) view.Card {
	c := view.Card{Name: d.word("tech.clock"), Mark: d.mark(f.Clock == nil), Well: f.Clock == nil, Detail: time.Now().In(d.opt.Location).Format("2006-01-02 15:04"), Next: d.word("maint.next.clock")}
	if f.Clock == nil {
		return c
	}
	kind := "other"
	for _, k := range []struct {
		err  error
		kind string
	}{{journal.ErrClockUnset, "unset"}, {journal.ErrClockBehind, "behind"}, {journal.ErrClockAhead, "ahead"}} {
		if errors.Is(f.Clock, k.err) {
			kind = k.kind
		}
	}
	c.Detail, c.Raw = d.word("maint.clock."+kind, "when", c.Detail), f.Clock.Error()
	return c
}

// when is a time for a person who stands here: the hour today, else the day.
func (d *Desk) when(t time.Time) string {
	t, now := t.In(d.opt.Location), time.Now().In(d.opt.Location)
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("01-02 15:04")
}

// size is a number of bytes in the larger unit that keeps it at least 1.
func size(n uint64) string {
	const mb, gb = 1_000_000, 1_000_000_000
	if n >= gb {
		return strconv.FormatFloat(float64(n)/gb, 'f', 1, 64) + " GB"
	}
	return strconv.FormatUint(n/mb, 10) + " MB"
}

// tail is the end of an error that may be long, from the beginning of a word: what was seen stands there, behind what was being done.
func tail(s string) string {
	r := []rune(s)
	if len(r) <= rawMost {
		return s
	}
	end := string(r[len(r)-rawMost+1:])
	if _, words, ok := strings.Cut(end, " "); ok {
		end = words
	}
	return "…" + end
}
