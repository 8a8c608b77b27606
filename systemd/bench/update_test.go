//go:build vm

package bench

// TestUpdate leads a rating pad from version to version: a window PC beside it, a disk with a write cache, and the technician's laptop
// at the other end of its cable. It asserts:
//
//   - asked over the cable, with the code typed at the laptop, the machine gets its first version and is the machine of its number;
//   - what its site makes later comes by the nightly look for it, kiosk-fetch.service, in its sandbox;
//   - a version with a program that cannot run is taken back, program and all, before its patience is over, and is not tried again the
//     next night; one with a program that runs is committed;
//   - cut off by power in the middle (-updates N, half of them with a program that cannot run; the moments are spread over all of what an
//     update takes), the machine comes up by itself and ends on the version before or on the new one, never between: what is committed,
//     what is in force, the package, every file of it, and the program that runs are of one version; nothing of a trial is left; the pad
//     lets in its window PC and delivers its facts. A program that cannot run is never what is left.
//
// A drop-in shortens how long a version must be well (10 s for 30 s) and may take for it (45 s for 5 min).

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"yuanban/kiosk/upstream"
	"yuanban/provisioning/update"
	"yuanban/systemd/bench/machine"
	"yuanban/systemd/deb"
)

const (
	siteAddr  = "127.0.0.1:8443" // where the guest finds the laptop
	stateFile = "/var/lib/kiosk-provision/state.json"
)

func TestUpdate(t *testing.T) {
	g := build(t)
	u := &updates{t: t, l: newLaptop(t, "pad"), platform: newPlatform(t), cfg: setup(t, g, machine.Config{Disk: machine.Disk{Cached: true}, Unwell: true})}
	u.site = u.l.serve()
	u.power()
	outOfTheBox(t, u.appliance)
	u.noNight()
	packaged := u.installed()
	u.programs, u.last = map[int64]program{1: packaged, 2: packaged}, 2
	u.enrolByCable()
	u.onVersion(1)
	u.l.configurePad("button-5", "# of the next version\n"+u.upstream())
	u.l.kiosk("site", "bundle", "-number", machineName)
	u.fetch()
	u.onVersion(2)
	say("by the nightly look: version 2 in force")

	u.ship("3", false)
	bad := u.fetch()
	u.onVersion(2)
	if said := u.fetchAgain(); !strings.Contains(said, "version 3 was taken back and is not tried again") || !strings.Contains(said, "nothing new") {
		t.Errorf("the night after a version was taken back:\n%s", said)
	}
	u.ship("4", true)
	good := u.fetch()
	u.onVersion(4)
	say("a version with a program that cannot run was taken back, with its package, after %.1f s; the next, with one that runs, was in force after %.1f s", bad.Seconds(), good.Seconds())

	for n := range *updateCuts {
		runs := n%2 == 0
		whole := map[bool]time.Duration{true: good, false: bad}[runs]
		pairs := (*updateCuts + 1) / 2
		at := time.Duration((float64(n/2) + rand.Float64()) / float64(pairs) * float64(whole))
		u.cut(n+1, runs, at)
		if t.Failed() {
			u.tell()
			t.Fatalf("cut %d of %d", n+1, *updateCuts)
		}
	}
	if problems := u.platform.Problems(); len(problems) > 0 {
		t.Errorf("the platform had to refuse: %q", problems)
	}
}

// noNight keeps the nightly look from coming by itself: it comes when the test says so.
func (u *updates) noNight() {
	u.t.Helper()
	const far = "[Timer]\nOnCalendar=\nOnCalendar=2099-01-01\n"
	if err := u.m.Agent().Put(u.t.Context(), "/etc/systemd/system/kiosk-fetch.timer.d/bench.conf", 0o644, strings.NewReader(far)); err != nil {
		u.t.Fatal(err)
	}
	u.run("systemctl", "daemon-reload")
	u.run("systemctl", "restart", "kiosk-fetch.timer")
}

// program is the program of a version.
type program struct{ version, sum string }

