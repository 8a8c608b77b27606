package update

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/provisioning/bundle"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))

// made lies behind the fake clock of a bubble, which begins in 2000.
var made = time.Date(1999, 12, 1, 8, 0, 0, 0, time.UTC)

// stick is a bundle with a configuration and, unless program is "", a program.
func stick(t testing.TB, version int64, program string) []byte {
	t.Helper()
	file := func(path, text string) bundle.Content {
		return bundle.Content{Path: path, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
	}
	m := bundle.Manifest{Machine: "K00001", Version: version, Made: made, Expires: made.AddDate(1, 0, 0)}
	files := []bundle.Content{file("kiosk.yaml", fmt.Sprintf("version %d", version)), file("content/a", fmt.Sprintf("content %d", version))}
	if program != "" {
		files = append(files, file("program/kiosk.deb", program))
		m.Program = &bundle.Program{Version: program, Architecture: "amd64", File: "program/kiosk.deb"}
	}
	var b bytes.Buffer
	if err := bundle.Write(&b, m, files, key); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// host is a machine: what is installed on it survives a power cut, as on a disk.
type host struct {
	store     *Store
	installed string // program
	runs      string // configuration that the program was last started with
	restarts  int
	sick      map[string]bool // configurations with which it is not well
	dead      map[string]bool // and those with which it does not stay up
	ill       []Ailment       // whatever it is on
	at        func(string)
}

func (h *host) Install(_ context.Context, _, deb string) error {
	if deb == "" {
		return nil
	}
	h.at("before program")
	text, err := os.ReadFile(deb)
	if err != nil {
		return err
	}
	if string(text) == "broken" {
		return errors.New("dpkg: error processing archive")
	}
	h.installed = string(text)
	h.at("after program")
	return nil
}

func (h *host) Restart(context.Context) error {
	h.at("before restart")
	text, _ := os.ReadFile(filepath.Join(h.store.dir, "current", "kiosk.yaml"))
	h.runs = string(text)
	h.restarts++
	h.at("after restart")
	return nil
}

func (h *host) Ailments(context.Context) ([]Ailment, error) {
	h.at("looking")
	if h.dead[h.runs] {
		return nil, fmt.Errorf("%w: see the log", ErrGivenUp)
	}
	ill := h.ill
	if h.sick[h.runs] {
		ill = append(slices.Clone(ill), Ailment{"journal", "the journal does not answer"})
	}
	return ill, nil
}

func machine(t testing.TB, dir string, h *host) *Store {
	t.Helper()
	check := func(dir string) error {
		if text, err := os.ReadFile(filepath.Join(dir, "kiosk.yaml")); err != nil || strings.Contains(string(text), "13") {
			return fmt.Errorf("kiosk.yaml: not usable (%v)", err)
		}
		return nil
	}
	s, err := Open(dir, Options{Site: key.Public().(ed25519.PublicKey), Machine: "K00001", Check: check, Host: h,
		Well: 30 * time.Second, Patience: time.Minute, Look: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	h.store = s
	if h.at == nil {
		h.at = func(string) {}
	}
	return s
}

func apply(s *Store, data []byte) error {
	return s.Apply(context.Background(), bytes.NewReader(data))
}

func (h *host) want(t *testing.T, version int64, program string) {
	t.Helper()
	st, err := h.store.State()
	text, _ := os.ReadFile(filepath.Join(h.store.dir, "current", "content", "a"))
	config := fmt.Sprintf("version %d", version)
	if err != nil || st.Committed != version || st.Trial != nil || string(text) != fmt.Sprintf("content %d", version) || h.runs != config || h.installed != program {
		t.Errorf("state %+v (%v), content %q, runs %q, program %q; want version %d with program %q", st, err, text, h.runs, h.installed, version, program)
	}
}

func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{sick: map[string]bool{"version 3": true}}
		s := machine(t, t.TempDir(), h)
		if err := apply(s, stick(t, 1, "1.0")); err != nil {
			t.Fatal(err)
		}
		h.want(t, 1, "1.0")
		if err := apply(s, stick(t, 2, "1.1")); err != nil {
			t.Fatal(err)
		}
		h.want(t, 2, "1.1")

		// One that breaks the machine's health goes back, its program too.
		var back *RolledBack
		if err := apply(s, stick(t, 3, "1.2")); !errors.As(err, &back) || back.To != 2 || !strings.Contains(err.Error(), "journal") {
			t.Errorf("a version that breaks health: %v", err)
		}
		h.want(t, 2, "1.1")
		// So does one whose program cannot be installed.
		if err := apply(s, stick(t, 4, "broken")); !errors.As(err, &back) {
			t.Errorf("a broken program: %v", err)
		}
		h.want(t, 2, "1.1")
		// One that cannot work is not tried at all.
		was := h.restarts
		if err := apply(s, stick(t, 13, "")); err == nil || errors.As(err, &back) || h.restarts != was {
			t.Errorf("a version with a wrong configuration: %v, %d starts", err, h.restarts-was)
		}
		// Older ones and another one of the same number are refused, the same one again is not.
		for data, ok := range map[string]bool{string(stick(t, 1, "1.0")): false, string(stick(t, 2, "1.9")): false, string(stick(t, 2, "1.1")): true} {
			if err := apply(s, []byte(data)); (err == nil) != ok {
				t.Errorf("taken %v: %v", ok, err)
			}
			h.want(t, 2, "1.1")
		}
		if m, err := s.Dry(bytes.NewReader(stick(t, 9, ""))); err != nil || m.Version != 9 {
			t.Errorf("dry run: %+v, %v", m, err)
		}
		h.want(t, 2, "1.1")
		for v := int64(20); v < 26; v++ {
			if err := apply(s, stick(t, v, "1.1")); err != nil {
				t.Fatal(err)
			}
		}
		if left, _ := os.ReadDir(filepath.Join(s.dir, "versions")); len(left) != keep {
			t.Errorf("%d versions are kept, want %d", len(left), keep)
		}
	})
}

// TestFirstVersionGoesBackToNone: a machine that never had a configuration is left without one, not with a broken one.
// TestGivenUp: nobody waits for a program that is not tried any more.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{dead: map[string]bool{"version 2": true}}
		s := machine(t, t.TempDir(), h)
		if err := apply(s, stick(t, 1, "1.0")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := apply(s, stick(t, 2, "1.1")); !errors.Is(err, ErrGivenUp) || time.Since(began) != 0 {
			t.Errorf("a version whose program is given up: %v after %v", err, time.Since(began))
		}
		h.want(t, 1, "1.0")
	})
}

