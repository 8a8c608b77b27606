package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// invitation is what a window PC sees of one.
type invitation struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

func pad(t *testing.T) *page {
	t.Helper()
	p := start(t, "demo", "-role", "pad", "-listen", "127.0.0.1:0", "-fast")
	b := open(t, p, 1280, 800)
	b.screen("standby")
	return b
}

func (b *page) invite(number string, service int) invitation {
	b.t.Helper()
	var inv invitation
	b.p.must("POST", "/kiosk/v1/invitations", map[string]any{"case": number, "stage": "acceptance", "service": service, "staff": "chen"}, &inv)
	return inv
}

func (b *page) state(id string) string {
	b.t.Helper()
	var raw json.RawMessage
	b.p.must("GET", "/kiosk/v1/invitations/"+id, nil, &raw)
	for _, tell := range []string{"level", "grade", "satisfaction", `"5"`, `"1"`} {
		if strings.Contains(string(raw), tell) {
			b.t.Errorf("the window PC is told %s: %s", tell, raw)
		}
	}
	var inv invitation
	if err := json.Unmarshal(raw, &inv); err != nil {
		b.t.Fatal(err)
	}
	return inv.State
}

func TestBrowserPad(t *testing.T) {
	t.Parallel()
	b := pad(t)
	events := listen(t, b.p)
	inv := b.invite("CASE-0001", 1)
	if inv.State != "open" {
		t.Fatalf("a new invitation is %q", inv.State)
	}
	b.screen("rating")
	b.see("收件受理服务")
	lit := func() bool {
		var l json.RawMessage
		b.p.must("GET", "/bench/api/lamps", nil, &l)
		return strings.Contains(string(l), "true")
	}
	eventually(t, "the lamps are lit", lit)

	b.tap("非常不满意")
	b.screen("reasons")
	eventually(t, "the grade is at the platform while the reasons are open", func() bool { return len(b.p.records("rating.given")) == 1 })
	if s := b.state(inv.ID); s != "rated" {
		t.Errorf("after the press the invitation is %q", s)
	}
	b.tap("需提供办事指南之外的申报材料")
	b.tap("提交原因")
	b.screen("thanks")
	b.screen("standby")

	r := b.p.records("rating.given")
	if len(r) != 1 || !strings.Contains(string(r[0].Body), `"level":"1"`) {
		t.Errorf("the platform has %d ratings: %v", len(r), r)
	}
	if code := b.p.call("POST", "/kiosk/v1/invitations", map[string]any{"case": "CASE-0001", "stage": "acceptance", "service": 1, "staff": "chen"}, nil); code != http.StatusConflict {
		t.Errorf("a second rating of the same service answered %d, want 409", code)
	}
	for _, want := range []string{"open", "rated"} {
		if got := <-events; got != want {
			t.Errorf("event %q, want %q", got, want)
		}
	}

	// By the hardware buttons, and nothing said: kept as 未说明原因.
	second := b.invite("CASE-0001", 2)
	b.screen("rating")
	b.p.must("POST", "/bench/api/buttons/2/press", map[string]int{"ms": 400, "bounces": 6}, nil)
	b.screen("reasons")
	eventually(t, "the second rating is closed", func() bool { return len(b.p.records("rating.closed")) == 2 })
	if closed := b.p.records("rating.closed")[1]; !strings.Contains(string(closed.Body), "unstated") || !strings.Contains(string(closed.Body), "true") {
		t.Errorf("a bad rating without a reason was closed as %s", closed.Body)
	}
	if s := b.state(second.ID); s != "rated" {
		t.Errorf("the second invitation is %q", s)
	}
	b.screen("standby")

	// 暂不评价 is counted as itself.
	third := b.invite("CASE-0002", 1)
	b.screen("rating")
	b.tap("暂不评价")
	b.screen("ended")
	if s := b.state(third.ID); s != "declined" {
		t.Errorf("a declined invitation is %q", s)
	}
	b.screen("standby")

	b.p.must("PUT", "/kiosk/v1/window", map[string]any{"paused": true}, nil)
	b.see("暂停服务")
	b.picture("paused")
	if code := b.p.call("POST", "/kiosk/v1/invitations", map[string]any{"case": "CASE-0003", "stage": "acceptance", "service": 1, "staff": "chen"}, nil); code != http.StatusConflict {
		t.Errorf("an invitation at a paused window answered %d, want 409", code)
	}
	b.p.must("PUT", "/kiosk/v1/window", map[string]any{"paused": false}, nil)
	b.invite("CASE-0003", 1)
	b.screen("rating")
	if n := len(b.p.records("rating.given")); n != 2 {
		t.Errorf("%d ratings at the platform; two were given", n)
	}
}

// listen follows the events of the window and returns their states.
func listen(t *testing.T, p *program) <-chan string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(p.url, "http")+"kiosk/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	out := make(chan string, 64)
	go func() {
		defer close(out)
		for {
			var m struct {
				Event struct {
					State string `json:"state"`
				} `json:"event"`
			}
			if conn.ReadJSON(&m) != nil {
				return
			}
			if m.Event.State != "" {
				out <- m.Event.State
			}
		}
	}()
	return out
}
