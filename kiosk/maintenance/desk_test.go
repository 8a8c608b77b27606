package maintenance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// bench is a desk with a machine around it that the test plays.
type bench struct {
	t    *testing.T
	desk *Desk
	stop func() // the program ends

	mu    sync.Mutex
	last  view.View
	notes []string // what the desk did to the machine, in order
	facts Facts
	card  chan error
	paper printer.Outcome
	begin error
	rep   StickReport
	known bool
}

func (b *bench) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

func (b *bench) Show(v view.View) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = v
}

func (b *bench) Enter() { b.note("enter") }

func (b *bench) Leave() {
	b.note("leave")
	b.Show(view.View{Screen: "visitors"})
}

func (b *bench) ReadCard(ctx context.Context, found func()) (idcard.Card, error) {
	select {
	case err := <-b.card:
		found()
		return idcard.Card{Name: "张三", Number: "11010519491231002X"}, err
	case <-ctx.Done():
		return idcard.Card{}, ctx.Err()
	}
}

func (b *bench) Print(_ context.Context, job station.Job, progress func(printer.Progress)) printer.Outcome {
	if doc := job.Compose("7", 1); len(doc.Blocks) == 0 {
		b.t.Error("the test page is empty")
	}
	progress(printer.Progress{Sent: 1, Total: 2})
	time.Sleep(2 * time.Second)
	return b.paper
}

func (b *bench) Begin() error {
	b.note("stick")
	return b.begin
}

func (b *bench) Report() (StickReport, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rep, b.known
}

func (b *bench) report(r StickReport) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.At = time.Now()
	b.rep, b.known = r, true
}

const goodPIN = "271828"

func stand(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	pin, err := keep(goodPIN, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, last: view.View{Screen: "visitors"}, card: make(chan error, 1), paper: printer.Outcome{State: printer.Printed},
		facts: Facts{Number: "TEST01", Program: "1.0", Devices: []station.Health{{Device: "reader", State: station.Online}}}}
	opt := Options{Stage: b, Box: view.Box{Width: 1080, Height: 1920}, Words: wording.Default(), Location: time.UTC, Log: slog.New(slog.DiscardHandler),
		Facts: func(context.Context) Facts { return b.facts }, PIN: pin, Tries: &disk{}, Reader: b, Printer: b, Buttons: true, Stick: b,
		Help: func() { b.note("help") }, Lamp: func(level int) { b.note("lamp %d", level) }, Restart: func() error { b.note("restart"); return nil }}
	if change != nil {
		change(&opt)
	}
	b.desk = New(opt)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.desk.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(b.stop)
	return b
}

// disk is a memory of which the test decides what it does.
type disk struct {
	mu         sync.Mutex
	data       []byte
	load, keep error
	hang       chan struct{} // while it is open nothing is answered
}

func (d *disk) wait() {
	if d.hang != nil {
		<-d.hang
	}
}

func (d *disk) Load() ([]byte, error) {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.data == nil && d.load == nil {
		return nil, fs.ErrNotExist
	}
	return d.data, d.load
}

func (d *disk) Keep(data []byte) error {
	d.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keep != nil {
		return d.keep
	}
	d.data, d.load = data, nil
	return nil
}

func (b *bench) on(screen string) view.View {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.Screen != screen {
		b.t.Fatalf("the screen is %s (%s), want %s", b.last.Screen, b.last.Title, screen)
	}
	return b.last
}

func (b *bench) did(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.notes, want) {
		b.t.Errorf("the desk did %q, want %q", b.notes, want)
	}
	b.notes = nil
}

func (b *bench) do(do string) {
	synctest.Wait() // a finger is slower than the desk
	b.desk.Act(view.Action{Do: do})
}

func (b *bench) hold(d time.Duration) {
	b.desk.Held(true)
	time.Sleep(d)
	synctest.Wait()
	b.desk.Held(false)
}

func (b *bench) enterPIN(pin string) {
	for _, k := range pin {
		b.desk.Act(view.Action{Do: "key", Args: map[string]string{"key": string(k)}})
	}
	b.do("enter")
}

func (b *bench) trial() view.Trial {
	b.t.Helper()
	return b.on("trial").Body.(view.Trial)
}

// withKey is a machine with a key switch.
func withKey(o *Options) { o.Key = true }

