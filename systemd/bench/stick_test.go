//go:build vm

package bench

// TestStick provisions a rating pad from nothing as somebody does who stands before it without a keyboard: the program's request
// file stands for the key 从U盘更新 of its maintenance screen, and kiosk-stick.service does the rest in its sandbox. It asserts:
//
//   - an empty stick gets the machine's request, and the progress file the code;
//   - the bundle that the site signs for it makes it the machine of its number: it is on trial until it has been well, and then
//     in force; the program runs on it and lets in the window PC that has the token which came sealed in the bundle;
//   - a later version with which the buttons cannot be opened is taken back: the stick's outcome is a failure, the version in
//     force is the one before, and the buttons are online again; the window PC is let in as before;
//   - another machine, fresh from its box, takes the place of this one under the same number: at the platform its facts begin an
//     epoch of their own, and nothing is refused.
//
// A drop-in shortens how long a version must be well (10 s for 30 s) and may take for it (45 s for 5 min).

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/evaluation"
	"yuanban/systemd/bench/machine"
)

func TestStick(t *testing.T) {
	g := build(t)
	platform := newPlatform(t)
	l := newLaptop(t, "pad")
	first := outOfTheBox(t, equip(t, platform, start(t, setup(t, g, machine.Config{}))))
	first.keepDisplay()
	l.configurePad("button-5", first.upstream())
	k := first.newStick()
	took := first.enrolByStick(l, k)
	say("a pad from nothing by a stick: version 1 in force %.1f s after the signed bundle was plugged in, trial of 10 s included", took.Seconds())

	l.configurePad("no such line", first.upstream())
	k.empty()
	l.kiosk("site", "bundle", "-number", machineName, "-out", k.dir)
	began := time.Now()
	said := first.useStick(k)
	if said.Step != "Failed" || said.Version != 1 {
		t.Fatalf("a version with which the buttons cannot be opened ended as %+v", said)
	}
	first.isProvisioned("PROVISION-2")
	say("a version that breaks the buttons was taken back, all well again %.1f s after the stick was plugged in, patience of 45 s included: %s", time.Since(began).Seconds(), said.Text)
	first.delivered()
	first.m.PowerCut() // and carried away

	l.configurePad("button-5", first.upstream())
	second := outOfTheBox(t, equip(t, platform, start(t, setup(t, g, machine.Config{}))))
	second.keepDisplay()
	took = second.enrolByStick(l, second.newStick(), "-replace")
	say("another machine in its place, under the same number: in force %.1f s after the bundle was plugged in", took.Seconds())
	second.delivered()
	epochs := map[string]bool{}
	for _, r := range platform.Records() {
		epochs[r.Epoch] = true
	}
	if len(epochs) != 2 {
		t.Errorf("two machines have been %s, and the platform has the epochs %v", machineName, epochs)
	}
	if problems := platform.Problems(); len(problems) > 0 {
		t.Errorf("the platform had to refuse: %q", problems)
	}
}

// outOfTheBox is a machine with the package of this commit and the example's configuration.
func outOfTheBox(t *testing.T, a *appliance) *appliance {
	t.Helper()
	installPackage(t, a.m)
	a.wait("the example's configuration", func(s api.Status) bool { return s.Machine == "DEMO01" })
	a.shortTrials()
	return a
}

// shortTrials shortens the trials of all units that make one.
func (a *appliance) shortTrials() {
	a.t.Helper()
	const short = " -well 10s -patience 45s"
	kept := `/bin/sh -c 'k=/var/lib/kiosk-provision/kiosk.before; [ -x "$k" ] || k=/usr/bin/kiosk; exec "$k" provision resume` + short + `'`
	for unit, lines := range map[string][]string{
		"kiosk-stick":  {"/usr/bin/rm -f " + stickRequest, "/usr/bin/kiosk provision stick -progress " + stickProgress + short},
		"kiosk-fetch":  {"/usr/bin/kiosk provision fetch" + short},
		"kiosk-resume": {kept},
	} {
		text := "[Service]\nExecStart=\n"
		for _, line := range lines {
			text += "ExecStart=" + line + "\n"
		}
		if err := a.m.Agent().Put(a.t.Context(), "/etc/systemd/system/"+unit+".service.d/bench.conf", 0o644, strings.NewReader(text)); err != nil {
			a.t.Fatal(err)
		}
	}
	a.run("systemctl", "daemon-reload")
}

// enrolByStick goes twice to the machine with a stick, and says how long the second time took.
func (a *appliance) enrolByStick(l *laptop, k *usbStick, flags ...string) time.Duration {
	a.t.Helper()
	said := a.useStick(k)
	if said.Step != "Ask" || said.Code == "" {
		a.t.Fatalf("an empty stick ended as %+v", said)
	}
	args := append([]string{"site", "approve", "-code", said.Code, "-number", machineName, "-out", k.dir}, flags...)
	l.kiosk(append(args, l.one(filepath.Join(k.dir, "*.request")))...)
	began := time.Now()
	if said = a.useStick(k); said.Step != "Done" {
		a.t.Fatalf("the signed bundle ended as %+v", said)
	}
	a.isProvisioned("PROVISION-1")
	return time.Since(began)
}

// isProvisioned waits until the pad is the machine of its site, and has it rated once.
func (a *appliance) isProvisioned(caseNumber string) {
	a.t.Helper()
	a.wait("provisioned", func(s api.Status) bool { return s.Machine == machineName && buttonsOnline(s) })
	var id string
	a.eventually("the window PC of the bundle is let in", func() (ok bool) {
		var err error
		id, err = a.invite(windowToken, caseNumber, 1)
		return err == nil // the pad may still thank for a rating
	})
	if err := a.hands.Do("bounce 5"); err != nil {
		a.t.Fatal(err)
	}
	a.eventually("it is rated", func() bool { return a.invitation(id) == evaluation.Rated })
}

const (
	stickRequest  = "/run/kiosk/stick"
	stickProgress = "/run/kiosk-provision/progress.json"
)

// progress is the progress file of kiosk provision stick.
type progress struct {
	Step    string
	Text    string
	Code    string
	Version int64
}

// useStick plugs the stick in, has the machine do what it is for, and pulls it.
func (a *appliance) useStick(k *usbStick) progress {
	a.t.Helper()
	k.plug(a)
	a.run("rm", "-f", stickProgress)
	a.run("touch", stickRequest)
	var p progress
	began := time.Now()
	for p.Step != "Ask" && p.Step != "Done" && p.Step != "Failed" {
		if time.Since(began) > 4*time.Minute {
			a.t.Log(a.run("journalctl", "-u", "kiosk-stick", "-n", "40", "--no-pager"))
			a.t.Fatalf("the stick is at %+v after four minutes", p)
		}
		time.Sleep(200 * time.Millisecond)
		if text, err := a.m.Agent().Get(a.t.Context(), stickProgress); err == nil {
			_ = json.Unmarshal(text, &p) // replaced in one step
		}
	}
	a.eventually("the stick is unmounted", func() bool {
		state, _ := a.m.Agent().Output(a.t.Context(), "systemctl", "is-active", "kiosk-stick.service")
		return state == "inactive" || state == "failed"
	})
	k.pull(a)
	return p
}

// usbStick is a USB stick with an ext4 file system. While it is not plugged in its files are in dir, on this side.
type usbStick struct {
	dir   string
	image string
}

func (a *appliance) newStick() *usbStick {
	k := &usbStick{dir: filepath.Join(a.t.TempDir(), "stick"), image: filepath.Join(a.t.TempDir(), "stick.img")}
	if err := os.Mkdir(k.dir, 0o755); err != nil {
		a.t.Fatal(err)
	}
	return k
}

// empty takes away what is on it.
func (k *usbStick) empty() {
	files, _ := filepath.Glob(filepath.Join(k.dir, "*"))
	for _, f := range files {
		os.RemoveAll(f)
	}
}

// plug makes the stick's file system of its files, plugs it in and waits until the guest has noticed.
func (k *usbStick) plug(a *appliance) {
	a.t.Helper()
	_ = os.Remove(k.image)
	a.host("mke2fs", "-q", "-t", "ext4", "-d", k.dir, k.image, "128M")
	if err := a.m.PlugStick(a.t.Context(), k.image); err != nil {
		a.t.Fatal(err)
	}
	a.eventually("the guest has noticed the stick", func() bool {
		_, err := a.m.Agent().Output(a.t.Context(), "test", "-b", "/dev/sda")
		return err == nil
	})
}

// pull pulls it, which nobody may have mounted any more, and takes its files to this side.
func (k *usbStick) pull(a *appliance) {
	a.t.Helper()
	a.run("sync")
	if err := a.m.PullStick(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	k.empty()
	a.host("debugfs", "-R", "rdump / "+k.dir, k.image)
}

// host runs a program on this side.
func (a *appliance) host(args ...string) {
	a.t.Helper()
	if out, err := exec.CommandContext(a.t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		a.t.Fatalf("%s: %v: %s", args, err, out)
	}
}
