// Package api is /kiosk/v1: JSON over HTTP and websocket for window PCs, integrators and tests; and /healthz, /metrics.
//
// The table in routes says everything that is there and who may call it. README.md beside this file has example messages.
package api

import (
	"bytes"
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
	"unicode/utf8"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
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
	Clock    string           `json:"clock"`   // ok, or why it cannot be believed
	Platform Platform         `json:"platform"`
	Sequence int64            `json:"sequence"` // of the last fact
	Epoch    string           `json:"epoch"`
}

// ChainUnknown is the Chain of a Status before the chain of facts has been walked for the first time.
const ChainUnknown = "not walked yet"

// ChainBroken says that the chain of facts was walked and does not hold.
func (s Status) ChainBroken() bool { return s.Chain != "ok" && s.Chain != ChainUnknown }

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
	Word    func(key string, pairs ...string) string // texts of the technician's page
	Log     *slog.Logger
}

// API answers /kiosk/v1, /healthz and /metrics. Run it, or its event sockets are never closed.
type API struct {
	opt        Options
	events     *events
	technician *technician
	mux        *http.ServeMux
}

// access says who may call a route.
type access int

const (
	anyone access = iota // on this machine: the listener is on loopback
	desk                 // the window PC, by its token
)

// New returns the API. It fails when its own page does not parse.
func New(opt Options) (*API, error) {
	page, err := newTechnician(opt.Word)
	if err != nil {
		return nil, fmt.Errorf("cannot make the technician's page: %w", err)
	}
	a := &API{opt: opt, events: newEvents(), technician: page, mux: http.NewServeMux()}
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
		{"GET /technician", anyone, a.getTechnician},
		{"GET /technician.css", anyone, a.getTechnicianCSS},
		{"GET /healthz", anyone, a.getHealth},
		{"GET /metrics", anyone, a.getMetrics},
	}
	methods := map[string][]string{}
	for _, r := range routes {
		a.mux.Handle(r.pattern, a.guard(r.who, r.serve))
		method, path, _ := strings.Cut(r.pattern, " ")
		methods[path] = append(methods[path], method)
	}
	for path, allowed := range methods {
		a.mux.Handle(path, a.guard(anyone, refuseMethod(strings.Join(allowed, ", "))))
	}
	a.mux.Handle("/kiosk/v1/", a.guard(anyone, func(http.ResponseWriter, *http.Request) error {
		return &problem{http.StatusNotFound, "not_found", errors.New("there is no such resource; see kiosk/api/README.md")}
	}))
	return a, nil
}

func refuseMethod(allowed string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allowed)
		return &problem{http.StatusMethodNotAllowed, "method", fmt.Errorf("%s is not for this resource; it takes %s", r.Method, allowed)}
	}
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
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case !slices.Contains(a.opt.Hosts, r.Host):
			fail(w, http.StatusMisdirectedRequest, "host", "this machine is not called "+r.Host)
			return
		case !a.ownOrigin(r.Header.Get("Origin")):
			fail(w, http.StatusForbidden, "origin", "web pages of other sites may not call this machine")
			return
		case who == desk && a.opt.Window == nil:
			fail(w, http.StatusNotFound, "no_window", "this machine has no window; its role is kiosk")
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
	case errors.Is(err, window.ErrInactive):
		return &problem{http.StatusConflict, "inactive", err}
	case errors.Is(err, window.ErrNobody):
		return &problem{http.StatusServiceUnavailable, "nobody", err}
	case errors.Is(err, window.ErrNoStaff):
		return &problem{http.StatusUnprocessableEntity, "staff", err}
	case errors.Is(err, window.ErrUnknown), errors.Is(err, evaluation.ErrNotFound):
		return &problem{http.StatusNotFound, "not_found", err}
	case errors.Is(err, journal.ErrDiskFull), errors.Is(err, journal.ErrReadOnly), errors.Is(err, journal.ErrClosed):
		return &problem{http.StatusServiceUnavailable, "journal", err}
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
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(given), []byte(a.opt.Token)) == 1
}

// maxBody bounds a request; the largest real one has a few hundred bytes.
const maxBody = 16 << 10

// decode reads one strict JSON object.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &problem{http.StatusUnsupportedMediaType, "content_type", errors.New("send Content-Type: application/json")}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Errorf("a request has at most %d bytes", maxBody)}
	}
	bad := func(format string, args ...any) error {
		return &problem{http.StatusBadRequest, "bad_request", fmt.Errorf("cannot read the request: "+format, args...)}
	}
	switch {
	case err != nil:
		return bad("%v", err)
	case !utf8.Valid(data): // a PC that sends GBK; json would silently put U+FFFD in its place
		return bad("it is not UTF-8")
	case !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")):
		return bad("it is not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bad("%v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("there is something after the JSON object")
	}
	return nil
}

// reply answers with JSON. A caller that has gone away meanwhile is no error.
func reply(w http.ResponseWriter, status int, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
	return nil
}

// fail answers {"error":{"code","message"}}.
func fail(w http.ResponseWriter, status int, code, message string) {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = reply(w, status, struct { // two strings always become JSON
		Error inner `json:"error"`
	}{inner{code, message}})
}
