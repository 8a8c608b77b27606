//go:build live

package printer_test

import (
	"flag"
	"testing"

	"yuanban/devices/devicetest"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
)

// live is the printer on the command line; -live.profile is the name of its profile or the path of a file.
var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive holds a real printer to the contract:
//
//	go test -tags live ./devices/printer -run Live -v -timeout 1h -live.port /dev/kiosk/printer -live.profile epson80
func TestLive(t *testing.T) {
	live.Need(t)
	p, err := printer.LoadProfile(live.Profile)
	if err != nil {
		t.Fatal(err)
	}
	hands := live.Hands(t)
	devicetest.Run(t, devicetest.PrinterCases(), func(t *testing.T) *devicetest.PrinterRig {
		return &devicetest.PrinterRig{
			Hands: hands, Profile: p, Baud: live.Baud, Paper: func() ([]string, bool) { return nil, false },
			Open: func() (devicetest.PrinterPort, error) {
				return serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud})
			},
		}
	})
}
