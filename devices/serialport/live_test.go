//go:build live

package serialport_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialport"
)

var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive is the contract of a serial line on a real one. -live.profile has the words "loop" for a line whose TXD is wired to its
// RXD, and "fixed" for one that cannot be unplugged:
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
	if !loop || !fixed {
		hands = live.Hands(t)
	}
	line, warning, err := serialport.Describe("/", live.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %s", line, warning)
	devicetest.Run(t, cases, func(t *testing.T) *devicetest.LineRig {
		return &devicetest.LineRig{Config: serialport.Config{Path: live.Port, Baud: live.Baud}, Hands: hands, Loop: loop}
	})
}
