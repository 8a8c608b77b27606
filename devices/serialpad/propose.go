package serialpad

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// GradeNames are the words on the buttons, by grade (国办发〔2019〕51号).
func GradeNames() map[int]string {
	return map[int]string{5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
}

// Times of a learned profile that listening does not tell.
const (
	learnedLate = 200 * time.Millisecond // what a USB adapter or a serial server may keep back
	learnedSame = 500 * time.Millisecond // between two presses of one button by a person, at least
)

// describe turns a reading into a profile with its story.
func (e *explanation) describe(p *Proposal, c Capture, samples []sampled, odd int) {
	keys := e.keys(samples)
	e.tellBytes(p, samples, keys)
	repeat := tellRepeats(p, samples)
	settle := ms(repeat.ForMs) + learnedLate
	prof := &Profile{
		Name: "learned", Title: "Learned by listening",
		Line: c.Line, Pad: PadMessages{Press: e.message(samples)}, Keys: map[string]string{}, Repeat: repeat,
		Timing: Timing{GapMs: 30, SettleMs: int(settle.Milliseconds()), SameMs: int(max(settle, learnedSame).Milliseconds()), LateMs: int(learnedLate.Milliseconds())},
	}
	for g, v := range keys {
		prof.Keys[fmt.Sprintf("%02X", v)] = strconv.Itoa(g)
	}
	p.Confidence = e.confidence(samples, keys, odd)
	if odd > 0 {
		p.find("%d messages did not fit and were left out: noise, or presses of other buttons", odd)
	}
	for g := 5; g >= 1; g-- {
		if _, ok := keys[g]; !ok {
			p.unknown("the byte of grade %d (%s): it was not heard, and a machine does not use a pad that lacks a grade", g, GradeNames()[g])
		}
	}
	p.unknown("the messages to the pad (welcome, invite, thank, pause), and whether it wants presses acknowledged: nobody sent any; the maker's manual or a recording of the maker's program tells them")
	p.unknown("whether the pad can be asked if it is there: without a query a dead pad looks like one that nobody presses")
	if c.Line.Parity != "none" {
		p.unknown("whether the parity is even or odd: both are heard alike, but a message to the pad needs the right one")
	}
	if constants := slices.IndexFunc(e.columns, func(c column) bool { return c.constant }); constants >= 0 {
		p.unknown("which of the unchanging bytes is an address, if any: set another address on the pad and learn again, the byte that changes is it")
	}
	prof.Notes = append([]string{fmt.Sprintf("Learned by listening at %s from %d presses, confidence %.2f. Try every button before use.", c.Line, len(samples), p.Confidence)}, p.Findings...)
	for _, u := range p.Unknown {
		prof.Notes = append(prof.Notes, "Not known: "+u+".")
	}
	if _, err := prof.compile(); err != nil {
		p.find("what was found makes no profile: %v", err)
		p.Confidence = 0
		return
	}
	p.Profile = prof
}

// tellBytes says what each byte is and why.
func (e *explanation) tellBytes(p *Proposal, samples []sampled, keys map[int]byte) {
	var constants []int
	for i, c := range e.columns {
		if c.constant && (e.check == CheckNone || i < e.sumAt || i >= e.sumAt+e.check.size()) {
			constants = append(constants, i+1)
		}
	}
	if constants != nil {
		p.find("the bytes %v never change: they mark the message", constants)
	}
	values := ""
	for _, g := range slices.Backward(slices.Sorted(maps.Keys(keys))) {
		values += fmt.Sprintf(" %s %02X", GradeNames()[g], keys[g])
	}
	p.find("byte %d is the button, for it is the same at each press of a button and differs from button to button:%s", e.key+1, values)
	if row, digits := keysInARow(keys); row && digits {
		p.find("the buttons are digits in a row")
	} else if row {
		p.find("the buttons are numbered in a row")
	}
	if e.seq >= 0 {
		p.find("byte %d is a running number, for it moves on from press to press: no press can count twice", e.seq+1)
	}
	if e.check != CheckNone {
		p.find("byte %d is the checksum %s over the bytes %d to %d, for it fits all %d messages", e.sumAt+1, e.check, e.from+1, e.to, len(samples))
		if e.rivals > 0 {
			p.find("%d other checksums or ranges fit them as well; this one covers most", e.rivals)
		}
	}
	for _, i := range e.open {
		p.find("byte %d changes and no checksum known here explains it: it is not looked at", i+1)
	}
	if e.check == CheckNone {
		p.find("no checksum was found: noise that looks like a message would be a press, so a message counts only between two silences")
	}
}

// tellRepeats says how often a press is sent.
func tellRepeats(p *Proposal, samples []sampled) Repeat {
	var copies []int
	var every []time.Duration
	span := time.Duration(0)
	for _, s := range samples {
		copies = append(copies, s.copies)
		span = max(span, s.span)
		if s.copies > 1 {
			every = append(every, s.every)
		}
	}
	slices.Sort(copies)
	n := copies[len(copies)/2]
	if len(every) == 0 {
		p.find("each press is sent once")
		return Repeat{}
	}
	slices.Sort(every)
	step := max(every[len(every)/2], time.Millisecond)
	span = min(max(span, step), 9*time.Second)
	r := Repeat{EveryMs: int(min(step, 5*time.Second).Milliseconds()), ForMs: int((span + time.Millisecond - 1).Milliseconds())}
	p.find("each press is sent about %d times, %v apart, for %v at most: copies within %v count as one press", n, step.Round(time.Millisecond), span.Round(time.Millisecond),
		(span + learnedLate).Round(time.Millisecond))
	if n > 2 {
		p.unknown("whether the copies end when the press is acknowledged: so many look like it")
	}
	return r
}

// confidence judges the whole: a checksum that fits is nearly a proof, of the speed too; a button alone is only likely.
func (e *explanation) confidence(samples []sampled, keys map[int]byte, odd int) float64 {
	c := 0.4
	row, _ := keysInARow(keys)
	fixed := 0
	for _, col := range e.columns {
		if col.constant {
			fixed++
		}
	}
	if row {
		c += 0.35
	}
	c += 0.05 * float64(min(fixed, 3))
	if e.check != CheckNone && len(keys) > 2 {
		c = 0.97
	}
	c -= 0.15 * float64(min(len(e.open), 2))
	if odd > 0 {
		c -= 0.1
	}
	c -= 0.05 * float64(5-len(keys))
	if len(samples) <= len(keys) {
		c -= 0.2 // each button once: what changes may have changed by chance
	}
	return min(max(c, 0.05), 0.97)
}
