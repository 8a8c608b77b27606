package serialpad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// simPiece is how many bytes leave a paced pad at once: what a USB adapter passes on in one packet.
const simPiece = 8

// Serve plays the pads on a line until ctx ends, which returns nil, or the line fails. It lives through a serialport.PtyLink being
// unplugged and plugged in again. The port should have deadlines, so that a read that waits can be ended; otherwise Serve returns only
// when that read does.
func (s *Sim) Serve(ctx context.Context, port io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	deadlines, _ := port.(interface{ SetDeadline(time.Time) error })
	past := func() {
		if deadlines != nil {
			_ = deadlines.SetDeadline(time.Unix(1, 0))
		}
	}
	release := context.AfterFunc(ctx, past)
	chunks := make(chan chunk, 64)
	var lost error
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(chunks)
		lost = s.listen(ctx, port, chunks)
	})
	s.plugged(true)
	err := s.play(ctx, port, chunks)
	s.plugged(false)
	ended := ctx.Err() != nil
	if cancel(); release() {
		past()
	}
	reading.Wait()
	if deadlines != nil {
		_ = deadlines.SetDeadline(time.Time{}) // for the next Serve
	}
	switch {
	case ended:
		return nil
	case err == nil:
		err = lost
	}
	return fmt.Errorf("cannot go on simulating the rating pad: %w", err)
}

// plugged notes whether anybody could hear the pads.
func (s *Sim) plugged(in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = in
	s.out, s.merged = nil, nil
	s.noiseAt = time.Now()
}

// listen passes on what comes from the host until the port fails or ctx ends.
func (s *Sim) listen(ctx context.Context, port io.Reader, to chan<- chunk) error {
	for {
		buf := make([]byte, 256)
		n, err := port.Read(buf)
		if n > 0 {
			if s.opts.Baud > 0 { // the last of them has yet to leave the wire
				select {
				case <-time.After(time.Duration(n) * s.profile.Line.byteTime(s.opts.Baud)):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			select {
			case to <- chunk{buf[:n], time.Now()}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// play is the life of the pads. Its error is a failed write's.
func (s *Sim) play(ctx context.Context, port io.Writer, chunks <-chan chunk) error {
	scan := newPadScanner(s.profile)
	gap := ms(s.profile.Timing.GapMs)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var heardAt time.Time
	obey := func() {
		for h, ok := scan.next(); ok; h, ok = scan.next() {
			s.receive(h)
		}
	}
	for {
		now := time.Now()
		if scan.pending() && now.Sub(heardAt) >= gap {
			scan.quiet()
			obey()
		}
		data, next := s.due(now)
		if data != nil {
			if err := s.emit(ctx, port, data); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		if silence := heardAt.Add(gap); scan.pending() && silence.Before(next) {
			next = silence
		}
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-ctx.Done():
			return nil
		case c, ok := <-chunks:
			if !ok {
				return nil
			}
			scan.feed(c.data, c.at)
			heardAt = c.at
			obey()
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// emit sends bytes, as fast as the line is. A host that takes nothing loses them.
func (s *Sim) emit(ctx context.Context, port io.Writer, data []byte) error {
	deadline, _ := port.(interface{ SetWriteDeadline(time.Time) error })
	start := time.Now()
	for sent := 0; sent < len(data); {
		n := len(data)
		if s.opts.Baud > 0 {
			n = min(simPiece, len(data)-sent)
			due := start.Add(time.Duration(sent+n) * s.profile.Line.byteTime(s.opts.Baud)) // once the last of them has been on the wire
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return nil
			}
		}
		if deadline != nil {
			_ = deadline.SetWriteDeadline(time.Now().Add(ms(50)))
		}
		if ctx.Err() != nil {
			return nil
		}
		if _, err := port.Write(data[sent : sent+n]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
		sent += n
	}
	if deadline != nil && ctx.Err() == nil {
		_ = deadline.SetWriteDeadline(time.Time{})
	}
	return nil
}
