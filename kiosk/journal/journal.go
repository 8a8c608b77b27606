package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// minSQLite is the oldest SQLite library that may touch a journal: 3.51.3 ends a bug by which two connections that checkpoint
// at once could corrupt a WAL file (sqlite.org/wal.html, "the WAL-reset bug").
const minSQLite = 3_051_003

// firstYear is when this program first existed; a clock before it is wrong whatever else it says.
const firstYear = 2026

var machineName = regexp.MustCompile(`^[0-9A-Z]{6}$`)

// Options says whose journal it is.
type Options struct {
	Machine string           // 6 characters 0-9 A-Z, part of every number the machine gives out
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger     // slog.Default when nil
	Reserve int64            // bytes that Room wants to be left on the disk; 16 MiB when 0
}

// Journal is the open file. All methods may be called from several goroutines.
type Journal struct {
	opts   Options
	path   string
	lock   *os.File
	writer *sql.DB // one connection: SQLite has one writer, and so have we
	reader *sql.DB
	epoch  string

	mu      sync.Mutex
	changed chan struct{} // closed at the next commit of a fact
	closed  bool
}

// Open opens the journal at path, creates it when there is none, brings it up to date and checks it (quick_check). Print jobs that
// were under way when the machine stopped are given their true end: see PrintJob. The directory must exist.
//
// Errors: ErrInUse, ErrNewer, ErrForeign, ErrMachine, ErrDamaged, ErrDiskFull, ErrReadOnly, and what the system says.
func Open(ctx context.Context, path string, opts Options) (*Journal, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Reserve == 0 {
		opts.Reserve = defaultReserve
	}
	if !machineName.MatchString(opts.Machine) {
		return nil, fmt.Errorf("cannot open journal: the machine's name %q must be 6 characters 0-9 A-Z", opts.Machine)
	}
	if text, number, _ := sqlite3.Version(); number < minSQLite {
		return nil, fmt.Errorf("cannot open journal: the program was built with SQLite %s, which can corrupt the file; build it with 3.51.3 or later", text)
	}
	j := &Journal{opts: opts, path: path, changed: make(chan struct{})}
	if err := j.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open journal %s: %w", path, explain(err)), j.Close())
	}
	return j, nil
}

func (j *Journal) open(ctx context.Context, path string) error {
	var err error
	if j.lock, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	// SQLite would create the file readable for all; the WAL file takes over the mode of the main file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return describeSystem(err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if j.writer, err = sql.Open("sqlite3", dsn(path, url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}, "_fk": {"1"},
		"_busy_timeout": {"5000"}, "_stmt_cache_size": {"64"},
	})); err != nil {
		return err
	}
	j.writer.SetMaxOpenConns(1)
	if err := j.prepare(ctx); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	if j.reader, err = sql.Open("sqlite3", dsn(path, url.Values{
		"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {"5000"}, "_stmt_cache_size": {"64"},
	})); err != nil {
		return err
	}
	j.reader.SetMaxOpenConns(4)
	j.reader.SetMaxIdleConns(4)
	return j.reader.PingContext(ctx)
}

// prepare checks and migrates the file and mends what the last run left under way.
func (j *Journal) prepare(ctx context.Context) error {
	if err := migrate(ctx, j.writer); err != nil {
		return err
	}
	if err := j.claim(ctx); err != nil {
		return err
	}
	return j.Write(ctx, func(tx *Tx) error { return tx.endPrintJobs() })
}

// claim gives a new file its epoch and refuses another machine's file. A file in which nothing ever happened belongs to nobody: a machine
// may run on the example of the package until its site gives it its name.
func (j *Journal) claim(ctx context.Context) error {
	return j.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT OR IGNORE INTO identity (only, machine, epoch, born) VALUES (1, ?, ?, ?)`,
			j.opts.Machine, newEpoch(), j.opts.Now().UnixMilli()); err != nil {
			return err
		}
		var machine string
		if err := tx.QueryRow(`SELECT machine, epoch FROM identity`).Scan(&machine, &j.epoch); err != nil {
			return err
		}
		if machine == j.opts.Machine {
			return nil
		}
		var used bool
		if err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM fact) OR EXISTS (SELECT 1 FROM print_job) OR acknowledged > 0 FROM delivery`).Scan(&used); err != nil {
			return err
		}
		if used {
			return fmt.Errorf("%w (the file says %s, the machine is %s)", ErrMachine, machine, j.opts.Machine)
		}
		j.epoch = newEpoch()
		_, err := tx.Exec(`UPDATE identity SET machine = ?, epoch = ?, born = ?`, j.opts.Machine, j.epoch, j.opts.Now().UnixMilli())
		return err
	})
}

// Epoch is a random word born with the file. A machine that was installed anew starts a new epoch, so that its facts, which again
// count from 1, are never taken for the old ones.
func (j *Journal) Epoch() string { return j.epoch }

// Machine returns the machine's name.
func (j *Journal) Machine() string { return j.opts.Machine }

// Close ends the journal after the transactions under way. Closing twice is harmless.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	var errs []error
	if j.reader != nil { // first, so that the writer is the last connection and folds the WAL back into the file
		errs = append(errs, j.reader.Close())
	}
	if j.writer != nil {
		errs = append(errs, j.writer.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}

// Changed returns a channel that is closed when the next fact has been committed. Take it before looking at the outbox, then no
// fact can be missed in between.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

func (j *Journal) announce() {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *Journal) usable() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	return nil
}

func dsn(path string, q url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// lockFile takes the lock of this journal for as long as the file is open. It is a file of its own because closing any descriptor of
// the database itself would drop SQLite's own locks.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, describeSystem(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return f, nil
}

func describeSystem(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w (%w)", ErrDiskFull, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	return err
}

// syncDir makes the names of newly created files durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
