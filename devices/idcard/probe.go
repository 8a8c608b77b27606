package idcard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Bauds are the speeds that a reader may be set to (command 60 of the safety module), the usual one first.
func Bauds() []int { return []int{115200, 57600, 38400, 19200, 9600} }

// ProbeOpts narrow the search for a reader; nil or zero values mean the defaults.
type ProbeOpts struct {
	Bauds    []int         // to try, in this order; default Bauds
	Framings []Framing     // to try; default Framings
	Poll     time.Duration // of the Reader that is found
}

// Found is a reader that ProbeLine has found.
type Found struct {
	Baud    int
	Framing Framing
	SAMID   string  // number of the safety module; "" with STX, which cannot tell it
	Reader  *Reader // ready to use
	Port    Port    // on which Reader talks; the caller closes it
}

// How long a question of the search waits for its answer, without wire time. A module answers for its status at once; one
// that speaks STX looks for a card first.
const (
	quickStatus   = 300 * time.Millisecond
	patientStatus = time.Second
	quickReadAll  = 2 * time.Second
)

// ProbeLine finds out at which speed and in which framing a reader answers. To change the speed the line is opened anew: open
// is called with each speed, and what it returns is closed again if it has a Close.
//
// A reader found at once takes half a second, plus 0.3 s for each wrong speed before the right one. That there is none is
// known after 22 s, or 30 s on a line that is not silent; a reader that was just powered and takes no command for 2 s is
// found all the same.
//
// An error is an *Error. ClassGone: the line did not open or is lost. ClassFault: no reader answers, and the text says what
// was tried, what came and what to check; it is ErrMute when nothing came at all; or the one that answers is broken, and the
// text says at which speed. Otherwise the error is the context's.
func ProbeLine(ctx context.Context, open func(baud int) (Port, error), opts *ProbeOpts) (*Found, error) {
	p := &search{open: open, heard: map[int]int{}}
	if opts != nil {
		p.opts = *opts
	}
	if len(p.opts.Bauds) == 0 {
		p.opts.Bauds = Bauds()
	}
	if len(p.opts.Framings) == 0 {
		p.opts.Framings = Framings()
	}
	for _, s := range p.steps() {
		found, err := p.try(ctx, s)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, p.nothing()
}

// search is one search for a reader.
type search struct {
	open  func(baud int) (Port, error)
	opts  ProbeOpts
	heard map[int]int // bytes that came, by speed
	echo  bool        // they were our own
}

// probeStep is one question at one speed.
type probeStep struct {
	baud    int
	framing Framing
	ask     command
	times   int
}

// steps are the questions in the order that finds the usual reader soonest: the status at every speed, the other framing at
// the usual speed, and then what takes longer.
func (p *search) steps() []probeStep {
	var out []probeStep
	add := func(f Framing, c command, timeout time.Duration, bauds []int) {
		c.timeout = timeout
		times := 1
		if f == SDT && len(p.opts.Bauds) == 1 { // asked until a module that was just powered would answer
			times = 1 + int(bootTime/timeout)
		}
		if slices.Contains(p.opts.Framings, f) {
			for _, baud := range bauds {
				out = append(out, probeStep{baud, f, c, times})
			}
		}
	}
	all := p.opts.Bauds
	add(SDT, cmdStatus, quickStatus, all)
	add(STX, cmdReadAll, quickReadAll, all[:1])
	if len(all) > 1 {
		add(SDT, cmdStatus, quickStatus, all)
		add(STX, cmdReadAll, quickReadAll, all[1:])
		add(SDT, cmdStatus, patientStatus, all)
	}
	return out
}

// try opens the line for one step. A reader that answers is asked again in full. Nothing is returned when none does.
func (p *search) try(ctx context.Context, s probeStep) (*Found, error) {
	port, err := p.open(s.baud)
	if err != nil {
		return nil, &Error{Class: ClassGone, Op: "find reader", Err: err}
	}
	ear := &ear{Port: port}
	r := New(ear, &Opts{Baud: s.baud, Framing: s.framing, Poll: p.opts.Poll})
	id, err := s.question(ctx, r)
	if err == nil {
		r.line.port = port
		return &Found{Baud: s.baud, Framing: s.framing, SAMID: id, Reader: r, Port: port}, nil
	}
	if c, ok := port.(io.Closer); ok {
		_ = c.Close() // nothing was written that has to arrive
	}
	p.heard[s.baud] += ear.heard
	p.echo = p.echo || ear.heard > 0 && !ear.strange
	e, ok := errors.AsType[*Error](err)
	switch {
	case lost(err): // thus to the next step
		return nil, nil
	case !ok || e.Class != ClassFault:
		return nil, err
	}
	return nil, &Error{Class: e.Class, SW3: e.SW3, Op: "use reader", Err: fmt.Errorf("one answers at %d baud in the framing %s, but %w", s.baud, s.framing, err)}
}

// question asks whether a reader is there, and what it is.
func (s *probeStep) question(ctx context.Context, r *Reader) (id string, err error) {
	for range s.times {
		if err = s.once(ctx, r); !lost(err) {
			break
		}
	}
	if err != nil {
		return "", err
	}
	return r.Probe(ctx)
}

func (s *probeStep) once(ctx context.Context, r *Reader) error {
	c, err := r.line.begin(ctx, "find reader")
	if err != nil {
		return err
	}
	defer c.end()
	_, err = c.send(&s.ask)
	return err
}

// ear counts what comes, and notes whether it is anything but what was sent.
type ear struct {
	Port
	sent    []byte
	at      int // in sent: how much of it has come back
	heard   int
	strange bool
}

func (e *ear) Write(b []byte) (int, error) {
	e.sent = append(e.sent[e.at:], b...)
	e.at = 0
	return e.Port.Write(b)
}

func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Port.Read(b)
	e.heard += n
	for _, c := range b[:n] {
		if e.at < len(e.sent) && e.sent[e.at] == c {
			e.at++
		} else {
			e.strange = true
		}
	}
	return n, err
}

