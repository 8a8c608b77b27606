package machine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// qmp is the control socket of qemu: one command at a time, and events (QEMU Machine Protocol, docs/interop/qmp-intro).
type qmp struct {
	conn net.Conn
	done chan struct{}

	asking sync.Mutex
	answer chan qmpMessage

	mu     sync.Mutex
	events []qmpEvent
	news   chan struct{} // closed and replaced with each event
	err    error
}

type qmpMessage struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
	Data  struct {
		Device string `json:"device"`
		Reason string `json:"reason"`
	} `json:"data"`
}

type qmpEvent struct{ name, device, reason string }

// newQMP takes over conn, on which qemu says its greeting.
func newQMP(ctx context.Context, conn net.Conn) (*qmp, error) {
	q := &qmp{conn: conn, done: make(chan struct{}), answer: make(chan qmpMessage), news: make(chan struct{})}
	go q.read()
	if err := q.do(ctx, "qmp_capabilities", nil); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

func (q *qmp) read() {
	defer close(q.done)
	in := json.NewDecoder(bufio.NewReader(q.conn))
	for {
		var m qmpMessage
		err := in.Decode(&m)
		switch {
		case err != nil:
			if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
				err = errOff
			}
			q.happened(qmpEvent{}, err)
			return
		case m.Event != "":
			q.happened(qmpEvent{m.Event, m.Data.Device, m.Data.Reason}, nil)
		case m.Return != nil, m.Error != nil:
			q.answer <- m
		} // else the greeting
	}
}

// errOff says that qemu has ended.
var errOff = errors.New("the virtual machine is off")

func (q *qmp) happened(e qmpEvent, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err = err; err == nil {
		q.events = append(q.events, e)
	}
	close(q.news)
	q.news = make(chan struct{})
}

// do carries out a command.
func (q *qmp) do(ctx context.Context, command string, arguments any) error {
	q.asking.Lock()
	defer q.asking.Unlock()
	text, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = q.conn.SetWriteDeadline(deadline)
		defer q.conn.SetWriteDeadline(time.Time{})
	}
	if _, err := q.conn.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("cannot %s: %w", command, err)
	}
	select {
	case m := <-q.answer:
		if m.Error != nil {
			return fmt.Errorf("cannot %s: %s", command, m.Error.Desc)
		}
		return nil
	case <-q.done:
		return fmt.Errorf("cannot %s: %w", command, errOff)
	case <-ctx.Done():
		q.close() // an answer that comes late would be taken for the next one's
		return fmt.Errorf("cannot %s: %w", command, ctx.Err())
	}
}

// seen is how many events there have been.
func (q *qmp) seen() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events)
}

// wait waits for an event after the first so many.
func (q *qmp) wait(ctx context.Context, after int, is func(qmpEvent) bool) (qmpEvent, error) {
	for {
		q.mu.Lock()
		events, news, err := q.events[after:], q.news, q.err
		q.mu.Unlock()
		for _, e := range events {
			if is(e) {
				return e, nil
			}
		}
		if err != nil {
			return qmpEvent{}, err
		}
		after += len(events)
		select {
		case <-news:
		case <-ctx.Done():
			return qmpEvent{}, ctx.Err()
		}
	}
}

func (q *qmp) close() {
	_ = q.conn.Close()
	for {
		select {
		case <-q.answer: // for somebody who has given up
		case <-q.done:
			return
		}
	}
}
