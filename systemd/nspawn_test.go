//go:build nspawn

package systemd

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var debFlag = flag.String("deb", "", "the package to try")

// debian is a throw-away Debian, booted or not.
type debian struct {
	t    *testing.T
	root string
	cmd  *exec.Cmd // systemd-nspawn
}

// The packages of a throw-away Debian: a bare system, and one with what the screen needs.
const (
	bare       = "systemd,systemd-sysv,udev,dbus,init-system-helpers,procps,iproute2"
	withScreen = bare + ",cage,chromium,fonts-noto-cjk,kbd,seatd,xwayland"
)

// unpack makes one. The archive of its root is kept in build/try for the next time.
func unpack(t *testing.T, packages string) *debian {
	t.Helper()
	cache, err := filepath.Abs("../build/try")
	ok(t, err)
	archive := filepath.Join(cache, fmt.Sprintf("root-%08x.tar", crc32.ChecksumIEEE([]byte(packages))))
	if _, err := os.Stat(archive); errors.Is(err, os.ErrNotExist) {
		must(t, exec.Command("mmdebstrap", "--quiet", "--format=tar", "--variant=apt", "--include="+packages, "bookworm", archive+".new"))
		ok(t, os.Rename(archive+".new", archive))
	}
	root, err := os.MkdirTemp("", "kiosk-try-")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(root) })
	must(t, exec.Command("tar", "-C", root, "-xf", archive))
	return &debian{t: t, root: root}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

func (d *debian) path(name string) string { return filepath.Join(d.root, name) }

// chroot runs a command without booting.
func (d *debian) chroot(args ...string) string {
	d.t.Helper()
	out := must(d.t, exec.Command("systemd-nspawn", append([]string{"--quiet", "--register=no", "--keep-unit", "--pipe", "--directory=" + d.root, "--setenv=DEBIAN_FRONTEND=noninteractive", "--"}, args...)...))
	return regexp.MustCompile(`(?m)^Attempted to remove disk file system under .*\n`).ReplaceAllString(out, "") // nspawn about its own folder
}

func (d *debian) boot() {
	d.t.Helper()
	d.cmd = exec.Command("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=read-only", "--private-network", "--directory="+d.root)
	log, err := os.Create(d.root + ".console")
	ok(d.t, err)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	ok(d.t, d.cmd.Start())
	d.t.Cleanup(func() {
		d.halt()
		os.Remove(log.Name())
		log.Close()
	})
	d.await("it is up", 90*time.Second, func() bool {
		out, err := d.try("systemctl", "is-system-running")
		state := strings.TrimSpace(out)
		return state == "running" || state == "degraded" && err != nil
	})
	d.try("ip", "link", "set", "lo", "up")
}

// rebooted waits until the system asks for a reboot, which systemd-nspawn tells by its exit code; somebody else boots it again.
func (d *debian) rebooted() {
	d.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	select {
	case err := <-ended:
		if exit, is := errors.AsType[*exec.ExitError](err); !is || exit.ExitCode() != 133 {
			d.t.Fatalf("systemd-nspawn ended with %v", err)
		}
		d.cmd = nil
	case <-time.After(2 * time.Minute):
		log, _ := d.try("journalctl", "--no-pager", "-n", "60", "-o", "short-monotonic")
		d.t.Fatalf("it was not rebooted within two minutes\n%s", log)
	}
}

func (d *debian) halt() {
	if d.cmd == nil {
		return
	}
	if leader := d.leader(); leader != 0 {
		syscall.Kill(leader, syscall.SIGKILL) // the whole system ends with it; it would outlive a systemd-nspawn that is killed
	}
	d.cmd.Wait()
	d.cmd = nil
}

// leader is the pid of the booted system's first process, 0 between two boots.
func (d *debian) leader() int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", d.cmd.Process.Pid, d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, child := range strings.Fields(string(data)) {
		if comm, err := os.ReadFile("/proc/" + child + "/comm"); err == nil && strings.TrimSpace(string(comm)) == "systemd" {
			pid, _ := strconv.Atoi(child)
			return pid
		}
	}
	return 0
}

