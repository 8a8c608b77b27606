package casefile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yuanban/kiosk/journal"
)

// ByPerson returns the cases of the holder of a card, newest first.
func (f *Files) ByPerson(ctx context.Context, idNumber string) ([]Case, error) {
	if len(f.opts.PersonKey) < minPersonKey {
		return nil, errors.New("cannot find cases: the machine's key for finding people's cases is missing")
	}
	var cases []Case
	err := f.j.Read(ctx, func(q journal.Queryer) (err error) {
		cases, err = f.list(q, `person = ? ORDER BY accepted_at DESC, number DESC`, f.person(idNumber))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot find cases: %w", err)
	}
	return cases, nil
}

// LastAccepted returns when the newest case was accepted; the zero time when there is none.
func (f *Files) LastAccepted(ctx context.Context) (time.Time, error) {
	var ms int64
	err := f.j.Read(ctx, func(q journal.Queryer) error {
		return q.QueryRow(`SELECT coalesce(max(accepted_at), 0) FROM casefile`).Scan(&ms)
	})
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms), nil
}

// ByNumber returns the case with a provisional or platform number. Spaces, hyphens and case do not matter in provisional numbers.
// Errors: ErrNotFound.
func (f *Files) ByNumber(ctx context.Context, number string) (Case, error) {
	var c Case
	err := f.j.Read(ctx, func(q journal.Queryer) (err error) {
		c, err = f.find(q, number)
		return err
	})
	if err != nil {
		return Case{}, fmt.Errorf("cannot find case: %w", err)
	}
	return c, nil
}

func (f *Files) find(q journal.Queryer, number string) (Case, error) {
	if number == "" {
		return Case{}, ErrNotFound
	}
	cases, err := f.list(q, `number = ? OR platform_number = ? LIMIT 1`, normalise(number), number)
	if err != nil {
		return Case{}, err
	}
	if len(cases) == 0 {
		return Case{}, ErrNotFound
	}
	return cases[0], nil
}

// list reads the cases for which condition, a constant of this package, holds.
func (f *Files) list(q journal.Queryer, condition string, args ...any) ([]Case, error) {
	rows, err := q.Query(`SELECT number, platform_number, item, name, department, seal, state, accepted_at, due, due_text, query_code,
		fact <= (SELECT acknowledged FROM delivery), coalesce((SELECT max(n) FROM service WHERE case_number = number), 0)
		FROM casefile WHERE `+condition, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var cases []Case
	for rows.Next() {
		var c Case
		var accepted, due int64
		if err := rows.Scan(&c.Number, &c.PlatformNumber, &c.Item, &c.Name, &c.Department, &c.Seal, &c.State, &accepted, &due, &c.DueText, &c.QueryCode,
			&c.Uploaded, &c.Service); err != nil {
			return nil, err
		}
		c.AcceptedAt = time.UnixMilli(accepted).In(f.opts.Location)
		if due != 0 {
			c.Due = time.UnixMilli(due).In(f.opts.Location)
		}
		c.Provisional = c.PlatformNumber == ""
		cases = append(cases, c)
	}
	return cases, rows.Err()
}
