//go:build vm

package bench

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/systemd/bench/agent"
)

// dialogue is a program in the guest that a person speaks with at a terminal.
type dialogue struct {
	t     *testing.T
	in    *io.PipeWriter
	ended chan struct{}
	err   error // after ended

	mu   sync.Mutex
	said []byte
	read int // of said, by until
}

// questionTime is how long it may take until a program asks what it is expected to.
const questionTime = 2 * time.Minute

// talk starts a program.
func (a *appliance) talk(args ...string) *dialogue {
	in, hand := io.Pipe()
	d := &dialogue{t: a.t, in: hand, ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(a.t.Context())
	go func() {
		defer close(d.ended)
		d.err = a.m.Agent().Run(ctx, agent.Cmd{Args: args, Stdin: in, Stdout: d, Stderr: d})
	}()
	a.t.Cleanup(func() {
		cancel()
		_ = hand.Close()
		<-d.ended
	})
	return d
}

// Write takes what the program says.
func (d *dialogue) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = append(d.said, b...)
	return len(b), nil
}

// until waits until the program has said something, after what it was waited for before, and returns all that it said meanwhile.
func (d *dialogue) until(text string) string {
	d.t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if said, ok := d.heard(text); ok {
			return said
		}
		if time.Since(began) > questionTime {
			d.t.Fatalf("%q was not said. What was:\n%s", text, d.all())
		}
	}
}

func (d *dialogue) heard(text string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	said := string(d.said[d.read:])
	i := strings.Index(said, text)
	if i < 0 {
		return "", false
	}
	d.read += i + len(text)
	return said[:i+len(text)], true
}

// answer types a line.
func (d *dialogue) answer(line string) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.in, line); err != nil {
		d.t.Fatal(err)
	}
}

// end waits until the program has ended, to whom nobody speaks any more, and returns all that it said.
func (d *dialogue) end() (string, error) {
	_ = d.in.Close()
	<-d.ended
	return d.all(), d.err
}

func (d *dialogue) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.said)
}
