package evaluation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"yuanban/kiosk/journal"
)

// MaxText is how long a text with a rating may be, in characters (evaluation interfaces of the provinces).
const MaxText = 150

// badLevel is the highest level of a 差评: 2 不满意 and 1 非常不满意.
const badLevel = 2

// Rate commits a level, 5 非常满意 to 1 非常不满意, at the press. It needs an open invitation and ends it.
// Errors: ErrNotFound, ErrNotOpen, ErrExpired, ErrRated, those of journal.Write.
func (b *Book) Rate(ctx context.Context, invitation string, level int, source string) (Rating, error) {
	if level < 1 || level > 5 {
		return Rating{}, fmt.Errorf("cannot rate: level %d is not one of 1 to 5", level)
	}
	if source != SourceScreen && source != SourceButton {
		return Rating{}, fmt.Errorf("cannot rate: source %q is not one of screen, button", source)
	}
	var r Rating
	err := b.j.Write(ctx, func(tx *journal.Tx) (err error) {
		r, err = b.rate(tx, invitation, level, source)
		return err
	})
	if err != nil {
		return Rating{}, fmt.Errorf("cannot rate: %w", err)
	}
	b.forget(invitation)
	return r, nil
}

func (b *Book) rate(tx *journal.Tx, invitation string, level int, source string) (Rating, error) {
	inv, err := getInvitation(tx, invitation)
	switch {
	case err != nil:
		return Rating{}, err
	case inv.State == Rated:
		return Rating{}, ErrRated
	case inv.State != Open:
		return Rating{}, fmt.Errorf("%w: it is %s", ErrNotOpen, inv.State)
	case b.expired(inv):
		return Rating{}, ErrExpired
	}
	r := Rating{ID: inv.ID, Case: inv.Case, Service: inv.Service, Level: level, At: b.opts.Now().Truncate(time.Millisecond)}
	if _, err := tx.Exec(`INSERT INTO rating (id, case_number, service, level, at) VALUES (?, ?, ?, ?, ?)`,
		r.ID, r.Case, r.Service, r.Level, r.At.UnixMilli()); err != nil {
		return Rating{}, err
	}
	if _, err := tx.Exec(`UPDATE invitation SET state = 'rated' WHERE id = ?`, inv.ID); err != nil {
		return Rating{}, err
	}
	_, err = tx.Fact("rating.given", r.ID, givenBody{Rating: r.ID, serviceBody: serviceOf(inv), Level: strconv.Itoa(level),
		Channel: b.opts.Codes.of(inv.Channel, source), Source: source, Device: b.j.Machine(), Window: inv.Window, Staff: inv.Staff,
		ReasonsVersion: b.reasons.Version()}, nil)
	return r, err
}

// Detail says why: all reasons chosen and the whole text (at most 150 characters), in place of what was said before. Saying the same
// again records nothing.
// Errors: ErrNotFound, ErrClosed, ErrReason, ErrText, those of journal.Write.
func (b *Book) Detail(ctx context.Context, rating string, codes []string, text string) error {
	if utf8.RuneCountInString(text) > MaxText || !utf8.ValidString(text) {
		return fmt.Errorf("cannot add to rating: %w (at most %d characters)", ErrText, MaxText)
	}
	codes = slices.Compact(slices.Sorted(slices.Values(codes)))
	err := b.j.Write(ctx, func(tx *journal.Tx) error { return b.detail(tx, rating, codes, strings.TrimSpace(text)) })
	if err != nil {
		return fmt.Errorf("cannot add to rating: %w", err)
	}
	return nil
}

