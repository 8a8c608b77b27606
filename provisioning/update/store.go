package update

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
)

// Host is the machine as an update needs it.
type Host interface {
	// Install gives the machine what a version in dir brought besides files that are read there: its secrets, and the package of this
	// program, deb, which is "" when it brought none: then the machine has the program that it had before. Both are "" to go back to a
	// machine without a version. It can be asked again after a power cut.
	Install(ctx context.Context, dir, deb string) error
	// Restart starts the machine's program anew, on what DIR/current says.
	Restart(ctx context.Context) error
	// Ailments are what is not well about the machine now. An error says that the program cannot tell; ErrGivenUp ends the trial, for
	// waiting would not help.
	Ailments(ctx context.Context) ([]Ailment, error)
}

// Ailment is one thing that is not well.
type Ailment struct {
	Part string // such as "printer"; the same whenever it is the matter
	Says string
}

// ErrGivenUp is what Host.Ailments returns when the program of a version did not stay up and is not tried any more.
var ErrGivenUp = errors.New("the program does not stay up, and the service manager has given it up")

// Options say how a Store judges and tries.
type Options struct {
	Site    ed25519.PublicKey // whose bundles are taken
	Machine string            // number of this machine
	Unseal  func(path string, sealed []byte) ([]byte, error)
	// Check reads a version that is unpacked but not in force, and says everything that is wrong with it.
	Check func(dir string) error
	Host  Host
	// Tell hears of each step as it begins and of its progress, 0 to 1; it may be nil.
	Tell func(step Step, progress float64)

	Now      func() time.Time // default time.Now
	Well     time.Duration    // for how long the machine must be well without a break; default 30 s
	Patience time.Duration    // within which that must have begun and ended; default 5 min
	Look     time.Duration    // how often it is looked at; default 1 s
}

// Store keeps the versions of a machine in a folder. One process uses it at a time; Lock sees to that.
type Store struct {
	dir string
	opt Options
	at  func(point string) // a test's power cut; does nothing
}

// trialStarts is how often a machine may start within a trial; the next start takes the version back.
const trialStarts = 1

// keep is how many versions stay on the disk: the one in force and those one may want to go back to.
const keep = 3

