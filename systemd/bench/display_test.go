//go:build vm

package bench

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/devices/idcard"
	"yuanban/ui/uitest"
)

// display is a person at the program's own screen, through the websocket that the page uses.
type display struct {
	a      *appliance
	conn   *websocket.Conn
	frames chan uitest.Frame
	card   idcard.Card
	laid   time.Time // when the card was laid on this screen
	uitest.Visitor
}

// dialDisplay connects to the program as its page does.
func (a *appliance) dialDisplay(ctx context.Context) (*websocket.Conn, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Jar: jar, Transport: a.client.Transport}).Do(req)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	d := websocket.Dialer{Jar: jar, HandshakeTimeout: 20 * time.Second,
		NetDialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return a.m.Agent().Dial(ctx, "tcp", addr) }}
	conn, _, err := d.DialContext(ctx, "ws://"+listen+"/ui/ws", http.Header{"Origin": {"http://" + listen}})
	return conn, err
}

// sit opens the screen.
func (a *appliance) sit() *display {
	a.t.Helper()
	v, err := a.trySit()
	if err != nil {
		a.t.Fatal(err)
	}
	return v
}

func (a *appliance) trySit() (*display, error) {
	conn, err := a.dialDisplay(a.t.Context())
	if err != nil {
		return nil, err
	}
	v := &display{a: a, conn: conn, frames: make(chan uitest.Frame, 256), card: idcard.Examples()[0]}
	v.Send, v.Lay, v.Remove = v.send, v.lay, a.card.Remove
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer close(v.frames)
		for {
			var f uitest.Frame
			if conn.ReadJSON(&f) != nil {
				return
			}
			select {
			case v.frames <- f:
			case <-a.t.Context().Done():
				return
			}
		}
	}()
	a.t.Cleanup(func() {
		conn.Close()
		<-reading
	})
	return v, nil
}

const (
	nudge    = 400 * time.Millisecond // how long a screen that waits for the visitor is left alone before it is touched again
	patience = 10 * time.Second       // how long a card is left on the reader
)

// until does what a visitor does, until the screen is as it should be.
func (v *display) until(what string, is func() bool) {
	v.a.t.Helper()
	end := time.After(2 * time.Minute)
	again := time.NewTicker(nudge)
	defer again.Stop()
	for !is() {
		select {
		case f, open := <-v.frames:
			if !open {
				v.a.t.Fatalf("%s: the program left its screen %s", what, v.Name)
			}
			if v.look(f) && !is() {
				v.Touch()
			}
		case <-again.C:
			v.Touch()
		case <-end:
			v.a.t.Fatalf("%s: after two minutes the screen is %s:\n%s", what, v.Name, v.Main)
		}
	}
}

// wait looks, and touches nothing, until the screen is as it should be.
func (v *display) wait(what string, is func() bool) {
	v.a.t.Helper()
	end := time.After(time.Minute)
	for !is() {
		select {
		case f, open := <-v.frames:
			if !open {
				v.a.t.Fatalf("%s: the program left its screen %s", what, v.Name)
			}
			v.look(f)
		case <-end:
			v.a.t.Fatalf("%s: after a minute the screen is %s:\n%s", what, v.Name, v.Main)
		}
	}
}

func (v *display) on(screen string) func() bool { return func() bool { return v.Name == screen } }

// look takes a frame in, and says whether the screen is another.
func (v *display) look(f uitest.Frame) (changed bool) {
	if changed = v.Look(f); changed {
		v.laid = time.Time{}
	}
	return changed
}

func (v *display) send(do string, pairs ...string) {
	v.a.t.Helper()
	if err := v.conn.WriteJSON(uitest.Message(do, pairs...)); err != nil {
		v.a.t.Fatalf("the screen %s cannot %s: %v", v.Name, do, err)
	}
}

// lay lays the card, and leaves it: laid anew, it would be read anew.
func (v *display) lay() {
	v.a.t.Helper()
	if time.Since(v.laid) < patience {
		return
	}
	v.laid = time.Now()
	if err := v.a.card.Lay(v.card); err != nil {
		v.a.t.Fatal(err)
	}
}

// keepDisplay is a screen that is there again after each start of the program, until the machine is off.
func (a *appliance) keepDisplay() {
	ctx, cancel := context.WithCancel(a.t.Context())
	done := make(chan struct{})
	go func() {
		<-a.m.Agent().Done()
		cancel()
	}()
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			conn, err := a.dialDisplay(ctx)
			if err != nil {
				continue
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			stop()
			conn.Close()
		}
	}()
	a.t.Cleanup(func() {
		cancel()
		<-done
	})
}
