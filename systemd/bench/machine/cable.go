package machine

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Cable is the far end of a serial line of the virtual machine, where a simulated device sits. The device keeps it open
// while the cable is pulled and put back: reads wait meanwhile, and what is written goes nowhere, as on a real line.
type Cable struct {
	mu         sync.Mutex
	now        net.Conn      // nil while unplugged
	changed    chan struct{} // closed and replaced whenever something here changes
	closed     bool
	readUntil  time.Time
	writeUntil time.Time
}

func newCable() *Cable { return &Cable{changed: make(chan struct{})} }

// Plugged tells whether the cable is in.
func (c *Cable) Plugged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now != nil
}

// plug puts the cable in. On conn are the bytes of the guest.
func (c *Cable) plug(conn net.Conn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.Join(os.ErrClosed, conn.Close())
	}
	c.now = conn
	c.wake()
	return errors.Join(conn.SetReadDeadline(c.readUntil), conn.SetWriteDeadline(c.writeUntil))
}

// unplug pulls it.
func (c *Cable) unplug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		_ = c.now.Close()
		c.now = nil
		c.wake()
	}
}

// handOver makes another cable of this one, which is closed: whoever still holds it can do nothing to the line any more.
func (c *Cable) handOver() (*Cable, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := newCable()
	next.closed = c.closed
	conn := c.now
	c.now, c.closed = nil, true
	c.wake()
	if conn == nil {
		return next, nil
	}
	if err := conn.SetDeadline(time.Unix(1, 0)); err != nil { // ends a read that waits
		return nil, err
	}
	return next, next.plug(conn)
}

// Close ends the line for good: reads and writes end with os.ErrClosed.
func (c *Cable) Close() error {
	c.unplug()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.wake()
	return nil
}

func (c *Cable) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Read reads what the guest sent.
func (c *Cable) Read(b []byte) (int, error) {
	for {
		conn, changed, err := c.state(&c.readUntil)
		if err != nil {
			return 0, err
		}
		if conn != nil {
			n, err := conn.Read(b)
			switch {
			case n > 0 || err == nil:
				return n, nil
			case !c.current(conn):
			case errors.Is(err, os.ErrDeadlineExceeded):
				return 0, err
			default: // the virtual machine has ended
				c.unplug()
			}
			continue
		}
		c.await(changed)
	}
}

// Write sends to the guest. Bytes for a guest that is gone are lost without an error.
func (c *Cable) Write(b []byte) (int, error) {
	conn, _, err := c.state(&c.writeUntil)
	if err != nil {
		return 0, err
	}
	if conn == nil {
		return len(b), nil
	}
	n, err := conn.Write(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return len(b), nil
	}
	return n, err
}

// SetDeadline sets both deadlines; they stay when the cable is pulled.
func (c *Cable) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline ends reads at t, also one that waits for the cable.
func (c *Cable) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readUntil = t
	c.wake()
	if c.now == nil {
		return nil
	}
	return c.now.SetReadDeadline(t)
}

// SetWriteDeadline ends writes at t.
func (c *Cable) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeUntil = t
	if c.now == nil {
		return nil
	}
	return c.now.SetWriteDeadline(t)
}

func (c *Cable) state(until *time.Time) (net.Conn, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, nil, os.ErrClosed
	case !until.IsZero() && !time.Now().Before(*until):
		return nil, nil, os.ErrDeadlineExceeded
	}
	return c.now, c.changed, nil
}

// await returns when something has changed or the read deadline has come.
func (c *Cable) await(changed <-chan struct{}) {
	c.mu.Lock()
	until := c.readUntil
	c.mu.Unlock()
	if until.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

func (c *Cable) current(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now == conn
}
