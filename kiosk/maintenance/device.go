package maintenance

import (
	"slices"
	"strconv"
	"strings"

	"yuanban/devices/buttons"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// device is how a device is, in words: what was seen of it, and for what is not well the next step. A device that answers and asks for
// something, such as paper, is not well. Where a driver failed its English comes after, for the telephone: it has the path and the cause.
func (d *Desk) device(h station.Health) view.Card {
	seen := h.Seen
	if len(seen) == 0 && h.State != station.Online {
		seen = []station.Condition{{Word: station.Unknown}}
	}
	c := view.Card{Name: d.word("tech.device." + h.Device), Detail: d.seen(seen), Well: h.State == station.Online}
	if !c.Well {
		c.Raw = h.Detail
	}
	mark := "maint.state." + string(h.State)
	for _, s := range slices.Backward(seen) { // the first is the one to begin with
		if !s.Word.Fault() {
			continue
		}
		if c.Next = d.next(h, s.Word); h.State == station.Online {
			c.Well, mark = false, "maint.state.attention"
		} else if own := "maint.state." + string(s.Word); d.opt.Words.Has(own) {
			mark = own
		}
	}
	c.Mark = d.word(mark)
	if h.State != station.Online && !h.Since.IsZero() {
		c.Mark = d.word("maint.since", "state", c.Mark, "when", d.when(h.Since))
	}
	return c
}

// next is the step for a fault: that of this kind of device, else that of any, else that of the device's state.
func (d *Desk) next(h station.Health, w station.Word) string {
	for _, key := range []string{"maint.next." + string(w) + "." + h.Device, "maint.next." + string(w), "maint.next." + h.Device + "." + string(h.State)} {
		if d.opt.Words.Has(key) {
			return d.word(key)
		}
	}
	return d.word("maint.next." + h.Device + "." + string(station.Offline))
}

// seen says all that was seen. What is about a part of the device names it.
func (d *Desk) seen(all []station.Condition) string {
	var said []string
	mark := "maint.and"
	for _, c := range all {
		what := d.word("maint.seen."+string(c.Word), "value", c.Value)
		if c.Of != "" {
			what, mark = d.word("maint.of", "part", d.part(c.Of), "what", what), "maint.and.parts"
		}
		said = append(said, what)
	}
	return strings.Join(said, d.word(mark))
}

// part is an input's name in words; a chip has the name that the configuration gives it.
func (d *Desk) part(of string) string {
	for i, in := range buttons.RatingButtons() {
		if in.Name == of {
			n := strconv.Itoa(i + 1)
			return d.word("maint.part.button", "number", n, "name", d.word("level."+n))
		}
	}
	for name, key := range map[string]string{buttons.Help: "help", buttons.Key: "key", buttons.Door: "door", buttons.Presence: "presence"} {
		if name == of {
			return d.word("maint.part." + key)
		}
	}
	return of
}
