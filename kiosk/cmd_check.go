package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
	"yuanban/kiosk/daemon"
	"yuanban/kiosk/strictyaml"
)

// runCheck is "kiosk check": everything that is wrong with a configuration and its content, at once, with lines.
func runCheck(_ context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newFlags("check", stderr)
	path := flags.String("config", "", "configuration `FILE`; its content is checked too")
	dir := flags.String("content", "", "content `DIR` alone")
	if code, done := parse(flags, args, stdout); done {
		return code
	}
	if (*path == "") == (*dir == "") {
		fmt.Fprintln(stderr, "kiosk check: give either -config FILE or -content DIR")
		return exitUsage
	}
	if *path == "" {
		return checkContent(*dir, stdout, stderr)
	}
	cfg, err := config.Load(*path)
	if err != nil {
		say(err, "", "kiosk check", stdout, stderr)
		return exitUsage
	}
	return max(checkConfig(*path, cfg, stdout), checkContent(cfg.Content, stdout, stderr))
}

// checkConfig judges a configuration that could be read.
func checkConfig(path string, cfg *config.Config, stdout io.Writer) int {
	for _, w := range cfg.Warnings() {
		fmt.Fprintf(stdout, "%s: warning: %s\n", path, w)
	}
	if err := daemon.Check(cfg); err != nil {
		for line := range strings.Lines(err.Error() + "\n") {
			fmt.Fprintf(stdout, "%s: error: %s", path, line)
		}
		return exitUsage
	}
	fmt.Fprintf(stdout, "%s: good: machine %s, role %s\n", path, cfg.Machine, cfg.Role)
	return exitOK
}

// checkContent judges a content folder, or the built-in example when dir is "".
func checkContent(dir string, stdout, stderr io.Writer) int {
	var content fs.FS = catalogue.Example()
	name := "built-in example content"
	if dir != "" {
		if _, err := os.Stat(dir); err != nil {
			fmt.Fprintf(stderr, "kiosk check: cannot read content: %v\n", err)
			return exitUsage
		}
		content, name = os.DirFS(dir), dir
	}
	c, err := catalogue.Load(content)
	if err != nil {
		say(err, dir, "kiosk check", stdout, stderr)
		return exitUsage
	}
	code := exitOK
	for _, f := range c.Lint(time.Now()) {
		if dir == "" && f.Severity == catalogue.SeverityWarning {
			continue // nobody here can edit the built-in files; that they are an example was said already
		}
		f.Where = filepath.Join(dir, f.Where)
		fmt.Fprintln(stdout, f)
		if f.Severity == catalogue.SeverityError {
			code = exitUsage
		}
	}
	if code == exitOK {
		fmt.Fprintf(stdout, "%s: good: %d items in %d packages, version %s\n", name, len(c.Items()), len(c.Packages), c.Park.Version)
	}
	return code
}

// say tells what is wrong with files: the problems in them, a line each, to lines, as a compiler does; that they cannot be read at
// all, after the name of the command, to stderr. dir is the folder that the problems' files are in.
func say(err error, dir, command string, lines, stderr io.Writer) {
	problems, ok := errors.AsType[strictyaml.Problems](err)
	if !ok {
		fmt.Fprintf(stderr, "%s: %v\n", command, err)
		return
	}
	for _, p := range problems {
		p.File = filepath.Join(dir, p.File)
		fmt.Fprintln(lines, p)
	}
}
