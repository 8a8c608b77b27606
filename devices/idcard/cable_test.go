package idcard

import (
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// errCut is what both ends of a cable get once it is cut.
var errCut = errors.New("the plug is out")

// cable is a serial line in virtual time: unlike a net.Pipe it holds what nobody reads yet, as a UART and its driver do, its
// ends have speeds, and it can be cut after any byte.
type cable struct {
	near, far *cableEnd // the driver's and the reader's

	mu      sync.Mutex
	cut     bool
	cutAt   time.Time
	noise   *rand.Rand
	changed chan struct{} // closed and replaced whenever anything changes
}

// cableEnd is one end.
type cableEnd struct {
	c     *cable
	peer  *cableEnd
	baud  int // 0 understands everything
	left  int // bytes that may still be sent from here before the cable is cut; less than 0 is no limit
	sent  int // bytes that were sent from here
	in    []byte
	until time.Time
}

// uart is how many bytes wait at an end; more are lost.
const uart = 4096

func newCable() *cable {
	c := &cable{changed: make(chan struct{}), noise: rand.New(rand.NewPCG(1, 2))}
	c.near, c.far = &cableEnd{c: c, left: -1}, &cableEnd{c: c, left: -1}
	c.near.peer, c.far.peer = c.far, c.near
	return c
}

// unplug cuts the cable.
func (c *cable) unplug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sever()
}

// unplugged tells whether it is cut.
func (c *cable) unplugged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

func (c *cable) sever() {
	if !c.cut {
		c.cut, c.cutAt = true, time.Now()
	}
	c.wake()
}

func (c *cable) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (e *cableEnd) Write(b []byte) (int, error) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	if e.c.cut {
		return 0, errCut
	}
	n := len(b)
	if e.left >= 0 {
		n = min(n, e.left)
		e.left -= n
	}
	for _, x := range b[:n] {
		if e.baud != 0 && e.peer.baud != 0 && e.baud != e.peer.baud {
			if e.c.noise.IntN(2) == 0 {
				continue // a byte with a framing error vanishes
			}
			x = byte(e.c.noise.Uint32())
		}
		if len(e.peer.in) < uart {
			e.peer.in = append(e.peer.in, x)
		}
	}
	e.sent += n
	if e.left == 0 {
		e.c.sever()
		return n, errCut
	}
	e.c.wake()
	return n, nil
}

func (e *cableEnd) Read(b []byte) (int, error) {
	for {
		n, changed, until, err := e.take(b)
		if n > 0 || err != nil {
			return n, err
		}
		if until.IsZero() {
			<-changed
			continue
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (e *cableEnd) take(b []byte) (int, <-chan struct{}, time.Time, error) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	switch {
	case !e.until.IsZero() && !time.Now().Before(e.until):
		return 0, nil, e.until, os.ErrDeadlineExceeded
	case len(e.in) > 0:
		n := copy(b, e.in)
		e.in = append([]byte(nil), e.in[n:]...)
		return n, nil, e.until, nil
	case e.c.cut:
		return 0, nil, e.until, errCut
	}
	return 0, e.c.changed, e.until, nil
}

// SetDeadline sets the read deadline: writes never wait.
func (e *cableEnd) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

func (e *cableEnd) SetReadDeadline(t time.Time) error {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	e.until = t
	e.c.wake()
	return nil
}

func (e *cableEnd) Close() error {
	e.c.unplug()
	return nil
}
