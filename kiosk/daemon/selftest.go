package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// SelfTest is how the last self-test ended. It is kept beside the journal, whose user runs both.
type SelfTest struct {
	At    time.Time `json:"at"`
	Well  bool      `json:"well"`  // nothing was wrong
	Score int       `json:"score"` // 0 to 100
}

const (
	selfTestFile = "selftest.json"
	selfTestMost = 1 << 10 // bytes
)

// KeepSelfTest keeps it in the folder of the journal, for the maintenance screen.
func KeepSelfTest(state string, s SelfTest) error {
	text, err := json.Marshal(s)
	if err == nil {
		err = writeSynced(filepath.Join(state, selfTestFile), text)
	}
	if err != nil {
		return fmt.Errorf("cannot keep the result of the self-test: %w", err)
	}
	return nil
}

// lastSelfTest is the one that was kept, zero where there is none or it cannot be read.
func lastSelfTest(state string) (s SelfTest) {
	f, err := os.Open(filepath.Join(state, selfTestFile))
	if err != nil {
		return SelfTest{}
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, selfTestMost)).Decode(&s); err != nil || s.Score < 0 || s.Score > 100 {
		return SelfTest{}
	}
	return s
}
