//go:build nspawn

package systemd

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/systemd/deb"
)

// pageEnv makes this test binary play a machine's page, in the network of a booted system: a machine without a page is not well.
const pageEnv = "KIOSK_TRY_PAGE"

// TestPlayPage is no test but that page. It ends when it is killed.
func TestPlayPage(t *testing.T) {
	if os.Getenv(pageEnv) == "" {
		return // only for whoever starts it as a page
	}
	for {
		showPage()
		time.Sleep(200 * time.Millisecond)
	}
}

// showPage takes what the program shows until it ends.
func showPage() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return
	}
	resp, err := (&http.Client{Jar: jar}).Get("http://127.0.0.1:8080/")
	if err != nil {
		return
	}
	resp.Body.Close()
	d := websocket.Dialer{Jar: jar, HandshakeTimeout: 10 * time.Second}
	conn, _, err := d.Dial("ws://127.0.0.1:8080/ui/ws", http.Header{"Origin": {"http://127.0.0.1:8080"}})
	if err != nil {
		return
	}
	defer conn.Close()
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
}

// page plays the page in the booted system until it is halted.
func (d *debian) page() {
	d.t.Helper()
	cmd := exec.Command("nsenter", "-t", strconv.Itoa(d.leader()), "-n", "--", "self", "-test.run=^TestPlayPage$")
	self, err := os.Executable()
	ok(d.t, err)
	cmd.Args[5] = self
	cmd.Env = []string{pageEnv + "=1"}
	ok(d.t, cmd.Start())
	d.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

// TestNspawnProvision: a machine gets what it is from a site, by real units, dpkg and systemd-creds. It asserts, in this order:
//
//   - a machine out of its box asks, the site approves, the bundle is applied and committed; the program then runs on it, with the
//     secret of the bundle as its credential;
//   - a version with which the machine is not well is taken back;
//   - one with a program that cannot run is taken back, package and all; one with a newer package is committed with it;
//   - a machine that loses power in a trial goes on with it after the boot and commits it;
//   - one that loses power twice in the trial of a program that cannot run is on the version and the program that it had;
//   - asked for a stick where there is none, the unit says so where the screen looks;
//   - the nightly self-test, in its sandbox, asks the running program and tries the disk. A container has no display, so it says that, and
//     the unit has failed for whoever looks at systemctl --failed.
func TestNspawnProvision(t *testing.T) {
	d := unpack(t, bare)
	d.copyIn(*debFlag, "root/kiosk.deb")
	d.chroot("dpkg", "-i", "/root/kiosk.deb")
	d.boot()
	d.page()
	p := &provisioned{d}
	p.payload("kiosk.yaml", "machine: {{.number}}\nrole: kiosk\nlisten: 127.0.0.1:8080\nstate: /var/lib/kiosk\n")
	p.payload("secrets/all/upstream.token", "0123456789abcdef0123")
	ok(t, os.WriteFile(d.path("root/machines.csv"), []byte("number,role,place\nK00001,kiosk,hall one\n"), 0o644))
	p.in("site plan machines.csv")

	p.enrol()
	p.committed(1)
	if got := d.run("cat", "/run/credentials/kiosk.service/upstream.token"); got != "0123456789abcdef0123" {
		t.Errorf("the credential is %q", got)
	}
	if out, _ := d.try("kiosk", "status"); !strings.Contains(out, "machine   K00001 (kiosk)") {
		t.Errorf("it does not run on what its site says: %s", out)
	}

	// A printer that is not there: the configuration is right, and the machine is not well with it.
	p.payload("kiosk.yaml", p.text("kiosk.yaml")+"printer: {port: /dev/kiosk/printer, baud: 9600, profile: epson80}\n")
	if out := p.bundle(2); !strings.Contains(out, "version 2 was taken back, version 1 is in force again") || !strings.Contains(out, "printer is ") {
		t.Errorf("an update that makes the machine unwell: %s", out)
	}
	p.committed(1)

	// A program that cannot run, while the machine has a package of its present one nowhere; then a newer one.
	p.payload("kiosk.yaml", strings.SplitAfter(p.text("kiosk.yaml"), "state: /var/lib/kiosk\n")[0])
	p.program("0.3.0", "#!/bin/sh\nexit 1\n")
	if out := p.bundle(3); !strings.Contains(out, "version 3 was taken back, version 1 is in force again") {
		t.Errorf("an update whose program cannot run: %s", out)
	}
	p.committed(1)
	p.runs("0.1.0")
	if out := d.run("dpkg", "-V", "kiosk"); out != "" {
		t.Errorf("after going back files are not as packed: %s", out)
	}
	p.program("0.2.0", "")
	p.bundle(4)
	p.committed(4)
	p.runs("0.2.0")

	// The power fails in a trial.
	p.program("0.4.0", "")
	p.cut(5)
	d.boot()
	d.page()
	d.await("the trial goes on and is committed", 2*time.Minute, func() bool {
		return strings.Contains(p.state(), "version  5\n") && !strings.Contains(p.state(), "trial")
	})
	p.runs("0.4.0")

	// It fails twice in the trial of a program that cannot run and so cannot take itself back.
	p.program("0.5.0", "#!/bin/sh\nexit 1\n")
	p.cut(6)
	d.boot()
	d.halt()
	d.boot()
	d.page()
	d.await("the old version is in force", time.Minute, func() bool {
		return strings.Contains(p.state(), "version  5\n") && !strings.Contains(p.state(), "trial")
	})
	p.runs("0.4.0")
	d.await("the program runs", time.Minute, func() bool { return d.show("kiosk.service", "ActiveState") == "active" })
	if _, err := os.Stat(d.path("var/lib/kiosk-provision/kiosk.before")); err == nil {
		t.Error("the program that began the trial is still kept")
	}

	d.run("touch", "/run/kiosk/stick")
	d.await("the screen is told that there is no stick", time.Minute, func() bool {
		text, _ := d.try("cat", "/run/kiosk-provision/progress.json")
		return strings.Contains(text, `"step":"Failed"`) && strings.Contains(text, "no stick is plugged in")
	})
	for _, timer := range []string{"kiosk-fetch.timer", "kiosk-selftest.timer"} {
		if state := d.show(timer, "ActiveState"); state != "active" {
			t.Errorf("%s is %s", timer, state)
		}
	}
	if _, err := d.try("systemctl", "start", "kiosk-selftest"); err == nil || d.show("kiosk-selftest", "ExecMainStatus") != "3" {
		t.Errorf("the self-test of a machine without a display ended with %s (%v)", d.show("kiosk-selftest", "ExecMainStatus"), err)
	}
	said := d.run("journalctl", "--no-pager", "-o", "cat", "-u", "kiosk-selftest")
	for _, want := range []string{"Self-test of machine K00001 (kiosk)", "failed     6  Display connected", "ok         8* Disk has room", "the running program trusts it"} {
		if !strings.Contains(said, want) {
			t.Errorf("the self-test does not say %q:\n%s", want, said)
		}
	}
	d.run("test", "-s", "/var/lib/private/kiosk/selftest.json")
}

// provisioned is a booted system that is both the machine and, in /root/site, the technician's laptop.
type provisioned struct{ *debian }

// in runs kiosk provision in /root.
func (p *provisioned) in(line string) string {
	p.t.Helper()
	return p.run("sh", "-c", "cd /root && kiosk provision "+line+" 2>&1")
}

func (p *provisioned) payload(name, text string) {
	p.t.Helper()
	if _, err := os.Stat(p.path("root/site")); err != nil {
		p.in("site init")
	}
	file := p.path("root/site/payload/" + name)
	ok(p.t, os.MkdirAll(filepath.Dir(file), 0o755))
	ok(p.t, os.WriteFile(file, []byte(text), 0o644))
}

func (p *provisioned) text(name string) string {
	p.t.Helper()
	return read(p.t, p.path("root/site/payload/"+name))
}

// program puts a package of that version among the payload; one with a binary of its own.
func (p *provisioned) program(version, binary string) {
	p.t.Helper()
	to := p.path("root/site/payload/program/kiosk_" + version + "_amd64.deb")
	ok(p.t, os.RemoveAll(filepath.Dir(to)))
	ok(p.t, os.MkdirAll(filepath.Dir(to), 0o755))
	ok(p.t, deb.Next(*debFlag, to, version, func(packed []byte) []byte {
		if binary != "" {
			return []byte(binary)
		}
		return packed
	}))
}

// enrol goes the way of a stick.
func (p *provisioned) enrol() {
	p.t.Helper()
	ok(p.t, os.MkdirAll(p.path("root/stick"), 0o755))
	said := p.in("ask stick")
	_, code, found := strings.Cut(said, "code     ")
	if !found {
		p.t.Fatalf("asking says %s", said)
	}
	code, _, _ = strings.Cut(code, "\n")
	p.in("site approve -code " + code + " -number K00001 -out stick stick/machine-*.request")
	p.run("systemctl", "stop", "kiosk") // as a technician does who asks what is plugged in; applying starts it
	p.in("apply -well 3s -patience 60s stick/K00001-1.bundle")
}

// bundle makes the next version and applies it, and returns what was said; a version that is taken back is no failure of the test.
func (p *provisioned) bundle(version int) string {
	p.t.Helper()
	p.in("site bundle -number K00001 -out stick")
	out, err := p.try("sh", "-c", fmt.Sprintf("cd /root && kiosk provision apply -well 3s -patience 20s stick/K00001-%d.bundle 2>&1", version))
	return out + fmt.Sprint(err)
}

// cut begins a version and pulls the plug while it is on trial.
func (p *provisioned) cut(version int) {
	p.t.Helper()
	p.in("site bundle -number K00001 -out stick")
	p.run("systemd-run", "--unit=trial", "--working-directory=/root", "kiosk", "provision", "apply", "-well", "1h", "-patience", "2h", fmt.Sprintf("stick/K00001-%d.bundle", version))
	p.await("the version is on trial and in force", time.Minute, func() bool {
		return strings.Contains(p.before("state"), "trial    version "+strconv.Itoa(version)) && strings.Contains(p.run("readlink", "/var/lib/kiosk-provision/current"), "/"+strconv.Itoa(version))
	})
	p.halt()
}

// before runs kiosk provision by the program that began a trial, while there is one.
func (p *provisioned) before(line string) string {
	out, _ := p.try("sh", "-c", "k=/var/lib/kiosk-provision/kiosk.before; [ -x $k ] || k=kiosk; $k provision "+line)
	return out
}

func (p *provisioned) state() string { return p.before("state") }

func (p *provisioned) committed(version int) {
	p.t.Helper()
	if got := p.state(); !strings.Contains(got, fmt.Sprintf("version  %d\n", version)) || strings.Contains(got, "trial") {
		p.t.Errorf("committed should be %d: %s", version, got)
	}
	if got := p.run("readlink", "/var/lib/kiosk-provision/current"); strings.TrimSpace(got) != fmt.Sprintf("versions/%d", version) {
		p.t.Errorf("in force is %s", got)
	}
	p.await("the program runs", time.Minute, func() bool { return p.show("kiosk.service", "ActiveState") == "active" })
}

// runs checks the package that is installed.
func (p *provisioned) runs(version string) {
	p.t.Helper()
	if got := p.run("dpkg-query", "-W", "-f", "${Version}", "kiosk"); !strings.HasPrefix(got, version) {
		p.t.Errorf("the installed program is %s, not %s", got, version)
	}
	if _, err := p.try("kiosk", "version"); err != nil {
		p.t.Error(err)
	}
}
