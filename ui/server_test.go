package ui_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/ui"
	"yuanban/ui/view"
)

var portraitScreen = ui.Screen{Width: 1080, Height: 1920, Diagonal: 21.5}

type frame struct {
	Seq      int
	Screen   string
	Regions  map[string]string
	Sound    string
	Snapshot bool
}

// open loads the page for its token and opens the display as the page does.
func open(t testing.TB, base string) *websocket.Conn {
	t.Helper()
	conn, _, err := dial(base, strings.TrimSuffix(base, "/"), token(t, base))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func token(t testing.TB, base string) string {
	t.Helper()
	answer, err := http.Get(base)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	cookies := answer.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("the page sets %v", cookies)
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

func dial(base, origin, cookie string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	if cookie != "" {
		header.Set("Cookie", cookie)
	}
	return websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"ui/ws", header)
}

func next(t testing.TB, conn *websocket.Conn) frame {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	var f frame
	if err := conn.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func thanks(word string) view.View {
	return view.View{Screen: "thanks", Title: "评价已收到", Body: view.Thanks{Word: word}}
}

func TestSnapshotThenChanges(t *testing.T) {
	server, base := serve(t, ui.RoleKiosk, portraitScreen)
	first := thanks("一")
	first.Sound = view.SoundDone
	server.Show(first)
	conn := open(t, base)
	if f := next(t, conn); !f.Snapshot || len(f.Regions) != 8 || f.Screen != "thanks" || f.Sound != "done" {
		t.Errorf("a new display gets %+v", f)
	}
	server.Show(thanks("二"))
	if f := next(t, conn); f.Snapshot || len(f.Regions) != 1 || !strings.Contains(f.Regions["main"], "二") || f.Sound != "" {
		t.Errorf("a change is sent as %+v", f)
	}
	for i := range 1000 { // faster than it is sent: the latest wins
		server.Show(thanks(fmt.Sprint("第", i, "屏")))
	}
	for f := next(t, conn); f.Seq < 1002; f = next(t, conn) {
	}
}

func TestOnlyOurPageMayOpenTheDisplay(t *testing.T) {
	server, base := serve(t, ui.RoleKiosk, portraitScreen)
	server.Show(thanks("一"))
	own := strings.TrimSuffix(base, "/")
	cookie := token(t, base)
	for name, c := range map[string]struct{ origin, cookie string }{
		"no origin": {"", cookie}, "null origin": {"null", cookie}, "file": {"file://", cookie}, "other site": {"http://evil.example", cookie},
		"prefix of ours": {own + ".evil.example", cookie}, "other port": {"http://127.0.0.1:1", cookie}, "localhost": {strings.Replace(own, "127.0.0.1", "localhost", 1), cookie},
		"no token": {own, ""}, "wrong token": {own, "kiosk-display=AAAA"}, "empty token": {own, "kiosk-display="},
	} {
		conn, answer, err := dial(base, c.origin, c.cookie)
		if err == nil {
			conn.Close()
			t.Errorf("%s: the display was opened", name)
		} else if answer == nil || answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	if server.Connected() {
		t.Error("a display is connected")
	}
	for _, path := range []string{"", "ui/ws", "ui/static/display.js", "ui/screen.css"} {
		request, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "rebound.example"
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("/%s under another host name answers %s", path, answer.Status)
		}
	}
}

func TestHeadersAndFiles(t *testing.T) {
	_, base := serve(t, ui.RoleKiosk, portraitScreen)
	for path, want := range map[string]struct {
		status int
		has    string
	}{
		"": {200, `<script type="module" src="/ui/static/display.js">`}, "ui/static/look.css": {200, ".failure"}, "ui/screen.css": {200, "--mm: 4.03"},
		"ui/brand.css": {200, ""}, "ui/emblem.svg": {200, "<svg"}, "ui/photos/sample.svg": {200, "<svg"},
		"ui/static/": {404, ""}, "ui/photos/": {404, ""}, "ui/static/../server.go": {404, ""}, "other": {404, ""},
	} {
		answer, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != want.status || !strings.Contains(string(body), want.has) {
			t.Errorf("/%s: %s, %v, lacks %q", path, answer.Status, err, want.has)
		}
		policy := answer.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("/%s: the policy %q lacks %q", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || (want.status == 200 && answer.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("/%s: policy %q, cache %q", path, policy, answer.Header.Get("Cache-Control"))
		}
	}
}

func TestActions(t *testing.T) {
	actions := make(chan view.Action, 200)
	_, base := serve(t, ui.RoleKiosk, portraitScreen, func(o *ui.Options) { o.OnAction = func(a view.Action) { actions <- a } })
	conn := open(t, base)
	for i := range 3 {
		if err := conn.WriteJSON(map[string]string{"do": "choose", "item": fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		if a := <-actions; a.Do != "choose" || a.Arg("item") != fmt.Sprint(i) {
			t.Errorf("action %d arrived as %+v", i, a)
		}
	}
}

// TestBeat: a sign of life of the page is kept and is no action: it would keep a visit alive that nobody touches.
func TestBeat(t *testing.T) {
	actions := make(chan view.Action, 4)
	server, base := serve(t, ui.RoleKiosk, portraitScreen, func(o *ui.Options) { o.OnAction = func(a view.Action) { actions <- a } })
	if p := server.Pulse(); p != (ui.Pulse{}) {
		t.Errorf("before any page it has %+v", p)
	}
	conn := open(t, base)
	var beats []ui.Pulse
	for _, painted := range []string{"no", "yes", "no"} {
		for _, m := range []map[string]string{{"do": "beat", "painted": painted}, {"do": "choose"}} {
			if err := conn.WriteJSON(m); err != nil {
				t.Fatal(err)
			}
		}
		if a := <-actions; a.Do != "choose" { // what came before it has been read
			t.Errorf("a beat arrived as %+v", a)
		}
		beats = append(beats, server.Pulse())
	}
	if !beats[0].Paint.IsZero() || beats[0].Beat.IsZero() || !beats[1].Paint.Equal(beats[1].Beat) || !beats[2].Paint.Equal(beats[1].Paint) || !beats[2].Beat.After(beats[1].Beat) {
		t.Errorf("the pulses are %+v", beats)
	}
}

// TestForeignFramesCloseTheDisplay sends what our page never sends.
func TestForeignFramesCloseTheDisplay(t *testing.T) {
	_, base := serve(t, ui.RoleKiosk, portraitScreen)
	for name, send := range map[string]func(*websocket.Conn) error{
		"not JSON": func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, []byte("hello")) },
		"binary":   func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte(`{"do":"home"}`)) },
		"too long": func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, make([]byte, 65<<10)) },
		"too many": func(c *websocket.Conn) error {
			for range 200 {
				if err := c.WriteJSON(map[string]string{"do": "home"}); err != nil {
					return nil // closed already
				}
			}
			return nil
		},
	} {
		conn := open(t, base)
		if err := send(conn); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		for {
			_, _, err := conn.ReadMessage()
			if err == nil {
				continue
			}
			if e, ok := errors.AsType[*websocket.CloseError](err); ok && e.Code != websocket.ClosePolicyViolation && e.Code != websocket.CloseMessageTooBig && e.Code != websocket.CloseAbnormalClosure {
				t.Errorf("%s: closed with %v", name, err)
			} else if !ok && errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: the display stays open", name)
			}
			break
		}
	}
}

