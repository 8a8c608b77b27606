package hotplug

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var (
	errMute = errors.New("no answer")
	errGone = errors.New("gone")
)

const (
	probeTime = 400 * time.Millisecond // of a device that answers or does not
	cableTime = 100 * time.Millisecond // until a driver sees that its device is not there any more
)

// device is a device as its driver sees it, in virtual time.
type device struct {
	mu      sync.Mutex
	plugged bool
	denied  bool // the node is there, its permission is not
	mute    bool
	powered bool
	boots   time.Duration // from power to answers
	bootsAt time.Time

	tries   int
	opened  int // at once
	changed chan struct{}
}

func newDevice() *device {
	return &device{plugged: true, powered: true, changed: make(chan struct{})}
}

// change changes the device and wakes its driver.
func (d *device) change(f func(*device)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d)
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *device) serve(ctx context.Context, online func(string)) error {
	if err := d.open(); err != nil {
		return err
	}
	defer func() { d.mu.Lock(); d.opened--; d.mu.Unlock() }()
	told := false
	for ctx.Err() == nil {
		d.mu.Lock()
		mute, plugged, changed := d.mute || !d.powered || time.Now().Before(d.bootsAt), d.plugged, d.changed
		d.mu.Unlock()
		wait := time.Hour
		switch {
		case !plugged:
			pause(ctx, cableTime)
			return fmt.Errorf("cannot read: %w", errGone)
		case mute:
			pause(ctx, probeTime)
			return fmt.Errorf("cannot probe: %w", errMute)
		case !told:
			pause(ctx, probeTime)
			online("well")
			told = true
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return ctx.Err()
}

func (d *device) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tries++
	switch {
	case d.opened > 0:
		panic("opened twice")
	case !d.plugged:
		return fmt.Errorf("cannot open: %w", errGone)
	case d.denied:
		return fmt.Errorf("cannot open: %w", fs.ErrPermission)
	}
	d.opened++
	return nil
}

// Set makes the device its own relay.
func (d *device) Set(on bool) error {
	d.change(func(d *device) {
		if on && !d.powered {
			d.bootsAt = time.Now().Add(d.boots)
		}
		d.powered = on
	})
	return nil
}

func (d *device) present() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.plugged
}

// watched is one supervisor of one device in a bubble.
type watched struct {
	*device
	t      *testing.T
	events chan Event
	stop   func()

	mu   sync.Mutex
	told []timed
}

type timed struct {
	Report
	at time.Time
}

// supervise starts a supervisor with the options and the device.
func supervise(t *testing.T, d *device, opts Opts) *watched {
	w := &watched{device: d, t: t, events: make(chan Event, 1000)}
	opts.Subsystems = []string{"tty"}
	opts.Lost = func(err error) bool { return errors.Is(err, errGone) }
	opts.OnReport = func(r Report) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, timed{r, time.Now()})
	}
	opts.Watch = func(ctx context.Context, event func(Event)) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case e := <-w.events:
				event(e)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- New(d.serve, &opts).Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		cancel = func() {}
		done <- nil
	}
	return w
}

func (w *watched) added() {
	w.events <- Event{Action: Add, Path: "/devices/x/tty/ttyUSB0", Subsystem: "tty", Name: "ttyUSB0"}
}

func (w *watched) last() Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.told) == 0 {
		return Report{}
	}
	return w.told[len(w.told)-1].Report
}

// hasTold looks for words in the errors told.
func (w *watched) hasTold(words string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.told, func(r timed) bool { return r.Err != nil && strings.Contains(r.Err.Error(), words) })
}

// takes waits until the state is told, in steps of a millisecond, and says how long that took.
func (w *watched) takes(s State) time.Duration {
	w.t.Helper()
	begun := time.Now()
	for w.last().State != s {
		if time.Since(begun) > 24*time.Hour {
			w.t.Fatalf("not %s but %+v", s, w.last())
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begun)
}

// limit fails the test if something took longer than it may, but for the millisecond that takes may be late.
func (w *watched) limit(what string, took, limit time.Duration) {
	w.t.Helper()
	if took > limit+time.Millisecond {
		w.t.Errorf("%s took %v, may take %v", what, took, limit)
	}
}

func (w *watched) count() int {
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	return w.tries
}

// A device is told lost within a second, is looked for through the night, and is back within 3 s of being plugged in without
// a word of the kernel, and at once with it.
func TestLostForHoursAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := supervise(t, newDevice(), Opts{})
		defer w.stop()
		w.limit("the start", w.takes(Online), probeTime)
		for _, kernel := range []bool{false, true} {
			for _, away := range []time.Duration{time.Second, 10 * time.Hour} {
				time.Sleep(10 * time.Minute)
				w.change(func(d *device) { d.plugged = false })
				w.limit("the word that it is lost", w.takes(Lost), time.Second)
				tries := w.count()
				time.Sleep(away)
				if n := w.count() - tries; n > 4+int(away/maxWait) {
					t.Errorf("%d tries in %v", n, away)
				}
				w.change(func(d *device) { d.plugged = true })
				limit := maxWait + probeTime
				if kernel {
					w.added()
					limit = leastWait + probeTime
				}
				w.limit(fmt.Sprintf("the way back after %v, told by the kernel: %v", away, kernel), w.takes(Online), limit)
			}
		}
	})
}

