package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"yuanban/kiosk/maintenance"
)

// runPIN is "kiosk pin": the line for the file of the maintenance PIN.
func runPIN(_ context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("pin", stderr)
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	return makePIN(os.Stdin, stdout, stderr)
}

// makePIN asks for the PIN twice. Only the line goes to stdout, so that it can be written into the file.
func makePIN(stdin io.Reader, stdout, stderr io.Writer) int {
	in := bufio.NewReader(io.LimitReader(stdin, 1<<10))
	ask := func(what string) (string, error) {
		fmt.Fprintf(stderr, "%s (%d to %d digits): ", what, maintenance.LeastPIN, maintenance.MostPIN)
		line, err := in.ReadString('\n')
		if err == io.EOF && line != "" {
			err = nil // the last line of a pipe may have no end
		}
		return strings.TrimSpace(line), err
	}
	first, err := ask("PIN")
	if err == nil {
		err = maintenance.CheckPIN(first)
	}
	if err != nil {
		fmt.Fprintf(stderr, "\nkiosk pin: cannot take the PIN: %v\n", err)
		return exitFailed
	}
	second, err := ask("the same again")
	fmt.Fprintln(stderr)
	if err != nil || second != first {
		fmt.Fprintln(stderr, "kiosk pin: the two are not the same; nothing was made, try again")
		return exitFailed
	}
	pin, err := maintenance.NewPIN(first)
	if err != nil {
		fmt.Fprintf(stderr, "kiosk pin: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(stdout, pin)
	return exitOK
}
