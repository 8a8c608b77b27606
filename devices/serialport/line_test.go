package serialport_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/devices/devicetest"
	"yuanban/devices/serialport"
)

// farEnd is the device of a LineRig at the far end of a pseudo-terminal. It reads only when it is asked.
type farEnd struct{ *serialport.PtyLink }

// Do implements devicetest.Hands.
func (f farEnd) Do(action string) error {
	verb, rest, _ := strings.Cut(action, " ")
	b, err := hex.DecodeString(rest)
	if err != nil && (verb == "send" || verb == "expect") {
		return err
	}
	switch verb {
	case "send":
		_, err := f.Write(b)
		return err
	case "expect":
		got := make([]byte, len(b))
		f.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, b) {
			return fmt.Errorf("received % X, %v", got[:n], err)
		}
		return nil
	case "stop":
		return nil
	case "read":
		return f.forget()
	case "unplug":
		return f.Unplug()
	case "replug":
		return f.Replug()
	}
	return fmt.Errorf("there is no action %q", action)
}

func (f farEnd) forget() error {
	for b := make([]byte, 4096); ; {
		f.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := f.Read(b); err != nil {
			if os.IsTimeout(err) {
				return nil
			}
			return err
		}
	}
}

// TestLineContract: the contract of a serial line over pseudo-terminals. On hardware it is TestLive.
func TestLineContract(t *testing.T) {
	cases := slices.Concat(devicetest.LineCases(), devicetest.PlugCases(), devicetest.MuteCases())
	devicetest.Run(t, cases, func(t *testing.T) *devicetest.LineRig {
		link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "line"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { link.Close() })
		return &devicetest.LineRig{Config: serialport.Config{Path: link.Path(), Baud: 115200}, Hands: farEnd{link}}
	})
}

// TestLoopContract: the same of a line that hears itself, as a technician wires it.
func TestLoopContract(t *testing.T) {
	devicetest.Run(t, devicetest.LineCases(), func(t *testing.T) *devicetest.LineRig {
		link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "loop"))
		if err != nil {
			t.Fatal(err)
		}
		looped := make(chan error, 1)
		go func() { // at about 1 Mbit/s, so that a long write does not get through in no time
			buf := make([]byte, 512)
			for {
				n, err := link.Read(buf)
				if err == nil {
					time.Sleep(4 * time.Millisecond)
					_, err = link.Write(buf[:n])
				}
				if err != nil {
					looped <- err
					return
				}
			}
		}()
		t.Cleanup(func() { link.Close(); <-looped })
		return &devicetest.LineRig{Config: serialport.Config{Path: link.Path(), Baud: 115200}, Loop: true}
	})
}