// The kernel announces a device before udev has made its link and given it to the program's group.
func TestUdevIsSlow(t *testing.T) {
	for _, linkTime := range []time.Duration{0, 5 * time.Millisecond, 300 * time.Millisecond} {
		for _, groupTime := range []time.Duration{time.Millisecond, 120 * time.Millisecond, 2 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.plugged = false
				w := supervise(t, d, Opts{})
				defer w.stop()
				time.Sleep(time.Hour)
				w.added()
				time.Sleep(linkTime)
				w.change(func(d *device) { d.plugged, d.denied = true, true })
				time.Sleep(groupTime)
				if got := w.last(); got.State != Lost {
					t.Errorf("a device that may not be opened yet is %+v", got)
				}
				w.change(func(d *device) { d.denied = false })
				w.limit("opening after the permission came", w.takes(Online), settleWait+probeTime)
			})
		}
	}
}

// What was plugged in before a device came online is no reason to hurry once it is lost again.
func TestHurryEndsOnline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.plugged = false
		w := supervise(t, d, Opts{})
		defer w.stop()
		time.Sleep(time.Minute)
		w.change(func(d *device) { d.plugged = true })
		w.added()
		w.added()
		w.takes(Online)
		w.change(func(d *device) { d.plugged = false })
		w.takes(Lost)
		tries := w.count()
		time.Sleep(time.Second)
		if n := w.count() - tries; n > 2 {
			t.Errorf("%d tries in the second after it was unplugged", n)
		}
	})
}

// However much is plugged in elsewhere, a device is not tried more often than every 50 ms.
func TestStormOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.plugged = false
		w := supervise(t, d, Opts{})
		defer w.stop()
		for range 10_000 {
			w.added()
			time.Sleep(time.Millisecond)
		}
		if n := w.count(); n > 201 {
			t.Errorf("%d tries in 10 s", n)
		}
		tries := w.count()
		for _, e := range []Event{{Action: Remove, Subsystem: "tty"}, {Action: Add, Subsystem: "block"}, {Action: "change", Subsystem: "tty"}} {
			time.Sleep(time.Minute)
			tries = w.count()
			time.Sleep(time.Millisecond)
			w.events <- e
			synctest.Wait()
			if n := w.count(); n != tries {
				t.Errorf("%+v led to a try", e)
			}
		}
		w.events <- Event{Action: Overrun}
		time.Sleep(leastWait)
		synctest.Wait()
		if n := w.count(); n == tries {
			t.Error("lost events led to no try")
		}
	})
}

// A device that is there and mute is another thing than one that is not there, and pulling its plug is told within a second.
func TestFrozenIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		w := supervise(t, d, Opts{Present: d.present})
		defer w.stop()
		w.takes(Online)
		time.Sleep(time.Minute)
		w.change(func(d *device) { d.mute = true })
		w.limit("the word that it is frozen", w.takes(Frozen), time.Second)
		if err := w.last().Err; !errors.Is(err, errMute) {
			t.Errorf("frozen because of %v", err)
		}
		for i := range 50 { // at every moment of a try and the wait after it
			time.Sleep(time.Minute + time.Duration(i)*53*time.Millisecond)
			w.change(func(d *device) { d.plugged = false })
			w.limit("the word that it was unplugged", w.takes(Lost), time.Second)
			w.change(func(d *device) { d.plugged = true })
			w.limit("the word that it is still mute", w.takes(Frozen), maxWait+probeTime)
		}
		w.change(func(d *device) { d.mute = false })
		w.limit("coming to itself", w.takes(Online), maxWait+2*probeTime)
	})
}

