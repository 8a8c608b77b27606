package bench

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
)

//go:embed static
var static embed.FS

// page is the bench page, ready to send.
type page struct {
	html   []byte
	policy string // Content-Security-Policy
	files  fs.FS
}

// newPage renders the page for a role. Nothing in it is inline, so that the policy can forbid all of that.
func newPage(role string, screen *url.URL) (*page, error) {
	t, err := template.ParseFS(static, "static/index.html")
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, struct{ Role, Screen string }{role, screen.String()}); err != nil {
		return nil, err
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	frame := "'self'"
	if screen.Host != "" {
		frame = screen.Scheme + "://" + screen.Host
	}
	return &page{html: buf.Bytes(), files: files, policy: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; frame-src " + frame + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}, nil
}

func (p *page) headers(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
}

func (p *page) getPage(w http.ResponseWriter, _ *http.Request) error {
	p.headers(w, "text/html; charset=utf-8")
	_, _ = w.Write(p.html) // a browser that has gone away needs no page
	return nil
}

func (p *page) getFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	data, err := fs.ReadFile(p.files, name)
	if err != nil || path.Ext(name) == ".html" {
		return refuse(http.StatusNotFound, "cannot find %s", r.URL.Path)
	}
	p.headers(w, mime.TypeByExtension(path.Ext(name)))
	_, _ = w.Write(data)
	return nil
}
