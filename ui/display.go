package ui

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/ui/view"
)

// Times and codes of the display websocket.
const (
	pingEvery     = 10 * time.Second
	silentAfter   = 25 * time.Second // two pings and a half without a pong: the page is gone
	writeWithin   = 3 * time.Second  // a display that does not take a message for so long is closed
	actionsBurst  = 100
	actionsPerSec = 50

	closeGoingAway = websocket.CloseGoingAway // the page reconnects
	closePolicy    = websocket.ClosePolicyViolation
	closeTakenOver = 4001 // the page shows S-902 and stays away
)

// message is what the server sends: the whole page first, then what changed.
type message struct {
	Seq      uint64            `json:"seq"`
	Screen   string            `json:"screen"`
	Title    string            `json:"title"`
	Classes  []string          `json:"classes"`
	Regions  map[string]string `json:"regions,omitempty"`
	Sound    view.Sound        `json:"sound,omitempty"`
	Snapshot bool              `json:"snapshot,omitempty"`
}

// display is one connected browser page. Its writer is the only goroutine that writes to the connection.
type display struct {
	conn  *websocket.Conn
	wake  chan struct{} // there is a newer view
	bye   chan int      // close with this code
	ended chan struct{} // the reader has ended
	once  sync.Once
}

func (d *display) poke() {
	select {
	case d.wake <- struct{}{}:
	default: // it is awake already and will take the latest view
	}
}

func (d *display) leave(code int) { d.once.Do(func() { d.bye <- code }) }

// socket takes a display in. A newer display takes over from an older one.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	if !s.fromOurPage(r) {
		http.Error(w, "cannot open the display: only the page of this program, loaded since its start, may", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{HandshakeTimeout: writeWithin, CheckOrigin: func(*http.Request) bool { return true }} // checked above, more strictly
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	d := &display{conn: conn, wake: make(chan struct{}, 1), bye: make(chan int, 1), ended: make(chan struct{})}
	if !s.enter(d) {
		conn.Close()
		return
	}
	defer s.wait.Done()
	s.tell()
	done := make(chan struct{})
	go func() { defer close(done); s.write(d) }()
	s.read(d)
	close(d.ended)
	<-done
	s.mu.Lock()
	if s.current == d {
		s.current = nil
	}
	s.mu.Unlock()
	s.tell()
}

// enter makes d the display and sends the former one away. It refuses while the server closes.
func (s *Server) enter(d *display) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if s.current != nil {
		s.current.leave(closeTakenOver)
	}
	s.current = d
	s.wait.Add(1)
	d.poke()
	return true
}

// tell reports whether a display is there, once for each change and in order.
func (s *Server) tell() {
	s.telling.Lock()
	defer s.telling.Unlock()
	now := s.Connected()
	if now == s.told {
		return
	}
	s.told = now
	if s.opts.OnDisplay != nil {
		s.opts.OnDisplay(now)
	}
}

// write sends views and pings until the connection fails, the reader ends or the display has to leave.
func (s *Server) write(d *display) {
	defer d.conn.Close() // also ends the reader
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var last rendered
	for {
		select {
		case <-d.ended:
			return
		case code := <-d.bye:
			frame := websocket.FormatCloseMessage(code, "")
			d.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(writeWithin)) // best effort: it is leaving anyway
			return
		case <-ping.C:
			if d.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWithin)) != nil {
				return
			}
		case <-d.wake:
			next, sound := s.latest(d)
			if next.screen == "" {
				continue // nothing was shown yet
			}
			m := next.changesSince(last)
			m.Sound = sound
			last = next
			if err := send(d.conn, m); err != nil {
				s.opts.Log.Warn("cannot reach the display, closing it", "area", "ui", "err", err)
				return
			}
		}
	}
}

func send(conn *websocket.Conn, m message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	conn.SetWriteDeadline(time.Now().Add(writeWithin))
	return conn.WriteMessage(websocket.TextMessage, body)
}

// latest renders the view shown last and takes its sound.
func (s *Server) latest(d *display) (rendered, view.Sound) {
	s.mu.Lock()
	v, serial, sound := s.shown, s.serial, s.sound
	if s.current == d {
		s.sound = view.SoundNone
	}
	s.mu.Unlock()
	if serial == 0 {
		return rendered{}, view.SoundNone
	}
	return s.renderOrFault(v, serial), sound
}

// read hands actions on until the connection ends or the page does what our page never does.
func (s *Server) read(d *display) {
	d.conn.SetReadLimit(maxFrame)
	alive := func() { d.conn.SetReadDeadline(time.Now().Add(silentAfter)) }
	alive()
	d.conn.SetPongHandler(func(string) error { alive(); return nil })
	allowed := budget{tokens: actionsBurst, at: time.Now()}
	for {
		kind, frame, err := d.conn.ReadMessage()
		if err != nil {
			return
		}
		alive()
		action, err := parseAction(frame)
		if kind != websocket.TextMessage || err != nil || !allowed.take(time.Now()) {
			s.opts.Log.Warn("closing a display that sends what our page never does", "area", "ui", "err", err)
			d.leave(closePolicy)
			return
		}
		s.mu.Lock()
		mine := s.current == d
		beat := action.Do == "beat"
		if mine && beat {
			s.pulse.Beat = time.Now()
			if action.Arg("painted") == "yes" {
				s.pulse.Paint = s.pulse.Beat
			}
		}
		s.mu.Unlock()
		if mine && !beat && s.opts.OnAction != nil {
			s.opts.OnAction(action)
		}
	}
}

// budget is a token bucket for actions.
type budget struct {
	tokens float64
	at     time.Time
}

func (b *budget) take(now time.Time) bool {
	b.tokens = min(actionsBurst, b.tokens+now.Sub(b.at).Seconds()*actionsPerSec)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
