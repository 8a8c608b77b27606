//go:build live

package probe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"yuanban/devices/serialport"
)

// TestLiveSerial: -live.profile fixed says that the line cannot be unplugged.
func TestLiveSerial(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	p := openPort(t)
	if _, err := serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud}); !errors.Is(err, serialport.ErrBusy) {
		t.Errorf("opened a second time: %v, must be ErrBusy", err)
	}
	p.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("idle: %d bytes, %v, must be os.ErrDeadlineExceeded", n, err)
	}
	talk := func(word string) {
		t.Helper()
		do(t, hands, fmt.Sprintf("send %x", word))
		p.SetReadDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, len(word))
		if _, err := io.ReadFull(p, b); err != nil || string(b) != word {
			t.Errorf("the far end said %q, read %q, %v", word, b, err)
		}
		if _, err := p.Write([]byte(word)); err != nil {
			t.Error(err)
		}
		do(t, hands, fmt.Sprintf("expect %x", word))
	}
	talk("hello")
	if live.Profile != "fixed" {
		read := waitRead(p)
		do(t, hands, "unplug")
		took := ends(t, read, serialport.ErrGone)
		t.Logf("gone %v after it was unplugged", took)
		if took > goneWithin {
			t.Errorf("the port was gone %v after it was unplugged, must be %v", took, goneWithin)
		}
		if _, err := p.Write([]byte{0}); !errors.Is(err, serialport.ErrGone) {
			t.Errorf("write to a line that is gone: %v", err)
		}
		p.Close()
		if _, err := serialport.Open(serialport.Config{Path: live.Port, Baud: live.Baud}); !errors.Is(err, serialport.ErrGone) {
			t.Errorf("opened while unplugged: %v, must be ErrGone", err)
		}
		do(t, hands, "replug")
		p, took = reopen(t)
		t.Logf("opened %v after it was plugged in again", took)
		talk("again")
	}
	read := waitRead(p)
	time.Sleep(50 * time.Millisecond)
	p.Close()
	ends(t, read, os.ErrClosed)
}

// waitRead reads in the background.
func waitRead(p *serialport.Port) <-chan error {
	p.SetReadDeadline(time.Time{})
	read := make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 1))
		read <- err
	}()
	return read
}

// ends says when a read ended, and asserts how.
func ends(t *testing.T, read <-chan error, want error) time.Duration {
	t.Helper()
	began := time.Now()
	select {
	case err := <-read:
		if !errors.Is(err, want) {
			t.Errorf("a read that waited ended with %v, must be %v", err, want)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("a read that waited never ended, must be %v", want)
	}
	return time.Since(began)
}
