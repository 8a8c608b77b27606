package daemon

import (
	"log/slog"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
)

// manager is the service manager (systemd) as far as the program speaks to it: sd_notify(3). Without one, as at a terminal, nothing
// is said. All but status may be called from any goroutine; status belongs to the keeper.
type manager struct {
	log  *slog.Logger
	said string // the status that was told last
}

// ready says that the screens are served, whatever they show; the display waits for it.
func (m *manager) ready() { m.notify(sd.SdNotifyReady) }

// stopping says that the end has begun, so that what the flow does not answer any more is no hang.
func (m *manager) stopping() { m.notify(sd.SdNotifyStopping) }

// alive feeds the watchdog.
func (m *manager) alive() { m.notify(sd.SdNotifyWatchdog) }

// status is the line that systemctl status shows; it is told when it changes.
func (m *manager) status(text string) {
	if text != m.said {
		m.said = text
		m.notify("STATUS=" + text)
	}
}

func (m *manager) notify(state string) {
	if _, err := sd.SdNotify(false, state); err != nil {
		m.log.Warn("cannot speak to the service manager", "area", "systemd", "err", err)
	}
}

// watchdogEvery is how often the watchdog wants to be fed at the least: a third of its time, so that one late answer is no death.
// 0 says that nobody watches.
func (m *manager) watchdogEvery() time.Duration {
	d, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		m.log.Warn("cannot read the time of the watchdog; it is not fed", "area", "systemd", "err", err)
		return 0
	}
	return d / 3
}
