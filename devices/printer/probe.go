package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Bauds are the speeds that receipt printers are set to, the fastest first: what is asked too fast reaches a slower printer as one byte or
// none, what is asked too slowly as many.
func Bauds() []int { return []int{115200, 57600, 38400, 19200, 9600} }

// ProbeOpts narrow the search for a printer; nil or zero values mean the defaults.
type ProbeOpts struct {
	Bauds []int // to try, in this order; default Bauds
}

// Found is a printer that ProbeLine has found.
type Found struct {
	Baud    int
	Answers []int // the n of the realtime questions DLE EOT n that it answers; 1 or 20 at least
	// Off says that it cannot print now, as its status tells: then nothing that a printer does in order was asked, and the fields below
	// are empty.
	Off       bool
	InOrder   bool     // it answers GS r 1
	Maker     string   // GS I 66; "" if it does not tell
	Model     string   // GS I 67
	ASB       bool     // it sends automatic status after GS a
	ProcessID bool     // it answers GS ( H fn 48
	Profiles  []string // names of the built-in profiles that are likely, the likeliest first
	Why       string   // they are
	Port      Port     // the line it is on; the caller closes it
}

// NoPrinter is the error of ProbeLine when none answers.
type NoPrinter struct {
	Bauds []int
	Heard map[int][]byte // what came, at most 64 bytes of it, by speed
	Echo  bool           // it was our own bytes, each of them
}

func (e *NoPrinter) Error() string {
	text := fmt.Sprintf("cannot find printer: asked at %v baud for its status (DLE EOT 1 and 20), and none answered", e.Bauds)
	switch {
	case e.Echo:
		return text + "; what was sent came back: a loop-back plug, TX and RX that touch each other, or a modem"
	case len(e.Heard) == 0:
		return text + "; nothing at all came. Check that the printer has power and is not in its self-test, that TX and RX are crossed exactly " +
			"once, and that both ends have the same level, RS-232 or CMOS; a printer that never answers must be configured by hand"
	}
	var some []string
	for _, baud := range slices.Backward(slices.Sorted(maps.Keys(e.Heard))) {
		some = append(some, fmt.Sprintf("at %d % X", baud, e.Heard[baud]))
	}
	return text + "; what came is no answer of a printer: " + strings.Join(some, ", ") + ". Check that the line is 8N1 and that this is the printer's"
}

const (
	askWait   = 250 * time.Millisecond // for the answer to a question that is answered at once
	orderWait = 800 * time.Millisecond // for one that is answered in its turn
	lastByte  = 40 * time.Millisecond  // after which nothing more belongs to an answer; USB adapters hold bytes back for 16 ms
	calmWait  = 2 * time.Second        // for a line that talks to fall silent
	asks      = 2                      // at each speed: the first may end as the parameter of a command that was cut short
	keepHeard = 64
)

// ProbeLine finds out at which speed a printer answers, and what it is. To change the speed the line is opened anew: open is called with
// each speed, and what it returns is closed again if it has a Close.
//
// Nothing is printed by asking. First comes only the realtime status, which no printer takes for text and no other device of this field
// for a command. A printer that answers it three times, and is ready to print, is then asked what it tells in its turn: GS r 1, GS I 66
// and 67, and, where it knows automatic status, its process id. At a wrong speed the question may leave a character in the printer's line
// buffer; the driver clears that before its first job.
//
// That there is none is known after 6 s, or 15 s on a line that talks. An error is a *[NoPrinter], wraps [ErrGone] if the line did not open
// or is lost, or is the context's.
func ProbeLine(ctx context.Context, open func(baud int) (Port, error), opts *ProbeOpts) (*Found, error) {
	none := &NoPrinter{Bauds: Bauds(), Heard: map[int][]byte{}}
	if opts != nil && len(opts.Bauds) > 0 {
		none.Bauds = opts.Bauds
	}
	echoes, strange := 0, false
	for _, baud := range none.Bauds {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("cannot find printer: %w", err)
		}
		port, err := open(baud)
		if err != nil {
			return nil, fmt.Errorf("cannot find printer: %w: %w", ErrGone, err)
		}
		q := &asking{ctx: ctx, port: port, baud: baud}
		stop := context.AfterFunc(ctx, func() { _ = port.SetReadDeadline(time.Unix(1, 0)) })
		found, err := q.find()
		if errors.Is(err, errRestless) {
			found, err = nil, nil
		}
		stop()
		if found != nil && err == nil {
			_ = port.SetReadDeadline(time.Time{})
			_ = port.SetWriteDeadline(time.Time{})
			return found, nil
		}
		if c, ok := port.(io.Closer); ok {
			_ = c.Close() // nothing was written that has to arrive
		}
		if err != nil {
			return nil, err
		}
		if len(q.heard) > 0 {
			none.Heard[baud] = q.heard
		}
		echoes += q.echoes
		strange = strange || q.strange
	}
	none.Echo = echoes > 0 && !strange
	return nil, none
}