// Open returns the store in dir, which is made if it is not there.
func Open(dir string, opt Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "versions"), 0o755); err != nil {
		return nil, fmt.Errorf("cannot open the store of versions: %w", err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Tell == nil {
		opt.Tell = func(Step, float64) {}
	}
	for d, def := range map[*time.Duration]time.Duration{&opt.Well: 30 * time.Second, &opt.Patience: 5 * time.Minute, &opt.Look: time.Second} {
		if *d <= 0 {
			*d = def
		}
	}
	return &Store{dir, opt, func(string) {}}, nil
}

// State is what is committed and what is on trial.
func (s *Store) State() (State, error) { return s.load() }

// Current is the folder of the version in force, "" before the first.
func (s *Store) Current() string {
	target, err := os.Readlink(filepath.Join(s.dir, "current"))
	if err != nil {
		return ""
	}
	return filepath.Join(s.dir, target)
}

func (s *Store) folder(version int64) string {
	return filepath.Join(s.dir, "versions", strconv.FormatInt(version, 10))
}

// now is the time by the clock or, where that lags behind what is known, the latest time known.
func (s *Store) now(st State) time.Time {
	if now := s.opt.Now(); now.After(st.Latest) {
		return now
	}
	return st.Latest
}

// Apply takes a machine to the version in a bundle. It returns nil once that version is committed. On an error the machine is on
// the version that it had before: a *bundle.Refusal or a problem of Check before anything was changed, or *RolledBack after.
// The version that is committed already is put in force again, which mends files that somebody changed by hand.
func (s *Store) Apply(ctx context.Context, r io.Reader) error {
	st, err := s.load()
	if err != nil {
		return err
	}
	if st.Trial != nil {
		return fmt.Errorf("cannot begin an update: version %d is still on trial; wait until it is committed or taken back", st.Trial.Version)
	}
	version, err := s.unpack(&st, r)
	if err != nil {
		return err
	}
	st.Trial = &Trial{Version: version, Began: s.now(st).UTC(), Unwell: s.unwell(ctx, st)}
	if err := s.save(st); err != nil {
		return err
	}
	return s.try(ctx, st)
}

// unwell are the parts that are not well before a trial. A printer that is switched off must not keep a machine on its old version. Of a
// machine without a version, which is still being set up, everything has to be well.
func (s *Store) unwell(ctx context.Context, st State) (parts []string) {
	if st.Committed == 0 {
		return nil
	}
	ailments, err := s.opt.Host.Ailments(ctx)
	if err != nil {
		return nil // it can only become better
	}
	for _, a := range ailments {
		parts = append(parts, a.Part)
	}
	return parts
}

// Dry judges and checks a bundle and leaves the machine as it is.
func (s *Store) Dry(r io.Reader) (*bundle.Manifest, error) {
	st, err := s.load()
	if err != nil {
		return nil, err
	}
	b, dir, err := s.receive(st, r)
	if err != nil {
		return nil, err
	}
	return b.Manifest, os.RemoveAll(dir)
}

// receive judges a bundle, unpacks it into a new folder and checks what is in it.
func (s *Store) receive(st State, r io.Reader) (b *bundle.Bundle, dir string, err error) {
	s.opt.Tell(Download, 0)
	if b, err = bundle.Read(r); err != nil {
		return nil, "", err
	}
	standing := bundle.Standing{Site: s.opt.Site, Machine: s.opt.Machine, Version: st.Committed, Now: s.now(st)}
	if err := b.Judge(standing); err != nil {
		return nil, "", err
	}
	if dir, err = os.MkdirTemp(filepath.Join(s.dir, "versions"), ".new-"); err != nil {
		return nil, "", fmt.Errorf("cannot unpack bundle: %w", err)
	}
	if err := s.fill(dir, b); err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(dir))
	}
	return b, dir, nil
}

func (s *Store) fill(dir string, b *bundle.Bundle) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return fmt.Errorf("cannot unpack bundle: %w", err)
	}
	progress := func(done, total int64) { s.opt.Tell(Download, float64(done)/float64(max(total, 1))) }
	if err := b.Unpack(dir, s.opt.Unseal, progress); err != nil {
		return err
	}
	if err := s.opt.Check(dir); err != nil {
		return fmt.Errorf("cannot install version %d; nothing was changed: %w", b.Manifest.Version, err)
	}
	return nil
}

// manifestFile is the manifest of a version's bundle in its folder.
const manifestFile = "bundle.json"

// unpack puts the version of a bundle among the others, not in force.
func (s *Store) unpack(st *State, r io.Reader) (version int64, err error) {
	b, dir, err := s.receive(*st, r)
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir) // gone already when all went well
	m := b.Manifest
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return 0, fmt.Errorf("cannot unpack bundle: %w", err)
	}
	// A number names one content for ever, or nobody could say what a machine runs.
	if there, err := os.ReadFile(filepath.Join(s.folder(m.Version), manifestFile)); err == nil && m.Version == st.Committed && !bytes.Equal(there, text) {
		return 0, &bundle.Refusal{Reason: bundle.Older, Text: fmt.Sprintf("it is another version %d than the one this machine has; make a new one at the site", m.Version)}
	}
	if err := identity.WriteFile(filepath.Join(dir, manifestFile), text, 0o644); err != nil {
		return 0, fmt.Errorf("cannot unpack bundle: %w", err)
	}
	// A version that is in force must not lose its folder: the new one takes its place in one step.
	if err := s.replace(dir, s.folder(m.Version)); err != nil {
		return 0, fmt.Errorf("cannot unpack bundle: %w", err)
	}
	if m.Made.After(st.Latest) {
		st.Latest = m.Made // the site's clock has been there
	}
	return m.Version, nil
}

