package printer

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sensor is something a status answer can speak of.
type Sensor string

// The sensors.
const (
	SensorOffline   Sensor = "offline"   // it cannot print, for whatever cause
	SensorCover     Sensor = "cover"     // open, or the print head is up
	SensorStopped   Sensor = "stopped"   // printing was stopped by paper end
	SensorPaperEnd  Sensor = "paperEnd"  // no paper
	SensorPaperLow  Sensor = "paperLow"  // near end
	SensorCutter    Sensor = "cutter"    // jammed
	SensorHot       Sensor = "hot"       // head too hot or voltage wrong; recovers by itself
	SensorBroken    Sensor = "broken"    // needs service
	SensorJam       Sensor = "jam"       // paper is stuck in the output
	SensorPresented Sensor = "presented" // a receipt stands in the output and has not been taken
	SensorTaken     Sensor = "taken"     // the last receipt was taken
	SensorRetracted Sensor = "retracted" // the last receipt was taken back
)

// sensors lists all of them; the place of one is its index into flags.
var sensors = [...]Sensor{
	SensorOffline, SensorCover, SensorStopped, SensorPaperEnd, SensorPaperLow, SensorCutter, SensorHot, SensorBroken, SensorJam,
	SensorPresented, SensorTaken, SensorRetracted,
}

// sensorIndex is the place of each in sensors.
var sensorIndex = func() map[Sensor]int {
	m := map[Sensor]int{}
	for i, s := range sensors {
		m[s] = i
	}
	return m
}()

// dialect is what a profile says of the printer's language, ready for use.
type dialect struct {
	polls     []question // realtime ones first
	automatic *report
	enable    Command // switches the automatic status on
	frames    []frame // all answers that can be told from each other by their first byte
	inOrder   pattern // answer to ask
	ask       Command // question answered in order with the data; nil if there is none
	cutOff    Command
	present   Command
	retract   Command
	clearOut  Command
	takes     bool // it is known whether a receipt stands in the output
}

// commands are the model's own.
func (d *dialect) commands() (all []Command) {
	for _, c := range []Command{d.enable, d.ask, d.cutOff, d.present, d.retract, d.clearOut} {
		if c != nil {
			all = append(all, c)
		}
	}
	for _, q := range d.polls {
		all = append(all, q.ask)
	}
	return all
}

// question is a status request.
type question struct {
	report
	ask     Command
	inOrder bool // not a realtime command: only for an idle printer
}

// report is a status answer.
type report struct {
	answer pattern
	bits   []sensorBits
}

type sensorBits struct {
	sensor int // index into sensors
	when   condition
}

// frame is the look of an answer.
type frame struct {
	pattern
	kind answerKind
}

// speaksOf says whether a report tells anything of a sensor.
func (r *report) speaksOf(s Sensor) bool {
	return slices.ContainsFunc(r.bits, func(b sensorBits) bool { return sensors[b.sensor] == s })
}

// compile makes a profile's dialect ready. With problems it is of no use.
func compile(p *Profile) (*dialect, []string) {
	c := &compiler{d: &dialect{}, xonxoff: p.Flow.Control == FlowXonXoff}
	c.polls(p.Status.Polls)
	if a := p.Status.Automatic; a != nil {
		c.d.enable = c.command("status.automatic.enable", a.Enable, true)
		r := c.report("status.automatic", a.Answer, a.Bits, automatic)
		c.d.automatic = &r
		c.check(p.Confirm.Method != ConfirmInOrder,
			"status.automatic cannot go with confirm.method inOrder: when the first byte of an automatic status is lost, the others look like answers in order; poll instead")
		c.check(!slices.ContainsFunc(c.d.polls, func(q question) bool { return q.inOrder }), "status.automatic cannot go with a poll that is answered in order")
	}
	c.confirm(&p.Confirm)
	c.d.cutOff = c.command("cut.command", p.Cut.Command, true)
	c.d.present = c.command("presenter.present", p.Presenter.Present, false)
	c.d.retract = c.command("presenter.retract", p.Presenter.Retract, false)
	c.d.clearOut = c.command("presenter.clear", p.Presenter.Clear, false)
	c.d.takes = slices.ContainsFunc(c.d.polls, func(q question) bool { return q.speaksOf(SensorPresented) }) ||
		c.d.automatic != nil && c.d.automatic.speaksOf(SensorPresented)
	c.check(c.d.retract == nil || c.d.takes, "presenter.retract is of no use without a poll that tells presented")
	return c.d, c.wrong
}

type compiler struct {
	d       *dialect
	xonxoff bool
	wrong   []string
}

