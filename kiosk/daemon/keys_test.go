package daemon

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yuanban/devices/serialpad"
)

func TestPersonKey(t *testing.T) {
	dir := t.TempDir()
	key, err := personKey(dir)
	ok(t, err)
	again, err := personKey(dir)
	ok(t, err)
	if len(key) != 32 || bytes.Equal(key, make([]byte, 32)) || !bytes.Equal(key, again) {
		t.Errorf("the key is %d bytes, and after a restart the same: %v", len(key), bytes.Equal(key, again))
	}
	other, err := personKey(t.TempDir())
	ok(t, err)
	if bytes.Equal(key, other) {
		t.Error("two machines have the same key")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("beside the key there is something left: %v", entries)
	}
	for _, damaged := range []string{"", "short", strings.Repeat("x", 33)} {
		ok(t, os.WriteFile(filepath.Join(dir, "person.key"), []byte(damaged), 0o600))
		if _, err := personKey(dir); err == nil || !strings.Contains(err.Error(), "instead of 32") {
			t.Errorf("a key of %d bytes: %v", len(damaged), err)
		}
		if data, _ := os.ReadFile(filepath.Join(dir, "person.key")); string(data) != damaged {
			t.Error("a damaged key was overwritten")
		}
	}
	if _, err := personKey(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a key was kept in a folder that is not there")
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	good, short := filepath.Join(dir, "good"), filepath.Join(dir, "short")
	ok(t, os.WriteFile(good, []byte("0123456789abcdef\n"), 0o600))
	ok(t, os.WriteFile(short, []byte("0123456789abcde\n\n\n"), 0o600))
	learned, four := filepath.Join(dir, "learned.json"), filepath.Join(dir, "four.json")
	for path, name := range map[string]string{learned: "single-byte", four: "hallque"} {
		p, err := serialpad.ByName(name)
		ok(t, err)
		ok(t, os.WriteFile(path, p.JSON(), 0o600))
	}
	const machine = "machine: TEST01\nrole: "
	for name, tt := range map[string]struct {
		text string
		want []string // none: it is good
	}{
		"a kiosk alone":         {machine + "kiosk\n", nil},
		"a platform, no token":  {machine + "kiosk\nupstream: {url: https://p.example/}\n", nil},
		"a pad":                 {machine + "pad\nwindow: {number: 3, token-file: " + good + "}\n", nil},
		"a pad without a token": {machine + "pad\nwindow: {number: 3}\n", []string{"cannot serve the window: window.token-file is not set"}},
		"a serial pad":          {machine + "kiosk\npad: {port: /dev/pad}\n", nil},
		"a learned pad":         {machine + "kiosk\npad: {port: /dev/pad, profile: " + learned + "}\n", nil},
		"no such profile":       {machine + "kiosk\npad: {port: /dev/pad, profile: " + dir + "/none}\n", []string{"cannot use the serial pad: cannot read pad profile"}},
		"a pad of four":         {machine + "kiosk\npad: {port: /dev/pad, profile: " + four + "}\n", []string{"no key for the grades [1]"}},
		"a short token":         {machine + "pad\nwindow: {number: 3, token-file: " + short + "}\n", []string{"the token of the window PC in " + short}},
		"both wrong": {machine + "pad\nwindow: {number: 3, token-file: " + short + "}\nupstream: {url: https://p.example/, token-file: " + dir + "/none}\n",
			[]string{"cannot read the token of the platform", "cannot use the token of the window PC"}},
	} {
		err := Check(parse(t, tt.text))
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %s", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: the error tells the token: %v", name, err)
		}
	}
}

// TestCredentials: what the configuration does not name comes from the service manager; what it names wins.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	named := filepath.Join(t.TempDir(), "named")
	ok(t, os.WriteFile(named, []byte("named-in-the-file"), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "upstream.token"), []byte("handed-over-platform\n"), 0o600))
	const text = "machine: TEST01\nrole: pad\nwindow: {number: 3%s}\nupstream: {url: https://p.example/}\n"
	if err := Check(parse(t, fmt.Sprintf(text, ""))); err == nil {
		t.Error("a pad without a token is good")
	}
	ok(t, os.WriteFile(filepath.Join(dir, "window.token"), []byte("handed-over-window"), 0o600))
	for file, want := range map[string]string{"": "handed-over-window", ", token-file: " + named: "named-in-the-file"} {
		s, err := readSecrets(parse(t, fmt.Sprintf(text, file)), false)
		ok(t, err)
		if s.platform != "handed-over-platform" || s.window != want || s.pin.Set() {
			t.Errorf("%q: %+v", file, s)
		}
	}
}
