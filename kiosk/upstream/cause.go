package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// Cause is what the last failure means for a technician, for a screen that has a text for each. State.LastError says more.
type Cause string

// The causes.
const (
	NoName      Cause = "noName"      // the platform's name is not found: DNS, or no network
	Unreachable Cause = "unreachable" // nothing answers there
	Slow        Cause = "slow"        // it did not answer in time
	Untrusted   Cause = "untrusted"   // its certificate is not believed, or there is no TLS there
	Token       Cause = "token"       // it does not accept this machine's token
	NotThere    Cause = "notThere"    // something else answers at this address
	Conflict    Cause = "conflict"    // what it has of this machine contradicts the journal
	Refused     Cause = "refused"     // it answers with another error
	Nonsense    Cause = "nonsense"    // its answer is not understood, or not believed
	Local       Cause = "local"       // this machine's own journal does not give the facts, or does not take the answer
)

// Causes lists all causes.
func Causes() []Cause {
	return []Cause{NoName, Unreachable, Slow, Untrusted, Token, NotThere, Conflict, Refused, Nonsense, Local}
}

// nonsense is an answer that is not understood or not believed.
type nonsense struct{ error }

func (n nonsense) Unwrap() error { return n.error }

// broken is an answer of which not all came.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

// causeOf judges the error of one attempt; "" is that of none.
func causeOf(err error) Cause {
	if err == nil {
		return ""
	}
	if r, refused := errors.AsType[*refusal](err); refused {
		switch {
		case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
			return Token
		case r.status == http.StatusNotFound || r.status >= 300 && r.status < 400:
			return NotThere
		case r.status == http.StatusConflict:
			return Conflict
		}
		return Refused
	}
	if _, is := errors.AsType[nonsense](err); is {
		return Nonsense
	}
	_, request := errors.AsType[*url.Error](err)
	_, answer := errors.AsType[broken](err)
	if !request && !answer {
		return Local
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return NoName
	}
	if network, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && network.Timeout() {
		return Slow
	}
	_, cert := errors.AsType[*tls.CertificateVerificationError](err)
	plain := errors.Is(err, http.ErrSchemeMismatch)
	_, alert := errors.AsType[tls.AlertError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	if cert || plain || alert || name {
		return Untrusted
	}
	return Unreachable
}