// A device that answers and fails again at once is tried ever more slowly; one that worked for a while is tried at once.
func TestFlickering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		w := supervise(t, d, Opts{})
		defer w.stop()
		for range 100 {
			w.takes(Online)
			w.change(func(d *device) { d.mute = true })
			w.takes(Frozen)
			w.change(func(d *device) { d.mute = false })
		}
		begun, tries := time.Now(), w.count()
		for time.Since(begun) < time.Minute {
			w.takes(Online)
			w.change(func(d *device) { d.mute = true })
			w.takes(Frozen)
			w.change(func(d *device) { d.mute = false })
		}
		if n := w.count() - tries; n > 31 {
			t.Errorf("%d tries in a minute", n)
		}
		w.takes(Online)
		time.Sleep(maxWait)
		w.change(func(d *device) { d.mute = true })
		w.takes(Frozen)
		w.change(func(d *device) { d.mute = false })
		w.limit("the second chance", w.takes(Online), minWait+probeTime)
	})
}

// A driver that ends without an error has not ended the supervision.
func TestDriverEndsWithoutReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		tries := 0
		var told Report
		err := New(func(context.Context, func(string)) error { tries++; return nil }, &Opts{OnReport: func(r Report) { told = r }}).Run(ctx)
		if err != nil || tries < 20 || told.State != Frozen || told.Err == nil {
			t.Errorf("%v, %d tries, %+v", err, tries, told)
		}
	})
}

// Where the kernel's events cannot be had that is told once, and the clock remains.
func TestBlind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		d := newDevice()
		d.plugged = false
		time.AfterFunc(30*time.Second, func() { d.change(func(d *device) { d.plugged = true }) })
		var blind []error
		var online bool
		if err := New(d.serve, &Opts{
			Subsystems: []string{"tty"},
			Lost:       func(err error) bool { return errors.Is(err, errGone) },
			Watch:      func(context.Context, func(Event)) error { return errors.New("forbidden") },
			OnBlind:    func(err error) { blind = append(blind, err) },
			OnReport:   func(r Report) { online = r.State == Online },
		}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(blind) != 1 || !online {
			t.Errorf("told %v, online %v", blind, online)
		}
	})
}

// switched notes when a relay was switched, and may fail.
type switched struct {
	*device
	times []time.Time // off, on, off, …
	fail  func(on bool) error
}

func (s *switched) Set(on bool) error {
	s.mu.Lock()
	if s.fail != nil {
		if err := s.fail(on); err != nil {
			s.mu.Unlock()
			return err
		}
	}
	if len(s.times) > 0 || !on { // the first is the program's start
		s.times = append(s.times, time.Now())
	}
	s.mu.Unlock()
	return s.device.Set(on)
}

// took returns the times since the last call.
func (s *switched) took() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times
	s.times = nil
	return times
}

// A frozen device that its power cures is back after one cure: off for 2 s, on, and its own boot time.
func TestPowerCuresAFrozenDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.boots = 1900 * time.Millisecond
		relay := &switched{device: d}
		w := supervise(t, d, Opts{Power: relay, Boot: 2 * time.Second})
		defer w.stop()
		w.takes(Online)
		for range 5 {
			time.Sleep(5 * time.Minute)
			w.change(func(d *device) { d.mute = true })
			time.AfterFunc(2*probeTime+minWait+time.Second, func() { d.change(func(d *device) { d.mute = false }) }) // while it is off
			w.takes(Frozen)
			w.limit("the cure", w.takes(Online), minWait+2*probeTime+offTime+2*time.Second)
			if times := relay.took(); len(times) != 2 || times[1].Sub(times[0]) != offTime {
				t.Fatalf("switched at %v", times)
			}
		}
		if !w.hasTold("switched off and on") {
			t.Error("the cure was not told")
		}
	})
}

// What three cures did not help is reported, tried on, and cured again at a growing pause only.
func TestHopelessDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.mute = true
		relay := &switched{device: d}
		w := supervise(t, d, Opts{Power: relay, Present: d.present})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := w.count(); n < 24*3600/3 {
			t.Errorf("only %d tries in a day", n)
		}
		if got := w.last(); got.State != Frozen || !errors.Is(got.Err, errMute) {
			t.Errorf("told %+v", got)
		}
		w.stop()
		var offs []time.Time
		for i, at := range relay.took() {
			if i%2 == 0 {
				offs = append(offs, at)
			}
		}
		for i := 1; i < len(offs); i++ {
			gap := offs[i].Sub(offs[i-1])
			least := offTime + defaultBoot + 2*probeTime + minWait // found frozen twice, each time
			if i >= 3 {
				least = min(2*time.Minute<<min(i-3, 10), time.Hour)
			}
			most := least + 5*time.Second
			if gap < least || gap > most {
				t.Errorf("cure %d came %v after the one before, want %v to %v", i+1, gap, least, most)
			}
		}
		if len(offs) < 24 || len(offs) > 35 {
			t.Errorf("%d cures in a day", len(offs))
		}
	})
}