// asking is a conversation with whatever is at one speed at the other end of a line.
type asking struct {
	ctx     context.Context
	port    Port
	baud    int
	heard   []byte
	echoes  int  // questions that came back as they were
	strange bool // something else came
}

// find returns nil when no printer answers at this speed.
func (q *asking) find() (*Found, error) {
	for i := range asks {
		for _, ask := range []func() (bool, error){q.status, q.fullStatus} {
			ok, err := ask()
			if err != nil {
				return nil, err
			}
			if !ok && i > 0 {
				break // the full status has been asked for once
			}
			if !ok {
				continue
			}
			// What looks like an answer may be a coincidence; three in a row, each alone and each when asked, are none.
			for range 2 {
				if ok, err = ask(); err != nil || !ok {
					return nil, err
				}
			}
			f := &Found{Baud: q.baud, Port: q.port}
			return f, q.describe(f)
		}
	}
	return nil, nil
}

// status asks DLE EOT 1, and says whether one byte came that can be the answer, and nothing else.
func (q *asking) status() (bool, error) {
	r, err := q.ask([]byte{dle, 0x04, 1}, askWait, func(r *replies) bool { return len(r.status) > 0 })
	return err == nil && len(r.status) == 1 && len(r.got) == 1, err
}

// fullStatus asks DLE EOT 20, which some printers of Custom answer in place of the others: 10 0F and four bytes without bit 4 (KPM300
// manual, p. 113).
func (q *asking) fullStatus() (bool, error) {
	r, err := q.ask([]byte{dle, 0x04, 20}, askWait, func(r *replies) bool { return r.full() })
	return err == nil && r.full(), err
}

// describe asks a printer what else it tells.
func (q *asking) describe(f *Found) error {
	var last [5]byte
	for n := byte(1); n <= 4; n++ {
		r, err := q.ask([]byte{dle, 0x04, n}, askWait, func(r *replies) bool { return len(r.status) > 0 })
		if err != nil {
			return err
		}
		if len(r.status) == 1 {
			last[n] = r.status[0]
			f.Answers = append(f.Answers, int(n))
		}
	}
	f.Off = last[1]&0x08 != 0 || last[2]&0x24 != 0 || last[4]&0x60 != 0
	if f.Answers == nil {
		r, err := q.ask([]byte{dle, 0x04, 20}, askWait, func(r *replies) bool { return r.full() })
		if err != nil {
			return err
		}
		if r.full() {
			f.Answers = []int{20}
			f.Off = r.got[2]&0x01 != 0 || r.got[3]&0x03 != 0 // no paper; head up or cover open
		}
	}
	if !f.Off {
		if err := q.inOrder(f); err != nil {
			return err
		}
	}
	f.Profiles, f.Why = likely(f)
	return nil
}

