package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// errOver says that the session has ended, and with it every stream.
var errOver = errors.New("the line between bench and guest broke")

// session is one end of the pipe from one hello to the next.
type session struct {
	pipe   io.Writer
	opened func(st *stream, request []byte) // the other end opened a stream; must not block

	writing sync.Mutex // one frame at a time

	mu      sync.Mutex
	streams map[uint32]*stream
	next    uint32
	err     error // once it is over
}

// newSession is for the host if first is 1, for the guest if it is 2: each numbers its own streams.
func newSession(pipe io.Writer, first uint32, opened func(*stream, []byte)) *session {
	return &session{pipe: pipe, opened: opened, streams: map[uint32]*stream{}, next: first}
}

func (s *session) send(kind byte, id uint32, body []byte) error {
	b := frame{kind, id, body}.append(make([]byte, 0, headLen+len(body)))
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.pipe.Write(b)
	return err
}

// stream makes a stream of this end, not yet known to the other.
func (s *session) stream() (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	id := s.next
	s.next += 2
	s.streams[id] = newStream(s, id)
	return s.streams[id], nil
}

// accept makes the stream that the other end has numbered.
func (s *session) accept(id uint32) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if s.streams[id] != nil {
		return nil, fmt.Errorf("stream %d was opened twice", id)
	}
	s.streams[id] = newStream(s, id)
	return s.streams[id], nil
}

// handle takes a frame from the other end. Its error is the end of the session.
func (s *session) handle(f frame) error {
	if f.kind == frameOpen {
		st, err := s.accept(f.stream)
		if err != nil {
			return err
		}
		s.opened(st, f.body)
		return nil
	}
	s.mu.Lock()
	st := s.streams[f.stream]
	s.mu.Unlock()
	if st == nil {
		return nil // what was on its way as we ended it
	}
	switch f.kind {
	case frameData:
		return st.received(f.body)
	case frameEnd:
		return st.ended(f.body)
	case frameReset:
		st.unwanted()
	case frameWindow:
		if len(f.body) != 4 {
			return fmt.Errorf("a window of %d bytes", len(f.body))
		}
		st.widen(int(binary.BigEndian.Uint32(f.body)))
	}
	return nil
}

func (s *session) forget(id uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, id)
}

// end ends every stream.
func (s *session) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = fmt.Errorf("%w: %w", errOver, err)
	}
	streams := s.streams
	s.streams = map[uint32]*stream{}
	err = s.err
	s.mu.Unlock()
	for _, st := range streams {
		st.fail(err)
	}
}
