package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/window"
)

// listener is a window PC at the websocket of events.
type listener struct {
	t    *testing.T
	conn *websocket.Conn
}

func (s *stage) dial(header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{HandshakeTimeout: 10 * time.Second}
	return d.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.srv.URL, "http")+"/kiosk/v1/events", header)
}

func (s *stage) listen() *listener {
	s.t.Helper()
	conn, _, err := s.dial(http.Header{"Authorization": {"Bearer " + token}})
	ok(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	return &listener{s.t, conn}
}

type told struct {
	Snapshot *window.Status `json:"snapshot"`
	Event    *window.Event  `json:"event"`
}

// next returns the next message.
func (l *listener) next() told {
	l.t.Helper()
	ok(l.t, l.conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, data, err := l.conn.ReadMessage()
	ok(l.t, err)
	return decoded[told](l.t, answer{body: string(data)})
}

// rest reads to the end and returns what came, and how the connection was closed.
func (l *listener) rest() (messages []string, end error) {
	l.t.Helper()
	ok(l.t, l.conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	for {
		_, data, err := l.conn.ReadMessage()
		if err != nil {
			return messages, err
		}
		messages = append(messages, string(data))
	}
}

func TestEventsInOrder(t *testing.T) {
	s := stand(t, setup{})
	early := s.listen()
	if m := early.next(); m.Snapshot == nil || m.Snapshot.State != "ready" || m.Snapshot.Window != "3" {
		t.Fatalf("the first message is %+v", m)
	}
	first := s.invite("A1")
	late := s.listen()
	if m := late.next(); m.Snapshot == nil || m.Snapshot.State != "asking" || m.Snapshot.Invitation != first.ID {
		t.Fatalf("the first message of a later listener is %+v", m)
	}
	s.flow.Press(3)
	s.becomes(first.ID, evaluation.Rated)
	second := s.invite("A2") // gives way: nobody touched the reasons
	s.call(request{method: "DELETE", path: "/kiosk/v1/invitations/" + second.ID})
	third := s.invite("A3")
	s.stop() // the open one is a fault, and still told

	all := []string{first.ID + " open", first.ID + " rated", second.ID + " open", second.ID + " declined", third.ID + " open", third.ID + " fault"}
	for name, tt := range map[string]struct {
		l    *listener
		want []string
	}{"early": {early, all}, "late": {late, all[1:]}} {
		messages, end := tt.l.rest()
		var got []string
		for _, m := range messages {
			e := decoded[told](t, answer{body: m}).Event
			if e == nil {
				t.Fatalf("%s heard a second snapshot: %s", name, m)
			}
			got = append(got, e.ID+" "+string(e.State))
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s heard %v\nwant %v", name, got, tt.want)
		}
		if !websocket.IsCloseError(end, websocket.CloseGoingAway) {
			t.Errorf("%s was left with %v, want the close code 1001", name, end)
		}
	}
}

// TestToldIsCommitted: at the moment a listener hears of an event, the journal has it.
func TestToldIsCommitted(t *testing.T) {
	s := stand(t, setup{})
	l := s.listen()
	l.next()
	for i := range 20 {
		inv := s.invite(fmt.Sprint("A", i))
		s.flow.Press(5)
		for _, want := range []evaluation.State{evaluation.Open, evaluation.Rated} {
			e := l.next().Event
			kept, err := s.ratings.Get(t.Context(), inv.ID)
			ok(t, err)
			if e.State != want || want == evaluation.Rated && kept.State != want {
				t.Fatalf("heard %s while the journal says %s", e.State, kept.State)
			}
		}
		s.do("finish")
	}
}

func TestEventsRefuse(t *testing.T) {
	s := stand(t, setup{})
	bearer := "Bearer " + token
	for name, tt := range map[string]struct {
		header http.Header
		status int
	}{
		"no token":               {http.Header{}, 401},
		"a page of another site": {http.Header{"Authorization": {bearer}, "Origin": {"http://evil.example"}}, 403},
		"a rebound name":         {http.Header{"Authorization": {bearer}, "Host": {"evil.example"}}, 421},
	} {
		_, resp, err := s.dial(tt.header)
		if err == nil || resp == nil || resp.StatusCode != tt.status {
			t.Errorf("%s: %v %v, want %d", name, resp, err, tt.status)
		}
	}
	s.stop()
	if _, resp, err := s.dial(http.Header{"Authorization": {bearer}}); err == nil || resp == nil || resp.StatusCode != 503 {
		t.Errorf("after the end: %v %v, want 503", resp, err)
	}
}

// TestSlowListener: one that does not keep up gets a gapless beginning and is closed; nobody waits for it, and a new one is served.
func TestSlowListener(t *testing.T) {
	s := stand(t, setup{})
	slow := s.listen()
	slow.next()
	sent := 0
	for end := time.Now().Add(10 * time.Second); s.listeners() > 0; sent++ {
		if time.Now().After(end) {
			t.Fatalf("after %d events the slow listener is still there", sent)
		}
		s.api.Tell(window.Event{ID: fmt.Sprint(sent)})
	}
	fresh := s.listen()
	if fresh.next().Snapshot == nil {
		t.Error("a new listener gets no snapshot")
	}
	messages, end := slow.rest()
	for i, m := range messages {
		if e := decoded[told](t, answer{body: m}).Event; e == nil || e.ID != fmt.Sprint(i) {
			t.Fatalf("event %d is %s", i, m)
		}
	}
	if len(messages) < eventQueue || len(messages) >= sent || !websocket.IsCloseError(end, websocket.CloseGoingAway) {
		t.Errorf("%d of %d events, then %v", len(messages), sent, end)
	}
}

func (s *stage) listeners() int {
	s.api.events.mu.Lock()
	defer s.api.events.mu.Unlock()
	return len(s.api.events.all)
}

// TestTalkingListener: one that talks too much, or goes without a word, is let go.
func TestTalkingListener(t *testing.T) {
	s := stand(t, setup{})
	l := s.listen()
	l.next()
	ok(t, l.conn.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 2<<10))))
	if _, end := l.rest(); end == nil {
		t.Error("a listener that sends 2 KiB stays")
	}
	gone := s.listen()
	gone.next()
	gone.conn.Close()
	s.eventually("nobody is left", func() bool { return s.listeners() == 0 })
}

