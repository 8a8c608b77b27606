package bench

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// handler answers a request or returns why not: a *refusal, or an error that is the bench's own fault.
type handler func(w http.ResponseWriter, r *http.Request) error

// methods are the handlers of one path.
type methods map[string]handler

// routes are all paths of the bench; README.md beside this file has examples.
func (b *Bench) routes() map[string]methods {
	return map[string]methods{
		"/bench":               {"GET": b.page.getPage},
		"/bench/{$}":           {"GET": b.page.getPage},
		"/bench/static/{file}": {"GET": b.page.getFile},

		"/bench/api/state":                 {"GET": b.getState},
		"/bench/api/events":                {"GET": b.getEvents},
		"/bench/api/reader/card":           {"GET": b.getCard, "PUT": b.putCard, "DELETE": b.deleteCard},
		"/bench/api/reader/fault":          {"GET": b.getReaderFault, "PUT": b.putReaderFault},
		"/bench/api/printer":               {"GET": b.getPrinter, "PUT": b.putPrinter},
		"/bench/api/printer/receipts/{id}": {"GET": b.getReceipt, "PUT": b.putReceipt}, // {id}.png is its picture
		"/bench/api/buttons":               {"GET": b.getButtons},
		"/bench/api/buttons/fault":         {"GET": b.getButtonsFault, "PUT": b.putButtonsFault},
		"/bench/api/buttons/{n}/press":     {"POST": b.postPress},
		"/bench/api/lamps":                 {"GET": b.getLamps},
		"/bench/api/platform/records":      {"GET": b.getRecords},
		"/bench/api/platform/fault":        {"GET": b.getPlatformFault, "PUT": b.putPlatformFault},
	}
}

// Handler serves the page and its JSON twin. It expects whole paths: mount it at /bench and /bench/ without cutting anything off.
func (b *Bench) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, m := range b.routes() {
		page := !strings.HasPrefix(path, "/bench/api/")
		mux.Handle(path, b.serve(page, func(w http.ResponseWriter, r *http.Request) error { return m.pick(w, r) }))
	}
	mux.Handle("/", b.serve(false, func(_ http.ResponseWriter, r *http.Request) error {
		return refuse(http.StatusNotFound, "cannot find %s: there is no such route", r.URL.Path)
	}))
	return mux
}

// pick answers by the handler of the request's method.
func (m methods) pick(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := m[method]; ok {
		return h(w, r)
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	w.Header().Set("Allow", allowed)
	return refuse(http.StatusMethodNotAllowed, "cannot %s %s: it takes %s", r.Method, r.URL.Path, allowed)
}

// serve checks who asks, and turns errors into answers.
func (b *Bench) serve(page bool, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		err := error(nil)
		if no := b.guard.check(r, page); no != nil {
			err = no
		} else {
			err = h(w, r)
		}
		var no *refusal
		switch {
		case err == nil:
		case errors.As(err, &no):
			fail(w, no.status, no.text)
		default:
			b.opt.Log.Error("cannot serve the bench", "area", "bench", "path", r.URL.Path, "err", err)
			fail(w, http.StatusInternalServerError, err.Error())
		}
	})
}
