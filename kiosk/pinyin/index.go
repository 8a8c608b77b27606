package pinyin

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// Index finds texts as they are looked for: by Chinese, by pinyin, by initials, or by a mixture such as 食品xkz. It never
// changes and may be used by many goroutines at once.
type Index struct {
	d     *Dictionary
	texts [][]indexed
}

// indexed is one character of a text.
type indexed struct {
	char   rune
	ids    []uint16
	firsts uint32 // bit set of the first letters of its readings
	word   bool   // a word begins here
}

// NewIndex reads the texts. Searching gives their positions in the slice.
func NewIndex(d *Dictionary, texts []string) *Index {
	ix := &Index{d: d, texts: make([][]indexed, len(texts))}
	for i, t := range texts {
		ix.texts[i] = d.index(t)
	}
	return ix
}

// index reads a text without what nobody types: spaces and marks.
func (d *Dictionary) index(text string) []indexed {
	var out []indexed
	for _, r := range d.spelled(text) {
		if ignored(r.char) {
			continue
		}
		c := indexed{char: r.char, ids: r.ids, word: r.word}
		for _, id := range r.ids {
			c.firsts |= 1 << (d.syllable(id)[0] - 'a')
		}
		out = append(out, c)
	}
	return slices.Clip(out)
}

func ignored(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// query is what is looked for, and whether there are letters in it that may be pinyin.
type query struct {
	chars   []rune
	letters bool
}

// maxQuery bounds a query: the places in it are the bits of a word.
const maxQuery = 63

func newQuery(s string) query {
	var q query
	for _, r := range s {
		if r = fold(r); r == 'ü' {
			r = 'v'
		}
		if ignored(r) || len(q.chars) == maxQuery {
			continue
		}
		q.chars = append(q.chars, r)
	}
	letters := make([]byte, len(q.chars))
	for i, r := range q.chars {
		if r >= 'a' && r <= 'z' {
			letters[i], q.letters = byte(r), true
		}
	}
	spellU(letters)
	for i, c := range letters {
		if c != 0 {
			q.chars[i] = rune(c)
		}
	}
	return q
}

// How well a text fits, best first. A text that fits with gaps (食品许可 for 食品经营许可证) counts only if none fits without.
const (
	fitsAtStart = iota
	fitsWithin
	soundsAtStart
	soundsAtWord
	soundsWithin
	fitsWithGaps
	misfits
)

type hit struct{ fit, at, length, text int }

// Search returns the positions of the texts that fit, the best first: Chinese before pinyin, the beginning of a text before
// the beginning of a word before the middle, earlier before later, shorter before longer. An empty query fits nothing.
func (ix *Index) Search(s string) []int {
	q := newQuery(s)
	if len(q.chars) == 0 {
		return nil
	}
	var hits []hit
	for i, t := range ix.texts {
		if fit, at := ix.d.fit(t, q); fit != misfits {
			hits = append(hits, hit{fit, at, len(t), i})
		}
	}
	if hits == nil && len(q.chars) > 1 {
		for i, t := range ix.texts {
			if ix.d.fitsWithGaps(t, q) {
				hits = append(hits, hit{fitsWithGaps, 0, len(t), i})
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.fit, b.fit), cmp.Compare(a.at, b.at), cmp.Compare(a.length, b.length), cmp.Compare(a.text, b.text))
	})
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.text
	}
	return out
}

// Match reports whether a search for query would find text. An empty query matches nothing.
func (d *Dictionary) Match(text, query string) bool {
	return len(NewIndex(d, []string{text}).Search(query)) > 0
}

// fit returns how well a text fits, and where.
func (d *Dictionary) fit(text []indexed, q query) (fit, at int) {
	if at := within(text, q.chars); at == 0 {
		return fitsAtStart, 0
	} else if at > 0 {
		return fitsWithin, at
	}
	if !q.letters {
		return misfits, 0
	}
	end := uint64(1) << len(q.chars)
	best, where := misfits, 0
	for at := range text {
		if !text[at].may(q.chars[0]) {
			continue
		}
		state := uint64(1)
		for i := at; i < len(text) && state != 0 && state&end == 0; i++ {
			state = d.step(text[i], q, state)
		}
		if state&end == 0 {
			continue
		}
		switch {
		case at == 0:
			return soundsAtStart, 0
		case text[at].word:
			return soundsAtWord, at
		case best == misfits:
			best, where = soundsWithin, at
		}
	}
	return best, where
}

// within returns where the characters stand in the text, or -1.
func within(text []indexed, chars []rune) int {
	for at := 0; at+len(chars) <= len(text); at++ {
		i := 0
		for i < len(chars) && text[at+i].char == chars[i] {
			i++
		}
		if i == len(chars) {
			return at
		}
	}
	return -1
}

// fitsWithGaps reports whether the text has the query in it, with words left out in between.
func (d *Dictionary) fitsWithGaps(text []indexed, q query) bool {
	end := uint64(1) << len(q.chars)
	last, any := uint64(0), uint64(1) // places of the query that the last character, or any before, has led to
	for _, c := range text {
		from := last
		if c.word {
			from = any
		}
		last = d.step(c, q, from)
		if any |= last; any&end != 0 {
			return true
		}
	}
	return false
}

// may reports whether the character can be what r stands for.
func (c indexed) may(r rune) bool {
	return c.char == r || r >= 'a' && r <= 'z' && c.firsts>>(r-'a')&1 == 1
}

// step returns the places of the query to which one more character of the text leads from any of the given places: the
// character itself, its initial (zh, ch, sh also as one letter), its full pinyin, or at the end of the query a part of that.
func (d *Dictionary) step(c indexed, q query, state uint64) uint64 {
	next := uint64(0)
	for ; state != 0; state &= state - 1 {
		at := bits.TrailingZeros64(state)
		if at >= len(q.chars) {
			continue
		}
		if q.chars[at] == c.char {
			next |= 1 << (at + 1)
		}
		if !c.may(q.chars[at]) {
			continue
		}
		for _, id := range c.ids {
			s := d.syllable(id)
			n := 0
			for n < len(s) && at+n < len(q.chars) && q.chars[at+n] == rune(s[n]) {
				n++
			}
			if n >= 1 {
				next |= 1 << (at + 1)
			}
			if n >= 2 && strings.HasPrefix(s[1:], "h") {
				next |= 1 << (at + 2)
			}
			if n == len(s) || at+n == len(q.chars) {
				next |= 1 << (at + n)
			}
		}
	}
	return next
}
