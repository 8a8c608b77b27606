package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a wall clock that a test can set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock {
	return &clock{t: time.Date(2026, 7, 15, 6, 30, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func (c *clock) Add(d time.Duration) { c.Set(c.Now().Add(d)) }

func open(t testing.TB, path string, c *clock) *Journal {
	t.Helper()
	j, err := Open(t.Context(), path, Options{Machine: "A1B2C3", Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func record(t testing.TB, j *Journal, kind, subject string, body any, sealed []byte) Fact {
	t.Helper()
	var f Fact
	if err := j.Write(t.Context(), func(tx *Tx) (err error) {
		f, err = tx.Fact(kind, subject, body, sealed)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFactsAreNumberedChainedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	c := newClock()
	j := open(t, path, c)
	var want []Fact
	for i := range 5 {
		want = append(want, record(t, j, "test.fact", fmt.Sprintf("s%d", i), map[string]any{"z": i, "a": "<办>&"}, []byte(strings.Repeat("x", i))))
		c.Add(time.Second)
	}
	if got := string(want[1].Body); got != `{"a":"<办>&","z":1}` {
		t.Errorf("body is %s", got)
	}
	epoch := j.Epoch()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = open(t, path, c)
	if j.Epoch() != epoch {
		t.Error("the epoch changed when the file was opened again")
	}
	got, err := j.Pending(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	prev := FirstPrev()
	for i, f := range got {
		switch {
		case f.Sequence != int64(i+1):
			t.Errorf("fact %d has sequence %d", i+1, f.Sequence)
		case !bytes.Equal(f.Prev, prev), !bytes.Equal(f.Hash, ChainHash(epoch, f)), !bytes.Equal(f.Hash, want[i].Hash):
			t.Errorf("fact %d is not chained", f.Sequence)
		case !f.Time.Equal(want[i].Time), !f.ClockTrusted, f.Kind != "test.fact", !bytes.Equal(f.Sealed, want[i].Sealed):
			t.Errorf("fact %d came back as %+v", f.Sequence, f)
		}
		prev = f.Hash
	}
	if len(got) != len(want) {
		t.Errorf("%d facts came back", len(got))
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if f := record(t, j, "test.fact", "after", nil, nil); f.Sequence != 6 || !bytes.Equal(f.Prev, prev) {
		t.Errorf("the fact after a restart does not follow: %+v", f)
	}
}

// The vector is repeated in upstream/PROTOCOL.md for those who write a platform.
func TestChainHashVector(t *testing.T) {
	sum := sha256.Sum256([]byte("sealed"))
	f := Fact{Sequence: 1, Kind: "case.accepted", Subject: "LA1B2C326071500010", Time: time.Date(2026, 7, 15, 6, 30, 0, 0, time.UTC), ClockTrusted: true,
		Body: []byte(`{"case":"LA1B2C326071500010","z":"<办>"}`), SealedSHA256: sum[:], Prev: FirstPrev()}
	if got := hex.EncodeToString(ChainHash("ABCDEFGHIJKLMNOPQRSTUVWXYZ", f)); got != chainVector {
		t.Errorf("the hash is %s, want %s", got, chainVector)
	}
	base := ChainHash("ABCDEFGHIJKLMNOPQRSTUVWXYZ", f)
	for name, change := range map[string]func(*Fact){
		"sequence": func(f *Fact) { f.Sequence = 2 },
		"kind":     func(f *Fact) { f.Kind = "case.completed" },
		"subject":  func(f *Fact) { f.Subject = "x" },
		"boundary": func(f *Fact) { f.Kind, f.Subject = f.Kind+f.Subject[:1], f.Subject[1:] },
		"time":     func(f *Fact) { f.Time = f.Time.Add(time.Millisecond) },
		"trust":    func(f *Fact) { f.ClockTrusted = false },
		"body":     func(f *Fact) { f.Body = []byte(`{}`) },
		"sealed":   func(f *Fact) { f.SealedSHA256 = nil },
		"prev":     func(f *Fact) { f.Prev = base },
	} {
		g := f
		if change(&g); bytes.Equal(ChainHash("ABCDEFGHIJKLMNOPQRSTUVWXYZ", g), base) {
			t.Errorf("changing the %s does not change the hash", name)
		}
	}
}

// Computed independently (Python, hashlib).
const chainVector = "b8165e00d3dd57ee5fa2aabd81de6a5c90ecfd914d06d2257b5e8c96f20da437"

func TestFactRefusals(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	for name, tc := range map[string]struct {
		kind, subject string
		body          any
		sealed        []byte
		want          string
	}{
		"kind":     {"Rating", "s", nil, nil, "lower-case words"},
		"subject":  {"a.b", "", nil, nil, "subject"},
		"long":     {"a.b", strings.Repeat("长", 101), nil, nil, "subject"},
		"fraction": {"a.b", "s", map[string]any{"n": 1.5}, nil, "whole number"},
		"big":      {"a.b", "s", strings.Repeat("x", maxBody), nil, "at most"},
		"sealed":   {"a.b", "s", nil, make([]byte, maxSealed+1), "sealed"},
		"func":     {"a.b", "s", func() {}, nil, "unsupported"},
	} {
		err := j.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Fact(tc.kind, tc.subject, tc.body, tc.sealed)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
	}
	if b, err := j.Backlog(t.Context()); err != nil || b.Count != 0 {
		t.Errorf("backlog %v, %v after refusals only", b, err)
	}
}

func TestClockTrust(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "j.db")
	j := open(t, path, c)
	day := time.Date(2026, 7, 15, 8, 0, 0, 0, time.UTC)
	for i, tc := range []struct {
		name    string
		now     time.Time
		trusted bool
		restart bool
	}{
		{"first", day, true, false},
		{"same instant", day, true, false},
		{"later", day.Add(time.Hour), true, false},
		{"set back a second", day.Add(time.Hour - time.Second), false, false},
		{"battery empty, after a restart", time.Date(1970, 1, 1, 0, 0, 9, 0, time.UTC), false, true},
		{"still behind the floor", day, false, false},
		{"right again", day.Add(2 * time.Hour), true, false},
		{"before the program existed", time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC), false, true},
	} {
		if tc.restart {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = open(t, path, c)
		}
		c.Set(tc.now)
		f := record(t, j, "clock.read", "clock", nil, nil)
		if f.ClockTrusted != tc.trusted || !f.Time.Equal(tc.now) || f.Sequence != int64(i+1) {
			t.Errorf("%s: trusted %v at %v with sequence %d", tc.name, f.ClockTrusted, f.Time, f.Sequence)
		}
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	boom := errors.New("boom")
	if err := j.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Fact("a.b", "s", nil, nil); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = j.Write(t.Context(), func(tx *Tx) error {
			if _, err := tx.Next("counter"); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	if err := j.Write(ctx, func(tx *Tx) error {
		cancel() // what has begun is finished
		_, err := tx.Next("counter")
		return err
	}); err != nil {
		t.Errorf("a context cancelled half way stopped the transaction: %v", err)
	}
	if err := j.Write(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a write with a cancelled context gives %v", err)
	}
	var n int64
	if err := j.Write(t.Context(), func(tx *Tx) (err error) { n, err = tx.Next("counter"); return err }); err != nil || n != 2 {
		t.Errorf("the counter is at %d, %v", n, err)
	}
	if b, _ := j.Backlog(t.Context()); b.Count != 0 {
		t.Errorf("%d facts of a failed transaction are there", b.Count)
	}
}

func TestWritersTakeTurns(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				if err := j.Write(t.Context(), func(tx *Tx) error {
					_, err := tx.Fact("a.b", fmt.Sprintf("%d.%d", w, i), nil, nil)
					return err
				}); err != nil {
					t.Error(err)
				}
				if _, err := j.Backlog(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if b, err := j.Backlog(t.Context()); err != nil || b.Count != 80 {
		t.Errorf("backlog %v, %v", b, err)
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestChangedTellsOfFactsOnly(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	ch := j.Changed()
	if err := j.Write(t.Context(), func(tx *Tx) error { _, err := tx.Next("x"); return err }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ch:
		t.Error("told of a transaction without a fact")
	default:
	}
	record(t, j, "a.b", "s", nil, nil)
	select {
	case <-ch:
	default:
		t.Error("not told of a fact")
	}
}

func TestOpenRefuses(t *testing.T) {
	c := newClock()
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, path string)
		machine string
		want    error
	}{
		"newer": {func(t *testing.T, path string) { alter(t, path, "PRAGMA user_version = 99") }, "A1B2C3", ErrNewer},
		"foreign": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			alter(t, path, "CREATE TABLE other (x)")
		}, "A1B2C3", ErrForeign},
		"no database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 500), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "A1B2C3", ErrDamaged},
		"torn page": {func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt(bytes.Repeat([]byte{0xA5}, 4096), 2*4096); err != nil {
				t.Fatal(err)
			}
		}, "A1B2C3", ErrDamaged},
		"another machine": {func(*testing.T, string) {}, "ZZZZZZ", ErrMachine},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j.db")
			j := open(t, path, c)
			record(t, j, "a.b", "s", nil, nil)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			tc.prepare(t, path)
			j, err := Open(t.Context(), path, Options{Machine: tc.machine, Now: c.Now})
			if err == nil {
				t.Fatal(errors.Join(errors.New("opened"), j.Close()))
			}
			if !errors.Is(err, tc.want) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "j.db"), Options{Machine: "a1"}); err == nil {
		t.Error("opened with a machine name that is none")
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "absent", "j.db"), Options{Machine: "A1B2C3"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is absent gives %v", err)
	}
}

// TestUnusedJournalTakesAName: a machine runs on the package's example until its site gives it its name.
func TestUnusedJournalTakesAName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	c := newClock()
	first := open(t, path, c)
	epoch := first.Epoch()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	j, err := Open(t.Context(), path, Options{Machine: "ZZZZZZ", Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	if j.Epoch() == epoch || j.Epoch() == "" {
		t.Errorf("the epoch is still %q", j.Epoch())
	}
	record(t, j, "a.b", "s", nil, nil)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err := Open(t.Context(), path, Options{Machine: "A1B2C3", Now: c.Now}); !errors.Is(err, ErrMachine) {
		t.Errorf("after its first fact it opens as %v, %v", j, err)
	}
}

func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestOneProgramAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j ?#%20办.db") // characters that mean something in a URI
	j := open(t, path, newClock())
	if _, err := Open(t.Context(), path, Options{Machine: "A1B2C3"}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second opening gives %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		j.Write(t.Context(), func(*Tx) error { return nil }),
		j.Read(t.Context(), func(Queryer) error { return nil }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	open(t, path, newClock())
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

func TestDiskFullIsSaidAndPasses(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	record(t, j, "a.b", "before", nil, nil)
	pragma(t, j, "PRAGMA max_page_count = 40")
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		err = j.Write(t.Context(), func(tx *Tx) error {
			_, err := tx.Fact("a.b", "fill", nil, make([]byte, 20_000))
			return err
		})
	}
	if !errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), "nothing was recorded") {
		t.Fatalf("a full disk gives %v", err)
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Errorf("while the disk is full: %v", err)
	}
	pragma(t, j, "PRAGMA max_page_count = 100000")
	if f := record(t, j, "a.b", "after", nil, nil); f.Sequence != int64(n+1) {
		t.Errorf("after the disk was full the sequence goes on at %d, not %d", f.Sequence, n+1)
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyDiskIsSaid(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	pragma(t, j, "PRAGMA query_only = 1")
	err := j.Write(t.Context(), func(tx *Tx) error { _, err := tx.Fact("a.b", "s", nil, nil); return err })
	if !errors.Is(err, ErrReadOnly) {
		t.Errorf("error %v", err)
	}
	if _, err := j.Pending(t.Context(), 1); err != nil {
		t.Errorf("reading: %v", err)
	}
}

func pragma(t *testing.T, j *Journal, text string) {
	t.Helper()
	if _, err := j.writer.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// What the design promises about durability is a setting of the connection; it must be what the file really runs with.
func TestDurabilitySettings(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "j.db"), newClock())
	for text, want := range map[string]string{"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2", "PRAGMA foreign_keys": "1"} {
		var got string
		if err := j.writer.QueryRow(text).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", text, got, err, want)
		}
	}
	rows, err := j.writer.Query(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("table %s is not STRICT", name)
	}
	if _, err := j.reader.Exec("DELETE FROM counter"); err == nil {
		t.Error("a reader can write")
	}
}
