//go:build vm

package bench

// TestProvision makes an accepted 24-hour machine of a bare Debian, as a technician does with a laptop, a USB stick and a keyboard at
// the machine, without any network, and takes the time of each step: the ten minutes of provisioning/README.md, word by word. All
// durations of the program are those of the package. It asserts:
//
//   - the package installs from the stick;
//   - probe finds the reader and the printer, whose names of roles are there after its rules, the line on which nobody answers and
//     both GPIO chips; what it proposes is used as it stands, but for the machine's number;
//   - learn finds the line of each button by one press of each, with contacts that bounce;
//   - the request goes to the laptop and the signed bundle to the machine, both on the stick; the version is in force after its trial;
//   - accept proves every device and the platform: a card is read, the page that is printed is read by whoever types what stands on it,
//     five presses, the lamps. The score is what the person's answers make it; the report is signed, genuine on the machine and on the
//     laptop, by the key that stands on the printed one;
//   - the machine then runs, with everything online; a second acceptance with a button exchanged does not pass;
//   - the nightly self-test passes.
//
// The kernel's display is one that nobody looks at; the page that the program shows is on this side. The guest has no loudspeaker and no
// touch panel, so the person says no to both: 92 of 100.

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/kiosk/api"
	"yuanban/systemd/bench/machine"
	"yuanban/systemd/bench/panel"
)

func TestProvision(t *testing.T) {
	g := build(t)
	l, deb := newLaptop(t, "kiosk"), builtPackage(t)
	watch := &stopwatch{began: time.Now(), last: time.Now()}
	a := equip(t, newPlatform(t), start(t, setup(t, g, machine.Config{Serial: []string{"com1", "com2"}, USB: []string{"usb1"},
		Screen: machine.Screen{Width: 1080, Height: 1920}})))
	defer a.tell()
	if err := a.m.Plug(t.Context(), "usb1"); err != nil {
		t.Fatal(err)
	}
	a.serveDevices(fastLine)
	a.keepDisplay()
	k := a.newStick()
	watch.lap("power-on of a bare Debian")

	a.host("cp", deb, k.dir)
	k.plug(a)
	a.run("mount", "/dev/sda", "/mnt")
	dpkg(t, a.m, "/mnt/"+filepath.Base(deb))
	a.wait("the example's configuration", func(s api.Status) bool { return s.Machine == "DEMO01" })
	watch.lap("the package installed from the stick")

	a.run("systemctl", "stop", "kiosk")
	a.probe()
	watch.lap("probe")
	a.learn("/mnt/learned.yaml")
	watch.lap("learn")
	code := a.askOnStick()
	a.run("umount", "/mnt")
	k.pull(a)

	l.configureKiosk(a, k)
	l.kiosk("site", "approve", "-code", code, "-number", machineName, "-out", k.dir, l.one(filepath.Join(k.dir, "*.request")))
	watch.lap("ask, and approve on the laptop")
	k.plug(a)
	a.run("mount", "/dev/sda", "/mnt")
	took := a.output("kiosk", "provision", "apply", "/mnt/"+machineName+"-1.bundle")
	if !strings.Contains(took, "machine  "+machineName) || !strings.Contains(took, "version  1") {
		t.Fatalf("apply says:\n%s", took)
	}
	a.wait("provisioned", func(s api.Status) bool { return s.Machine == machineName && allOnline(s) })
	watch.lap("apply, with its trial of 30 s")

	said, err := a.accept(5, 4, 3, 2, 1)
	if err != nil {
		t.Fatalf("accept ends with %v:\n%s", err, said)
	}
	watch.lap("accept")
	a.judgeReport(l, k, said)
	a.run("systemctl", "start", "kiosk")
	a.wait("accepted", allOnline)
	a.run("systemctl", "start", "kiosk-selftest") // fails unless all is well
	watch.lap("back to work, and the self-test")
	watch.end()

	if said, err = a.accept(5, 3); err == nil || !strings.Contains(said, "the lines are exchanged") || !strings.Contains(said, "NOT PASSED") {
		t.Errorf("with two buttons exchanged accept ends with %v:\n%s", err, said)
	}
}

