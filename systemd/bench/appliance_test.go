//go:build vm

package bench

// The appliance: the package of this commit installed in the guest, with everything that stands around it on this side.

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/api"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/upstream"
	"yuanban/systemd/bench/agent"
	"yuanban/systemd/bench/machine"
	"yuanban/systemd/bench/panel"
)

// TestAppliance starts one machine with the package installed, and shows on it what hang_test.go, visit_test.go, pull_test.go,
// trouble_test.go and pad_test.go assert, in this order.
func TestAppliance(t *testing.T) {
	g := build(t)
	m := start(t, setup(t, g, machine.Config{Serial: []string{"com1"}, USB: []string{"usb1"}}))
	if err := m.Plug(t.Context(), "usb1"); err != nil {
		t.Fatal(err)
	}
	output(t, m, "udevadm", "wait", "--timeout=10", m.USBPath("usb1"))
	a := equip(t, newPlatform(t), m)
	a.serveDevices(slowLine)
	a.install(configKiosk(m))
	a.wait("installed", allOnline)
	for _, part := range []struct {
		name string
		test func(a *appliance)
	}{{"hang", (*appliance).testHang}, {"visit", (*appliance).testVisit}, {"pull", (*appliance).testPull}, {"trouble", (*appliance).testTrouble}, {"pad", (*appliance).testPad},
		{"disk", (*appliance).testBrokenDisk}} {
		t.Run(part.name, func(t *testing.T) {
			of := *a
			of.t = t
			defer of.tell()
			part.test(&of)
		})
	}
	if problems := a.platform.Problems(); len(problems) > 0 {
		t.Errorf("the platform had to refuse: %q", problems)
	}
}

// platformAddr is where the program in the guest finds the platform.
const platformAddr = "127.0.0.1:9090"

// appliance is the installed program and what stands around it.
type appliance struct {
	service
	m        *machine.Machine
	card     *idcard.Sim
	paper    *printer.Sim
	hands    devicetest.Hands // at the panel
	eyes     *panel.Panel     // on its lamps, while the hands are busy
	platform *upstream.Simulator
}

// newPlatform makes a platform, which outlives every machine.
func newPlatform(t *testing.T) *upstream.Simulator {
	t.Helper()
	private, _, err := casefile.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	platform, err := upstream.NewSimulator(private)
	if err != nil {
		t.Fatal(err)
	}
	return platform
}

// equip sets the platform and the panel up around a machine that has just started.
func equip(t *testing.T, platform *upstream.Simulator, m *machine.Machine) *appliance {
	t.Helper()
	a := &appliance{service: *newService(t, m), m: m, platform: platform, hands: panelHands(t, m)}
	var err error
	if a.eyes, err = panel.Open(t.Context(), m.Agent()); err != nil {
		t.Fatal(err)
	}
	l, err := m.Agent().Listen(t.Context(), "tcp", platformAddr)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: platform, ReadHeaderTimeout: time.Minute}
	serving := make(chan struct{})
	go func() {
		defer close(serving)
		_ = server.Serve(l) // until the machine is off, or the test over
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-serving
	})
	return a
}

// How fast the printer takes its bytes, in baud, as a line of that speed would bring them: qemu's line has none. On a slow one a
// receipt takes seconds, in which its cable can be pulled.
const (
	slowLine = 9600
	fastLine = 115200
)

// serveDevices puts a reader on com1 and a printer on usb1, whose line has this speed.
func (a *appliance) serveDevices(baud int) {
	a.t.Helper()
	profile, err := printer.ByName("epson80")
	if err != nil {
		a.t.Fatal(err)
	}
	a.card, a.paper = idcard.NewSim(nil), printer.NewSim(profile, &printer.SimOpts{Baud: baud})
	atReader, atPrinter := take(a.t, a.m, "com1"), take(a.t, a.m, "usb1")
	serve(a.t, func(ctx context.Context) error { return a.card.Serve(ctx, atReader) })
	serve(a.t, func(ctx context.Context) error { return a.paper.Serve(ctx, atPrinter) })
}

// install installs the package over a configuration that is there, to which the platform is added.
func (a *appliance) install(config string) {
	a.t.Helper()
	install(a.t, a.m, config+a.upstream())
}

// upstream is the configuration of the platform.
func (a *appliance) upstream() string {
	return fmt.Sprintf("upstream: {url: \"http://%s\", seal-key: %q}\n", platformAddr, base64.StdEncoding.EncodeToString(a.platform.PublicKey()))
}

// tell shows the program's log if something is wrong.
func (a *appliance) tell() {
	if a.t.Failed() {
		a.t.Log(output(a.t, a.m, "journalctl", "-u", "kiosk", "-n", "80", "--no-pager"))
	}
}

// run runs a program in the guest, which must not fail.
func (a *appliance) run(args ...string) string { return output(a.t, a.m, args...) }

// eventually waits a minute for something.
func (a *appliance) eventually(what string, is func() bool) {
	a.t.Helper()
	a.within(time.Minute, what, is)
}

