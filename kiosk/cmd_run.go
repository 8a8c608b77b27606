package main

import (
	"context"
	"fmt"
	"io"

	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
)

// runRun is "kiosk run": the daemon of a real machine.
func runRun(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("run", stderr)
	path := fs.String("config", "/etc/kiosk/kiosk.yaml", "`FILE` that describes the machine")
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	cfg, err := config.Load(*path)
	if err != nil {
		say(err, "", "kiosk run", stderr, stderr)
		return exitUsage
	}
	if err := daemon.Check(cfg); err != nil {
		fmt.Fprintf(stderr, "kiosk run: %s: %v\n", *path, err)
		return exitUsage
	}
	err = daemon.Run(ctx, daemon.Options{Config: cfg, Version: version(), Log: newLog(stderr, cfg.Log.Level),
		Ready: func(url string) { fmt.Fprintf(stdout, "kiosk: ready at %s\n", url) }})
	if err != nil {
		fmt.Fprintln(stderr, "kiosk run:", err)
		return exitFailed
	}
	return exitOK
}
