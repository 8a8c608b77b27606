package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/kiosk/window"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

const token = "0123456789abcdef-token"

// stage is a real window over a real journal behind a real HTTP server. It is stopped in the order of the daemon.
type stage struct {
	t       *testing.T
	flow    *window.Flow
	ratings *evaluation.Book
	journal *journal.Journal
	api     *API
	srv     *httptest.Server
	host    string
	stop    func() // ends flow and API; harmless when repeated

	mu      sync.Mutex
	shown   view.View
	buttons bool
	answers bytes.Buffer // everything the API ever said to call
}

// setup changes what a stage is made of.
type setup struct {
	kiosk   bool          // no window
	open    bool          // no token, as in demo
	invite  time.Duration // how long an invitation stands; a minute when 0
	devices []station.Health
	journal string // what Status says of it; "ok" when empty
}

var (
	content    = sync.OnceValues(func() (*catalogue.Catalogue, error) { return catalogue.Load(catalogue.Example()) })
	dictionary = sync.OnceValues(pinyin.Load)
)

func stand(t *testing.T, with setup) *stage {
	t.Helper()
	c, err := content()
	ok(t, err)
	d, err := dictionary()
	ok(t, err)
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"), journal.Options{Machine: "TEST01"})
	ok(t, err)
	reasons, err := evaluation.LoadReasons(bytes.NewReader(c.Reasons.Raw), c.Reasons.Version)
	ok(t, err)
	quiet := slog.New(slog.DiscardHandler)
	s := &stage{t: t, journal: j, ratings: evaluation.New(j, reasons, evaluation.Options{Log: quiet}), buttons: true}
	if with.invite == 0 {
		with.invite = time.Minute
	}
	s.flow = window.New(window.Options{
		Show:    func(v view.View) { s.mu.Lock(); defer s.mu.Unlock(); s.shown = v },
		OnEvent: func(e window.Event) { s.api.Tell(e) },
		Buttons: func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.buttons },
		Box:     view.Box{Width: 1280, Height: 800}, Words: wording.Default(), Catalogue: c, Pinyin: d, Ratings: s.ratings,
		Window: "3", Staff: "chen", Invite: with.invite, Reasons: 20 * time.Second, Log: quiet,
	})
	s.srv = httptest.NewUnstartedServer(nil)
	s.host = s.srv.Listener.Addr().String()
	opt := Options{Hosts: []string{s.host}, Token: token, Window: s.flow, Desk: s.flow, Ratings: s.ratings,
		Status: func(ctx context.Context) Status { return s.status(ctx, with) }, Word: wording.Default().Text, Log: quiet}
	if with.open {
		opt.Token = ""
	}
	if with.kiosk {
		opt.Window, opt.Desk, opt.Token = nil, nil, ""
	}
	s.api, err = New(opt)
	ok(t, err)
	s.srv.Config.Handler = s.api
	s.srv.Start()
	s.run()
	return s
}

// run starts the API before its user, the flow, and stops them the other way round.
func (s *stage) run() {
	start := func(run func(context.Context) error) func() {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx) }()
		return sync.OnceFunc(func() {
			cancel()
			select {
			case err := <-done:
				ok(s.t, err)
			case <-time.After(10 * time.Second):
				s.t.Error("Run has not returned 10 s after its context ended")
			}
		})
	}
	stopAPI, stopFlow := start(s.api.Run), start(s.flow.Run)
	s.stop = func() { stopFlow(); stopAPI() }
	s.flow.Display(true)
	s.t.Cleanup(func() {
		s.stop()
		s.srv.Close()
		ok(s.t, s.journal.Close())
	})
}

func (s *stage) status(ctx context.Context, with setup) Status {
	st := Status{Machine: "TEST01", Role: "pad", Version: "test", Started: time.Now().Add(-90 * time.Second), Display: true,
		Devices: with.devices, Journal: "ok", Chain: "ok", Clock: "ok", Epoch: s.journal.Epoch(),
		Platform: Platform{Configured: true, Backlog: 2, Oldest: time.Now().Add(-time.Hour), LastError: "refused"}}
	if with.journal != "" {
		st.Journal = with.journal
	}
	if pos, err := s.journal.Position(ctx); err == nil {
		st.Sequence = pos.Last
	}
	return st
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// on waits until the pad shows a screen.
func (s *stage) on(screen string) {
	s.t.Helper()
	s.eventually("the screen "+screen, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.shown.Screen == screen })
}

func (s *stage) eventually(what string, happened func() bool) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("did not happen within 10 s: %s", what)
		}
	}
}

// request is one call of the API; the zero value is GET without a body, with the token, from a program.
type request struct {
	method, path string
	host         string // the server's own when empty
	header       map[string]string
	noToken      bool
	body         string // sent as application/json unless header says otherwise
}

type answer struct {
	status int
	header http.Header
	body   string
}

// code is the word for programs in an error.
func (a answer) code() string {
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal([]byte(a.body), &e) != nil || e.Error.Message == "" {
		return ""
	}
	return e.Error.Code
}

func (s *stage) call(r request) answer {
	s.t.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	req, err := http.NewRequest(r.method, s.srv.URL+r.path, strings.NewReader(r.body))
	ok(s.t, err)
	if r.host != "" {
		req.Host = r.host
	}
	if !r.noToken {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range r.header {
		req.Header.Del(k)
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	resp, err := s.srv.Client().Do(req)
	ok(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(s.t, err)
	a := answer{resp.StatusCode, resp.Header, string(body)}
	s.answers.WriteString(r.method + " " + r.path + " " + resp.Status + "\n" + a.body)
	return a
}

// invite opens an invitation and returns what the window PC sees of it.
func (s *stage) invite(number string) invitation {
	s.t.Helper()
	a := s.call(request{method: "POST", path: "/kiosk/v1/invitations", body: `{"case":"` + number + `","stage":"acceptance","service":1}`})
	if a.status != http.StatusCreated {
		s.t.Fatalf("inviting answered %d %s", a.status, a.body)
	}
	return decoded[invitation](s.t, a)
}

func decoded[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}
