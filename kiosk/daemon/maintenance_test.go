package daemon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// TestStage: who has the screen, and what the visitors find when it is given back.
func TestStage(t *testing.T) {
	var did []string
	add := func(s string) { did = append(did, s) }
	s := &stage{show: func(v view.View) { add(v.Screen + string(v.Sound)) }, cue: func(c station.Cue) { add("cue " + string(c)) },
		yield: func(away bool) { add(map[bool]string{true: "away", false: "back"}[away]) }}
	step := func(want ...string) {
		t.Helper()
		if !slices.Equal(did, want) {
			t.Errorf("%q, want %q", did, want)
		}
		did = nil
	}
	s.Visitor(view.View{Screen: "home", Sound: view.SoundDone})
	s.Cue(station.CueInvite)
	step("homedone", "cue invite")
	s.Show(view.View{Screen: "pin"})
	s.Cue(station.CueThank) // the visit goes on behind the PIN pad
	s.Visitor(view.View{Screen: "thanks", Sound: view.SoundDone})
	step("pin", "cue thank")
	s.Leave()
	step("thanks")
	s.Show(view.View{Screen: "pin"})
	s.Enter()
	s.Show(view.View{Screen: "maintenance"})
	s.Visitor(view.View{Screen: "attract"})
	s.Cue(station.CueWelcome)
	step("pin", "away", "maintenance")
	s.Leave()
	step("attract", "cue welcome", "back")
}

// TestMaintenancePIN: the line of kiosk pin is read from the named file or the credential; anything else is said before the machine runs.
func TestMaintenancePIN(t *testing.T) {
	dir := t.TempDir()
	const line = "pbkdf2-sha256$600000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	ok(t, os.WriteFile(filepath.Join(dir, "maintenance.pin"), []byte(line+"\n"), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "plain"), []byte("271828\n"), 0o600))
	const machine = "machine: TEST01\nrole: kiosk\n"
	for text, want := range map[string]string{
		"": "none",
		"maintenance: {pin-file: " + dir + "/maintenance.pin}\n": "set",
		"maintenance: {pin-file: " + dir + "/plain}\n":           "no line of kiosk pin",
		"maintenance: {pin-file: " + dir + "/nowhere}\n":         "cannot read the maintenance PIN",
	} {
		s, err := readSecrets(parse(t, machine+text), true)
		got := map[bool]string{true: "set", false: "none"}[s.pin.Set()]
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || strings.Contains(got, "271828") {
			t.Errorf("%q: %s", text, got)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if s, err := readSecrets(parse(t, machine), true); err != nil || !s.pin.Set() || s.pin.String() != line {
		t.Errorf("the credential: %v, %v", s.pin, err)
	}
}

// TestTriesFile: what is kept is read again and leaves nothing beside it; a folder that is not there holds nothing, and takes nothing.
func TestTriesFile(t *testing.T) {
	dir := t.TempDir()
	f := triesFile{filepath.Join(dir, "maintenance-tries.json")}
	if _, err := f.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before anything was kept: %v", err)
	}
	for _, text := range []string{"one", "two"} {
		ok(t, f.Keep([]byte(text)))
		if got, err := f.Load(); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("the folder has %v", all)
	}
	if info, err := os.Stat(f.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	away := triesFile{filepath.Join(dir, "no", "tries")}
	if _, err := away.Load(); !errors.Is(err, fs.ErrNotExist) || away.Keep(nil) == nil {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if _, err := (triesFile{dir}).Load(); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder in its place: %v", err)
	}
}
