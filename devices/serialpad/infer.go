package serialpad

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Capture is what was heard at one setting of the line while the buttons were pressed one after the other.
type Capture struct {
	Line    Line
	Presses []CapturedPress // in the order in which they were made
}

// CapturedPress is what was heard after one button was pressed.
type CapturedPress struct {
	Grade  int // 1 to 5
	Chunks []CapturedChunk
}

// CapturedChunk is what one read brought.
type CapturedChunk struct {
	After time.Duration // since the button was asked for
	Data  []byte
}

// Proposal is what was learned.
type Proposal struct {
	Profile    *Profile // nil when no profile can be proposed; it hears presses and sends nothing
	Confidence float64  // 0 to 1
	Findings   []string // each inference, with its reason
	Unknown    []string // what listening cannot tell, or did not
}

func (p *Proposal) find(format string, args ...any) {
	p.Findings = append(p.Findings, fmt.Sprintf(format, args...))
}

func (p *Proposal) unknown(format string, args ...any) {
	p.Unknown = append(p.Unknown, fmt.Sprintf(format, args...))
}

// Infer proposes a profile for the pad that was heard. It is a pure function of the capture.
func Infer(c Capture) *Proposal {
	p := &Proposal{}
	samples, odd := sample(c, p)
	if len(samples) == 0 {
		return p
	}
	best := explain(samples)
	if best == nil && len(samples) > 5 { // one bad press must not spoil the others
		for i := range samples {
			if best = explain(slices.Delete(slices.Clone(samples), i, i+1)); best != nil {
				odd++
				samples = slices.Delete(slices.Clone(samples), i, i+1)
				break
			}
		}
	}
	if best == nil {
		p.find("no byte of the message is the same for each press of a button and different for each button")
		p.unknown("which byte is the button: press each one again, one at a time, or ask the maker")
		return p
	}
	best.describe(p, c, samples, odd)
	return p
}

// sampled is one press as a message with its copies.
type sampled struct {
	grade  int
	data   []byte
	copies int
	span   time.Duration // from the first copy to the last
	every  time.Duration // between two copies, 0 for one
}

// learnGap is the silence that separates messages, at least: longer than what a USB adapter keeps bytes back for (16 ms).
const learnGap = 25 * time.Millisecond

// burst is what came between two silences.
type burst struct {
	after time.Duration
	data  []byte
}

func bursts(p CapturedPress, l Line) []burst {
	gap := max(learnGap, 4*l.byteTime(max(l.Baud, 1)))
	var out []burst
	var last time.Duration
	for _, c := range p.Chunks {
		if len(out) == 0 || c.After-last >= gap {
			out = append(out, burst{after: c.After})
		}
		b := &out[len(out)-1]
		b.data = append(b.data, c.Data...)
		last = c.After
	}
	return out
}

// period is the length of the shortest piece of which b is made by repetition.
func period(b []byte) int {
	for n := 1; n < len(b); n++ {
		if len(b)%n == 0 && bytes.Equal(b[n:], b[:len(b)-n]) {
			return n
		}
	}
	return len(b)
}

// most returns the value that is there most often, the smallest of several, and how often.
func most[T cmp.Ordered](values []T) (best T, times int) {
	count := map[T]int{}
	for _, v := range values {
		count[v]++
	}
	for v, n := range count {
		if n > times || n == times && v < best {
			best, times = v, n
		}
	}
	return best, times
}

// sample cuts the capture into messages of one length, one sample a press, and says how much did not fit.
func sample(c Capture, p *Proposal) (samples []sampled, odd int) {
	var lengths []int
	heard := 0
	for _, press := range c.Presses {
		of := map[int]bool{}
		for _, b := range bursts(press, c.Line) {
			of[period(b.data)] = true
		}
		for n := range of {
			if n > 0 {
				lengths = append(lengths, n)
			}
		}
		if len(of) > 0 {
			heard++
		}
	}
	if heard == 0 {
		p.find("nothing came at %s", c.Line)
		return nil, 0
	}
	slices.Sort(lengths)
	n, times := most(lengths)
	if n > maxMessage/2 || times*3 < heard*2 {
		p.find("the messages at %s have different lengths from press to press: %v", c.Line, slices.Compact(lengths))
		p.unknown("the shape of the message: a wrong speed or parity looks like this, and so does a pad that sends words")
		return nil, 0
	}
	for _, press := range c.Presses {
		if s, bad := samplePress(press, c.Line, n); s != nil {
			samples = append(samples, *s)
			odd += bad
		} else if len(press.Chunks) > 0 {
			odd++
		}
	}
	p.find("each press sends messages of %d bytes at %s", n, c.Line)
	return samples, odd
}

// samplePress finds the message of n bytes that one press sent most often.
func samplePress(press CapturedPress, l Line, n int) (*sampled, int) {
	var pieces []string
	var at []time.Duration
	odd := 0
	for _, b := range bursts(press, l) {
		if len(b.data)%n != 0 {
			odd++
			continue
		}
		for i := 0; i < len(b.data); i += n {
			pieces = append(pieces, string(b.data[i:i+n]))
			at = append(at, b.after)
		}
	}
	if len(pieces) == 0 {
		return nil, odd
	}
	data, copies := most(pieces)
	s := &sampled{grade: press.Grade, data: []byte(data), copies: copies}
	first := at[slices.Index(pieces, data)]
	for i, piece := range pieces {
		if piece == data {
			s.span = at[i] - first
		} else {
			odd++
		}
	}
	if copies > 1 {
		s.every = s.span / time.Duration(copies-1)
	}
	return s, odd
}

// column is what is known of one byte of the message.
type column struct {
	constant bool
	key      bool // the same for each press of a button, another for each button
	counter  bool // it moves on from press to press
}