// TestKey: the key opens and closes, and where there is one no touch asks for a PIN.
func TestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, withKey)
		b.hold(5 * time.Second)
		b.on("visitors")
		b.desk.Key(false) // as it is first read
		b.on("visitors")
		b.did()
		b.desk.Key(true)
		v := b.on("maintenance")
		b.did("enter", "lamp 0")
		if !strings.Contains(v.Title, "维护中") || !b.desk.Open() {
			t.Errorf("%q", v.Title)
		}
		b.do("tasks")
		b.on("tasks")
		b.desk.Key(false)
		b.on("visitors")
		b.did("leave")
		if b.desk.Open() || b.desk.Shown() || b.desk.Act(view.Action{Do: "home"}) {
			t.Error("it has left and still takes what is meant for visitors")
		}
	})
}

// TestHold: only a whole touch of three seconds asks for the PIN, and only on a machine that has one; nothing of a visit is ended by it.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, nil)
		b.hold(holdFor - time.Millisecond)
		time.Sleep(holdFor)
		b.on("visitors")
		b.hold(holdFor)
		b.on("pin")
		b.do("cancel")
		b.on("visitors")
		b.hold(holdFor)
		b.on("pin")
		time.Sleep(pinFor + time.Second)
		b.on("visitors")
		b.did("leave", "leave")
		b.hold(holdFor)
		b.enterPIN(goodPIN)
		b.on("maintenance")
		b.did("enter", "lamp 0")

		none := stand(t, func(o *Options) { o.PIN = PIN{} })
		none.hold(holdFor)
		none.on("visitors")
	})
}

// TestLock: five wrong PINs lock for a quarter of an hour, whoever leaves and comes back, and the right one is not tried meanwhile.
func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, nil)
		b.hold(holdFor)
		b.enterPIN("27182") // too short: no try
		if v := b.on("pin").Body.(view.PIN); v.Failure != nil || v.Typed != 5 {
			t.Errorf("%+v", v)
		}
		b.desk.Act(view.Action{Do: "key", Args: map[string]string{"key": "clear"}})
		for i := range triesAllowed {
			if i == 3 { // going away and coming back is no way round
				b.do("cancel")
				b.hold(holdFor)
			}
			b.enterPIN("314159")
			v := b.on("pin").Body.(view.PIN)
			if v.Failure == nil || v.Typed != 0 {
				t.Fatalf("after try %d: %+v", i+1, v)
			}
		}
		v := b.on("pin").Body.(view.PIN)
		if v.Failure.Code != "M-702" || v.Keys != view.KeysNone || time.Until(v.Until) != lockedFor {
			t.Errorf("%+v", v)
		}
		time.Sleep(10 * time.Second)
		b.do("cancel")
		b.hold(holdFor)
		b.enterPIN(goodPIN)
		if v := b.on("pin").Body.(view.PIN); v.Until.IsZero() || time.Until(v.Until) >= lockedFor-10*time.Second {
			t.Errorf("after the page was left: %+v", v)
		}
		time.Sleep(lockedFor)
		b.on("visitors")
		b.hold(holdFor)
		b.enterPIN(goodPIN)
		b.on("maintenance")
	})
}

// said is the failure on the PIN pad.
func (b *bench) said() string {
	b.t.Helper()
	if f := b.on("pin").Body.(view.PIN).Failure; f != nil {
		return f.Code
	}
	return ""
}

// TestLockSurvives: a new start of the program gives no new tries and ends no lock; the time it was off does not count, and a minute of
// running counts. At its end five tries are back, and nothing is left of it on the disk.
func TestLockSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := &disk{}
		again := func(b *bench) *bench {
			if b != nil {
				b.stop()
			}
			return stand(t, func(o *Options) { o.Tries = shared })
		}
		b := again(nil)
		for range triesAllowed {
			b = again(b)
			b.hold(holdFor)
			b.enterPIN("314159")
			b.on("pin")
		}
		for range 5 {
			time.Sleep(keepEvery + time.Second)
			b = again(b)
			b.hold(holdFor)
			if got := b.said(); got != "M-702" {
				t.Fatalf("after a new start it says %q", got)
			}
		}
		v := b.on("pin").Body.(view.PIN)
		if left := time.Until(v.Until); left < lockedFor-6*(keepEvery+holdFor+time.Second) || left > lockedFor-5*keepEvery {
			t.Errorf("five minutes and as many starts later it is locked for %v", left)
		}
		b.stop()
		time.Sleep(24 * time.Hour) // off
		b = again(nil)
		b.hold(holdFor)
		if got := b.said(); got != "M-702" {
			t.Errorf("after a day without power it says %q", got)
		}
		time.Sleep(lockedFor)
		b.hold(holdFor)
		b.enterPIN("314159")
		if v := b.on("pin").Body.(view.PIN); v.Failure == nil || v.Failure.Code != "M-701" || !strings.Contains(v.Failure.Means, "4") {
			t.Errorf("after the lock: %+v", v.Failure)
		}
		b.enterPIN(goodPIN)
		b.on("maintenance")
		if got := string(shared.data); !strings.Contains(got, `"wrong":0`) {
			t.Errorf("the disk still has %s", got)
		}
	})
}