func (b *Book) detail(tx *journal.Tx, rating string, codes []string, text string) error {
	r, digest, err := getRating(tx, rating)
	switch {
	case err != nil:
		return err
	case r.Closed:
		return ErrClosed
	}
	for _, code := range codes {
		if !b.reasons.has(r.Level, code) {
			return fmt.Errorf("%w (%s at level %d)", ErrReason, code, r.Level)
		}
	}
	var now, sealed []byte
	if text != "" {
		sum := sha256.Sum256([]byte(text))
		now = sum[:]
	}
	if slices.Equal(codes, r.Codes) && bytes.Equal(now, digest) {
		return nil
	}
	if text != "" {
		if sealed, err = b.sealText(r.ID, text); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(`UPDATE rating SET codes = ?, text_sha256 = ? WHERE id = ?`, strings.Join(codes, ","), now, r.ID); err != nil {
		return err
	}
	_, err = tx.Fact("rating.detailed", r.ID, detailedBody{Rating: r.ID, Codes: append([]string{}, codes...), Text: text != "",
		ReasonsVersion: b.reasons.Version()}, sealed)
	return err
}

// sealText seals a free text: it is personal, for people write names into it.
func (b *Book) sealText(rating, text string) ([]byte, error) {
	if b.opts.Sealer == nil {
		return nil, errors.New("the platform's public key is not configured, so a text cannot be kept safely")
	}
	plain, err := json.Marshal(map[string]string{"rating": rating, "text": text})
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return b.opts.Sealer.Seal(plain)
}

// Finish closes a rating; nothing is added to it any more. A 不满意 or 非常不满意 without reason and text is kept as such
// (未说明原因), for no software invents a reason. Finishing twice is harmless. Errors: ErrNotFound, those of journal.Write.
func (b *Book) Finish(ctx context.Context, rating string) error {
	err := b.j.Write(ctx, func(tx *journal.Tx) error { return b.finish(tx, rating) })
	if err != nil {
		return fmt.Errorf("cannot close rating: %w", err)
	}
	return nil
}

func (b *Book) finish(tx *journal.Tx, rating string) error {
	r, digest, err := getRating(tx, rating)
	switch {
	case err != nil:
		return err
	case r.Closed:
		return nil
	}
	unstated := r.Level <= badLevel && len(r.Codes) == 0 && digest == nil
	// The digest of a short text could be guessed back to the text; from now on it only says that there was one.
	if digest != nil {
		digest = []byte{}
	}
	if _, err := tx.Exec(`UPDATE rating SET closed = 1, reason_unstated = ?, text_sha256 = ? WHERE id = ?`, unstated, digest, r.ID); err != nil {
		return err
	}
	_, err = tx.Fact("rating.closed", r.ID, closedBody{Rating: r.ID, Unstated: unstated}, nil)
	return err
}

// Rating returns a rating. Errors: ErrNotFound.
func (b *Book) Rating(ctx context.Context, id string) (Rating, error) {
	var r Rating
	err := b.j.Read(ctx, func(q journal.Queryer) (err error) {
		r, _, err = getRating(q, id)
		return err
	})
	if err != nil {
		return Rating{}, fmt.Errorf("cannot read rating: %w", err)
	}
	return r, nil
}

// getRating returns a rating and the digest of its text: nil when there is no text.
func getRating(q journal.Queryer, id string) (Rating, []byte, error) {
	r := Rating{ID: id}
	var at int64
	var codes string
	var digest []byte
	err := q.QueryRow(`SELECT case_number, service, level, at, codes, text_sha256, text_sha256 IS NOT NULL, closed, reason_unstated
		FROM rating WHERE id = ?`, id).Scan(&r.Case, &r.Service, &r.Level, &at, &codes, &digest, &r.HasText, &r.Closed, &r.Unstated)
	if errors.Is(err, sql.ErrNoRows) {
		return Rating{}, nil, ErrNotFound
	}
	r.At = time.UnixMilli(at)
	if codes != "" {
		r.Codes = strings.Split(codes, ",")
	}
	if r.HasText && digest == nil {
		digest = []byte{} // the driver gives nil for an empty blob
	}
	return r, digest, err
}

// Counts counts services, invitations and ratings that began in [from, to).
func (b *Book) Counts(ctx context.Context, from, to time.Time) (Counts, error) {
	var c Counts
	err := b.j.Read(ctx, func(q journal.Queryer) error {
		a, z := from.UnixMilli(), to.UnixMilli()
		if err := q.QueryRow(`SELECT count(*) FROM service WHERE at >= ? AND at < ?`, a, z).Scan(&c.Services); err != nil {
			return err
		}
		err := q.QueryRow(`SELECT count(*), count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'rated'),
			count(*) FILTER (WHERE state = 'declined'), count(*) FILTER (WHERE state = 'timeout'), count(*) FILTER (WHERE state = 'fault')
			FROM invitation WHERE opened_at >= ? AND opened_at < ?`, a, z).
			Scan(&c.Invited, &c.Open, &c.Rated, &c.Declined, &c.Timeout, &c.Fault)
		if err != nil {
			return err
		}
		return q.QueryRow(`SELECT count(*) FILTER (WHERE reason_unstated), count(*) FILTER (WHERE level = 1), count(*) FILTER (WHERE level = 2),
			count(*) FILTER (WHERE level = 3), count(*) FILTER (WHERE level = 4), count(*) FILTER (WHERE level = 5)
			FROM rating JOIN invitation USING (id) WHERE opened_at >= ? AND opened_at < ?`, a, z).
			Scan(&c.Unstated, &c.ByLevel[1], &c.ByLevel[2], &c.ByLevel[3], &c.ByLevel[4], &c.ByLevel[5])
	})
	if err != nil {
		return Counts{}, fmt.Errorf("cannot count ratings: %w", err)
	}
	return c, nil
}
