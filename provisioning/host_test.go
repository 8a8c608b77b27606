package provisioning

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestart: what the service manager is asked, by a systemctl that writes down what it hears. The unit of a version that is being
// applied is started wherever it stands; before its own start at that of the machine it is left to come by itself.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	heard := filepath.Join(dir, "heard")
	script := "#!/bin/sh\necho \"$*\" >>" + heard + "\n[ \"$1\" != reset-failed ] && [ \"$3\" != broken.service ]\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for name, tc := range map[string]struct {
		host  host
		want  string
		fails bool
	}{
		"applied":           {host{unit: "kiosk.service"}, "reset-failed kiosk.service kiosk-reboot.service\n--no-block restart kiosk.service\n", false},
		"at the start":      {host{unit: "kiosk.service", beforeStart: true}, "", false},
		"an image":          {host{}, "", false},
		"it cannot restart": {host{unit: "broken.service"}, "reset-failed broken.service kiosk-reboot.service\n--no-block restart broken.service\n", true},
	} {
		if err := os.WriteFile(heard, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := tc.host.Restart(t.Context())
		if (err != nil) != tc.fails || err != nil && !strings.Contains(err.Error(), "systemctl restart broken.service") {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.ReadFile(heard); string(got) != tc.want {
			t.Errorf("%s: systemctl heard %q, want %q", name, got, tc.want)
		}
	}
}
