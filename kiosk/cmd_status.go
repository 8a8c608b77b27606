package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/config"
	"yuanban/kiosk/station"
)

// runStatus is "kiosk status": what the running program says of the machine, for a person or, with -json, for a program.
func runStatus(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := newFlags("status", stderr)
	listen := fs.String("listen", config.DefaultListen, "`ADDR` at which the program serves")
	asJSON := fs.Bool("json", false, "print the answer as it is")
	if code, done := parse(fs, args, stdout); done {
		return code
	}
	if !loopback(fs, "listen", *listen) {
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, raw, err := askStatus(ctx, *listen)
	if err != nil {
		fmt.Fprintf(stderr, "kiosk status: %v\n", err)
		return exitFailed
	}
	if *asJSON {
		stdout.Write(raw)
	} else {
		printStatus(stdout, s)
	}
	if !well(s) {
		return exitUnwell
	}
	return exitOK
}

func askStatus(ctx context.Context, listen string) (s api.Status, raw []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/kiosk/v1/status", nil)
	if err != nil {
		return s, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if dial, ok := errors.AsType[*net.OpError](err); ok {
			err = dial.Err // without the address, which is said already
		}
		return s, nil, fmt.Errorf("nothing answers at %s: %w\nIs the program running? Start it with kiosk run or kiosk demo. If it serves elsewhere, say where: kiosk status -listen ADDR", listen, err)
	}
	defer resp.Body.Close()
	if raw, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20)); err != nil {
		return s, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		text, _, _ := strings.Cut(string(raw), "\n")
		return s, nil, fmt.Errorf("%s answered %s: %s", listen, resp.Status, text)
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Machine == "" {
		return s, nil, fmt.Errorf("what answers at %s is not this program; say where it serves: kiosk status -listen ADDR", listen)
	}
	return s, raw, nil
}

func well(s api.Status) bool {
	for _, d := range s.Devices {
		if d.State != station.Online {
			return false
		}
	}
	return s.Journal == "ok" && s.Clock == "ok" && !s.ChainBroken() && (s.Platform.Online || !s.Platform.Configured)
}

func printStatus(w io.Writer, s api.Status) {
	fmt.Fprintf(w, "machine   %s (%s), %s, running for %s\n", s.Machine, s.Role, s.Version, time.Since(s.Started).Round(time.Second))
	fmt.Fprintf(w, "display   %s\n", map[bool]string{true: "connected", false: "NOT connected: no browser shows the screens"}[s.Display])
	for _, d := range s.Devices {
		fmt.Fprintf(w, "%-9s %s, for %s  %s\n", d.Device, d.State, time.Since(d.Since).Round(time.Second), d.Detail)
	}
	fmt.Fprintf(w, "journal   %s, %d facts, chain %s, epoch %s\n", s.Journal, s.Sequence, s.Chain, s.Epoch)
	if s.Clock != "ok" {
		fmt.Fprintf(w, "clock     %s\n", s.Clock)
	}
	switch p := s.Platform; {
	case !p.Configured:
		fmt.Fprintln(w, "platform  not configured: facts stay on this machine")
	case p.Backlog == 0:
		fmt.Fprintf(w, "platform  %s, all facts delivered\n", onlineWord(p.Online))
	default:
		fmt.Fprintf(w, "platform  %s, %d facts waiting, the oldest for %s  %s\n", onlineWord(p.Online), p.Backlog, time.Since(p.Oldest).Round(time.Second), p.LastError)
	}
}

func onlineWord(b bool) string {
	if b {
		return "online"
	}
	return "OFFLINE"
}
