package view

// Box is the room a display has, in CSS pixels.
type Box struct{ Width, Height int }

// Metrics are how much fits a page, so that flows page long lists and texts themselves and no screen ever scrolls.
//
// The numbers follow the styles in ui/static and leave room for a banner; a browser test shows full pages of every list
// in every mode and fails where something overflows.
type Metrics struct {
	Rows     int // rows of items or lists: a name of one line and a line of facts
	Results  int // the same above the keyboard of the search
	Cases    int // rows of cases: name, number, state
	Receipts int // cases on the receipt's screen
	Tiles    int // package tiles
	Chars    int // full-width characters in a line of body text
	Lines    int // lines of body text
	Row      CandidateRow
	RowChars int // full-width characters in a line of a row's name; RowPages counts longer names as more rows
}

// CandidateRow is the room of the row of candidates above the pinyin keys, in characters of its type; it has the numbers of
// pinyin.Row.
type CandidateRow struct{ Room, Least, Extra float64 }

// Fit returns the metrics of a box in given modes.
//
// 大字 makes text and rows larger. 轮椅 keeps everything that is touched in the lower half of a portrait display and
// what is only read in the upper half.
func Fit(b Box, m Modes) Metrics {
	var fit Metrics
	portrait := b.Height > b.Width
	switch {
	case portrait && m.Wheelchair:
		fit = seated(b, m.Large)
	case portrait:
		fit = standing(b, m.Large)
	default:
		fit = wide(b, m.Large)
	}
	// The two buttons that turn the row's pages and the margins take 340 px, a finger 120 px with its gap on the smallest display.
	letter := 34.0
	if m.Large {
		letter = 46
	}
	fit.Row = CandidateRow{Room: float64(min(b.Width, 1280)-340) / letter, Least: 153 / letter, Extra: 66 / letter}
	return fit
}

// standing is a portrait display; the subtracted heights are head, title, step bar, banner, foot and what else the screen shows.
func standing(b Box, large bool) Metrics {
	if large {
		return Metrics{
			Rows: fit(b.Height-1212, 204), Results: fit(b.Height-1370, 204), Cases: fit(b.Height-1087, 324), Receipts: 1,
			Tiles: fit(b.Height-1148, 310), Chars: (b.Width-236)/42 - 1, Lines: fit(b.Height-1448, 69), RowChars: (b.Width - 470) / 46,
		}
	}
	return Metrics{
		Rows: fit(b.Height-957, 152), Results: fit(b.Height-1162, 152), Cases: fit(b.Height-857, 214), Receipts: fit(b.Height-1440, 240),
		Tiles: 2 * fit(b.Height-905, 320), Chars: (b.Width-236)/30 - 1, Lines: fit(b.Height-1110, 50), RowChars: (b.Width - 460) / 34,
	}
}

// seated is the portrait display in 轮椅 mode.
func seated(b Box, large bool) Metrics {
	half := b.Height / 2
	if large {
		return Metrics{
			Rows: fit(half-620, 190), Results: 1, Cases: 1, Receipts: 1,
			Tiles: 2, Chars: (b.Width-236)/42 - 1, Lines: fit(half-600, 69), RowChars: (b.Width - 470) / 46,
		}
	}
	return Metrics{
		Rows: fit(half-524, 142), Results: fit(half-660, 142), Cases: fit(half-470, 200), Receipts: 1,
		Tiles: 2 * fit(half-424, 320), Chars: (b.Width-236)/30 - 1, Lines: fit(half-540, 50), RowChars: (b.Width - 460) / 34,
	}
}

// wide is a landscape display: lists and texts stand in two columns, tiles in three.
func wide(b Box, large bool) Metrics {
	if large {
		return Metrics{
			Rows: 2 * fit(b.Height-840, 224), Results: fit(b.Height-720, 224), Cases: 2 * fit(b.Height-740, 324), Receipts: 1,
			Tiles: 3 * fit(b.Height-650, 300), Chars: (b.Width-300)/2/42 - 1, Lines: 2*fit(b.Height-813, 69) - 1, RowChars: (b.Width - 760) / 2 / 46,
		}
	}
	return Metrics{
		Rows: 2 * fit(b.Height-731, 152), Results: fit(b.Height-620, 152), Cases: 2 * fit(b.Height-640, 214), Receipts: 1,
		Tiles: 3 * fit(b.Height-607, 220), Chars: (b.Width-300)/2/30 - 1, Lines: 2*fit(b.Height-761, 50) - 2, RowChars: (b.Width - 760) / 2 / 34,
	}
}

// fit is how many times a piece goes into room, at least once.
func fit(room, piece int) int { return max(room/piece, 1) }

// RowPages lays rows with the given names on pages of at most rows rows, and returns where each page ends (exclusive).
//
// A name of more than one line takes the room of another row for every two lines more, so that even a name of 200
// characters, the longest there is, is shown whole. There is always at least one page.
func (m Metrics) RowPages(names []string, rows int) []int {
	var ends []int
	used := 0.0
	for i, name := range names {
		need := 1.0
		if n := len([]rune(name)); n > m.RowChars && m.RowChars > 0 {
			need += 0.4 * float64((n-1)/m.RowChars)
		}
		if used > 0 && used+need > float64(rows)+0.1 {
			ends, used = append(ends, i), 0
		}
		used += need
	}
	return append(ends, len(names))
}
