package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func sequences(facts []Fact) []int64 {
	var list []int64
	for _, f := range facts {
		list = append(list, f.Sequence)
	}
	return list
}

func pending(t *testing.T, j *Journal, limit int) []Fact {
	t.Helper()
	facts, err := j.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestOutbox(t *testing.T) {
	c := newClock()
	j := open(t, filepath.Join(t.TempDir(), "j.db"), c)
	ctx := t.Context()
	if b, err := j.Backlog(ctx); err != nil || b != (Backlog{}) {
		t.Errorf("a new journal has backlog %v, %v", b, err)
	}
	start := c.Now()
	for i := range 6 {
		record(t, j, "a.b", fmt.Sprint(i), nil, []byte("sealed"))
		c.Add(time.Minute)
	}
	if got := sequences(pending(t, j, 4)); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("pending %v", got)
	}
	if b, err := j.Backlog(ctx); err != nil || b.Count != 6 || !b.Oldest.Equal(start) {
		t.Errorf("backlog %v, %v", b, err)
	}
	if err := j.Acknowledge(ctx, 7); err == nil {
		t.Error("acknowledged a fact that was never written")
	}
	for _, upTo := range []int64{4, 4, 2, -1} { // repeated and late acknowledgements change nothing
		if err := j.Acknowledge(ctx, upTo); err != nil {
			t.Fatal(err)
		}
	}
	if got := sequences(pending(t, j, 100)); !slices.Equal(got, []int64{5, 6}) {
		t.Errorf("pending %v", got)
	}
	if b, _ := j.Backlog(ctx); b.Count != 2 || !b.Oldest.Equal(start.Add(4*time.Minute)) {
		t.Errorf("backlog %v", b)
	}

	if err := j.Rewind(ctx, 5); err == nil {
		t.Error("rewound forward")
	}
	if err := j.Rewind(ctx, 1); err != nil {
		t.Fatal(err)
	}
	again := pending(t, j, 100)
	if got := sequences(again); !slices.Equal(got, []int64{2, 3, 4, 5, 6}) {
		t.Errorf("pending %v after rewind", got)
	}
	for _, f := range again {
		if f.SealedDropped() != (f.Sequence <= 4) {
			t.Errorf("fact %d: sealed part dropped %v", f.Sequence, f.SealedDropped())
		}
	}
	if err := j.Verify(ctx); err != nil {
		t.Errorf("without the sealed parts: %v", err)
	}
}

