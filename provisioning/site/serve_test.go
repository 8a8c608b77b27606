package site

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/enrol"
)

// serving lends a site on the loopback and gives its address.
func serving(t *testing.T, s *Site) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, fine) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "https://" + l.Addr().String()
}

// TestOverTheNetwork: the machine sends its request, the technician types the code, the machine fetches its bundle, and later ones.
func TestOverTheNetwork(t *testing.T) {
	s, m := newSite(t), unboxed(t)
	address := serving(t, s)
	stranger, err := enrol.Stranger(address)
	if err != nil {
		t.Fatal(err)
	}
	w := ask(t, m, "K00001")
	var got bytes.Buffer
	if err := stranger.Answer(t.Context(), w, &got); err == nil || !strings.Contains(err.Error(), "no such request") {
		t.Errorf("before it was sent: %v", err)
	}
	if err := stranger.Send(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := stranger.Answer(t.Context(), w, &got); !errors.Is(err, enrol.ErrWaiting) {
		t.Errorf("before the code was typed: %v", err)
	}
	waiting, err := s.Waiting(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0].Request.Machine != "K00001" {
		t.Fatalf("waiting: %v, %v", waiting, err)
	}
	answer, err := s.Approve(t.Context(), Approval{Hash: waiting[0].Hash, Code: w.Code, Number: "K00001"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Post(waiting[0].Hash, stick(t, s, "K00001", answer)); err != nil {
		t.Fatal(err)
	}
	if err := stranger.Answer(t.Context(), w, &got); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := take(m, got.Bytes(), dir); err != nil {
		t.Fatal(err)
	}

	// From now on the machine talks to its site only.
	home, _ := m.Site()
	leaf := file(t, dir, CertificateFile)
	member, err := enrol.Member(address, m, home, leaf)
	if err != nil {
		t.Fatal(err)
	}
	if there, err := member.Newer(t.Context(), 1, io.Discard); there || err != nil {
		t.Errorf("nothing new: %v, %v", there, err)
	}
	newer := func(have int64) *bundle.Manifest {
		t.Helper()
		var b bytes.Buffer
		if there, err := member.Newer(t.Context(), have, &b); !there || err != nil {
			t.Fatalf("a newer version: %v, %v", there, err)
		}
		read, err := bundle.Read(&b)
		if err != nil {
			t.Fatal(err)
		}
		return read.Manifest
	}
	if err := s.Post("K00001-2", stick(t, s, "K00001", nil)); err != nil {
		t.Fatal(err)
	}
	if v := newer(1).Version; v != 2 {
		t.Errorf("version %d, want 2", v)
	}
	// Years later its certificate has run out; its key has not.
	s.now = func() time.Time { return time.Now().Add(3 * leafLife) }
	if v := newer(2).Version; v != 3 {
		t.Errorf("version %d, want 3", v)
	}
	impostor, err := enrol.Member(serving(t, newSite(t)), m, home, leaf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := impostor.Newer(t.Context(), 1, io.Discard); err == nil || !strings.Contains(err.Error(), "not this machine's site") {
		t.Errorf("another site at the address: %v", err)
	}
	if err := s.Revoke(t.Context(), "K00001", "stolen"); err != nil {
		t.Fatal(err)
	}
	if _, err := member.Newer(t.Context(), 1, io.Discard); err == nil || !strings.Contains(err.Error(), "is revoked") {
		t.Errorf("a revoked machine: %v", err)
	}
}

// TestFlood: a stranger who sends without end is refused, and what was sent before is still there.
func TestFlood(t *testing.T) {
	s := newSite(t)
	stranger, err := enrol.Stranger(serving(t, s))
	if err != nil {
		t.Fatal(err)
	}
	w := ask(t, unboxed(t), "")
	if err := stranger.Send(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	for range perMinute {
		err = stranger.Send(t.Context(), &enrol.Waiting{Request: []byte("{}")})
		if err == nil {
			t.Fatal("nonsense was taken")
		}
	}
	if !strings.Contains(err.Error(), "too many") {
		t.Errorf("after %d requests: %v", perMinute+1, err)
	}
	if all, err := s.Waiting(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%d wait, %v", len(all), err)
	}
}

// TestFloodPasses: requests that nobody typed a code for shut the door for a day, not for ever.
func TestFloodPasses(t *testing.T) {
	s := newSite(t)
	stranger, err := enrol.Stranger(serving(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxWaiting {
		if _, err := s.db.Exec("INSERT INTO requests (hash, body, received, state) VALUES (?, x'00', ?, 'waiting')", fmt.Sprint(i), s.stamp()); err != nil {
			t.Fatal(err)
		}
	}
	w := ask(t, unboxed(t), "")
	if err := stranger.Send(t.Context(), w); err == nil || !strings.Contains(err.Error(), "too many requests wait") {
		t.Errorf("the request after %d: %v", maxWaiting, err)
	}
	later := time.Now().Add(codeLife)
	s.now = func() time.Time { return later }
	if err := stranger.Send(t.Context(), w); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
