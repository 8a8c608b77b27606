// Package provisioning is kiosk provision, the technician's part of the program: from an unboxed machine to an accepted one with a
// laptop, a USB stick and ten minutes, and later every change of a machine's configuration, content and program.
//
// A file a group of subcommands: on the machine (probe.go, accept.go, machine.go; over a cable, cable.go) and on the laptop (site.go). They
// only read flags and say what happened; what is done is done by the packages below.
package provisioning

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"yuanban/provisioning/acceptance"
	"yuanban/provisioning/update"
)

// Exit codes, those of the program.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitUnwell
)

// Program is what the command needs of the program it is a part of.
type Program struct {
	Version string
	// CheckConfig reads a configuration and says everything that is wrong with it. dir is the folder that it was unpacked into, or "".
	CheckConfig func(dir string, config []byte) error
	// Ailments asks the program that runs on a configuration what about the machine is not well.
	Ailments func(ctx context.Context, configFile string) ([]update.Ailment, error)
	// Machine is what an acceptance must prove of the machine that a configuration describes.
	Machine func(configFile string) (*acceptance.Machine, error)
	Stdin   io.Reader // the technician
}

// command is one subcommand.
type command struct {
	name, args, about string
	run               func(c *call) error
}

// call is one use of a subcommand.
type call struct {
	Program
	ctx            context.Context
	flags          *flag.FlagSet
	args           []string // not yet parsed; after parse, what is left behind the flags
	stdout, stderr io.Writer
	report         report // for the screen; nothing is kept without -progress
	dry            bool   // say what would be done, and change nothing
}

// errUsage ends a command whose line is wrong; what is wrong has been said.
var errUsage = errors.New("wrong command line")

func commands() []command { return slices.Concat(onMachine(), siteCommands()) }

func onMachine() []command {
	return slices.Concat(probeCommands(), machineCommands(), acceptCommands())
}

// Run carries out "kiosk provision ARGS" and returns the program's exit code.
func Run(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	name := strings.Join(args[:min(len(args), 1)], " ")
	if name == "site" {
		name = strings.Join(args[:min(len(args), 2)], " ")
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		call := &call{Program: p, ctx: ctx, args: args[strings.Count(name, " ")+1:], stdout: stdout, stderr: stderr}
		call.flags = flag.NewFlagSet("kiosk provision "+name, flag.ContinueOnError)
		call.flags.Usage = func() {
			fmt.Fprintf(call.flags.Output(), "Usage: %s\n%s\n", strings.TrimSpace("kiosk provision "+c.name+" "+c.args), c.about)
			call.flags.PrintDefaults()
		}
		err := c.run(call)
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return exitOK
		case errors.Is(err, errUsage):
			return exitUsage
		case errors.Is(err, errUnwell):
			return exitUnwell
		}
		fmt.Fprintf(stderr, "kiosk provision %s: %v\n", name, err)
		return exitFailed
	}
	switch name {
	case "help", "-h", "-help", "--help":
		usage(stdout)
		return exitOK
	case "":
	default:
		fmt.Fprintf(stderr, "kiosk provision: there is no subcommand %q\n\n", name)
	}
	usage(stderr)
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "kiosk provision brings a machine from its box to its work\n")
	for _, group := range []struct {
		head string
		all  []command
	}{{"On the machine, as root:", onMachine()}, {"On the technician's laptop:", siteCommands()}} {
		fmt.Fprintf(w, "\n%s\n", group.head)
		for _, c := range group.all {
			fmt.Fprintf(w, "  %s\n        %s\n", strings.TrimSpace("kiosk provision "+c.name+" "+c.args), c.about)
		}
	}
	fmt.Fprint(w, "\nkiosk provision SUBCOMMAND -h tells the flags of one. Exit codes: 0 done, 1 failed, 2 wrong command line, 3 machine not accepted.\n")
}

// parse reads the flags and takes so many arguments behind them, or any number for -1. Help that was asked for goes to stdout.
func (c *call) parse(arguments int) error {
	var said bytes.Buffer
	c.flags.SetOutput(&said)
	err := c.flags.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = c.stdout.Write(said.Bytes())
		return err
	case err != nil:
		fmt.Fprintf(c.stderr, "%s: %s", c.flags.Name(), said.Bytes())
		return errUsage
	case arguments >= 0 && c.flags.NArg() != arguments:
		fmt.Fprintf(c.stderr, "%s: %d arguments where %d are wanted\n", c.flags.Name(), c.flags.NArg(), arguments)
		c.flags.SetOutput(c.stderr)
		c.flags.Usage()
		return errUsage
	}
	c.args = c.flags.Args()
	return nil
}

// dryFlag gives a subcommand the flag -dry.
func (c *call) dryFlag() {
	c.flags.BoolVar(&c.dry, "dry", false, "say what would be done, and change nothing")
}

// dryEnd ends what a dry run says.
const dryEnd = "dry run: nothing was changed"

// tryFolder says whether a file can be put into dir, and leaves none there.
func tryFolder(dir string) error {
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// need says that a flag must be given.
func (c *call) need(name, value string) error {
	if value != "" {
		return nil
	}
	fmt.Fprintf(c.stderr, "%s: -%s is not given\n", c.flags.Name(), name)
	return errUsage
}

func (c *call) say(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }
