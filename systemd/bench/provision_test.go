//go:build vm

package bench

// TestProvision provisions a machine from nothing: Debian with the package of this commit and its example configuration, a USB
// stick, and a technician's site on this side. Nobody types anything on the machine: the program's request file stands for the
// key of its maintenance screen, and kiosk-stick.service does the rest in its sandbox. It asserts:
//
//   - an empty stick gets the machine's request, and the progress file the code;
//   - the bundle that the site signs for it makes it the machine of its number: it is on trial until it has been well, and then
//     in force; the program runs on it and lets in the window PC that has the token which came sealed in the bundle;
//   - a later version with which the buttons cannot be opened is taken back: the stick's outcome is a failure, the version in
//     force is the one before, and the buttons are online again; the window PC is let in as before.
//
// A drop-in shortens how long a version must be well (10 s for 30 s) and may take for it (45 s for 5 min).

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/api"
	"yuanban/systemd/bench/machine"
)

const (
	stickRequest  = "/run/kiosk/stick"
	stickProgress = "/run/kiosk-provision/progress.json"
	shortTrial    = `[Service]
ExecStart=
ExecStart=/usr/bin/rm -f /run/kiosk/stick
ExecStart=/usr/bin/kiosk provision stick -well 10s -patience 45s -progress /run/kiosk-provision/progress.json
`
)

func TestProvision(t *testing.T) {
	g := build(t)
	m := start(t, setup(t, g, machine.Config{}))
	a := equip(t, newPlatform(t), m)
	defer a.tell()
	defer func() {
		if t.Failed() {
			t.Log(a.run("journalctl", "-u", "kiosk-stick", "-n", "40", "--no-pager"))
		}
	}()
	installPackage(t, m)
	a.wait("the example's configuration", func(s api.Status) bool { return s.Machine == "DEMO01" })
	if err := m.Agent().Put(t.Context(), "/etc/systemd/system/kiosk-stick.service.d/bench.conf", 0o644, strings.NewReader(shortTrial)); err != nil {
		t.Fatal(err)
	}
	a.run("systemctl", "daemon-reload")
	a.keepDisplay()
	s := newSite(t)

	said := a.stick(s.dir("empty"), s.dir("asked"))
	if said.Step != "Ask" || said.Code == "" {
		t.Fatalf("an empty stick ended as %+v", said)
	}
	requests, err := filepath.Glob(filepath.Join(s.dir("asked"), "*.request"))
	if err != nil || len(requests) != 1 {
		t.Fatalf("on the stick are the requests %q, %v", requests, err)
	}
	s.configure("button-5")
	s.kiosk("site", "approve", "-code", said.Code, "-number", machineName, "-out", s.dir("first"), requests[0])

	began := time.Now()
	if said = a.stick(s.dir("first"), ""); said.Step != "Done" || said.Version != 1 {
		t.Fatalf("the first bundle ended as %+v", said)
	}
	a.wait("provisioned", func(s api.Status) bool { return s.Machine == machineName && buttonsOnline(s) })
	if _, err := a.invite(windowToken, "PROVISION-1", 1); err != nil {
		t.Errorf("the window PC of the bundle: %v", err)
	}
	say("provisioned from nothing by a stick: version 1 in force %.1f s after the signed bundle was plugged in, trial of 10 s included", time.Since(began).Seconds())

	s.configure("no such line")
	s.kiosk("site", "bundle", "-number", machineName, "-out", s.dir("second"))
	began = time.Now()
	if said = a.stick(s.dir("second"), ""); said.Step != "Failed" || said.Version != 1 {
		t.Fatalf("a version with which the buttons cannot be opened ended as %+v", said)
	}
	a.wait("taken back", func(s api.Status) bool { return s.Machine == machineName && buttonsOnline(s) })
	if _, err := a.invite(windowToken, "PROVISION-2", 1); err != nil {
		t.Errorf("the window PC after the version was taken back: %v", err)
	}
	say("a version that breaks the buttons was taken back, all well again %.1f s after the stick was plugged in, patience of 45 s included: %s", time.Since(began).Seconds(), said.Text)
}

// progress is the progress file of kiosk provision stick.
type progress struct {
	Step    string
	Text    string
	Code    string
	Version int64
}

// stick plugs a stick with the files of a folder in, has the machine do what it is for, pulls it, and copies what is on it then
// into the folder to, unless that is "".
func (a *appliance) stick(from, to string) progress {
	a.t.Helper()
	image := filepath.Join(a.t.TempDir(), "stick.img")
	a.host("mke2fs", "-q", "-t", "ext4", "-d", from, image, "128M")
	if err := a.m.PlugStick(a.t.Context(), image); err != nil {
		a.t.Fatal(err)
	}
	a.eventually("the guest has noticed the stick", func() bool {
		_, err := a.m.Agent().Output(a.t.Context(), "test", "-b", "/dev/sda")
		return err == nil
	})
	a.run("rm", "-f", stickProgress)
	a.run("touch", stickRequest)
	var p progress
	began := time.Now()
	for p.Step != "Ask" && p.Step != "Done" && p.Step != "Failed" {
		if time.Since(began) > 4*time.Minute {
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
	a.run("sync")
	if err := a.m.PullStick(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	if to != "" {
		a.host("debugfs", "-R", "rdump / "+to, image)
	}
	return p
}

// host runs a program on this side.
func (a *appliance) host(args ...string) {
	a.t.Helper()
	if out, err := exec.CommandContext(a.t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		a.t.Fatalf("%s: %v: %s", args, err, out)
	}
}

// keepDisplay is a screen that is there again after each start of the program.
func (a *appliance) keepDisplay() {
	ctx, cancel := context.WithCancel(a.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
			conn, err := a.dialDisplay(ctx)
			if err != nil {
				continue
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			stop()
			conn.Close()
		}
	}()
	a.t.Cleanup(func() {
		cancel()
		<-done
	})
}

// technician is the site on the technician's laptop.
type technician struct {
	t       *testing.T
	program string
	root    string
}

func newSite(t *testing.T) *technician {
	t.Helper()
	s := &technician{t: t, root: t.TempDir()}
	var err error
	if s.program, err = filepath.Abs(filepath.Join(cache, "bin", "kiosk")); err != nil {
		t.Fatal(err)
	}
	goTool(t, []string{"CGO_ENABLED=1"}, "build", "-trimpath", "-o", s.program, "yuanban/kiosk")
	s.kiosk("site", "init")
	s.write("machines.csv", "number,role,place\n"+machineName+",pad,窗口\n")
	s.kiosk("site", "plan", "machines.csv")
	s.write("site/payload/secrets/"+machineName+"/window.token", windowToken+"\n")
	return s
}

// kiosk runs kiosk provision in the site's folder.
func (s *technician) kiosk(args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, append([]string{"provision"}, args...)...)
	cmd.Dir = s.root
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("kiosk provision %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (s *technician) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

// dir is a folder of the site's, made if need be.
func (s *technician) dir(name string) string {
	s.t.Helper()
	path := filepath.Join(s.root, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// configure writes the configuration of the site's machines, whose button 5 is on this line.
func (s *technician) configure(line string) {
	s.t.Helper()
	text := strings.Replace(configPad(), "machine: "+machineName, "machine: {{.number}}", 1)
	s.write("site/payload/kiosk.yaml", strings.Replace(text, "5: button-5", "5: "+line, 1))
}
