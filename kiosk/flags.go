package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"yuanban/kiosk/config"
)

// newFlags returns the flags of a subcommand; their errors go to stderr.
func newFlags(name string, stderr io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("kiosk "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		for _, c := range commands() {
			if c.name == name {
				fmt.Fprintf(fs.Output(), "Usage: %s\n%s\n", strings.TrimSpace(fs.Name()+" "+c.args), c.about)
			}
		}
		fs.PrintDefaults()
	}
	return fs
}

// parse reads the flags. done says that the command ends here, with code. Help that was asked for goes to stdout, where it can be
// piped into a pager.
func parse(fs *flag.FlagSet, args []string, stdout io.Writer) (code int, done bool) {
	stderr := fs.Output()
	var said bytes.Buffer
	fs.SetOutput(&said)
	err := fs.Parse(args)
	fs.SetOutput(stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		stdout.Write(said.Bytes())
		return exitOK, true
	case err != nil:
		fmt.Fprintf(stderr, "%s: %s", fs.Name(), said.Bytes())
		return exitUsage, true
	case fs.NArg() > 0:
		fmt.Fprintf(stderr, "%s: unexpected argument %q\n", fs.Name(), fs.Arg(0))
		fs.Usage()
		return exitUsage, true
	}
	return exitOK, false
}

// newLog logs to w as text; attributes that carry a person mask themselves.
func newLog(w io.Writer, level config.Level) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}

// oneOf checks the value of a flag.
func oneOf(fs *flag.FlagSet, name, value string, allowed ...string) bool {
	if slices.Contains(allowed, value) {
		return true
	}
	fmt.Fprintf(fs.Output(), "%s: -%s %q is none of %s\n", fs.Name(), name, value, strings.Join(allowed, ", "))
	return false
}

// loopback checks a flag that holds an address of this machine: the screens answer whoever connects, so nobody else may.
func loopback(fs *flag.FlagSet, name, value string) bool {
	host, port, err := net.SplitHostPort(value)
	if ip, bad := netip.ParseAddr(host); err == nil && port != "" && (host == "localhost" || bad == nil && ip.IsLoopback()) {
		return true
	}
	fmt.Fprintf(fs.Output(), "%s: -%s %q is not a loopback address with a port, such as %s\n", fs.Name(), name, value, config.DefaultListen)
	return false
}
