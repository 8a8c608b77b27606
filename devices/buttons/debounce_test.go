package buttons

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// play feeds a script to a machine and returns what came of it: "5@120ms" for a press told at 120 ms, and health changes.
// Each step is "time levels", levels being the buttons that are down, "-" for none. The machine is asked at its own
// deadlines and each 250 ms in between, as Run does.
func play(script string) []string {
	m := &machine{debounce: defaultDebounce}
	var got []string
	health := "online"
	now := time.Duration(0)
	look := func(levels uint32) {
		if p, ok := m.step(epoch.Add(now), levels); ok {
			got = append(got, fmt.Sprintf("%d@%v", p.Line, now))
		}
		if h := m.health().String(); h != health {
			got, health = append(got, fmt.Sprintf("%s@%v", h, now)), h
		}
	}
	levels := uint32(0)
	until := func(end time.Duration) {
		for {
			next := now + longestWait
			if at, ok := m.next(); ok {
				next = min(next, at.Sub(epoch))
			}
			if next >= end {
				return
			}
			now = next
			look(levels)
		}
	}
	for step := range strings.SplitSeq(strings.TrimSpace(script), ",") {
		at, down, _ := strings.Cut(strings.TrimSpace(step), " ")
		end, err := time.ParseDuration(at)
		if err != nil {
			panic(err)
		}
		until(end)
		now, levels = end, 0
		for _, c := range strings.Trim(down, "-") {
			levels |= 1 << (c - '1')
		}
		look(levels)
	}
	return got
}

// chatter is a script in which button n changes every step for so long.
func chatter(n int, from, step, long time.Duration) string {
	var s strings.Builder
	for at, i := from, 0; at < from+long; at, i = at+step, i+1 {
		fmt.Fprintf(&s, "%v %s,", at, []string{fmt.Sprint(n), "-"}[i%2])
	}
	fmt.Fprintf(&s, "%v -", from+long)
	return s.String()
}

func TestDebounce(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"a press", "0s -, 100ms 5, 220ms -, 1s -", []string{"5@120ms"}},
		{"a press that bounces both ways", "0s -, 100ms 5, 101ms -, 102ms 5, 103ms -, 104ms 5, 220ms -, 221ms 5, 222ms -, 1s -", []string{"5@124ms"}},
		{"each button", "0s -, 1s 1, 1.1s -, 2s 2, 2.1s -, 3s 3, 3.1s -, 4s 4, 4.1s -, 5s 5, 5.1s -, 6s -",
			[]string{"1@1.02s", "2@2.02s", "3@3.02s", "4@4.02s", "5@5.02s"}},
		{"too short to be a finger", "0s -, 100ms 5, 119ms -, 1s -", nil},
		{"two at once", "0s -, 100ms 15, 300ms -, 1s -", nil},
		{"two within the debounce time", "0s -, 100ms 1, 110ms 15, 300ms -, 1s -", nil},
		{"a second finger later does not count", "0s -, 100ms 1, 200ms 15, 300ms 5, 400ms -, 1s -", []string{"1@120ms"}},
		{"rolling from one to the other", "0s -, 100ms 1, 200ms 12, 210ms 2, 300ms -, 1s -", []string{"1@120ms"}},
		{"two at once spoil until both are up", "0s -, 100ms 15, 300ms 1, 600ms -, 700ms 5, 800ms -, 1s -", []string{"5@720ms"}},
		{"down when we begin to look", "0s 3, 500ms -, 600ms 3, 700ms -, 1s -", []string{"3@620ms"}},
		{"up too short to be a second press", "0s -, 100ms 4, 200ms -, 219ms 4, 400ms -, 1s -", []string{"4@120ms"}},
		{"a quick second press", "0s -, 100ms 4, 200ms -, 300ms 4, 400ms -, 1s -", []string{"4@120ms", "4@320ms"}},
		{"held for ever", "0s -, 1s 2, 40s 2, 41s -, 50s -",
			[]string{"2@1.02s", "button 2 is held down or shorted: free it or check its cable@31.02s", "online@41.02s"}},
		{"others work beside a stuck one", "0s 2, 40s 2, 41s 25, 41.1s 2, 50s 2",
			[]string{"button 2 is held down or shorted: free it or check its cable@30s", "5@41.02s"}},
		{"chatter is no press", "0s -," + chatter(3, time.Second, 7*time.Millisecond, 1500*time.Millisecond), nil},
		{"chatter uses up the budget", "0s -," + chatter(3, time.Second, 7*time.Millisecond, 4*time.Second) + ", 20s -",
			[]string{"button 3 chatters: check its cable, connector and pull resistor@3.303s", "online@10.017s"}},
		{"others work beside a noisy one", "0s -," + chatter(3, time.Second, 7*time.Millisecond, 4*time.Second) + ", 6s 4, 6.2s -, 7s -",
			[]string{"button 3 chatters: check its cable, connector and pull resistor@3.303s", "4@6.02s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := play(c.script); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// A machine-made train of clean pulses, faster than any finger, must not go on rating.
func TestPulsesBeyondFingersAreNoise(t *testing.T) {
	got := play("0s -," + chatter(1, time.Second, 40*time.Millisecond, 10*time.Second))
	presses := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "1@") })
	if len(presses) > 30 || len(got) == len(presses) {
		t.Errorf("%d presses in 10 s of 12.5 Hz pulses, health %q; want at most 30, then set aside", len(presses), got[len(presses):])
	}
}

