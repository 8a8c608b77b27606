//go:build vm

package bench

// testTrouble takes from the installed program what it stands on, one after the other, while a visitor looks at the screen: the room on
// the disk, and the right time, also at its start: the one of a board without a battery, and one ten years ahead. It asserts of each:
//
//   - the screen says in a sentence what the visitor cannot do, and is no dead end; the program goes on serving;
//   - when it is mended, the sentence goes and everything is as before, without a hand at the program.
//
// testBrokenDisk comes last, on a rating pad: an error of the file system, after which the kernel lets nobody write to it any more
// (errors=remount-ro, as Debian mounts it). It asserts:
//
//   - the pad says in a sentence that it takes no ratings, and takes no invitation: nothing is told that was not recorded;
//   - after a new start of the machine, whose file system is checked by itself, it is as before, and its journal is whole.

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yuanban/kiosk/api"
	"yuanban/systemd/bench/agent"
)

const (
	hog = "/var/hog" // on the journal's file system
	// Once a minute the disk is proven, and a busy host takes its time.
	noticeTime = 2 * time.Minute
)

func (a *appliance) testTrouble() {
	const noRecords, wrongClock = "本机暂时不能受理申报", "本机时钟不准"
	for _, trouble := range []struct {
		what     string
		make     func()
		mend     func()
		sentence string
	}{
		{"the disk is full", func() { a.run("sh", "-c", "fallocate -l $(df --output=avail -B1 /var | tail -1) "+hog) },
			func() { a.run("rm", hog) }, noRecords},
		{"the clock is at 1970", func() { a.run("date", "--set=1970-01-02") }, a.setClock, wrongClock},
		{"the clock is ten years ahead", func() { a.run("date", "--set=+10 years") }, a.setClock, wrongClock},
		{"the program starts in 1970", func() { a.run("date", "--set=1970-01-02"); a.run("systemctl", "restart", "kiosk") }, a.setClock, wrongClock},
		{"the program starts ten years ahead", func() { a.run("date", "--set=+10 years"); a.run("systemctl", "restart", "kiosk") }, a.setClock, wrongClock},
	} {
		began := time.Now()
		trouble.make()
		a.home(trouble.what, func(banner string) bool { return strings.Contains(banner, trouble.sentence) })
		noticed := time.Since(began)
		began = time.Now()
		trouble.mend()
		a.home(trouble.what+" no more", func(banner string) bool { return banner == "" })
		say("%s: on the screen after %.1f s, gone %.1f s after it was mended", trouble.what, noticed.Seconds(), time.Since(began).Seconds())
		a.wait(trouble.what+" no more", func(s api.Status) bool { return allOnline(s) && s.Clock == "ok" })
	}
	a.delivered()
}

func (a *appliance) testBrokenDisk() {
	a.delivered()
	// The token that was written a moment ago may not be on the disk yet, and would be lost with the kernel's journal: the test's own
	// hand does not wait for the disk, as kiosk provision does.
	a.run("sync")
	before := a.ask().Sequence
	began := time.Now()
	a.run("sh", "-c", "echo 1 > /sys/fs/ext4/vda/trigger_fs_error")
	a.page("the file system has an error", func(v *display) bool {
		return v.Name == "fault" && strings.Contains(v.Main, "现在不能记录您的评价")
	})
	say("the file system has an error: on the pad after %.1f s, %s", time.Since(began).Seconds(), a.ask().Journal)
	if id, err := a.invite(windowToken, "DISK-1", 1); err == nil {
		a.t.Errorf("on a disk that takes nothing the invitation %s was taken", id)
	}
	began = time.Now()
	ctx, cancel := context.WithTimeout(a.t.Context(), 5*time.Minute)
	defer cancel()
	_, err := a.m.Restart(ctx, func() error {
		_ = a.m.Agent().Run(ctx, agent.Cmd{Args: []string{"systemctl", "reboot", "--force", "--force"}}) // whose answer may be lost
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.wait("the file system was checked", buttonsOnline)
	say("after a new start all well again: %.1f s", time.Since(began).Seconds())
	if b := a.readJournal(); b.last < before {
		a.t.Errorf("the journal ends at %d, it was at %d before the error", b.last, before)
	}
}

// home waits until the screen on which a visitor begins says so above its choices.
func (a *appliance) home(what string, is func(banner string) bool) {
	a.t.Helper()
	a.page(what, func(v *display) bool {
		if v.Name == "attract" {
			_ = v.conn.WriteJSON(map[string]string{"do": "touch"}) // or the program has just ended
		}
		return v.Name == "home" && is(v.Banner)
	})
}

// page looks at the screen, and at each new one, until it is as it should be. The program may start anew meanwhile.
func (a *appliance) page(what string, is func(v *display) bool) {
	a.t.Helper()
	var v *display
	a.within(noticeTime, what, func() bool {
		if v == nil {
			v, _ = a.trySit()
			return false
		}
		select {
		case f, open := <-v.frames:
			if !open {
				v = nil
				return false
			}
			v.look(f)
		case <-time.After(50 * time.Millisecond):
		}
		return is(v)
	})
}

// setClock sets the guest's clock right.
func (a *appliance) setClock() {
	a.t.Helper()
	a.run("date", fmt.Sprintf("--set=@%d", time.Now().Unix()))
}
