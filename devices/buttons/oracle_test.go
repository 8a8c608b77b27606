package buttons

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// This file judges what a pad told by the promise of the package comment. It knows the history of the lines and nothing of how
// the pad works.

// history answers what lines did.
type history struct {
	begin uint64
	moves []move
	end   time.Duration
}

// stretch is a time during which a line did not change.
type stretch struct {
	from, to time.Duration
	on       bool
}

// of cuts the history of a line into stretches.
func (h history) of(line int) (all []stretch) {
	now := stretch{on: h.begin>>line&1 == 1}
	for _, m := range h.moves {
		if m.line != line || m.on == now.on {
			continue
		}
		now.to = m.at
		all = append(all, now)
		now = stretch{from: m.at, on: m.on}
	}
	now.to = h.end
	return append(all, now)
}

// stood returns when line last began to stand at a level for at least so long, before the time now: the stretch is cut there.
func (h history) stood(line int, on bool, least, now time.Duration) (stretch, bool) {
	all := h.of(line)
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		s.to = min(s.to, now)
		if s.on == on && s.to-s.from >= least {
			return s, true
		}
	}
	return stretch{}, false
}

// judge checks all that a pad told. exact says that every move could be seen when it happened, since the program was never
// without the processor; if not, only what concerns the pressed line itself is checked.
func judge(h history, inputs []Input, events []event, exact bool) error {
	aside := map[string]bool{}
	readings := map[string]bool{}
	since := time.Duration(0) // the last press of a rating button, or the beginning
	for _, e := range events {
		switch {
		case e.health != nil:
			clear(aside)
			for _, in := range append(e.health.Noisy, e.health.Stuck...) {
				aside[in.Name] = true
			}
		case e.reading != nil:
			i := indexOf(inputs, e.reading.Input)
			in := inputs[i]
			if was, told := readings[in.Name]; told && was == e.reading.On {
				return fmt.Errorf("%v: told twice", e)
			}
			readings[in.Name] = e.reading.On
			if in.Role != Sensor || aside[in.Name] {
				return fmt.Errorf("%v: of a %s, set aside: %v", e, in.Role, aside[in.Name])
			}
			hold := map[bool]time.Duration{true: in.HoldOn, false: in.HoldOff}[e.reading.On]
			if s, ok := h.stood(i, e.reading.On, hold, e.at); !ok || e.at-s.to > lately(exact) {
				return fmt.Errorf("%v: its level did not stand for %v", e, hold)
			}
		case e.press != nil:
			i := indexOf(inputs, e.press.Input)
			in := inputs[i]
			if in.Role == Sensor || aside[in.Name] {
				return fmt.Errorf("%v: of a %s, set aside: %v", e, in.Role, aside[in.Name])
			}
			s, ok := h.stood(i, true, in.debounce(), e.at)
			if !ok || e.at-s.to > lately(exact) {
				return fmt.Errorf("%v: it was not pressed, without a change, for %v", e, in.debounce())
			}
			off, ok := h.stood(i, false, in.debounce(), s.from)
			if !ok {
				return fmt.Errorf("%v: it had not been released for %v before", e, in.debounce())
			}
			if in.Role != Rating {
				continue
			}
			if exact {
				if err := alone(h, inputs, aside, i, s, since); err != nil {
					return fmt.Errorf("%v: %w", e, err)
				}
			} else if off.to < since {
				return fmt.Errorf("%v: not released since the press at %v", e, since)
			}
			since = e.at
		}
	}
	return nil
}

// lately is how long after a stretch has ended something may still be told of it.
func lately(exact bool) time.Duration {
	if exact {
		return 0
	}
	return time.Hour // whenever the program comes round to it
}

func indexOf(inputs []Input, name string) int {
	for i, in := range inputs {
		if in.Name == name {
			return i
		}
	}
	return -1
}

// alone checks that no other usable rating button was on while pressed made its debounce time, and that there was a moment
// before it, but after the last press told, up to which every usable rating button had been off for its debounce time.
func alone(h history, inputs []Input, aside map[string]bool, pressed int, s stretch, since time.Duration) error {
	window := s.from + inputs[pressed].debounce()
	from, to := since, s.from // the moments in question
	for j, in := range inputs {
		if in.Role != Rating || aside[in.Name] {
			continue
		}
		for _, o := range h.of(j) {
			if j != pressed && o.on && o.from < window && o.to > s.from {
				return fmt.Errorf("%s was on from %v to %v", in.Name, o.from, o.to)
			}
		}
	}
	// If there is such a moment, one is where a debounce time ends, or the first of all.
	for j, in := range inputs {
		if in.Role != Rating || aside[in.Name] {
			continue
		}
		for _, o := range h.of(j) {
			at := max(o.from+in.debounce(), from)
			if !o.on && at <= o.to && at <= to && everyOff(h, inputs, aside, at) {
				return nil
			}
		}
	}
	return fmt.Errorf("at no moment from %v to %v was every button released", from, to)
}

