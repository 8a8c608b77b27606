//go:build live

package idcard_test

import (
	"flag"
	"testing"

	"yuanban/devices/devicetest"
	"yuanban/devices/idcard"
)

// live is the reader on the command line. -live.baud 0 looks for its speed, -live.profile is its framing, sdt (the default) or stx.
var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive holds a real reader to the contract:
//
//	go test -tags live ./devices/idcard -run Live -v -timeout 1h -live.port /dev/kiosk/reader
func TestLive(t *testing.T) {
	live.Need(t)
	framing := idcard.SDT
	if live.Profile != "" {
		framing = idcard.Framing(live.Profile)
	}
	opts := &idcard.ProbeOpts{Framings: []idcard.Framing{framing}}
	if live.Baud != 0 {
		opts.Bauds = []int{live.Baud}
	}
	hands := live.Hands(t)
	devicetest.Run(t, devicetest.ReaderCases(), func(t *testing.T) *devicetest.ReaderRig {
		return &devicetest.ReaderRig{Hands: hands, Framing: framing, Open: ttyOpener(t, live.Port, opts)}
	})
}