// TestLockOnBadDisk: a count that cannot be read is five wrong ones, once; where it cannot be written there is one try in three minutes,
// after three minutes; a disk that does not answer is one that cannot be written. Nobody waits longer than a quarter of an hour.
func TestLockOnBadDisk(t *testing.T) {
	broken := errors.New("input/output error")
	for name, tc := range map[string]struct {
		disk  *disk
		first string        // what the PIN pad says after the start
		wait  time.Duration // until there is a try
		then  string        // what it says after a wrong one
	}{
		"never written":   {&disk{}, "", 0, "M-701"},
		"damaged":         {&disk{data: []byte(`{"wrong":`)}, "M-704", lockedFor, "M-701"},
		"out of range":    {&disk{data: []byte(`{"wrong":1,"seconds":99999999}`)}, "M-704", lockedFor, "M-701"},
		"unreadable":      {&disk{load: broken}, "M-704", lockedFor, "M-701"},
		"read-only":       {&disk{keep: broken}, "M-703", tryCosts, "M-703"},
		"read-only, two":  {&disk{keep: broken, data: []byte(`{"wrong":2,"seconds":800}`)}, "M-703", 2 * tryCosts, "M-703"},
		"read-only, five": {&disk{keep: broken, data: []byte(`{"wrong":5,"seconds":200}`)}, "M-703", 200 * time.Second, "M-703"},
		"gone":            {&disk{keep: broken, load: broken}, "M-704", lockedFor, "M-703"},
		"hangs":           {&disk{hang: make(chan struct{})}, "M-704", lockedFor, "M-703"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := tc.disk
				if d.hang != nil {
					d.hang = make(chan struct{}) // of this bubble
				}
				b := stand(t, func(o *Options) { o.Tries = d })
				if d.hang != nil {
					b.hold(holdFor)
					if v := b.on("pin").Body.(view.PIN); !v.Checked {
						t.Errorf("before it is known what counts: %+v", v)
					}
					b.do("cancel")
					time.Sleep(3 * diskWithin)
				}
				b.hold(holdFor)
				if got := b.said(); got != tc.first {
					t.Fatalf("at first it says %q", got)
				}
				if tc.wait > 0 {
					b.enterPIN(goodPIN)
					time.Sleep(tc.wait - 3*diskWithin - 2*holdFor)
					b.hold(holdFor)
					if d.hang == nil && b.said() == "" {
						t.Errorf("there is a try before %v", tc.wait)
					}
					time.Sleep(3*diskWithin + holdFor)
				}
				b.do("cancel")
				b.hold(holdFor)
				b.enterPIN("314159")
				time.Sleep(diskWithin)
				if got := b.said(); got != tc.then {
					t.Errorf("after a wrong one it says %q", got)
				}
				if tc.then == "M-703" {
					time.Sleep(tryCosts - holdFor - diskWithin)
					b.do("cancel")
					b.hold(holdFor)
				}
				b.enterPIN(goodPIN)
				time.Sleep(diskWithin)
				b.on("maintenance")
				if d.hang != nil {
					close(d.hang)
				}
			})
		})
	}
}

