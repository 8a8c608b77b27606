package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
)

// BrokenChain says where the chain of facts does not hold.
type BrokenChain struct {
	Sequence int64  // the first fact that is wrong, or missing
	Text     string // what is wrong with it
}

// Error names the fact and what to do.
func (b *BrokenChain) Error() string {
	return fmt.Sprintf("the chain of facts is broken at %d: %s; keep the file and tell the platform's people", b.Sequence, b.Text)
}

// Verify walks all kept facts and recomputes their hashes: a fact that was changed, removed or slipped in is found. Facts lost from
// the end leave no trace in the file; the platform finds those, as it holds higher numbers. Errors: *BrokenChain.
func (j *Journal) Verify(ctx context.Context) error {
	err := j.Read(ctx, func(q Queryer) error {
		var last int64
		var prev []byte
		var acknowledged int64
		if err := q.QueryRow(`SELECT pruned, pruned_hash, acknowledged FROM delivery`).Scan(&last, &prev, &acknowledged); err != nil {
			return err
		}
		rows, err := q.Query(`SELECT ` + factColumns + ` FROM fact ORDER BY sequence`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f, err := scanFact(rows)
			if err != nil {
				return err
			}
			if text := checkLink(j.epoch, f, last, prev); text != "" {
				return &BrokenChain{Sequence: last + 1, Text: text}
			}
			last, prev = f.Sequence, f.Hash
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if last < acknowledged {
			return &BrokenChain{Sequence: last + 1, Text: "the platform has acknowledged it, and it is gone"}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot vouch for the journal: %w", err)
	}
	return nil
}

// checkLink returns what is wrong with f as the fact after number last with hash prev, or "".
func checkLink(epoch string, f Fact, last int64, prev []byte) string {
	switch {
	case f.Sequence != last+1:
		return "it is missing"
	case !bytes.Equal(f.Prev, prev):
		return "it does not follow from the fact before it"
	case !bytes.Equal(f.Hash, ChainHash(epoch, f)):
		return "its content does not match its hash"
	case f.Sealed != nil:
		if sum := sha256.Sum256(f.Sealed); !bytes.Equal(sum[:], f.SealedSHA256) {
			return "its sealed part does not match its hash"
		}
	}
	return ""
}
