//go:build vm

package bench

// testPad makes a rating pad (role pad) of the machine, with buttons and lamps on the kernel's GPIO and no screen, and the
// token of its window PC as a credential encrypted to this machine. It asserts:
//
//   - without the token nobody invites; with it the invitation is open and the lamps change; before it they are dark, and a press
//     is no rating;
//   - a press whose contact bounces is one rating, of that button's level: once in the journal, whose chain holds, and once at
//     the platform; the window PC is told that it was rated, and the lamp of that button is lit.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/station"
	"yuanban/systemd/bench/agent"
)

// windowToken is what the window PC shows.
const windowToken = "a token of the bench's window PC"

// configPad is the configuration of a rating pad.
func configPad() string {
	return fmt.Sprintf(`machine: %s
role: pad
listen: %s
state: /var/lib/kiosk
window: {number: "3", staff: chen, reasons: 10s}
`, machineName, listen) + configPanel
}

// giveToken gives the unit the token of its window PC, as the manual says.
func (a *appliance) giveToken() {
	a.t.Helper()
	a.run("mkdir", "-p", "/etc/credstore.encrypted")
	err := a.m.Agent().Run(a.t.Context(), agent.Cmd{Stdin: strings.NewReader(windowToken),
		Args: []string{"systemd-creds", "encrypt", "--name=window.token", "-", "/etc/credstore.encrypted/kiosk.window.token"}})
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *appliance) testPad() {
	a.giveToken()
	if err := a.m.Agent().Put(a.t.Context(), "/etc/kiosk/kiosk.yaml", 0o644, strings.NewReader(configPad()+a.upstream())); err != nil {
		a.t.Fatal(err)
	}
	a.run("systemctl", "restart", "kiosk")
	a.wait("a pad", buttonsOnline)
	a.delivered()
	given := len(a.facts("rating.given", ""))
	if _, err := a.invite("wrong", "BENCH-1", 1); err == nil {
		a.t.Error("somebody without the token invited")
	}
	changed := a.watchLamps()
	if err := a.hands.Do("bounce 5"); err != nil { // before anybody is asked
		a.t.Fatal(err)
	}
	if got, seen := changed(); got != "" {
		a.t.Errorf("lamps %s changed while nothing was asked: %v", got, seen)
	}
	changed = a.watchLamps()
	inv, err := a.invite(windowToken, "BENCH-1", 1)
	if err != nil {
		a.t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // for the lamps: nobody presses at once
	if got, seen := changed(); got != "1 2 3 4 5" {
		a.t.Errorf("while the rating is asked for lamps %q changed, must be all: %v", got, seen)
	}
	changed = a.watchLamps()
	if err := a.hands.Do("bounce 3"); err != nil {
		a.t.Fatal(err)
	}
	a.eventually("the window PC is told", func() bool { return a.invitation(inv) == evaluation.Rated })
	time.Sleep(time.Second)
	if _, seen := changed(); !seen["lamp-3 lit"] {
		a.t.Errorf("the lamp of the button was not lit: %v", seen)
	}
	a.delivered()
	b := a.readJournal()
	a.oneRating(b, inv, "3")
	if n := len(a.facts("rating.given", "")) - given; n != 1 {
		a.t.Errorf("%d ratings came of one invitation and two presses", n)
	}
	say("a pad: one invitation, one press that bounces, one rating in the journal and at the platform")
}

func buttonsOnline(s api.Status) bool {
	for _, d := range s.Devices {
		if d.Device == "buttons" {
			return d.State == station.Online && s.Journal == "ok"
		}
	}
	return false
}

// invite invites as the window PC does, and returns the id of the invitation.
func (a *appliance) invite(token, number string, service int) (string, error) {
	var said struct{ ID string }
	err := a.call(http.MethodPost, "invitations", token, map[string]any{"case": number, "stage": "acceptance", "service": service}, &said)
	return said.ID, err
}

// invitation asks how an invitation stands; "" if nobody says.
func (a *appliance) invitation(id string) evaluation.State {
	var said struct{ State evaluation.State }
	if err := a.call(http.MethodGet, "invitations/"+id, windowToken, nil, &said); err != nil {
		return ""
	}
	return said.State
}

// call speaks to the window's API.
func (a *appliance) call(method, path, token string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+listen+"/kiosk/v1/"+path, &text)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
