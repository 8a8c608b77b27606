package evaluation

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"yuanban/kiosk/journal"
)

// maxCase bounds a case number: 办件编号 have at most 50 characters.
const maxCase = 50

// Sealer hides personal data from everyone but the platform.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
}

// Options is what keeping ratings needs.
type Options struct {
	Sealer Sealer           // for free texts; without one a text is refused, a rating is not
	Codes  Codes            // NationalCodes when zero
	Now    func() time.Time // time.Now when nil
	Log    *slog.Logger     // slog.Default when nil
}

// Book keeps invitations and ratings.
type Book struct {
	j       *journal.Journal
	reasons *Reasons
	opts    Options

	mu sync.Mutex
	// expires holds the ends of the invitations of this run with their monotonic clock reading: a wall clock that is set while
	// a person decides must not take the invitation away.
	expires map[string]time.Time
}

// New returns the ratings kept in j. Call Recover before inviting.
func New(j *journal.Journal, reasons *Reasons, opts Options) *Book {
	if opts.Codes == (Codes{}) {
		opts.Codes = NationalCodes()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Book{j: j, reasons: reasons, opts: opts, expires: map[string]time.Time{}}
}

// Reasons returns the list in use.
func (b *Book) Reasons() *Reasons { return b.reasons }

// Invite opens an invitation. Case, Stage, Service and Channel are needed; ID, OpenedAt and State are filled in. The case need not
// be known here: at a window it belongs to the window's system.
//
// Errors: ErrRated, ErrOpen, those of journal.Write, and what is missing.
func (b *Book) Invite(ctx context.Context, inv Invitation) (Invitation, error) {
	if err := checkInvitation(inv); err != nil {
		return Invitation{}, fmt.Errorf("cannot invite: %w", err)
	}
	now := b.opts.Now()
	inv.ID, inv.OpenedAt, inv.State = rand.Text(), now, Open
	if !inv.Expires.IsZero() && !inv.Expires.After(now) {
		return Invitation{}, fmt.Errorf("cannot invite: %w", ErrExpired)
	}
	err := b.j.Write(ctx, func(tx *journal.Tx) error { return b.invite(tx, &inv) })
	if err != nil {
		return Invitation{}, fmt.Errorf("cannot invite: %w", err)
	}
	if !inv.Expires.IsZero() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.expires[inv.ID] = inv.Expires
	}
	return inv, nil
}

func checkInvitation(inv Invitation) error {
	switch {
	case inv.Case == "" || utf8.RuneCountInString(inv.Case) > maxCase:
		return fmt.Errorf("a case number has 1 to %d characters", maxCase)
	case inv.Stage == "" || len(inv.Stage) > 30:
		return errors.New("the stage of the case is missing")
	case inv.Service < 1 || inv.Service > 99:
		return fmt.Errorf("service %d is not one of 1 to 99", inv.Service)
	case inv.Channel != ChannelPad && inv.Channel != ChannelKiosk:
		return fmt.Errorf("channel %q is not one of pad, kiosk", inv.Channel)
	case utf8.RuneCountInString(inv.Staff) > 50 || utf8.RuneCountInString(inv.Window) > 50:
		return errors.New("staff and window have at most 50 characters")
	}
	return nil
}

func (b *Book) invite(tx *journal.Tx, inv *Invitation) error {
	// A case that this machine accepted has two numbers once the platform has given its own; one service is one service under both.
	err := tx.QueryRow(`SELECT number FROM casefile WHERE platform_number = ?`, inv.Case).Scan(&inv.Case)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var rated, open bool
	err = tx.QueryRow(`SELECT exists (SELECT 1 FROM rating WHERE case_number = ?1 AND service = ?2),
		exists (SELECT 1 FROM invitation WHERE case_number = ?1 AND service = ?2 AND state = 'open')`, inv.Case, inv.Service).Scan(&rated, &open)
	switch {
	case err != nil:
		return err
	case rated:
		return ErrRated
	case open:
		return ErrOpen
	}
	if _, err := tx.Exec(`INSERT INTO service (case_number, n, stage, name, at) VALUES (?, ?, ?, '', ?) ON CONFLICT DO NOTHING`,
		inv.Case, inv.Service, inv.Stage, inv.OpenedAt.UnixMilli()); err != nil {
		return err
	}
	expires := int64(0)
	if !inv.Expires.IsZero() {
		expires = inv.Expires.UnixMilli()
	}
	if _, err := tx.Exec(`INSERT INTO invitation (id, case_number, service, stage, staff, window, channel, opened_at, expires, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')`, inv.ID, inv.Case, inv.Service, inv.Stage, inv.Staff, inv.Window, string(inv.Channel),
		inv.OpenedAt.UnixMilli(), expires); err != nil {
		return err
	}
	_, err = tx.Fact("invitation.opened", inv.ID, invitationBody{Invitation: inv.ID, serviceBody: serviceOf(*inv), Channel: inv.Channel,
		Device: b.j.Machine(), Window: inv.Window, Staff: inv.Staff}, nil)
	return err
}

