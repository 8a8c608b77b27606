package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yuanban/kiosk/casefile"
	"yuanban/kiosk/journal"
)

const token = "a token of this machine"

// bench is a machine and a platform that talk over loopback.
type bench struct {
	t       *testing.T
	j       *journal.Journal
	files   *casefile.Files
	sim     *Simulator
	server  *httptest.Server
	cfg     Config
	written []journal.Fact

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 7, 15, 14, 30, 0, 0, time.FixedZone("CST", 8*60*60))}
	private, public, err := casefile.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if b.sim, err = NewSimulator(private); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.sim.PublicKey(), public) {
		t.Fatal("the simulator has another key")
	}
	b.sim.SetToken(token)
	b.sim.SetSlow(time.Minute)
	b.server = httptest.NewServer(b.sim)
	t.Cleanup(b.server.Close)
	clock := func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	}
	if b.j, err = journal.Open(t.Context(), filepath.Join(t.TempDir(), "j.db"), journal.Options{Machine: "A1B2C3", Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.j.Close() })
	sealer, err := casefile.NewSealer(public)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	b.files = casefile.New(b.j, casefile.Options{Sealer: sealer, PersonKey: make([]byte, 32), Now: clock, Log: quiet})
	b.cfg = Config{URL: b.server.URL, Token: token, BatchSize: 7, MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
		Timeout: 20 * time.Second, Heartbeat: 15 * time.Millisecond}
	return b
}

// start runs a deliverer until stop is called; stop returns when it has ended.
func (b *bench) start(opts Options) (d *Deliverer, stop func()) {
	b.t.Helper()
	if opts.OnNumbers == nil {
		opts.OnNumbers = b.files.SetPlatformNumbers
	}
	opts.Log = slog.New(slog.DiscardHandler)
	d = New(b.j, b.cfg, opts)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(stop)
	return d, stop
}

