package pinyin

// maxInput bounds the letters that are looked at; the rest waits until these are chosen.
const maxInput = 64

// input is what was typed, ready to be read: a to z, and 0 where syllables are parted.
type input struct {
	letters []byte
	origin  []int    // of each letter in what was typed, in bytes; one more: the end
	units   [][]unit // ways to read a syllable at each place
}

// newInput reads capital letters as small ones, ü as v, and anything else that is no letter as a parting.
func newInput(typed string) input {
	var in input
	end := len(typed)
	for at, r := range typed {
		if len(in.letters) == maxInput {
			end = at
			break
		}
		var c byte
		switch {
		case r >= 'a' && r <= 'z':
			c = byte(r)
		case r >= 'A' && r <= 'Z':
			c = byte(r) + 'a' - 'A'
		case r == 'ü' || r == 'Ü':
			c = 'v'
		}
		in.letters = append(in.letters, c)
		in.origin = append(in.origin, at)
	}
	in.origin = append(in.origin, end)
	spellU(in.letters)
	return in
}

// spellU writes u for ü where the dictionary does: after j, q, x, y (never u there), and in lüe and nüe.
func spellU(letters []byte) {
	for i := 1; i < len(letters); i++ {
		if letters[i] != 'v' {
			continue
		}
		switch letters[i-1] {
		case 'j', 'q', 'x', 'y':
			letters[i] = 'u'
		case 'l', 'n':
			if i+1 < len(letters) && letters[i+1] == 'e' {
				letters[i] = 'u'
			}
		}
	}
}

// skip returns where the next letter is.
func (in input) skip(at int) int {
	for at < len(in.letters) && in.letters[at] == 0 {
		at++
	}
	return at
}

// unit is one way to read the letters at a place as one syllable.
type unit struct {
	from, to uint16 // numbers of the syllables it may be, to excluded
	end      int    // where the next syllable begins
	cost     int
}

// Costs of syllables of which only the beginning was typed. An initial says less than it seems to: words are told apart by
// what was not typed.
const (
	initialCost = 2 * costUnit
	cutCost     = 1 * costUnit // the last one, still being typed
)

// parse reads what was typed as syllables.
func (d *Dictionary) parse(typed string) input {
	in := newInput(typed)
	in.units = make([][]unit, len(in.letters))
	for at := range in.letters {
		in.units[at] = d.unitsAt(in, at)
	}
	return in
}

// unitsAt are the ways to read the letters at a place, none if there is no letter.
func (d *Dictionary) unitsAt(in input, at int) []unit {
	var out []unit
	var buf [6]byte
	n := 0
	for at+n < len(in.letters) && n < len(buf) && in.letters[at+n] != 0 {
		buf[n] = in.letters[at+n]
		n++
	}
	last := in.skip(at+n) == len(in.letters)
	for l := n; l >= 1; l-- {
		s := string(buf[:l])
		end := in.skip(at + l)
		if id := d.id(s); id != 0 && !grunt(s) {
			out = append(out, unit{id, id + 1, end, 0})
		} else if l > 1 && l == n && last && !initial(s) {
			if from, to := d.beginning(s); from < to {
				out = append(out, unit{from, to, end, cutCost})
			}
		}
		if initial(s) && (l == n || !vowel(buf[l])) {
			if from, to := d.beginning(s); from < to {
				out = append(out, unit{from, to, end, initialCost})
			}
		}
	}
	return out
}

// grunt reports whether s is a syllable without vowel, such as 嗯 n; they would cut every second word in two.
func grunt(s string) bool { return s == "m" || s == "n" || s == "ng" || s == "hm" }

func initial(s string) bool {
	switch len(s) {
	case 1:
		return !vowel(s[0])
	case 2:
		return s == "zh" || s == "ch" || s == "sh"
	}
	return false
}

func vowel(c byte) bool {
	switch c {
	case 'a', 'e', 'i', 'o', 'u', 'v':
		return true
	}
	return false
}
