package idcard

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Serve answers on port until ctx ends, which returns nil, or the port fails. It lives
// through a serialport.PtyLink being unplugged and plugged in again. The port should
// have deadlines or a Close, so that a read that waits can be ended; otherwise Serve
// returns only when that read does.
func (s *Sim) Serve(ctx context.Context, port io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(ctx, func() { interrupt(port) })
	received := make(chan []byte, 64)
	var lost error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(received)
		lost = forward(ctx, port, received)
	})
	err := s.answer(ctx, port, received)
	ended := ctx.Err() != nil
	if cancel(); release() {
		interrupt(port)
	}
	reading.Wait()
	if d, ok := port.(deadliner); ok {
		_ = d.SetDeadline(time.Time{}) // for the next Serve
	}
	switch {
	case ended:
		return nil
	case err == nil:
		err = lost
	}
	return fmt.Errorf("cannot go on simulating the reader: %w", err)
}

type deadliner interface{ SetDeadline(time.Time) error }

// interrupt ends reads and writes that wait.
func interrupt(port io.ReadWriter) {
	if d, ok := port.(deadliner); ok && d.SetDeadline(past) == nil {
		return
	}
	if c, ok := port.(io.Closer); ok {
		_ = c.Close()
	}
}

// forward passes on what comes from the driver until the port fails or ctx ends. It
// keeps taking bytes while the module is at work, as a real one does.
func forward(ctx context.Context, port io.Reader, to chan<- []byte) error {
	for {
		chunk := make([]byte, 256)
		n, err := port.Read(chunk)
		if n > 0 {
			select {
			case to <- chunk[:n]:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// answer carries out the commands in received until it is closed or ctx ends. The error
// is a failed write's.
func (s *Sim) answer(ctx context.Context, port io.Writer, received <-chan []byte) error {
	in := scanner{framer: s.opts.Framing.fromHost()}
	plan := s.opts.Plan
	plan.begin()
	badSums, turn, number := 0, 0, 0
	var last time.Time // when something came
	send := func(r reply, command []byte) error {
		turn++
		body := s.body(r, number)
		if s.said != nil {
			s.said(number, body)
		}
		frame := s.spoil(s.opts.Framing.fromReader().wrap(nil, body), turn)
		if len(frame) == 0 {
			return nil
		}
		for _, b := range plan.speak(s.opts.Framing, frame, command, len(received) > 0) {
			if !plan.sleep(ctx, b.wait) {
				return nil
			}
			if err := s.send(ctx, port, b.bytes); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case chunk, ok := <-received:
			if !ok {
				return nil
			}
			number++
			if time.Since(last) > commandGap { // what came before was no beginning of this
				in.wipe()
			}
			last = time.Now()
			in.feed(plan.hear(chunk))
		}
		for body, ok := in.next(); ok; body, ok = in.next() {
			do, ok := s.handle(body)
			if !ok {
				continue
			}
			if !sleep(ctx, do.wait) {
				return nil
			}
			if err := send(do.answer(), body); err != nil {
				return err
			}
		}
		if in.badSums > badSums {
			badSums = in.badSums
			if err := send(reply{sw3: swBadChecksum}, nil); err != nil {
				return err
			}
		}
	}
}

// commandGap is how long the rest of a command may be away before the module forgets its beginning.
const commandGap = 100 * time.Millisecond

// sleep waits for d, but no longer than the plan goes on, and returns false when ctx ended first.
func (p *Plan) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 || p == nil {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.stopped:
	case <-ctx.Done():
		return false
	}
	return true
}

// pace is how many bytes leave at once on a line with a speed; a USB converter passes
// on that many.
const pace = 16

// send writes a frame, as fast as the line is.
func (s *Sim) send(ctx context.Context, port io.Writer, frame []byte) error {
	if s.opts.Baud <= 0 {
		if len(frame) == 0 {
			return nil
		}
		_, err := port.Write(frame)
		return err
	}
	start := time.Now()
	for sent := 0; sent < len(frame); {
		n := min(pace, len(frame)-sent)
		// The bytes are there once the last of them has been on the wire.
		due := start.Add(time.Duration(sent+n) * 10 * time.Second / time.Duration(s.opts.Baud))
		if !sleep(ctx, time.Until(due)) {
			return nil
		}
		if _, err := port.Write(frame[sent : sent+n]); err != nil {
			return err
		}
		sent += n
	}
	return nil
}

// sleep waits for d and returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
