package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
)

// runCheck is "kiosk check": everything that is wrong with a configuration and its content, at once, with lines.
func runCheck(_ context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newFlags("check", stderr)
	path := flags.String("config", "", "configuration `FILE`; its content is checked too")
	dir := flags.String("content", "", "content `DIR` alone")
	if code, done := parse(flags, args); done {
		return code
	}
	if (*path == "") == (*dir == "") {
		fmt.Fprintln(stderr, "kiosk check: give either -config FILE or -content DIR")
		return exitUsage
	}
	code := exitOK
	if *path != "" {
		cfg, err := config.Load(*path)
		if err != nil {
			fmt.Fprintln(stdout, err)
			return exitUsage
		}
		for _, w := range cfg.Warnings() {
			fmt.Fprintf(stdout, "%s: warning: %s\n", *path, w)
		}
		fmt.Fprintf(stdout, "%s: good: machine %s, role %s\n", *path, cfg.Machine, cfg.Role)
		*dir = cfg.Content
	}
	if c := checkContent(stdout, *dir); c != exitOK {
		code = c
	}
	return code
}

func checkContent(stdout io.Writer, dir string) int {
	var content fs.FS = catalogue.Example()
	name := "built-in example content"
	if dir != "" {
		content, name = os.DirFS(dir), dir
	}
	c, err := catalogue.Load(content)
	if err != nil {
		fmt.Fprintln(stdout, err)
		return exitUsage
	}
	code := exitOK
	for _, f := range c.Lint(time.Now()) {
		fmt.Fprintf(stdout, "%s: %s: %s %s\n", f.Where, f.Severity, f.Text, f.Next)
		if f.Severity == catalogue.SeverityError {
			code = exitUsage
		}
	}
	if code == exitOK {
		fmt.Fprintf(stdout, "%s: good: %d items in %d packages, version %s\n", name, len(c.Items()), len(c.Packages), c.Park.Version)
	}
	return code
}
