package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
	"yuanban/provisioning"
)

// runRun is "kiosk run": the daemon of a real machine.
func runRun(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("run", stderr)
	path := fs.String("config", "", provisioning.ConfigHelp)
	hold := fs.Bool("hold", false, "say on the screen what a technician has to mend, and go on once it is done, instead of ending")
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	file := provisioning.ConfigFile(*path)
	load := func() (*config.Config, error) {
		file = provisioning.ConfigFile(*path) // it may change while the program holds
		cfg, err := config.Load(file)
		if err != nil {
			return nil, err
		}
		return cfg, daemon.Check(cfg)
	}
	opt := daemon.Options{Version: version(), Configuration: provisioning.VersionInForce(*path), Log: newLog(stderr, config.LevelInfo), Runtime: os.Getenv("RUNTIME_DIRECTORY"),
		Ready: func(url string) { fmt.Fprintf(stdout, "kiosk: ready at %s\n", url) }}
	cfg, err := load()
	if err == nil {
		opt.Log = newLog(stderr, cfg.Log.Level)
	}
	slog.SetDefault(opt.Log) // the GPIO library writes to the standard logger
	if *hold {
		opt.Log.Info("configuration", "file", file)
		err = daemon.Stand(ctx, opt, load)
	} else {
		if cfg == nil {
			say(err, "", "kiosk run", stderr, stderr)
			return exitUsage
		}
		if err != nil {
			fmt.Fprintf(stderr, "kiosk run: %s: %v\n", file, err)
			return exitUsage
		}
		opt.Log.Info("configuration", "file", file)
		opt.Config = cfg
		err = daemon.Run(ctx, opt)
	}
	if err != nil {
		fmt.Fprintln(stderr, "kiosk run:", err)
		return exitFailed
	}
	return exitOK
}

// runStandIn is "kiosk standin": the screen of a machine whose daemon did not stay up.
func runStandIn(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("standin", stderr)
	path := fs.String("config", "", provisioning.ConfigHelp+"; it may be missing or wrong")
	d := fs.Duration("for", standInFor, "how `LONG` to stand in")
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	cfg, err := config.Load(provisioning.ConfigFile(*path))
	if err != nil {
		say(err, "", "kiosk standin", stderr, stderr) // the screen is shown all the same
		cfg = nil
	}
	opt := daemon.Options{Version: version(), Log: newLog(stderr, config.LevelInfo), Runtime: os.Getenv("RUNTIME_DIRECTORY")}
	if err := daemon.StandIn(ctx, opt, cfg, *d); err != nil {
		fmt.Fprintln(stderr, "kiosk standin:", err)
		return exitFailed
	}
	return exitOK
}
