package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"yuanban/kiosk/bench"
	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
)

// runDemo is "kiosk demo": the same daemon, with simulated devices on ptys, a simulated platform, and a bench to play them.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("demo", stderr)
	role := fs.String("role", "kiosk", "`ROLE` of the machine: kiosk or pad")
	listen := fs.String("listen", config.DefaultListen, "loopback `ADDR` to serve at")
	state := fs.String("state", "", "`DIR` that keeps the journal; without it a new one is made and removed at the end")
	fast := fs.Bool("fast", false, "no mechanical delays in the simulated devices, for tests")
	level := fs.String("log", "warn", "log `LEVEL`: debug, info, warn or error")
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	if !oneOf(fs, "role", *role, "kiosk", "pad") || !oneOf(fs, "log", *level, "debug", "info", "warn", "error") || !loopback(fs, "listen", *listen) {
		return exitUsage
	}
	if err := demo(ctx, *role, *listen, *state, *fast, config.Level(*level), stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "kiosk demo:", err)
		return exitFailed
	}
	return exitOK
}

func demo(ctx context.Context, role, listen, state string, fast bool, level config.Level, stdout, stderr io.Writer) error {
	if state == "" {
		dir, err := os.MkdirTemp("", "kiosk-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		state = dir
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	log := newLog(stderr, level)
	b, err := bench.New(bench.Options{Dir: state, Role: role, Fast: fast, Log: log})
	if err != nil {
		return err
	}
	benchCtx, stopBench := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- b.Run(benchCtx) }()
	// The hardware outlives the daemon, as it does in the world.
	defer func() { stopBench(); <-ended }()

	cfg, err := demoConfig(b, role, filepath.Join(state, role))
	if err != nil {
		return err
	}
	cfg.Listen, cfg.Log.Level = listen, level
	return daemon.Run(ctx, daemon.Options{Config: cfg, Version: version(), Log: log,
		Demo: &daemon.Demo{Bench: b.Handler(), Lamps: b.Lamps(), Lines: b.OpenLines},
		Ready: func(url string) {
			fmt.Fprintf(stdout, "园办 %s with simulated hardware\n\n  bench   %sbench   the machine and its hardware side by side: begin here\n  screen  %s        the screen alone\n\nCtrl-C ends it.\n", role, url, url)
		}})
}

// demoConfig is the configuration of a demonstration, read by the same strict reader as a real one.
func demoConfig(b *bench.Bench, role, state string) (*config.Config, error) {
	screen, window := "{width: 1080, height: 1920, diagonal: 21.5}", ""
	if role == "pad" {
		screen = "{width: 1280, height: 800, diagonal: 10.1}"
		window = "window: {number: \"3\", staff: chen}\n"
	}
	text := fmt.Sprintf(`machine: DEMO01
role: %s
state: %q
screen: %s
reader: {port: %q, side: right}
printer: {port: %q, side: below}
upstream: {url: %q, seal-key: %q}
%s`, role, state, screen, b.ReaderPath(), b.PrinterPath(), b.PlatformURL(), base64.StdEncoding.EncodeToString(b.SealKey()), window)
	cfg, problems := config.Parse("demo", []byte(text))
	if len(problems) > 0 {
		return nil, errors.New(problems.Error())
	}
	return cfg, nil
}