// TestRunLeavesNothing: Run ends with every socket and goroutine that the listeners had, also of one that does not answer.
func TestRunLeavesNothing(t *testing.T) {
	s := stand(t, setup{})
	for range 5 {
		s.listen().next()
	}
	s.listen() // never reads
	s.stop()
	var stacks strings.Builder
	ok(t, pprof.Lookup("goroutine").WriteTo(&stacks, 1))
	for _, name := range []string{"api.(*API).getEvents", "api.(*API).readEvents", "api.writeEvents"} {
		if strings.Contains(stacks.String(), name) {
			t.Errorf("%s still runs after Run returned:\n%s", name, stacks.String())
		}
	}
}

// TestTellNeverBlocks: the flow tells from its own goroutine, and must not wait for anybody.
func TestTellNeverBlocks(t *testing.T) {
	e := newEvents()
	e.send(window.Event{}) // nobody listens
	c, joined := e.join()
	if !joined {
		t.Fatal("cannot join")
	}
	for i := range 3 * eventQueue {
		e.send(window.Event{Service: i})
	}
	if len(e.all) != 0 {
		t.Fatal("a listener that took nothing is still there")
	}
	n := 0
	for ev := range c { // closed, after all that fitted
		if ev.Service != n {
			t.Errorf("event %d is number %d", ev.Service, n)
		}
		n++
	}
	if n != eventQueue {
		t.Errorf("%d events were kept, want %d", n, eventQueue)
	}
	e.leave(c) // once more is harmless
	e.work.Done()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { e.close(); cancel() }()
	<-ctx.Done()
	if _, joined := e.join(); joined || ctx.Err() != context.Canceled {
		t.Errorf("closed events take in a listener, or did not close: %v", ctx.Err())
	}
}
