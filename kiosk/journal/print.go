package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PrintState is where a print job stands.
type PrintState string

// The states of a print job. The last four are final.
const (
	PrintQueued        PrintState = "queued"        // recorded, no byte sent
	PrintPrinting      PrintState = "printing"      // bytes may have reached the printer
	PrintPrinted       PrintState = "printed"       // confirmed by the printer
	PrintSent          PrintState = "sent"          // a printer that cannot confirm took all bytes
	PrintFailed        PrintState = "failed"        // certainly not, or not completely, on paper
	PrintIndeterminate PrintState = "indeterminate" // nobody can know; never repeated by itself
)

// next lists which state may follow which.
func (s PrintState) next(to PrintState) bool {
	switch s {
	case PrintQueued:
		return to == PrintPrinting || to == PrintFailed
	case PrintPrinting:
		return to == PrintPrinted || to == PrintSent || to == PrintFailed || to == PrintIndeterminate
	}
	return false
}

// PrintJob is one paper. It is in the journal before its first byte is at the printer, so that after a power cut the machine knows
// which papers it can vouch for: a job found queued has "failed" (reason "restart"), a job found printing is "indeterminate".
type PrintJob struct {
	ID      string // given by QueuePrint when empty
	Kind    string // "receipt", "guide", …
	Subject string // case number or what else the paper is about; never personal
	Copy    int    // 1 is the original, 2 the first copy (补打); given by QueuePrint when 0
	State   PrintState
	Reason  string // why it failed, in the words of devices/printer; "restart" after a restart
	At      time.Time
}

// QueuePrint records a job as queued and returns it with its id and copy number.
func (tx *Tx) QueuePrint(job PrintJob) (PrintJob, error) {
	if job.Kind == "" || job.Subject == "" {
		return PrintJob{}, errors.New("cannot queue print job: kind and subject are needed")
	}
	if job.ID == "" {
		n, err := tx.Next("print")
		if err != nil {
			return PrintJob{}, err
		}
		job.ID = fmt.Sprintf("%06d", n)
	}
	if job.Copy == 0 {
		// A job that failed before its first byte left no paper: what follows it is no copy.
		err := tx.QueryRow(`SELECT coalesce(max(copy), 0) + 1 FROM print_job WHERE kind = ? AND subject = ? AND (began OR state IN ('queued', 'printing'))`, job.Kind, job.Subject).Scan(&job.Copy)
		if err != nil {
			return PrintJob{}, fmt.Errorf("cannot queue print job: %w", explain(err))
		}
	}
	job.State, job.Reason, job.At = PrintQueued, "", tx.j.opts.Now().UTC().Truncate(time.Millisecond)
	_, err := tx.Exec(`INSERT INTO print_job (id, kind, subject, copy, state, reason, began, at) VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
		job.ID, job.Kind, job.Subject, job.Copy, string(job.State), job.Reason, job.At.UnixMilli())
	if err != nil {
		return PrintJob{}, fmt.Errorf("cannot queue print job: %w", err)
	}
	return job, nil
}

// SetPrint records what became of a job. Setting the same state again is harmless; a final state never changes.
// Errors: ErrNotFound.
func (tx *Tx) SetPrint(id string, state PrintState, reason string) error {
	var now PrintState
	switch err := tx.QueryRow(`SELECT state FROM print_job WHERE id = ?`, id).Scan(&now); {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("cannot set print job %s: %w", id, ErrNotFound)
	case err != nil:
		return fmt.Errorf("cannot set print job %s: %w", id, explain(err))
	case now == state:
		return nil
	case !now.next(state):
		return fmt.Errorf("cannot set print job %s: it is %s and cannot become %s", id, now, state)
	}
	_, err := tx.Exec(`UPDATE print_job SET state = ?, reason = ?, began = began OR ? = 'printing', at = ? WHERE id = ?`, string(state), reason, string(state), tx.j.opts.Now().UnixMilli(), id)
	return err
}

// PrintJob returns a job. Errors: ErrNotFound.
func (j *Journal) PrintJob(ctx context.Context, id string) (PrintJob, error) {
	job := PrintJob{ID: id}
	err := j.Read(ctx, func(q Queryer) error {
		var ms int64
		err := q.QueryRow(`SELECT kind, subject, copy, state, reason, at FROM print_job WHERE id = ?`, id).
			Scan(&job.Kind, &job.Subject, &job.Copy, &job.State, &job.Reason, &ms)
		job.At = time.UnixMilli(ms).UTC()
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return PrintJob{}, fmt.Errorf("cannot read print job %s: %w", id, err)
	}
	return job, nil
}

// Interrupted says whether the last job that reached the printer may have left a part of itself there, not cut off: a stop of the machine
// cut it off, or it was given up.
func (j *Journal) Interrupted(ctx context.Context) (cut bool, err error) {
	err = j.Read(ctx, func(q Queryer) error {
		err := q.QueryRow(`SELECT state IN ('indeterminate', 'failed') FROM print_job WHERE began ORDER BY id DESC LIMIT 1`).Scan(&cut)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("cannot look at the last print job: %w", err)
	}
	return cut, nil
}

// endPrintJobs gives the jobs that a stop of the machine left under way their true end.
func (tx *Tx) endPrintJobs() error {
	if _, err := tx.Exec(`UPDATE print_job SET state = 'indeterminate', reason = 'restart' WHERE state = 'printing'`); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE print_job SET state = 'failed', reason = 'restart' WHERE state = 'queued'`)
	return err
}