// everyOff says that each usable rating button is off, and has been for its debounce time.
func everyOff(h history, inputs []Input, aside map[string]bool, at time.Duration) bool {
	for j, in := range inputs {
		if in.Role != Rating || aside[in.Name] {
			continue
		}
		ok := false
		for _, o := range h.of(j) {
			if !o.on && at <= o.to && at-o.from >= in.debounce() {
				ok = true
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

// gaps between two moves, by what makes them: a bounce, a chattering wire, a finger, a visitor.
func drawGap(t *rapid.T) time.Duration {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2:
		return time.Duration(rapid.IntRange(50, 3000).Draw(t, "bounce")) * time.Microsecond
	case 3, 4:
		return time.Duration(rapid.IntRange(3, 30).Draw(t, "chatter")) * time.Millisecond
	case 5, 6, 7:
		return time.Duration(rapid.IntRange(15, 400).Draw(t, "finger")) * time.Millisecond
	}
	return time.Duration(rapid.IntRange(300, 3000).Draw(t, "visitor")) * time.Millisecond
}

func drawMoves(t *rapid.T, lines int) (all []move) {
	at := time.Duration(0)
	levels := uint64(0)
	for range rapid.IntRange(1, 150).Draw(t, "moves") {
		at += drawGap(t)
		line := rapid.IntRange(0, lines-1).Draw(t, "line")
		if levels != 0 && rapid.Bool().Draw(t, "same") { // lines that go on come off again, or all would soon be stuck
			for levels>>line&1 == 0 {
				line = (line + 1) % lines
			}
		}
		levels ^= 1 << line
		all = append(all, move{at, line, levels>>line&1 == 1})
	}
	return all
}

// TestPromises plays any history to a pad and judges what it told.
func TestPromises(t *testing.T) {
	inputs := everything()
	for _, c := range []struct {
		name  string
		exact bool
		shape func(t *rapid.T, l *tape)
	}{
		{"every edge is told", true, func(*rapid.T, *tape) {}},
		{"every edge is told twice", true, func(_ *rapid.T, l *tape) { l.twice = true }},
		{"without the processor now and then", false, func(t *rapid.T, l *tape) {
			at := time.Duration(0)
			for range rapid.IntRange(1, 60).Draw(t, "naps") {
				at += drawGap(t)
				end := at + drawGap(t)/4
				l.naps = append(l.naps, nap{at, end})
				at = end
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				l := newTape(drawMoves(rt, len(inputs)))
				l.begin = rapid.SampledFrom([]uint64{0, 0, 0, 1 << 2, 1<<7 | 1<<8}).Draw(rt, "begin")
				l.queue = 16 * len(inputs)
				c.shape(rt, l)
				end := l.moves[len(l.moves)-1].at + 3*time.Second
				var err error
				var got []event
				synctest.Test(t, func(t *testing.T) {
					if got, err = listen(l, inputs, end); err == nil {
						err = judge(history{l.begin, l.moves, end}, inputs, got, c.exact)
					}
				})
				if err != nil {
					rt.Fatalf("%v\nmoves %v\ntold %v", err, l.moves, got)
				}
			})
		})
	}
}

// shown judges presses by what was visible of the lines: a press of a line needs looks that span its debounce time, all of
// which show it on, without an edge of it in between. It holds even where edges are lost.
func shown(l *tape, inputs []Input, events []event) error {
	for _, e := range events {
		if e.press == nil {
			continue
		}
		i := indexOf(inputs, e.press.Input)
		last, first := time.Duration(-1), time.Duration(-1)
		for j := len(l.seen) - 1; j >= 0; j-- {
			v := l.seen[j]
			switch {
			case v.at > e.at:
				continue
			case v.edge < 0 && v.levels>>i&1 == 1:
				if first = v.at; last < 0 {
					last = v.at
				}
				continue
			case v.edge >= 0 && v.edge != i:
				continue
			}
			break
		}
		if first < 0 || last-first < inputs[i].debounce() {
			return fmt.Errorf("%v: it was seen on only from %v to %v", e, first, last)
		}
	}
	return nil
}

// TestLostEdges: where edges are lost, or none is ever told, what was seen decides.
func TestLostEdges(t *testing.T) {
	inputs := everything()
	rapid.Check(t, func(rt *rapid.T) {
		l := newTape(drawMoves(rt, len(inputs)))
		l.queue, l.late = rapid.IntRange(0, 5).Draw(rt, "queue"), rapid.Bool().Draw(rt, "late")
		l.twice = rapid.Bool().Draw(rt, "twice")
		end := l.moves[len(l.moves)-1].at + 3*time.Second
		var err error
		synctest.Test(t, func(t *testing.T) {
			var got []event
			if got, err = listen(l, inputs, end); err == nil {
				err = shown(l, inputs, got)
			}
		})
		if err != nil {
			rt.Fatalf("%v\nmoves %v", err, l.moves)
		}
	})
}

// FuzzPromises looks for a history that makes a pad break its promise: each two bytes are a line with a kind of gap, and the
// gap.
func FuzzPromises(f *testing.F) {
	f.Add([]byte{4, 100, 4, 150, 0x14, 20, 0x14, 10, 4, 150})
	f.Add([]byte{8, 255, 8, 255, 7, 200, 7, 3, 0x20, 9, 0x20, 9})
	inputs := everything()
	units := []time.Duration{time.Millisecond, 20 * time.Microsecond, 200 * time.Microsecond, 12 * time.Millisecond}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newTape(nil)
		l.queue = 16 * len(inputs)
		at, levels := time.Duration(0), uint64(0)
		for ; len(data) >= 2 && len(l.moves) < 300; data = data[2:] {
			line := int(data[0]&15) % len(inputs)
			at += time.Duration(1+int(data[1])) * units[data[0]>>4&3]
			levels ^= 1 << line
			l.moves = append(l.moves, move{at, line, levels>>line&1 == 1})
		}
		synctest.Test(t, func(t *testing.T) {
			end := at + 3*time.Second
			got, err := listen(l, inputs, end)
			if err == nil {
				err = judge(history{0, l.moves, end}, inputs, got, false)
			}
			if err != nil {
				t.Fatalf("%v\nmoves %v\ntold %v", err, l.moves, got)
			}
		})
	})
}
