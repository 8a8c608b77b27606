package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
	"yuanban/kiosk/station"
	"yuanban/provisioning"
	"yuanban/provisioning/acceptance"
)

// runSelfTest is "kiosk selftest": the part of an acceptance that needs nobody, for the night (kiosk-selftest.timer) or a technician far away.
func runSelfTest(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newFlags("selftest", stderr)
	path := flags.String("config", "", provisioning.ConfigHelp)
	asJSON := flags.Bool("json", false, "print the report as JSON")
	if code, done := parse(flags, args, stdout); done {
		return code
	}
	m, err := machineOf(provisioning.ConfigFile(*path))
	if err != nil {
		say(err, "", "kiosk selftest", stdout, stderr)
		return exitUsage
	}
	r := acceptance.Run(ctx, m, acceptance.Options{})
	// Without the folder there is no screen that could show it; the report below says what is wrong with it.
	if err := daemon.KeepSelfTest(m.State, daemon.SelfTest{At: time.Now(), Well: r.Passed && len(r.Wrong()) == 0, Score: r.Score}); err != nil {
		fmt.Fprintf(stderr, "kiosk selftest: %v\n", err)
	}
	if *asJSON {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			fmt.Fprintf(stderr, "kiosk selftest: %v\n", err)
			return exitFailed
		}
		fmt.Fprintf(stdout, "%s\n", text)
	} else {
		fmt.Fprint(stdout, r.Text())
	}
	if !r.Passed || len(r.Wrong()) > 0 {
		return exitUnwell
	}
	return exitOK
}

// machineOf is what an acceptance must prove of the machine that a configuration describes.
func machineOf(path string) (*acceptance.Machine, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	m := &acceptance.Machine{Number: cfg.Machine, Role: string(cfg.Role), Program: version(), Pass: cfg.Acceptance.Pass, State: cfg.State,
		Width: cfg.Screen.Width, Height: cfg.Screen.Height,
		Running: func(ctx context.Context) (*acceptance.Running, error) { return runningMachine(ctx, cfg.Listen) }}
	if c := cfg.Reader; c != nil {
		m.Reader = &serialport.Config{Path: c.Port, Baud: int(c.Baud)}
	}
	if c := cfg.Printer; c != nil {
		m.Printer, m.Profile = &serialport.Config{Path: c.Port, Baud: c.Baud}, c.Profile
	}
	if c := cfg.Upstream; c != nil {
		m.Platforms = append(m.Platforms, c.URL)
	}
	if c := cfg.Lamps; c != nil {
		m.Lamps = lampsOf(c)
	}
	return m, ratings(m, cfg)
}

// lampsOf switches all lamps.
func lampsOf(c *config.Lamps) func(on bool) error {
	lamps := buttons.NewGPIOLamps(c.GPIO()).Lamps()
	return func(on bool) error {
		var wrong []error
		for _, l := range lamps {
			wrong = append(wrong, l.Set(on))
		}
		return errors.Join(wrong...)
	}
}

// ratings sets what tells the presses of the rating buttons, of either kind.
func ratings(m *acceptance.Machine, cfg *config.Config) error {
	if c := cfg.Buttons; c != nil {
		gpio := c.GPIO()
		m.Presses = func(ctx context.Context, ready func(), press func(int)) error {
			lines, err := buttons.OpenGPIO(gpio) // the station would wait for them for ever, and say nothing
			if err != nil {
				return err
			}
			_ = lines.Close()
			return station.NewButtons(func() (buttons.Lines, error) { return buttons.OpenGPIO(gpio) }, boardOf(ready), press).Run(ctx)
		}
	}
	if c := cfg.Pad; c != nil {
		profile, err := serialpad.Load(c.Profile)
		if err == nil {
			err = config.CheckPad(profile, c.Address)
		}
		if err != nil {
			return err
		}
		m.Presses = func(ctx context.Context, ready func(), press func(int)) error {
			line := serialport.Config{Path: c.Port, Baud: c.Baud}
			if line.Baud == 0 {
				line.Baud = profile.Line.Baud
			}
			p, err := serialport.OpenContext(ctx, line)
			if err != nil {
				return err
			}
			_ = p.Close()
			words := func(station.Cue) string { return "" }
			return station.NewSerialPad(serialport.Config{Path: c.Port, Baud: c.Baud}, profile, c.Address, words, boardOf(ready), press).Run(ctx)
		}
	}
	return nil
}

// boardOf hears of the buttons' health: once they are watched, even if one of them hangs, a press of the others is noticed.
func boardOf(ready func()) *station.Board {
	return station.NewBoard(slog.New(slog.DiscardHandler), func(h station.Health) {
		if h.State == station.Online || h.State == station.HardwareError {
			ready()
		}
	})
}

// runningMachine is what the running program says.
func runningMachine(ctx context.Context, listen string) (*acceptance.Running, error) {
	s, _, err := askStatus(ctx, listen)
	if err != nil {
		return nil, err
	}
	r := &acceptance.Running{Display: s.Display, Journal: s.Journal, Clock: s.Clock, Devices: map[string]string{}}
	for _, d := range s.Devices {
		state := string(d.State)
		if d.State != station.Online && d.Detail != "" {
			state += ": " + d.Detail
		}
		r.Devices[d.Device] = state
	}
	return r, nil
}
