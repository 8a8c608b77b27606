package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReboots: two within six hours, then none, and a clock that lies allows no more than one that does not.
func TestReboots(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reboots.json")
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		what string
		at   time.Time
		want bool
	}{
		{"the first", noon, true},
		{"a second", noon.Add(time.Minute), true},
		{"a third", noon.Add(2 * time.Minute), false},
		{"the same, after the clock went back an hour", noon.Add(-time.Hour), false},
		{"when the first is long ago", noon.Add(6*time.Hour + 30*time.Second), true},
		{"but not two more", noon.Add(6*time.Hour + 45*time.Second), false},
		{"a clock at 1970: what was counted lies in a future that cannot be", time.Unix(100, 0), true},
		{"still there", time.Unix(200, 0), true},
		{"and no more", time.Unix(300, 0), false},
	} {
		got, err := allowReboot(path, 2, 6*time.Hour, step.at)
		if err != nil {
			t.Fatal(err)
		}
		if got != step.want {
			t.Errorf("%s: allowed is %v", step.what, got)
		}
	}
	if err := os.WriteFile(path, []byte(`["2026-11-`), 0o600); err != nil { // torn by a power cut
		t.Fatal(err)
	}
	if got, err := allowReboot(path, 2, 6*time.Hour, noon); !got || err != nil {
		t.Errorf("a torn record: %v, %v", got, err)
	}
	if got, err := allowReboot(filepath.Join(path, "not a folder", "x"), 2, 6*time.Hour, noon); got || err == nil {
		t.Error("a record that cannot be kept allows reboots without end")
	}
}