func (c *compiler) check(ok bool, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *compiler) polls(polls []Poll) {
	for i, p := range polls {
		path := fmt.Sprintf("status.polls[%d]", i)
		q := question{ask: c.command(path+".ask", p.Ask, true), inOrder: p.InOrder}
		kind := realtime
		if p.InOrder {
			kind = noise
		}
		q.report = c.report(path, p.Answer, p.Bits, kind)
		c.check(p.InOrder || len(q.ask) == 0 || q.ask[0] == dle, "%s.ask must be a realtime command (10 …), or the poll inOrder", path)
		c.check(!p.InOrder || len(q.answer) == 1, "%s.answer must be one byte: it is told from others only by its moment", path)
		c.d.polls = append(c.d.polls, q)
	}
	slices.SortStableFunc(c.d.polls, func(a, b question) int { return map[bool]int{true: 1}[a.inOrder] - map[bool]int{true: 1}[b.inOrder] })
	c.check(len(polls) == 0 || !c.d.polls[0].inOrder, "status.polls needs a realtime poll: an answer in order never comes from a printer without paper")
}

func (c *compiler) confirm(p *ConfirmProfile) {
	known := []Confirm{ConfirmProcessID, ConfirmInOrder, ConfirmNone}
	c.check(slices.Contains(known, p.Method), "confirm.method must be processID, inOrder or none")
	c.check(p.Lead >= 0 && p.Lead <= 100, "confirm.lead must be 0..100 lines")
	c.check(p.Ahead >= 0 && p.Ahead <= 2000, "confirm.ahead must be 0..2000 dots")
	c.d.ask = c.command("confirm.ask", p.Ask, p.Method == ConfirmInOrder)
	if c.d.ask != nil {
		c.d.inOrder = c.pattern("confirm.answer", p.Answer)
		c.check(len(c.d.inOrder) == 1, "confirm.answer must be one byte")
		c.frame("confirm.answer", c.d.inOrder, inOrder)
	}
	if p.Method == ConfirmProcessID || c.d.ask != nil {
		for _, f := range c.d.frames {
			c.check(len(f.pattern) == 0 || !f.matches(0, blockHead), "the answer %s can begin like a block of data (37h)", f.pattern)
		}
	}
}

func (c *compiler) command(path, s string, needed bool) Command {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	c.check(err == nil && (len(b) > 0 || !needed), "%s must be a command in hexadecimal such as 1D 56 42 00", path)
	if err != nil || len(b) == 0 {
		return nil
	}
	c.check(b[0] < 0x20 && b[0] != nul && b[0] != lf && len(b) >= 2, "%s must be a command: two bytes or more, the first below 20h", path)
	return b
}

func (c *compiler) pattern(path, s string) pattern {
	p, err := parsePattern(s)
	c.check(err == nil, "%s: %v", path, err)
	if c.xonxoff {
		for i := range p {
			c.check(!p.matches(i, xonByte) && !p.matches(i, xoffByte), "%s: byte %d can equal XON or XOFF", path, i+1)
		}
	}
	return p
}

// frame enters the look of an answer. Looks must differ in their first byte; only realtime answers of one byte may look alike, for there
// is never more than one question.
func (c *compiler) frame(path string, p pattern, kind answerKind) {
	if len(p) == 0 {
		return
	}
	for _, f := range c.d.frames {
		if f.kind == kind && f.String() == p.String() {
			return
		}
		if f.kind == realtime && kind == realtime && len(f.pattern) == 1 && len(p) == 1 {
			continue
		}
		for b := range 256 {
			if f.matches(0, byte(b)) && p.matches(0, byte(b)) {
				c.check(false, "%s: the first byte can be that of another answer, %s", path, f.pattern)
				return
			}
		}
	}
	c.d.frames = append(c.d.frames, frame{p, kind})
}

func (c *compiler) report(path, answer string, bits map[Sensor]string, kind answerKind) report {
	r := report{answer: c.pattern(path+".answer", answer)}
	if kind != noise {
		c.frame(path+".answer", r.answer, kind)
	}
	for i, s := range sensors {
		if b, ok := bits[s]; ok {
			when, err := parseCondition(b, len(r.answer))
			c.check(err == nil, "%s.bits.%s: %v", path, s, err)
			r.bits = append(r.bits, sensorBits{i, when})
		}
	}
	for s := range bits {
		c.check(slices.Contains(sensors[:], s), "%s.bits.%s: there is no such sensor; there are %v", path, s, sensors)
	}
	return r
}

