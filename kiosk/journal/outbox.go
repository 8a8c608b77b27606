package journal

import (
	"context"
	"fmt"
	"time"
)

// keepAcknowledged is how long acknowledged facts stay for a platform that must be rebuilt from its machines.
const keepAcknowledged = 30 * 24 * time.Hour

// Backlog is what the platform has not yet acknowledged.
type Backlog struct {
	Count  int
	Oldest time.Time // of the first of them; zero when there is none
}

// Position is where the outbox stands. Facts Oldest..Last are in the file, facts up to Acknowledged are at the platform.
type Position struct {
	Oldest, Last, Acknowledged int64
}

// Pending returns the first facts of the outbox in order, at most limit.
func (j *Journal) Pending(ctx context.Context, limit int) ([]Fact, error) {
	var facts []Fact
	err := j.Read(ctx, func(q Queryer) error {
		rows, err := q.Query(`SELECT `+factColumns+` FROM outbox ORDER BY sequence LIMIT ?`, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f, err := scanFact(rows)
			if err != nil {
				return err
			}
			facts = append(facts, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read outbox: %w", err)
	}
	return facts, nil
}

// Acknowledge takes all facts up to and including upTo out of the outbox and deletes their sealed parts. An older acknowledgement
// changes nothing; one beyond the last fact is refused.
func (j *Journal) Acknowledge(ctx context.Context, upTo int64) error {
	err := j.Write(ctx, func(tx *Tx) error {
		p, err := position(tx)
		if err != nil {
			return err
		}
		if upTo > p.Last {
			return fmt.Errorf("fact %d was never written, the last is %d", upTo, p.Last)
		}
		if upTo <= p.Acknowledged {
			return nil
		}
		if _, err := tx.Exec(`UPDATE fact SET sealed = NULL, acknowledged_at = ? WHERE sequence > ? AND sequence <= ?`,
			j.opts.Now().UnixMilli(), p.Acknowledged, upTo); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE delivery SET acknowledged = ?`, upTo)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot acknowledge facts: %w", err)
	}
	return nil
}

// Rewind puts the facts after to back into the outbox, for a platform that was restored from a backup. Facts no longer kept stay
// away: Position.Oldest tells. Sealed parts that were dropped do not come back; such facts say SealedDropped.
func (j *Journal) Rewind(ctx context.Context, to int64) error {
	err := j.Write(ctx, func(tx *Tx) error {
		p, err := position(tx)
		if err != nil {
			return err
		}
		if to < 0 || to > p.Acknowledged {
			return fmt.Errorf("the outbox begins after %d, it cannot go back to %d", p.Acknowledged, to)
		}
		_, err = tx.Exec(`UPDATE delivery SET acknowledged = ?`, max(to, p.Oldest-1))
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot rewind outbox: %w", err)
	}
	return nil
}

// Prune deletes facts that were acknowledged more than 30 days ago. The last fact always stays, for the chain goes on from it.
func (j *Journal) Prune(ctx context.Context) error {
	err := j.Write(ctx, func(tx *Tx) error {
		var upTo int64
		err := tx.QueryRow(`SELECT coalesce(max(sequence), 0) FROM fact
			WHERE acknowledged_at < ? AND sequence <= (SELECT acknowledged FROM delivery) AND sequence < (SELECT max(sequence) FROM fact)`,
			j.opts.Now().Add(-keepAcknowledged).UnixMilli()).Scan(&upTo)
		if err != nil || upTo == 0 {
			return err
		}
		if _, err := tx.Exec(`UPDATE delivery SET pruned = ?1, pruned_hash = (SELECT hash FROM fact WHERE sequence = ?1)`, upTo); err != nil {
			return err
		}
		_, err = tx.Exec(`DELETE FROM fact WHERE sequence <= ?`, upTo)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot delete old facts: %w", err)
	}
	return nil
}

// Backlog counts the outbox.
func (j *Journal) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	err := j.Read(ctx, func(q Queryer) error {
		p, err := position(q)
		if err != nil {
			return err
		}
		if b.Count = int(p.Last - p.Acknowledged); b.Count == 0 {
			return nil
		}
		var ms int64
		if err := q.QueryRow(`SELECT time FROM outbox ORDER BY sequence LIMIT 1`).Scan(&ms); err != nil {
			return err
		}
		b.Oldest = time.UnixMilli(ms).UTC()
		return nil
	})
	if err != nil {
		return Backlog{}, fmt.Errorf("cannot count outbox: %w", err)
	}
	return b, nil
}

// Position returns where the outbox stands.
func (j *Journal) Position(ctx context.Context) (Position, error) {
	var p Position
	err := j.Read(ctx, func(q Queryer) (err error) {
		p, err = position(q)
		return err
	})
	if err != nil {
		return Position{}, fmt.Errorf("cannot read outbox: %w", err)
	}
	return p, nil
}

func position(q Queryer) (Position, error) {
	var p Position
	err := q.QueryRow(`SELECT pruned + 1, acknowledged, coalesce((SELECT max(sequence) FROM fact), 0) FROM delivery`).
		Scan(&p.Oldest, &p.Acknowledged, &p.Last)
	return p, err
}
