package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/window"
	"yuanban/ui/view"
)

func (s *stage) do(do string, pairs ...string) {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	s.flow.Act(view.Action{Do: do, Args: args})
}

// get returns how an invitation stands.
func (s *stage) get(id string) invitation {
	s.t.Helper()
	a := s.call(request{path: "/kiosk/v1/invitations/" + id})
	if a.status != http.StatusOK {
		s.t.Fatalf("reading an invitation answered %d %s", a.status, a.body)
	}
	return decoded[invitation](s.t, a)
}

// becomes waits until an invitation stands as wanted.
func (s *stage) becomes(id string, want evaluation.State) {
	s.t.Helper()
	s.eventually("the invitation is "+string(want), func() bool { return s.get(id).State == want })
}

func (s *stage) window() window.Status {
	s.t.Helper()
	return decoded[window.Status](s.t, s.call(request{path: "/kiosk/v1/window"}))
}

func TestInvitationAnswers(t *testing.T) {
	s := stand(t, setup{})
	a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"A1","stage":"special","service":2,"staff":"li"}`})
	inv := decoded[invitation](t, a)
	if a.status != 201 || a.header.Get("Location") != "/kiosk/v1/invitations/"+inv.ID || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("inviting answered %d %v", a.status, a.header)
	}
	if inv.Case != "A1" || inv.Stage != "special" || inv.Service != 2 || inv.Staff != "li" || inv.Window != "3" || inv.State != "open" || !inv.Expires.After(inv.Opened) {
		t.Errorf("the answer is %+v", inv)
	}
	if at := s.call(request{path: a.header.Get("Location")}); decoded[invitation](t, at).ID != inv.ID {
		t.Errorf("Location leads to %s", at.body)
	}
	if w := s.window(); w.State != "asking" || w.Invitation != inv.ID || w.Staff != "li" {
		t.Errorf("the window is %+v", w)
	}
}

// TestEndsOfInvitations: each way in which an invitation ends, as its window PC learns of it.
func TestEndsOfInvitations(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(s *stage, id string)
		want   evaluation.State
		counts string
	}{
		{"a button", func(s *stage, _ string) { s.flow.Press(2) }, evaluation.Rated, `"rated":1`},
		{"the screen", func(s *stage, _ string) { s.do("rate", "level", "5") }, evaluation.Rated, `"rated":1`},
		{"暂不评价", func(s *stage, _ string) { s.do("decline") }, evaluation.Declined, `"declined":1`},
		{"taken back", func(s *stage, id string) {
			if a := s.call(request{method: "DELETE", path: "/kiosk/v1/invitations/" + id}); a.status != 204 || a.body != "" {
				s.t.Errorf("taking back answered %d %s", a.status, a.body)
			}
		}, evaluation.Declined, `"declined":1`},
		{"暂停服务", func(s *stage, _ string) {
			s.call(request{method: "PUT", path: "/kiosk/v1/window", body: `{"paused":true}`})
		}, evaluation.Declined, `"declined":1`},
		{"the program ends", func(s *stage, _ string) { s.stop() }, evaluation.Fault, `"fault":1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stand(t, setup{})
			inv := s.invite("A1")
			tt.end(s, inv.ID)
			s.becomes(inv.ID, tt.want)
			if a := s.call(request{path: "/kiosk/v1/counts"}); !strings.Contains(a.body, tt.counts) || !strings.Contains(a.body, `"invited":1`) {
				t.Errorf("counts say %s", a.body)
			}
			// What has ended cannot be taken back.
			if a := s.call(request{method: "DELETE", path: "/kiosk/v1/invitations/" + inv.ID}); a.status != 404 && a.status != 503 {
				t.Errorf("taking back what has ended answered %d %s", a.status, a.body)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		s := stand(t, setup{invite: 50 * time.Millisecond})
		s.becomes(s.invite("A1").ID, evaluation.Timeout)
	})
}