// A damaged answer is no reason to switch the power, nor are two with another plug between them.
func TestOneFailureIsNoFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		relay := &switched{device: d}
		w := supervise(t, d, Opts{Power: relay, Present: d.present})
		defer w.stop()
		for range 10 {
			w.takes(Online)
			time.Sleep(2 * steady)
			w.change(func(d *device) { d.mute = true })
			w.takes(Frozen)
			w.change(func(d *device) { d.plugged = false })
			w.takes(Lost)
			w.change(func(d *device) { d.plugged = true })
			w.takes(Frozen)
			w.change(func(d *device) { d.mute = false })
		}
		w.takes(Online)
		if times := relay.took(); len(times) > 0 {
			t.Errorf("switched at %v", times)
		}
	})
}

// A lost device is never switched, and one that was away for long has three cures again.
func TestPowerIsNotForLostDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.plugged = false
		relay := &switched{device: d}
		w := supervise(t, d, Opts{Power: relay, Present: d.present})
		defer w.stop()
		time.Sleep(time.Hour)
		if times := relay.took(); len(times) > 0 {
			t.Errorf("a lost device was switched at %v", times)
		}
		for range 3 {
			w.change(func(d *device) { d.plugged, d.mute = true, true })
			time.Sleep(time.Minute)
			if n := len(relay.took()); n != 2*3 {
				t.Errorf("switched %d times, want off and on three times", n)
			}
			w.change(func(d *device) { d.plugged = false })
			time.Sleep(time.Hour)
			w.stillOn()
		}
	})
}

func (w *watched) stillOn() {
	w.t.Helper()
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	if !w.powered {
		w.t.Error("the device is left without power")
	}
}

// The program may end at every moment of a cure: the power is on afterwards. One that was killed finds it off and switches it on.
func TestPowerIsLeftOn(t *testing.T) {
	for at := time.Duration(0); at < 12*time.Second; at += 190 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice()
			d.mute, d.powered = true, false
			w := supervise(t, d, Opts{Power: d})
			synctest.Wait()
			w.stillOn()
			time.Sleep(at)
			w.stop()
			w.stillOn()
		})
	}
}

// A relay that fails to close in the moment in which the program ends is asked once more.
func TestLastChanceForThePower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.mute = true
		failed := false
		w := supervise(t, d, Opts{Power: &switched{device: d, fail: func(on bool) error {
			if on && !d.powered && !failed {
				failed = true
				return errors.New("relay")
			}
			return nil
		}}})
		w.takes(Frozen)
		time.Sleep(minWait + probeTime + offTime/2) // the power is off
		w.stop()
		w.stillOn()
		if !failed {
			t.Error("the relay did not fail")
		}
	})
}

// A relay that fails is told, does not stop the tries, and is not left open once it works again.
func TestRelayFails(t *testing.T) {
	for _, fails := range []struct{ on, off bool }{{true, false}, {false, true}, {true, true}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDevice()
			d.mute = true
			broken := true
			relay := &switched{device: d, fail: func(on bool) error {
				if broken && (on && fails.on || !on && fails.off) {
					return errors.New("relay")
				}
				return nil
			}}
			w := supervise(t, d, Opts{Power: relay})
			defer w.stop()
			time.Sleep(time.Minute)
			synctest.Wait()
			if !w.hasTold(": relay") {
				t.Errorf("%+v: the relay's failure was not told", fails)
			}
			w.change(func(d *device) { d.mute, broken = false, false })
			w.takes(Online)
			w.stillOn()
		})
	}
}

// Whatever is done to a device, what is told of it is true within 3 s, at rest.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 7), 1, 12).Draw(rt, "steps")
		gaps := rapid.SliceOfN(rapid.IntRange(0, 4000), 12, 12).Draw(rt, "ms")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			d := newDevice()
			w := supervise(t, d, Opts{Present: d.present})
			defer w.stop()
			for i, step := range steps {
				w.change(func(d *device) {
					switch step {
					case 0, 1:
						d.plugged = false
					case 2:
						d.plugged = true
					case 3:
						d.plugged = true
						w.added()
					case 4:
						d.mute = true
					case 5:
						d.mute = false
					case 6:
						d.denied = !d.denied
					case 7:
						w.added()
					}
				})
				time.Sleep(time.Duration(gaps[i]) * time.Millisecond)
			}
			time.Sleep(maxWait + 2*probeTime)
			synctest.Wait()
			want := Online
			switch {
			case !d.plugged:
				want = Lost
			case d.opened == 0 && d.denied:
				want = Lost
			case d.mute:
				want = Frozen
			}
			if got := w.last(); got.State != want {
				wrong = fmt.Sprintf("told %+v, want %s", got, want)
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