func columns(samples []sampled) []column {
	out := make([]column, len(samples[0].data))
	for i := range out {
		c := &out[i]
		c.constant, c.key, c.counter = true, true, len(samples) > 2
		of := map[int]byte{}
		steps := 0
		for j, s := range samples {
			v := s.data[i]
			c.constant = c.constant && v == samples[0].data[i]
			if was, ok := of[s.grade]; ok && was != v {
				c.key = false
			}
			of[s.grade] = v
			if j > 0 {
				switch d := v - samples[j-1].data[i]; {
				case d == 0:
					c.counter = false
				case d <= 4: // some presses may have gone unheard
					steps++
				}
			}
		}
		c.counter = c.counter && steps*10 >= (len(samples)-1)*8
		seen := map[byte]bool{}
		for _, v := range of {
			c.key = c.key && !seen[v]
			seen[v] = true
		}
		c.key = c.key && len(of) > 1 && !c.constant
		if c.key && len(samples) == len(of) { // each button once: what moves on may be a counter as well as a key
			c.counter = false
		}
	}
	return out
}

// explanation is a reading of the message in which every byte has its part, or is known to be unexplained.
type explanation struct {
	columns  []column
	key, seq int // seq is -1 without
	check    Check
	sumAt    int
	from, to int
	open     []int // what changes for no reason that was found
	rivals   int   // other checksums that fit as well
}

// explain finds the best reading of the samples, nil when no byte is the button.
func explain(samples []sampled) *explanation {
	cols := columns(samples)
	counters := []int{-1}
	for i, c := range cols {
		if c.counter && !c.constant {
			counters = append(counters, i)
		}
	}
	var best *explanation
	for k, c := range cols {
		if !c.key {
			continue
		}
		for _, seq := range counters {
			if seq == k {
				continue
			}
			e := &explanation{columns: cols, key: k, seq: seq, sumAt: -1}
			for i, c := range cols {
				if !c.constant && i != k && i != seq {
					e.open = append(e.open, i)
				}
			}
			e.findCheck(samples)
			if best == nil || e.score(samples) > best.score(samples) {
				best = e
			}
		}
	}
	return best
}

// score says how good a reading is: few unexplained bytes first, then a checksum, then keys in a row, then fewer parts.
func (e *explanation) score(samples []sampled) int {
	score := -1000 * len(e.open)
	if e.check != CheckNone {
		score += 100
	}
	if row, _ := keysInARow(e.keys(samples)); row {
		score += 50
	}
	if e.seq >= 0 {
		score--
	}
	return score
}

// keys are the values of the button's byte by grade.
func (e *explanation) keys(samples []sampled) map[int]byte {
	out := map[int]byte{}
	for _, s := range samples {
		out[s.grade] = s.data[e.key]
	}
	return out
}

// keysInARow says whether the values go up or down in steps of one from grade to grade, and whether they are digits.
func keysInARow(keys map[int]byte) (row, digits bool) {
	up, down := len(keys) > 2, len(keys) > 2
	digits = true
	last := 0
	for g := 1; g <= 5; g++ {
		v, ok := keys[g]
		if !ok {
			continue
		}
		if last > 0 {
			step := byte(g - last)
			up = up && v == keys[last]+step
			down = down && v == keys[last]-step
		}
		digits = digits && v >= '0' && v <= '9'
		last = g
	}
	return up || down, digits
}

// findCheck looks for a checksum that explains the open bytes, over every range of bytes.
func (e *explanation) findCheck(samples []sampled) {
	if len(e.open) == 0 {
		return
	}
	first, last := e.open[0], e.open[len(e.open)-1]
	n := len(e.columns)
	best := 0
	for _, kind := range checks() {
		for at := max(0, last-kind.size()+1); at <= first && at+kind.size() <= n; at++ {
			for to := 1; to <= n; to++ {
				for from := range to {
					if from < at+kind.size() && to > at || e.key < from || e.key >= to || !fits(samples, kind, at, from, to) {
						continue
					}
					worth := 1 + to - from // the widest range, best up to the checksum itself
					if to == at {
						worth += 2 * n
					}
					if e.seq >= from && e.seq < to {
						worth += n
					}
					if worth > best {
						if e.check != CheckNone && e.check != kind {
							e.rivals++
						}
						best, e.check, e.sumAt, e.from, e.to = worth, kind, at, from, to
					} else if e.check != kind {
						e.rivals++
					}
				}
			}
		}
	}
	if e.check != CheckNone {
		e.open = nil
	}
}

// fits says whether all samples have that checksum.
func fits(samples []sampled, kind Check, at, from, to int) bool {
	for _, s := range samples {
		if !kind.good(s.data[at:at+kind.size()], s.data[from:to]) {
			return false
		}
	}
	return true
}

// message writes the reading as a message of a profile.
func (e *explanation) message(samples []sampled) string {
	var out []string
	for i := 0; i <= len(e.columns); i++ {
		if e.check != CheckNone && i == e.to {
			out = append(out, "]")
		}
		if i == len(e.columns) {
			break
		}
		if e.check != CheckNone && i == e.from {
			out = append(out, "[")
		}
		switch {
		case e.check != CheckNone && i == e.sumAt:
			out = append(out, "{"+string(e.check)+"}")
			i += e.check.size() - 1
		case i == e.key:
			out = append(out, "{key}")
		case i == e.seq:
			out = append(out, "{sequence}")
		case slices.Contains(e.open, i):
			out = append(out, "{any}")
		default:
			out = append(out, fmt.Sprintf("%02X", samples[0].data[i]))
		}
	}
	return strings.Join(out, " ")
}
