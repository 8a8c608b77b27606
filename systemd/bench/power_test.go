//go:build vm

package bench

// TestPowerCuts cuts the power of the whole appliance, again and again (-cuts N): a rating pad with the package of this commit
// installed, on a disk that has a write cache. A window PC invites, presses of a bouncing button on the kernel's GPIO rate, and the
// platform, which lives on, takes what is delivered. Beside the program a writer commits facts of all sizes to a journal of its
// own as fast as the disk takes them, and a careless program writes what it never asks the disk to keep. It asserts after every
// cut:
//
//   - the machine comes up by itself, without a failed unit: nobody presses a key for fsck; the program serves again and the
//     platform gets the rest;
//   - the journal opens and its chain of facts is whole; every invitation and every rating of which the window PC was told, in
//     this life or an earlier one, is in it, once;
//   - at the platform every fact is there once, in its place, none is missing, and it had to refuse none: it recomputes every
//     hash, and a journal that had lost facts which the platform has would give their numbers to others;
//   - the same for the facts of the writer: the chain is whole, and what was told of is there as it was told;
//   - what the careless program wrote is lost: so the cut was one.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/kiosk/evaluation"
	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/machine"
)

const (
	journalFile  = "/var/lib/bench.db"
	carelessFile = "/var/lib/careless"
	// How long all are busy before a cut, at random up to this.
	longestBusy = 3 * time.Second
)