// sample is what the machine saw at one moment.
type sample struct {
	at     time.Duration
	levels uint32
}

// checkLaws runs samples through a machine and checks what must hold whatever the lines do.
func checkLaws(samples []sample) error {
	m := &machine{debounce: defaultDebounce}
	lastPress, released := time.Duration(-1), time.Duration(-1) // released: last moment with no button seen down
	aside := false
	for i, s := range samples {
		p, ok := m.step(epoch.Add(s.at), s.levels)
		if h := m.health(); h.State != Online {
			aside = true
		}
		if ok {
			if p.Line < 1 || p.Line > Count {
				return fmt.Errorf("press of button %d", p.Line)
			}
			bit := uint32(1) << (p.Line - 1)
			for j := i; ; j-- {
				if samples[j].levels&bit == 0 {
					return fmt.Errorf("press of %d at %v, but it was up at %v", p.Line, s.at, samples[j].at)
				}
				if !aside && samples[j].levels&(1<<Count-1) != bit {
					return fmt.Errorf("press of %d at %v, but the buttons were %05b at %v", p.Line, s.at, samples[j].levels, samples[j].at)
				}
				if s.at-samples[j].at >= defaultDebounce {
					break
				}
				if j == 0 {
					return fmt.Errorf("press of %d at %v without %v of it", p.Line, s.at, defaultDebounce)
				}
			}
			if !aside && released <= lastPress {
				return fmt.Errorf("press of %d at %v, but nothing was let go since %v", p.Line, s.at, lastPress)
			}
			lastPress = s.at
		}
		if s.levels&(1<<Count-1) == 0 {
			released = s.at
		}
	}
	return nil
}

func TestPressLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		var samples []sample
		at := time.Duration(0)
		for range n {
			at += time.Duration(rapid.IntRange(0, 30).Draw(t, "ms")) * time.Millisecond
			levels := uint32(0)
			if down := rapid.IntRange(0, 2*Count).Draw(t, "down"); down < Count {
				levels = 1 << down
			} else if down == 2*Count {
				levels = rapid.Uint32().Draw(t, "levels")
			}
			samples = append(samples, sample{at, levels})
		}
		if err := checkLaws(samples); err != nil {
			t.Fatal(err)
		}
	})
}

// A proper press of a quiet pad is told once, however the contact bounces.
func TestEveryHonestPressCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{debounce: defaultDebounce}
		now := epoch
		m.step(now, 0)
		var got []int
		wait := func(d time.Duration, levels uint32) {
			for end := now.Add(d); now.Before(end); now = now.Add(time.Millisecond) {
				if p, ok := m.step(now, levels); ok {
					got = append(got, p.Line)
				}
			}
		}
		var want []int
		for range rapid.IntRange(1, 20).Draw(t, "presses") {
			n := rapid.IntRange(1, Count).Draw(t, "button")
			want = append(want, n)
			for _, down := range []bool{true, false} {
				levels := map[bool]uint32{true: 1 << (n - 1)}
				for range rapid.IntRange(0, 8).Draw(t, "bounces") {
					wait(time.Duration(rapid.IntRange(1, 2).Draw(t, "made"))*time.Millisecond, levels[down])
					wait(time.Duration(rapid.IntRange(1, 2).Draw(t, "broken"))*time.Millisecond, levels[!down])
				}
				wait(time.Duration(rapid.IntRange(80, 400).Draw(t, "rest"))*time.Millisecond, levels[down])
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("told %v, pressed %v", got, want)
		}
	})
}

func FuzzPressLaws(f *testing.F) {
	f.Add([]byte{0, 0, 50, 16, 25, 16, 100, 0})
	f.Add([]byte{0, 1, 10, 0, 10, 1, 30, 1, 255, 255, 25, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var samples []sample
		at := time.Duration(0)
		for len(data) >= 2 {
			at += time.Duration(data[0]) * time.Millisecond / 2
			samples = append(samples, sample{at, uint32(binary.LittleEndian.Uint16([]byte{data[1], 0}))})
			data = data[2:]
		}
		if err := checkLaws(samples); err != nil {
			t.Fatal(err)
		}
	})
}
