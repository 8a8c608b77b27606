package api

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/kiosk/window"
)

const (
	eventPing  = 20 * time.Second
	eventWrite = 5 * time.Second
	eventQueue = 32 // events a listener may be behind before it is closed; it then reads the state again by GET
)

// events are those who listen to a window.
type events struct {
	mu     sync.Mutex
	closed bool
	all    map[chan window.Event]bool
	work   sync.WaitGroup
}

func newEvents() *events { return &events{all: map[chan window.Event]bool{}} }

// send hands an event to every listener; one that is too far behind is closed.
func (e *events) send(ev window.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.all {
		select {
		case c <- ev:
		default:
			delete(e.all, c)
			close(c)
		}
	}
}

func (e *events) join() (chan window.Event, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, false
	}
	c := make(chan window.Event, eventQueue)
	e.all[c] = true
	e.work.Add(1)
	return c, true
}

func (e *events) leave(c chan window.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.all[c] {
		delete(e.all, c)
		close(c)
	}
}

func (e *events) close() {
	e.mu.Lock()
	e.closed = true
	for c := range e.all {
		delete(e.all, c)
		close(c)
	}
	e.mu.Unlock()
	e.work.Wait()
}

// getEvents is the websocket of events: first the state of the window, then each event as it is committed.
func (a *API) getEvents(w http.ResponseWriter, r *http.Request) error {
	// Before the state is read, so that no event is lost in between; one that is in both is harmless.
	queue, ok := a.events.join()
	if !ok {
		return &problem{http.StatusServiceUnavailable, "ending", errors.New("the program is ending")}
	}
	defer a.events.work.Done()
	defer a.events.leave(queue)
	status, err := a.opt.Window.Status(r.Context())
	if err != nil {
		return err
	}
	// Host and Origin were judged by guard, more strictly than the library would.
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil // Upgrade has answered
	}
	defer conn.Close() // also ends the reader
	a.events.work.Go(func() { a.readEvents(conn, queue) })
	writeEvents(conn, status, queue)
	return nil
}

// writeEvents is the only writer of its connection; it returns when the listener has gone, is too far behind or has to leave.
func writeEvents(conn *websocket.Conn, status window.Status, queue <-chan window.Event) {
	if !writeJSON(conn, struct {
		Snapshot window.Status `json:"snapshot"`
	}{status}) {
		return
	}
	tick := time.NewTicker(eventPing)
	defer tick.Stop()
	for {
		select {
		case ev, open := <-queue:
			if !open {
				bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "ended; read the state again")
				_ = conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(eventWrite)) // the peer may have gone already
				return
			}
			if !writeJSON(conn, struct {
				Event window.Event `json:"event"`
			}{ev}) {
				return
			}
		case <-tick.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(eventWrite)) != nil {
				return
			}
		}
	}
}

// readEvents reads what a listener sends, which is nothing but pongs, so as to notice that it has gone.
func (a *API) readEvents(conn *websocket.Conn, queue chan window.Event) {
	defer a.events.leave(queue)
	conn.SetReadLimit(1 << 10)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(2*eventPing + eventWrite)) }
	_ = alive("")
	conn.SetPongHandler(alive)
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func writeJSON(conn *websocket.Conn, v any) bool {
	if conn.SetWriteDeadline(time.Now().Add(eventWrite)) != nil {
		return false
	}
	return conn.WriteJSON(v) == nil
}
