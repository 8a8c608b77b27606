package station

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// TestSerialPad: a press on a pad behind a tty reaches the machine once, what was pressed before or without a cable never does, and the
// pad shows what the flow says, also after it was pulled out.
func TestSerialPad(t *testing.T) {
	for _, name := range []string{"reference", "modbus-poll"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serialPad(t, name)
		})
	}
}

func serialPad(t *testing.T, name string) {
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "pad"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	profile, err := serialpad.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	profile.Timing.AnswerMs = 1000 // a busy machine stops this process for longer than a pad may be silent
	sim := serialpad.NewSim(profile, &serialpad.SimOpts{Addresses: []int{7}})
	running(t, func(ctx context.Context) error { return sim.Serve(ctx, link) })
	board, change := newBoard()
	pressed := make(chan int, 16)
	words := func(c Cue) string { return map[Cue]string{CueInvite: "请您评价"}[c] }
	s := NewSerialPad(serialport.Config{Path: link.Path()}, profile, 7, words, board, func(level int) { pressed <- level })

	sim.Press(1) // before the machine started
	s.Show(CueInvite)
	running(t, s.Run)
	change.await(t, board, "buttons", Online)
	only := func(what string, want int) {
		t.Helper()
		select {
		case got := <-pressed:
			if got != want {
				t.Errorf("%s: told %d, want %d", what, got, want)
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("%s: nothing is told", what)
		}
	}
	never := func(what string) {
		t.Helper()
		select {
		case got := <-pressed:
			t.Errorf("%s: told %d", what, got)
		case <-time.After(1500 * time.Millisecond): // longer than any pad repeats itself
		}
	}
	shows := func(want serialpad.State) {
		t.Helper()
		for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			got, text := sim.Shown(7)
			if got == want && (want != serialpad.Invite || name != "reference" || text == "请您评价") {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("shows %q %q, want %q", got, text, want)
			}
		}
	}
	never("pressed before the start")
	shows(serialpad.Invite)
	if !sim.Press(5) {
		t.Fatal("the pad takes no press")
	}
	only("a press", 5)
	never("the same press again")

	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	change.await(t, board, "buttons", Offline)
	sim.Press(2)
	s.Show(CuePause)
	if err := link.Replug(); err != nil {
		t.Fatal(err)
	}
	if took := change.await(t, board, "buttons", Online); took > 10*time.Second {
		t.Errorf("back after %v", took)
	}
	never("pressed while unplugged")
	shows(serialpad.Pause)
	if !sim.Press(4) {
		t.Fatal("the pad takes no press")
	}
	only("a press after it was plugged in again", 4)

	// It is there, and answers no more.
	sim.SetFaults(serialpad.Faults{Deaf: 1})
	change.await(t, board, "buttons", HardwareError)
	sim.SetFaults(serialpad.Faults{})
	change.await(t, board, "buttons", Online)
	never("coming back")
}
