package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"yuanban/ui"
)

// Times of the judge. A page beats every 2 s. Noticed within 10 s, back within 20 s is what the machine promises.
const (
	judgeEvery  = time.Second
	beatLate    = 8 * time.Second  // four beats
	paintLate   = 20 * time.Second // beats without a painted frame: the page lives, the display does not
	bootWithin  = time.Minute      // for the first page after a start
	backWithin  = 20 * time.Second // for a page after a restart of the browser; doubled each time it does not come
	hereAfter   = 10 * time.Second // of beats: a browser that is being ended gives none for so long
	steadyFor   = 5 * time.Minute  // after which a page has its whole budget again
	restFor     = time.Hour        // after the budget was spent in vain
	refreshHour = 3                // of the night, local
	refreshGap  = 20 * time.Hour   // between two refreshes at the least
)

// restartBudget is how often the browser is restarted in vain before the whole machine is.
const restartBudget = 4

// The requests to the service manager: files whose writing starts a unit. The daemon has no other power over the machine.
const (
	askRestart = "restart-display"
	askReboot  = "reboot"
)

// judge watches whether the screen is alive, as only its own page can tell: a browser whose page has died or hangs still runs, and even
// answers the pings of its websocket. It has the browser restarted when no beat comes, and once a night against leaks, when nobody is
// being served.
type judge struct {
	log     *slog.Logger
	pulse   func() ui.Pulse
	resting func() bool
	ask     func(what, why string) error
	zone    *time.Location

	quiet     time.Time // before this nothing is judged: a page is expected to need so long
	well      time.Time // since when the page has been alive; zero while it is not
	asked     int       // restarts since it was steady
	refreshed time.Time // the last start or refresh
}

// Run judges until ctx ends.
func (g *judge) Run(ctx context.Context) error {
	now := time.Now()
	g.quiet, g.refreshed = now.Add(bootWithin), now
	tick := time.NewTicker(judgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			g.judge(time.Now())
		}
	}
}

func (g *judge) judge(now time.Time) {
	p := g.pulse()
	beats, paints := now.Sub(p.Beat) < beatLate, now.Sub(p.Paint) < paintLate
	if beats && paints {
		g.alive(now)
		return
	}
	g.well = time.Time{}
	if now.Before(g.quiet) {
		return
	}
	why := fmt.Sprintf("its page has not given a sign of life for %s", age(now, p.Beat))
	if beats {
		why = fmt.Sprintf("its page has not been painted for %s", age(now, p.Paint))
	}
	if g.asked < restartBudget {
		g.request(askRestart, why)
		g.quiet = now.Add(backWithin << g.asked)
		g.asked++
		return
	}
	g.asked, g.quiet = 0, now.Add(restFor)
	if beats {
		g.log.Error("the screen shows nothing and restarts do not help; is a monitor connected and switched on?", "area", "screen")
		return // a machine that works but has no monitor is not rebooted for it
	}
	g.request(askReboot, why+", and restarts of the browser do not help")
}

func (g *judge) alive(now time.Time) {
	if g.well.IsZero() {
		g.well = now
	}
	if now.Sub(g.well) >= hereAfter {
		g.quiet = now // the page is here; from now on its death is noticed at once
	}
	if now.Sub(g.well) >= steadyFor {
		g.asked = 0
	}
	if now.In(g.zone).Hour() == refreshHour && now.Sub(g.refreshed) >= refreshGap && g.resting() {
		g.refreshed = now
		g.quiet = now.Add(backWithin)
		g.request(askRestart, "it is refreshed every night")
	}
}

// age is how long ago something was, for a log.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "the whole time"
	}
	return now.Sub(then).Round(time.Second).String()
}

func (g *judge) request(what, why string) {
	if err := g.ask(what, why); err != nil {
		g.log.Error("cannot ask the service manager", "area", "screen", "what", what, "why", why, "err", err)
		return
	}
	g.log.Warn("asked the service manager", "area", "screen", "what", what, "why", why)
}

// askIn writes the request into dir, where a path unit waits for it.
func askIn(dir string) func(what, why string) error {
	return func(what, why string) error {
		return os.WriteFile(filepath.Join(dir, what), []byte(why+"\n"), 0o644)
	}
}

// tellDisplay leaves the address of the screens for the display's unit.
func tellDisplay(dir, url string) error {
	return os.WriteFile(filepath.Join(dir, "display.env"), []byte("KIOSK_URL="+url+"\n"), 0o644)
}
