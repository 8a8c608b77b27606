//go:build vm

package bench

// testService starts kiosk.service of this repository in the guest, with a simulated reader, printer and panel. It asserts:
//
//   - the unit starts under systemd 252 with all its protections, and the program serves its screens and says how it is;
//   - the unit lets it open ttyS, ttyUSB and gpiochip: reader, printer and buttons are online;
//   - the unit lets nobody in its cgroup open the disk, not even the superuser;
//   - systemd's own judgement of the unit, the exposure, is at most 2.0 ("OK"; 0 is none, 10 is everything);
//   - the printer's adapter pulled: offline within 1 s; plugged in again: online within 3 s;
//   - the program killed: systemd starts it again, and everything is online again;
//   - stopped by systemd, it ends by itself and well.

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/api"
	"yuanban/kiosk/station"
	"yuanban/systemd/bench/machine"
)

const (
	listen     = "127.0.0.1:8080"
	leastGuard = 2.0 // exposure
)

func testService(t *testing.T, m *machine.Machine) {
	install(t, m)
	profile, err := printer.ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	atReader, atPrinter := take(t, m, "com1"), take(t, m, "usb1")
	serve(t, func(ctx context.Context) error { return idcard.NewSim(nil).Serve(ctx, atReader) })
	serve(t, func(ctx context.Context) error { return printer.NewSim(profile, nil).Serve(ctx, atPrinter) })
	began := time.Now()
	output(t, m, "systemctl", "start", "kiosk")
	defer func() { // not a Cleanup, which would be too late to ask the guest
		if t.Failed() {
			t.Log(output(t, m, "journalctl", "-u", "kiosk", "-n", "50", "--no-pager"))
		}
	}()
	k := &service{t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return m.Agent().Dial(ctx, "tcp", addr) }}}}
	k.wait("started", allOnline)
	say("kiosk.service: everything online %.1f s after systemctl start", time.Since(began).Seconds())
	checkGuard(t, m)
	k.pull(m)
	before := k.ask().Started
	output(t, m, "systemctl", "kill", "--signal=KILL", "kiosk")
	took := k.wait("killed", func(s api.Status) bool { return s.Started.After(before) && allOnline(s) })
	say("kiosk.service: killed, everything online again after %.1f s", took.Seconds())
	if n := output(t, m, "systemctl", "show", "-P", "NRestarts", "kiosk"); n != "1" {
		t.Errorf("systemd has started the program anew %s times, must be once", n)
	}
	began = time.Now()
	output(t, m, "systemctl", "stop", "kiosk")
	say("kiosk.service: stopped in %.1f s", time.Since(began).Seconds())
	if got := output(t, m, "journalctl", "-u", "kiosk", "-n", "5", "-o", "cat"); !strings.Contains(got, "kiosk.service: Deactivated successfully.") {
		t.Errorf("the program did not end well:\n%s", got)
	}
}

