package idcard

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestUnplugAtEveryByte pulls the plug after each byte of a whole reading, once for each byte of the commands and once for each
// of the answers. Every time the call ends at once with class gone, holds nothing of the card, and with the plug back in the
// card is read.
func TestUnplugAtEveryByte(t *testing.T) {
	for _, framing := range Framings() {
		t.Run(string(framing), func(t *testing.T) {
			var asked, answered int
			reading(t, framing, func(t *testing.T, r *Reader, c *cable) {
				card, err := r.ReadCard(t.Context(), nil)
				if err != nil || card != Examples()[0] {
					t.Fatalf("with the plug in: %v, %v", card, err)
				}
				asked, answered = c.near.sent, c.far.sent
			})
			for n := range asked {
				reading(t, framing, func(t *testing.T, r *Reader, c *cable) { cutAt(t, r, c, c.near, n) })
			}
			for n := range answered {
				reading(t, framing, func(t *testing.T, r *Reader, c *cable) { cutAt(t, r, c, c.far, n) })
			}
			t.Logf("%d bytes of commands, %d of answers", asked, answered)
		})
	}
}

// reading sets up a reader with a card on it in a bubble, and after f one more with the same simulated hardware, which must read
// the card.
func reading(t *testing.T, framing Framing, f func(t *testing.T, r *Reader, c *cable)) {
	synctest.Test(t, func(t *testing.T) {
		sim := NewSim(&SimOpts{Framing: framing, CardTime: 10 * time.Millisecond})
		for _, f := range []func(*testing.T, *Reader, *cable){f, func(t *testing.T, r *Reader, _ *cable) {
			if card, err := r.ReadCard(t.Context(), nil); err != nil || card != Examples()[0] {
				t.Errorf("with the plug in again: %v, %v", card, err)
			}
		}} {
			c := newCable()
			sim.PowerCycle()
			sim.Remove()
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- sim.Serve(ctx, c.far) }()
			r := New(c.near, &Opts{Framing: framing})
			if err := r.WaitRemoved(ctx); err != nil { // so that a card of STX is no old one
				t.Fatal(err)
			}
			c.near.sent, c.far.sent = 0, 0
			if err := sim.Lay(Examples()[0]); err != nil {
				t.Fatal(err)
			}
			f(t, r, c)
			c.unplug()
			cancel()
			<-served
		}
	})
}

// cutAt reads with the plug pulled after n bytes from one end.
func cutAt(t *testing.T, r *Reader, c *cable, end *cableEnd, n int) {
	t.Helper()
	c.mu.Lock()
	end.left = n
	c.mu.Unlock()
	card, err := r.ReadCard(t.Context(), nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Class != ClassGone || !errors.Is(err, errCut) || card != (Card{}) {
		t.Errorf("cut after byte %d: %v, %v", n, card, err)
	}
	if late := time.Since(c.cutAt); late > 0 {
		t.Errorf("cut after byte %d: noticed %v late", n, late)
	}
	if !bytes.Equal(r.held(), make([]byte, len(r.held()))) {
		t.Errorf("cut after byte %d: what was received is still there", n)
	}
	if err := r.Alive(t.Context()); err == nil {
		t.Errorf("cut after byte %d: the reader is said to be alive", n)
	}
}

// held is all that a Reader may hold of what it received.
func (r *Reader) held() []byte {
	return append(r.line.in.buf[:cap(r.line.in.buf):cap(r.line.in.buf)], r.line.chunk[:]...)
}
