package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// finger reads what the technician is told, and presses it on a simulated pad.
type finger struct {
	sim *serialpad.Sim
	mu  sync.Mutex
	out bytes.Buffer
}

func (f *finger) Write(b []byte) (int, error) {
	for grade, name := range serialpad.GradeNames() {
		if strings.HasPrefix(string(b), "press "+name+" now") {
			time.AfterFunc(50*time.Millisecond, func() { f.sim.Press(grade) })
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(b)
}

// TestLearn: what the command writes is a profile with which a machine understands the pad.
func TestLearn(t *testing.T) {
	dir := t.TempDir()
	link, err := serialport.OpenPtyLink(filepath.Join(dir, "line"))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := serialpad.ByName("ascii-line")
	if err != nil {
		t.Fatal(err)
	}
	sim := serialpad.NewSim(profile, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var playing sync.WaitGroup
	playing.Go(func() { _ = sim.Serve(ctx, link) })
	t.Cleanup(func() {
		cancel()
		playing.Wait()
		link.Close()
	})
	file := filepath.Join(dir, "learned.json")
	f := &finger{sim: sim}
	var stderr bytes.Buffer
	if code := run(ctx, []string{"learn", "-port", link.Path(), "-o", file}, f, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Fatalf("ended with %d: %s%s", code, f.out.String(), stderr.String())
	}
	for _, want := range []string{"press 非常不满意 now (3 of 3, listening at 9600 8N1)", "Learned, confidence", "byte 2 is the button", "Not known:", "Written to " + file} {
		if !strings.Contains(f.out.String(), want) {
			t.Errorf("%q is not said in\n%s", want, f.out.String())
		}
	}
	got, err := serialpad.Load(file)
	if err != nil || got.Missing() != nil || got.Pad.Press != "4B {key} 0D 0A" {
		t.Errorf("%v, %+v", err, got)
	}
	config := filepath.Join(dir, "kiosk.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "machine: TEST01\nrole: kiosk\npad: {port: %s, profile: %s}\n", link.Path(), file), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	if code := run(ctx, []string{"check", "-config", config}, &stdout, &stderr); code != exitOK {
		t.Errorf("the machine refuses it: %s%s", stdout.String(), stderr.String())
	}
	// It overwrites nothing, and says what it needs.
	for _, args := range [][]string{{"learn", "-port", link.Path(), "-o", file}, {"learn"}} {
		if code := run(ctx, args, &stdout, &stderr); code != exitUsage {
			t.Errorf("%q ended with %d", args, code)
		}
	}
	if code := run(ctx, []string{"learn", "-port", filepath.Join(dir, "nothing")}, &stdout, &stderr); code != exitFailed || !strings.Contains(stderr.String(), "device gone") {
		t.Errorf("without a line: %d %s", code, stderr.String())
	}
	if !slices.ContainsFunc(commands(), func(c command) bool { return c.name == "learn" }) {
		t.Error("nobody is told of the command")
	}
}
