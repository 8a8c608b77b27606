package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"

	"yuanban/kiosk/bench"
	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
	"yuanban/kiosk/maintenance"
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
	state, err := filepath.Abs(state)
	if err != nil {
		return err
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

	pin, pinFile, err := demoPIN(state)
	if err != nil {
		return err
	}
	cfg, err := demoConfig(b, role, filepath.Join(state, role), pinFile)
	if err != nil {
		return err
	}
	cfg.Listen, cfg.Log.Level = listen, level
	return daemon.Run(ctx, daemon.Options{Config: cfg, Version: version(), Log: log,
		Demo: &daemon.Demo{Bench: b.Handler(), Lamps: b.Lamps(), Lines: b.OpenLines},
		Ready: func(url string) {
			fmt.Fprintf(stdout, "园办 %s with simulated hardware\n\n  bench   %sbench   the machine and its hardware side by side: begin here\n  screen  %s        the screen alone\n"+
				"  PIN     %s                        of the maintenance screen: hold the %s for three seconds\n\n"+
				"The PIN is of this demonstration alone, drawn anew at each start. Ctrl-C ends it.\n",
				role, url, url, pin, map[string]string{"kiosk": "park's name", "pad": "title"}[role])
		}})
}

// demoPIN draws a PIN for a demonstration, which is told to whoever started it, and returns the file of its line. Nothing here could become
// the PIN of a machine.
func demoPIN(state string) (pin, file string, err error) {
	for maintenance.CheckPIN(pin) != nil {
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "", "", err
		}
		pin = fmt.Sprintf("%06d", n)
	}
	kept, err := maintenance.NewPIN(pin)
	if err != nil {
		return "", "", err
	}
	file = filepath.Join(state, "maintenance.pin")
	return pin, file, os.WriteFile(file, []byte(kept.String()+"\n"), 0o600)
}

// demoConfig is the configuration of a demonstration, read by the same strict reader as a real one.
func demoConfig(b *bench.Bench, role, state, pinFile string) (*config.Config, error) {
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
maintenance: {pin-file: %q}
%s`, role, state, screen, b.ReaderPath(), b.PrinterPath(), b.PlatformURL(), base64.StdEncoding.EncodeToString(b.SealKey()), pinFile, window)
	cfg, problems := config.Parse("demo", []byte(text))
	if len(problems) > 0 {
		return nil, errors.New(problems.Error())
	}
	return cfg, nil
}
