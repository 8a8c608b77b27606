package buttons

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// everything are all inputs there are; in scripts they are called 1 to 5, h, k, d and p.
func everything() []Input {
	return append(RatingButtons(), HelpButton(), MaintenanceKey(), DoorContact(), PresenceSensor())
}

const letters = "12345hkdp"

// play feeds a script to a machine and returns what came of it: "button 5@120ms" for a press told at 120 ms, "door contact
// on@1.1s" for a reading, and health changes. Each step is "time levels", levels being the letters of the inputs that are on,
// "-" for none; a letter behind a ! had an edge that left its level as it was. The machine is asked at its own deadlines and
// each 250 ms in between, as Run does.
func play(inputs []Input, script string) []string {
	m := newMachine(inputs)
	var got []string
	health := "online"
	now, still := time.Duration(0), epoch
	levels := uint64(0)
	see := func(edges uint64) {
		t := m.step(look{at: epoch.Add(now), levels: levels, edges: edges, still: still})
		for _, p := range t.presses {
			got = append(got, fmt.Sprintf("%s@%v", p.Input, now))
		}
		for _, r := range t.readings {
			got = append(got, fmt.Sprintf("%s %s@%v", r.Input, map[bool]string{true: "on", false: "off"}[r.On], now))
		}
		if h := m.health().String(); h != health {
			got, health = append(got, fmt.Sprintf("%s@%v", h, now)), h
		}
	}
	until := func(end time.Duration) {
		for {
			next := now + longestWait
			if at, ok := m.next(); ok {
				next = min(next, max(at.Sub(epoch), now+shortestWait))
			}
			if next >= end {
				return
			}
			now, still = next, epoch.Add(next)
			see(0)
		}
	}
	for step := range strings.SplitSeq(strings.TrimSpace(script), ",") {
		at, on, _ := strings.Cut(strings.TrimSpace(step), " ")
		end, err := time.ParseDuration(at)
		if err != nil {
			panic(err)
		}
		until(end)
		was, edges, only := levels, uint64(0), false
		now, levels = end, 0
		for _, c := range strings.Trim(on, "-") {
			bit := uint64(1) << max(strings.IndexRune(letters, c), 0)
			switch {
			case c == '!':
				only = true
				continue
			case only:
				edges |= bit
			default:
				levels |= bit
			}
			only = false
		}
		see(edges | (was ^ levels))
	}
	return got
}

// chatter is a script in which input n changes every step for so long, and is off at the end.
func chatter(n string, from, step, long time.Duration) string {
	var s strings.Builder
	for at, i := from, 0; at < from+long; at, i = at+step, i+1 {
		fmt.Fprintf(&s, "%v %s,", at, []string{n, "-"}[i%2])
	}
	fmt.Fprintf(&s, "%v -", from+long)
	return s.String()
}

const (
	chatters = " chatters: check its cable, connector and pull resistor"
	isHeld   = " is held down or shorted: free it or check its cable"
)

