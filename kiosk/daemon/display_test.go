package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/ui"
)

// court is a judge with a page whose life the test plays, second by second, without waiting.
type court struct {
	judge
	now    time.Time
	beats  bool
	paints bool
	alive  bool // nobody rests
	pulses ui.Pulse
	asked  []string // "restart-display@40s"
	start  time.Time
}

func sit(local string) *court {
	at, err := time.ParseInLocation("2006-01-02 15:04", local, time.FixedZone("CST", 8*3600))
	if err != nil {
		panic(err)
	}
	c := &court{now: at, start: at}
	c.judge = judge{log: slog.New(slog.DiscardHandler), pulse: func() ui.Pulse { return c.pulses }, resting: func() bool { return !c.alive },
		zone: at.Location(), quiet: at.Add(bootWithin), refreshed: at,
		ask: func(what, _ string) error {
			c.asked = append(c.asked, fmt.Sprintf("%s@%s", what, c.now.Sub(c.start)))
			return nil
		}}
	return c
}

func (c *court) pass(d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); {
		c.now = c.now.Add(time.Second)
		if c.now.Unix()%2 == 0 && c.beats {
			c.pulses.Beat = c.now
			if c.paints {
				c.pulses.Paint = c.now
			}
		}
		c.judge.judge(c.now)
	}
}

func (c *court) took() string { s := strings.Join(c.asked, " "); c.asked = nil; return s }

func TestJudgeOfTheScreen(t *testing.T) {
	t.Run("a page that lives is left alone", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		c.beats, c.paints = true, true
		c.pass(8 * time.Hour)
		if got := c.took(); got != "" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("a page that dies is noticed within ten seconds, and has its time to be back", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		c.beats, c.paints = true, true
		c.pass(10 * time.Minute)
		c.beats = false
		c.pass(10 * time.Second)
		if got := c.took(); got != "restart-display@10m8s" {
			t.Errorf("asked %q", got)
		}
		c.pass(12 * time.Second)
		c.beats = true
		c.pass(time.Hour)
		if got := c.took(); got != "" {
			t.Errorf("the page is back, and it asked %s", got)
		}
	})
	t.Run("a page that never comes", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		c.pass(20 * time.Minute)
		if got := c.took(); got != "restart-display@1m0s restart-display@1m20s restart-display@2m0s restart-display@3m20s reboot@6m0s" {
			t.Errorf("asked %s", got)
		}
		c.pass(50 * time.Minute) // the reboot was not granted: it begins again after an hour's rest
		if got := c.took(); got != "restart-display@1h6m0s restart-display@1h6m20s restart-display@1h7m0s restart-display@1h8m20s" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("a page that dies each time soon after it came", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		for range 6 {
			c.beats, c.paints = true, true
			c.pass(90 * time.Second)
			c.beats = false
			c.pass(30 * time.Second)
		}
		if got := c.took(); !strings.Contains(got, "reboot@") {
			t.Errorf("six times in twelve minutes: %s", got)
		}
	})
	t.Run("a page that dies once a day does so for ever", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		for range 30 {
			c.beats, c.paints, c.alive = true, true, true
			c.pass(24 * time.Hour)
			c.beats = false
			c.pass(15 * time.Second)
		}
		if got := c.took(); strings.Contains(got, "reboot") || strings.Count(got, "restart-display") != 30 {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("a monitor that is off is no reason for a reboot", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		c.beats, c.paints = true, true
		c.pass(10 * time.Minute)
		c.paints = false
		c.pass(30 * time.Second)
		if got := c.took(); got != "restart-display@10m20s" {
			t.Errorf("asked %s", got)
		}
		c.pass(12 * time.Hour)
		if got := c.took(); strings.Contains(got, "reboot") {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("once a night, when nobody is being served", func(t *testing.T) {
		c := sit("2026-11-26 10:00")
		c.beats, c.paints = true, true
		c.refreshed = c.refreshed.Add(-24 * time.Hour)
		c.alive = true
		c.pass(17*time.Hour + 30*time.Minute) // until half past three somebody stands there
		if got := c.took(); got != "" {
			t.Errorf("asked %s while somebody was being served", got)
		}
		c.alive = false
		c.pass(10 * time.Hour)
		if got := c.took(); got != "restart-display@17h30m1s" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("three nights", func(t *testing.T) {
		c := sit("2026-11-26 02:00")
		c.beats, c.paints = true, true
		c.pass(72 * time.Hour)
		if got := c.took(); got != "restart-display@25h0m0s restart-display@49h0m0s" {
			t.Errorf("asked %s", got)
		}
	})
}

// TestRequestsAreFiles: what the path units watch for.
func TestRequestsAreFiles(t *testing.T) {
	dir := t.TempDir()
	ok(t, askIn(dir)(askRestart, "it is refreshed every night"))
	data, err := os.ReadFile(filepath.Join(dir, "restart-display"))
	ok(t, err)
	if string(data) != "it is refreshed every night\n" {
		t.Errorf("the request says %q", data)
	}
	if err := askIn(filepath.Join(dir, "absent"))(askReboot, ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	ok(t, tellDisplay(dir, "http://127.0.0.1:8080/"))
	entries, err := os.ReadDir(dir)
	ok(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"display.env", "restart-display"}) {
		t.Errorf("the folder has %v", names)
	}
}
