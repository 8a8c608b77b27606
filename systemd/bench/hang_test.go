//go:build vm

package bench

// testHang stops the program as SIGSTOP does, so that it neither ends nor feeds the watchdog. It asserts:
//
//   - systemd's watchdog notices, kills it and starts it once more: NRestarts grows by one, the log names the watchdog;
//   - everything is online again, without help.
//
// A drop-in lowers WatchdogSec from 30 s to 10 s, so that the test is short; on a busy host less would hang by itself.

import (
	"strings"
	"time"

	"yuanban/kiosk/api"
)

const dropIn = "/etc/systemd/system/kiosk.service.d/bench.conf"

func (a *appliance) testHang() {
	if err := a.m.Agent().Put(a.t.Context(), dropIn, 0o644, strings.NewReader("[Service]\nWatchdogSec=10\n")); err != nil {
		a.t.Fatal(err)
	}
	a.run("systemctl", "daemon-reload")
	a.run("systemctl", "restart", "kiosk")
	a.wait("restarted", allOnline)
	before := a.ask().Started
	if n := a.run("systemctl", "show", "-P", "NRestarts", "kiosk"); n != "0" {
		a.t.Fatalf("after a start by hand NRestarts is %s", n)
	}
	began := time.Now()
	a.run("kill", "-STOP", a.run("systemctl", "show", "-P", "MainPID", "kiosk"))
	a.wait("stopped by SIGSTOP", func(s api.Status) bool { return s.Started.After(before) && allOnline(s) })
	say("kiosk.service: stopped by SIGSTOP, WatchdogSec=10, everything online again after %.1f s", time.Since(began).Seconds())
	if n := a.run("systemctl", "show", "-P", "NRestarts", "kiosk"); n != "1" {
		a.t.Errorf("systemd has started the program anew %s times, must be once", n)
	}
	if got := a.run("journalctl", "-u", "kiosk", "-o", "cat", "--grep", "Watchdog timeout"); !strings.Contains(got, "Watchdog timeout") {
		a.t.Errorf("the log does not name the watchdog: %q", got)
	}
	a.run("rm", dropIn)
	a.run("systemctl", "daemon-reload")
	a.run("systemctl", "restart", "kiosk")
	a.wait("restarted", allOnline)
}
