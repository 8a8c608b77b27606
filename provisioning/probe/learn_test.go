package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/serialpad"
)

// panel is a chip whose lines change by a plan in virtual time.
type panel struct {
	start time.Time
	idle  []bool
	plan  []change
	dead  time.Duration // after which it is gone; 0 for never
}

// change inverts lines from at for as long as dur.
type change struct {
	at, dur time.Duration
	lines   []int
}

func (p *panel) Levels() ([]bool, error) {
	now := time.Since(p.start)
	if p.dead > 0 && now > p.dead {
		return nil, errors.New("gone")
	}
	out := append([]bool{}, p.idle...)
	for _, c := range p.plan {
		if now >= c.at && now < c.at+c.dur {
			for _, i := range c.lines {
				out[i] = !p.idle[i]
			}
		}
	}
	return out, nil
}

func TestLearnButtons(t *testing.T) {
	press := func(at time.Duration, lines ...int) change { return change{at, 200 * time.Millisecond, lines} }
	s := time.Second
	high := []bool{true, true, true, true, true, true}
	for name, tc := range map[string]struct {
		panel panel
		want  map[int]int
		low   bool
		says  []string
		fails string
	}{
		"in turn": {panel{idle: high, plan: []change{press(2*s, 4), press(3*s, 3), press(4*s, 2), press(5*s, 1), press(6*s, 0)}},
			map[int]int{5: 4, 4: 3, 3: 2, 2: 1, 1: 0}, true, []string{"非常满意 is on L4", "非常不满意 is on L0"}, ""},
		"to the supply": {panel{idle: make([]bool, 5), plan: []change{press(2*s, 0), press(3*s, 1), press(4*s, 2), press(5*s, 3), press(6*s, 4)}},
			map[int]int{5: 0, 4: 1, 3: 2, 2: 3, 1: 4}, false, nil, ""},
		"two at once, then one that is known, then right": {panel{idle: high, plan: []change{press(2*s, 4), press(3*s, 3, 2), press(4*s, 4), press(5*s, 3), press(6*s, 2), press(7*s, 1), press(8*s, 0)}},
			map[int]int{5: 4, 4: 3, 3: 2, 2: 1, 1: 0}, true, []string{"2 lines changed together: L2, L3", "L4 is 非常满意 (5) already"}, ""},
		"noise and bounces": {panel{idle: high, plan: []change{
			{100 * time.Millisecond, 50 * time.Millisecond, []int{5}},  // restless while nobody presses
			{1500 * time.Millisecond, 10 * time.Millisecond, []int{0}}, // too short for a press
			{2 * s, 3 * time.Millisecond, []int{4}}, {2*s + 8*time.Millisecond, 100 * time.Millisecond, []int{4}},
			press(3*s, 3), press(4*s, 2, 5), press(5*s, 1), press(6*s, 0)}},
			map[int]int{5: 4, 4: 3, 3: 2, 2: 1, 1: 0}, true, []string{"L5 changes while nobody presses"}, ""},
		"wired the other way":   {panel{idle: []bool{true, true, false, true, true, true}, plan: []change{press(2*s, 0), press(3*s, 2), press(4*s, 1), press(5*s, 3), press(6*s, 4), press(7*s, 5)}}, map[int]int{5: 0, 4: 1, 3: 3, 2: 4, 1: 5}, true, []string{"L2 pulls the other way"}, ""},
		"nobody presses":        {panel{idle: high}, nil, false, []string{"Nothing changed"}, "was asked for 5 times"},
		"stuck":                 {panel{idle: high, plan: []change{{2 * s, 1000 * s, []int{1}}}}, nil, false, nil, "L1 did not come back"},
		"the chip is unplugged": {panel{idle: high, dead: 3 * s}, nil, false, nil, "gone"},
		"all restless":          {panel{idle: []bool{true}, plan: []change{press(500*time.Millisecond, 0)}}, nil, false, nil, "ground wire"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := tc.panel
				p.start = time.Now()
				var said strings.Builder
				got, err := LearnButtons(t.Context(), &p, []string{"L0", "L1", "L2", "L3", "L4", "L5"}, serialpad.GradeNames(), func(f string, a ...any) { fmt.Fprintf(&said, f+"\n", a...) })
				if (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
					t.Fatalf("%v\n%s", err, said.String())
				}
				if err == nil && (!maps.Equal(got.Lines, tc.want) || got.ActiveLow != tc.low) {
					t.Errorf("%+v\n%s", got, said.String())
				}
				for _, says := range tc.says {
					if !strings.Contains(said.String(), says) {
						t.Errorf("it does not say %q:\n%s", says, said.String())
					}
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := LearnButtons(ctx, &panel{idle: high}, []string{"a", "b", "c", "d", "e", "f"}, nil, func(string, ...any) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
