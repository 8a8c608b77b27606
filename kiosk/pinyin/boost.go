package pinyin

import (
	"cmp"
	"slices"
	"strings"
)

// What a boosted word is worth, as a weight among the 95 million of the dictionary, where 服务 has 38,555 and 经营 10,802.
const (
	boostWeight = 60000.0
	spanWeight  = 12000.0 // a part of a boosted text
	longestSpan = 8       // characters of a part that is worth remembering
)

// lexicon are boosted words. It never changes.
type lexicon struct {
	words   map[string]int      // text -> index into list
	list    []boostedWord       // in the order they came
	byFirst map[uint16][]uint32 // first syllable -> indexes
}

type boostedWord struct {
	text string
	ids  []uint16
	cost int
}

// Boost makes words and short texts of the trade likelier: the names of items, materials, companies. Parts of a text, as
// words divide it, are made likelier, too. A text with anything but Chinese characters is cut there. It costs about
// 100 bytes a part.
func (d *Dictionary) Boost(words []string) {
	next := &lexicon{words: map[string]int{}, byFirst: map[uint16][]uint32{}}
	if old := d.boosted.Load(); old != nil {
		for _, w := range old.list {
			next.put(w)
		}
	}
	for _, text := range words {
		read := d.spelled(text)
		for from := 0; from < len(read); {
			to := from
			for to < len(read) && len(read[to].ids) > 0 && read[to].han {
				to++
			}
			d.boostText(next, read[from:to])
			from = to + 1
		}
	}
	d.boosted.Store(next)
}

// boostText boosts one run of Chinese characters and its parts.
func (d *Dictionary) boostText(l *lexicon, read []reading) {
	for from := range read {
		if !read[from].word {
			continue
		}
		for to := from + 1; to <= len(read); to++ {
			whole := from == 0 && to == len(read)
			if to < len(read) && !read[to].word || to-from < 2 || !whole && to-from > longestSpan {
				continue
			}
			w := boostedWord{cost: weightCost(spanWeight)}
			if whole {
				w.cost = weightCost(boostWeight)
			}
			var text strings.Builder
			for _, r := range read[from:to] {
				text.WriteRune(r.char)
				w.ids = append(w.ids, r.ids[0])
			}
			w.text = text.String()
			l.put(w)
		}
	}
}

func (l *lexicon) put(w boostedWord) {
	if i, ok := l.words[w.text]; ok {
		l.list[i].cost = min(l.list[i].cost, w.cost)
		return
	}
	l.words[w.text] = len(l.list)
	l.byFirst[w.ids[0]] = append(l.byFirst[w.ids[0]], uint32(len(l.list)))
	l.list = append(l.list, w)
}

// edges appends the boosted words that may begin at a place.
func (l *lexicon) edges(in input, at int, out []edge) []edge {
	l.each(in, at, func(w *boostedWord, u unit) {
		match(in, u.end, w.ids[1:], u.cost, func(end, cost int) {
			out = append(out, edge{end, w.cost + cost, w.text})
		})
	})
	return out
}

// predict returns boosted words that all letters from a place on are the beginning of, at least two syllables of it.
func (l *lexicon) predict(in input, at int) []edge {
	var out []edge
	l.each(in, at, func(w *boostedWord, u unit) {
		for n := 2; n < len(w.ids); n++ {
			match(in, u.end, w.ids[1:n], u.cost, func(end, cost int) {
				if end == len(in.letters) {
					out = append(out, edge{end, w.cost + cost + (len(w.ids)-n)*costUnit/4, w.text})
				}
			})
		}
	})
	slices.SortStableFunc(out, func(a, b edge) int { return cmp.Compare(a.cost, b.cost) })
	return out[:min(len(out), predictions)]
}

// each calls f for each word and each way to read its first syllable at a place.
func (l *lexicon) each(in input, at int, f func(*boostedWord, unit)) {
	for _, u := range in.units[at] {
		for id := u.from; id < u.to; id++ {
			for _, i := range l.byFirst[id] {
				f(&l.list[i], u)
			}
		}
	}
}

// match calls f for each way to read the syllables from a place on.
func match(in input, at int, ids []uint16, cost int, f func(end, cost int)) {
	if len(ids) == 0 {
		f(at, cost)
		return
	}
	if at >= len(in.letters) {
		return
	}
	for _, u := range in.units[at] {
		if u.from <= ids[0] && ids[0] < u.to {
			match(in, u.end, ids[1:], cost+u.cost, f)
		}
	}
}
