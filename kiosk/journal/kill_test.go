package journal

import (
	"bufio"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 50, "how often TestKilledWhileCommitting kills its child")

// TestMain plays the child of TestKilledWhileCommitting when it is told to.
func TestMain(m *testing.M) {
	flag.Parse()
	if path := os.Getenv("JOURNAL_KILL_TEST"); path != "" {
		fmt.Fprintln(os.Stderr, commitForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// commitForEver commits facts and print jobs and tells of each only after the commit.
func commitForEver(path string) error {
	ctx := context.Background()
	j, err := Open(ctx, path, Options{Machine: "A1B2C3"})
	if err != nil {
		return err
	}
	for {
		var f Fact
		var job PrintJob
		if err := j.Write(ctx, func(tx *Tx) error {
			if f, err = tx.Fact("test.committed", "kill", map[string]string{"pad": strings.Repeat("办", rand.IntN(2000))}, make([]byte, rand.IntN(9000))); err != nil {
				return err
			}
			if _, err := tx.Fact("test.second", "kill", nil, nil); err != nil {
				return err
			}
			job, err = tx.QueuePrint(PrintJob{Kind: "receipt", Subject: fmt.Sprint(f.Sequence)})
			return err
		}); err != nil {
			return err
		}
		if _, err := fmt.Printf("%d %s %s\n", f.Sequence, hex.EncodeToString(f.Hash), job.ID); err != nil {
			return err
		}
		if rand.IntN(20) == 0 {
			if err := j.Acknowledge(ctx, f.Sequence); err != nil {
				return err
			}
		}
	}
}

// A process killed at any moment has lost nothing it told of, left nothing half done, and broken no chain.
func TestKilledWhileCommitting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	c := newClock()
	told := map[int64]string{}
	jobs := map[string]bool{}
	lines := 0
	for range *kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "JOURNAL_KILL_TEST="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// From while it opens the file to while it has committed for some time.
		timer := time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		in := bufio.NewScanner(out)
		for in.Scan() {
			var sequence int64
			var hash, job string
			if _, err := fmt.Sscanf(in.Text(), "%d %s %s", &sequence, &hash, &job); err != nil {
				continue // the line that was cut by the kill was not told
			}
			if len(hash) != 64 || len(job) != 6 {
				continue
			}
			if told[sequence] != "" || jobs[job] {
				t.Errorf("number %d or job %s was given out twice", sequence, job)
			}
			told[sequence], jobs[job] = hash, true
			lines++
		}
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() == 1 {
			t.Fatalf("the child ended by itself: %v", err)
		}
		timer.Stop()
		checkAfterKill(t, path, c, told, jobs)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d commits told of", *kills, lines)
	if lines == 0 {
		t.Error("no commit was ever told of: the test shows nothing")
	}
}

func checkAfterKill(t *testing.T, path string, c *clock, told map[int64]string, jobs map[string]bool) {
	t.Helper()
	c.Set(time.Now())
	j, err := Open(t.Context(), path, Options{Machine: "A1B2C3", Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	err = j.Read(t.Context(), func(q Queryer) error {
		for sequence, want := range told {
			var hash []byte
			if err := q.QueryRow(`SELECT hash FROM fact WHERE sequence = ?`, sequence).Scan(&hash); err != nil || hex.EncodeToString(hash) != want {
				t.Errorf("fact %d was told of and is not there: %v", sequence, err)
			}
		}
		for id := range jobs {
			var state PrintState
			if err := q.QueryRow(`SELECT state FROM print_job WHERE id = ?`, id).Scan(&state); err != nil || state != PrintFailed {
				t.Errorf("job %s is %s, %v", id, state, err)
			}
		}
		var first, second, rows int
		if err := q.QueryRow(`SELECT count(*) FILTER (WHERE kind = 'test.committed'), count(*) FILTER (WHERE kind = 'test.second'),
			(SELECT count(*) FROM print_job) FROM fact`).Scan(&first, &second, &rows); err != nil {
			return err
		}
		if first != second || first != rows {
			t.Errorf("a transaction was kept in part: %d, %d facts and %d jobs", first, second, rows)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