// TestNoWorseThanBefore: what was broken before an update is not held against it; of a machine that is being set up everything is.
func TestNoWorseThanBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := []Ailment{{"printer", "printer is offline"}}
		h := &host{ill: off, sick: map[string]bool{"version 3": true}}
		s := machine(t, t.TempDir(), h)
		if err := apply(s, stick(t, 1, "")); err == nil || !strings.Contains(err.Error(), "offline") {
			t.Errorf("a first version without its printer: %v", err)
		}
		h.ill = nil
		if err := apply(s, stick(t, 1, "")); err != nil {
			t.Fatal(err)
		}
		h.ill = off
		if err := apply(s, stick(t, 2, "")); err != nil {
			t.Errorf("the printer was off before: %v", err)
		}
		h.want(t, 2, "")
		if err := apply(s, stick(t, 3, "")); err == nil || strings.Contains(err.Error(), "offline") || !strings.Contains(err.Error(), "journal") {
			t.Errorf("a version that breaks more than was broken: %v", err)
		}
		h.want(t, 2, "")
	})
}

func TestFirstVersionGoesBackToNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{sick: map[string]bool{"version 1": true}}
		s := machine(t, t.TempDir(), h)
		var back *RolledBack
		if err := apply(s, stick(t, 1, "")); !errors.As(err, &back) || s.Current() != "" {
			t.Errorf("%v, current %q", err, s.Current())
		}
	})
}

// powerCut is what a test panics with in place of a power cut.
type powerCut struct{}

// TestPowerCuts cuts the power at every point of an update, good or bad, and again at every point of the recovery. The machine
// always ends wholly on the old version or wholly on the new one, and never on the new one if that is bad.
func TestPowerCuts(t *testing.T) {
	for _, bad := range []bool{false, true} {
		cuts := 0
		for first := 1; ; first++ {
			done := false
			for _, second := range []int{0, 1 + first%12} { // 0: none; every point of a recovery gets its turn
				synctest.Test(t, func(t *testing.T) { done = cutTwice(t, bad, first, second) })
				if t.Failed() {
					t.Fatalf("bad %v, cut at point %d, then at %d", bad, first, second)
				}
				cuts++
			}
			if done {
				break
			}
		}
		t.Logf("bad %v: %d stories", bad, cuts)
	}
}

// cutTwice says whether the update ended before its cut.
func cutTwice(t *testing.T, bad bool, first, second int) bool {
	dir := t.TempDir()
	h := &host{sick: map[string]bool{"version 2": bad}}
	s := machine(t, dir, h)
	if err := apply(s, stick(t, 1, "1.0")); err != nil {
		t.Fatal(err)
	}
	survived := h.until(first, func() { apply(s, stick(t, 2, "1.1")) })
	for n := second; ; n = 0 {
		s = machine(t, dir, h) // a new process on the same disk
		ended := h.until(n, func() {
			if err := s.Recover(context.Background()); err != nil && !errors.As(err, new(*RolledBack)) {
				t.Errorf("Recover: %v", err)
			}
			// The program starts, whatever Recover did.
			h.Restart(context.Background())
			if err := s.Resume(context.Background()); err != nil && !errors.As(err, new(*RolledBack)) {
				t.Errorf("Resume: %v", err)
			}
		})
		if ended {
			break
		}
	}
	st, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case st.Committed == 1:
		h.want(t, 1, "1.0")
	case bad:
		t.Errorf("a bad version was committed: %+v", st)
	default:
		h.want(t, 2, "1.1")
	}
	return survived
}

// until runs f and cuts the power at its n-th point, 0 for never. It says whether f ended before that.
func (h *host) until(n int, f func()) (ended bool) {
	points := 0
	at := func(string) {
		if points++; points == n {
			panic(powerCut{})
		}
	}
	h.at, h.store.at = at, at
	defer func() {
		h.at, h.store.at = func(string) {}, func(string) {}
		if r := recover(); r != nil {
			if _, ok := r.(powerCut); !ok {
				panic(r)
			}
		}
	}()
	f()
	return true
}

func TestOneAtATime(t *testing.T) {
	s := machine(t, t.TempDir(), &host{})
	unlock, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	if unlock, err = s.Lock(); err != nil {
		t.Error(err)
	}
	unlock()
}
