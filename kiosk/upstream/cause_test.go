package upstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"yuanban/kiosk/journal"
)

// TestCauses: real failures of real connections each have their cause, and there is no cause that never comes.
func TestCauses(t *testing.T) {
	status := func(code int) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		return s
	}
	secret := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secret.Close)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	var came []Cause
	for url, want := range map[string]Cause{
		"http://platform.invalid":                         NoName,
		"http://" + nobody.Addr().String():                Unreachable,
		"http://" + mute.Addr().String():                  Slow,
		secret.URL:                                        Untrusted,
		"https://" + status(200).Listener.Addr().String(): Untrusted,
		status(401).URL:                                   Token,
		status(403).URL:                                   Token,
		status(404).URL:                                   NotThere,
		status(302).URL:                                   NotThere,
		status(409).URL:                                   Conflict,
		status(503).URL:                                   Refused,
		status(200).URL:                                   Nonsense,
	} {
		d := New(nil, Config{URL: url, Timeout: 2 * time.Second, HTTP: &http.Client{Transport: &http.Transport{DialContext: dialHere}}}, Options{})
		_, err := d.post(t.Context(), Batch{Machine: "TEST01", Facts: []Fact{}}, 1)
		if got := causeOf(err); got != want {
			t.Errorf("%s: %v is told as %s, want %s", url, err, got, want)
		}
		came = append(came, want)
	}
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("{"))
	}))
	t.Cleanup(cut.Close)
	if _, err := New(nil, Config{URL: cut.URL}, Options{}).post(t.Context(), Batch{Machine: "TEST01", Facts: []Fact{}}, 1); causeOf(err) != Unreachable {
		t.Errorf("an answer that breaks off: %v is told as %s", err, causeOf(err))
	}
	if causeOf(journal.ErrReadOnly) != Local {
		t.Errorf("the journal's own error is told as %s", causeOf(journal.ErrReadOnly))
	}
	came = append(came, Local)
	for _, c := range Causes() {
		if !slices.Contains(came, c) {
			t.Errorf("nothing shows %s", c)
		}
	}
	if causeOf(nil) != "" {
		t.Error("a success has a cause")
	}
}

// dialHere reaches this machine, and knows no names: the test asks no name server.
func dialHere(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if net.ParseIP(host) == nil {
		return nil, fmt.Errorf("dial: %w", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true})
	}
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}
