package printer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// simChunk is how many bytes are taken from the line at a time: the FIFO of a UART.
const simChunk = 16

// clearCommand is DLE DC4 fn 8, which empties the buffers.
const clearCommand = "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"

// Serve plays the printer on a line until the line breaks or ctx ends. The end of ctx is noticed at once if port has SetReadDeadline
// and SetWriteDeadline, else with the next byte. When the line has broken, what was received is still printed before Serve returns.
func (s *Sim) Serve(ctx context.Context, port io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	idle := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		past := time.Unix(1, 0)
		if p, ok := port.(interface{ SetReadDeadline(time.Time) error }); ok {
			p.SetReadDeadline(past)
		}
		if p, ok := port.(interface{ SetWriteDeadline(time.Time) error }); ok {
			p.SetWriteDeadline(past)
		}
	})
	defer stop()
	closing := make(chan struct{})
	wg.Go(func() { s.mechanics(ctx, closing); close(idle) })
	wg.Go(func() { s.sender(ctx, port) })

	err := s.receiver(ctx, port)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	close(closing)
	select {
	case <-idle:
	case <-ctx.Done():
	}
	return err
}

// receiver takes bytes at the pace of the line.
func (s *Sim) receiver(ctx context.Context, port io.ReadWriter) error {
	buf := make([]byte, simChunk)
	free := time.Now() // when the wire is free for the next byte
	for {
		asked := time.Now()
		n, err := port.Read(buf)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.opts.Baud > 0 && n > 0 {
			if now := time.Now(); free.Before(now) && now.Sub(asked) > time.Millisecond || free.Before(now.Add(-10*time.Millisecond)) {
				free = now // the line was idle; our own lag is made up for, so that the pace is right on average
			}
			free = free.Add(time.Duration(n) * 10 * time.Second / time.Duration(s.opts.Baud))
			select {
			case <-time.After(time.Until(free)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		s.receive(buf[:n])
		// A printer says XOFF within a byte's time: before it takes more.
		select {
		case s.sending <- struct{}{}:
			s.sendPlain(port)
			<-s.sending
		default: // the sender is at it
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// answer puts bytes into the queue to the host.
func (s *Sim) answer(b ...byte) {
	if s.fault != SimNone {
		return
	}
	s.out = append(s.out, b...)
	select {
	case s.answerC <- struct{}{}:
	default:
	}
}

// receive takes bytes off the line.
func (s *Sim) receive(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == SimOff {
		return
	}
	for _, c := range b {
		urgent := s.realtime(c)
		apart := c == dle && !s.frame.inside() || s.frame.inside() && s.frame.part[0] == dle
		if s.occupied() >= s.profile.Flow.Buffer && !apart {
			if c != nul && !urgent { // of these nothing is lost
				s.dropped = append(s.dropped, c)
			}
			continue
		}
		if s.inPart++; apart {
			s.inPart = 0 // realtime commands never get into the buffer
		}
		cmd := s.frame.feed(c)
		s.occupied()
		if cmd == nil {
			continue
		}
		size := s.inPart
		s.inPart = 0
		if cmd[0] == dle && len(cmd) > 1 || cmd[0] == nul {
			continue // a realtime command was executed as it came
		}
		s.queue = append(s.queue, received{cmd, size})
		s.queued += size
		if len(s.queue) == 1 {
			close(s.changed)
			s.changed = make(chan struct{})
		}
	}
	s.flow()
}

// occupied is how full the receive buffer is. The parameters and data of a command that is being executed are taken out of the buffer
// as they come: they count only while other commands wait before them, or while nothing can be executed.
func (s *Sim) occupied() int {
	if len(s.queue) == 0 && !s.offline() {
		s.inPart = 0
	}
	return s.queued + s.inPart
}

// flow says stop and go on as the buffer and the mechanics demand.
func (s *Sim) flow() {
	f := s.profile.Flow
	free := f.Buffer - s.occupied()
	offline := f.StopWhenOffline && s.offline()
	var say byte
	switch {
	case !s.stopped && (free <= f.Headroom || offline):
		s.stopped, say = true, xoffByte
	case s.stopped && free >= f.Resume && !offline:
		s.stopped, say = false, xonByte
	default:
		return
	}
	if f.Control == FlowXonXoff {
		s.answer(say)
	}
}

// Ready is the modem line by which a printer with hardware flow control says that it takes data.
func (s *Sim) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.stopped && s.fault != SimOff
}

// realtime looks for realtime commands in the raw stream, as printers do: wherever the bytes stand, also inside data. It says whether
// the byte can belong to one.
func (s *Sim) realtime(b byte) bool {
	s.recent = append(s.recent, b)
	if len(s.recent) > 64 {
		s.recent = append(s.recent[:0], s.recent[len(s.recent)-16:]...)
	}
	for _, q := range s.dialect.polls {
		if !q.inOrder && bytes.HasSuffix(s.recent, q.ask) {
			s.answer(q.compose(s.sensor)...)
			s.recent = s.recent[:0]
			return true
		}
	}
	if s.profile.Clear && bytes.HasSuffix(s.recent, []byte(clearCommand)) {
		s.clear()
		s.recent = s.recent[:0]
		return true
	}
	at := bytes.LastIndexByte(s.recent, dle)
	return at >= 0 && len(s.recent)-at < len(clearCommand)
}

// clear is DLE DC4 fn 8.
func (s *Sim) clear() {
	s.queue, s.queued, s.inPart, s.line, s.frame.part = nil, 0, 0, nil, nil
	s.dropMotions()
	if !s.current.blank() {
		s.current.partial = true
	}
	s.answer(blockHead, 0x25, 0)
	s.flow()
}