// install does by hand what the package will do.
func install(t *testing.T, m *machine.Machine) {
	t.Helper()
	program := filepath.Join(cache, "bin", "kiosk")
	goTool(t, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", program, "yuanban/kiosk")
	unit, err := os.ReadFile(filepath.Join(module, "systemd", "kiosk.service"))
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`machine: BENCH1
role: kiosk
listen: %s
state: /var/lib/kiosk
reader: {port: %s, baud: 115200, side: right}
printer: {port: "%s", baud: 115200, profile: epson80, side: below}
buttons:
  chip: kiosk-panel
  lines: {5: button-5, 4: button-4, 3: button-3, 2: button-2, 1: button-1}
  active-low: true
lamps:
  lines: {5: lamp-5, 4: lamp-4, 3: lamp-3, 2: lamp-2, 1: lamp-1}
`, listen, m.SerialPath("com1"), m.USBPath("usb1"))
	for _, f := range []struct {
		path string
		mode os.FileMode
		text string
	}{
		{"/usr/bin/kiosk", 0o755, string(binary)},
		{"/etc/systemd/system/kiosk.service", 0o644, string(unit)},
		{"/etc/kiosk/kiosk.yaml", 0o644, config},
	} {
		if err := m.Agent().Put(t.Context(), f.path, f.mode, strings.NewReader(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	output(t, m, "systemctl", "daemon-reload")
	if said := output(t, m, "systemd-analyze", "verify", "kiosk.service"); said != "" {
		t.Errorf("systemd-analyze verify: %s", said)
	}
}

// checkGuard looks at the unit's protections from outside and from inside.
func checkGuard(t *testing.T, m *machine.Machine) {
	t.Helper()
	said := output(t, m, "systemd-analyze", "security", "--no-pager", "kiosk.service")
	words := strings.Fields(said[max(strings.LastIndex(said, "exposure level for kiosk.service:"), 0):])
	if len(words) < 5 {
		t.Fatalf("systemd-analyze security says %q", said)
	}
	exposure, err := strconv.ParseFloat(words[4], 64)
	if err != nil || exposure > leastGuard {
		t.Errorf("the unit's exposure is %q, must be at most %v:\n%s", words[4:], leastGuard, said)
	}
	say("kiosk.service: exposure %s", strings.Join(words[4:], " "))
	within := func(script string) string {
		return output(t, m, "sh", "-c", `echo $$ > /sys/fs/cgroup/system.slice/kiosk.service/cgroup.procs; `+script+` 2>&1; true`)
	}
	if got := within("head -c 1 /dev/vda"); !strings.Contains(got, "not permitted") {
		t.Errorf("in the unit's cgroup the disk can be read: %q", got)
	}
	if got := within("head -c 0 " + m.SerialPath("com2")); got != "" {
		t.Errorf("in the unit's cgroup a serial line cannot be opened: %q", got)
	}
}

// service is the running kiosk.service as seen from its API.
type service struct {
	t      *testing.T
	client *http.Client
}

// ask asks for the status; it is empty while nobody answers.
func (k *service) ask() (s api.Status) {
	ctx, cancel := context.WithTimeout(k.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/kiosk/v1/status", nil)
	if err != nil {
		k.t.Fatal(err)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return s
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return api.Status{}
	}
	return s
}

// wait asks until the status is as it should be, and says how long that took.
func (k *service) wait(what string, is func(api.Status) bool) time.Duration {
	k.t.Helper()
	began := time.Now()
	for {
		s := k.ask()
		took := time.Since(began)
		if is(s) {
			return took
		}
		if took > time.Minute {
			k.t.Fatalf("%s: after a minute the status is %+v", what, s)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func allOnline(s api.Status) bool {
	for _, d := range s.Devices {
		if d.State != station.Online {
			return false
		}
	}
	return len(s.Devices) == 3 && s.Journal == "ok"
}

// pull pulls the printer's adapter and puts it back.
func (k *service) pull(m *machine.Machine) {
	k.t.Helper()
	state := func(want bool) func(api.Status) bool {
		return func(s api.Status) bool {
			for _, d := range s.Devices {
				if d.Device == "printer" {
					return (d.State == station.Online) == want
				}
			}
			return false
		}
	}
	if err := m.Unplug(k.t.Context(), "usb1"); err != nil {
		k.t.Fatal(err)
	}
	gone := k.wait("unplugged", state(false))
	if gone > time.Second {
		k.t.Errorf("the printer was offline %v after it was unplugged, must be 1 s", gone)
	}
	if err := m.Plug(k.t.Context(), "usb1"); err != nil {
		k.t.Fatal(err)
	}
	back := k.wait("plugged in again", state(true))
	if back > 3*time.Second {
		k.t.Errorf("the printer was online %v after it was plugged in again, must be 3 s", back)
	}
	say("kiosk.service: printer unplugged, offline after %v; plugged in, online after %v", gone.Round(time.Millisecond), back.Round(time.Millisecond))
}