// TestSilence: five minutes without a touch end the maintenance, after a warning; a touch, a press and work under way count.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, withKey)
		b.desk.Key(true)
		time.Sleep(silentFor - time.Minute)
		soon := wording.Default().Text("maint.soon")
		if b.on("maintenance").Title == soon {
			t.Error("warned too early")
		}
		time.Sleep(31 * time.Second)
		if b.on("maintenance").Title != soon {
			t.Error("not warned")
		}
		b.do("alive")
		if b.on("maintenance").Title == soon {
			t.Error("a touch does not help")
		}
		time.Sleep(silentFor - time.Second)
		b.on("maintenance")
		time.Sleep(2 * time.Second)
		b.on("visitors")
		b.desk.Key(false)
		b.desk.Key(true)
		b.on("maintenance")
		b.do("tasks")
		b.do("stick")
		b.do("begin")
		for range 10 {
			b.report(StickReport{Step: "Install", Progress: 0.5})
			time.Sleep(time.Minute)
			if !b.trial().Busy {
				t.Fatal("an update that tells how far it is was given up")
			}
		}
		b.report(StickReport{Step: "Done", Version: 18})
		time.Sleep(silentFor + 2*time.Second)
		b.on("visitors")
	})
}

// TestPrintTrial tells the truth of a page, whatever became of it.
func TestPrintTrial(t *testing.T) {
	for out, want := range map[printer.Outcome]string{
		{State: printer.Printed}:                                   "",
		{State: printer.Sent}:                                      "M-713",
		{State: printer.Indeterminate, Reason: printer.Timeout}:    "M-712",
		{State: printer.Failed, Reason: printer.PaperOut}:          "M-711",
		{State: printer.Failed, Reason: printer.Reason("strange")}: "M-711",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := stand(t, withKey)
			b.paper = out
			b.desk.Key(true)
			b.do("tasks")
			b.do("print")
			if v := b.trial(); !v.Busy || v.Percent != 50 {
				t.Errorf("%+v", v)
			}
			b.do("again") // not while it prints
			time.Sleep(3 * time.Second)
			v := b.trial()
			if got := v.Failure; want == "" && (got != nil || v.Good == "") || want != "" && (got == nil || got.Code != want || v.Good != "") {
				t.Errorf("%+v is told as %+v", out, v)
			}
			if v.Failure != nil && strings.Contains(fmt.Sprint(*v.Failure), "⟦") {
				t.Errorf("a text is missing: %+v", *v.Failure)
			}
			b.do("back")
			b.on("tasks")
		})
	}
}

// TestCardTrial: that a card could be read, or why not, and nothing of the card.
func TestCardTrial(t *testing.T) {
	for err, want := range map[error]string{nil: "", &idcard.Error{Class: idcard.ClassAgain, Op: "read", Err: errors.New("x")}: "M-721",
		&idcard.Error{Class: idcard.ClassUnreadable, Op: "read", Err: errors.New("x")}: "M-722", &idcard.Error{Class: idcard.ClassGone, Op: "read", Err: errors.New("x")}: "M-723",
		context.DeadlineExceeded: "M-724"} {
		synctest.Test(t, func(t *testing.T) {
			b := stand(t, withKey)
			b.desk.Key(true)
			b.do("tasks")
			b.do("card")
			if !b.trial().Busy {
				t.Error("nobody is asked for a card")
			}
			if errors.Is(err, context.DeadlineExceeded) {
				time.Sleep(cardFor + time.Second)
			} else {
				b.card <- err
			}
			v := b.trial()
			if want == "" && v.Good == "" || want != "" && (v.Failure == nil || v.Failure.Code != want) {
				t.Errorf("%v is told as %+v", err, v)
			}
			if said := fmt.Sprintf("%+v %+v", b.on("trial"), v.Failure); strings.Contains(said, "张三") || strings.Contains(said, "110105") {
				t.Errorf("the screen tells of the card: %s", said)
			}
		})
	}
}

// TestKeyTrial: each press shows, the lamps go round one a second, and are dark when it is left.
func TestKeyTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, withKey)
		b.desk.Press(5) // nobody is testing
		b.desk.Key(true)
		b.do("tasks")
		b.do("keys")
		b.did("enter", "lamp 0", "lamp 5")
		time.Sleep(5*time.Second + time.Millisecond)
		b.did("lamp 4", "lamp 3", "lamp 2", "lamp 1", "lamp 5")
		b.desk.Press(2)
		b.desk.Press(9)
		for _, k := range b.trial().Keys {
			if (k.Value == 2) != k.Pressed || (k.Value == 2) != k.Now || (k.Value == 5) != k.Lit {
				t.Errorf("%+v", k)
			}
		}
		b.do("tasks")
		b.did("lamp 0")
		b.do("keys")
		b.desk.Key(false)
		b.did("lamp 5", "lamp 0", "leave")
	})
}

