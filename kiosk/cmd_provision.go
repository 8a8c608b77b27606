package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
	"yuanban/kiosk/station"
	"yuanban/provisioning"
	"yuanban/provisioning/site"
	"yuanban/provisioning/update"
)

// runProvision is "kiosk provision": from an unboxed machine to an accepted one, and every change after that.
func runProvision(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return provisioning.Run(ctx, provisioning.Program{Version: version(), CheckConfig: checkUnpacked, Ailments: ailments, Machine: machineOf, Stdin: os.Stdin},
		args, stdout, stderr)
}

// checkUnpacked reads a configuration of a bundle, and the content that came with it when it was unpacked into dir.
func checkUnpacked(dir string, text []byte) error {
	cfg, problems := config.Parse(site.ConfigFile, text)
	if err := problems.Err(); err != nil || dir == "" || cfg.Content == "" {
		return err
	}
	// Where the content will be once the version is in force, it is not yet.
	content := filepath.Join(dir, site.ContentDir)
	if _, err := os.Stat(content); errors.Is(err, os.ErrNotExist) {
		content = cfg.Content
	}
	if _, err := catalogue.Load(os.DirFS(content)); err != nil {
		return fmt.Errorf("its content: %w", err)
	}
	return nil
}

// ailments asks the running program. A machine is as well as it can be before people: it records, its screen is shown, and every
// device it has answers. The platform may be out of reach; that is not the version's fault.
func ailments(ctx context.Context, configFile string) ([]update.Ailment, error) {
	cfg, err := config.Load(configFile)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, _, err := askStatus(ctx, cfg.Listen)
	if err != nil {
		return nil, err
	}
	return ailmentsOf(s), nil
}

func ailmentsOf(s api.Status) (found []update.Ailment) {
	if s.Journal != "ok" {
		found = append(found, update.Ailment{Part: "journal", Says: "journal " + s.Journal})
	}
	if !s.Display {
		found = append(found, update.Ailment{Part: "display", Says: "no display is connected"})
	}
	for _, d := range s.Devices {
		if d.State != station.Online {
			found = append(found, update.Ailment{Part: string(d.Device), Says: fmt.Sprintf("%s is %s (%s)", d.Device, d.State, d.Detail)})
		}
	}
	return found
}
