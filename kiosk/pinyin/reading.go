package pinyin

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// reading is one character of a text and how it may be read.
type reading struct {
	char rune     // small letters, digits of normal width
	ids  []uint16 // syllables, the likeliest first; none for what is no Chinese character
	word bool     // a word begins here
	han  bool
}

// rareReading is how much less common than the first a reading of a character may be to count: 3 %.
const rareReading = int(3.5 * costUnit)

// spelled reads a text: it divides it into words, whose pinyin settles most characters of several readings (银行 yin hang, 行政
// xing zheng), and gives the others all their common readings.
func (d *Dictionary) spelled(text string) []reading {
	var out []reading
	for _, r := range text {
		out = append(out, reading{char: fold(r), word: true})
	}
	best := make([]int, len(out)+1) // cost of the characters from each on
	long := make([]int, len(out))   // length of the first word of these
	for i := len(out) - 1; i >= 0; i-- {
		best[i], long[i] = math.MaxInt, 1
		var word strings.Builder
		for n := 1; n <= longestWord && i+n <= len(out); n++ {
			word.WriteRune(out[i+n-1].char)
			for e := range d.entriesOf(word.String()) {
				if cost := int(d.costs[e]) + best[i+n]; cost < best[i] {
					best[i], long[i] = cost, n
				}
			}
		}
		if best[i] == math.MaxInt {
			best[i] = best[i+1]
		}
	}
	for i := 0; i < len(out); i += long[i] {
		d.spell(out[i : i+long[i]])
	}
	return out
}

// spell gives the characters of one word their readings.
func (d *Dictionary) spell(word []reading) {
	var text strings.Builder
	for _, r := range word {
		text.WriteRune(r.char)
	}
	var entries []int
	for e := range d.entriesOf(text.String()) {
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b int) int { return int(d.costs[a]) - int(d.costs[b]) })
	for _, e := range entries {
		if d.costs[e] > d.costs[entries[0]]+uint16(rareReading) {
			break
		}
		key := d.keyOf(e)
		for i := range word {
			if id := idAt(key, i); !slices.Contains(word[i].ids, id) {
				word[i].ids = append(word[i].ids, id)
			}
			word[i].word, word[i].han = i == 0, true
		}
	}
}

// fold makes capital letters small and characters of double width normal, so that they are found as they are typed.
func fold(r rune) rune {
	if r >= '！' && r <= '～' {
		r -= '！' - '!'
	}
	return unicode.ToLower(r)
}

// maxInitials bounds the alternatives of Initials; it doubles with each character of two readings.
const maxInitials = 16

// Initials returns the initial letters of a text, such as spjyxkz for 食品经营许可证: the likeliest first, then those of other
// readings, at most 16 in all. Letters and digits stay, letters as small ones; everything else is left out.
func (d *Dictionary) Initials(text string) []string {
	out := []string{""}
	for _, r := range d.spelled(text) {
		var letters []string
		for _, id := range r.ids {
			if l := d.syllable(id)[:1]; !slices.Contains(letters, l) {
				letters = append(letters, l)
			}
		}
		if r.ids == nil && plain(r.char) {
			letters = []string{string(r.char)}
		}
		if letters == nil {
			continue
		}
		if len(out)*len(letters) > maxInitials {
			letters = letters[:1]
		}
		var longer []string
		for _, l := range letters {
			for _, s := range out {
				longer = append(longer, s+l)
			}
		}
		out = longer
	}
	if out[0] == "" {
		return nil
	}
	return out
}

// plain reports whether r is a letter or digit that a keyboard has.
func plain(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