// try runs a command in the booted system.
func (d *debian) try(args ...string) (string, error) {
	leader := d.leader()
	if leader == 0 {
		return "", errors.New("the system is not up")
	}
	cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(leader), "-m", "-u", "-i", "-n", "-p", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, &out, &complaints)
	}
	return out.String(), err
}

func (d *debian) run(args ...string) string {
	d.t.Helper()
	out, err := d.try(args...)
	if err != nil {
		log, _ := d.try("journalctl", "--no-pager", "-n", "30", "-o", "short-monotonic")
		d.t.Fatalf("%v\n%s", err, log)
	}
	return out
}

// show is one property of a unit.
func (d *debian) show(unit, property string) string {
	out, _ := d.try("systemctl", "show", "-P", property, unit)
	return strings.TrimSpace(out)
}

func (d *debian) await(what string, d2 time.Duration, happened func() bool) {
	d.t.Helper()
	for end := time.Now().Add(d2); !happened(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := d.try("journalctl", "--no-pager", "-n", "60", "-o", "short-monotonic")
			d.t.Fatalf("did not happen within %s: %s\n%s", d2, what, log)
		}
	}
}

// dropIn changes a unit of the booted system.
func (d *debian) dropIn(unit, text string) {
	d.t.Helper()
	dir := d.path("etc/systemd/system/" + unit + ".d")
	ok(d.t, os.MkdirAll(dir, 0o755))
	ok(d.t, os.WriteFile(filepath.Join(dir, "try.conf"), []byte(text), 0o644))
	d.run("systemctl", "daemon-reload")
}

func (d *debian) noDropIns() {
	d.t.Helper()
	found, err := filepath.Glob(d.path("etc/systemd/system/*.d/try.conf"))
	ok(d.t, err)
	for _, f := range found {
		ok(d.t, os.RemoveAll(filepath.Dir(f)))
	}
	d.run("systemctl", "daemon-reload")
}

