package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/kiosk/journal"
)

// organ plays what the keeper asks: each answer can be held back for ever, or be a refusal.
type organ struct {
	mu             sync.Mutex
	hung           chan struct{} // nil: answers at once
	clock, disk    error
	room           error
	pulses, clocks int
	flowErr        error
}

func (o *organ) set(fn func(o *organ)) { o.mu.Lock(); defer o.mu.Unlock(); fn(o) }

func (o *organ) answer(fn func() error) error {
	o.mu.Lock()
	hung, err := o.hung, fn()
	o.mu.Unlock()
	if hung != nil {
		<-hung // as a disk that does not answer: no context ends it
	}
	return err
}

func (o *organ) Clock(context.Context) error {
	return o.answer(func() error { o.clocks++; return o.clock })
}

func (o *organ) Room() error { return o.answer(func() error { return o.room }) }

func (o *organ) Pulse(context.Context) error {
	return o.answer(func() error { o.pulses++; return o.disk })
}

// kept is a keeper at work in a bubble, with what it says.
type kept struct {
	*keeper
	disk  *organ
	flow  *organ
	found []recording
	fed   atomic.Int64

	busy         atomic.Bool // somebody is being served
	back, failed atomic.Bool // the disk is back; the keeper has asked for a new start
}

func keep(t *testing.T, running bool) *kept {
	k := &kept{disk: &organ{}, flow: &organ{}}
	k.keeper = &keeper{log: slog.New(slog.DiscardHandler), manager: &manager{log: slog.New(slog.DiscardHandler)},
		status: func() string { return "" }, changed: func(r recording) { k.found = append(k.found, r) },
		attempt: &later[time.Time]{}, life: &later[life]{}, now: &later[recording]{}, back: k.back.Load}
	k.attempt.put(time.Now())
	if running {
		k.begin()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil { // Run with its feeding counted here: a datagram socket cannot live in a bubble
			alive, err := k.round(ctx)
			if err != nil {
				k.failed.Store(true)
				return
			}
			if alive {
				k.fed.Add(1)
			}
			select {
			case <-ctx.Done():
			case <-time.After(askEvery):
			}
		}
	}()
	t.Cleanup(func() {
		k.disk.release()
		k.flow.release()
		cancel()
		<-done
	})
	return k
}

func (o *organ) release() {
	o.set(func(o *organ) {
		if o.hung != nil {
			close(o.hung)
			o.hung = nil
		}
	})
}

func (k *kept) begin() {
	k.life.put(life{journal: k.disk, resting: &later[bool]{}, ping: func(ctx context.Context) (bool, error) {
		return !k.busy.Load(), k.flow.answer(func() error { return k.flow.flowErr })
	}})
}

// feeds says how often the watchdog is fed in d.
func (k *kept) feeds(d time.Duration) int64 {
	before := k.fed.Load()
	time.Sleep(d)
	synctest.Wait()
	return k.fed.Load() - before
}

// TestKeeperFeedsWhatLives: whatever hangs keeps the watchdog hungry; whatever says no does not.
func TestKeeperFeedsWhatLives(t *testing.T) {
	hang := func(o *organ) { o.hung = make(chan struct{}) }
	for name, tc := range map[string]struct {
		make func(k *kept)
		fed  bool
	}{
		"all is well":           {func(*kept) {}, true},
		"the flow hangs":        {func(k *kept) { k.flow.set(hang) }, false},
		"the flow has ended":    {func(k *kept) { k.flow.set(func(o *organ) { o.flowErr = context.Canceled }) }, false},
		"the disk hangs":        {func(k *kept) { k.disk.set(hang) }, false},
		"the disk is full":      {func(k *kept) { k.disk.set(func(o *organ) { o.disk = journal.ErrDiskFull }) }, true},
		"the disk is gone":      {func(k *kept) { k.disk.set(func(o *organ) { o.disk, o.clock = errors.New("EIO"), errors.New("EIO") }) }, true},
		"the clock lost itself": {func(k *kept) { k.disk.set(func(o *organ) { o.clock = journal.ErrClockBehind }) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := keep(t, true)
				if n := k.feeds(time.Minute); n < 11 {
					t.Errorf("in a good minute it was fed %d times", n)
				}
				tc.make(k)
				k.feeds(askEvery) // the round that was under way
				if n := k.feeds(time.Minute); (n > 0) != tc.fed {
					t.Errorf("it was fed %d times", n)
				}
			})
		})
	}
}

