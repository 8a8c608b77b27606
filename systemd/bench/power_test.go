//go:build vm

package bench

// TestPowerCuts cuts the power of a machine whose disk has a write cache, while facts are committed to a journal, again and
// again (-cuts N). It asserts, after every cut:
//
//   - the machine comes up by itself, without a failed unit: nobody presses a key for fsck;
//   - the journal opens, its chain of facts is whole, and every fact that was told of is in it as it was told;
//   - what a careless program wrote, which never asked the disk to keep it, is lost: so the cut was one.

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/machine"
)

const (
	journalFile  = "/var/lib/bench.db"
	carelessFile = "/var/lib/careless"
	// How long facts are told of before a cut, at random up to this.
	longestWriting = 1500 * time.Millisecond
)

func TestPowerCuts(t *testing.T) {
	g := build(t)
	program := filepath.Join(cache, "bin", "bench-journal")
	goTool(t, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", program, "yuanban/systemd/bench/journaller")
	cfg := setup(t, g, machine.Config{Disk: machine.Disk{Cached: true}})
	m := start(t, cfg)
	program = put(t, m, program)
	output(t, m, "sync")
	var told []string
	for n := range *cuts {
		began := time.Now()
		facts, careless := writeUntilCut(t, m, program)
		told = append(told, facts...)
		m = start(t, cfg)
		var out bytes.Buffer
		err := m.Agent().Run(t.Context(), agent.Cmd{Args: []string{program, "check", journalFile},
			Stdin: strings.NewReader(strings.Join(told, "\n") + "\n"), Stdout: &out})
		if err != nil {
			t.Fatalf("cut %d: %v", n+1, err)
		}
		if got := strings.TrimSpace(out.String()); got != strconv.Itoa(len(told)) {
			t.Errorf("cut %d: %s of %d facts were looked for", n+1, got, len(told))
		}
		kept, err := strconv.Atoi(output(t, m, program, "count", carelessFile))
		if err != nil || kept >= careless {
			t.Errorf("cut %d: %d of %d careless lines are there: the power was not cut, %v", n+1, kept, careless, err)
		}
		output(t, m, "rm", "-f", carelessFile)
		say("cut %d of %d: %d facts told of, %d in all, none lost; %d of %d careless lines lost; %.1f s",
			n+1, *cuts, len(facts), len(told), careless-kept, careless, time.Since(began).Seconds())
	}
}

// writeUntilCut lets both programs write, cuts the power, and returns what was told of until then.
func writeUntilCut(t *testing.T, m *machine.Machine, program string) (facts []string, careless int) {
	t.Helper()
	var told, lines heard
	var writing sync.WaitGroup
	for what, out := range map[[2]string]*heard{{"write", journalFile}: &told, {"careless", carelessFile}: &lines} {
		writing.Go(func() {
			err := m.Agent().Run(t.Context(), agent.Cmd{Args: []string{program, what[0], what[1]}, Stdout: out})
			if _, ok := errors.AsType[*agent.ExitError](err); ok {
				t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, out := range []*heard{&told, &lines} {
		if !out.first(ctx) {
			t.Fatal("nothing was written for a minute")
		}
	}
	time.Sleep(rand.N(longestWriting))
	m.PowerCut()
	writing.Wait()
	facts = told.whole()
	if all := lines.whole(); len(all) > 0 {
		careless, _ = strconv.Atoi(all[len(all)-1])
	}
	return facts, careless
}

// heard are lines from the guest.
type heard struct {
	mu sync.Mutex
	b  []byte
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.b = append(h.b, b...)
	return len(b), nil
}

// first waits for the first line.
func (h *heard) first(ctx context.Context) bool {
	for ctx.Err() == nil {
		if len(h.whole()) > 0 {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// whole are the lines that have come whole: the last may have been cut.
func (h *heard) whole() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := strings.Split(string(h.b), "\n")
	return lines[:len(lines)-1]
}
