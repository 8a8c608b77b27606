package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"yuanban/kiosk/station"
)

//go:embed technician.html
var technicianHTML string

//go:embed technician.css
var technicianCSS []byte

// technician is the page for the person with a laptop: delivery in its head, then devices, journal and display. It names no visitor.
type technician struct {
	word func(key string, pairs ...string) string
	page *template.Template
}

func newTechnician(word func(string, ...string) string) (*technician, error) {
	t := &technician{word: word}
	var err error
	t.page, err = template.New("technician").Funcs(template.FuncMap{"t": word, "ago": t.ago, "device": t.device}).Parse(technicianHTML)
	return t, err
}

// ago says how long ago something was, in words.
func (t *technician) ago(at time.Time) string {
	if at.IsZero() {
		return "—"
	}
	switch d := time.Since(at); {
	case d < time.Minute:
		return t.word("tech.seconds", "n", fmt.Sprint(int(d.Seconds())))
	case d < time.Hour:
		return t.word("tech.minutes", "n", fmt.Sprint(int(d.Minutes())))
	case d < 48*time.Hour:
		return t.word("tech.hours", "n", fmt.Sprint(int(d.Hours())))
	default:
		return t.word("tech.days", "n", fmt.Sprint(int(d.Hours())/24))
	}
}

// device says the state of a device in words, after the word the device itself goes by.
func (t *technician) device(h station.Health) string {
	return t.word("tech.device."+h.Device) + " · " + t.word("tech.state."+string(h.State))
}

// getTechnician serves the page; it loads itself again every few seconds, so that it needs no script.
func (a *API) getTechnician(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	if err := a.technician.page.Execute(&b, a.opt.Status(r.Context())); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	_, _ = w.Write(b.Bytes()) // a caller that has gone away needs no answer
	return nil
}

func (a *API) getTechnicianCSS(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(technicianCSS) // a caller that has gone away needs no answer
	return nil
}
