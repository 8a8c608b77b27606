package printer

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// simChunk is how many bytes are taken from the line at a time: the FIFO of a UART.
const simChunk = 16

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
		n, err := port.Read(buf)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.opts.Baud > 0 && n > 0 {
			if now := time.Now(); free.Before(now.Add(-time.Second / 100)) {
				free = now // the line was idle; a shorter lag is made up for, so that the pace is right on average
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
		s.send(port)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// sender sends what the mechanics have to say.
func (s *Sim) sender(ctx context.Context, port io.ReadWriter) {
	for {
		select {
		case <-s.answerC:
			s.send(port)
		case <-ctx.Done():
			return
		}
	}
}

// send sends the answers gathered so far. A host that does not listen loses them.
func (s *Sim) send(port io.ReadWriter) {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.mu.Lock()
	out := s.out
	s.out = nil
	s.mu.Unlock()
	if len(out) > 0 {
		port.Write(out)
	}
}

// answer puts bytes into the queue to the host.
func (s *Sim) answer(b ...byte) {
	if s.fault == SimSilent {
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
	for _, c := range b {
		s.realtime(c)
		urgent := c == dle && !s.frame.inside() || s.frame.inside() && s.frame.part[0] == dle
		if s.occupied() >= s.profile.Flow.Buffer && !urgent {
			s.dropped++
			continue
		}
		cmd := s.frame.feed(c)
		if cmd == nil || cmd[0] == dle && len(cmd) > 1 || cmd[0] == nul {
			continue // a realtime command was executed as it came
		}
		s.queue = append(s.queue, cmd)
		s.queued += len(cmd)
		if len(s.queue) == 1 {
			close(s.changed)
			s.changed = make(chan struct{})
		}
	}
	s.flow()
}

// occupied is how full the receive buffer is. The parameters and data of a command that is being executed are taken out of the buffer
// as they come, so they count only while other commands wait before them. Realtime commands never get into it.
func (s *Sim) occupied() int {
	if len(s.queue) == 0 {
		return 0
	}
	if s.frame.inside() && s.frame.part[0] == dle {
		return s.queued
	}
	return s.queued + len(s.frame.part)
}

// flow says XOFF and XON as the buffer and the mechanics demand.
func (s *Sim) flow() {
	f := s.profile.Flow
	free := f.Buffer - s.occupied()
	offline := f.StopWhenOffline && s.offline()
	switch {
	case !s.stopped && (free <= f.Headroom || offline):
		s.stopped = true
		s.answer(0x13)
	case s.stopped && free >= f.Resume && !offline:
		s.stopped = false
		s.answer(0x11)
	}
}

// realtime looks for realtime commands in the raw stream, as printers do: wherever the bytes stand, also inside data.
func (s *Sim) realtime(b byte) {
	s.recent = append(s.recent, b)
	if len(s.recent) > 16 {
		s.recent = append(s.recent[:0], s.recent[len(s.recent)-10:]...)
	}
	r := s.recent
	if n := len(r); n >= 3 && r[n-3] == dle && r[n-2] == 0x04 && b >= 1 && b <= 4 {
		s.answer(s.statusByte(int(b)))
		s.recent = s.recent[:0]
	} else if n >= 10 && string(r[n-10:]) == "\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08" {
		if s.profile.Clear {
			s.clear()
		}
		s.recent = s.recent[:0]
	}
}

// clear is DLE DC4 fn 8.
func (s *Sim) clear() {
	s.queue, s.queued, s.line, s.frame.part = nil, 0, nil, nil
	s.epoch++
	if !s.current.blank() {
		s.current.partial = true
	}
	s.answer(0x37, 0x25, 0)
	s.flow()
}

func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}

// statusByte is the answer to DLE EOT n.
func (s *Sim) statusByte(n int) byte {
	b := byte(0x12)
	switch n {
	case 1:
		b |= bit(s.offline(), 0x08)
		if s.profile.Status.NotTaken && len(s.receipts) > 0 {
			b |= bit(!s.receipts[len(s.receipts)-1].taken, 0x80)
		}
	case 2:
		b |= bit(s.cover, 0x04) | bit(s.paperLeft == 0 && len(s.queue) > 0, 0x20) | bit(s.jammed, 0x40)
	case 3:
		b |= bit(s.jammed, 0x08)
	case 4:
		b |= bit(s.nearEnd() || s.paperLeft == 0, 0x0C) | bit(s.paperLeft == 0, 0x60)
	}
	return b
}

func (s *Sim) asbBytes() [4]byte {
	return [4]byte{
		0x10 | bit(s.offline(), 0x08) | bit(s.cover, 0x20),
		bit(s.jammed, 0x08),
		bit(s.nearEnd() || s.paperLeft == 0, 0x03) | bit(s.paperLeft == 0, 0x0C),
		0,
	}
}
