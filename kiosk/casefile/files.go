package casefile

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"yuanban/kiosk/journal"
)

// Bounds of one hand-in.
const (
	maxItems     = 20
	minPersonKey = 16 // bytes
)

// Sealer hides personal data from everyone but the platform.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
}

// Options is what keeping cases needs.
type Options struct {
	Sealer    Sealer           // without one nothing personal can be taken, so nothing is accepted
	Calendar  Calendar         // nil: Monday to Friday, and due dates say that they are provisional
	PersonKey []byte           // at least 16 bytes, of this machine: keys the hash by which people find their own cases
	Now       func() time.Time // time.Now when nil
	Location  *time.Location   // of the park; China time when nil
	Log       *slog.Logger     // slog.Default when nil
}

// Files are the cases of this machine.
type Files struct {
	j    *journal.Journal
	opts Options
}

// New returns the cases kept in j.
func New(j *journal.Journal, opts Options) *Files {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Location == nil {
		opts.Location = time.FixedZone("CST", 8*60*60) // China has one zone and no summer time
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Files{j: j, opts: opts}
}

// Accept takes an application (收件受理) and returns one case for each item, in order. Cases, services and facts are one transaction:
// when Accept returns without error they are on the disk. Accepting a Visit again returns the cases of the first time.
//
// Errors: those of journal.Write, and what is missing in the application.
func (f *Files) Accept(ctx context.Context, a Application) ([]Case, error) {
	if err := f.check(a); err != nil {
		return nil, fmt.Errorf("cannot accept application: %w", err)
	}
	var cases []Case
	err := f.j.Write(ctx, func(tx *journal.Tx) (err error) {
		cases, err = f.list(tx, `visit = ? ORDER BY position`, a.Visit)
		if err != nil || len(cases) > 0 {
			return err
		}
		for i := range a.Items {
			first := ""
			if i > 0 {
				first = cases[0].Number
			}
			c, err := f.accept(tx, a, i, first)
			if err != nil {
				return err
			}
			cases = append(cases, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot accept application: %w", err)
	}
	return cases, nil
}

func (f *Files) check(a Application) error {
	switch {
	case f.opts.Sealer == nil:
		return errors.New("the platform's public key is not configured, so personal data cannot be kept safely")
	case len(f.opts.PersonKey) < minPersonKey:
		return errors.New("the machine's key for finding people's cases is missing")
	case a.Visit == "":
		return errors.New("it has no visit")
	case len(a.Items) == 0 || len(a.Items) > maxItems:
		return fmt.Errorf("it has %d items, 1 to %d can be accepted at once", len(a.Items), maxItems)
	case a.Applicant.Name == "" || a.Applicant.Number == "":
		return errors.New("nobody has shown a card")
	case sha256.Sum256([]byte(a.Letter.Text)) != a.Letter.TextSHA256:
		return errors.New("the commitment letter is not the one that was shown: its hash differs")
	case !json.Valid(a.Signature):
		return errors.New("it is not signed")
	}
	for i, at := range a.Letter.Acknowledged {
		if at.IsZero() {
			return fmt.Errorf("part %d of the commitment letter was not acknowledged", i+1)
		}
	}
	for _, item := range a.Items {
		if item.Code == "" || item.Name == "" {
			return errors.New("an item has no code or name")
		}
	}
	return nil
}

// accept writes one case. first is the number of the application's first case, whose fact carries the letter and signature for all.
func (f *Files) accept(tx *journal.Tx, a Application, i int, first string) (Case, error) {
	item, now := a.Items[i], f.opts.Now().In(f.opts.Location).Truncate(time.Millisecond)
	number, err := f.nextNumber(tx, prefixCase, now)
	if err != nil {
		return Case{}, err
	}
	c := Case{Number: number, Item: item.Code, Name: item.Name, Department: item.Department, Seal: item.Seal, State: StateAccepted,
		AcceptedAt: now, Provisional: true, Service: 1}
	if c.Due, c.DueText, err = due(item.Promise, now, f.opts.Calendar); err != nil {
		return Case{}, fmt.Errorf("cannot tell when item %s is due: %w", item.Code, err)
	}
	if c.Due.IsZero() {
		c.DueText = item.PromiseText
	}
	if c.QueryCode, err = newQueryCode(); err != nil {
		return Case{}, err
	}
	sealed, err := f.sealCase(a, c, first)
	if err != nil {
		return Case{}, err
	}
	fact, err := tx.Fact("case.accepted", number, acceptedBody(a, item, c, first), sealed)
	if err != nil {
		return Case{}, err
	}
	if _, err := tx.Exec(`INSERT INTO casefile (number, visit, position, item, name, department, seal, state, accepted_at, due, due_text, query_code, person, fact)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.Number, a.Visit, i, c.Item, c.Name, c.Department, c.Seal, string(c.State),
		c.AcceptedAt.UnixMilli(), millis(c.Due), c.DueText, c.QueryCode, f.person(a.Applicant.Number), fact.Sequence); err != nil {
		return Case{}, err
	}
	_, err = tx.Exec(`INSERT INTO service (case_number, n, stage, name, at) VALUES (?, 1, 'acceptance', ?, ?)`, number, item.Name, now.UnixMilli())
	return c, err
}

// nextNumber counts per prefix and day in the journal, so a number is never given out twice, whatever the clock does.
func (f *Files) nextNumber(tx *journal.Tx, prefix byte, now time.Time) (string, error) {
	n, err := tx.Next(string(prefix) + now.Format("060102"))
	if err != nil {
		return "", err
	}
	number, err := makeNumber(prefix, f.j.Machine(), now, n)
	if err != nil {
		return "", fmt.Errorf("cannot give out a number: %w", err)
	}
	return number, nil
}

// person is the keyed hash by which the same person is found again.
func (f *Files) person(idNumber string) []byte {
	h := hmac.New(sha256.New, f.opts.PersonKey)
	h.Write([]byte("person 1\x00" + strings.ToUpper(strings.TrimSpace(idNumber))))
	return h.Sum(nil)
}

// Complete records that the result was handed out (办结出件): the second service of the case. Completing twice is harmless.
// Errors: ErrNotFound; a rejected or withdrawn case cannot be completed.
func (f *Files) Complete(ctx context.Context, number string) error {
	err := f.j.Write(ctx, func(tx *journal.Tx) error {
		c, err := f.find(tx, number)
		switch {
		case err != nil:
			return err
		case c.State == StateCompleted:
			return nil
		case c.State != StateAccepted:
			return fmt.Errorf("the case is %s", c.State)
		}
		now := f.opts.Now().In(f.opts.Location).Truncate(time.Millisecond)
		if _, err := tx.Fact("case.completed", c.Number, completedBody{Case: c.Number, PlatformNumber: c.PlatformNumber, CompletedAt: stamp(now),
			Service: serviceBody{N: 2, Stage: "completion"}}, nil); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE casefile SET state = 'completed' WHERE number = ?`, c.Number); err != nil {
			return err
		}
		// A window may have invited to rate the completion before it told us of it; then the service is there.
		_, err = tx.Exec(`INSERT INTO service (case_number, n, stage, name, at) VALUES (?, 2, 'completion', ?, ?) ON CONFLICT DO NOTHING`,
			c.Number, c.Name, now.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot complete case %s: %w", number, err)
	}
	return nil
}

// SetPlatformNumbers keeps the platform's numbers (办件编号) for provisional ones. Numbers of cases this machine does not know and
// numbers no platform can have given are passed over with a line in the log; only a failing disk is an error.
func (f *Files) SetPlatformNumbers(ctx context.Context, numbers map[string]string) error {
	err := f.j.Write(ctx, func(tx *journal.Tx) error {
		for provisional, platform := range numbers {
			if !plausible(platform) {
				f.opts.Log.Warn("the platform gave a case an unusable number; it stays provisional", "case", provisional, "length", len(platform))
				continue
			}
			res, err := tx.Exec(`UPDATE casefile SET platform_number = ? WHERE number = ?`, platform, provisional)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err == nil && n == 0 {
				f.opts.Log.Warn("the platform gave a number for a case this machine does not know", "case", hex.EncodeToString([]byte(provisional)))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot keep the platform's case numbers: %w", err)
	}
	return nil
}

// millis is a time as the journal keeps it: milliseconds, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// plausible bounds a 办件编号: opaque, 1 to 50 printable ASCII characters (up_pro_accept.project_no).
func plausible(number string) bool {
	return len(number) >= 1 && len(number) <= 50 && strings.IndexFunc(number, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
