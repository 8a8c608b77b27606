package ui

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"yuanban/ui/view"
	"yuanban/ui/wording"
)

//go:embed static templates
var files embed.FS

// Role says which machine the screens are for; it decides the frame around them.
type Role string

// The roles of a machine.
const (
	RoleKiosk Role = "kiosk" // 24小时自助机
	RolePad   Role = "pad"   // 窗口评价器
)

// Options configure a Server. Words, Screen and Hosts are required.
type Options struct {
	Words          *wording.Book
	Role           Role // RoleKiosk when empty
	Park           string
	Screen         Screen
	Hosts          []string             // literal Host values the page may be opened under, e.g. 127.0.0.1:8080
	FrameAncestors string               // "none" (default) or "self", so that the bench can show the screen in a frame
	OnAction       func(view.Action)    // called one at a time in the order of the touches; must not block for long
	OnDisplay      func(connected bool) // a display has come, or the last one is gone
	Brand          fs.FS                // the park's brand.css and emblem.svg, both optional; nil for none
	Photos         fs.FS                // staff photos; nil for none
	Log            *slog.Logger
	Now            func() time.Time
}

// Server serves the pages of one machine and feeds its one display.
type Server struct {
	opts   Options
	words  *wording.Book
	pages  *template.Template
	token  string // per start; a page of an earlier start must reload
	csp    string
	screen []byte // the generated stylesheet

	mu      sync.Mutex
	shown   view.View
	serial  uint64 // counts Show calls; 0 before the first
	sound   view.Sound
	pulse   Pulse
	current *display
	closing bool
	wait    sync.WaitGroup // every handler of a display

	telling sync.Mutex // keeps OnDisplay calls in order
	told    bool
}

// New prepares the templates and stylesheets. It fails when a template does not parse or an option is missing.
func New(opts Options) (*Server, error) {
	if opts.Words == nil || len(opts.Hosts) == 0 {
		return nil, errors.New("cannot prepare screens: the wording and the allowed hosts are required")
	}
	if err := opts.Screen.check(); err != nil {
		return nil, err
	}
	if opts.Role == "" {
		opts.Role = RoleKiosk
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, words: opts.Words, token: rand.Text(), csp: contentPolicy(opts.FrameAncestors)}
	s.screen = opts.Screen.stylesheet()
	pages, err := template.New("").Funcs(s.funcs()).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("cannot prepare screens: %w", err)
	}
	s.pages = pages
	return s, nil
}

// contentPolicy allows what our own page needs and nothing else; there is no inline script or style anywhere.
func contentPolicy(ancestors string) string {
	frame := "'none'"
	if ancestors == "self" {
		frame = "'self'"
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors " + frame
}

// Show makes v the screen. It never blocks; where views come faster than a display takes them, the latest one wins.
func (s *Server) Show(v view.View) {
	s.mu.Lock()
	s.shown = v
	s.serial++
	if v.Sound != view.SoundNone {
		s.sound = v.Sound // kept until a display has played it, also when a later view overtakes this one
	}
	d := s.current
	s.mu.Unlock()
	if d != nil {
		d.poke()
	}
}

// Pulse is the last sign of life of the page on the display. A browser answers the pings of a websocket also while its page is dead or
// hangs; these come from the page itself. The zero times say that there was none yet.
type Pulse struct {
	Beat  time.Time // the page's own loop turned
	Paint time.Time // and a frame was painted since the beat before
}

// Pulse returns the last sign of life.
func (s *Server) Pulse() Pulse {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pulse
}

// Connected tells whether a display is connected.
func (s *Server) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current != nil
}

// Run waits for ctx to end, then closes the display and returns when its goroutines have ended.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.closing = true
	d := s.current
	s.mu.Unlock()
	if d != nil {
		d.leave(closeGoingAway)
	}
	s.wait.Wait()
	return nil
}

// Handler serves the page at /, everything it loads under /ui/ and the display websocket at /ui/ws.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	static, _ := fs.Sub(files, "static") // the folder is embedded; it exists
	mux.Handle("GET /ui/static/", http.StripPrefix("/ui/static/", http.FileServerFS(onlyFiles{static})))
	mux.HandleFunc("GET /ui/screen.css", func(w http.ResponseWriter, r *http.Request) { css(w, s.screen) })
	mux.HandleFunc("GET /ui/brand.css", s.brandStyle)
	mux.HandleFunc("GET /ui/emblem.svg", s.emblem)
	if s.opts.Photos != nil {
		mux.Handle("GET /ui/photos/", http.StripPrefix("/ui/photos/", http.FileServerFS(onlyFiles{s.opts.Photos})))
	}
	mux.HandleFunc("GET /ui/ws", s.socket)
	return s.guard(mux)
}

// guard turns away other Host values (DNS rebinding) and sets the headers every answer has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(s.opts.Hosts, r.Host) {
			http.Error(w, "cannot serve this page under the host name "+fmt.Sprintf("%q", r.Host), http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", s.csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

const cookieName = "kiosk-display"

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, "page.html", map[string]any{"Role": s.opts.Role}); err != nil {
		s.opts.Log.Error("cannot render the page", "area", "ui", "err", err)
		http.Error(w, "cannot render the page", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: s.token, Path: "/ui/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// fromOurPage tells whether a websocket request was made by a page this server gave out since it started.
func (s *Server) fromOurPage(r *http.Request) bool {
	origin := r.Header.Values("Origin")
	if len(origin) != 1 || !slices.ContainsFunc(s.opts.Hosts, func(h string) bool {
		return origin[0] == "http://"+h || origin[0] == "https://"+h
	}) {
		return false
	}
	c, err := r.Cookie(cookieName)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(s.token)) == 1
}

func (s *Server) brandStyle(w http.ResponseWriter, r *http.Request) {
	style, err := s.brandFile("brand.css")
	if err != nil {
		style = []byte("/* this park keeps the standard colours */\n")
	}
	css(w, style)
}

func (s *Server) emblem(w http.ResponseWriter, r *http.Request) {
	picture, err := s.brandFile("emblem.svg")
	if err != nil {
		picture, err = files.ReadFile("static/emblem.svg")
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Write(picture)
}

func (s *Server) brandFile(name string) ([]byte, error) {
	if s.opts.Brand == nil {
		return nil, fs.ErrNotExist
	}
	return fs.ReadFile(s.opts.Brand, name)
}

func css(w http.ResponseWriter, style []byte) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(style)
}

// onlyFiles hides directories, so that a file server lists nothing.
type onlyFiles struct{ fs.FS }

// Open opens a regular file; directories do not exist.
func (o onlyFiles) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.IsDir() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f, nil
}
