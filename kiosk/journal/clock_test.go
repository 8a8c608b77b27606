package journal

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func pulse(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Pulse(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestClockThatJumps walks one machine through everything a clock does in its life.
func TestClockThatJumps(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "j.db")
	j := open(t, path, c)
	day := c.Now()
	const year = 365 * 24 * time.Hour
	for _, step := range []struct {
		name      string
		now       time.Time
		restart   bool
		confirmed time.Time // what the platform's clock says, zero when it is not reached
		want      error
		trusted   bool // the fact of this moment
	}{
		{"a new machine believes what it sees", day, false, time.Time{}, nil, true},
		{"a minute later", day.Add(time.Minute), false, time.Time{}, nil, true},
		{"a time server takes back two seconds", day.Add(time.Minute - 2*time.Second), false, time.Time{}, nil, false},
		{"no battery: 1970 after a restart", time.Unix(9, 0), true, time.Time{}, ErrClockUnset, false},
		{"set back by ten years", day.Add(-10 * year), false, time.Time{}, ErrClockUnset, false},
		{"set back by an hour", day.Add(-time.Hour), false, time.Time{}, ErrClockBehind, false},
		{"right again", day.Add(time.Hour), false, time.Time{}, nil, true},
		{"ten years ahead", day.Add(10 * year), false, time.Time{}, ErrClockAhead, false},
		{"ten years ahead, and a platform that says otherwise", day.Add(10 * year), false, day.Add(time.Hour), ErrClockAhead, false},
		{"right again, at once", day.Add(2 * time.Hour), false, time.Time{}, nil, true},
		{"half a year ahead is believed: the machine may have been switched off", day.Add(year / 2), false, time.Time{}, nil, true},
		{"the technician sets the clock right, nobody confirms it", day.Add(3 * time.Hour), true, time.Time{}, ErrClockBehind, false},
		{"the platform confirms it", day.Add(3 * time.Hour), false, day.Add(3*time.Hour + 90*time.Second), nil, true},
		{"and it holds over a restart", day.Add(4 * time.Hour), true, time.Time{}, nil, true},
		{"two years in a store room", day.Add(2 * year), true, time.Time{}, ErrClockAhead, false},
		{"and the platform confirms that too", day.Add(2 * year), false, day.Add(2 * year), nil, true},
	} {
		if step.restart {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = open(t, path, c)
		}
		c.Set(step.now)
		if !step.confirmed.IsZero() {
			if err := j.ConfirmClock(t.Context(), step.confirmed); err != nil {
				t.Fatal(err)
			}
		}
		pulse(t, j)
		if err := j.Clock(t.Context()); !errors.Is(err, step.want) {
			t.Errorf("%s: the clock is judged %v, want %v", step.name, err, step.want)
		}
		if f := record(t, j, "clock.read", "clock", nil, nil); f.ClockTrusted != step.trusted {
			t.Errorf("%s: the fact says trusted %v", step.name, f.ClockTrusted)
		}
	}
	if err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPulseKeepsTheFloor: between two facts lie days; a clock set back in between is noticed all the same.
func TestPulseKeepsTheFloor(t *testing.T) {
	c := newClock()
	j := open(t, filepath.Join(t.TempDir(), "j.db"), c)
	record(t, j, "a.b", "s", nil, nil)
	c.Add(48 * time.Hour)
	pulse(t, j)
	c.Add(-24 * time.Hour)
	if f := record(t, j, "a.b", "s", nil, nil); f.ClockTrusted {
		t.Error("a clock a day behind the last pulse is trusted")
	}
}

// TestClockProperties: whatever the clock does, the sequence has no gap, a trusted fact is never earlier than one before it unless a
// platform confirmed the time, and a confirmed clock is always believed.
func TestClockProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		j, err := Open(t.Context(), filepath.Join(t.TempDir(), "j.db"), Options{Machine: "A1B2C3", Now: c.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			rt.Fatal(err)
		}
		defer j.Close()
		var last time.Time
		for n := int64(1); n <= 12; n++ {
			c.Add(time.Duration(rapid.Int64Range(-3000, 3000).Draw(rt, "hours")) * time.Hour)
			confirmed := rapid.Bool().Draw(rt, "confirmed") && c.Now().Year() >= firstYear
			if confirmed {
				if err := j.ConfirmClock(t.Context(), c.Now()); err != nil {
					rt.Fatal(err)
				}
			}
			if rapid.Bool().Draw(rt, "pulse") {
				if err := j.Pulse(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
			var f Fact
			if err := j.Write(t.Context(), func(tx *Tx) (err error) { f, err = tx.Fact("a.b", "s", nil, nil); return err }); err != nil {
				rt.Fatal(err)
			}
			switch {
			case f.Sequence != n:
				rt.Fatalf("fact %d has sequence %d", n, f.Sequence)
			case confirmed && !f.ClockTrusted:
				rt.Fatalf("the platform confirmed %s and the fact is not trusted", f.Time)
			case f.ClockTrusted && !confirmed && f.Time.Before(last):
				rt.Fatalf("%s is trusted after %s", f.Time, last)
			}
			if f.ClockTrusted {
				last = f.Time
			}
		}
	})
}
