//go:build vm

package bench

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// laptop is the technician's, on this side, with kiosk provision site of this commit.
type laptop struct {
	t       *testing.T
	program string
	root    string
}

// newLaptop makes a site with one machine of that role planned, whose window PC has windowToken.
func newLaptop(t *testing.T, role string) *laptop {
	t.Helper()
	l := &laptop{t: t, root: t.TempDir()}
	var err error
	if l.program, err = filepath.Abs(filepath.Join(cache, "bin", "kiosk")); err != nil {
		t.Fatal(err)
	}
	goTool(t, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", l.program, "yuanban/kiosk")
	l.kiosk("site", "init")
	l.write("machines.csv", "number,role,place\n"+machineName+","+role+",大厅\n")
	l.kiosk("site", "plan", "machines.csv")
	l.write("site/payload/secrets/"+machineName+"/window.token", windowToken+"\n")
	return l
}

// kiosk runs kiosk provision in the laptop's folder, and returns what it says.
func (l *laptop) kiosk(args ...string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), l.program, append([]string{"provision"}, args...)...)
	cmd.Dir = l.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("kiosk provision %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (l *laptop) write(name, text string) {
	l.t.Helper()
	path := filepath.Join(l.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *laptop) read(path string) string {
	l.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(text)
}

// one is the only file of that pattern.
func (l *laptop) one(pattern string) string {
	l.t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		l.t.Fatalf("of %s there are %q, %v", pattern, found, err)
	}
	return found[0]
}

// configurePad writes the configuration of pads, whose button 5 is on this line.
func (l *laptop) configurePad(line, upstream string) {
	l.t.Helper()
	text := strings.Replace(configPad(), "machine: "+machineName, "machine: {{.number}}", 1)
	l.write("site/payload/kiosk.yaml", strings.Replace(text, "5: button-5", "5: "+line, 1)+upstream)
}