func TestNewerDisplayTakesOver(t *testing.T) {
	var changes atomic.Int32
	actions := make(chan view.Action, 1)
	server, base := serve(t, ui.RoleKiosk, portraitScreen, func(o *ui.Options) {
		o.OnDisplay = func(bool) { changes.Add(1) }
		o.OnAction = func(a view.Action) { actions <- a }
	})
	server.Show(thanks("一"))
	older := open(t, base)
	next(t, older)
	newer := open(t, base)
	if f := next(t, newer); !f.Snapshot {
		t.Errorf("the newer display gets %+v", f)
	}
	older.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, _, err := older.ReadMessage()
	if !websocket.IsCloseError(err, 4001) {
		t.Errorf("the older display ends with %v, want the code on which the page shows S-902", err)
	}
	if err := newer.WriteJSON(map[string]string{"do": "home"}); err != nil {
		t.Fatal(err)
	}
	if a := <-actions; a.Do != "home" {
		t.Errorf("the newer display sent %+v", a)
	}
	if n := changes.Load(); n != 1 {
		t.Errorf("a display was reported to come or go %d times, it only came", n)
	}
}

// TestSlowDisplayIsClosed stops reading; Show must not wait for it.
func TestSlowDisplayIsClosed(t *testing.T) {
	server, base := serve(t, ui.RoleKiosk, portraitScreen)
	server.Show(thanks("一"))
	conn := open(t, base)
	next(t, conn)
	big := strings.Repeat("大", 200_000)
	deadline := time.Now().Add(20 * time.Second)
	for i := 0; server.Connected(); i++ {
		if time.Now().After(deadline) {
			t.Fatal("a display that reads nothing is still there")
		}
		began := time.Now()
		server.Show(thanks(fmt.Sprint(i, big)))
		if took := time.Since(began); took > time.Second {
			t.Fatalf("Show took %v", took)
		}
		time.Sleep(5 * time.Millisecond) // lets the writer take this view before the next one replaces it
	}
}

// BenchmarkShow measures from Show to the message in the hands of a client, BenchmarkEcho a bare echo beside it: the floor.
func BenchmarkShow(b *testing.B) {
	server, base := serve(b, ui.RoleKiosk, portraitScreen)
	server.Show(thanks("0"))
	conn := open(b, base)
	next(b, conn)
	i := 0
	for b.Loop() {
		i++
		server.Show(thanks(fmt.Sprint(i)))
		if _, _, err := conn.ReadMessage(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			kind, body, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, body) != nil {
				return
			}
		}
	}))
	defer web.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(web.URL, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	body, err := json.Marshal(frame{Screen: "thanks", Regions: map[string]string{"main": "<div>评价已收到</div>"}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := conn.WriteMessage(websocket.TextMessage, body); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.ReadMessage(); err != nil {
			b.Fatal(err)
		}
	}
}