// updates is the pad of the moment, its site, and what the site has made.
type updates struct {
	*appliance
	t        *testing.T
	cfg      machine.Config
	platform *upstream.Simulator
	l        *laptop
	site     string // address of its server

	last     int64             // version that the site made
	programs map[int64]program // of the versions that can be in force
}

// power starts the machine, which may come up unwell in the trial of a program that cannot run, with everything around it.
func (u *updates) power() {
	u.t.Helper()
	u.appliance = equip(u.t, u.platform, start(u.t, u.cfg))
	u.lend(siteAddr, u.site)
	u.keepDisplay()
}

// installed is the program that is installed now.
func (u *updates) installed() program {
	u.t.Helper()
	sum, _, _ := strings.Cut(u.run("sha256sum", "/usr/bin/kiosk"), " ")
	return program{u.run("dpkg-query", "-W", "-f", "${Version}", "kiosk"), sum}
}

// enrolByCable asks over the cable, and types the code at the laptop.
func (u *updates) enrolByCable() {
	u.t.Helper()
	u.l.configurePad("button-5", u.upstream())
	d := u.talk("kiosk", "provision", "ask", "-site", "https://"+siteAddr, "-well", "10s", "-patience", "45s")
	code := codeLine.FindStringSubmatch(d.until("Waiting for it."))
	if code == nil {
		u.t.Fatalf("ask says:\n%s", d.all())
	}
	waiting := regexp.MustCompile(`waiting +request ([0-9a-f]+)`).FindStringSubmatch(u.l.kiosk("site", "list"))
	if waiting == nil {
		u.t.Fatalf("at the site no request waits: %s", u.l.kiosk("site", "list"))
	}
	u.l.kiosk("site", "approve", "-code", code[1], "-number", machineName, waiting[1])
	began := time.Now()
	d.until("version  1\n")
	if said, err := d.end(); err != nil {
		u.t.Fatalf("ask ends with %v:\n%s", err, said)
	}
	u.isProvisioned("CABLE-1")
	say("enrolled over a cable: version 1 in force %.1f s after the code was typed, trial of 10 s included", time.Since(began).Seconds())
}

// ship makes the next version at the site, with a program that runs or does not.
func (u *updates) ship(version string, runs bool) {
	u.t.Helper()
	u.last++
	var sum string
	dir := filepath.Join(u.l.root, "site/payload/program")
	file := filepath.Join(dir, "kiosk_"+version+"_amd64.deb")
	if err := os.RemoveAll(dir); err != nil {
		u.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		u.t.Fatal(err)
	}
	err := deb.Next(builtPackage(u.t), file, version, func(b []byte) []byte {
		b = append(b, "\nof version "+version...) // what stands behind the end of a program does not change it
		if !runs {
			b = []byte("#!/bin/sh\nexit 1\n")
		}
		all := sha256.Sum256(b)
		sum = hex.EncodeToString(all[:])
		return b
	})
	if err != nil {
		u.t.Fatal(err)
	}
	if runs {
		u.programs[u.last] = program{version, sum}
	}
	u.l.kiosk("site", "bundle", "-number", machineName)
}

// fetch is the nightly look for what is new, and says how long it took.
func (u *updates) fetch() time.Duration {
	u.t.Helper()
	began := time.Now()
	u.output("systemctl", "start", "kiosk-fetch")
	return time.Since(began)
}

// fetchAgain is one more, and returns what it says.
func (u *updates) fetchAgain() string {
	u.t.Helper()
	return u.output("kiosk", "provision", "fetch")
}

