package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// Queryer asks questions inside one transaction.
type Queryer interface {
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

// Tx is one write transaction. It is valid inside the function given to Write only.
type Tx struct {
	j     *Journal
	ctx   context.Context
	tx    *sql.Tx
	facts int // written in this transaction
}

// Query asks for rows; what this transaction has written is seen.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	rows, err := tx.tx.QueryContext(tx.ctx, query, args...)
	return rows, explain(err)
}

// QueryRow asks for one row.
func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	return tx.tx.QueryRowContext(tx.ctx, query, args...)
}

// Exec changes rows.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	res, err := tx.tx.ExecContext(tx.ctx, query, args...)
	return res, explain(err)
}

// Next returns 1, 2, 3, … for each name. A number is used up by the commit and never given out again.
func (tx *Tx) Next(name string) (int64, error) {
	var n int64
	err := tx.QueryRow(`INSERT INTO counter (name, value) VALUES (?, 1)
		ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`, name).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("cannot count %s: %w", name, explain(err))
	}
	return n, nil
}

// Write runs fn in one transaction and returns after its commit is on the disk. If fn fails, nothing is kept and its error is
// returned. ctx bounds the wait for the turn only: what has begun is not cancelled half way. fn must not call Write.
//
// Errors: ErrClosed, ErrDiskFull, ErrReadOnly, ErrDamaged, and fn's own.
func (j *Journal) Write(ctx context.Context, fn func(tx *Tx) error) (err error) {
	if err := j.usable(); err != nil {
		return fmt.Errorf("cannot write journal: %w", err)
	}
	conn, err := j.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("cannot write journal: %w", explain(err))
	}
	defer conn.Close()
	whole := context.WithoutCancel(ctx)
	sqlTx, err := conn.BeginTx(whole, nil)
	if err != nil {
		return fmt.Errorf("cannot write journal: %w", explain(err))
	}
	defer func() {
		// After a commit this is a no-op; after an error or a panic of fn it undoes everything.
		if e := sqlTx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && err == nil {
			err = e
		}
	}()
	tx := &Tx{j: j, ctx: whole, tx: sqlTx}
	if err := fn(tx); err != nil {
		return explain(err)
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("cannot write journal: %w", explain(err))
	}
	if tx.facts > 0 {
		j.announce()
	}
	return nil
}

// Read runs fn over one consistent picture of the file. It does not wait for writers.
func (j *Journal) Read(ctx context.Context, fn func(q Queryer) error) error {
	if err := j.usable(); err != nil {
		return fmt.Errorf("cannot read journal: %w", err)
	}
	sqlTx, err := j.reader.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("cannot read journal: %w", explain(err))
	}
	defer func() { _ = sqlTx.Rollback() }() // nothing was written
	return explain(fn(&reading{ctx: ctx, tx: sqlTx}))
}

type reading struct {
	ctx context.Context
	tx  *sql.Tx
}

func (r *reading) Query(query string, args ...any) (*sql.Rows, error) {
	rows, err := r.tx.QueryContext(r.ctx, query, args...)
	return rows, explain(err)
}

func (r *reading) QueryRow(query string, args ...any) *sql.Row {
	return r.tx.QueryRowContext(r.ctx, query, args...)
}

// newEpoch returns 26 random characters (130 bits) of base32.
func newEpoch() string { return rand.Text() }