// write records n plain facts.
func (b *bench) write(n int) {
	b.t.Helper()
	for range n {
		if err := b.j.Write(b.t.Context(), func(tx *journal.Tx) error {
			f, err := tx.Fact("test.fact", fmt.Sprint(len(b.written)+1), map[string]string{"text": "<办>&\u2028"}, nil)
			b.written = append(b.written, f)
			return err
		}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// accept accepts one application of two items.
func (b *bench) accept(visit string) []casefile.Case {
	b.t.Helper()
	at := time.Date(2026, 7, 15, 14, 0, 0, 0, time.UTC)
	item := casefile.Item{Code: "P1-01", Name: "企业投资项目备案", Promise: casefile.Limit{Amount: 1, Unit: casefile.Hour24}}
	cases, err := b.files.Accept(b.t.Context(), casefile.Application{Visit: visit, Items: []casefile.Item{item, item}, Channel: "kiosk",
		Applicant: casefile.Applicant{Name: "张三", Number: "11010519491231002X", IDKind: "resident"},
		Letter:    casefile.Letter{Text: "告知承诺书", TextSHA256: sha256.Sum256([]byte("告知承诺书")), Acknowledged: [3]time.Time{at, at, at}},
		Signature: []byte(`[]`)})
	if err != nil {
		b.t.Fatal(err)
	}
	return cases
}

// eventually waits for a condition.
func (b *bench) eventually(what string, condition func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("not within 30 s: %s; platform problems %v", what, b.sim.Problems())
		}
	}
}

func (b *bench) delivered() bool {
	backlog, err := b.j.Backlog(b.t.Context())
	return err == nil && backlog.Count == 0
}

// checkRecords compares what the platform has with the journal: each fact once, in order, the same.
func (b *bench) checkRecords() {
	b.t.Helper()
	var want []journal.Fact
	err := b.j.Read(b.t.Context(), func(q journal.Queryer) error {
		rows, err := q.Query(`SELECT kind, time, body, hash FROM fact ORDER BY sequence`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f journal.Fact
			var ms int64
			var body string
			if err := rows.Scan(&f.Kind, &ms, &body, &f.Hash); err != nil {
				return err
			}
			f.Time, f.Body = time.UnixMilli(ms), json.RawMessage(body)
			want = append(want, f)
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatal(err)
	}
	got := b.sim.Records()
	if len(got) != len(want) {
		b.t.Fatalf("the platform has %d records, the journal %d facts", len(got), len(want))
	}
	for i, r := range got {
		if r.Sequence != int64(i+1) || !bytes.Equal(r.Hash, want[i].Hash) || !bytes.Equal(r.Body, want[i].Body) || r.Kind != want[i].Kind || !r.Time.Equal(want[i].Time) {
			b.t.Fatalf("record %d is %+v, want %+v", i+1, r, want[i])
		}
	}
}

func TestFactsArriveAtOnce(t *testing.T) {
	b := newBench(t)
	b.cfg.Heartbeat = time.Hour
	b.write(20)
	d, stop := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	cases := b.accept("v1") // while it waits
	b.eventually("the new facts are delivered", b.delivered)
	b.checkRecords()
	for i, want := range []string{"YB20260715000001", "YB20260715000002"} {
		c, err := b.files.ByNumber(t.Context(), cases[i].Number)
		if err != nil || c.PlatformNumber != want || !c.Uploaded || c.Provisional {
			t.Errorf("case %+v, %v; want number %s", c, err, want)
		}
	}
	var personal casefile.Personal
	if r := b.sim.Records()[20]; json.Unmarshal(r.Personal, &personal) != nil || personal.Name != "张三" || personal.LetterText != "告知承诺书" || r.Number != "YB20260715000001" {
		t.Errorf("the platform has %s", r.Personal)
	}
	b.eventually("the state tells", func() bool { return d.State().Backlog == 0 && d.State().Online })
	if s := d.State(); s.LastError != "" || s.LastOK.IsZero() || !s.Oldest.IsZero() {
		t.Errorf("state %+v", s)
	}
	stop()
	if n := b.sim.Duplicates(); n != 0 {
		t.Errorf("%d facts were sent twice without need", n)
	}
}

func TestEveryFault(t *testing.T) {
	for _, fault := range []SimFault{FaultDown, FaultHTTP500, FaultSlow, FaultAcceptThenDrop} {
		t.Run(string(fault), func(t *testing.T) {
			b := newBench(t)
			if fault == FaultSlow {
				b.cfg.Timeout = 300 * time.Millisecond
			}
			var states atomic.Int32
			d, _ := b.start(Options{OnState: func(State) { states.Add(1) }})
			b.write(3)
			b.eventually("the first facts are delivered", b.delivered)
			if err := b.sim.SetFault(fault); err != nil {
				t.Fatal(err)
			}
			cases := b.accept("v1")
			b.write(9)
			b.eventually("the fault is seen", func() bool {
				s := d.State()
				return !s.Online && s.LastError != "" && s.Backlog == 11 && !s.Oldest.IsZero()
			})
			took := fault == FaultSlow || fault == FaultAcceptThenDrop
			b.eventually("the platform took facts, or none", func() bool { return (len(b.sim.Records()) > 3) == took })
			if c, err := b.files.ByNumber(t.Context(), cases[0].Number); err != nil || c.Uploaded || !c.Provisional {
				t.Errorf("during the fault the case is %+v, %v", c, err)
			}
			if err := b.sim.SetFault(FaultNone); err != nil {
				t.Fatal(err)
			}
			b.eventually("all facts are delivered", b.delivered)
			b.eventually("the state tells", func() bool { return d.State().Online })
			b.checkRecords()
			if took != (b.sim.Duplicates() > 0) {
				t.Errorf("%d facts came twice", b.sim.Duplicates())
			}
			if c, err := b.files.ByNumber(t.Context(), cases[1].Number); err != nil || c.PlatformNumber != "YB20260715000002" || !c.Uploaded {
				t.Errorf("after the fault the case is %+v, %v", c, err)
			}
			if states.Load() < 3 {
				t.Errorf("%d states were reported", states.Load())
			}
		})
	}
	if err := new(Simulator).SetFault("tired"); err == nil {
		t.Error("an unknown fault was set")
	}
}

// Faults, restarts of the machine's program and of the platform at random, while facts are written.
func TestExactlyOnceThroughEverything(t *testing.T) {
	b := newBench(t)
	b.cfg.Timeout, b.cfg.BatchSize = 200*time.Millisecond, 3
	faults := []SimFault{FaultNone, FaultNone, FaultDown, FaultHTTP500, FaultSlow, FaultAcceptThenDrop}
	_, stop := b.start(Options{})
	for i := range 60 {
		if err := b.sim.SetFault(faults[rand.IntN(len(faults))]); err != nil {
			t.Fatal(err)
		}
		b.write(rand.IntN(4))
		switch rand.IntN(12) {
		case 0:
			b.accept(fmt.Sprint("visit", i))
		case 1:
			stop()
			_, stop = b.start(Options{})
		case 2:
			b.sim.Forget(rand.IntN(len(b.sim.Records()) + 1))
		}
		time.Sleep(time.Duration(rand.IntN(6)) * time.Millisecond)
	}
	if err := b.sim.SetFault(FaultNone); err != nil {
		t.Fatal(err)
	}
	b.write(1)
	b.eventually("the platform has all facts", func() bool {
		p, _ := b.j.Position(t.Context())
		return b.delivered() && int64(len(b.sim.Records())) == p.Last
	})
	stop()
	b.checkRecords()
	if problems := b.sim.Problems(); problems != nil {
		t.Errorf("the platform refused: %v", problems)
	}
}

func TestPlatformRestoredFromBackup(t *testing.T) {
	b := newBench(t)
	cases := b.accept("v1")
	b.write(8)
	d, stop := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	b.sim.Forget(0) // nothing new is written: the sign of life must find it
	b.eventually("the platform has all facts again", func() bool { return len(b.sim.Records()) == 10 && b.delivered() && d.State().Online })
	stop()
	b.checkRecords()
	if r := b.sim.Records()[0]; !r.Dropped || r.Personal != nil || r.Number == "" {
		t.Errorf("the case came again as %+v", r)
	}
	if c, err := b.files.ByNumber(t.Context(), cases[0].Number); err != nil || !c.Uploaded {
		t.Errorf("case %+v, %v", c, err)
	}
}

func TestPlatformRestoredFurtherThanFactsAreKept(t *testing.T) {
	b := newBench(t)
	b.write(10)
	_, stop := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	stop()
	b.mu.Lock()
	b.now = b.now.Add(31 * 24 * time.Hour)
	b.mu.Unlock()
	if err := b.j.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.sim.Forget(4)
	b.write(2)
	_, stop = b.start(Options{})
	b.eventually("the platform has what there is", func() bool { return b.delivered() && len(b.sim.Records()) == 7 })
	stop()
	if records := b.sim.Records(); records[3].Sequence != 4 || records[4].Sequence != 10 || records[6].Sequence != 12 {
		t.Errorf("records %+v", records)
	}
}

func TestAJournalThatLostItsEndIsFound(t *testing.T) {
	b := newBench(t)
	b.write(5)
	d, _ := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	// The platform has facts 6 and 7 of this epoch, which the journal has lost.
	other := b.sim.machines["A1B2C3 "+b.j.Epoch()]
	b.sim.mu.Lock()
	other.last, other.hash = 7, bytes.Repeat([]byte{9}, 32)
	other.hashes[6], other.hashes[7] = bytes.Repeat([]byte{8}, 32), other.hash
	b.sim.mu.Unlock()
	b.write(1)
	b.eventually("the loss is told", func() bool { return strings.Contains(d.State().LastError, "contradicts the journal") })
	if b.delivered() || len(b.sim.Records()) != 5 {
		t.Error("a contradicting fact was taken")
	}
}

func TestANewEpochIsANewLine(t *testing.T) {
	b := newBench(t)
	b.write(3)
	_, stop := b.start(Options{})
	b.eventually("all facts are delivered", b.delivered)
	stop()
	j, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "new.db"), journal.Options{Machine: "A1B2C3", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	b.j = j
	b.write(2)
	_, stop = b.start(Options{})
	defer stop()
	b.eventually("the facts of the new epoch are delivered", b.delivered)
	if records := b.sim.Records(); len(records) != 5 || records[3].Sequence != 1 || records[3].Epoch == records[0].Epoch {
		t.Errorf("records %+v", records)
	}
}

func TestNumbersAreKeptBeforeFactsAreAcknowledged(t *testing.T) {
	b := newBench(t)
	cases := b.accept("v1")
	var failures atomic.Int32
	failures.Store(3)
	d, stop := b.start(Options{OnNumbers: func(ctx context.Context, numbers map[string]string) error {
		if p, err := b.j.Position(ctx); err != nil || p.Acknowledged != 0 {
			t.Errorf("acknowledged %d before the numbers were kept, %v", p.Acknowledged, err)
		}
		if failures.Add(-1) >= 0 {
			return errors.New("the disk is full")
		}
		return b.files.SetPlatformNumbers(ctx, numbers)
	}})
	b.eventually("all facts are delivered", b.delivered)
	b.eventually("the state tells", func() bool { return d.State().Online })
	stop()
	if c, err := b.files.ByNumber(t.Context(), cases[1].Number); err != nil || c.Provisional {
		t.Errorf("case %+v, %v", c, err)
	}
	b.checkRecords()
}

func TestWithoutAPlatform(t *testing.T) {
	b := newBench(t)
	b.cfg.URL = ""
	d, stop := b.start(Options{})
	b.write(2)
	b.eventually("the backlog is told", func() bool { return d.State().Backlog == 2 })
	stop()
	if s := d.State(); s.Online || !strings.Contains(s.LastError, "no platform is configured") {
		t.Errorf("state %+v", s)
	}
}

func TestRunEndsWhileThePlatformIsSlow(t *testing.T) {
	b := newBench(t)
	b.cfg.Timeout = time.Hour
	if err := b.sim.SetFault(FaultSlow); err != nil {
		t.Fatal(err)
	}
	b.write(1)
	_, stop := b.start(Options{})
	b.eventually("the platform has it", func() bool { return len(b.sim.Records()) == 1 })
	start := time.Now()
	stop()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %v to end", d)
	}
}

func TestRunEndsWithTheJournal(t *testing.T) {
	b := newBench(t)
	d := New(b.j, b.cfg, Options{Log: slog.New(slog.DiscardHandler)})
	if err := b.j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestBackoff(t *testing.T) {
	b := backoff{min: time.Second, max: 5 * time.Minute}
	for i := range 100 {
		whole := min(5*time.Minute, time.Second<<min(i, 20))
		if d := b.next(0); d < whole/2 || d > whole {
			t.Errorf("after %d failures it waits %v, want %v to %v", i+1, d, whole/2, whole)
		}
	}
	b.reset()
	if d := b.next(0); d > time.Second {
		t.Errorf("after a success it waits %v", d)
	}
	if d := b.next(time.Minute); d != time.Minute {
		t.Errorf("asked for a minute it waits %v", d)
	}
	if d := b.next(time.Hour); d != 5*time.Minute {
		t.Errorf("asked for an hour it waits %v", d)
	}
	seen := map[time.Duration]bool{}
	for range 20 {
		b.failures = 9
		seen[b.next(0)] = true
	}
	if len(seen) < 15 {
		t.Error("the waits are not spread")
	}
}