// try puts the version on trial in force and waits for its proof.
func (s *Store) try(ctx context.Context, st State) error {
	s.opt.Tell(Install, 0)
	err := s.enter(ctx, st.Trial.Version)
	if err == nil {
		err = s.verify(ctx, st.Trial.Unwell)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // Recover goes on
		}
		return s.rollBack(ctx, st, err)
	}
	s.opt.Tell(Commit, 0)
	st.Committed, st.Trial = st.Trial.Version, nil
	if err := s.save(st); err != nil {
		return err
	}
	s.prune(st)
	s.opt.Tell(Commit, 1)
	return nil
}

// enter puts a version in force: its secrets and program, then the link, then a start. Each part may have been done before.
func (s *Store) enter(ctx context.Context, version int64) error {
	deb, err := s.program(version)
	if err != nil {
		return err
	}
	if err := s.opt.Host.Install(ctx, s.folder(version), deb); err != nil {
		return fmt.Errorf("cannot install what version %d brought: %w", version, err)
	}
	if err := s.link(version); err != nil {
		return fmt.Errorf("cannot put version %d in force: %w", version, err)
	}
	return s.opt.Host.Restart(ctx)
}

// program is the path of the package that a version brought, or "".
func (s *Store) program(version int64) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.folder(version), manifestFile))
	var m bundle.Manifest
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return "", fmt.Errorf("cannot read version %d: %w", version, err)
	}
	if m.Program == nil {
		return "", nil
	}
	return filepath.Join(s.folder(version), filepath.FromSlash(m.Program.File)), nil
}

// verify waits until the machine has been as well as before for long enough.
func (s *Store) verify(ctx context.Context, before []string) error {
	s.opt.Tell(Verify, 0)
	began := time.Now()
	var since time.Time // when it began to be well
	var last error
	for {
		if last = s.worse(ctx, before); last != nil {
			since = time.Time{}
			s.opt.Tell(Verify, 0) // it still waits
		} else if since.IsZero() {
			since = time.Now()
		}
		if !since.IsZero() {
			well := time.Since(since)
			s.opt.Tell(Verify, min(float64(well)/float64(s.opt.Well), 1))
			if well >= s.opt.Well {
				return nil
			}
		}
		if errors.Is(last, ErrGivenUp) {
			return last
		}
		if time.Since(began) >= s.opt.Patience {
			if last == nil {
				last = errors.New("it was well only for moments")
			}
			return fmt.Errorf("the machine did not become well within %v: %w", s.opt.Patience, last)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.opt.Look):
		}
	}
}

// worse is what is not well now and was before.
func (s *Store) worse(ctx context.Context, before []string) error {
	ailments, err := s.opt.Host.Ailments(ctx)
	if err != nil {
		return err
	}
	var says []string
	for _, a := range ailments {
		if !slices.Contains(before, a.Part) {
			says = append(says, a.Says)
		}
	}
	if says == nil {
		return nil
	}
	return errors.New(strings.Join(says, "; "))
}

// RolledBack is the error of an update that was taken back: the machine is on the version that it had before.
type RolledBack struct {
	Version, To int64
	Reason      error
}

func (r *RolledBack) Error() string {
	return fmt.Sprintf("version %d was taken back, version %d is in force again: %v", r.Version, r.To, r.Reason)
}

// Unwrap gives why.
func (r *RolledBack) Unwrap() error { return r.Reason }