// TestRefusals: why an invitation cannot be opened, each with its word and status.
func TestRefusals(t *testing.T) {
	s := stand(t, setup{})
	refused := func(number string, status int, code string) {
		t.Helper()
		a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"` + number + `","stage":"acceptance","service":1}`})
		if a.status != status || a.code() != code {
			t.Errorf("inviting answered %d %s, want %d %s", a.status, a.body, status, code)
		}
	}
	put := func(body string, status int) answer {
		t.Helper()
		a := s.call(request{method: "PUT", path: "/kiosk/v1/window", body: body})
		if a.status != status {
			t.Errorf("%s answered %d %s, want %d", body, a.status, a.body, status)
		}
		return a
	}
	inv := s.invite("A1")
	refused("A2", 409, "busy")
	s.flow.Press(4)
	s.becomes(inv.ID, evaluation.Rated)
	s.do("reason", "code", "406")
	s.on("reasons")
	refused("A2", 409, "busy")
	s.do("finish")
	s.on("thanks")
	refused("A1", 409, "rated")

	if w := decoded[window.Status](t, put(`{"paused":true}`, 200)); w.State != "paused" {
		t.Errorf("paused shows %+v", w)
	}
	refused("A2", 409, "paused")
	put(`{}`, 200) // says nothing, changes nothing
	refused("A2", 409, "paused")
	if a := put(`{"staff":"stranger"}`, 422); a.code() != "staff" || !strings.Contains(a.body, "stranger") {
		t.Errorf("a stranger: %s", a.body)
	}
	if w := decoded[window.Status](t, put(`{"staff":"","paused":false}`, 200)); w.State != "inactive" || w.Staff != "" {
		t.Errorf("without staff the window is %+v", w)
	}

	s.mu.Lock()
	s.buttons = false
	s.mu.Unlock()
	s.flow.Display(false)
	refused("A2", 503, "nobody")

	if a := s.call(request{path: "/kiosk/v1/counts?from=yesterday"}); a.status != 400 || !strings.Contains(a.body, "2026-01-31T08:00:00+08:00") {
		t.Errorf("a wrong time: %d %s", a.status, a.body)
	}
	if a := s.call(request{path: "/kiosk/v1/counts?from=2100-01-01T00:00:00Z"}); !strings.Contains(a.body, `"invited":0`) {
		t.Errorf("counts of the future: %s", a.body)
	}
}

// TestJournalGone: when nothing can be recorded, nobody is told that it was.
func TestJournalGone(t *testing.T) {
	s := stand(t, setup{})
	ok(t, s.journal.Close())
	a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"A1","stage":"acceptance","service":1}`})
	if a.status != http.StatusServiceUnavailable || a.code() != "journal" {
		t.Errorf("inviting answered %d %s", a.status, a.body)
	}
	if w := s.window(); w.Invitation != "" {
		t.Errorf("the window asks although nothing was recorded: %+v", w)
	}
}

// volatile is what differs between two runs of the same story: ids, times, ages.
var volatile = regexp.MustCompile(`[0-9A-Z]{26}|\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?|(kiosk_up_seconds|kiosk_outbox_age_seconds) [0-9.e+]+|\d+ (秒|分钟|小时)`)

// TestNoGradeAnywhere plays the same visit with each of the five grades and compares every byte that the API said. Whatever a
// caller could learn from a difference, a field, a count or a sequence, would be the grade.
func TestNoGradeAnywhere(t *testing.T) {
	said := map[int]string{}
	for level := 1; level <= 5; level++ {
		s := stand(t, setup{})
		l := s.listen()
		inv := s.invite("A1")
		s.flow.Press(level)
		s.becomes(inv.ID, evaluation.Rated)
		s.do("finish")
		s.on("thanks")
		s.answers.Reset() // how often becomes asked is no difference
		s.call(request{path: "/kiosk/v1/invitations/" + inv.ID})
		s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"A1","stage":"acceptance","service":1}`})
		s.call(request{method: "DELETE", path: "/kiosk/v1/invitations/" + inv.ID})
		for _, path := range []string{"/kiosk/v1/window", "/kiosk/v1/counts", "/kiosk/v1/status", "/technician", "/healthz", "/metrics"} {
			s.call(request{path: path})
		}
		s.stop()
		rest, _ := l.rest()
		said[level] = volatile.ReplaceAllString(s.answers.String()+strings.Join(rest, "\n"), "~")
	}
	for level := 2; level <= 5; level++ {
		if said[level] != said[1] {
			t.Errorf("grade %d can be told from grade 1:\n%s\n---\n%s", level, said[level], said[1])
		}
	}
	for _, word := range []string{"level", "grade", "score", "satisf", "非常满意", "reason"} {
		if strings.Contains(strings.ToLower(said[1]), word) {
			t.Errorf("the API says %q:\n%s", word, said[1])
		}
	}
}

// TestKeysOfAnswers: the fields that README.md promises, and no others.
func TestKeysOfAnswers(t *testing.T) {
	s := stand(t, setup{})
	inv := s.invite("A1")
	for path, want := range map[string]string{
		"/kiosk/v1/invitations/" + inv.ID: "case expires id opened service staff stage state window",
		"/kiosk/v1/window":                "display invitation online staff state window",
		"/kiosk/v1/counts":                "declined fault invited rated services timeout",
		"/kiosk/v1/status":                "chain clock devices display epoch journal machine platform role sequence started version",
	} {
		var fields map[string]any
		a := s.call(request{path: path})
		ok(t, json.Unmarshal([]byte(a.body), &fields))
		var keys []string
		for k := range fields {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%s has %s\nwant %s", path, got, want)
		}
		if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("%s is %s", path, got)
		}
	}
	if a := s.call(request{path: "/kiosk/v1/status"}); !strings.Contains(a.body, `"devices":[]`) {
		t.Errorf("no devices are %s", fmt.Sprint(a.body))
	}
}
