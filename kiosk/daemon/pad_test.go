package daemon

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// TestSerialPad is the whole way of a press: the window PC invites, the pad on its serial line shows it, a finger presses, the rating is
// committed and the pad says thanks. A press that nobody asked for rates nothing.
func TestSerialPad(t *testing.T) {
	dir := t.TempDir()
	link, err := serialport.OpenPtyLink(filepath.Join(dir, "pad"))
	ok(t, err)
	profile, err := serialpad.ByName("reference")
	ok(t, err)
	sim := serialpad.NewSim(profile, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		if err := sim.Serve(ctx, link); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		playing.Wait()
		link.Close()
	})
	const token = "0123456789abcdef"
	tokenFile := filepath.Join(dir, "token")
	ok(t, os.WriteFile(tokenFile, []byte(token), 0o600))
	r := launch(t, "machine: TEST01\nrole: pad\nstate: %q\nwindow: {number: 3, staff: chen, token-file: %q}\npad: {port: %q}\n", filepath.Join(dir, "state"), tokenFile, link.Path())
	<-r.ready

	// call asks the window's API and returns the answer.
	call := func(method, path, body string) (int, map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.addr+path, strings.NewReader(body))
		ok(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		ok(t, err)
		defer resp.Body.Close()
		answer := map[string]any{}
		ok(t, json.NewDecoder(resp.Body).Decode(&answer))
		return resp.StatusCode, answer
	}
	shows := func(want serialpad.State, text string) {
		t.Helper()
		r.eventually("the pad shows "+text, func() bool { s, got := sim.Shown(0); return s == want && got == text })
	}
	shows(serialpad.Welcome, "欢迎您")
	sim.Press(1) // nobody asked
	invite := func(number string) string {
		t.Helper()
		code, inv := call("POST", "/kiosk/v1/invitations", `{"case":"`+number+`","stage":"acceptance","service":1}`)
		if code != http.StatusCreated {
			t.Fatalf("inviting answered %d %v", code, inv)
		}
		shows(serialpad.Invite, "请您对本次服务作出评价")
		return inv["id"].(string)
	}
	id := invite("A1") // with the pad alone to ask on: no screen is connected
	if _, inv := call("GET", "/kiosk/v1/invitations/"+id, ""); inv["state"] != "open" {
		t.Errorf("a press from before the invitation made it %v", inv["state"])
	}
	r.eventually("the invitation is rated", func() bool {
		sim.Press(4) // as a visitor does who sees no thanks
		_, inv := call("GET", "/kiosk/v1/invitations/"+id, "")
		return inv["state"] == "rated"
	})
	shows(serialpad.Thank, "谢谢您的评价")
	ok(t, r.end())
	if s, _ := sim.Shown(0); s == serialpad.Invite {
		t.Error("the machine has ended, and the pad still invites")
	}
}
