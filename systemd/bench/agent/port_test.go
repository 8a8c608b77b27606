package agent

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// port is a virtio serial port as the guest sees it: reads end with io.EOF while no host is there, writes wait for one. Like
// qemu it lets one host in at a time, and what the guest wrote for one host may reach the next.
type port struct {
	mu         sync.Mutex
	host       net.Conn // nil while none is there
	writeUntil time.Time
	closed     bool
}

// newPort makes a port and lets hosts in at a socket, whose path it returns.
func newPort(t *testing.T) (*port, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	p := &port{}
	var letting sync.WaitGroup
	letting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			for p.current() != nil { // the one before has not been seen to leave
				time.Sleep(time.Millisecond)
			}
			p.set(conn)
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.leave(p.current())
		letting.Wait()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
	})
	return p, path
}

func (p *port) current() net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.host
}

func (p *port) set(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = conn
}

func (p *port) leave(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conn != nil && p.host == conn {
		conn.Close()
		p.host = nil
	}
}

func (p *port) Read(b []byte) (int, error) {
	p.mu.Lock()
	conn, closed := p.host, p.closed
	p.mu.Unlock()
	if closed {
		return 0, os.ErrClosed
	}
	if conn == nil {
		return 0, io.EOF
	}
	n, err := conn.Read(b)
	if err != nil {
		p.leave(conn)
		return n, io.EOF
	}
	return n, nil
}

func (p *port) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		p.mu.Lock()
		conn, closed, until := p.host, p.closed, p.writeUntil
		p.mu.Unlock()
		switch {
		case closed:
			return done, os.ErrClosed
		case !until.IsZero() && !time.Now().Before(until):
			return done, os.ErrDeadlineExceeded
		case conn == nil:
			time.Sleep(time.Millisecond)
			continue
		}
		conn.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		n, _ := conn.Write(b[done:])
		done += n
	}
	return done, nil
}

func (p *port) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeUntil = t
	return nil
}

// serve runs the guest's half on a port until the test ends.
func serveGuest(t *testing.T) (path string) {
	t.Helper()
	// Cleanups run last first: the port is closed before the guest's half is waited for.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the guest's half does not end")
		}
	})
	p, path := newPort(t)
	go func() { done <- Serve(ctx, p) }()
	return path
}

func dialGuest(t *testing.T, path string) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := Dial(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
