package devicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/devices/buttons"
)

// ButtonsRig are the five rating buttons, with lamps or without, and the hands before them. The actions are
//
//	press N        press button N, 1 to 5, for a third of a second, and let it go
//	press N and M  the same with two buttons at the same moment, within 10 ms if the hands are a machine's
//	bounce N       press button N with a contact that opens and closes five times within 10 ms, as it is made and as it is
//	               broken; a technician presses it as slowly as the button lets him
//	hold N         press button N and keep it down
//	release N      let go of it
//	unplug         take the chip of the buttons away
//	replug         bring it back; what was held is still held or was let go
//	see lamp N lit   fail unless lamp N is lit now
//	see lamp N dark  fail if it is
//
// An action is done when the line has its last level.
type ButtonsRig struct {
	Hands Hands
	// Open takes the lines as a driver finds them, bit i that of button i+1. It fails while they are unplugged.
	Open func() (buttons.Lines, error)
	// Lamps are the lamps, that of button 1 first. LampCases need them.
	Lamps []buttons.Lamp
	Quiet time.Duration // in which a press that must not be told would be; half a second if zero
}

// ButtonsCases are what the rating buttons and their driver promise together.
func ButtonsCases() []Case[ButtonsRig] {
	return []Case[ButtonsRig]{
		{"each button is told once, by its number", buttonsEach},
		{"one button again and again", buttonsAgain},
		{"a button that is held is told once", buttonsHeld},
		{"a contact that bounces is one press", buttonsBounce},
		{"two at once are not two ratings", buttonsTwo},
		{"a second button while one is held", buttonsSecond},
		{"rolling from one button to the next", buttonsRoll},
		{"held before anybody looked", buttonsBefore},
		{"a stuck button is reported, and the others go on", buttonsStuck},
		{"unplugged and plugged in again", buttonsReplug},
		{"unplugged with a finger on a button", buttonsReplugHeld},
		{"it ends when it is told to, and gives the lines back", buttonsEnd},
	}
}

// LampCases are what the lamps of the buttons promise.
func LampCases() []Case[ButtonsRig] {
	return []Case[ButtonsRig]{
		{"all on, all off", lampsAll},
		{"only some", lampsSome},
		{"off at the end", lampsEnd},
		{"a press is acknowledged", lampsThank},
	}
}

const (
	// buttonsPatience is how long what must happen may take, the hands' own time included.
	buttonsPatience = 15 * time.Second
	// soonStuck is after how long a button counts as held for ever here: nobody wants to wait for the usual time.
	soonStuck = 3 * time.Second
)

// buttonsRun is one run of a pad.
type buttonsRun struct {
	t      *testing.T
	rig    ButtonsRig
	quiet  time.Duration
	told   chan int
	health chan buttons.Health
	done   chan error
	cancel context.CancelFunc
}