func TestPowerCuts(t *testing.T) {
	g := build(t)
	program := filepath.Join(cache, "bin", "bench-journal")
	goTool(t, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", program, "yuanban/systemd/bench/journaller")
	cfg := setup(t, g, machine.Config{Disk: machine.Disk{Cached: true}})
	platform := newPlatform(t)
	p := &powerCuts{appliance: equip(t, platform, start(t, cfg)), invited: map[string]bool{}}
	p.program = put(t, p.m, program)
	p.giveToken()
	p.install(configPad())
	p.wait("a pad", buttonsOnline)
	output(t, p.m, "sync")
	for n := range *cuts {
		began := time.Now()
		careless := p.busyUntilCut()
		p.appliance = equip(t, platform, start(t, cfg))
		what := p.judge(careless)
		if t.Failed() {
			p.tell()
			t.Fatalf("cut %d of %d", n+1, *cuts)
		}
		say("cut %d of %d: %s; %.1f s", n+1, *cuts, what, time.Since(began).Seconds())
	}
	if len(p.rated) < *cuts {
		t.Errorf("%d ratings in %d lives: the machine was not busy", len(p.rated), *cuts)
	}
	say("%d cuts, %d ratings confirmed, %d of the writer's facts told of, none lost, none twice", *cuts, len(p.rated), len(p.told))
}

// powerCuts is the appliance of the moment, and what the host was told in all its lives.
type powerCuts struct {
	*appliance
	program string // the journaller

	invited map[string]bool // invitations that were answered
	rated   []string        // those that the window PC knows to be rated
	cases   int             // invited so far
	told    []string        // of the writer's facts
}

// busyUntilCut lets all be busy, cuts the power, and returns how many careless lines there were.
func (p *powerCuts) busyUntilCut() (careless int) {
	p.t.Helper()
	var told, lines heard
	var busy sync.WaitGroup
	for what, out := range map[[2]string]*heard{{"write", journalFile}: &told, {"careless", carelessFile}: &lines} {
		busy.Go(func() {
			err := p.m.Agent().Run(p.t.Context(), agent.Cmd{Args: []string{p.program, what[0], what[1]}, Stdout: out})
			if _, ok := errors.AsType[*agent.ExitError](err); ok {
				p.t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	first := make(chan struct{}) // a rating is confirmed
	busy.Go(func() { p.rate(ctx, sync.OnceFunc(func() { close(first) })) })
	within, giveUp := context.WithTimeout(p.t.Context(), time.Minute)
	defer giveUp()
	ready := told.first(within) && lines.first(within)
	select {
	case <-first:
	case <-within.Done():
		ready = false
	}
	if ready {
		time.Sleep(rand.N(longestBusy))
	}
	p.m.PowerCut()
	cancel()
	busy.Wait()
	if !ready {
		p.t.Fatal("the machine was not busy after a minute")
	}
	p.told = append(p.told, told.whole()...)
	if all := lines.whole(); len(all) > 0 {
		careless, _ = strconv.Atoi(all[len(all)-1])
	}
	return careless
}

// rate invites and rates until the power is gone. What was confirmed is noted, then confirmed is called.
func (p *powerCuts) rate(ctx context.Context, confirmed func()) {
	for ctx.Err() == nil {
		p.cases++
		id, err := p.invite(windowToken, fmt.Sprintf("CASE-%d", p.cases), 1)
		if err != nil {
			time.Sleep(50 * time.Millisecond) // still rating, or off
			continue
		}
		p.invited[id] = true
		level := 3 + p.cases%3 // better grades give way to the next invitation
		if err := p.hands.Do("bounce " + strconv.Itoa(level)); err != nil {
			continue
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
			if p.invitation(id) == evaluation.Rated {
				p.rated = append(p.rated, id)
				confirmed()
				break
			}
		}
	}
}

// judge looks at everything after a cut, and says it in short.
func (p *powerCuts) judge(careless int) string {
	p.t.Helper()
	p.wait("a pad again", buttonsOnline)
	p.delivered()
	b := p.readJournal()
	for id := range p.invited {
		if b.opened[id] != 1 {
			p.t.Errorf("the invitation %s was answered and is %d times in the journal", id, b.opened[id])
		}
	}
	for _, id := range p.rated {
		if b.given[id] != 1 {
			p.t.Errorf("the rating %s was confirmed and is %d times in the journal", id, b.given[id])
		}
	}
	p.wait("the rest is at the platform", buttonsOnline)
	p.delivered()
	p.judgePlatform(b)
	p.judgeWriter()
	kept, err := strconv.Atoi(output(p.t, p.m, p.program, "count", carelessFile))
	if err != nil || kept >= careless {
		p.t.Errorf("%d of %d careless lines are there: the power was not cut, %v", kept, careless, err)
	}
	output(p.t, p.m, "rm", "-f", carelessFile)
	return fmt.Sprintf("%d invitations, %d ratings confirmed, %d facts at the platform (%d came again and were not taken again), %d of the writer's facts, none lost, none twice; %d of %d careless lines lost",
		len(p.invited), len(p.rated), len(p.platform.Records()), p.platform.Duplicates(), len(p.told), careless-kept, careless)
}

func (p *powerCuts) judgePlatform(b book) {
	p.t.Helper()
	given := map[string]int{}
	for i, r := range p.platform.Records() {
		if r.Sequence != int64(i+1) || r.Epoch != p.platform.Records()[0].Epoch {
			p.t.Fatalf("fact %d of epoch %s stands at place %d of the platform", r.Sequence, r.Epoch, i+1)
		}
		if r.Kind == "rating.given" {
			given[r.Subject]++
		}
	}
	if n := int64(len(p.platform.Records())); n < b.last {
		p.t.Errorf("the platform has %d facts, the journal had %d", n, b.last)
	}
	for id, n := range b.given {
		if n != 1 || given[id] != 1 {
			p.t.Errorf("the rating %s is %d times in the journal and %d times at the platform", id, n, given[id])
		}
	}
	if len(given) != len(b.given) {
		p.t.Errorf("%d invitations were rated for the platform, %d in the journal", len(given), len(b.given))
	}
	if problems := p.platform.Problems(); len(problems) > 0 {
		p.t.Errorf("the platform had to refuse: %q", problems)
	}
}

func (p *powerCuts) judgeWriter() {
	p.t.Helper()
	var out bytes.Buffer
	err := p.m.Agent().Run(p.t.Context(), agent.Cmd{Args: []string{p.program, "check", journalFile},
		Stdin: strings.NewReader(strings.Join(p.told, "\n") + "\n"), Stdout: &out})
	if got := strings.TrimSpace(out.String()); err != nil || got != strconv.Itoa(len(p.told)) {
		p.t.Errorf("%q of the writer's %d facts are there: %v", got, len(p.told), err)
	}
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
