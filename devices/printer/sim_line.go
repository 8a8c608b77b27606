package printer

import (
	"context"
	"io"
	"math/rand/v2"
	"time"
)

// SimLine is what a bad wire does to a printer's answers. The zero value is a good one.
type SimLine struct {
	Lose  float64       // the share of bytes that get lost, 0..1
	Noise float64       // the chance that a byte of noise stands before a byte, 0..1
	Late  time.Duration // answers come up to that much too late
	Slow  time.Duration // from byte to byte; a second is 1 byte/s
	Split time.Duration // half an answer comes first, the other half up to that much later
	Merge time.Duration // answers are gathered for that long
	Seed  uint64
}

func (l SimLine) timed() bool { return l.Late > 0 || l.Slow > 0 || l.Split > 0 || l.Merge > 0 }

// SetLine makes the wire from the printer a bad one, or a good one again.
func (s *Sim) SetLine(l SimLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wire, s.noise = l, rand.New(rand.NewPCG(l.Seed, 7))
}

// sender sends what the mechanics have to say.
func (s *Sim) sender(ctx context.Context, port io.ReadWriter) {
	for {
		select {
		case <-s.answerC:
		case <-ctx.Done():
			return
		}
		s.sending <- struct{}{}
		ok := s.sendPlain(port) || s.sendTimed(ctx, port)
		<-s.sending
		if !ok {
			return
		}
	}
}

// sendPlain sends the answers gathered so far, if the wire does so at once. A host that does not listen loses them.
func (s *Sim) sendPlain(port io.ReadWriter) bool {
	s.mu.Lock()
	if s.wire.timed() {
		s.mu.Unlock()
		return false
	}
	out := s.distorted()
	s.mu.Unlock()
	if len(out) > 0 {
		port.Write(out)
	}
	return true
}

// distorted takes the answers as the wire leaves them.
func (s *Sim) distorted() []byte {
	out := s.out
	s.out = nil
	if s.wire.Lose == 0 && s.wire.Noise == 0 {
		return out
	}
	var bad []byte
	for _, b := range out {
		for s.noise.Float64() < s.wire.Noise {
			bad = append(bad, byte(s.noise.IntN(256)))
		}
		if s.noise.Float64() >= s.wire.Lose {
			bad = append(bad, b)
		}
	}
	return bad
}

// sendTimed sends the answers in a wire's own time. It is false if ctx ended.
func (s *Sim) sendTimed(ctx context.Context, port io.ReadWriter) bool {
	wait := func(d time.Duration) bool {
		select {
		case <-time.After(d):
			return true
		case <-ctx.Done():
			return false
		}
	}
	upTo := func(d time.Duration) time.Duration {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d <= 0 {
			return 0
		}
		return time.Duration(s.noise.Int64N(int64(d)))
	}
	s.mu.Lock()
	wire := s.wire
	s.mu.Unlock()
	if !wait(wire.Merge + upTo(wire.Late)) {
		return false
	}
	s.mu.Lock()
	out := s.distorted()
	s.mu.Unlock()
	switch {
	case wire.Slow > 0:
		for _, b := range out {
			if !wait(wire.Slow) {
				return false
			}
			port.Write([]byte{b})
		}
	case wire.Split > 0 && len(out) > 1:
		half := 1 + int(upTo(time.Duration(len(out)-1)))
		port.Write(out[:half])
		if !wait(upTo(wire.Split)) {
			return false
		}
		port.Write(out[half:])
	case len(out) > 0:
		port.Write(out)
	}
	return true
}
