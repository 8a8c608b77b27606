package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// stream is one byte stream in each direction, a net.Conn.
type stream struct {
	s  *session
	id uint32

	gone chan struct{} // closed when the other end wants nothing more, or the session is over

	mu      sync.Mutex
	changed *sync.Cond
	err     error // of the session

	in       bytes.Buffer
	read     int      // bytes read that the other end has not been told of
	end      *outcome // of the other end
	unread   bool     // we want nothing more
	readTime deadline

	credit    int  // bytes that may be sent
	sent      bool // our end was sent
	reset     bool // the other end wants nothing more
	writeTime deadline
}

func newStream(s *session, id uint32) *stream {
	st := &stream{s: s, id: id, credit: window, gone: make(chan struct{})}
	st.changed = sync.NewCond(&st.mu)
	return st
}

// deadline wakes those who wait for a stream.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (st *stream) set(d *deadline, at time.Time) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.at = at; !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			st.mu.Lock()
			defer st.mu.Unlock()
			st.changed.Broadcast()
		})
	}
	st.changed.Broadcast()
	return nil
}

func (st *stream) SetReadDeadline(t time.Time) error  { return st.set(&st.readTime, t) }
func (st *stream) SetWriteDeadline(t time.Time) error { return st.set(&st.writeTime, t) }
func (st *stream) SetDeadline(t time.Time) error {
	return errors.Join(st.SetReadDeadline(t), st.SetWriteDeadline(t))
}

func (st *stream) LocalAddr() net.Addr  { return address("bench") }
func (st *stream) RemoteAddr() net.Addr { return address("guest") }

type address string

func (address) Network() string  { return "agent" }
func (a address) String() string { return string(a) }

// Read reads what the other end sends; io.EOF after its end, whatever the outcome.
func (st *stream) Read(b []byte) (int, error) {
	n, told, err := st.take(b)
	if told > 0 {
		body := binary.BigEndian.AppendUint32(nil, uint32(told))
		if err := st.s.send(frameWindow, st.id, body); err != nil {
			return n, nil // the session's end will be told by the next Read
		}
	}
	return n, err
}

// take waits for bytes. told is how much wider the window shall become.
func (st *stream) take(b []byte) (n, told int, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.unread:
			return 0, 0, os.ErrClosed
		case len(b) == 0:
			return 0, 0, nil
		case st.in.Len() > 0:
			n, _ = st.in.Read(b)
			st.read += n
			if st.read >= window/2 && st.end == nil && st.err == nil {
				told, st.read = st.read, 0
			}
			return n, told, nil
		case st.end != nil:
			return 0, 0, io.EOF
		case st.err != nil:
			return 0, 0, st.err
		case st.readTime.passed():
			return 0, 0, os.ErrDeadlineExceeded
		}
		st.changed.Wait()
	}
}

// Write sends b, as fast as the other end takes it.
func (st *stream) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := st.may(len(b) - done)
		if err != nil {
			return done, err
		}
		if err := st.s.send(frameData, st.id, b[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// may waits until something may be sent and says how much.
func (st *stream) may(want int) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.sent:
			return 0, os.ErrClosed
		case st.reset:
			return 0, io.ErrClosedPipe
		case st.err != nil:
			return 0, st.err
		case st.writeTime.passed():
			return 0, os.ErrDeadlineExceeded
		case st.credit > 0:
			n := min(want, st.credit, maxFrame)
			st.credit -= n
			return n, nil
		}
		st.changed.Wait()
	}
}

// CloseWrite ends what this end sends.
func (st *stream) CloseWrite() error { return st.finish(outcome{}) }

// finish ends what this end sends, once.
func (st *stream) finish(o outcome) error {
	st.mu.Lock()
	if st.sent || st.err != nil {
		st.mu.Unlock()
		return nil
	}
	st.sent = true
	st.settle()
	st.changed.Broadcast()
	st.mu.Unlock()
	return st.s.send(frameEnd, st.id, marshal(o))
}

// drop says that this end reads no more.
func (st *stream) drop() error {
	st.mu.Lock()
	if st.unread || st.end != nil || st.err != nil {
		st.unread = true
		st.changed.Broadcast()
		st.mu.Unlock()
		return nil
	}
	st.unread = true
	st.in.Reset()
	st.settle()
	st.changed.Broadcast()
	st.mu.Unlock()
	return st.s.send(frameReset, st.id, nil)
}

// Close ends both directions.
func (st *stream) Close() error { return errors.Join(st.CloseWrite(), st.drop()) }

// abort is Close for one who had more to send.
func (st *stream) abort(err error) {
	_ = st.finish(outcome{Error: err.Error()})
	_ = st.drop()
}

// settle forgets a stream that is over in both directions. It is called with mu held.
func (st *stream) settle() {
	if (st.sent || st.reset) && (st.unread || st.end != nil) {
		st.s.forget(st.id)
	}
}

// received takes bytes of the other end.
func (st *stream) received(b []byte) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.unread:
		return nil
	case st.end != nil:
		return fmt.Errorf("stream %d goes on after its end", st.id)
	case st.in.Len()+st.read+len(b) > window:
		return fmt.Errorf("stream %d is wider than its window", st.id)
	}
	st.in.Write(b)
	st.changed.Broadcast()
	return nil
}

func (st *stream) ended(body []byte) error {
	o := &outcome{}
	if err := json.Unmarshal(body, o); err != nil {
		return fmt.Errorf("stream %d has no outcome: %w", st.id, err)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.end == nil {
		st.end = o
	}
	st.settle()
	st.changed.Broadcast()
	return nil
}

// unwanted takes that the other end reads no more.
func (st *stream) unwanted() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.reset && st.err == nil {
		st.reset = true
		close(st.gone)
	}
	st.settle()
	st.changed.Broadcast()
}

func (st *stream) widen(n int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.credit += n
	st.changed.Broadcast()
}

// fail takes the end of the session.
func (st *stream) fail(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.err == nil {
		st.err = err
		if !st.reset {
			close(st.gone)
		}
	}
	st.changed.Broadcast()
}

// outcome waits for the other end's end; bytes that nobody has read are dropped then.
func (st *stream) outcome() (outcome, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.end != nil:
			return *st.end, nil
		case st.err != nil:
			return outcome{}, st.err
		}
		st.changed.Wait()
	}
}