func TestRatingButtons(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"a press", "0s -, 100ms 5, 220ms -, 1s -", []string{"button 5@120ms"}},
		{"a press that bounces both ways", "0s -, 100ms 5, 101ms -, 102ms 5, 103ms -, 104ms 5, 220ms -, 221ms 5, 222ms -, 1s -", []string{"button 5@124ms"}},
		{"a slow ramp, which bounces for 15 ms", "0s -, 100ms 5, 105ms -, 111ms 5, 112ms -, 115ms 5, 400ms -, 407ms 5, 415ms -, 1s -", []string{"button 5@135ms"}},
		{"a bounce of which only edges are seen", "0s -, 100ms 5, 103ms 5!5, 106ms 5!5, 220ms -, 1s -", []string{"button 5@126ms"}},
		{"each button", "0s -, 1s 1, 1.1s -, 2s 2, 2.1s -, 3s 3, 3.1s -, 4s 4, 4.1s -, 5s 5, 5.1s -, 6s -",
			[]string{"button 1@1.02s", "button 2@2.02s", "button 3@3.02s", "button 4@4.02s", "button 5@5.02s"}},
		{"too short to be a finger", "0s -, 100ms 5, 119ms -, 1s -", nil},
		{"a dip each 10 ms of which only edges are seen", "0s -, 100ms 5, 110ms 5!5, 120ms 5!5, 130ms 5!5, 140ms 5!5, 150ms -, 1s -", nil},
		{"two at once", "0s -, 100ms 15, 300ms -, 1s -", nil},
		{"all five at once", "0s -, 100ms 12345, 300ms -, 1s -", nil},
		{"two within the debounce time", "0s -, 100ms 1, 110ms 15, 300ms -, 1s -", nil},
		{"another is brushed meanwhile", "0s -, 100ms 1, 110ms 15, 115ms 1, 300ms -, 1s -", nil},
		{"a spark on all the others is no finger", "0s -, 100ms 1!2!3!4!5, 300ms -, 1s -", []string{"button 1@120ms"}},
		{"a spark on all the others as the contact closes", "0s -, 100ms 1, 101ms 1!2!3!4!5, 300ms -, 1s -", []string{"button 1@120ms"}},
		{"a second finger later does not count", "0s -, 100ms 1, 200ms 15, 300ms 5, 400ms -, 1s -", []string{"button 1@120ms"}},
		{"rolling from one to the other", "0s -, 100ms 1, 200ms 12, 210ms 2, 300ms -, 1s -", []string{"button 1@120ms"}},
		{"two at once spoil until both are up", "0s -, 100ms 15, 300ms 1, 600ms -, 700ms 5, 800ms -, 1s -", []string{"button 5@720ms"}},
		{"down when we begin to look", "0s 3, 500ms -, 600ms 3, 700ms -, 1s -", []string{"button 3@620ms"}},
		{"up too short to be a second press", "0s -, 100ms 4, 200ms -, 219ms 4, 400ms -, 1s -", []string{"button 4@120ms"}},
		{"a quick second press", "0s -, 100ms 4, 200ms -, 300ms 4, 400ms -, 1s -", []string{"button 4@120ms", "button 4@320ms"}},
		{"held for ever", "0s -, 1s 2, 40s 2, 41s -, 50s -", []string{"button 2@1.02s", "button 2" + isHeld + "@31.02s", "online@41.02s"}},
		{"stuck when we begin to look; the others work", "0s 2, 40s 2, 41s 25, 41.1s 2, 50s 2", []string{"button 2" + isHeld + "@30.02s", "button 5@41.02s"}},
		{"chatter is no press", "0s -," + chatter("3", time.Second, 7*time.Millisecond, 1500*time.Millisecond), nil},
		{"chatter uses up the budget", "0s -," + chatter("3", time.Second, 7*time.Millisecond, 4*time.Second) + ", 20s -",
			[]string{"button 3" + chatters + "@3.415s", "online@10.017s"}},
		{"others work beside a noisy one", "0s -," + chatter("3", time.Second, 7*time.Millisecond, 4*time.Second) + ", 6s 4, 6.2s -, 7s -",
			[]string{"button 3" + chatters + "@3.415s", "button 4@6.02s"}},
		{"a noisy one that is held is not trusted before it is let go", "0s -," + chatter("3", time.Second, 7*time.Millisecond, 4*time.Second) + ", 6s 3, 20s -, 24s -, 26s 3, 27s -",
			[]string{"button 3" + chatters + "@3.415s", "online@25s", "button 3@26.02s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := play(RatingButtons(), c.script); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestOtherInputs(t *testing.T) {
	quiet := []string{"door contact off@1s", "presence sensor off@2s"} // what the sensors say at first
	for _, c := range []struct {
		name, script string
		want         []string // beside what the sensors say at first
	}{
		{"nothing", "0s -, 10s -", nil},
		{"help", "0s -, 5s h, 5.1s -, 9s -", []string{"help button@5.02s"}},
		{"help and a rating button at once: nothing to each other", "0s -, 5s h3, 5.1s -, 9s -", []string{"help button@5.02s", "button 3@5.02s"}},
		{"help held for ever", "0s -, 5s h, 40s -, 50s -", []string{"help button@5.02s", "help button" + isHeld + "@35.02s", "online@40.02s"}},
		{"help down when we begin to look", "0s h, 5s -, 6s h, 7s -", []string{"help button@6.02s"}},
		{"help chatters", "0s -," + chatter("h", 5*time.Second, 7*time.Millisecond, 4*time.Second) + ", 12s -", []string{"help button" + chatters + "@7.415s"}},
		{"help is pressed while it is set aside", "0s -," + chatter("h", 5*time.Second, 7*time.Millisecond, 4*time.Second) + ", 10s h, 11s -, 13s -", []string{"help button" + chatters + "@7.415s"}},
		{"the key is turned and stays", "0s -, 5s k, 1h k, 61m -", []string{"maintenance key@5.05s"}},
		{"the key's contact wipes for 40 ms", "0s -, 5s k, 5.04s -, 6s -", nil},
		{"the door is opened and falls to", "0s -, 5s d, 20s -, 20.3s d, 20.35s -, 30s -", []string{"door contact on@5.1s", "door contact off@21.35s"}},
		{"the door rattles", "0s -, 5s d, 5.05s -, 9s -", nil},
		{"the door is open when we begin to look", "0s d, 5s d", []string{"door contact on@100ms"}},
		{"somebody passes by", "0s -, 5s p, 5.4s -, 9s -", nil},
		{"somebody stays, and stands still for a while", "0s -, 5s p, 9s -, 10.9s p, 20s -, 30s -", []string{"presence sensor on@5.5s", "presence sensor off@22s"}},
		{"somebody stays for hours", "0s -, 5s p, 3h p", []string{"presence sensor on@5.5s"}},
		{"a loose sensor keeps its last reading, and is believed when it is quiet", "0s -, 5s p," + chatter("p", 10*time.Second, 7*time.Millisecond, 4*time.Second) + ", 30s -",
			[]string{"presence sensor on@5.5s", "presence sensor" + chatters + "@12.422s", "presence sensor off@19.017s", "online@19.017s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := play(everything(), c.script)
			if strings.HasPrefix(c.script, "0s -") {
				for _, first := range quiet {
					got = slices.DeleteFunc(got, func(s string) bool { return s == first })
				}
			} else {
				got = slices.DeleteFunc(got, func(s string) bool { return slices.Contains(quiet, s) })
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// A square wave at any frequency, as a mains hum, a switching supply or a loose wire makes it, is no person rating.
func TestChatterAtEveryFrequency(t *testing.T) {
	for _, half := range []time.Duration{time.Microsecond, 10 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond,
		5 * time.Millisecond, 10 * time.Millisecond, 15 * time.Millisecond, 19 * time.Millisecond, 20 * time.Millisecond, 21 * time.Millisecond,
		25 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond, 50 * time.Millisecond, 59 * time.Millisecond} {
		long := min(10*time.Second, 20_000*half)
		got := play(RatingButtons(), "0s -,"+chatter("1", time.Second, half, long))
		presses := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "button 1@") })
		switch {
		case half <= defaultDebounce-time.Millisecond && len(presses) > 0:
			t.Errorf("%v a half: %d presses", half, len(presses))
		case len(presses) > 30:
			t.Errorf("%v a half: %d presses in 10 s before it was set aside", half, len(presses))
		case long >= 4*time.Second && len(got) == len(presses):
			t.Errorf("%v a half: never set aside", half)
		}
	}
}

// Fast transients of IEC 61000-4-4: bursts of 15 ms at 5 kHz, one each 300 ms, on all lines at once, as a lift's contactor
// makes them. No press ever comes of them, and one made between two bursts counts.
func TestBurstsOfTransients(t *testing.T) {
	const all = "12345"
	burst := func(s *strings.Builder, at time.Duration) {
		for i := range 75 {
			fmt.Fprintf(s, "%v %s, %v -,", at+time.Duration(i)*200*time.Microsecond, all, at+time.Duration(i)*200*time.Microsecond+time.Microsecond)
		}
	}
	var s strings.Builder
	s.WriteString("0s -,")
	for i := range 5 {
		burst(&s, time.Second+time.Duration(i)*300*time.Millisecond)
	}
	if got := play(RatingButtons(), s.String()+"4s -, 4.1s 4, 4.3s -, 6s -"); !slices.Equal(got, []string{"button 4@4.12s"}) {
		t.Errorf("five bursts, then a press: %q", got)
	}
	s.Reset()
	s.WriteString("0s -,")
	burst(&s, time.Second)
	s.WriteString("1.1s 4, 1.2s -,")
	burst(&s, 1300*time.Millisecond)
	if got := play(RatingButtons(), s.String()+"4s -"); !slices.Equal(got, []string{"button 4@1.12s"}) {
		t.Errorf("a press between two bursts: %q", got)
	}
	s.Reset()
	s.WriteString("0s -,")
	for i := range 60 {
		burst(&s, time.Second+time.Duration(i)*300*time.Millisecond)
	}
	got := play(RatingButtons(), s.String()+"60s -")
	if len(got) < 2 || !strings.Contains(got[len(got)-2], "button 1"+chatters) || !strings.HasPrefix(got[len(got)-1], "online") {
		t.Errorf("18 s of bursts must set the lines aside, and silence must bring them back: %q", got)
	}
}

// A proper press of a quiet pad is told once, however the contact bounces.
func TestEveryHonestPressCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s strings.Builder
		s.WriteString("0s -")
		now := 100 * time.Millisecond
		step := func(d time.Duration, levels string) {
			fmt.Fprintf(&s, ", %v %s", now, levels)
			now += d
		}
		var want []string
		for range rapid.IntRange(1, 20).Draw(t, "presses") {
			n := fmt.Sprint(rapid.IntRange(1, Count).Draw(t, "button"))
			want = append(want, "button "+n)
			for _, levels := range [][2]string{{n, "-"}, {"-", n}} {
				for range rapid.IntRange(0, 8).Draw(t, "bounces") {
					step(time.Duration(rapid.IntRange(1, 2000).Draw(t, "made"))*time.Microsecond, levels[0])
					step(time.Duration(rapid.IntRange(1, 2000).Draw(t, "broken"))*time.Microsecond, levels[1])
				}
				step(time.Duration(rapid.IntRange(80, 400).Draw(t, "rest"))*time.Millisecond, levels[0])
			}
		}
		got := play(RatingButtons(), s.String()+fmt.Sprintf(", %v -", now+time.Second))
		for i := range got {
			got[i], _, _ = strings.Cut(got[i], "@")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("told %v, pressed %v", got, want)
		}
	})
}