// cut lets a version be fetched, cuts the power at that moment of it, and judges what the machine is afterwards.
func (u *updates) cut(n int, runs bool, at time.Duration) {
	u.t.Helper()
	before := u.state().Committed
	u.ship(fmt.Sprint(u.last+1), runs)
	u.run("systemctl", "start", "--no-block", "kiosk-fetch")
	fetching := time.Now()
	time.Sleep(at)
	// What it last said tells the step in which it is cut off.
	step, _ := u.m.Agent().Output(u.t.Context(), "journalctl", "-u", "kiosk-fetch", "-n", "1", "-o", "cat")
	u.m.PowerCut()
	at = time.Since(fetching)
	began := time.Now()
	u.power()
	u.within(4*time.Minute, "no trial is left", func() bool { return u.state().Trial == nil })
	st := u.state()
	switch {
	case st.Committed == before:
	case st.Committed == u.last && runs:
	default:
		u.t.Errorf("after a cut in the update from version %d to %d, version %d is committed", before, u.last, st.Committed)
	}
	u.onVersion(st.Committed)
	side := map[bool]string{true: "before", false: "new"}[st.Committed == before]
	say("cut %d of %d, %.1f s into an update with a program that %s, at %q: on the version %s, all well %.1f s after power-on", n, *updateCuts, at.Seconds(),
		map[bool]string{true: "runs", false: "cannot run"}[runs], strings.TrimSpace(step), side, time.Since(began).Seconds())
	u.delivered()
}

// state is the state of updates on the machine's disk.
func (u *updates) state() (st update.State) {
	u.t.Helper()
	text, err := u.m.Agent().Get(u.t.Context(), stateFile)
	if err == nil {
		err = json.Unmarshal(text, &st)
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return st
}

// onVersion asserts that everything on the machine is of one version, and that it works.
func (u *updates) onVersion(version int64) {
	u.t.Helper()
	u.isProvisioned(fmt.Sprintf("ON-%d-%d", version, time.Now().UnixMilli()))
	if st := u.state(); st.Committed != version || st.Trial != nil {
		u.t.Errorf("the state is %+v, must be version %d", st, version)
	}
	if got, want := u.run("readlink", "/var/lib/kiosk-provision/current"), fmt.Sprintf("versions/%d", version); got != want {
		u.t.Errorf("in force is %s, must be %s", got, want)
	}
	want := u.programs[version]
	if got := u.installed(); got != want {
		u.t.Errorf("with version %d the program %+v is installed, must be %+v", version, got, want)
	}
	running, _, _ := strings.Cut(u.run("sh", "-c", "sha256sum /proc/$(systemctl show -P MainPID kiosk)/exe"), " ")
	if running != want.sum {
		u.t.Errorf("with version %d the program %s runs, must be %s", version, running, want.sum)
	}
	for _, check := range [][]string{{"dpkg", "--audit"}, {"sh", "-c", "dpkg --verify kiosk | grep -v '^missing .* /usr/share/' || true"}, // the guest leaves documents out
		{"systemctl", "--failed", "--plain", "--no-legend"},
		{"sh", "-c", "ls -d /var/lib/kiosk-provision/kiosk.before* /var/lib/kiosk-provision/.repack* /var/lib/kiosk-provision/versions/.new* 2>/dev/null || true"}} {
		if got := u.run(check...); got != "" {
			u.t.Errorf("with version %d %s says:\n%s", version, strings.Join(check, " "), got)
		}
	}
}

// serve lends the site to machines on the network until the test ends, and returns where.
func (l *laptop) serve() (addr string) {
	l.t.Helper()
	cmd := exec.Command(l.program, "provision", "site", "serve", "-listen", "127.0.0.1:0")
	cmd.Dir = l.root
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`https://(\S+);`).FindStringSubmatch(line)
	if found == nil {
		l.t.Fatalf("site serve says %q, %v", line, err)
	}
	return found[1]
}

// lend makes an address of this side one of the guest's.
func (a *appliance) lend(inGuest, here string) {
	a.t.Helper()
	l, err := a.m.Agent().Listen(a.t.Context(), "tcp", inGuest)
	if err != nil {
		a.t.Fatal(err)
	}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // the machine is off
			}
			go carry(a.t.Context(), from, here)
		}
	}()
}

// carry carries bytes both ways until one side ends.
func carry(ctx context.Context, from net.Conn, here string) {
	defer from.Close()
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp", here)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}
