//go:build vm

package bench

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/devices/idcard"
)

// display is a person at the program's own screen, through the websocket that the page uses.
type display struct {
	a      *appliance
	conn   *websocket.Conn
	frames chan frame
	screen string
	main   string // HTML of the screen's regions
	foot   string
	banner string
	card   idcard.Card
	laid   time.Time // when the card was laid on this screen
	keyed  bool
}

// frame is what the program sends to its display.
type frame struct {
	Screen  string            `json:"screen"`
	Regions map[string]string `json:"regions"`
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
	v := &display{a: a, conn: conn, frames: make(chan frame, 256), card: idcard.Examples()[0]}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		defer close(v.frames)
		for {
			var f frame
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
				v.a.t.Fatalf("%s: the program left its screen %s", what, v.screen)
			}
			if v.look(f) && !is() {
				v.touch()
			}
		case <-again.C:
			v.touch()
		case <-end:
			v.a.t.Fatalf("%s: after two minutes the screen is %s:\n%s", what, v.screen, v.main)
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
				v.a.t.Fatalf("%s: the program left its screen %s", what, v.screen)
			}
			v.look(f)
		case <-end:
			v.a.t.Fatalf("%s: after a minute the screen is %s:\n%s", what, v.screen, v.main)
		}
	}
}

func (v *display) on(screen string) func() bool { return func() bool { return v.screen == screen } }

// look takes a frame in, and says whether the screen is another.
func (v *display) look(f frame) (changed bool) {
	if f.Screen != "" && f.Screen != v.screen {
		v.screen, v.keyed, v.laid, changed = f.Screen, false, time.Time{}, true
	}
	if s, ok := f.Regions["main"]; ok {
		v.main = html.UnescapeString(s)
	}
	if s, ok := f.Regions["foot"]; ok {
		v.foot = s
	}
	if s, ok := f.Regions["banner"]; ok {
		v.banner = strings.TrimSpace(s)
	}
	return changed
}

func (v *display) send(do string, pairs ...string) {
	v.a.t.Helper()
	m := map[string]string{"do": do}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	if err := v.conn.WriteJSON(m); err != nil {
		v.a.t.Fatalf("the screen %s cannot %s: %v", v.screen, do, err)
	}
}

const creditCode = "91350100M000100Y43" // the example of GB 32100-2015

var (
	placeOfText = regexp.MustCompile(`第 (\d+) 页，共 (\d+) 页`)
	stubNumber  = regexp.MustCompile(`(?s)<p class="stub-number">(.*?)</p>`)
	tag         = regexp.MustCompile(`<[^>]*>`)
)

// numbers are the case numbers on the screen.
func (v *display) numbers() (all []string) {
	for _, n := range stubNumber.FindAllStringSubmatch(v.main, -1) {
		all = append(all, strings.Join(strings.Fields(tag.ReplaceAllString(n[1], "")), ""))
	}
	return all
}

// touch does what a visitor does on the way to a receipt.
func (v *display) touch() {
	switch v.screen {
	case "attract":
		v.send("touch")
	case "home":
		v.send("package", "code", "P2")
	case "package":
		v.send("toggle", "item", "P2-03")
		v.send("toggle", "item", "P2-04")
		v.send("apply")
	case "card":
		if time.Since(v.laid) < patience { // laid anew, it would be read anew
			return
		}
		v.laid = time.Now()
		if err := v.a.card.Lay(v.card); err != nil {
			v.a.t.Fatal(err)
		}
	case "identity":
		v.a.card.Remove()
		v.send("confirm")
	case "company":
		if !v.keyed {
			v.keyed = true
			v.send("key", "key", "clear")
			for _, k := range creditCode + "13800001234" {
				v.send("key", "key", string(k))
			}
		}
		if !strings.Contains(v.foot, "disabled") {
			v.send("done")
		}
	case "letter":
		if m := placeOfText.FindStringSubmatch(v.main); m != nil && m[1] != m[2] {
			n, _ := strconv.Atoi(m[1]) // digits, by the pattern
			v.send("page", "to", fmt.Sprint(n+1))
			return
		}
		v.send("acknowledge")
	case "sign":
		v.send("ink", "strokes", "[[[100,100,0],[120,130,20],[140,110,40],[160,150,60],[180,120,80],[200,160,100]]]")
		v.send("submit")
	case "thanks":
		v.send("finish")
	case "wiped", "fault":
		v.send("home")
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