// files is everything that is there, without what a running system makes by itself.
func (d *debian) files() []string {
	d.t.Helper()
	var all []string
	for line := range strings.Lines(must(d.t, exec.Command("find", d.root, "-xdev", "-printf", "%P\n"))) {
		name := strings.TrimSpace(line)
		if !regexp.MustCompile(`^(proc|sys|dev|run|tmp|var/(log|cache|tmp)|var/lib/(dpkg|systemd|apt|pam|private$|deb-systemd-helper-(enabled|masked)$)|etc/(machine-id|passwd-?|shadow-?|group-?|gshadow-?|subuid-?|subgid-?|credstore(\.encrypted)?|\.pwd\.lock|\.updated)$|var/\.updated$|root/|etc/systemd/system/(multi-user|graphical)\.target\.wants$)`).MatchString(name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (d *debian) copyIn(src, dst string) {
	d.t.Helper()
	must(d.t, exec.Command("cp", src, d.path(dst)))
}

// newer repacks the package with a higher version and a changed conffile.
func newer(t *testing.T, deb string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, exec.Command("dpkg-deb", "-R", deb, dir+"/x"))
	for path, change := range map[string][2]string{
		"DEBIAN/control":       {"\nVersion: 0.1.0", "\nVersion: 0.2.0"},
		"etc/kiosk/kiosk.yaml": {"# Configuration of one machine.", "# Configuration of one machine, second edition."},
	} {
		text := read(t, filepath.Join(dir, "x", path))
		if !strings.Contains(text, change[0]) {
			t.Fatalf("%s does not have %q", path, change[0])
		}
		ok(t, os.WriteFile(filepath.Join(dir, "x", path), []byte(strings.Replace(text, change[0], change[1], 1)), 0o644))
	}
	must(t, exec.Command("dpkg-deb", "--root-owner-group", "-b", dir+"/x", dir+"/newer.deb"))
	return dir + "/newer.deb"
}

// TestNspawnPackage: what is in the package, and that it comes, stays and goes as Debian's packages do.
func TestNspawnPackage(t *testing.T) {
	info := must(t, exec.Command("dpkg-deb", "-I", *debFlag))
	for _, want := range []string{"Package: kiosk", "Depends: libc6", "postinst", "prerm", "postrm", "conffiles"} {
		if !strings.Contains(info, want) {
			t.Errorf("the package does not say %s:\n%s", want, info)
		}
	}
	for line := range strings.Lines(must(t, exec.Command("dpkg-deb", "-c", *debFlag))) {
		f := strings.Fields(line)
		if f[1] != "root/root" || strings.HasPrefix(f[0], "-") && f[0] != "-rw-r--r--" && f[5] != "./usr/bin/kiosk" || strings.Contains(f[0], "s") || strings.HasSuffix(f[0], "w-") {
			t.Errorf("in the package: %s", line)
		}
	}

	d := unpack(t, bare)
	d.chroot("true") // makes what nspawn itself puts there
	before := d.files()
	d.copyIn(*debFlag, "root/kiosk.deb")
	d.copyIn(newer(t, *debFlag), "root/newer.deb")
	d.chroot("dpkg", "-i", "/root/kiosk.deb")
	d.chroot("dpkg", "-i", "/root/kiosk.deb") // again: every step may run twice
	if s := d.chroot("dpkg", "-s", "kiosk"); !strings.Contains(s, "Status: install ok installed") {
		t.Error(s)
	}
	if out := d.chroot("dpkg", "-V", "kiosk"); out != "" {
		t.Errorf("files are not as packed: %s", out)
	}
	if users := read(t, d.path("etc/passwd")); !strings.Contains(users, "kiosk-display:") {
		t.Error("the user of the screen is not there")
	}
	if groups := read(t, d.path("etc/group")); !strings.Contains(groups, "gpio:") {
		t.Error("the group of GPIO chips is not there")
	}
	enabled := d.path("etc/systemd/system/multi-user.target.wants/kiosk.service")
	if _, err := os.Lstat(enabled); err != nil {
		t.Error("the program is not enabled:", err)
	}
	if _, err := os.Lstat(d.path("etc/systemd/system/graphical.target.wants/kiosk-display.service")); err == nil {
		t.Error("the screen is enabled, and would take the display of a desktop")
	}

	// What udev makes of a serial line by the package's rules and the machine's own: no modem, and the name of its role.
	roles := d.path("etc/udev/rules.d/66-kiosk-roles.rules")
	ok(t, os.WriteFile(roles, []byte("SUBSYSTEM==\"tty\", KERNEL==\"ttyS0\", SYMLINK+=\"kiosk/reader\"\n"), 0o644))
	line := d.chroot("udevadm", "test", "--action=add", "/sys/class/tty/ttyS0")
	for _, want := range []string{"\nID_MM_PORT_IGNORE=1\n", "\nDEVLINKS=/dev/kiosk/reader\n"} {
		if !strings.Contains(line, want) {
			t.Errorf("udev does not give the line %q:\n%s", strings.TrimSpace(want), line)
		}
	}
	ok(t, os.Remove(roles))

	// A technician changes the configuration and disables the unit: an upgrade respects both.
	conf := d.path("etc/kiosk/kiosk.yaml")
	own := strings.Replace(read(t, conf), "machine: DEMO01", "machine: PARK07", 1)
	ok(t, os.WriteFile(conf, []byte(own), 0o644))
	d.chroot("systemctl", "disable", "kiosk.service")
	d.chroot("dpkg", "--force-confdef", "--force-confold", "-i", "/root/newer.deb")
	if read(t, conf) != own {
		t.Error("an upgrade took away what the technician wrote")
	}
	if _, err := os.Stat(conf + ".dpkg-dist"); err != nil {
		t.Error("the new example does not lie beside it:", err)
	}
	if _, err := os.Lstat(enabled); err == nil {
		t.Error("an upgrade enabled what the technician had disabled")
	}
	ok(t, os.MkdirAll(d.path("var/lib/private/kiosk"), 0o700))
	ok(t, os.WriteFile(d.path("var/lib/private/kiosk/journal.db"), []byte("facts"), 0o600))
	ok(t, os.Symlink("private/kiosk", d.path("var/lib/kiosk")))
	d.chroot("dpkg", "-r", "kiosk")
	for _, kept := range []string{conf, d.path("var/lib/private/kiosk/journal.db")} {
		if _, err := os.Stat(kept); err != nil {
			t.Error("removing did not keep:", err)
		}
	}
	d.chroot("dpkg", "--force-confdef", "--force-confold", "-i", "/root/kiosk.deb") // and it comes back
	if read(t, conf) != own {
		t.Error("after removing and installing the technician's configuration is gone")
	}
	ok(t, os.WriteFile(d.path("etc/kiosk/content-of-the-park"), nil, 0o644))
	d.chroot("dpkg", "-P", "kiosk")
	ok(t, os.Remove(d.path("etc/kiosk/content-of-the-park"))) // it has to be there still
	ok(t, os.Remove(d.path("etc/kiosk")))
	for _, name := range d.files() {
		if !slices.Contains(before, name) {
			t.Errorf("purging left %s", name)
		}
	}
}

// TestNspawnService: the units under a real systemd.
func TestNspawnService(t *testing.T) {
	d := unpack(t, bare)
	d.copyIn(*debFlag, "root/kiosk.deb")
	d.copyIn(newer(t, *debFlag), "root/newer.deb")
	d.chroot("dpkg", "-i", "/root/kiosk.deb")
	d.boot()
	active := func() bool { return d.show("kiosk.service", "ActiveState") == "active" }
	pid := func() string { return d.show("kiosk.service", "MainPID") }

	// Type=notify, a user that exists only while it runs, its folders, and what it says of itself.
	d.await("the program is ready", 20*time.Second, active)
	d.await("it says what it does", 20*time.Second, func() bool {
		return strings.HasPrefix(d.show("kiosk.service", "StatusText"), "serving http://127.0.0.1:8080/")
	})
	t.Logf("ready after %s µs of the boot; %s", d.show("kiosk.service", "ActiveEnterTimestampMonotonic"), d.show("kiosk.service", "StatusText"))
	if got := d.show("kiosk.service", "WatchdogTimestampMonotonic"); got == "0" || got == "" {
		t.Errorf("the watchdog was never fed: %q", got)
	}
	d.run("test", "-f", "/var/lib/private/kiosk/journal.db")
	if got := d.run("cat", "/run/kiosk/display.env"); got != "KIOSK_URL=http://127.0.0.1:8080/\n" {
		t.Errorf("the display is told %q", got)
	}
	if who := strings.TrimSpace(d.run("ps", "-o", "user=", "-p", pid())); who == "root" {
		t.Error("it runs as root")
	}
	if out, _ := d.try("kiosk", "status"); !strings.Contains(out, "machine   DEMO01 (kiosk)") {
		t.Errorf("kiosk status says %s", out)
	}
	for _, rules := range strings.Split(d.run("sh", "-c", "udevadm test /sys/class/net/lo 2>&1 || true"), "\n") {
		if strings.Contains(rules, "65-kiosk") && !strings.Contains(rules, "Reading rules file") {
			t.Errorf("udev does not understand: %s", rules)
		}
	}

	// Tokens as credentials, encrypted to the key of this host.
	d.run("sh", "-c", "printf 0123456789abcdef0123 | systemd-creds encrypt --with-key=host --name=upstream.token - /etc/credstore.encrypted/kiosk.upstream.token")
	d.run("systemctl", "restart", "kiosk")
	if got := d.run("cat", "/run/credentials/kiosk.service/upstream.token"); got != "0123456789abcdef0123" {
		t.Errorf("the credential is %q", got)
	}
	d.run("sh", "-c", "printf fedcba9876543210 | systemd-creds encrypt --with-key=host --name=window.token - /etc/credstore.encrypted/kiosk.window.token")
	d.run("systemctl", "restart", "kiosk")
	if got := d.run("ls", "/run/credentials/kiosk.service"); got != "upstream.token\nwindow.token\n" {
		t.Errorf("credentials are %q", got)
	}

	// A configuration that is wrong is said on the screen; the unit stays up.
	conf := read(t, d.path("etc/kiosk/kiosk.yaml"))
	ok(t, os.WriteFile(d.path("etc/kiosk/kiosk.yaml"), []byte("machine: ?\n"), 0o644))
	d.run("systemctl", "restart", "kiosk")
	d.await("it says that the configuration is wrong", 20*time.Second, func() bool {
		return active() && strings.HasPrefix(d.show("kiosk.service", "StatusText"), "out of service: ")
	})
	ok(t, os.WriteFile(d.path("etc/kiosk/kiosk.yaml"), []byte(conf), 0o644))
	d.await("it goes on by itself", 20*time.Second, func() bool { return strings.HasPrefix(d.show("kiosk.service", "StatusText"), "serving ") })

	// A program that hangs starves its watchdog.
	d.dropIn("kiosk.service", "[Service]\nWatchdogSec=3\n")
	d.run("systemctl", "restart", "kiosk")
	d.await("it is ready", 20*time.Second, active)
	hung := pid()
	d.run("kill", "-STOP", hung)
	began := time.Now()
	d.await("the watchdog ends it and it is started anew", time.Minute, func() bool { return active() && pid() != hung && pid() != "0" })
	t.Logf("with WatchdogSec=3 a stopped program was back after %s, NRestarts=%s", time.Since(began).Round(100*time.Millisecond), d.show("kiosk.service", "NRestarts"))
	if log := d.run("journalctl", "--no-pager", "-u", "kiosk"); !strings.Contains(log, "Watchdog timeout (limit 3s)!") {
		t.Errorf("the watchdog is not in the log:\n%s", log)
	}
	d.noDropIns()

	// The requests of the daemon restart the screen; a sleeper plays the browser, for there is no display here.
	d.dropIn("kiosk-display.service", "[Unit]\nConditionPathExists=\n[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/bin/sleep infinity\n")
	d.run("systemctl", "restart", "kiosk")
	d.run("systemctl", "start", "kiosk-display")
	screen := func() string { return d.show("kiosk-display.service", "MainPID") }
	first := screen()
	d.run("touch", "/run/kiosk/restart-display")
	d.await("the screen is restarted", 20*time.Second, func() bool { return screen() != first && screen() != "0" })
	if _, err := d.try("test", "-e", "/run/kiosk/restart-display"); err == nil {
		t.Error("the request is still there")
	}
	second := screen()
	d.await("the daemon itself asks, for no page has come within a minute", 100*time.Second, func() bool { return screen() != second && screen() != "0" })
	d.await("the screen knows the address", 10*time.Second, func() bool {
		env, _ := d.try("sh", "-c", "tr '\\0' '\\n' < /proc/"+screen()+"/environ")
		return strings.Contains(env, "KIOSK_URL=http://127.0.0.1:8080/")
	})
	d.run("systemctl", "stop", "kiosk-display")
	d.run("touch", "/run/kiosk/restart-display")
	time.Sleep(2 * time.Second)
	if state := d.show("kiosk-display.service", "ActiveState"); state != "inactive" {
		t.Errorf("a screen that a technician has stopped is %s", state)
	}
	d.noDropIns()

	// An upgrade of a running machine.
	old := pid()
	d.run("dpkg", "-i", "/root/newer.deb")
	d.await("the new version runs", 20*time.Second, func() bool { return active() && pid() != old })

	// A program that cannot start: ten starts, a reboot, ten starts, a reboot, ten starts, and then a screen that says so.
	d.dropIn("kiosk.service", "[Service]\nExecStart=\nExecStart=/bin/false\n")
	d.dropIn("kiosk-standin.service", "[Service]\nExecStart=\nExecStart=/usr/bin/kiosk standin -config /etc/kiosk/kiosk.yaml -for 20s\n")
	d.try("systemctl", "restart", "kiosk") // fails
	for n := 1; n <= 2; n++ {
		began := time.Now()
		d.rebooted()
		t.Logf("reboot %d, %s after its start", n, time.Since(began).Round(time.Second))
		d.boot()
	}
	leader := d.leader()
	d.await("the stand-in serves its screen", 2*time.Minute, func() bool { return d.show("kiosk-standin.service", "ActiveState") == "active" })
	if leader != d.leader() {
		t.Error("it was rebooted a third time")
	}
	t.Logf("the stand-in says: %s", d.show("kiosk-standin.service", "StatusText"))
	d.noDropIns()                                                  // somebody has mended it meanwhile
	d.dropIn("kiosk.service", "[Unit]\nStartLimitIntervalSec=1\n") // the real ones are ten minutes, and eleven of standing in
	d.await("the daemon is tried again after the stand-in, and runs", time.Minute, active)
	if state := d.show("kiosk-standin.service", "ActiveState"); state != "inactive" {
		t.Errorf("the stand-in is %s beside the daemon", state)
	}

	// Removing stops everything.
	d.run("dpkg", "-P", "kiosk")
	if out := d.run("sh", "-c", "pgrep -a kiosk || true"); out != "" {
		t.Errorf("after purging there runs %s", out)
	}
}

// TestNspawnDisplay: the screen's own unit with the real cage and the real Chromium, which shows the page to a display that is not there.
// Then its page hangs: the daemon notices, the units of root restart the browser, and the page is back.
func TestNspawnDisplay(t *testing.T) {
	d := unpack(t, withScreen)
	d.copyIn(*debFlag, "root/kiosk.deb")
	d.chroot("dpkg", "-i", "/root/kiosk.deb")
	d.boot()
	// Everything of the unit but the terminal and the graphics card, which a container has not.
	d.dropIn("kiosk-display.service", "[Unit]\nConditionPathExists=\n[Service]\nExecStartPre=\nEnvironment=WLR_BACKENDS=headless WLR_RENDERER=pixman WLR_LIBINPUT_NO_DEVICES=1\n")
	d.run("systemctl", "start", "kiosk-display")
	connected := func() bool {
		out, _ := d.try("kiosk", "status")
		return strings.Contains(out, "display   connected")
	}
	d.await("the page is on the screen", time.Minute, connected)
	for line := range strings.Lines(d.run("ps", "-eo", "user:20,args")) {
		if strings.Contains(line, "chromium") && !strings.HasPrefix(line, "kiosk-display ") {
			t.Errorf("the browser runs as another: %s", line)
		}
		if strings.Contains(line, "--no-sandbox") {
			t.Error("the browser has no sandbox")
		}
	}
	if out, err := d.try("sh", "-c", "nsenter -t $(pgrep -o chromium) -m ls -A /home /root /var/lib/private 2>&1"); err == nil && strings.Contains(out, "kiosk") {
		t.Errorf("the browser sees %s", out)
	}
	time.Sleep(15 * time.Second) // it is seen to live
	pages := strings.Fields(d.run("pgrep", "-f", "type=renderer"))
	first := d.show("kiosk-display.service", "MainPID")
	d.run(append([]string{"kill", "-STOP"}, pages...)...)
	began := time.Now()
	d.await("the screen is restarted", time.Minute, func() bool { now := d.show("kiosk-display.service", "MainPID"); return now != first && now != "0" })
	restarted := time.Since(began)
	d.await("the page is back", time.Minute, connected)
	t.Logf("a page that hangs: its browser was restarted after %s, it was back after %s", restarted.Round(100*time.Millisecond), time.Since(began).Round(100*time.Millisecond))
	if got := d.show("kiosk-display.service", "Result"); got != "success" {
		t.Errorf("the unit says %s", got)
	}
	// The policies of the package hold for every Chromium here: this machine's page and nothing else. Looking into a page is itself
	// forbidden by one of them, which is lifted for that.
	policies := d.path("etc/chromium/policies/managed/kiosk.json")
	lifted := strings.Replace(read(t, policies), `"DeveloperToolsAvailability": 2`, `"DeveloperToolsAvailability": 1`, 1)
	ok(t, os.WriteFile(policies, []byte(lifted), 0o644))
	dump := func(url string) string {
		out, err := d.try("timeout", "30", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=/tmp/try", "--dump-dom", url)
		if err != nil {
			t.Errorf("%s: %.300s", url, err)
		}
		return out
	}
	if page := dump("http://127.0.0.1:8080/"); !strings.Contains(page, `id="app"`) {
		t.Errorf("this machine's own page is %.300s", page)
	}
	forbidden := map[string]string{"file:///etc/passwd": "root:x:0", "file:///etc/": "passwd", "data:text/html,hello": "hello"}
	for url, words := range forbidden {
		if page := dump(url); strings.Contains(page, words) {
			t.Errorf("%s is shown: %.300s", url, page)
		}
	}
	ok(t, os.Remove(policies)) // without them all of that is there: the test can see it
	for url, words := range forbidden {
		if page := dump(url); !strings.Contains(page, words) {
			t.Errorf("without the policies %s is %.300q", url, page)
		}
	}
}
