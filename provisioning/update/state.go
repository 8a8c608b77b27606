package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"yuanban/provisioning/identity"
)

// Step is where an update is. Values are stable: they are shown and kept.
type Step string

// The steps, as mender and RAUC name them.
const (
	Download Step = "Download" // the bundle is copied and judged
	Install  Step = "Install"  // unpacked, checked, switched to
	Verify   Step = "Verify"   // the machine has to be well with it
	Commit   Step = "Commit"
	Rollback Step = "Rollback"
)

// State is what a Store keeps in state.json.
type State struct {
	Committed int64     `json:"committed"`        // the version that works; 0 before the first
	Trial     *Trial    `json:"trial,omitempty"`  // nil while nothing is being tried
	Failed    *Failure  `json:"failed,omitempty"` // the last version that was taken back
	Latest    time.Time `json:"latest"`           // the latest time known to have been reached, by whatever clock
}

// Trial is a version that has not proven itself yet.
type Trial struct {
	Version int64     `json:"version"`
	Began   time.Time `json:"began"`
	Starts  int       `json:"starts"`           // of the machine since, Recover counts them
	Unwell  []string  `json:"unwell,omitempty"` // parts that were not well when it began, which is not held against it
}

// Failure is why a version was taken back.
type Failure struct {
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason"`
}

const stateFile = "state.json"

func (s *Store) load() (State, error) {
	var st State
	data, err := os.ReadFile(filepath.Join(s.dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &st)
	}
	if err != nil {
		return st, fmt.Errorf("cannot read the state of updates: %w; move %s away to begin anew", err, filepath.Join(s.dir, stateFile))
	}
	return st, nil
}

func (s *Store) save(st State) error {
	data, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		return fmt.Errorf("cannot keep the state of updates: %w", err)
	}
	s.at("before state")
	if err := identity.WriteFile(filepath.Join(s.dir, stateFile), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot keep the state of updates: %w", err)
	}
	s.at("after state")
	return nil
}