// inOrder asks what a printer answers in its turn, each question only after one that shows that the printer will not take it for text: GS r
// is known to all that have a paper sensor, and who does not answer it is in the middle of something; GS ( H is known to who has
// automatic status.
func (q *asking) inOrder(f *Found) error {
	_, err := q.ask([]byte{gs, 'r', 1}, orderWait, func(r *replies) bool { f.InOrder = len(r.inOrder) == 1; return f.InOrder })
	if err != nil || !f.InOrder {
		return err
	}
	for i, into := range []*string{&f.Maker, &f.Model} {
		_, err := q.ask([]byte{gs, 'I', byte(66 + i)}, orderWait, func(r *replies) bool {
			i := slices.IndexFunc(r.blocks, func(b string) bool { return b[0] == identityHead })
			if i >= 0 {
				*into = identity(r.blocks[i])
			}
			return i >= 0
		})
		if err != nil {
			return err
		}
	}
	_, err = q.ask([]byte{gs, 'a', 0xFF}, orderWait, func(r *replies) bool { f.ASB = r.automatic > 0; return f.ASB })
	if err != nil || !f.ASB {
		return err
	}
	if _, err := q.ask([]byte{gs, 'a', 0}, lastByte, func(*replies) bool { return false }); err != nil {
		return err
	}
	_, err = q.ask(slices.Concat([]byte{gs, '(', 'H', 6, 0, '0', '0'}, probeID[:]), orderWait, func(r *replies) bool {
		f.ProcessID = slices.Contains(r.blocks, string([]byte{blockHead, 0x22})+string(probeID[:]))
		return f.ProcessID
	})
	return err
}

// probeID is the process id of a search; drivers draw theirs at random.
var probeID = [4]byte{'P', 'r', 'b', '?'}

// ask throws away what came unasked, asks, and listens until enough is there and nothing follows, or for wait.
func (q *asking) ask(question []byte, wait time.Duration, enough func(*replies) bool) (*replies, error) {
	if _, err := q.listen(lastByte, calmWait, nil); err != nil {
		return nil, err
	}
	_ = q.port.SetWriteDeadline(time.Now().Add(writeWait))
	if _, err := q.port.Write(question); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, q.failed(err)
	}
	wait += time.Duration(len(question)+maxIdentity) * 10 * time.Second / time.Duration(q.baud)
	got, err := q.listen(wait, wait+calmWait, enough)
	if err != nil {
		return nil, err
	}
	r := sortReplies(got)
	switch {
	case string(got) == string(question):
		q.echoes++
		return &replies{}, nil
	case r.strange > 0:
		q.strange = true
	}
	return r, nil
}

// errRestless says that the line did not fall silent: whatever talks there, it is no printer at this speed.
var errRestless = errors.New("the line never falls silent")

// listen reads until the line was silent for d, or for lastByte once enough is there. After longest it gives up.
func (q *asking) listen(d, longest time.Duration, enough func(*replies) bool) (got []byte, err error) {
	buf := make([]byte, 256)
	end := time.Now().Add(longest)
	for {
		if err := q.ctx.Err(); err != nil {
			return nil, q.failed(err)
		}
		_ = q.port.SetReadDeadline(time.Now().Add(d))
		n, err := q.port.Read(buf)
		got = append(got, buf[:n]...)
		q.heard = append(q.heard, buf[:min(n, keepHeard-len(q.heard))]...)
		switch {
		case q.ctx.Err() != nil:
			return nil, q.failed(q.ctx.Err())
		case errors.Is(err, os.ErrDeadlineExceeded):
			return got, nil
		case err != nil:
			return nil, q.failed(err)
		case !time.Now().Before(end):
			q.strange = true
			return nil, errRestless
		}
		if enough != nil && enough(sortReplies(got)) {
			d, enough = lastByte, nil
		}
	}
}

func (q *asking) failed(err error) error {
	if q.ctx.Err() != nil {
		return fmt.Errorf("cannot find printer: %w", q.ctx.Err())
	}
	return fmt.Errorf("cannot find printer: %w: the line is lost: %w", ErrGone, err)
}

