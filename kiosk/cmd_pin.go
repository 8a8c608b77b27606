package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"yuanban/kiosk/maintenance"
)

// runPIN is "kiosk pin": the line for the file of the maintenance PIN. At a terminal the digits are not shown.
func runPIN(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("pin", stderr)
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	// What would end the program with the terminal as it is then.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGQUIT, syscall.SIGHUP)
	defer stop()
	show, terminal, err := hideTyping(os.Stdin)
	if err != nil {
		fmt.Fprintf(stderr, "kiosk pin: %v; write the PIN twice, a line each, into its standard input instead\n", err)
		return exitFailed
	}
	defer show()
	if terminal {
		fmt.Fprintln(stderr, "The digits are not shown as you type.")
	}
	return makePIN(ctx, os.Stdin, stdout, stderr)
}

// errBroken is that somebody has pressed Ctrl-C.
var errBroken = errors.New("it was broken off")

// makePIN asks for the PIN twice. Only the line goes to stdout, so that it can be written into the file. Nothing can end a read of a
// terminal, so when ctx ends the goroutine that reads it lives as long as the program, which is not long.
func makePIN(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 2)
	go func() {
		in := bufio.NewReader(io.LimitReader(stdin, 1<<10))
		for range cap(answers) {
			line, err := in.ReadString('\n')
			if err == io.EOF && line != "" {
				err = nil // the last line of a pipe may have no end
			}
			answers <- answer{strings.TrimSpace(line), err}
		}
	}()
	ask := func(what string) (string, error) {
		fmt.Fprintf(stderr, "%s (%d to %d digits): ", what, maintenance.LeastPIN, maintenance.MostPIN)
		select {
		case a := <-answers:
			return a.line, a.err
		case <-ctx.Done():
			return "", errBroken
		}
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
	if errors.Is(err, errBroken) {
		fmt.Fprintf(stderr, "kiosk pin: cannot take the PIN: %v\n", err)
		return exitFailed
	}
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
