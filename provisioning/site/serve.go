package site

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"yuanban/provisioning/identity"
)

const (
	outboxDir  = "outbox" // bundles that wait to be fetched
	maxWaiting = 200      // requests at a time; a park has fewer machines, and an attacker must not fill the disk
	perMinute  = 60       // requests that are looked at
)

// Serve lends the site to machines on the same network, until ctx ends. It listens where it is told: the technician's end of a cable, or a
// hall's network. A machine that does not know the site yet cannot check its certificate and need not: it believes the answer by
// its proof. One that does accepts no other key.
//
//	POST /site/v1/requests         an enrolment request: 202 and its hash
//	GET  /site/v1/requests/{hash}  202 while it waits, 200 and the bundle, 410 when it is dead
//	GET  /site/v1/bundle?have=N    for an enrolled machine, by its certificate: 200 and a bundle newer than N, 204 when there is none
func (s *Site) Serve(ctx context.Context, l net.Listener, check func(config []byte) error) error {
	_, der, err := s.root()
	if err != nil {
		return err
	}
	desk := &desk{site: s, check: check}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /site/v1/requests", desk.receive)
	mux.HandleFunc("GET /site/v1/requests/{hash}", desk.answer)
	mux.HandleFunc("GET /site/v1/bundle", desk.newer)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequestClientCert, // judged by newer
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: s.key}}}}
	ended := make(chan error, 1)
	go func() { ended <- srv.ServeTLS(l, "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("cannot serve the site: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close()
	}
	<-ended
	return nil
}

// desk answers machines.
type desk struct {
	site  *Site
	check func([]byte) error

	mu    sync.Mutex
	since time.Time // of the minute that is counted
	count int
}

// busy counts what came within this minute.
func (d *desk) busy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); now.Sub(d.since) >= time.Minute {
		d.since, d.count = now, 0
	}
	d.count++
	return d.count > perMinute
}

func (d *desk) receive(w http.ResponseWriter, r *http.Request) {
	if d.busy() {
		http.Error(w, "too many requests: try again in a minute", http.StatusTooManyRequests)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		http.Error(w, "cannot read the request", http.StatusBadRequest)
		return
	}
	// Only those whose code still holds: else a flood of one evening would shut the site for ever.
	var waiting int
	if err := d.site.db.QueryRowContext(r.Context(), "SELECT count(*) FROM requests WHERE state = 'waiting' AND received > ?",
		d.site.now().Add(-codeLife).UTC().Format(time.RFC3339)).Scan(&waiting); err != nil || waiting >= maxWaiting {
		http.Error(w, "too many requests wait already: approve them, bring this one on a stick, or wait until they are a day old", http.StatusServiceUnavailable)
		return
	}
	hash, err := d.site.Receive(r.Context(), data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"request": hash}) // a machine that has gone away asks again
}

func (d *desk) answer(w http.ResponseWriter, r *http.Request) {
	hash := r.PathValue("hash")
	var state, received string
	err := d.site.db.QueryRowContext(r.Context(), "SELECT state, received FROM requests WHERE hash = ?", hash).Scan(&state, &received)
	at, _ := time.Parse(time.RFC3339, received)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		http.Error(w, "there is no such request", http.StatusNotFound)
	case err != nil:
		http.Error(w, "cannot look it up", http.StatusInternalServerError)
	case state == "approved":
		http.ServeFile(w, r, d.site.outbox(hash))
	case state == "dead" || d.site.now().Sub(at) >= codeLife:
		http.Error(w, ErrDead.Error(), http.StatusGone)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// newer gives an enrolled machine a bundle that it does not have: because the site made one, or because its certificate is in the second
// half of its life. The certificate it shows may have run out, for it may have been off for years: what counts is its key, which the
// registry knows, and that it is not revoked.
func (d *desk) newer(w http.ResponseWriter, r *http.Request) {
	have, err := strconv.ParseInt(r.URL.Query().Get("have"), 10, 64)
	if err != nil || len(r.TLS.PeerCertificates) == 0 {
		http.Error(w, "say which version you have, and show your certificate", http.StatusBadRequest)
		return
	}
	m, err := d.site.machineOf(r.Context(), r.TLS.PeerCertificates[0])
	if err != nil {
		http.Error(w, "this machine is not enrolled here, or is revoked", http.StatusForbidden)
		return
	}
	file := d.site.outbox(fmt.Sprintf("%s-%d", m.Number, m.Version))
	if renew := !d.site.now().Before(r.TLS.PeerCertificates[0].NotAfter.Add(-leafLife / 2)); m.Version > have && !renew {
		if _, err := os.Stat(file); err == nil {
			http.ServeFile(w, r, file)
			return
		}
	} else if !renew {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var b bytes.Buffer
	if _, err := d.site.Bundle(r.Context(), &b, m.Number, nil, d.check); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(b.Bytes()) // a machine that has gone away asks again
}

// machineOf finds the enrolled machine whose certificate this is.
func (s *Site) machineOf(ctx context.Context, cert *x509.Certificate) (Machine, error) {
	root, _, err := s.root()
	if err != nil {
		return Machine{}, err
	}
	if err := cert.CheckSignatureFrom(root); err != nil {
		return Machine{}, err
	}
	m, err := s.Machine(ctx, cert.Subject.CommonName)
	switch {
	case err != nil:
		return Machine{}, err
	case m.State != Enrolled || !ed25519.PublicKey(m.public).Equal(cert.PublicKey):
		return Machine{}, errors.New("not the enrolled machine of this number")
	}
	return m, nil
}

func (s *Site) outbox(name string) string {
	return filepath.Join(cmp.Or(s.scratch, s.dir), outboxDir, name+".bundle")
}

// Post puts a bundle where Serve finds it: under the hash of the request that it answers, or under its machine's number and version.
func (s *Site) Post(name string, bundle []byte) error {
	if err := os.MkdirAll(filepath.Dir(s.outbox(name)), 0o700); err != nil {
		return fmt.Errorf("cannot keep the bundle: %w", err)
	}
	if err := identity.WriteFile(s.outbox(name), bundle, 0o600); err != nil {
		return fmt.Errorf("cannot keep the bundle: %w", err)
	}
	return nil
}