// Get returns an invitation. Errors: ErrNotFound.
func (b *Book) Get(ctx context.Context, id string) (Invitation, error) {
	var inv Invitation
	err := b.j.Read(ctx, func(q journal.Queryer) (err error) {
		inv, err = getInvitation(q, id)
		return err
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("cannot read invitation: %w", err)
	}
	return inv, nil
}

func getInvitation(q journal.Queryer, id string) (Invitation, error) {
	inv := Invitation{ID: id}
	var opened, expires int64
	err := q.QueryRow(`SELECT case_number, service, stage, staff, window, channel, opened_at, expires, state FROM invitation WHERE id = ?`, id).
		Scan(&inv.Case, &inv.Service, &inv.Stage, &inv.Staff, &inv.Window, &inv.Channel, &opened, &expires, &inv.State)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, ErrNotFound
	}
	inv.OpenedAt = time.UnixMilli(opened)
	if expires != 0 {
		inv.Expires = time.UnixMilli(expires)
	}
	return inv, err
}

// End ends an open invitation without a rating: declined, timeout or fault. Ending it again in the same way is harmless.
// Errors: ErrNotFound, ErrNotOpen.
func (b *Book) End(ctx context.Context, id string, outcome State) error {
	if outcome != Declined && outcome != Timeout && outcome != Fault {
		return fmt.Errorf("cannot end invitation: %q is not one of declined, timeout, fault", outcome)
	}
	err := b.j.Write(ctx, func(tx *journal.Tx) error {
		inv, err := getInvitation(tx, id)
		switch {
		case err != nil:
			return err
		case inv.State == outcome:
			return nil
		case inv.State != Open:
			return fmt.Errorf("%w: it is %s", ErrNotOpen, inv.State)
		}
		return end(tx, inv, outcome)
	})
	if err != nil {
		return fmt.Errorf("cannot end invitation: %w", err)
	}
	b.forget(id)
	return nil
}

func end(tx *journal.Tx, inv Invitation, outcome State) error {
	if _, err := tx.Exec(`UPDATE invitation SET state = ? WHERE id = ?`, string(outcome), inv.ID); err != nil {
		return err
	}
	_, err := tx.Fact("invitation.ended", inv.ID, endedBody{Invitation: inv.ID, serviceBody: serviceOf(inv), Outcome: outcome}, nil)
	return err
}

func (b *Book) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.expires, id)
}

// expired says whether an invitation's time is over.
func (b *Book) expired(inv Invitation) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	end, ok := b.expires[inv.ID]
	if !ok {
		end = inv.Expires
	}
	return !end.IsZero() && b.opts.Now().After(end)
}

// Recover ends what a stop of the machine left open: invitations as faults, ratings as they are. Call it once at the start.
func (b *Book) Recover(ctx context.Context) error {
	err := b.j.Write(ctx, func(tx *journal.Tx) error {
		open, err := ids(tx, `SELECT id FROM invitation WHERE state = 'open' ORDER BY opened_at, id`)
		if err != nil {
			return err
		}
		for _, id := range open {
			inv, err := getInvitation(tx, id)
			if err != nil {
				return err
			}
			if err := end(tx, inv, Fault); err != nil {
				return err
			}
		}
		unclosed, err := ids(tx, `SELECT id FROM rating WHERE closed = 0 ORDER BY at, id`)
		if err != nil {
			return err
		}
		for _, id := range unclosed {
			if err := b.finish(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot end what the last run left open: %w", err)
	}
	return nil
}

func ids(q journal.Queryer, query string) ([]string, error) {
	rows, err := q.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}
