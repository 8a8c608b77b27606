package upstream

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yuanban/kiosk/journal"
)

// A platform that answers nonsense, or more than it can know, changes nothing on the machine.
func TestAnswersThatAreNotBelieved(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"beyond what was sent": {200, `{"acknowledged":4}`, "the last one sent was 3"},
		"far beyond":           {200, `{"acknowledged":9223372036854775807}`, "the last one sent was 3"},
		"none of it":           {200, `{"acknowledged":0}`, "acknowledged none"},
		"below":                {200, `{"acknowledged":-1}`, "asks for nothing again"},
		"rewind ahead":         {200, `{"rewind":5}`, "asks to go back to 5"},
		"rewind below":         {200, `{"rewind":-2}`, "asks to go back to -2"},
		"no JSON":              {200, `<html>login</html>`, "not understood"},
		"nothing":              {200, ``, "not understood"},
		"endless":              {200, `{"acknowledged":3}` + strings.Repeat(" ", maxAnswer), "longer than"},
		"redirect":             {302, ``, "correct upstream.url"},
		"not found":            {404, `nginx`, "correct upstream.url"},
		"token":                {401, `{"error":"unknown token"}`, "correct upstream.token in the configuration (unknown token)"},
		"accepted":             {202, `{"acknowledged":3}`, "202"},
		"error page":           {500, strings.Repeat("x", 5000), "500 Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.write(3)
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Location", "/v1/facts")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			}))
			defer server.Close()
			b.cfg.URL = server.URL + "/"
			d, stop := b.start(Options{})
			b.eventually("it is tried again", func() bool { return asked.Load() >= 3 })
			stop()
			if s := d.State(); s.Online || !strings.Contains(s.LastError, tc.want) || len(s.LastError) > 600 {
				t.Errorf("state %+v, want an error with %q", s, tc.want)
			}
			if p, err := b.j.Position(t.Context()); err != nil || p.Acknowledged != 0 {
				t.Errorf("position %+v, %v", p, err)
			}
		})
	}
}

// recorder answers as a platform that takes everything, and keeps the sizes of the batches.
type recorder struct {
	mu     sync.Mutex
	sizes  []int
	limit  int // facts; more are refused with 413
	header http.Header
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, facts, err := decodeBatch(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sizes, r.header = append(r.sizes, len(facts)), req.Header.Clone()
	switch {
	case err != nil:
		reply(w, http.StatusBadRequest, Answer{Error: err.Error()})
	case r.limit > 0 && len(facts) > r.limit:
		reply(w, http.StatusRequestEntityTooLarge, Answer{})
	case len(facts) == 0:
		reply(w, http.StatusOK, Answer{Acknowledged: b.Acknowledged})
	default:
		reply(w, http.StatusOK, Answer{Acknowledged: facts[len(facts)-1].Sequence})
	}
}

func TestBatches(t *testing.T) {
	t.Run("in parts", func(t *testing.T) {
		b, r := newBench(t), &recorder{}
		b.write(16)
		b.deliverTo(r)
		if fmt.Sprint(r.sizes) != "[7 7 2]" {
			t.Errorf("batches %v", r.sizes)
		}
		if r.header.Get("Authorization") != "Bearer "+token || r.header.Get("Content-Encoding") != "gzip" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("header %v", r.header)
		}
	})
	t.Run("too large for the platform", func(t *testing.T) {
		b, r := newBench(t), &recorder{limit: 2}
		b.write(9)
		b.deliverTo(r)
		if r.sizes[0] != 7 || r.sizes[1] != 3 || r.sizes[2] != 1 {
			t.Errorf("batches %v", r.sizes)
		}
	})
	t.Run("of large facts", func(t *testing.T) {
		b, r := newBench(t), &recorder{}
		for range 5 {
			if err := b.j.Write(t.Context(), func(tx *journal.Tx) error {
				_, err := tx.Fact("test.large", "x", nil, make([]byte, 900_000))
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		b.cfg.Timeout = 10 * time.Second
		b.deliverTo(r)
		if fmt.Sprint(r.sizes) != "[2 2 1]" {
			t.Errorf("batches %v", r.sizes)
		}
	})
}

func (b *bench) deliverTo(r *recorder) {
	b.t.Helper()
	server := httptest.NewServer(r)
	defer server.Close()
	b.cfg.URL, b.cfg.Heartbeat = server.URL, time.Hour
	_, stop := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	stop()
}
