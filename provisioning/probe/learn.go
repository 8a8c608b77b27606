package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Levels are lines that are watched; see buttons.Watch.
type Levels interface {
	Levels() ([]bool, error)
}

// Learned is which line is which button.
type Learned struct {
	Lines     map[int]int // grade, 5 (非常满意) to 1 -> index of the line
	ActiveLow bool        // a pressed button pulls its line low
	Noisy     []int       // lines that changed while nobody pressed; they were left out
}

const (
	learnPoll  = 5 * time.Millisecond
	learnIdle  = time.Second            // the lines are watched for, before anybody presses
	learnHeld  = 4                      // polls in a row that make a press: 20 ms, as long as the driver wants
	learnCalm  = 150 * time.Millisecond // after the release, before the press is judged
	learnWait  = 60 * time.Second       // for a press
	learnTries = 5                      // of one button
)

// LearnButtons finds out which line each of the five buttons is on. say tells the person what to do, and what was wrong; a wrong press is
// asked for again. names are those of the lines, for what is said.
//
// A button is believed when only its line changed, for as long as a press lasts, came back, and belongs to no button before; and when all
// buttons pull the same way, since a machine has one setting for all.
func LearnButtons(ctx context.Context, lines Levels, names []string, grades map[int]string, say func(format string, args ...any)) (*Learned, error) {
	l := &learning{ctx: ctx, lines: lines, names: names, say: say, got: &Learned{Lines: map[int]int{}}}
	say("Press nothing for a second.")
	if err := l.rest(); err != nil {
		return nil, err
	}
	for grade := 5; grade >= 1; grade-- {
		if err := l.button(grade, grades); err != nil {
			return nil, fmt.Errorf("cannot learn the rating buttons: %w", err)
		}
	}
	return l.got, nil
}

type learning struct {
	ctx   context.Context
	lines Levels
	names []string
	say   func(format string, args ...any)
	idle  []bool
	got   *Learned
}

func (l *learning) tick(d time.Duration) error {
	select {
	case <-l.ctx.Done():
		return l.ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// rest learns the levels of the lines while nobody presses, and which of them are not quiet.
func (l *learning) rest() error {
	var err error
	if l.idle, err = l.lines.Levels(); err != nil {
		return err
	}
	noisy := map[int]bool{}
	for end := time.Now().Add(learnIdle); time.Now().Before(end); {
		if err := l.tick(learnPoll); err != nil {
			return err
		}
		now, err := l.lines.Levels()
		if err != nil {
			return err
		}
		for i := range now {
			noisy[i] = noisy[i] || now[i] != l.idle[i]
		}
	}
	for i := range l.idle {
		if noisy[i] {
			l.got.Noisy = append(l.got.Noisy, i)
			l.say("%s changes while nobody presses: it is left out. If a button is on it, check its cable, or wait until nobody touches the panel and begin anew.", l.names[i])
		}
	}
	if len(l.got.Noisy) == len(l.idle) {
		return errors.New("every line changes while nobody presses: check the ground wire of the panel")
	}
	return nil
}

// button asks for one button until it is believed.
func (l *learning) button(grade int, grades map[int]string) error {
	for range learnTries {
		l.say("Press %s (%d) once, and let go.", grades[grade], grade)
		pressed, err := l.press()
		switch {
		case err != nil:
			return err
		case len(pressed) == 0:
			l.say("Nothing changed for %v. Is it plugged in, on this chip, and does it pull to ground? One that pulls to the supply needs -active-high.", learnWait)
			continue
		case len(pressed) > 1:
			l.say("%d lines changed together: %s. Press one button only; if you did, two wires touch, or one button is on both lines.", len(pressed), l.list(pressed))
			continue
		}
		line := pressed[0]
		if other := l.holder(line); other != 0 {
			l.say("%s is %s (%d) already. Press the other button; if you did, both are on one line.", l.names[line], grades[other], other)
			continue
		}
		low := l.idle[line]
		if len(l.got.Lines) > 0 && low != l.got.ActiveLow {
			l.say("%s pulls the other way than the buttons before: %s. All five must be wired alike.", l.names[line], map[bool]string{true: "low", false: "high"}[low])
			continue
		}
		l.got.Lines[grade], l.got.ActiveLow = line, low
		l.say("%s is on %s.", grades[grade], l.names[line])
		return nil
	}
	return fmt.Errorf("%s (%d) was asked for %d times, and never told its line", grades[grade], grade, learnTries)
}

func (l *learning) holder(line int) int {
	for grade, i := range l.got.Lines {
		if i == line {
			return grade
		}
	}
	return 0
}

func (l *learning) list(lines []int) string {
	var out []string
	for _, i := range lines {
		out = append(out, l.names[i])
	}
	return strings.Join(out, ", ")
}

// press waits until lines have changed, for learnHeld polls each, and are all back; it returns those lines.
func (l *learning) press() ([]int, error) {
	held := make([]int, len(l.idle))
	var pressed []int
	var calm time.Duration
	for end := time.Now().Add(learnWait); time.Now().Before(end); {
		now, err := l.lines.Levels()
		if err != nil {
			return nil, err
		}
		rest := true
		for i := range now {
			if slices.Contains(l.got.Noisy, i) {
				continue
			}
			if now[i] == l.idle[i] {
				held[i] = 0
				continue
			}
			rest = false
			if held[i]++; held[i] == learnHeld && !slices.Contains(pressed, i) {
				pressed = append(pressed, i)
			}
		}
		if calm += learnPoll; !rest {
			calm = 0
		}
		if len(pressed) > 0 && calm >= learnCalm {
			slices.Sort(pressed)
			return pressed, nil
		}
		if err := l.tick(learnPoll); err != nil {
			return nil, err
		}
	}
	if len(pressed) > 0 {
		return nil, fmt.Errorf("%s did not come back for %v: the button is stuck, or the line is held by something else", l.list(pressed), learnWait)
	}
	return nil, nil
}