// stopwatch takes the time of each step.
type stopwatch struct {
	began, last time.Time
	laps        []string
}

func (w *stopwatch) lap(what string) {
	now := time.Now()
	w.laps = append(w.laps, fmt.Sprintf("%s %.1f s", what, now.Sub(w.last).Seconds()))
	say("%s: %.1f s", what, now.Sub(w.last).Seconds())
	w.last = now
}

func (w *stopwatch) end() {
	say("from power-on to an accepted machine: %.1f s of the machine (%s)", w.last.Sub(w.began).Seconds(), strings.Join(w.laps, "; "))
}

// output runs a program in the guest for as long as it may take, and fails the test if it fails.
func (a *appliance) output(args ...string) string {
	a.t.Helper()
	out, err := a.m.Agent().Output(a.t.Context(), args...)
	if err != nil {
		a.t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// probe asks who is there, names the devices after their roles, and leaves the proposal on the stick.
func (a *appliance) probe() {
	a.t.Helper()
	const rules = "/etc/udev/rules.d/66-kiosk-roles.rules"
	said := a.output("kiosk", "provision", "probe", "-rules", rules, "-o", "/mnt/found.yaml")
	for _, want := range []string{a.m.SerialPath("com1"), a.m.SerialPath("com2"), a.m.USBPath("usb1"), panel.Label, panel.SpareLabel} {
		if !strings.Contains(said, want) {
			a.t.Errorf("probe does not name %s:\n%s", want, said)
		}
	}
	a.run("udevadm", "control", "--reload")
	a.run("udevadm", "trigger", "--settle", "--subsystem-match=tty")
	for role, port := range map[string]string{"reader": a.m.SerialPath("com1"), "printer": a.m.USBPath("usb1")} {
		if got, want := a.run("readlink", "-f", "/dev/kiosk/"+role), a.run("readlink", "-f", port); got != want {
			a.t.Errorf("/dev/kiosk/%s is %s, not %s", role, got, want)
		}
	}
	if printed := a.paper.Receipts(); len(printed) != 0 {
		a.t.Errorf("the printer was asked who it is, and printed %+v", printed)
	}
}

// learn presses each button once, and leaves what was learned in a file.
func (a *appliance) learn(file string) {
	a.t.Helper()
	d := a.talk("kiosk", "provision", "learn", "-chip", panel.Label)
	d.until("Press nothing")
	a.press(d, 5, 4, 3, 2, 1)
	d.until("active-low: ")
	said, err := d.end()
	_, learned, found := strings.Cut(said, "\n\n")
	if err != nil || !found {
		a.t.Fatalf("learn ends with %v:\n%s", err, said)
	}
	if err := a.m.Agent().Put(a.t.Context(), file, 0o644, strings.NewReader(learned)); err != nil {
		a.t.Fatal(err)
	}
}

// press presses these buttons, one each time the program asks for the next of the five.
func (a *appliance) press(d *dialogue, buttons ...int) {
	a.t.Helper()
	for i, b := range buttons {
		d.until(fmt.Sprintf("(%d)", 5-i))
		if err := a.hands.Do(fmt.Sprintf("bounce %d", b)); err != nil {
			a.t.Fatal(err)
		}
	}
}

var codeLine = regexp.MustCompile(`(?m)^code +(\S+)$`)

// askOnStick writes the request on the stick, and returns the code.
func (a *appliance) askOnStick() string {
	a.t.Helper()
	said := a.output("kiosk", "provision", "ask", "-number", machineName, "/mnt")
	code := codeLine.FindStringSubmatch(said)
	if code == nil {
		a.t.Fatalf("ask says:\n%s", said)
	}
	return code[1]
}

// configureKiosk makes the site's configuration of what the stick brought.
func (l *laptop) configureKiosk(a *appliance, k *usbStick) {
	l.t.Helper()
	found := l.read(filepath.Join(k.dir, "found.yaml"))
	for _, want := range []string{"role: kiosk", "reader:\n  port: /dev/kiosk/reader", "printer:\n  port: /dev/kiosk/printer", "screen: {width: 1080, height: 1920"} {
		if !strings.Contains(found, want) {
			l.t.Errorf("probe does not propose %q:\n%s", want, found)
		}
	}
	found = regexp.MustCompile(`(?m)^machine: DEMO01.*$`).ReplaceAllString(found, "machine: {{.number}}")
	learned := l.read(filepath.Join(k.dir, "learned.yaml"))
	_, lamps, _ := strings.Cut(configPanel, "lamps:")
	l.write("site/payload/kiosk.yaml", found+learned+"lamps:"+lamps+a.upstream())
}

// accept goes through the acceptance as the technician who presses these buttons, and returns all that was said.
func (a *appliance) accept(buttons ...int) (string, error) {
	a.t.Helper()
	had := len(a.paper.Receipts())
	d := a.talk("kiosk", "provision", "accept", "-yes-i-am", "林师傅")
	d.until("Touch what is in the four corners")
	d.answer("no")
	d.until("Did you hear it?")
	d.answer("no")
	d.until("press Enter")
	a.run("systemctl", "stop", "kiosk")
	d.answer("")
	d.until("Lay any ID card on the reader")
	if err := a.card.Lay(idcard.Examples()[0]); err != nil {
		a.t.Fatal(err)
	}
	d.until("a card was read")
	a.card.Remove()
	d.until("Type the three large characters")
	d.answer(a.readTestPage(had))
	changed := a.watchLamps()
	a.press(d, buttons...)
	d.until("Did all lamps light up")
	lamps := "no"
	if got, _ := changed(); got == "1 2 3 4 5" {
		lamps = "yes"
	}
	d.answer(lamps)
	d.until("Start the program again")
	return d.end()
}

var testCode = regexp.MustCompile(`^[A-Z0-9]{3}$`)

// readTestPage reads the three characters on the page that came out of the printer.
func (a *appliance) readTestPage(number int) (code string) {
	a.t.Helper()
	papers := a.paper.Receipts()
	if len(papers) != number+1 || papers[number].Partial {
		a.t.Fatalf("the test page is not there: %+v", papers)
	}
	for _, line := range papers[number].Lines {
		if line = strings.TrimSpace(line); testCode.MatchString(line) {
			code = line
		}
	}
	return code
}

var (
	reportPath  = regexp.MustCompile(`(?m)^report +(\S+)$`)
	reportScore = regexp.MustCompile(`(?m)^score +(\d+) of 100`)
	fingerprint = regexp.MustCompile(`key ([0-9a-f]{4}(?:-[0-9a-f]{4}){7})`)
)

// judgeReport looks at the report on the machine, on the laptop and on paper.
func (a *appliance) judgeReport(l *laptop, k *usbStick, said string) {
	a.t.Helper()
	path, score := reportPath.FindStringSubmatch(said), reportScore.FindStringSubmatch(said)
	if path == nil || score == nil {
		a.t.Fatalf("accept says:\n%s", said)
	}
	a.run("cp", path[1], "/mnt")
	if score[1] != "92" {
		a.t.Errorf("the score is %s, and all but touch and sound were well:\n%s", score[1], said)
	}
	verified := a.output("kiosk", "provision", "accept", "-verify", path[1])
	if !strings.Contains(verified, "genuine: signed by this machine") {
		a.t.Errorf("on the machine its report is:\n%s", verified)
	}
	a.run("umount", "/mnt")
	k.pull(a)
	onLaptop := l.kiosk("accept", "-verify", filepath.Join(k.dir, filepath.Base(path[1])))
	key := fingerprint.FindStringSubmatch(onLaptop)
	if key == nil || !strings.Contains(verified, key[1]) {
		a.t.Fatalf("on the laptop the report is:\n%s", onLaptop)
	}
	papers := a.paper.Receipts()
	paper := written(papers[len(papers)-1])
	for _, want := range []string{"设备验收报告", machineName, "林师傅", score[1] + "分通过", key[1]} {
		if !strings.Contains(paper, strings.ReplaceAll(want, " ", "")) {
			a.t.Errorf("the printed report does not say %q:\n%s", want, strings.Join(papers[len(papers)-1].Lines, "\n"))
		}
	}
	a.t.Logf("the report:\n%s\non paper:\n%s", onLaptop, strings.Join(papers[len(papers)-1].Lines, "\n"))
}
