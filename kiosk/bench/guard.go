package bench

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guard lets in programs on this machine and the bench's own page, and nobody else.
//
// The bench has no password, so that anything can play the hardware. But every web page that is open in a browser on this machine
// can send requests to it too. Therefore Host must be a literal name of ours (else a foreign name that resolves to this machine
// would make its page one of ours), Origin must be absent or ours, and a browser that tells where a request comes from
// (Sec-Fetch-Site) must not name another site. Programs send neither of the last two.
type guard struct {
	hosts []string // names or addresses without port; a bracketed IPv6 address stands without its brackets
}

// newGuard knows the names of the loopback, and the host of the screen's address where that has one.
func newGuard(screen *url.URL) guard {
	g := guard{hosts: []string{"localhost", "127.0.0.1", "::1"}}
	if h := screen.Hostname(); h != "" && !slices.Contains(g.hosts, h) {
		g.hosts = append(g.hosts, h)
	}
	return g
}

// check returns why a request may not pass, or nil. page is set for the page itself, to which links of other sites may lead.
func (g guard) check(r *http.Request, page bool) *refusal {
	if !slices.Contains(g.hosts, hostname(r.Host)) {
		return &refusal{http.StatusMisdirectedRequest, fmt.Sprintf("cannot serve the bench as %q: open it as http://127.0.0.1 on this machine", r.Host)}
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return &refusal{http.StatusForbidden, fmt.Sprintf("cannot let a page of %s play the hardware", origin)}
	}
	site := r.Header.Get("Sec-Fetch-Site")
	arriving := page && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	if site != "" && site != "same-origin" && site != "none" && !arriving {
		return &refusal{http.StatusForbidden, "cannot let a page of another site play the hardware"}
	}
	return nil
}

// hostname is a Host header without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
