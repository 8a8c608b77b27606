package provisioning

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"yuanban/provisioning/site"
)

// PackagedConfig is where the package puts the description of a machine that has no site.
const PackagedConfig = "/etc/kiosk/kiosk.yaml"

// inForce is the folder of the version in force, where there is one.
const inForce = defaultDir + "/current"

// ConfigHelp is the help of a -config flag whose value goes through ConfigFile.
const ConfigHelp = "`FILE` that describes the machine (default: of the version that its site put in force, else " + PackagedConfig + ")"

// ConfigFile is the description of this machine: named, where a technician named one; else that of the version in force; else the
// package's. Once a machine has a site, nothing that is edited by hand counts any more, for it would be on one machine and in nobody's
// registry.
func ConfigFile(named string) string {
	return configFile(named, filepath.Join(inForce, site.ConfigFile), PackagedConfig)
}

// VersionInForce is the version of what ConfigFile returns, "" for a file that no site has made.
func VersionInForce(named string) string {
	if filepath.Dir(ConfigFile(named)) != inForce {
		return ""
	}
	version, err := os.Readlink(inForce)
	if err != nil {
		return ""
	}
	return filepath.Base(version)
}

func configFile(named, ofSite, packaged string) string {
	if named != "" {
		return named
	}
	// A file that is there and cannot be read must be complained of, not passed over.
	if _, err := os.Lstat(filepath.Dir(ofSite)); errors.Is(err, fs.ErrNotExist) {
		return packaged
	}
	return ofSite
}
