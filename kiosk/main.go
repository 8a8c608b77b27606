// Command kiosk runs a 24-hour self-service machine (24小时自助机) or a window rating pad (窗口评价器) of an industrial park.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Exit codes: 0 done, 1 the thing asked for failed, 2 the command line or a file is wrong, 3 the machine runs but is not well (status).
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitUnwell
)

// command is one subcommand.
type command struct {
	name, args, about string
	run               func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

func commands() []command {
	return []command{
		{"run", "[-config FILE] [-hold]", "run the machine that FILE describes", runRun},
		{"check", "-config FILE | -content DIR", "read configuration and content, and say every problem at once", runCheck},
		{"status", "[-listen ADDR] [-json]", "ask the running program how the machine is", runStatus},
		{"demo", "[-role kiosk|pad] [-listen ADDR] [-state DIR]", "run with simulated hardware and a bench to play it", runDemo},
		{"provision", "SUBCOMMAND ...", "enrol, configure, update and accept a machine; kiosk provision help", runProvision},
		{"selftest", "[-config FILE] [-json]", "prove what can be proven of the machine without a person (for kiosk-selftest.timer)", runSelfTest},
		{"learn", "-port PATH [-o FILE]", "learn the profile of a rating pad on a serial line, by listening while its buttons are pressed", runLearn},
		{"pin", "", "make the line for the file of the maintenance PIN; asks for the PIN twice", runPIN},
		{"standin", "[-config FILE] [-for TIME]", "show 暂停服务 in place of a program that fails (for kiosk-standin.service)", runStandIn},
		{"reboots", "[-record FILE] [-most N] [-within TIME]", "count a reboot, and say whether it is allowed (for kiosk-reboot.service)", runReboots},
		{"version", "", "print version and build", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdout, stderr)
		}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) > 1 {
			return run(ctx, append(slices.Clone(args[1:]), "-h"), stdout, stderr)
		}
		usage(stdout)
		return exitOK
	}
	fmt.Fprintf(stderr, "kiosk: there is no command %q\n\n", args[0])
	usage(stderr)
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "kiosk runs the 24-hour machine and the rating pad of an industrial park (园区事园区办)\n\nUsage:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  kiosk %-9s %-50s %s\n", c.name, c.args, c.about)
	}
	fmt.Fprint(w, "\nkiosk help COMMAND tells the flags of a command. Exit codes: 0 done, 1 failed, 2 wrong command line or file, 3 machine not well.\n")
}
