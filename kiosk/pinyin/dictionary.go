package pinyin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

//go:embed dict.gz
var packed []byte

//go:embed hall.txt
var hallWords string

// longestWord is how many syllables a word of the dictionary has at most: as many as fit into a key.
const longestWord = 4

// costUnit is one nat of cost, the negative logarithm of a word's share of all text.
const costUnit = 1024

// Dictionary knows words, their pinyin and how common they are. It may be used by many goroutines at once.
//
// Everything lies in a few flat arrays, so that it takes little memory and nothing of the garbage collector's time.
type Dictionary struct {
	syllables []string // ascending; the number of a syllable is its index plus one
	keys      []uint64 // ascending; the pinyin of words, see key
	first     []uint32 // key -> its first entry; one more at the end
	start     []uint32 // entry -> start of its text; one more at the end
	texts     string   // of all entries, one after the other
	costs     []uint16 // of entries, in 1/costUnit nat
	byText    []uint32 // hash table: entry plus one, or 0

	boosted atomic.Pointer[lexicon]
}

// A key is a word's syllables, 16 bits each, the first one highest; a word of fewer than four syllables ends in zeros.
func idAt(key uint64, i int) uint16 { return uint16(key >> (48 - 16*i)) }

// load decodes the embedded dictionary at the first call.
var load = sync.OnceValues(func() (*Dictionary, error) {
	d, err := decode(packed)
	if err != nil {
		return nil, fmt.Errorf("cannot load the pinyin dictionary: %w", err)
	}
	d.Boost(strings.Fields(hallWords))
	return d, nil
})

// Load returns the dictionary, with words of service halls boosted. It is decoded once; what is boosted through one
// caller is boosted for all.
func Load() (*Dictionary, error) { return load() }

func decode(gz []byte) (*Dictionary, error) {
	z, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return nil, err
	}
	var plain bytes.Buffer
	plain.Grow(1 << 20)
	if _, err := io.Copy(&plain, z); err != nil {
		return nil, err
	}
	d := &Dictionary{}
	d.syllables = syllablesOf(plain.Bytes())
	weights, err := d.read(plain.String())
	if err != nil {
		return nil, err
	}
	d.weigh(weights)
	d.hash()
	d.Boost(nil)
	return d, nil
}

func syllablesOf(plain []byte) []string {
	seen := map[string]bool{}
	for line := range bytes.Lines(plain) {
		key, _, _ := bytes.Cut(line, []byte{'\t'})
		for s := range bytes.SplitSeq(key, []byte{' '}) {
			if !seen[string(s)] { // looking up does not allocate
				seen[string(s)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// read takes the lines of the packed dictionary (see gen) and returns the weight of each entry.
func (d *Dictionary) read(plain string) ([]uint32, error) {
	texts := make([]byte, 0, len(plain)/2)
	var weights []uint32
	for line := range strings.Lines(plain) {
		name, words, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		key, length, err := d.key(name)
		if err != nil {
			return nil, err
		}
		if n := len(d.keys); n > 0 && d.keys[n-1] >= key {
			return nil, fmt.Errorf("%q is not in order", name)
		}
		d.keys = append(d.keys, key)
		d.first = append(d.first, uint32(len(d.start)))
		for words != "" {
			digits := max(strings.IndexAny(words, "0123456789"), 0)
			if utf8.RuneCountInString(words[:digits]) != length {
				return nil, fmt.Errorf("%q: a word that has not %d characters and a weight", name, length)
			}
			d.start = append(d.start, uint32(len(texts)))
			texts = append(texts, words[:digits]...)
			words = words[digits:]
			weight := uint32(0)
			for words != "" && words[0] >= '0' && words[0] <= '9' {
				weight = weight*10 + uint32(words[0]-'0')
				words = words[1:]
			}
			weights = append(weights, weight)
		}
	}
	if len(weights) == 0 {
		return nil, errors.New("it is empty")
	}
	d.first = slices.Clip(append(d.first, uint32(len(d.start))))
	d.start = slices.Clip(append(d.start, uint32(len(texts))))
	d.keys = slices.Clip(d.keys)
	d.texts = string(texts)
	return weights, nil
}

// key packs pinyin, syllables parted by spaces, and tells how many they are.
func (d *Dictionary) key(name string) (key uint64, length int, err error) {
	for s := range strings.SplitSeq(name, " ") {
		if length == longestWord || s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) {
			return 0, 0, fmt.Errorf("%q is not the pinyin of up to %d syllables", name, longestWord)
		}
		key |= uint64(d.id(s)) << (48 - 16*length)
		length++
	}
	return key, length, nil
}

func (d *Dictionary) weigh(weights []uint32) {
	total := 1.0
	for _, w := range weights {
		total += float64(w)
	}
	d.costs = make([]uint16, len(weights))
	for i, w := range weights {
		d.costs[i] = uint16(costUnit * (math.Log(total) - math.Log(float64(w)+0.5)))
	}
}

// weightCost is the cost of a word that has that weight, of the 95 million of the whole dictionary.
func weightCost(weight float64) int { return int(costUnit * (math.Log(95e6) - math.Log(weight))) }

func (d *Dictionary) hash() {
	size := 1
	for size < 2*len(d.costs) {
		size *= 2
	}
	d.byText = make([]uint32, size)
	for e := range d.costs {
		at := slot(d.text(e), size)
		for d.byText[at] != 0 {
			at = (at + 1) % size
		}
		d.byText[at] = uint32(e + 1)
	}
}

// slot is FNV-1a.
func slot(s string, size int) int {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return int((h ^ h>>15) & uint32(size-1))
}

// entriesOf calls yield for each entry with that text.
func (d *Dictionary) entriesOf(text string) func(yield func(e int) bool) {
	return func(yield func(int) bool) {
		for at := slot(text, len(d.byText)); d.byText[at] != 0; at = (at + 1) % len(d.byText) {
			if e := int(d.byText[at]) - 1; d.text(e) == text && !yield(e) {
				return
			}
		}
	}
}

func (d *Dictionary) text(e int) string { return d.texts[d.start[e]:d.start[e+1]] }

// keyOf returns the pinyin of an entry.
func (d *Dictionary) keyOf(e int) uint64 {
	i, found := slices.BinarySearch(d.first, uint32(e))
	if !found {
		i--
	}
	return d.keys[i]
}

// id is the number of a syllable, 0 if there is none such.
func (d *Dictionary) id(s string) uint16 {
	if i, ok := slices.BinarySearch(d.syllables, s); ok {
		return uint16(i + 1)
	}
	return 0
}

// beginning is the range of numbers of the syllables that begin with s, the last one excluded.
func (d *Dictionary) beginning(s string) (from, to uint16) {
	lo, _ := slices.BinarySearch(d.syllables, s)
	hi := lo
	for hi < len(d.syllables) && strings.HasPrefix(d.syllables[hi], s) {
		hi++
	}
	return uint16(lo + 1), uint16(hi + 1)
}

func (d *Dictionary) syllable(id uint16) string { return d.syllables[id-1] }
