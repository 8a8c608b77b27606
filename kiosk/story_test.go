package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
)

// TestStories runs the scripts in testdata/script: what a person at a terminal types, and what the program answers.
//
// Beside the commands of testscript they have
//
//	exits CODE kiosk ...    run the program; it must end with CODE
//	becomes CODE kiosk ...  run it again and again until it ends with CODE
//	replace FILE OLD NEW    replace a text that must be in FILE; variables such as $WORK are expanded in NEW
//	expand FILE             expand the variables in FILE
//	code NAME               set NAME to the enrolment code on the last standard output
//	device KIND NAME        put a simulated reader, printer (epson80) or pad (reference) behind a pseudo-terminal, and set NAME to its path
//	bend FILE               change one byte in the middle of FILE
//	request NAME DIR        set NAME to the newest enrolment request in DIR
//
// and the variables ADDR and OTHER, two free addresses, and TAKEN, the address of another program. example.yaml is the example
// configuration and content a copy of the built-in content.
func TestStories(t *testing.T) {
	bin := filepath.Dir(kioskBinary(t))
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") }))
			e.Defer(stranger.Close)
			e.Setenv("PATH", bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("TAKEN", stranger.Listener.Addr().String())
			for _, name := range []string{"ADDR", "OTHER"} {
				e.Setenv(name, "127.0.0.1:"+strconv.Itoa(freePort(t)))
			}
			return errors.Join(
				os.WriteFile(filepath.Join(e.WorkDir, "example.yaml"), []byte(config.Example()), 0o600),
				os.CopyFS(filepath.Join(e.WorkDir, "content"), catalogue.Example()))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "becomes": becomes, "replace": replace, "expand": expand, "code": code, "request": request, "device": device, "bend": bend,
		},
	})
}

// device makes a simulated device of a script.
func device(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: device KIND NAME")
	}
	pty, err := serialport.OpenPty()
	ts.Check(err)
	var serve func(context.Context, io.ReadWriter) error
	switch args[0] {
	case "reader":
		serve = idcard.NewSim(nil).Serve
	case "printer":
		p, err := printer.ByName("epson80")
		ts.Check(err)
		serve = printer.NewSim(p, &printer.SimOpts{Quick: true}).Serve
	case "pad":
		p, err := serialpad.ByName("reference")
		ts.Check(err)
		serve = serialpad.NewSim(p, nil).Serve
	default:
		ts.Fatalf("there is no device %s", args[0])
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serve(ctx, pty.Master)
	}()
	ts.Defer(func() {
		stop()
		_ = pty.Close()
		<-ended
	})
	ts.Setenv(args[1], pty.Path())
}

// ends runs a command of a script and returns its exit code.
func ends(ts *testscript.TestScript, command []string) int {
	err := ts.Exec(command[0], command[1:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// coded parses the arguments CODE COMMAND.
func coded(ts *testscript.TestScript, neg bool, args []string) (int, []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits|becomes CODE COMMAND [ARG...]")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	return code, args[1:]
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, command := coded(ts, neg, args)
	if got := ends(ts, command); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func becomes(ts *testscript.TestScript, neg bool, args []string) {
	want, command := coded(ts, neg, args)
	for end := time.Now().Add(30 * time.Second); ends(ts, command) != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("the exit code was never %d", want)
		}
	}
}

func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}

func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o600))
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	found := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(ts.ReadFile("stdout"))
	if neg || len(args) != 1 || found == "" {
		ts.Fatalf("usage: code NAME, after a command that shows one")
	}
	ts.Setenv(args[0], found)
}

func bend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bend FILE")
	}
	data := []byte(ts.ReadFile(args[0]))
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: request NAME DIR")
	}
	all, err := filepath.Glob(filepath.Join(ts.MkAbs(args[1]), "*.request"))
	ts.Check(err)
	newest, at := "", time.Time{}
	for _, path := range all {
		st, err := os.Stat(path)
		ts.Check(err)
		if st.ModTime().After(at) {
			newest, at = path, st.ModTime()
		}
	}
	if newest == "" {
		ts.Fatalf("there is no request in %s", args[1])
	}
	ts.Setenv(args[0], newest)
}
