//go:build live

package probe

import (
	"flag"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialport"
)

var live = devicetest.LiveFlags(flag.CommandLine)

// What the bench promises of a cable that is pulled and put back.
const (
	goneWithin = time.Second
	backWithin = 3 * time.Second
)

// do asks the hands for something that must succeed.
func do(t *testing.T, hands devicetest.Hands, action string) {
	t.Helper()
	if err := hands.Do(action); err != nil {
		t.Fatal(err)
	}
}

func openPort(t *testing.T) *serialport.Port {
	t.Helper()
	p, err := serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// reopen opens a port that is being plugged in again, and says how long that took.
func reopen(t *testing.T) (*serialport.Port, time.Duration) {
	t.Helper()
	began := time.Now()
	for {
		p, err := serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud})
		took := time.Since(began)
		if err == nil {
			t.Cleanup(func() { p.Close() })
			if took > backWithin {
				t.Errorf("the port could be opened %v after it was plugged in, must be %v", took, backWithin)
			}
			return p, took
		}
		if took > 10*backWithin {
			t.Fatalf("the port cannot be opened %v after it was plugged in: %v", took, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
