package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// runLearn is "kiosk learn": a technician presses each button of a rating pad, and gets a profile of it.
func runLearn(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newFlags("learn", stderr)
	path := flags.String("port", "", "`PATH` of the pad's serial line, such as /dev/kiosk/pad; the machine must not run meanwhile")
	out := flags.String("o", "", "`FILE` to write the profile to; without it the profile is printed")
	if code, done := parse(flags, args, stdout); done {
		return code
	}
	if *path == "" {
		fmt.Fprintln(stderr, "kiosk learn: give the pad's line, -port PATH")
		flags.Usage()
		return exitUsage
	}
	if *out != "" {
		if _, err := os.Lstat(*out); !errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(stderr, "kiosk learn: %s is there already; name another file, so that no profile in use is lost\n", *out)
			return exitUsage
		}
	}
	fmt.Fprintf(stdout, "Press the buttons of the pad as they are named, each three times. A button that is not there: wait.\n\n")
	got, err := serialpad.Learn(ctx, func(l serialpad.Line) (serialpad.LearnPort, error) {
		return serialport.Open(serialport.Config{Path: *path, Baud: l.Baud, Size: l.Size, Parity: serialport.Parity(l.Parity), StopBits: l.StopBits})
	}, func(_ context.Context, p serialpad.Prompt) error {
		_, err := fmt.Fprintln(stdout, p)
		return err
	})
	if err != nil {
		fmt.Fprintf(stderr, "kiosk learn: %v\n", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "\nLearned, confidence %.0f %%:\n", got.Confidence*100)
	for _, f := range got.Findings {
		fmt.Fprintf(stdout, "  %s\n", f)
	}
	fmt.Fprintln(stdout, "\nNot known:")
	for _, u := range got.Unknown {
		fmt.Fprintf(stdout, "  %s\n", u)
	}
	if *out == "" {
		fmt.Fprintf(stdout, "\n%s", got.Profile.JSON())
		return exitOK
	}
	if err := os.WriteFile(*out, got.Profile.JSON(), 0o644); err != nil {
		fmt.Fprintf(stderr, "kiosk learn: cannot write the profile: %v\n", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "\nWritten to %s. Try it: set pad.port and pad.profile in the configuration, run kiosk check, and press every button.\n", *out)
	return exitOK
}