// pattern is the look of an answer, written as manuals print it: eight signs a byte, bit 7 first. 0 and 1 are fixed, x is undefined
// but on one printer always the same, and any other letter stands for bits of that byte that are equal to each other.
type pattern []patternByte

type patternByte struct {
	text        string
	mask, value byte
	free        byte // the bits that may change from answer to answer
	equal       []byte
}

func parsePattern(s string) (pattern, error) {
	var p pattern
	for _, f := range strings.Fields(s) {
		if len(f) != 8 {
			return nil, fmt.Errorf("%q must be eight signs", f)
		}
		b := patternByte{text: f}
		groups := map[rune]byte{}
		for i, r := range f {
			bit := byte(0x80) >> i
			switch {
			case r == '0' || r == '1':
				b.mask |= bit
				b.value |= bit * byte(r-'0')
			case r == 'x':
			case r >= 'a' && r <= 'z':
				groups[r] |= bit
				b.free |= bit
			default:
				return nil, fmt.Errorf("%q may hold 0, 1, x and small letters", f)
			}
		}
		for _, m := range groups {
			b.equal = append(b.equal, m)
		}
		p = append(p, b)
	}
	if len(p) == 0 || len(p) > maxBlock {
		return nil, fmt.Errorf("%q must be 1 to %d bytes of eight signs each", s, maxBlock)
	}
	return p, nil
}

// matches says whether b can be byte i of the answer.
func (p pattern) matches(i int, b byte) bool {
	q := p[i]
	return b&q.mask == q.value && !slices.ContainsFunc(q.equal, func(m byte) bool { return b&m != 0 && b&m != m })
}

// fits says whether data can be the whole answer.
func (p pattern) fits(data []byte) bool {
	for i, b := range data {
		if len(data) != len(p) || !p.matches(i, b) {
			return false
		}
	}
	return true
}

func (p pattern) String() string {
	var out []string
	for _, b := range p {
		out = append(out, b.text)
	}
	return strings.Join(out, " ")
}

// condition is what must be in an answer for a sensor to be on: any of its tests.
type condition []bitTest

type bitTest struct {
	at          int
	mask, value byte
}

// parseCondition reads tests joined by "|": "3.5" is bit 5 of the third byte, "!3.5" is that bit off, "9.1-3=6" is the number 6 in bits
// 1 to 3 of the ninth byte.
func parseCondition(s string, bytes int) (condition, error) {
	var c condition
	for t := range strings.SplitSeq(s, "|") {
		test, err := parseBitTest(strings.TrimSpace(t), bytes)
		if err != nil {
			return nil, err
		}
		c = append(c, test)
	}
	return c, nil
}

func parseBitTest(s string, bytes int) (bitTest, error) {
	wrong := fmt.Errorf("%q must be like 1.3, !1.3 or 1.1-3=6: byte from 1 to %d, bit from 0 to 7", s, bytes)
	bit, off := strings.CutPrefix(s, "!")
	bit, number, isNumber := strings.Cut(bit, "=")
	at, bits, ok := strings.Cut(bit, ".")
	low, high, isRange := strings.Cut(bits, "-")
	if !isRange {
		high = low
	}
	n, err1 := strconv.Atoi(at)
	lo, err2 := strconv.Atoi(low)
	hi, err3 := strconv.Atoi(high)
	if !ok || err1 != nil || err2 != nil || err3 != nil || n < 1 || n > bytes || lo < 0 || hi > 7 || lo > hi || isRange != isNumber || off && isRange {
		return bitTest{}, wrong
	}
	mask := byte(1<<(hi+1) - 1<<lo)
	t := bitTest{n - 1, mask, mask}
	switch {
	case off:
		t.value = 0
	case isNumber:
		v, err := strconv.Atoi(number)
		if err != nil || v < 0 || v > int(mask>>lo) {
			return bitTest{}, wrong
		}
		t.value = byte(v << lo)
	}
	return t, nil
}

func (c condition) holds(data []byte) bool {
	return slices.ContainsFunc(c, func(t bitTest) bool { return data[t.at]&t.mask == t.value })
}

// compose makes the answer of a printer whose sensors are as on says: the part of the simulator.
func (r *report) compose(on func(Sensor) bool) []byte {
	out := make([]byte, len(r.answer))
	for i, b := range r.answer {
		out[i] = b.value
	}
	for _, s := range r.bits {
		holds := on(sensors[s.sensor])
		for i, t := range s.when {
			single := t.mask&(t.mask-1) == 0
			if holds && (single || i == 0) {
				out[t.at] = out[t.at]&^t.mask | t.value
			} else if !holds && single && t.value == 0 {
				out[t.at] |= t.mask
			}
		}
	}
	return out
}
