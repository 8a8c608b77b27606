//go:build live

package serialpad_test

import (
	"context"
	"flag"
	"testing"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

var live = devicetest.LiveFlags(flag.CommandLine)

// TestLive runs the suite on a pad at a real port:
//
//	go test -tags live ./devices/serialpad -run TestLive -live.port /dev/kiosk/pad -live.profile reference -live.baud 9600
//
// -live.profile names a built-in profile, or a file by its absolute path.
func TestLive(t *testing.T) {
	live.Need(t)
	p, err := serialpad.Load(live.Profile)
	if err != nil {
		t.Fatal(err)
	}
	devicetest.Run(t, devicetest.PadCases(), func(t *testing.T) devicetest.PadRig {
		return devicetest.PadRig{Hands: live.Hands(t), Grades: grades(p),
			Open: func(press func(int), online func(bool)) (devicetest.PadDriver, error) {
				return openTty(live.Port, p, live.Baud, press, online)
			}}
	})
}

// TestLiveLearn learns the profile of the pad at a real port and writes it to the test's log.
func TestLiveLearn(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	got, err := serialpad.Learn(t.Context(), func(l serialpad.Line) (serialpad.LearnPort, error) {
		return serialport.Open(serialport.Config{Path: live.Port, Baud: l.Baud, Size: l.Size, Parity: serialport.Parity(l.Parity), StopBits: l.StopBits})
	}, func(_ context.Context, p serialpad.Prompt) error { return hands.Do(p.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("confidence %.2f\n%s", got.Confidence, got.Profile.JSON())
}
