package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestStick: the request is a file, and what the unit tells is read as it is written, missing, broken or too long.
func TestStick(t *testing.T) {
	dir := t.TempDir()
	s := &stick{ask: askIn(dir), path: filepath.Join(dir, "progress.json")}
	ok(t, s.Begin())
	if why, err := os.ReadFile(filepath.Join(dir, "stick")); err != nil || len(why) == 0 {
		t.Errorf("the request is %q, %v", why, err)
	}
	if r, known := s.Report(); known {
		t.Errorf("of nothing it says %+v", r)
	}
	const good = `{"step":"Install","progress":0.5,"text":"unpacking\nthe program","code":"","version":18,"at":"2026-11-22T14:05:00+08:00","size":7}`
	ok(t, os.WriteFile(s.path, []byte(good), 0o644))
	r, known := s.Report()
	if !known || r.Step != "Install" || r.Progress != 0.5 || r.Text != "unpacking the program" || r.Version != 18 || !r.At.Equal(time.Date(2026, 11, 22, 6, 5, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", r, known)
	}
	for name, bad := range map[string]string{"half": good[:40], "nothing": "", "no time": `{"step":"Done"}`, "another step": strings.Replace(good, "Install", "Reboot", 1),
		"too long": strings.Replace(good, "unpacking", strings.Repeat("x", mostProgress), 1), "no object": `[1]`} {
		ok(t, os.WriteFile(s.path, []byte(bad), 0o644))
		if r, known := s.Report(); known {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// FuzzProgress: whatever a unit or a disk leaves in the file, what is shown of it is bounded and plain.
func FuzzProgress(f *testing.F) {
	f.Add([]byte(`{"step":"Failed","progress":1,"text":"no stick","code":"U-1","version":3,"at":"2026-11-22T14:05:00Z"}`))
	f.Add([]byte(`{"step":"Ask","progress":-1e300,"at":"2026-11-22T14:05:00Z","version":-1}`))
	f.Add([]byte(`{"step":"Done"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseProgress(data)
		if err != nil {
			return
		}
		for _, s := range []string{r.Text, r.Code} {
			if utf8.RuneCountInString(s) > mostText || strings.ContainsAny(s, "\n\r\t\x00") || !utf8.ValidString(s) {
				t.Errorf("%q", s)
			}
		}
		if !(r.Progress >= 0 && r.Progress <= 1) || r.Version < 0 || r.At.IsZero() || r.Step == "" {
			t.Errorf("%+v", r)
		}
	})
}
