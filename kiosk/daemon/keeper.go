package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yuanban/kiosk/journal"
)

// Times of the keeper.
const (
	askEvery   = 5 * time.Second // between two rounds of questions, when the watchdog does not want them sooner
	proveEvery = time.Minute     // between two commits that prove the disk; each writes about 8 KiB
	openWithin = 2 * time.Minute // for one attempt to open the journal, whose check reads the whole file
)

// keeper asks, again and again, whether the machine lives: does the flow's loop turn, does the journal answer a reader, does the disk
// take a commit. It waits for each answer however long it takes, and feeds the watchdog when it has all of them. So whatever hangs
// keeps the watchdog hungry, and the service manager ends the program and starts it anew.
//
// An answer that says no is an answer: a full disk or a wrong clock is told to the flow and to the technician, and nothing is restarted.
type keeper struct {
	log     *slog.Logger
	manager *manager
	status  func() string     // for systemctl status
	changed func(recording)   // called when what can be recorded has changed
	attempt *later[time.Time] // when the present attempt to open the journal began
	life    *later[life]      // set once the flow runs
	now     *later[recording] // what was found last
	back    func() bool       // a new file can be written where the journal is
	proved  time.Time         // the last commit that was tried
}

// life is what must answer.
type life struct {
	journal prover
	ping    func(ctx context.Context) (resting bool, err error)
	resting *later[bool]
}

// prover is the journal as far as it is asked.
type prover interface {
	Clock(ctx context.Context) error
	Pulse(ctx context.Context) error
	Room() error
}

// recording is what keeps facts from being recorded as they should; nil is good.
type recording struct {
	journal error // no fact can be written
	room    error // facts can be written, but no applications should be taken
	clock   error // facts carry a wrong time
}

// same says that a person would be told the same.
func (r recording) same(o recording) bool {
	text := func(err error) string {
		for _, known := range []error{journal.ErrLowRoom, journal.ErrDiskFull, journal.ErrReadOnly, journal.ErrDamaged, journal.ErrClockUnset, journal.ErrClockBehind, journal.ErrClockAhead} {
			if errors.Is(err, known) {
				return known.Error() // without the numbers in it, which change all the time
			}
		}
		if err != nil {
			return err.Error()
		}
		return ""
	}
	return text(r.journal) == text(o.journal) && text(r.room) == text(o.room) && text(r.clock) == text(o.clock)
}

// Run asks until ctx ends. It fails when the disk has come back under an open journal that does not: only a new start opens it again.
func (k *keeper) Run(ctx context.Context) error {
	every := askEvery
	watched := k.manager.watchdogEvery()
	if watched > 0 {
		every = min(every, watched)
	}
	for {
		alive, err := k.round(ctx)
		if err != nil {
			return err
		}
		if alive && watched > 0 {
			k.manager.alive()
		}
		k.manager.status(k.status())
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// round asks everything that must answer.
func (k *keeper) round(ctx context.Context) (alive bool, err error) {
	l, running := k.life.get()
	if !running {
		began, _ := k.attempt.get()
		return time.Since(began) < openWithin, nil
	}
	resting, err := l.ping(ctx)
	if err != nil {
		return false, nil
	}
	l.resting.put(resting)
	k.prove(ctx, l.journal)
	if found, _ := k.now.get(); resting && found.journal != nil && !errors.Is(found.journal, journal.ErrDiskFull) && k.back() {
		return false, fmt.Errorf("the disk is back and the open journal cannot use it: %w", found.journal)
	}
	return ctx.Err() == nil, nil
}

// prove finds out what can be recorded.
func (k *keeper) prove(ctx context.Context, j prover) {
	before, _ := k.now.get()
	found := recording{room: j.Room()}
	read := j.Clock(ctx)
	if errors.Is(read, journal.ErrClockUnset) || errors.Is(read, journal.ErrClockBehind) || errors.Is(read, journal.ErrClockAhead) {
		read, found.clock = nil, read
	}
	// A disk that took the last commit is asked once a minute, one that did not with every round: to fail costs nothing.
	if read != nil || before.journal != nil || k.proved.IsZero() || time.Since(k.proved) >= proveEvery {
		found.journal = j.Pulse(ctx)
		k.proved = time.Now()
	}
	found.journal = cmp.Or(found.journal, read)
	if ctx.Err() != nil {
		return
	}
	k.now.put(found)
	if found.same(before) {
		return
	}
	for what, err := range map[string]error{"journal": found.journal, "room": found.room, "clock": found.clock} {
		if err != nil {
			k.log.Error("facts cannot be recorded as they should", "area", what, "err", err)
		}
	}
	if (found == recording{}) {
		k.log.Info("facts are recorded again", "area", "journal")
	}
	k.changed(found)
}
