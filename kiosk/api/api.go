// Package api is /kiosk/v1: JSON over HTTP and websocket for window PCs, integrators and tests; and /healthz, /metrics.
//
// The table in routes says everything that is there and who may call it. README.md beside this file has example messages.
package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/station"
	"yuanban/kiosk/window"
)

// Window is the window flow as its PC may use it.
type Window interface {
	Invite(ctx context.Context, in window.Invitation) (evaluation.Invitation, error)
	Cancel(ctx context.Context, id string) error
	Status(ctx context.Context) (window.Status, error)
}

// Desk is what else a window PC may do to its window.
type Desk interface {
	Pause(ctx context.Context, paused bool) error
	SetStaff(ctx context.Context, id string) error
}

// Status is the state of the machine for a technician or a monitor; it names no person.
type Status struct {
	Machine  string           `json:"machine"`
	Role     string           `json:"role"`
	Version  string           `json:"version"`
	Started  time.Time        `json:"started"`
	Display  bool             `json:"display"`
	Devices  []station.Health `json:"devices"`
	Journal  string           `json:"journal"` // ok, or why nothing can be recorded
	Chain    string           `json:"chain"`   // ok, or where the chain of facts is broken
	Platform Platform         `json:"platform"`
	Sequence int64            `json:"sequence"` // of the last fact
	Epoch    string           `json:"epoch"`
}

// Platform is how delivery stands.
type Platform struct {
	Configured bool      `json:"configured"`
	Online     bool      `json:"online"`
	Backlog    int       `json:"backlog"`
	Oldest     time.Time `json:"oldest,omitzero"` // of the facts not yet acknowledged
	LastOK     time.Time `json:"last_ok,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
}

// Options is what the API serves.
type Options struct {
	Hosts   []string // literal Host values that are this machine
	Token   string   // of the window PC; "" lets every loopback caller in (demo only)
	Window  Window   // nil on a kiosk
	Desk    Desk     // nil on a kiosk
	Ratings *evaluation.Book
	Status  func(ctx context.Context) Status
	Log     *slog.Logger
}

// API answers /kiosk/v1, /healthz and /metrics. Run it, or its event sockets are never closed.
type API struct {
	opt    Options
	events *events
	mux    *http.ServeMux
}

// access says who may call a route.
type access int

const (
	anyone access = iota // on this machine: the listener is on loopback
	desk                 // the window PC, by its token
)

// New returns the API.
func New(opt Options) *API {
	a := &API{opt: opt, events: newEvents(), mux: http.NewServeMux()}
	routes := []struct {
		pattern string
		who     access
		serve   func(w http.ResponseWriter, r *http.Request) error
	}{
		{"POST /kiosk/v1/invitations", desk, a.postInvitation},
		{"GET /kiosk/v1/invitations/{id}", desk, a.getInvitation},
		{"DELETE /kiosk/v1/invitations/{id}", desk, a.deleteInvitation},
		{"GET /kiosk/v1/window", desk, a.getWindow},
		{"PUT /kiosk/v1/window", desk, a.putWindow},
		{"GET /kiosk/v1/events", desk, a.getEvents},
		{"GET /kiosk/v1/counts", desk, a.getCounts},
		{"GET /kiosk/v1/status", anyone, a.getStatus},
		{"GET /healthz", anyone, a.getHealth},
		{"GET /metrics", anyone, a.getMetrics},
	}
	for _, r := range routes {
		a.mux.Handle(r.pattern, a.guard(r.who, r.serve))
	}
	a.mux.HandleFunc("/kiosk/v1/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "not_found", "there is no such resource; see kiosk/api/README.md")
	})
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Tell sends an event to all who listen. It never blocks.
func (a *API) Tell(e window.Event) { a.events.send(e) }

// Run closes the event sockets when ctx ends.
func (a *API) Run(ctx context.Context) error {
	<-ctx.Done()
	a.events.close()
	return nil
}

// problem is an error with its HTTP status and a word that programs can test.
type problem struct {
	status int
	code   string
	err    error
}

func (p *problem) Error() string { return p.err.Error() }

// guard lets in whom a route is for, and turns errors into answers.
//
// Any web page can send requests to this machine from a browser on it. So Host must be a literal of ours (against DNS
// rebinding), Origin absent or ours, and a body must be declared as JSON, which no foreign page can do without asking first.
func (a *API) guard(who access, serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case !slices.Contains(a.opt.Hosts, r.Host):
			fail(w, http.StatusMisdirectedRequest, "host", "this machine is not called "+r.Host)
			return
		case !a.ownOrigin(r.Header.Get("Origin")):
			fail(w, http.StatusForbidden, "origin", "web pages of other sites may not call this machine")
			return
		case who == desk && !a.authorised(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "token", "send Authorization: Bearer with the token of this window")
			return
		}
		err := serve(w, r)
		if err == nil {
			return
		}
		var p *problem
		if !errors.As(err, &p) {
			p = problemOf(err)
		}
		if p.status >= 500 {
			a.opt.Log.Error("cannot serve a request", "area", "api", "path", r.URL.Path, "err", err)
		}
		fail(w, p.status, p.code, p.Error())
	})
}

// problemOf is the one place where errors get their HTTP status.
func problemOf(err error) *problem {
	switch {
	case errors.Is(err, evaluation.ErrRated):
		return &problem{http.StatusConflict, "rated", err}
	case errors.Is(err, evaluation.ErrOpen):
		return &problem{http.StatusConflict, "open", err}
	case errors.Is(err, window.ErrBusy):
		return &problem{http.StatusConflict, "busy", err}
	case errors.Is(err, window.ErrPaused):
		return &problem{http.StatusConflict, "paused", err}
	case errors.Is(err, window.ErrNobody):
		return &problem{http.StatusServiceUnavailable, "nobody", err}
	case errors.Is(err, window.ErrNoStaff):
		return &problem{http.StatusUnprocessableEntity, "staff", err}
	case errors.Is(err, window.ErrUnknown), errors.Is(err, evaluation.ErrNotFound):
		return &problem{http.StatusNotFound, "not_found", err}
	default:
		return &problem{http.StatusInternalServerError, "internal", err}
	}
}

func (a *API) ownOrigin(origin string) bool {
	if origin == "" {
		return true
	}
	host, ok := strings.CutPrefix(origin, "http://")
	return ok && slices.Contains(a.opt.Hosts, host)
}

func (a *API) authorised(r *http.Request) bool {
	if a.opt.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(given), []byte(a.opt.Token)) == 1
}

// maxBody bounds a request; the largest real one has a few hundred bytes.
const maxBody = 16 << 10

// decode reads one strict JSON object.
func decode(r *http.Request, into any) error {
	bad := func(format string, args ...any) error {
		return &problem{http.StatusBadRequest, "bad_request", fmt.Errorf(format, args...)}
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &problem{http.StatusUnsupportedMediaType, "content_type", errors.New("send Content-Type: application/json")}
	}
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("cannot read the request: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("cannot read the request: more than one JSON value, or more than %d bytes", maxBody)
	}
	return nil
}

func reply(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(body)
}

// fail answers {"error":{"code","message"}}.
func fail(w http.ResponseWriter, status int, code, message string) {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = reply(w, status, struct { // a caller that has gone away needs no answer
		Error inner `json:"error"`
	}{inner{code, message}})
}
