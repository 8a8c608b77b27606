package devicetest

import (
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// Live is a device at a real port, as named on the command line of a test.
type Live struct {
	Port    string // -live.port: path of its tty, or label of its GPIO chip
	Baud    int    // -live.baud: bits per second
	Profile string // -live.profile: what the kind needs to know of the model
	hands   string // -live.hands: prompt, or NETWORK:ADDRESS of a ServeHands
}

// LiveFlags defines the flags of a test on hardware. The test's package calls it in a variable's declaration, which is
// before the flags are read.
func LiveFlags(fs *flag.FlagSet) *Live {
	l := &Live{}
	fs.StringVar(&l.Port, "live.port", "", "path of the device's tty, or label of its GPIO chip")
	fs.IntVar(&l.Baud, "live.baud", 115200, "speed of the line in bits per second")
	fs.StringVar(&l.Profile, "live.profile", "", "profile of the device's model")
	fs.StringVar(&l.hands, "live.hands", "prompt", "who handles the device: prompt, or NETWORK:ADDRESS of a ServeHands, such as unix:/run/hands")
	return l
}

// Need ends the test unless the device is named.
func (l *Live) Need(t testing.TB) {
	t.Helper()
	if l.Port == "" {
		t.Fatal("name the device: -live.port /dev/serial/by-id/… (and -live.baud, -live.profile, -live.hands where they differ)")
	}
}

// Hands are the hands that the command line names. They are let go at the end of the test.
func (l *Live) Hands(t testing.TB) Hands {
	t.Helper()
	if l.hands == "prompt" {
		tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0) // go test keeps the standard streams for itself
		if err != nil {
			t.Fatal(fmt.Errorf("cannot ask the person at the terminal: %w; use -live.hands", err))
		}
		t.Cleanup(func() { tty.Close() })
		return Prompt(tty, tty)
	}
	network, address, ok := strings.Cut(l.hands, ":")
	if !ok {
		t.Fatalf("-live.hands is %q, must be prompt or NETWORK:ADDRESS, such as unix:/run/hands", l.hands)
	}
	line, err := net.Dial(network, address)
	if err != nil {
		t.Fatalf("cannot reach the hands: %v", err)
	}
	t.Cleanup(func() { line.Close() })
	return Remote(line)
}