// within waits so long for something.
func (a *appliance) within(d time.Duration, what string, is func() bool) {
	a.t.Helper()
	for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > d {
			a.t.Fatalf("did not happen within %v: %s", d, what)
		}
	}
}

// delivered waits until the platform has everything that is in the journal.
func (a *appliance) delivered() api.Status {
	a.t.Helper()
	var s api.Status
	a.wait("everything is at the platform", func(now api.Status) bool {
		s = now
		return s.Journal == "ok" && s.Platform.Online && s.Platform.Backlog == 0
	})
	return s
}

// facts are the facts of a kind and subject at the platform; "" for any subject.
func (a *appliance) facts(kind, subject string) (found []upstream.Record) {
	for _, r := range a.platform.Records() {
		if r.Kind == kind && (subject == "" || r.Subject == subject) {
			found = append(found, r)
		}
	}
	return found
}

// book is what is in the journal.
type book struct {
	given, opened map[string]int // facts rating.given and invitation.opened of each invitation
	last          int64          // sequence of the last fact
	jobs          []journal.PrintJob
}

// readJournal stops the program, reads its journal on this side, verifies its chain, and starts the program again.
func (a *appliance) readJournal() book {
	a.t.Helper()
	a.run("systemctl", "stop", "kiosk")
	dir := a.t.TempDir()
	unpack := exec.CommandContext(a.t.Context(), "tar", "-C", dir, "-x")
	var tar bytes.Buffer
	err := a.m.Agent().Run(a.t.Context(), agent.Cmd{Args: []string{"tar", "-C", "/var/lib/private/kiosk", "-c", "."}, Stdout: &tar})
	a.run("systemctl", "reset-failed", "kiosk") // begins the budget of starts anew
	a.run("systemctl", "start", "kiosk")
	unpack.Stdin = &tar
	if err := errors.Join(err, unpack.Run()); err != nil {
		a.t.Fatalf("cannot fetch the journal: %v", err)
	}
	j, err := journal.Open(a.t.Context(), filepath.Join(dir, "journal.db"), journal.Options{Machine: machineName})
	if err != nil {
		a.t.Fatal(err)
	}
	defer j.Close()
	if err := j.Verify(a.t.Context()); err != nil {
		a.t.Error(err)
	}
	b := book{given: map[string]int{}, opened: map[string]int{}}
	if err := j.Read(a.t.Context(), b.read); err != nil {
		a.t.Fatal(err)
	}
	return b
}

func (b *book) read(q journal.Queryer) error {
	for kind, of := range map[string]map[string]int{"rating.given": b.given, "invitation.opened": b.opened} {
		rows, err := q.Query(`SELECT subject FROM fact WHERE kind = ?`, kind)
		if err != nil {
			return err
		}
		for rows.Next() {
			var subject string
			if err := rows.Scan(&subject); err != nil {
				return errors.Join(err, rows.Close())
			}
			of[subject]++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	rows, err := q.Query(`SELECT id, kind, subject, copy, state, reason FROM print_job ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var j journal.PrintJob
		if err := rows.Scan(&j.ID, &j.Kind, &j.Subject, &j.Copy, &j.State, &j.Reason); err != nil {
			return err
		}
		b.jobs = append(b.jobs, j)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return q.QueryRow(`SELECT coalesce(max(sequence), 0) FROM fact`).Scan(&b.last)
}

// watchLamps looks at the lamps until the function that it returns is called, which says which were seen to change.
func (a *appliance) watchLamps() func() (changed string, seen map[string]bool) {
	ctx, stop := context.WithCancel(a.t.Context())
	seen := map[string]bool{} // "lamp-3 lit"
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			for n := 1; n <= 5; n++ {
				line := fmt.Sprintf("lamp-%d", n)
				if high, err := a.eyes.High(ctx, line); err == nil {
					seen[line+map[bool]string{true: " dark", false: " lit"}[high]] = true
				}
			}
		}
	}()
	return func() (string, map[string]bool) {
		stop()
		<-done
		var changed []string
		for n := 1; n <= 5; n++ {
			if seen[fmt.Sprintf("lamp-%d lit", n)] && seen[fmt.Sprintf("lamp-%d dark", n)] {
				changed = append(changed, fmt.Sprint(n))
			}
		}
		return strings.Join(changed, " "), seen
	}
}

// oneRating asserts that an invitation has been rated once, in the journal and at the platform, by a button with this level.
func (a *appliance) oneRating(b book, id, level string) {
	a.t.Helper()
	facts := a.facts("rating.given", id)
	if b.given[id] != 1 || len(facts) != 1 {
		a.t.Fatalf("the rating %s is %d times in the journal and %d times at the platform, must be once", id, b.given[id], len(facts))
	}
	var said struct{ Level, Source string }
	if err := json.Unmarshal(facts[0].Body, &said); err != nil || said.Level != level || said.Source != "button" {
		a.t.Errorf("the rating is %s, %v; must be of level %s by a button", facts[0].Body, err, level)
	}
}
