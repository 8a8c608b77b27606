package pinyin

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxCandidates bounds the candidates; the syllable with the most characters (yi) has about 230 of them.
const maxCandidates = 252

// perPage is how many candidates a row shows at most: as many as a page of the usual input methods.
const perPage = 9

// Row is the room of a row of candidates, in characters of its type.
type Row struct {
	Room  float64 // of the whole row
	Least float64 // a candidate takes at least so much, however short: a finger needs it
	Extra float64 // what a candidate takes beside its characters: padding and gap
}

// Composer is one line of text being written with letter keys: finished text, then letters that are not yet chosen.
// It belongs to one goroutine.
type Composer struct {
	dict    *Dictionary
	text    string
	letters string
	page    int
	limit   int // characters of text, 0 for no limit
	row     Row // zero: perPage candidates, whatever their length
	found   []Candidate
}

// NewComposer returns a composer that continues text, up to limit characters.
func NewComposer(d *Dictionary, text string, limit int) *Composer {
	return &Composer{dict: d, text: text, limit: limit, page: 1}
}

// Text is the finished text.
func (c *Composer) Text() string { return c.text }

// Letters are what was typed and not yet chosen.
func (c *Composer) Letters() string { return c.letters }

// Fit says how much room a row of candidates has; the pages follow it.
func (c *Composer) Fit(r Row) { c.row = r }

// pages returns where each page of candidates ends (exclusive). There is always at least one page.
func (c *Composer) pages() []int {
	var ends []int
	used, n := 0.0, 0
	for i, w := range c.found {
		need := max(float64(utf8.RuneCountInString(w.Text))+c.row.Extra, c.row.Least)
		if n == perPage || n > 0 && c.row.Room > 0 && used+need > c.row.Room {
			ends, used, n = append(ends, i), 0, 0
		}
		used, n = used+need, n+1
	}
	return append(ends, len(c.found))
}

// current returns the bounds of the current page, and which page of how many it is.
func (c *Composer) current() (from, to, page, pages int) {
	ends := c.pages()
	pages = len(ends)
	page = min(max(c.page, 1), pages)
	if page > 1 {
		from = ends[page-2]
	}
	return from, ends[page-1], page, pages
}

// Candidates returns the words of the current page, and which page of how many it is (both at least 1).
func (c *Composer) Candidates() (words []string, page, pages int) {
	from, to, page, pages := c.current()
	for _, w := range c.found[from:to] {
		words = append(words, w.Text)
	}
	return words, page, pages
}

// Act takes one action of a keyboard: key (a letter, a digit, a mark, del, clear, space), candidate n, candidates to a page.
// Anything else is ignored.
func (c *Composer) Act(do string, args map[string]string) {
	switch do {
	case "key":
		c.key(args["key"])
	case "candidate":
		if n, err := strconv.Atoi(args["n"]); err == nil {
			c.choose(n)
		}
	case "candidates":
		if n, err := strconv.Atoi(args["to"]); err == nil {
			c.page = n
		}
	}
}

// maxLetters bounds one composition; a phrase has far fewer.
const maxLetters = 48

func (c *Composer) key(k string) {
	k = strings.ToLower(k)
	switch {
	case k == "del" && c.letters != "":
		c.setLetters(c.letters[:len(c.letters)-1])
	case k == "del":
		_, size := utf8.DecodeLastRuneInString(c.text)
		c.text = c.text[:len(c.text)-size]
	case k == "clear":
		c.text = ""
		c.setLetters("")
	case k == "space":
		c.choose(0)
	case len(k) == 1 && (k[0] >= 'a' && k[0] <= 'z' || k == "'" && c.letters != ""):
		if len(c.letters) < maxLetters {
			c.setLetters(c.letters + k)
		}
	case utf8.RuneCountInString(k) == 1:
		c.Flush()
		c.add(k)
	}
}

// choose takes the n-th candidate of the current page, counted from 0.
func (c *Composer) choose(n int) {
	from, to, _, _ := c.current()
	if n < 0 || from+n >= to {
		return
	}
	chosen := c.found[from+n]
	c.add(chosen.Text)
	c.setLetters(c.letters[min(chosen.Used, len(c.letters)):])
}

// Flush takes what is still being composed as its first candidates.
func (c *Composer) Flush() {
	for range maxLetters {
		if len(c.found) == 0 {
			break
		}
		c.page = 1
		c.choose(0)
	}
	c.setLetters("")
}

func (c *Composer) setLetters(s string) {
	c.letters, c.page, c.found = strings.TrimLeft(s, "'"), 1, nil
	if c.letters != "" {
		c.found = c.dict.Candidates(c.letters, maxCandidates)
		c.found = slices.DeleteFunc(c.found, func(w Candidate) bool { return w.Used <= 0 })
	}
}

func (c *Composer) add(s string) {
	for _, r := range s {
		if c.limit > 0 && utf8.RuneCountInString(c.text) >= c.limit {
			return
		}
		c.text += string(r)
	}
}
