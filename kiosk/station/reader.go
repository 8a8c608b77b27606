package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// beat is how often an idle reader is asked whether it is still there.
const beat = 800 * time.Millisecond

// Reader is the machine's ID-card reader.
type Reader struct {
	port    serialport.Config
	board   *Board
	options []Option

	// Run's own: at what speed and in which framing a reader answered last, and how often none has since.
	last   *idcard.Found
	misses int

	mu      sync.Mutex
	serving *serving // nil while the reader is not usable
}

// serving is one stretch of time in which the reader works.
type serving struct {
	requests chan readRequest
	over     chan struct{} // closed at its end
}

type readRequest struct {
	ctx    context.Context
	found  func()
	result chan readResult
}

type readResult struct {
	card idcard.Card
	err  error
}

// NewReader returns the reader behind a port. A port without a speed is asked at every speed that readers have.
func NewReader(port serialport.Config, b *Board, options ...Option) *Reader {
	return &Reader{port: port, board: b, options: append([]Option{b.onLine("reader", port)}, options...)}
}

// Run keeps the reader open until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	supervise(ctx, r.board, "reader", r.serve, r.options...)
	return nil
}

// Online says whether a card can be read now.
func (r *Reader) Online() bool { return r.board.Health("reader").State == Online }

// ReadCard waits for a card and reads it. Errors are those of idcard.Reader; a reader that is not usable fails at once with class gone.
func (r *Reader) ReadCard(ctx context.Context, found func()) (idcard.Card, error) {
	r.mu.Lock()
	s := r.serving
	r.mu.Unlock()
	gone := &idcard.Error{Class: idcard.ClassGone, Op: "read card", Err: serialport.ErrGone}
	if s == nil {
		return idcard.Card{}, gone
	}
	req := readRequest{ctx: ctx, found: found, result: make(chan readResult, 1)}
	select {
	case s.requests <- req:
	case <-s.over:
		return idcard.Card{}, gone
	case <-ctx.Done():
		return idcard.Card{}, ctx.Err()
	}
	res := <-req.result // always answered: the reader heeds req.ctx
	return res.card, res.err
}

// trust is how often a reader may be silent at the speed at which it was found before it is looked for at others: a reader that
// was plugged in again is found at once, and one put in its place is found too.
const trust = 3

// find opens the port at the speed at which a reader answers.
func (r *Reader) find(ctx context.Context) (*idcard.Found, error) {
	opts := &idcard.ProbeOpts{}
	if r.port.Baud != 0 {
		opts.Bauds = []int{r.port.Baud}
	}
	if r.last != nil && r.misses < trust {
		opts.Bauds, opts.Framings = []int{r.last.Baud}, []idcard.Framing{r.last.Framing}
	}
	found, err := idcard.ProbeLine(ctx, func(baud int) (idcard.Port, error) {
		at := r.port
		at.Baud = baud
		port, err := serialport.OpenContext(ctx, at)
		if err != nil {
			return nil, err
		}
		return port, nil
	}, opts)
	if err != nil {
		if class(err) == idcard.ClassFault {
			r.misses++
		}
		return nil, err
	}
	r.last, r.misses = &idcard.Found{Baud: found.Baud, Framing: found.Framing}, 0
	return found, nil
}

// serve finds a reader behind the port and serves until it fails. Its error tells how: class gone when the line is lost
// (serialport.ErrGone or ErrBusy), class fault when the reader does not work, and idcard.ErrMute within that when the line is
// there and the reader is frozen.
func (r *Reader) serve(ctx context.Context, online tell) error {
	found, err := r.find(ctx)
	if err != nil {
		return fmt.Errorf("cannot use the card reader at %s: %w", r.port.Path, err)
	}
	if port, ok := found.Port.(io.Closer); ok {
		defer port.Close()
	}
	s := &serving{requests: make(chan readRequest), over: make(chan struct{})}
	r.setServing(s)
	defer close(s.over)
	defer r.setServing(nil)
	online(about(found), ofReader(found)...)
	if err := r.attend(ctx, found.Reader, s.requests); err != nil {
		return fmt.Errorf("cannot go on with the card reader at %s: %w", r.port.Path, err)
	}
	return ctx.Err()
}

// about says for a technician what was found.
func about(f *idcard.Found) string {
	if f.SAMID == "" {
		return fmt.Sprintf("%d baud, framing %s", f.Baud, f.Framing)
	}
	return fmt.Sprintf("SAM %s, %d baud", f.SAMID, f.Baud)
}

// attend answers requests until ctx ends, which returns nil, or the reader fails. An idle reader is asked every beat whether it
// is still there.
func (r *Reader) attend(ctx context.Context, dev *idcard.Reader, requests <-chan readRequest) error {
	lies := false // a card that could not be taken still lies there
	for {
		select {
		case <-ctx.Done():
			return nil
		case req := <-requests:
			var err error
			if lies, err = answer(ctx, dev, req, lies); err != nil {
				return err
			}
		case <-time.After(beat):
			if err := dev.Alive(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

func (r *Reader) setServing(s *serving) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serving = s
}

// answer serves one request. A card that could not be taken must leave before the next one is read; lies says that one is there,
// before and after. The error is one that ends the reader's stretch: device fault or gone.
func answer(ctx context.Context, dev *idcard.Reader, req readRequest, lies bool) (bool, error) {
	both, cancel := context.WithCancel(req.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	var card idcard.Card
	var err error
	if lies {
		err = dev.WaitRemoved(both)
	}
	if err == nil {
		lies = false
		card, err = dev.ReadCard(both, req.found)
	}
	req.result <- readResult{card, err}
	switch class(err) {
	case idcard.ClassGone, idcard.ClassFault:
		return false, err
	case idcard.ClassAgain, idcard.ClassUnreadable:
		return true, nil
	}
	return lies, nil
}

// class is that of an error of the reader, "" of any other.
func class(err error) idcard.Class {
	if e, ok := errors.AsType[*idcard.Error](err); ok {
		return e.Class
	}
	return ""
}
