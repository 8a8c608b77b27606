//go:build vm

package bench

// testService installs the package of this commit in the guest, with a simulated reader, printer and panel. It asserts:
//
//   - the package installs; its unit starts under systemd 252 with all its protections, and the program serves its screens
//     and says how it is;
//   - the udev rule gives the GPIO chips to group gpio; it and the unit let the program open ttyS, ttyUSB and gpiochip: reader,
//     printer and buttons are online;
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
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/api"
	"yuanban/kiosk/station"
	"yuanban/systemd/bench/machine"
)

const (
	machineName = "BENCH1"
	listen      = "127.0.0.1:8080"
	leastGuard  = 2.0 // exposure
)

func testService(t *testing.T, m *machine.Machine) {
	install(t, m, configKiosk(m))
	profile, err := printer.ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	atReader, atPrinter := take(t, m, "com1"), take(t, m, "usb1")
	serve(t, func(ctx context.Context) error { return idcard.NewSim(nil).Serve(ctx, atReader) })
	serve(t, func(ctx context.Context) error { return printer.NewSim(profile, nil).Serve(ctx, atPrinter) })
	defer func() { // not a Cleanup, which would be too late to ask the guest
		if t.Failed() {
			t.Log(output(t, m, "journalctl", "-u", "kiosk", "-n", "50", "--no-pager"))
		}
	}()
	k := newService(t, m)
	took := k.wait("installed", allOnline)
	say("kiosk.service: everything online %.1f s after the package was installed", took.Seconds())
	checkGuard(t, m)
	k.pull(m)
	before := k.ask().Started
	output(t, m, "systemctl", "kill", "--signal=KILL", "kiosk")
	took = k.wait("killed", func(s api.Status) bool { return s.Started.After(before) && allOnline(s) })
	say("kiosk.service: killed, everything online again after %.1f s", took.Seconds())
	if n := output(t, m, "systemctl", "show", "-P", "NRestarts", "kiosk"); n != "1" {
		t.Errorf("systemd has started the program anew %s times, must be once", n)
	}
	began := time.Now()
	output(t, m, "systemctl", "stop", "kiosk")
	say("kiosk.service: stopped in %.1f s", time.Since(began).Seconds())
	if got := output(t, m, "journalctl", "-u", "kiosk", "-n", "5", "-o", "cat"); !strings.Contains(got, "kiosk.service: Deactivated successfully.") {
		t.Errorf("the program did not end well:\n%s", got)
	}
}

// install installs the package as a technician does, whose configuration is there already.
func install(t *testing.T, m *machine.Machine, config string) {
	t.Helper()
	if err := m.Agent().Put(t.Context(), "/etc/kiosk/kiosk.yaml", 0o644, strings.NewReader(config)); err != nil {
		t.Fatal(err)
	}
	installPackage(t, m)
}

// installTime is how long dpkg may take on a host that is busy with other things; on a quiet one it takes seconds.
const installTime = 4 * time.Minute

// packaged is the path of the package of this commit, built once for all tests.
var packaged = sync.OnceValues(func() (string, error) {
	dir, err := filepath.Abs(filepath.Join(cache, "deb-kiosk"))
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil { // earlier versions
		return "", err
	}
	build := exec.Command("systemd/deb/build.sh", "amd64", dir)
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build the package: %w\n%s", err, out)
	}
	built, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(built) != 1 {
		return "", fmt.Errorf("build.sh made %q", built)
	}
	return built[0], nil
})

func builtPackage(t *testing.T) string {
	t.Helper()
	deb, err := packaged()
	if err != nil {
		t.Fatal(err)
	}
	return deb
}

// installPackage installs the package of this commit.
func installPackage(t *testing.T, m *machine.Machine) {
	t.Helper()
	dpkg(t, m, put(t, m, builtPackage(t)))
}

// dpkg installs a package that is in the guest.
func dpkg(t *testing.T, m *machine.Machine, deb string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	if _, err := m.Agent().Output(ctx, "dpkg", "--force-confold", "--install", deb); err != nil {
		t.Fatal(err)
	}
}

// configPanel is the configuration of what hangs on the GPIO panel.
const configPanel = `buttons:
  chip: kiosk-panel
  lines: {5: button-5, 4: button-4, 3: button-3, 2: button-2, 1: button-1}
  active-low: true
lamps:
  lines: {5: lamp-5, 4: lamp-4, 3: lamp-3, 2: lamp-2, 1: lamp-1}
  active-low: true
sensors:
  help: {line: help, active-low: true}
  key: {line: key, active-low: true}
  door: {line: door, active-low: true}
  presence: {line: presence, active-low: true}
`

// configKiosk is the configuration of a 24-hour machine with everything.
func configKiosk(m *machine.Machine) string {
	return fmt.Sprintf(`machine: %s
role: kiosk
listen: %s
state: /var/lib/kiosk
reader: {port: %s, baud: 115200, side: right}
printer: {port: "%s", baud: 115200, profile: epson80, side: below}
relay: {line: reader-power, active-low: true}
`, machineName, listen, m.SerialPath("com1"), m.USBPath("usb1")) + configPanel
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
	if groups := output(t, m, "sh", "-c", "stat -c %G:%a /dev/gpiochip* | sort -u"); groups != "gpio:660" {
		t.Errorf("the GPIO chips belong to %q", groups)
	}
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

func newService(t *testing.T, m *machine.Machine) *service {
	return &service{t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return m.Agent().Dial(ctx, "tcp", addr) }}}}
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
	online := map[string]bool{}
	for _, d := range s.Devices {
		if d.State != station.Online {
			return false
		}
		online[d.Device] = true
	}
	return online["reader"] && online["printer"] && online["buttons"] && s.Journal == "ok"
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
