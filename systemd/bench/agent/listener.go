package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Listen listens in the guest. What connects there is accepted here.
func (c *Client) Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	st, err := c.s.stream()
	if err != nil {
		return nil, err
	}
	l := &listener{c: c, st: st, addr: addr, queue: make(chan *stream, backlog), closed: make(chan struct{})}
	c.mu.Lock()
	c.listeners[st.id] = l
	c.mu.Unlock()
	err = c.s.send(frameOpen, st.id, marshal(request{Listen: &sockRequest{network, addr}}))
	if err == nil {
		err = within(ctx, st)(st.confirmed())
	}
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("cannot listen on %s in the guest: %w", addr, err)
	}
	return l, nil
}

// backlog is how many connections may wait to be accepted; more are refused.
const backlog = 128

type listener struct {
	c     *Client
	st    *stream
	addr  string
	queue chan *stream

	once   sync.Once
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case st := <-l.queue:
		return st, nil
	case <-l.closed:
	case <-l.st.gone: // also the end of the session
	}
	return nil, net.ErrClosed
}

func (l *listener) Addr() net.Addr { return address(l.addr) }

// Close stops listening and ends the connections that were accepted.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	l.c.mu.Lock()
	delete(l.c.listeners, l.st.id)
	l.c.mu.Unlock()
	err := l.st.CloseWrite()
	late := time.AfterFunc(closeWait, func() { l.st.fail(errLate) })
	defer late.Stop()
	_, closed := l.st.outcome()
	return errors.Join(err, closed)
}

// closeWait is how long the guest may take to close a socket.
const closeWait = 10 * time.Second

var errLate = errors.New("the guest does not answer")

// opened takes a stream that the guest has opened: somebody has connected to one of our listeners.
func (c *Client) opened(st *stream, body []byte) {
	var r request
	if err := json.Unmarshal(body, &r); err == nil {
		c.mu.Lock()
		l := c.listeners[r.Accepted]
		c.mu.Unlock()
		if l != nil {
			select {
			case l.queue <- st:
				return
			default: // nobody accepts: refused
			}
		}
	}
	_ = st.Close()
}