// watchButtons opens the lines, as often as it takes, and watches them. It returns once presses count.
func watchButtons(t *testing.T, rig ButtonsRig) *buttonsRun {
	t.Helper()
	r := &buttonsRun{t: t, rig: rig, quiet: rig.Quiet, told: make(chan int, 64), health: make(chan buttons.Health, 64), done: make(chan error, 1)}
	if r.quiet <= 0 {
		r.quiet = 500 * time.Millisecond
	}
	inputs := buttons.RatingButtons()
	for i := range inputs {
		inputs[i].StuckAfter = soonStuck
	}
	lines, err := rig.Open()
	for begin := time.Now(); err != nil; lines, err = rig.Open() {
		if time.Since(begin) > buttonsPatience {
			t.Fatalf("the buttons do not open: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	pad := buttons.New(lines, &buttons.Opts{Inputs: inputs, OnPress: func(p buttons.Press) { r.told <- p.Line }, OnHealth: func(h buttons.Health) { r.health <- h }})
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.done <- pad.Run(ctx)
	}()
	t.Cleanup(func() {
		r.cancel()
		<-ended
	})
	r.becomes(buttons.Online)
	return r
}

// becomes waits until the buttons are in a state and returns what is known of them then.
func (r *buttonsRun) becomes(want buttons.State) buttons.Health {
	r.t.Helper()
	deadline := time.After(buttonsPatience)
	for {
		select {
		case h := <-r.health:
			if h.State == want {
				return h
			}
		case <-deadline:
			r.t.Fatalf("the buttons do not become %s", want)
		}
	}
}

func (r *buttonsRun) do(format string, args ...any) {
	r.t.Helper()
	if err := r.rig.Hands.Do(fmt.Sprintf(format, args...)); err != nil {
		r.t.Fatal(err)
	}
}

// tells waits for presses, and a while for any that must not be.
func (r *buttonsRun) tells(want ...int) {
	r.t.Helper()
	if got := r.hear(len(want)); !slices.Equal(got, want) {
		r.t.Errorf("told %v, want %v", got, want)
	}
}

// hear waits for so many presses, and a while for more.
func (r *buttonsRun) hear(least int) (got []int) {
	deadline := time.Now().Add(buttonsPatience)
	for {
		wait := time.Until(deadline)
		if len(got) >= least {
			wait = r.quiet
		}
		select {
		case n := <-r.told:
			got = append(got, n)
		case <-time.After(wait):
			return got
		}
	}
}

// goes waits until the run has found out that the buttons are gone.
func (r *buttonsRun) goes() {
	r.t.Helper()
	select {
	case err := <-r.done:
		if !errors.Is(err, buttons.ErrGone) {
			r.t.Errorf("the buttons are gone, and the run ends with %v", err)
		}
	case <-time.After(buttonsPatience):
		r.t.Fatal("the buttons are gone, and the run does not notice")
	}
	r.becomes(buttons.Offline)
}

func buttonsEach(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	for n := 1; n <= buttons.Count; n++ {
		r.do("press %d", n)
		r.tells(n)
	}
}

func buttonsAgain(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	for range 3 {
		r.do("press 4")
		r.tells(4)
	}
}

func buttonsHeld(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("hold 3")
	r.tells(3)
	r.do("release 3")
	r.tells()
}

func buttonsBounce(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	for range 2 {
		r.do("bounce 2")
		r.tells(2)
	}
}

// buttonsTwo: fingers are not exact, so that the first of them may have been a rating by itself, but never both.
func buttonsTwo(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("press 2 and 4")
	if got := r.hear(0); len(got) > 1 {
		t.Errorf("told %v", got)
	}
	r.do("press 1")
	r.tells(1)
}

func buttonsSecond(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("hold 1")
	r.tells(1)
	r.do("press 5")
	r.tells()
	r.do("release 1")
	r.tells()
	r.do("press 5")
	r.tells(5)
}

func buttonsRoll(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("hold 4")
	r.tells(4)
	r.do("hold 5")
	r.do("release 4")
	r.tells()
	r.do("release 5")
	r.tells()
	r.do("press 5")
	r.tells(5)
}

// buttonsBefore: a simulated line of the kernel forgets what held it as it is taken, so whether the button is still down then
// is left open.
func buttonsBefore(t *testing.T, rig ButtonsRig) {
	if err := rig.Hands.Do("hold 2"); err != nil {
		t.Fatal(err)
	}
	r := watchButtons(t, rig)
	r.tells()
	r.do("release 2")
	r.tells()
	r.do("press 2")
	r.tells(2)
}

func buttonsStuck(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("hold 2")
	r.tells(2)
	h := r.becomes(buttons.HardwareError)
	if !slices.Equal(h.Aside(), []int{2}) || !strings.Contains(h.String(), "button 2 is held down or shorted") {
		t.Errorf("reported: %v", h)
	}
	r.do("press 5")
	r.tells(5)
	r.do("release 2")
	r.becomes(buttons.Online)
	r.do("press 2")
	r.tells(2)
}

func buttonsReplug(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	for range 2 {
		r.do("unplug")
		r.goes()
		if lines, err := rig.Open(); err == nil {
			t.Errorf("opened while unplugged: %v", lines)
		} else if !errors.Is(err, buttons.ErrGone) && !errors.Is(err, buttons.ErrAbsent) {
			t.Errorf("opening while unplugged: %v", err)
		}
		r.do("replug")
		r = watchButtons(t, rig)
		r.tells()
		r.do("press 5")
		r.tells(5)
	}
}

func buttonsReplugHeld(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.do("hold 5")
	r.tells(5)
	r.do("unplug")
	r.goes()
	r.tells()
	r.do("replug")
	r = watchButtons(t, rig)
	r.tells()
	r.do("release 5")
	r.tells()
	r.do("press 5")
	r.tells(5)
}

func buttonsEnd(t *testing.T, rig ButtonsRig) {
	r := watchButtons(t, rig)
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("told to end, it ends with %v", err)
		}
	case <-time.After(buttonsPatience):
		t.Fatal("told to end, it does not")
	}
	r = watchButtons(t, rig) // nobody holds the lines any more
	r.do("press 3")
	r.tells(3)
}

// lampsRun drives lamps until the test ends. stop ends it earlier.
func lampsRun(t *testing.T, rig ButtonsRig) (l *buttons.Lamps, stop func()) {
	t.Helper()
	l = buttons.NewLamps(rig.Lamps)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := l.Run(ctx); err != nil {
			t.Errorf("the lamps end with %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return l, stop
}

// see waits until the lamps named are lit and the others dark.
func see(t *testing.T, rig ButtonsRig, lit ...int) {
	t.Helper()
	for n := 1; n <= buttons.Count; n++ {
		how := map[bool]string{true: "lit", false: "dark"}[slices.Contains(lit, n)]
		err := rig.Hands.Do(fmt.Sprintf("see lamp %d %s", n, how))
		for begin := time.Now(); err != nil; err = rig.Hands.Do(fmt.Sprintf("see lamp %d %s", n, how)) {
			if time.Since(begin) > buttonsPatience {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func lampsAll(t *testing.T, rig ButtonsRig) {
	l, _ := lampsRun(t, rig)
	see(t, rig)
	l.Show(buttons.On)
	see(t, rig, 1, 2, 3, 4, 5)
	l.Show(buttons.Off)
	see(t, rig)
	if err := l.Err(); err != nil {
		t.Error(err)
	}
}

func lampsSome(t *testing.T, rig ButtonsRig) {
	l, _ := lampsRun(t, rig)
	for n := 1; n <= buttons.Count; n++ {
		l.Show(buttons.On, n)
		see(t, rig, n)
	}
	l.Show(buttons.On, 1, 3, 5)
	see(t, rig, 1, 3, 5)
}

func lampsEnd(t *testing.T, rig ButtonsRig) {
	l, stop := lampsRun(t, rig)
	l.Show(buttons.On)
	see(t, rig, 1, 2, 3, 4, 5)
	stop()
	see(t, rig)
}

// lampsThank: what stands for a second only is not looked at by slow hands; what comes after it is.
func lampsThank(t *testing.T, rig ButtonsRig) {
	l, _ := lampsRun(t, rig)
	l.Show(buttons.On, 2)
	see(t, rig, 2)
	l.Acknowledge(4)
	see(t, rig, 2)
	l.Acknowledge(4)
	l.Show(buttons.Off)
	see(t, rig)
}
