//go:build live

package serialport_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialport"
)

var live = devicetest.LiveFlags(flag.CommandLine)

// TestLiveClosing: for the superuser the kernel does not wait for unsent bytes when a line is closed. Only a board's own UART shows
// that in sysfs.
func TestLiveClosing(t *testing.T) {
	live.Need(t)
	port, err := serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	node, err := filepath.EvalSymlinks(live.Port)
	if err != nil {
		t.Fatal(err)
	}
	wait, err := os.ReadFile("/sys/class/tty/" + filepath.Base(node) + "/closing_wait")
	if got := strings.TrimSpace(string(wait)); err == nil && os.Geteuid() == 0 && got != "65535" {
		t.Errorf("closing_wait is %s, want 65535 (none)", got)
	}
	t.Logf("closing_wait: %s (%v)", wait, err)
}

// TestLive is the contract of a serial line on a real one. -live.profile has the words "loop" for a line whose TXD is wired to its
// RXD, "fixed" for one that cannot be unplugged, and "mute" for a device that takes nothing, of which nothing else can be shown:
//
//	go test -tags live ./devices/serialport -run Live -live.port /dev/serial/by-path/… -live.profile loop
func TestLive(t *testing.T) {
	live.Need(t)
	words := strings.Fields(live.Profile)
	cases := devicetest.LineCases()
	loop, fixed := slices.Contains(words, "loop"), slices.Contains(words, "fixed")
	var hands devicetest.Hands
	if !fixed {
		cases = append(cases, devicetest.PlugCases()...)
	}
	mute := slices.Contains(words, "mute")
	if mute {
		cases = devicetest.MuteCases()
	}
	if !mute && (!loop || !fixed) {
		hands = live.Hands(t)
	}
	line, warning, err := serialport.Describe("/", live.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v %s", line, line.USB, warning)
	if line.Driver == "" {
		t.Errorf("%s has no driver", line.Path)
	}
	devicetest.Run(t, cases, func(t *testing.T) *devicetest.LineRig {
		return &devicetest.LineRig{Config: serialport.Config{Path: live.Port, Baud: live.Baud}, Hands: hands, Loop: loop}
	})
}
