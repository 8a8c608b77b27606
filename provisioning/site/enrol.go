package site

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
)

const (
	codeLife = 24 * time.Hour // from when the request was received
	maxWrong = 5              // codes typed for one request that were not its own
)

// Errors of enrolment that a caller tells apart.
var (
	ErrWrongCode = errors.New("the code is not that of this request")
	ErrDead      = errors.New("the request is not good any more: make a new one at the machine")
)

// Pending is a request that waits for its code.
type Pending struct {
	Hash     string
	Request  *identity.Request
	Body     []byte // the request as it was received
	Received time.Time
	Wrong    int
}

// Receive puts a request among those that wait. The same one again changes nothing. Nothing is believed of it yet.
func (s *Site) Receive(ctx context.Context, data []byte) (hash string, err error) {
	r, err := identity.ParseRequest(data)
	if err != nil {
		return "", err
	}
	return r.Hash(), s.write(ctx, func(tx *sql.Tx) error {
		var there int
		if err := tx.QueryRow("SELECT count(*) FROM requests WHERE hash = ?", r.Hash()).Scan(&there); err != nil || there > 0 {
			return err
		}
		if _, err := tx.Exec("INSERT INTO requests (hash, body, received, state) VALUES (?, ?, ?, 'waiting')", r.Hash(), data, s.stamp()); err != nil {
			return err
		}
		return s.event(tx, "received", r.Machine, "request "+r.Hash()[:12])
	})
}

// Waiting returns the requests that wait for their code, oldest first.
func (s *Site) Waiting(ctx context.Context) ([]Pending, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT body, received, wrong FROM requests WHERE state = 'waiting' ORDER BY received, hash")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Pending
	for rows.Next() {
		var p Pending
		var received string
		if err := rows.Scan(&p.Body, &received, &p.Wrong); err != nil {
			return nil, err
		}
		if p.Request, err = identity.ParseRequest(p.Body); err != nil {
			return nil, err
		}
		if p.Received, err = time.Parse(time.RFC3339, received); err != nil {
			return nil, err
		}
		p.Hash = p.Request.Hash()
		if s.now().Sub(p.Received) < codeLife {
			all = append(all, p)
		}
	}
	return all, rows.Err()
}

// Find returns the one waiting request whose hash begins so.
func (s *Site) Find(ctx context.Context, prefix string) (Pending, error) {
	all, err := s.Waiting(ctx)
	if err != nil {
		return Pending{}, err
	}
	var found []Pending
	for _, p := range all {
		if len(prefix) >= 6 && strings.HasPrefix(p.Hash, prefix) {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return Pending{}, fmt.Errorf("%d waiting requests begin with %q: give more characters, six at least", len(found), prefix)
	}
	return found[0], nil
}

// Approval is what a person decides who stands before the machine.
type Approval struct {
	Hash   string
	Code   identity.Code // as the machine shows it
	Number string        // of the machine in the registry
	// Replace allows that another machine is enrolled under the number already: new hardware takes the place of the old, whose key
	// and certificates are then not believed any more.
	Replace bool
}

// Approve enrols the machine that made a request and returns the answer to go into its next bundle. A wrong code counts; after five the
// request is dead. Errors: ErrWrongCode, ErrDead, and what is wrong with the number.
func (s *Site) Approve(ctx context.Context, a Approval) (*bundle.Enrolment, error) {
	r, err := s.answerable(ctx, a)
	if err != nil {
		return nil, err
	}
	m, err := s.Machine(ctx, a.Number)
	if err != nil {
		return nil, err
	}
	same := r.Public().Equal(key(m.public))
	if m.State == Enrolled && !same && !a.Replace {
		return nil, fmt.Errorf("cannot enrol %s: another machine is enrolled under this number; choose another number, or say -replace if this one takes its place", a.Number)
	}
	proof, err := r.Proof(a.Code, s.Public())
	if err != nil {
		return nil, err
	}
	hardware, err := json.Marshal(r.Hardware)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if !same {
			if err := s.revokeCertificates(tx, a.Number); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("UPDATE machines SET state = 'enrolled', public = ?, seal_key = ?, hardware = ? WHERE number = ?",
			[]byte(r.Public()), r.SealKey, string(hardware), a.Number); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE requests SET state = 'approved', number = ? WHERE hash = ?", a.Number, a.Hash); err != nil {
			return err
		}
		return s.event(tx, "enrolled", a.Number, "request "+a.Hash[:12])
	})
	if err != nil {
		return nil, err
	}
	return &bundle.Enrolment{Request: a.Hash, SiteKey: s.Public(), Proof: proof}, nil
}

// answerable returns the request of an approval if the code is its own, and counts if not. The count is committed before anybody
// hears of it.
func (s *Site) answerable(ctx context.Context, a Approval) (*identity.Request, error) {
	var r *identity.Request
	var verdict error
	err := s.write(ctx, func(tx *sql.Tx) error {
		var body []byte
		var received, state string
		var wrong int
		err := tx.QueryRow("SELECT body, received, wrong, state FROM requests WHERE hash = ?", a.Hash).Scan(&body, &received, &wrong, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("there is no request %q: see kiosk provision site list", a.Hash)
		}
		if err != nil {
			return err
		}
		since, err := time.Parse(time.RFC3339, received)
		if err != nil {
			return err
		}
		if state != "waiting" || s.now().Sub(since) >= codeLife {
			return ErrDead
		}
		if r, err = identity.ParseRequest(body); err != nil {
			return err
		}
		if r.Matches(a.Code) {
			return nil
		}
		if wrong++; wrong >= maxWrong {
			state, verdict = "dead", ErrDead
		} else {
			verdict = fmt.Errorf("%w (try %d of %d): compare it with what the machine shows, and the request's number %s with the machine's",
				ErrWrongCode, wrong, maxWrong, a.Hash[:12])
		}
		if _, err := tx.Exec("UPDATE requests SET wrong = ?, state = ? WHERE hash = ?", wrong, state, a.Hash); err != nil {
			return err
		}
		return s.event(tx, "wrong code", a.Number, "request "+a.Hash[:12])
	})
	if err == nil {
		err = verdict
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}