// rollBack puts the committed version in force again. It goes on whatever fails: a machine that cannot be restarted must at least
// find the right version at its next start.
func (s *Store) rollBack(ctx context.Context, st State, reason error) error {
	s.opt.Tell(Rollback, 0)
	failed := &RolledBack{Version: st.Trial.Version, To: st.Committed, Reason: reason}
	var errs error
	if st.Committed > 0 {
		errs = s.enter(ctx, st.Committed)
	} else {
		errs = errors.Join(s.opt.Host.Install(ctx, "", ""), ignore(os.Remove(filepath.Join(s.dir, "current")), fs.ErrNotExist), s.opt.Host.Restart(ctx))
	}
	if s.inForce() != st.Committed { // the link at least
		return fmt.Errorf("cannot take version %d back: %w", st.Trial.Version, errs)
	}
	st.Failed = &Failure{Version: st.Trial.Version, At: s.now(st).UTC(), Reason: reason.Error()}
	st.Trial = nil
	if err := s.save(st); err != nil {
		return err
	}
	s.opt.Tell(Rollback, 1)
	return errors.Join(failed, errs)
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

// inForce is the version that the link names, 0 for none.
func (s *Store) inForce() int64 {
	n, err := strconv.ParseInt(filepath.Base(s.Current()), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Recover finishes what a power cut interrupted. It is called at each start, before the machine's program runs, and must be quick:
// it puts the right version in force and leaves the proof to Resume. The first start of a trial goes on with it; at a second one
// without a commit the version is taken back, for it may be what keeps the machine from staying up.
func (s *Store) Recover(ctx context.Context) error {
	st, err := s.load()
	if err != nil {
		return err
	}
	s.sweep()
	if st.Trial == nil {
		if st.Committed > 0 && s.inForce() != st.Committed {
			return s.enter(ctx, st.Committed)
		}
		return nil
	}
	if st.Trial.Starts++; st.Trial.Starts > trialStarts {
		return s.rollBack(ctx, st, errors.New("the machine started twice without being well in between"))
	}
	if err := s.save(st); err != nil {
		return err
	}
	if err := s.enter(ctx, st.Trial.Version); err != nil {
		return s.rollBack(ctx, st, err)
	}
	return nil
}

// DueRecover says what Recover would do now, and does nothing.
func (s *Store) DueRecover() (string, error) {
	st, err := s.load()
	switch {
	case err != nil:
		return "", err
	case st.Trial != nil && st.Trial.Starts >= trialStarts:
		return fmt.Sprintf("version %d would be taken back: the machine started before without being well with it", st.Trial.Version), nil
	case st.Trial != nil:
		return fmt.Sprintf("the trial of version %d would go on", st.Trial.Version), nil
	case st.Committed > 0 && s.inForce() != st.Committed:
		return fmt.Sprintf("version %d would be put in force again", st.Committed), nil
	}
	return "nothing is to be recovered", nil
}

// DueResume says what Resume would do now, and does nothing.
func (s *Store) DueResume() (string, error) {
	st, err := s.load()
	if err != nil || st.Trial == nil {
		return "no version is on trial", err
	}
	return fmt.Sprintf("version %d would be committed once the machine has been well with it for %v, or taken back after %v", st.Trial.Version, s.opt.Well, s.opt.Patience), nil
}

// Resume waits for the proof of a version that Recover left on trial. Without one it does nothing.
func (s *Store) Resume(ctx context.Context) error {
	st, err := s.load()
	if err != nil || st.Trial == nil {
		return err
	}
	return s.try(ctx, st)
}

// sweep removes what an interrupted Download left.
func (s *Store) sweep() {
	left, _ := filepath.Glob(filepath.Join(s.dir, "versions", ".*"))
	for _, dir := range left {
		os.RemoveAll(dir)
	}
}

// prune removes old versions, never one that is named in the state.
func (s *Store) prune(st State) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "versions"))
	if err != nil {
		return // the next commit tries again
	}
	var all []int64
	for _, e := range entries {
		if n, err := strconv.ParseInt(e.Name(), 10, 64); err == nil && n != st.Committed {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	for _, n := range all[:max(len(all)-keep+1, 0)] {
		os.RemoveAll(s.folder(n))
	}
}
