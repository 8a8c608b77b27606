package serialport

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Tape is what crossed a line during one opening of it. It is kept as text that can be
// read, commented and cut with an editor:
//
//	serial-tape 1
//	path /dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0
//	baud 115200
//	format 8N1
//	flow none
//	began 2026-11-22T10:15:03.123456+08:00
//
//	# This tape may hold personal data …
//	0.000000 > AA AA AA 96 69 00 03 12 FF EE
//	0.012816 < AA AA AA 96 69 00 14
//	0.013003 < 00 00 90
//	2.500102 ! gone
//
// The first line is the mark of a tape and of its version, and begins another opening of
// the line when it comes again. The header's lines follow in any order, each at most
// once; only baud is required, and flow is none or rtscts. Each record is a time in
// seconds since the opening, never less than the one before; ">" for bytes to the
// device, "<" for bytes from it, in hexadecimal, or "!" for an event: "gone", the device
// left; "closed", the program closed the line; "full", the file has reached its limit;
// "unsent N", the device took none of the last N bytes of the ">" before. What follows
// a "#" on such a line, and lines that begin with it, are comments.
type Tape struct {
	Path    string // of the line, for people
	Baud    int    // bits per second
	Format  string // such as 8N1
	RTSCTS  bool   // hardware flow control
	Began   time.Time
	Records []Record
}

// Record is one thing that happened on the line.
type Record struct {
	Line  int           // of the tape's text, from 1
	At    time.Duration // since the opening
	Way   Way
	Bytes []byte // of ToDevice and FromDevice: never empty
	Event string // of Event: gone, closed or full
}

// Way is what a record is.
type Way string

const (
	ToDevice   Way = ">"
	FromDevice Way = "<"
	Event      Way = "!"
)

// The events. A Tape has no "unsent": its bytes are taken away from the record before.
const (
	tapeGone   = "gone"
	tapeClosed = "closed"
	tapeFull   = "full"
	tapeUnsent = "unsent "
)

const (
	tapeMark = "serial-tape 1"
	// tapeLine is the longest line of a tape; a recorder writes no more than tapeChunk
	// bytes on one.
	tapeLine  = 1 << 20
	tapeChunk = 1024
	tapeTime  = "2006-01-02T15:04:05.999999Z07:00"
)

const tapeNotice = "# This tape may hold personal data: what people showed to a reader or had printed. Keep it private, and delete it when it has served."

// ParseTapes reads the openings of a line that a file holds, at least one. Its errors name
// the line of the text, and never its bytes.
func ParseTapes(r io.Reader) ([]Tape, error) {
	p := tapeParser{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, tapeLine)
	for lines.Scan() {
		p.line++
		if err := p.take(strings.TrimSuffix(lines.Text(), "\r")); err != nil {
			return nil, fmt.Errorf("cannot read tape, line %d: %w", p.line, err)
		}
	}
	err := lines.Err()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read tape, line %d: %w", p.line+1, err)
	}
	return p.tapes, nil
}

type tapeParser struct {
	line  int
	tapes []Tape
	seen  map[string]bool // header lines of the last tape
}

func (p *tapeParser) take(line string) error {
	switch {
	case line == tapeMark:
		if err := p.end(); err != nil && len(p.tapes) > 0 {
			return err
		}
		p.tapes = append(p.tapes, Tape{Format: "8N1"})
		p.seen = map[string]bool{}
		return nil
	case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
		return nil
	case len(p.tapes) == 0:
		return fmt.Errorf("this is no tape: it does not begin with %q", tapeMark)
	}
	t := &p.tapes[len(p.tapes)-1]
	if line[0] >= '0' && line[0] <= '9' {
		return t.record(p.line, line)
	}
	if len(t.Records) > 0 {
		return errors.New("a record begins with a time")
	}
	key, value, _ := strings.Cut(line, " ")
	if p.seen[key] {
		return fmt.Errorf("a second line %q", key)
	}
	p.seen[key] = true
	return t.header(key, value)
}

// end says what the last tape lacks.
func (p *tapeParser) end() error {
	switch {
	case len(p.tapes) == 0:
		return fmt.Errorf("there is nothing but the end; a tape begins with %q", tapeMark)
	case !p.seen["baud"]:
		return errors.New("the tape does not say its baud")
	}
	return nil
}