// TestKeeperWhileOpening: a journal that is being opened has its time, and no more.
func TestKeeperWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, false)
		if n := k.feeds(openWithin); n < 20 {
			t.Errorf("while the journal is opened it was fed %d times", n)
		}
		k.feeds(askEvery)
		if n := k.feeds(time.Minute); n > 0 {
			t.Errorf("an opening that hangs was fed %d times", n)
		}
		k.attempt.put(time.Now()) // another try
		if n := k.feeds(time.Minute); n < 10 {
			t.Errorf("a new try was fed %d times", n)
		}
		k.begin()
		k.feeds(askEvery)
		if k.disk.pulses != 1 {
			t.Errorf("once the flow runs the disk was proved %d times", k.disk.pulses)
		}
	})
}

// TestKeeperProves: one commit a minute while the disk is well, one a round while it is not, and each change is told once.
func TestKeeperProves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, true)
		k.feeds(10*time.Minute + time.Second)
		if k.disk.pulses < 10 || k.disk.pulses > 12 || k.disk.clocks < 100 {
			t.Errorf("in ten minutes %d commits and %d looks", k.disk.pulses, k.disk.clocks)
		}
		for mib := range 3 { // the numbers in it are no news
			k.disk.set(func(o *organ) { o.room = fmt.Errorf("%w (%d MiB)", journal.ErrLowRoom, mib) })
			k.feeds(askEvery)
		}
		k.disk.set(func(o *organ) { o.room, o.disk, o.pulses = nil, journal.ErrDiskFull, 0 })
		k.feeds(proveEvery + 2*time.Minute)
		if k.disk.pulses < 20 {
			t.Errorf("a disk that is full was tried %d times in two minutes", k.disk.pulses)
		}
		k.disk.set(func(o *organ) { o.disk = nil })
		k.feeds(askEvery)
		k.disk.set(func(o *organ) { o.clock = journal.ErrClockUnset })
		k.feeds(askEvery)
		k.disk.set(func(o *organ) { o.clock = nil })
		k.feeds(askEvery)
		var told []string
		for _, r := range k.found {
			told = append(told, fmt.Sprint(r.journal != nil, r.room != nil, r.clock != nil))
		}
		want := "[false true false false false false true false false false false false false false true false false false]"
		if got := fmt.Sprint(told); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
	})
}

// TestKeeperAndTheDiskThatComesBack: an open journal never finds back to a disk that was unplugged; a new start does. It comes when
// nobody is being served, and not for a disk that is only full.
func TestKeeperAndTheDiskThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, true)
		k.busy.Store(true)
		k.back.Store(true)
		k.disk.set(func(o *organ) { o.disk = journal.ErrDiskFull })
		k.feeds(2 * time.Minute)
		k.busy.Store(false)
		k.feeds(time.Minute)
		if k.failed.Load() {
			t.Fatal("a full disk asked for a new start")
		}
		k.busy.Store(true)
		k.back.Store(false)
		k.disk.set(func(o *organ) { o.disk = errors.New("EIO") })
		k.feeds(time.Minute)
		k.busy.Store(false)
		k.feeds(time.Minute)
		if k.failed.Load() {
			t.Fatal("a disk that is away asked for a new start")
		}
		k.busy.Store(true)
		k.back.Store(true)
		k.feeds(time.Minute)
		if k.failed.Load() {
			t.Fatal("it asked for a new start while somebody was being served")
		}
		k.busy.Store(false)
		k.feeds(askEvery)
		if !k.failed.Load() {
			t.Error("the disk is back, nobody is there, and nothing happens")
		}
	})
}
