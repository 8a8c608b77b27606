package enrol

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"yuanban/provisioning/identity"
)

// maxBundle is the size of a bundle that is fetched, in bytes.
const maxBundle = 4 << 30

// Client fetches from a site's server (site.Serve).
type Client struct {
	base *url.URL
	http *http.Client
}

// Stranger is the client of a machine that does not know the site yet. It talks to whoever answers at base, such as
// https://192.0.2.7:8443: what it sends is no secret, and what it gets is believed by its proof alone.
func Stranger(base string) (*Client, error) {
	return newClient(base, &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true})
}

// Member is the client of an enrolled machine: it shows its certificate, and talks to nobody but its site.
func Member(base string, m *Machine, home *Site, certificatePEM []byte) (*Client, error) {
	block, _ := pem.Decode(certificatePEM)
	if block == nil {
		return nil, errors.New("cannot fetch: the machine's certificate is not readable; enrol the machine anew")
	}
	return newClient(base, &tls.Config{
		MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, // the chain is not judged by names and clocks, but by the one key that counts
		Certificates: []tls.Certificate{{Certificate: [][]byte{block.Bytes}, PrivateKey: m.Key.Signer()}},
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			cert, err := x509.ParseCertificate(raw[0])
			if err != nil {
				return err
			}
			if key, ok := cert.PublicKey.(ed25519.PublicKey); !ok || !home.Key.Equal(key) {
				return errors.New("the server is not this machine's site")
			}
			return nil
		}})
}

func newClient(base string, t *tls.Config) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("cannot reach a site at %q: its address looks like https://192.0.2.7:8443", base)
	}
	return &Client{u, &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{TLSClientConfig: t, TLSHandshakeTimeout: 10 * time.Second}}}, nil
}

// ErrWaiting says that nobody has typed the code yet.
var ErrWaiting = errors.New("nobody has typed the code at the site yet")

// Reach says whether a site answers. It is asked for a request that nobody has made.
func (c *Client) Reach(ctx context.Context) error {
	resp, err := c.do(ctx, http.MethodGet, "/site/v1/requests/none", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil || resp.StatusCode != http.StatusNotFound || !bytes.Contains(text, []byte("no such request")) {
		return fmt.Errorf("what answers at %s is not kiosk provision site serve", c.base)
	}
	return nil
}

// Send hands a request to the site.
func (c *Client) Send(ctx context.Context, w *Waiting) error {
	resp, err := c.do(ctx, http.MethodPost, "/site/v1/requests", bytes.NewReader(w.Request))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return refused(resp)
	}
	return nil
}

// Answer copies the bundle that answers a request to out. ErrWaiting says to ask again later.
func (c *Client) Answer(ctx context.Context, w *Waiting, out io.Writer) error {
	r, err := identity.ParseRequest(w.Request)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, http.MethodGet, "/site/v1/requests/"+r.Hash(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusAccepted:
		return ErrWaiting
	case http.StatusOK:
		return copyBundle(out, resp)
	}
	return refused(resp)
}

// Newer copies a bundle to out that is newer than the version the machine has, or renews its certificate. It is false when there is
// none.
func (c *Client) Newer(ctx context.Context, have int64, out io.Writer) (bool, error) {
	resp, err := c.do(ctx, http.MethodGet, "/site/v1/bundle?have="+strconv.FormatInt(have, 10), nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNoContent:
		return false, nil
	case http.StatusOK:
		return true, copyBundle(out, resp)
	}
	return false, refused(resp)
}

func (c *Client) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the site: %w; is kiosk provision site serve running there, and the cable plugged in?", err)
	}
	return resp, nil
}

func copyBundle(out io.Writer, resp *http.Response) error {
	n, err := io.Copy(out, io.LimitReader(resp.Body, maxBundle))
	if err != nil {
		return fmt.Errorf("cannot fetch the bundle: it broke off after %d bytes: %w", n, err)
	}
	return nil
}

func refused(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	return fmt.Errorf("the site refuses: %s", strings.TrimSpace(string(text)))
}
