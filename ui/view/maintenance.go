package view

import "time"

// Maintenance is what a technician sees first: the machine and its parts, a card each, a page of them.
// Actions: page, {"do":"tasks"}, {"do":"end"}.
type Maintenance struct {
	Machine []Named // number, place, program, configuration
	Cards   []Card
	Pager   Pager
}

// Named is a value with its name.
type Named struct{ Name, Value string }

// Card is one part of the machine.
type Card struct {
	Name   string
	Mark   string // the state in a word
	Well   bool
	Detail string // what was seen
	Next   string // what to do, "" when nothing is to be done
	Raw    string // the same in the driver's English, for the telephone; "" on displays without room for it
}

// Tasks are what a technician can do. Each button sends an action of its own.
type Tasks struct {
	Tasks []Button
	Word  string // what came of the last one
}

// Trial is one test or task under way.
type Trial struct {
	Word    string // what to do, or what is awaited
	Busy    bool   // the machine is at work
	Good    string // it went well
	Print   *Print
	Keys    []TrialKey
	Step    string // of an update
	Percent int    // of this step, 0..100
	Failure *Failure
	Raw     string // of the failure, in English, for the telephone; "" on displays without room for it
}

// TrialKey is a rating button under test.
type TrialKey struct {
	Level
	Pressed bool // at least once
	Now     bool // it is the last that was pressed
	Lit     bool // its lamp should be on now
}

// PIN is the pad for a technician's PIN. Actions: key, {"do":"enter"}, {"do":"cancel"}.
type PIN struct {
	Typed   int // digits so far
	Most    int
	Keys    Keys // none while it is locked or checked
	Checked bool // the PIN is being checked
	Failure *Failure
	Until   time.Time     // locked until then; zero when it is not
	Total   time.Duration // of the lock
}

// CardPages lays cards on pages, and returns where each page ends (exclusive). There is always at least one page.
func CardPages(b Box, m Modes, cards []Card) []int {
	g := cardGrid(b, m)
	var ends []int
	used := 0.0
	for i := 0; i < len(cards); i += g.columns {
		tall := 0.0
		for _, c := range cards[i:min(i+g.columns, len(cards))] {
			tall = max(tall, g.height(c))
		}
		if used > 0 && used+tall > g.room {
			ends, used = append(ends, i), 0
		}
		used += tall + g.gap
	}
	return append(ends, len(cards))
}

// grid is how cards lie on a display; the numbers follow ui/static/maintenance.css.
type grid struct {
	columns    int
	room, gap  float64 // px
	chars      int     // full-width characters in a line of a card
	head, line float64 // px: the line with name and state, and one of text
}

func cardGrid(b Box, m Modes) grid {
	g := grid{columns: 2, gap: 16, head: 84, line: 42}
	if m.Large {
		g.head, g.line = 100, 60
	}
	text := g.line / 1.5
	portrait := b.Height > b.Width
	switch {
	case portrait && m.Wheelchair:
		g.columns, g.room = 1, float64(b.Height/2-330)
	case portrait:
		g.columns, g.room = 1, float64(b.Height-750)
	case b.Width >= 1600:
		g.room = float64(b.Height - 760)
	default: // a pad
		g.room = float64(b.Height - 510)
	}
	if m.Large {
		g.columns = 1
		g.room -= 90
	}
	g.chars = int((float64(b.Width)-170)/float64(g.columns)/text) - 3
	return g
}

func (g grid) height(c Card) float64 {
	h := g.head
	for _, t := range []string{c.Detail, c.Next, c.Raw} {
		if n := fullWidth(t); n > 0 {
			h += g.line * float64((n+g.chars-1)/g.chars)
		}
	}
	return h
}

// fullWidth is the width of a text in full-width characters, rounded up: a Latin letter takes half of one on the average, digits and capitals a little more.
func fullWidth(s string) int {
	tenths := 0
	for _, r := range s {
		switch {
		case r >= 0x2000:
			tenths += 10
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z':
			tenths += 6
		default:
			tenths += 5
		}
	}
	return (tenths + 9) / 10
}