// replies are what came, sorted as [parser] does for a known printer: here bit 7 of a realtime status may be set, and any block is taken.
type replies struct {
	got       []byte   // as it came
	status    []byte   // to DLE EOT
	inOrder   []byte   // to GS r
	automatic int      // status of four bytes
	blocks    []string // with the identifier, without the final NUL
	strange   int      // bytes that are none of these
}

const (
	identityHead = 0x5F // of the answer to GS I 65..69 (Epson reference, GS I)
	maxIdentity  = 80
)

func sortReplies(b []byte) *replies {
	r := &replies{got: b}
	for len(b) > 0 {
		n := 1
		switch c := b[0]; {
		case c == 0x11 || c == 0x13: // flow control
		case c == identityHead || c == blockHead:
			if n = blockLength(b); n == 0 {
				r.strange++
				n = 1
				break
			}
			r.blocks = append(r.blocks, string(b[:n-1]))
		case c&0x13 == 0x12:
			r.status = append(r.status, c)
		case c&0x93 == 0x10 && len(b) >= 4 && (b[1]|b[2]|b[3])&0x90 == 0:
			r.automatic++
			n = 4
		case c&0x90 == 0:
			r.inOrder = append(r.inOrder, c)
		default:
			r.strange++
		}
		b = b[n:]
	}
	return r
}

// full says whether these are the six bytes of a full status, and nothing else.
func (r *replies) full() bool {
	b := r.got
	return len(b) == 6 && b[0] == 0x10 && b[1] == 0x0F && (b[2]|b[3]|b[4]|b[5])&0x10 == 0
}

// blockLength is the length of the whole block that b begins with, or 0. Makers write their names in ASCII, some in GBK.
func blockLength(b []byte) int {
	for i, c := range b[1:min(len(b), maxIdentity)] {
		switch {
		case c == 0:
			return i + 2
		case c < 0x20 || c == 0x7F:
			return 0
		}
	}
	return 0
}

// identity is the text of a block, fit to be shown.
func identity(block string) string {
	text := strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, block[1:])
	return strings.TrimSpace(text)
}

// likely names the built-in profiles that fit: by the model, if the name or title of one has a word of it, else by what it answers.
func likely(f *Found) (names []string, why string) {
	all := Profiles()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for word := range strings.FieldsFuncSeq(all[name].Name+" "+all[name].Title, func(r rune) bool { return strings.ContainsRune(" ,/()", r) }) {
			if bare(word) != "" && strings.Contains(bare(f.Model), bare(word)) {
				names, why = append(names, name), fmt.Sprintf("it says that it is a %s", f.Model)
				break
			}
		}
	}
	switch {
	case names != nil:
	case f.ASB && f.ProcessID:
		names, why = []string{"epson80"}, "it answers GS ( H and has automatic status, as the Epson class does; its paper width cannot be asked"
	case slices.Contains(f.Answers, 20):
		names, why = []string{"custom80"}, "it answers DLE EOT 20 alone, as printers of Custom with a presenter do; its paper width cannot be asked"
	case f.InOrder:
		names, why = []string{"kp628e"}, "it answers GS r 1 but no process id, as Chinese kiosk printers do; its paper width cannot be asked"
	case f.Off:
		why = "it cannot print now (paper, cover or feed button), so nothing more could be asked: mend that and ask again"
	default:
		why = "it tells its status and nothing else: choose the profile by the plate on its back"
	}
	return names, why
}

// bare is a word of a model's name as it can be compared: one with letters and digits, without hyphens. Other words say nothing.
func bare(word string) string {
	word = strings.ToLower(strings.ReplaceAll(word, "-", ""))
	if !strings.ContainsAny(word, "0123456789") || !strings.ContainsAny(word, "abcdefghijklmnopqrstuvwxyz") || len(word) < 4 {
		return ""
	}
	return word
}
