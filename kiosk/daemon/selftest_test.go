package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSelfTestIsKept(t *testing.T) {
	dir := t.TempDir()
	if got := lastSelfTest(dir); !got.At.IsZero() {
		t.Errorf("before the first: %+v", got)
	}
	want := SelfTest{At: time.Date(2026, 11, 27, 4, 20, 0, 0, time.UTC), Well: true, Score: 96}
	if err := KeepSelfTest(dir, want); err != nil {
		t.Fatal(err)
	}
	if got := lastSelfTest(dir); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, text := range []string{"", "{", `{"score":101}`, `{"score":"x"}`} {
		if err := os.WriteFile(filepath.Join(dir, selfTestFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := lastSelfTest(dir); got != (SelfTest{}) {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
