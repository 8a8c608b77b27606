package provisioning

import (
	"os"
	"path/filepath"
	"testing"
)

func TestConfigFile(t *testing.T) {
	dir := t.TempDir()
	inForce, packaged := filepath.Join(dir, "current", "kiosk.yaml"), filepath.Join(dir, "etc.yaml")
	if got := configFile("", inForce, packaged); got != packaged {
		t.Errorf("without a site: %s", got)
	}
	// A link that leads nowhere is a damaged machine, not one without a site.
	if err := os.Symlink("versions/7", filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	if got := configFile("", inForce, packaged); got != inForce {
		t.Errorf("with a version in force: %s", got)
	}
	if got := configFile("mine.yaml", inForce, packaged); got != "mine.yaml" {
		t.Errorf("named: %s", got)
	}
}
