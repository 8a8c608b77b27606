package station

import (
	"context"
	"errors"
	"fmt"
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

// NewReader returns the reader behind a port.
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

// serve opens the port, makes sure that a reader answers, and serves until it fails.
func (r *Reader) serve(ctx context.Context, online func(string)) error {
	port, err := serialport.Open(r.port)
	if err != nil {
		return err
	}
	defer port.Close()
	dev := idcard.New(port, nil)
	sam, err := dev.Probe(ctx)
	if err != nil {
		return fmt.Errorf("cannot get an answer from the card reader at %s: %w", r.port.Path, err)
	}
	s := &serving{requests: make(chan readRequest), over: make(chan struct{})}
	r.setServing(s)
	defer close(s.over)
	defer r.setServing(nil)
	online("SAM " + sam)
	lies := false // a card that could not be taken still lies there
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case req := <-s.requests:
			var err error
			if lies, err = answer(ctx, dev, req, lies); err != nil {
				return err
			}
		case <-time.After(beat):
			if _, err := dev.Probe(ctx); err != nil {
				return fmt.Errorf("cannot get an answer from the card reader at %s: %w", r.port.Path, err)
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
	var fail *idcard.Error
	if !errors.As(err, &fail) {
		return lies, nil
	}
	switch fail.Class {
	case idcard.ClassGone, idcard.ClassFault:
		return false, err
	case idcard.ClassAgain, idcard.ClassUnreadable:
		return true, nil
	}
	return lies, nil
}