// TestStick: an update is asked for and watched to its end; one of which nothing is heard is told as such, and an old report is none.
func TestStick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, withKey)
		b.report(StickReport{Step: "Failed", Text: "no stick", Why: "noStick"})
		time.Sleep(time.Minute)
		b.desk.Key(true)
		b.do("tasks")
		b.do("stick")
		if v := b.trial(); v.Failure == nil || v.Failure.Code != "M-742" || v.Failure.Means != wording.Default().Text("maint.stick.failed.noStick") {
			t.Errorf("of the last update it says %+v", v)
		}
		b.begin = errors.New("no such folder")
		b.do("begin")
		if v := b.trial(); v.Failure == nil || v.Failure.Code != "M-741" {
			t.Errorf("%+v", v)
		}
		b.begin = nil
		b.do("begin")
		if v := b.trial(); !v.Busy || v.Failure != nil {
			t.Errorf("what became of the update before is told as of this one: %+v", v)
		}
		b.do("begin") // once is enough
		b.did("enter", "lamp 0", "stick", "stick")
		b.report(StickReport{Step: "Verify", Progress: 7})
		time.Sleep(2 * time.Second)
		if v := b.trial(); v.Percent != 100 || v.Step == "" {
			t.Errorf("%+v", v)
		}
		time.Sleep(stickQuiet)
		if v := b.trial(); v.Failure == nil || v.Failure.Code != "M-743" {
			t.Errorf("%+v", v)
		}
		b.report(StickReport{Step: "Done", Version: 18})
		time.Sleep(2 * time.Second)
		if v := b.trial(); !strings.Contains(v.Good, "18") || v.Busy {
			t.Errorf("%+v", v)
		}
	})
}

// TestWays: every screen leads home and to help, and 返回 leads one step back.
func TestWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := stand(t, withKey)
		for _, way := range [][]string{{}, {"tasks"}, {"tasks", "print"}, {"tasks", "card"}, {"tasks", "keys"}, {"tasks", "stick"}} {
			for _, out := range []string{"home", "help", "end"} {
				b.desk.Key(true)
				for _, do := range way {
					b.do(do)
				}
				b.do(out)
				b.on("visitors")
				b.desk.Key(false)
			}
			b.desk.Key(true)
			for _, do := range way {
				b.do(do)
			}
			for range way {
				b.do("back")
			}
			b.on("maintenance")
			b.do("back")
			b.on("visitors")
			b.desk.Key(false)
		}
		b.desk.Key(true)
		b.do("tasks")
		b.do("restart")
		if v := b.on("tasks").Body.(view.Tasks); v.Word == "" {
			t.Errorf("%+v", v)
		}

		deaf := stand(t, func(o *Options) { o.Key, o.Restart = true, func() error { return errors.New("read-only") } })
		deaf.desk.Key(true)
		deaf.do("tasks")
		deaf.do("restart")
		deaf.do("again")
		if v := deaf.trial(); v.Failure == nil || v.Failure.Code != "M-731" {
			t.Errorf("%+v", v)
		}
		deaf.do("back")
		deaf.on("tasks")
	})
}

// TestCards: lost and frozen devices come first and say the next step, in texts that exist.
func TestCards(t *testing.T) {
	d := New(Options{Words: wording.Default(), Location: time.UTC, Box: view.Box{Width: 1080, Height: 1920}})
	for _, device := range allDevices {
		for _, s := range []station.State{station.Offline, station.HardwareError} {
			cards := d.cards(&Facts{Devices: []station.Health{{Device: "reader", State: station.Online},
				{Device: device, State: s, Detail: strings.Repeat("x", 300), Since: time.Now()}},
				Backlog: 3, Oldest: time.Now().Add(-48 * time.Hour), Clock: errors.New("no clock"), Room: errors.New("full"), Free: 5e6, Platform: true})
			if cards[0].Well || cards[0].Next == "" || strings.Contains(fmt.Sprint(cards), "⟦") || len([]rune(cards[0].Raw)) > rawMost {
				t.Errorf("%s %s: %+v", device, s, cards)
			}
			if i := slices.IndexFunc(cards, func(c view.Card) bool { return c.Well }); slices.ContainsFunc(cards[i:], func(c view.Card) bool { return !c.Well }) {
				t.Errorf("what is wrong does not come first: %+v", cards)
			}
		}
	}
}