func (t *Tape) header(key, value string) (err error) {
	switch key {
	case "path":
		t.Path = strings.Map(printable, value)
	case "baud":
		if t.Baud, err = strconv.Atoi(value); err != nil || t.Baud <= 0 {
			return errors.New("baud must be a number of bits per second")
		}
	case "format":
		if len(value) != 3 || value[0] < '5' || value[0] > '8' || !strings.Contains("NOE", value[1:2]) || value[2] < '1' || value[2] > '2' {
			return errors.New("format must be data bits, parity (N, O, E) and stop bits, such as 8N1")
		}
		t.Format = value
	case "flow":
		if value != "none" && value != "rtscts" {
			return errors.New("flow must be none or rtscts")
		}
		t.RTSCTS = value == "rtscts"
	case "began":
		if t.Began, err = time.Parse(time.RFC3339Nano, value); err != nil {
			return errors.New("began must be a date and time such as 2026-11-22T10:15:03.5+08:00")
		}
		t.Began = t.Began.Truncate(time.Microsecond)
	default:
		return errors.New("neither a line of the header (path, baud, format, flow, began) nor a record")
	}
	return nil
}

func (t *Tape) record(n int, line string) error {
	line, _, _ = strings.Cut(line, "#")
	words := append(strings.Fields(line), "", "")
	at, err := time.ParseDuration(words[0] + "s")
	if err != nil || strings.Trim(words[0], "0123456789.") != "" {
		return errors.New("a record begins with a time in seconds, such as 0.012816")
	}
	r := Record{Line: n, At: at.Truncate(time.Microsecond), Way: Way(words[1])}
	if last := len(t.Records) - 1; last >= 0 && r.At < t.Records[last].At {
		return errors.New("time runs backwards")
	}
	switch words = words[2:]; r.Way {
	case ToDevice, FromDevice:
		if r.Bytes, err = hex.DecodeString(strings.Join(words, "")); err != nil || len(r.Bytes) == 0 {
			return errors.New("bytes must be pairs of hexadecimal digits")
		}
	case Event:
		word := strings.TrimSpace(strings.Join(words, " "))
		if count, ok := strings.CutPrefix(word, tapeUnsent); ok {
			return t.unsent(count)
		}
		if r.Event = word; word != tapeGone && word != tapeClosed && word != tapeFull {
			return errors.New("an event is gone, closed, full or unsent and a number")
		}
	default:
		return errors.New("after the time comes > (to the device), < (from the device) or ! (event)")
	}
	t.Records = append(t.Records, r)
	return nil
}

// unsent takes the bytes away that the device did not take.
func (t *Tape) unsent(count string) error {
	n, err := strconv.Atoi(count)
	if err != nil || n <= 0 {
		return errors.New("unsent needs a number of bytes")
	}
	for i := len(t.Records) - 1; n > 0; i-- {
		if i < 0 {
			return errors.New("more unsent than was ever sent")
		}
		r := &t.Records[i]
		if r.Way != ToDevice {
			continue
		}
		cut := min(n, len(r.Bytes))
		r.Bytes = r.Bytes[:len(r.Bytes)-cut]
		n -= cut
		if len(r.Bytes) == 0 {
			t.Records = append(t.Records[:i], t.Records[i+1:]...)
		}
	}
	return nil
}

// WriteTo writes the tape as text.
func (t Tape) WriteTo(w io.Writer) (int64, error) {
	out := []byte(t.heading())
	for _, r := range t.Records {
		out = r.append(out)
	}
	n, err := w.Write(out)
	return int64(n), err
}

// heading is the text before the records.
func (t Tape) heading() string {
	var b strings.Builder
	fmt.Fprintln(&b, tapeMark)
	if t.Path != "" {
		fmt.Fprintln(&b, "path", strings.Map(printable, t.Path))
	}
	fmt.Fprintln(&b, "baud", t.Baud)
	fmt.Fprintln(&b, "format", t.Format)
	fmt.Fprintln(&b, "flow", map[bool]string{false: "none", true: "rtscts"}[t.RTSCTS])
	if !t.Began.IsZero() {
		fmt.Fprintln(&b, "began", t.Began.Format(tapeTime))
	}
	fmt.Fprintf(&b, "\n%s\n", tapeNotice)
	return b.String()
}

// printable keeps a path on its line.
func printable(r rune) rune {
	if r < ' ' || r == 0x7F {
		return '?'
	}
	return r
}

// append writes the record as a line of text.
func (r Record) append(b []byte) []byte {
	b = fmt.Appendf(b, "%d.%06d %s", r.At/time.Second, r.At%time.Second/time.Microsecond, r.Way)
	const digits = "0123456789ABCDEF"
	for _, c := range r.Bytes {
		b = append(b, ' ', digits[c>>4], digits[c&15])
	}
	if r.Event != "" {
		b = append(append(b, ' '), r.Event...)
	}
	return append(b, '\n')
}

// head is the header of a tape of this line.
func (c Config) head() Tape {
	return Tape{Path: c.Path, Baud: c.Baud, Format: c.word(), RTSCTS: c.RTSCTS, Began: time.Now()}
}