func TestPrune(t *testing.T) {
	c := newClock()
	j := open(t, filepath.Join(t.TempDir(), "j.db"), c)
	ctx := t.Context()
	for i := range 6 {
		record(t, j, "a.b", fmt.Sprint(i), nil, nil)
	}
	if err := j.Acknowledge(ctx, 3); err != nil {
		t.Fatal(err)
	}
	c.Add(20 * 24 * time.Hour)
	if err := j.Acknowledge(ctx, 4); err != nil {
		t.Fatal(err)
	}
	c.Add(11 * 24 * time.Hour)
	for range 2 {
		if err := j.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if p, err := j.Position(ctx); err != nil || p != (Position{Oldest: 4, Last: 6, Acknowledged: 4}) {
			t.Errorf("position %+v, %v", p, err)
		}
	}
	if err := j.Rewind(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if got := sequences(pending(t, j, 10)); !slices.Equal(got, []int64{4, 5, 6}) {
		t.Errorf("pending %v", got)
	}
	if err := j.Prune(ctx); err != nil { // nothing that was asked for again is deleted
		t.Fatal(err)
	}
	if err := j.Acknowledge(ctx, 6); err != nil {
		t.Fatal(err)
	}
	c.Add(31 * 24 * time.Hour)
	if err := j.Prune(ctx); err != nil {
		t.Fatal(err)
	}
	if p, _ := j.Position(ctx); p != (Position{Oldest: 6, Last: 6, Acknowledged: 6}) {
		t.Errorf("position %+v; the last fact must stay", p)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
	if f := record(t, j, "a.b", "next", nil, nil); f.Sequence != 7 {
		t.Errorf("after pruning the sequence goes on at %d", f.Sequence)
	}
	if err := j.Verify(ctx); err != nil {
		t.Error(err)
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	for name, tc := range map[string]struct {
		statement string
		broken    int64 // 0: must be refused by the file itself
	}{
		"untouched":           {"SELECT 1", -1},
		"body":                {`UPDATE fact SET body = '{"level":"5"}' WHERE sequence = 3`, 3},
		"body with its hash":  {`UPDATE fact SET body = '{"level":"5"}', hash = zeroblob(32) WHERE sequence = 3`, 3},
		"time":                {`UPDATE fact SET time = time + 1 WHERE sequence = 2`, 2},
		"clock trusted":       {`UPDATE fact SET clock_trusted = 0 WHERE sequence = 2`, 2},
		"removed":             {`DELETE FROM fact WHERE sequence = 4`, 4},
		"removed, renumbered": {`DELETE FROM fact WHERE sequence = 4; UPDATE fact SET sequence = 4 WHERE sequence = 5`, 4},
		"removed first":       {`DELETE FROM fact WHERE sequence = 1`, 1},
		"sealed exchanged":    {`UPDATE fact SET sealed = x'00' WHERE sequence = 5`, 5},
		"acknowledged, gone":  {`UPDATE delivery SET acknowledged = 6`, 6},
	} {
		t.Run(name, func(t *testing.T) {
			j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
			for i := range 5 {
				record(t, j, "rating.given", fmt.Sprint(i), map[string]string{"level": "1"}, []byte("sealed"))
			}
			pragma(t, j, "DROP TRIGGER fact_never_changes")
			pragma(t, j, tc.statement)
			err := j.Verify(t.Context())
			broken, ok := errors.AsType[*BrokenChain](err)
			switch {
			case tc.broken == -1 && err != nil:
				t.Error(err)
			case tc.broken > 0 && (!ok || broken.Sequence != tc.broken):
				t.Errorf("error %v, want one at %d", err, tc.broken)
			}
		})
	}
}

func TestFactsCannotBeChangedByMistake(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	record(t, j, "a.b", "s", nil, nil)
	if err := j.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(`UPDATE fact SET body = '{}'`); return err }); err == nil {
		t.Error("a fact was changed")
	}
}

func TestPrintJobs(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "j.db")
	j := open(t, path, c)
	ctx := t.Context()
	queue := func() (job PrintJob) {
		t.Helper()
		if err := j.Write(ctx, func(tx *Tx) (err error) {
			job, err = tx.QueuePrint(PrintJob{Kind: "receipt", Subject: "L1"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return job
	}
	set := func(id string, s PrintState, reason string) error {
		return j.Write(ctx, func(tx *Tx) error { return tx.SetPrint(id, s, reason) })
	}
	for i, tc := range []struct {
		steps []PrintState
		fails bool // the last step
		want  PrintState
		copy  int // of which number it is, given the jobs before
	}{
		{[]PrintState{PrintPrinting, PrintPrinted}, false, PrintPrinted, 1},
		{[]PrintState{PrintPrinting, PrintPrinting, PrintSent, PrintSent}, false, PrintSent, 2},
		{[]PrintState{PrintFailed, PrintPrinting}, true, PrintFailed, 3},
		{[]PrintState{PrintPrinted}, true, PrintQueued, 3}, // nothing of the one before reached the paper
		{[]PrintState{PrintPrinting, PrintIndeterminate, PrintPrinted}, true, PrintIndeterminate, 4},
		{[]PrintState{PrintPrinting, PrintQueued}, true, PrintPrinting, 5},
		{[]PrintState{"invented"}, true, PrintQueued, 6},
	} {
		job := queue()
		if job.Copy != tc.copy || job.ID != fmt.Sprintf("%06d", i+1) || job.State != PrintQueued {
			t.Errorf("job %+v", job)
		}
		for n, s := range tc.steps {
			if err := set(job.ID, s, ""); (err != nil) != (tc.fails && n == len(tc.steps)-1) {
				t.Errorf("%v at %s: %v", tc.steps, s, err)
			}
		}
		if got, err := j.PrintJob(ctx, job.ID); err != nil || got.State != tc.want || got.Kind != "receipt" || got.Subject != "L1" {
			t.Errorf("%v: job %+v, %v", tc.steps, got, err)
		}
	}
	if err := set("none", PrintFailed, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("setting a job that is not there: %v", err)
	}
	if _, err := j.PrintJob(ctx, "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("reading a job that is not there: %v", err)
	}
	queued, printing := queue(), queue()
	if err := set(printing.ID, PrintPrinting, ""); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, path, c)
	for id, want := range map[string]PrintState{queued.ID: PrintFailed, printing.ID: PrintIndeterminate, "000001": PrintPrinted} {
		got, err := j.PrintJob(ctx, id)
		if err != nil || got.State != want || (got.State != PrintPrinted) != (got.Reason == "restart") {
			t.Errorf("after a restart %+v, %v; want %s", got, err, want)
		}
	}
}