// SetWriteDeadline passes the deadline on to a port that has one.
func (e *ear) SetWriteDeadline(t time.Time) error {
	if w, ok := e.Port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return w.SetWriteDeadline(t)
	}
	return nil
}

// nothing is the error of a search in vain.
func (p *search) nothing() error {
	var asked []string
	for _, f := range p.opts.Framings {
		asked = append(asked, map[Framing]string{SDT: "for its status (11 FF, GA/T 467)", STX: "for a card (CA 01 00, STX)"}[f])
	}
	text := fmt.Sprintf("asked at %s baud %s, and no reader answered", list(p.opts.Bauds, "or"), list(asked, "and"))
	var some []string
	for _, baud := range p.opts.Bauds {
		if n := p.heard[baud]; n > 0 {
			some = append(some, fmt.Sprintf("%d bytes at %d", n, baud))
		}
	}
	cause := errBroken
	switch {
	case len(some) == 0:
		cause = ErrMute
		text += "; nothing at all came. Check that the reader has power; that TX and RX are crossed exactly once; that both ends have " +
			"the same level, RS-232 or CMOS; and that it is a serial reader: one that is a USB device of its own, such as 0400:C35A, " +
			"HID or CCID, makes no tty and cannot be used here"
	case p.echo:
		text += "; what was sent came back. Check that TX and RX are not connected with each other, and that the adapter is none for two wires"
	default:
		text += "; what came is no answer: " + list(some, "and") + ". Check that the line is 8N1, that the level is right, RS-232 or CMOS, " +
			"and that no other device is on it"
	}
	return &Error{Class: ClassFault, Op: "find reader", Err: &searchError{text, cause}}
}

// searchError is a text of its own with a cause that can be asked for.
type searchError struct {
	text  string
	cause error
}

func (e *searchError) Error() string { return e.text }
func (e *searchError) Unwrap() error { return e.cause }

// list writes things with commas and a word before the last.
func list[T any](things []T, word string) string {
	var b strings.Builder
	for i, t := range things {
		switch {
		case i > 0 && i == len(things)-1:
			fmt.Fprintf(&b, " %s ", word)
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, t)
	}
	return b.String()
}
