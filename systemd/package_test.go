package systemd

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func units(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, kind := range []string{"*.service", "*.path", "*.timer"} {
		found, err := filepath.Glob(kind)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 8 {
		t.Fatalf("only these units are here: %v", all)
	}
	return all
}

// TestExposure: systemd's own judgement of what a taken-over service could do. 0 is nothing, 10 is everything.
func TestExposure(t *testing.T) {
	most := map[string]string{
		// A browser needs namespaces for its own sandbox, code made at run time, and calls that only a sandbox makes.
		"kiosk-display.service": "25",
		// Root, who installs packages: the system is theirs to write. What they install is signed by the site.
		"kiosk-recover.service": "22",
		"kiosk-resume.service":  "30",
		"kiosk-fetch.service":   "31",
		"kiosk-stick.service":   "32", // and mounts
	}
	for _, unit := range units(t) {
		if !strings.HasSuffix(unit, ".service") {
			continue
		}
		threshold, special := most[unit]
		if !special {
			threshold = "20"
		}
		out, err := exec.Command("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold="+threshold, "./"+unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s is exposed by more than %s tenths (%v):\n%s", unit, threshold, err, out)
		}
	}
}

// TestUnitsAreUnderstood: no line that systemd ignores. That programs of the package are not installed here is no matter.
func TestUnitsAreUnderstood(t *testing.T) {
	cmd := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--recursive-errors=no"}, units(t)...)...)
	out, _ := cmd.CombinedOutput() // it fails for programs that are not here
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "kiosk") && !strings.Contains(line, "is not executable") {
			t.Error(strings.TrimSpace(line))
		}
	}
}

// TestUnitsSayWhatTheyAreFor: in their first line, for whoever opens one at night.
func TestUnitsSayWhatTheyAreFor(t *testing.T) {
	for _, unit := range units(t) {
		if !strings.HasPrefix(read(t, unit), "# ") {
			t.Errorf("%s does not begin with what it is for", unit)
		}
	}
}

// TestKioskDevices: the daemon gets its serial lines and GPIO chips, and no other device.
func TestKioskDevices(t *testing.T) {
	var got []string
	for line := range strings.Lines(read(t, "kiosk.service")) {
		if d, ok := strings.CutPrefix(strings.TrimSpace(line), "DeviceAllow="); ok {
			got = append(got, d)
		}
	}
	if want := "char-ttyS rw,char-ttyUSB rw,char-ttyACM rw,char-gpiochip rw"; strings.Join(got, ",") != want {
		t.Errorf("devices are %v", got)
	}
}

// chromium is the whole binary, in which every flag and policy that it knows is a string.
func chromium(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("/usr/lib/chromium/chromium")
	if err != nil {
		t.Fatalf("this test looks into Chromium; install it: apt-get install chromium (%v)", err)
	}
	return data
}

// TestFlagsAndPoliciesExist: browsers drop flags and policies without a word (--disable-session-crashed-bubble), and ignore them then.
func TestFlagsAndPoliciesExist(t *testing.T) {
	var policies map[string]any
	if err := json.Unmarshal([]byte(read(t, "chromium/kiosk.json")), &policies); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range policies {
		names = append(names, name)
	}
	unit := read(t, "kiosk-display.service")
	for _, m := range regexp.MustCompile(`(?m)^\s+--([a-z-]+)`).FindAllStringSubmatch(unit, -1) {
		names = append(names, m[1])
	}
	for _, m := range regexp.MustCompile(`--disable-features=(\S+)`).FindAllStringSubmatch(unit, -1) {
		names = append(names, strings.Split(m[1], ",")...)
	}
	if len(names) < 60 {
		t.Fatalf("only %d flags and policies were found", len(names))
	}
	program := chromium(t)
	for _, name := range names {
		if !bytes.Contains(program, []byte(name)) {
			t.Errorf("Chromium does not know %s", name)
		}
	}
}

// TestRecipe: what the package is to hold is there, and every unit is in it.
func TestRecipe(t *testing.T) {
	recipe := read(t, "deb/nfpm.yaml")
	for _, m := range regexp.MustCompile(`(?:src|post\w+|pre\w+): "?([a-z][\w/.\-]+)`).FindAllStringSubmatch(recipe, -1) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("the recipe names what is not there: %v", err)
		}
	}
	for _, unit := range units(t) {
		if !strings.Contains(recipe, "dst: /lib/systemd/system/"+unit+",") {
			t.Errorf("%s is not in the package", unit)
		}
	}
	for _, script := range []string{"deb/build.sh", "deb/postinst", "deb/prerm", "deb/postrm"} {
		if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
}
