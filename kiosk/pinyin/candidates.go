package pinyin

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// Candidate is a text that typed letters may mean.
type Candidate struct {
	Text string
	Used int // how many of the letters it stands for, in bytes from the start
}

// The most of each thing that is followed up.
const (
	pathsKept    = 6 // best readings of the letters up to each place
	wordsTried   = 4 // of the words of the same pinyin
	phrasesShown = 3
	predictions  = 2 // boosted words of which only the beginning was typed
)

// edge is a word that the letters from one place to another may mean.
type edge struct {
	to, cost int
	text     string
}

// path is a reading of the letters up to a place.
type path struct {
	cost     int
	from, no int // the path it continues: its place and number there
	text     string
}

// Candidates returns up to max texts that the letters may mean, the likeliest first, each once: phrases for all letters,
// then words for ever fewer of the first letters, single characters last. The letters may be full pinyin, initials
// or both; ' parts syllables (xi'an), v is ü. Letters that begin no syllable are offered as they are.
func (d *Dictionary) Candidates(letters string, max int) []Candidate {
	in := d.parse(letters)
	begin := in.skip(0)
	if begin == len(in.letters) || max <= 0 {
		return nil
	}
	l := d.boosted.Load()
	paths := make([][]path, len(in.letters)+1)
	paths[begin] = []path{{from: -1}}
	var words []edge // from the first letter
	far := begin
	for at := begin; at < len(in.letters); at++ {
		if len(paths[at]) == 0 {
			continue
		}
		most := wordsTried
		if at == begin {
			most = max
		}
		edges := l.edges(in, at, d.edges(in, at, most))
		if at == begin {
			words = edges
		}
		far = extend(paths, at, edges, far)
	}
	if far == begin {
		return []Candidate{{Text: letters[:in.origin[len(in.letters)]], Used: in.origin[len(in.letters)]}}
	}
	list := newList(max, in)
	for no := range paths[far][:1] {
		list.add(phrase(paths, far, no), far)
	}
	slices.SortStableFunc(words, func(a, b edge) int { return cmp.Or(cmp.Compare(b.to, a.to), cmp.Compare(a.cost, b.cost)) })
	whole, _ := slices.BinarySearchFunc(words, far, func(e edge, far int) int { return cmp.Compare(far, e.to+1) })
	for _, w := range words[:whole] {
		list.add(w.text, w.to)
	}
	for no := range paths[far][:min(phrasesShown, len(paths[far]))] {
		list.add(phrase(paths, far, no), far)
	}
	for _, w := range l.predict(in, begin) {
		list.add(w.text, w.to)
	}
	for _, w := range words[whole:] {
		list.add(w.text, w.to)
	}
	return list.out
}

// edges are the words of the dictionary that may begin at a place, the best few of each pinyin.
func (d *Dictionary) edges(in input, at, most int) []edge {
	var out []edge
	var walk func(at, depth, lo, hi, cost int)
	walk = func(at, depth, lo, hi, cost int) {
		for _, u := range in.units[at] {
			from := d.seek(lo, hi, depth, u.from)
			for from < hi && idAt(d.keys[from], depth) < u.to {
				to := d.seek(from, hi, depth, idAt(d.keys[from], depth)+1)
				deeper := from
				if d.keys[from]<<(16*(depth+1)) == 0 { // a word ends here
					out = d.bucket(out, from, u.end, cost+u.cost, most)
					deeper++
				}
				if depth+1 < longestWord && deeper < to && u.end < len(in.letters) {
					walk(u.end, depth+1, deeper, to, cost+u.cost)
				}
				from = to
			}
		}
	}
	walk(at, 0, 0, len(d.keys), 0)
	return out
}

// seek returns the first of the keys lo to hi, which have the same first syllables, whose next one is at least id.
func (d *Dictionary) seek(lo, hi, depth int, id uint16) int {
	return lo + sort.Search(hi-lo, func(i int) bool { return idAt(d.keys[lo+i], depth) >= id })
}

// bucket appends the best words of a key.
func (d *Dictionary) bucket(out []edge, key, to, cost, most int) []edge {
	first := int(d.first[key])
	for e := first; e < min(int(d.first[key+1]), first+most); e++ {
		out = append(out, edge{to, cost + int(d.costs[e]), d.text(e)})
	}
	return out
}

// extend continues the paths at a place by edges, and returns the farthest place reached so far.
func extend(paths [][]path, at int, edges []edge, far int) int {
	// Of the words for the same letters only the best few can be part of a best path.
	best := make([][]edge, len(paths))
	for _, e := range edges {
		list := best[e.to]
		i := len(list)
		for i > 0 && list[i-1].cost > e.cost {
			i--
		}
		if i < wordsTried {
			list = slices.Insert(list, i, e)
			best[e.to] = list[:min(len(list), wordsTried)]
		}
	}
	for to, list := range best {
		for _, e := range list {
			for no, p := range paths[at] {
				paths[to] = keep(paths[to], path{p.cost + e.cost, at, no, e.text})
			}
			far = max(far, to)
		}
	}
	return far
}

// keep inserts p into the best paths to a place, ascending by cost. Paths are not continued before all to their place are
// known, so their numbers hold.
func keep(best []path, p path) []path {
	i := sort.Search(len(best), func(i int) bool { return best[i].cost > p.cost })
	if i >= pathsKept {
		return best
	}
	best = slices.Insert(best, i, p)
	return best[:min(len(best), pathsKept)]
}

// phrase is the text of a path.
func phrase(paths [][]path, at, no int) string {
	var words []string
	for p := paths[at][no]; p.from >= 0; p = paths[p.from][p.no] {
		words = append(words, p.text)
	}
	slices.Reverse(words)
	return strings.Join(words, "")
}

// list collects candidates, each text once.
type list struct {
	out  []Candidate
	max  int
	seen map[string]bool
	in   input
}

func newList(max int, in input) *list { return &list{max: max, in: in, seen: map[string]bool{}} }

func (l *list) add(text string, to int) {
	if len(l.out) < l.max && !l.seen[text] {
		l.seen[text] = true
		l.out = append(l.out, Candidate{text, l.in.origin[to]})
	}
}
