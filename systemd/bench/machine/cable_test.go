package machine

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestCable: a device lives through its cable being pulled and put back; nothing of before reaches the guest after it.
func TestCable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		if n, err := c.Write([]byte("lost")); n != 4 || err != nil {
			t.Errorf("write while unplugged: %d, %v", n, err)
		}
		heard := make(chan string)
		go func() {
			defer close(heard)
			b := make([]byte, 10)
			for {
				n, err := c.Read(b)
				if err != nil {
					if !errors.Is(err, os.ErrClosed) {
						t.Errorf("the cable ended with %v", err)
					}
					return
				}
				heard <- string(b[:n])
			}
		}()
		for _, word := range []string{"one", "two"} {
			ours, guests := net.Pipe()
			if err := c.plug(ours); err != nil {
				t.Fatal(err)
			}
			go guests.Write([]byte(word))
			if got := <-heard; got != word {
				t.Errorf("heard %q, want %q", got, word)
			}
			go c.Write([]byte("echo"))
			b := make([]byte, 4)
			if _, err := io.ReadFull(guests, b); err != nil || string(b) != "echo" {
				t.Errorf("the guest heard %q, %v", b, err)
			}
			if word == "one" {
				c.unplug()
			} else {
				guests.Close() // the virtual machine is gone
			}
			synctest.Wait()
			if c.Plugged() {
				t.Error("plugged in, with nothing at the other end")
			}
		}
		c.Close()
		<-heard
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
			t.Errorf("write after Close: %v", err)
		}
		ours, _ := net.Pipe()
		if err := c.plug(ours); !errors.Is(err, os.ErrClosed) {
			t.Errorf("plugged in after Close: %v", err)
		}
	})
}

// TestCableDeadlines: they hold while unplugged, and stay when the cable is put back.
func TestCableDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCable()
		wait := func(what string) {
			t.Helper()
			began := time.Now()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("%s: %v after %v", what, err, time.Since(began))
			}
		}
		c.SetDeadline(time.Now().Add(time.Second))
		wait("unplugged")
		c.SetDeadline(time.Now().Add(time.Second))
		ours, guests := net.Pipe()
		defer guests.Close()
		if err := c.plug(ours); err != nil {
			t.Fatal(err)
		}
		wait("plugged in since")
		c.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Second)
			c.SetReadDeadline(time.Now())
		}()
		wait("shortened while waiting")
		c.SetWriteDeadline(time.Now().Add(-time.Second))
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write past its deadline: %v", err)
		}
		c.Close()
	})
}

// TestCableHandOver: a device that was taken its cable learns it, and cannot disturb the next one.
func TestCableHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newCable()
		ours, guests := net.Pipe()
		defer guests.Close()
		if err := first.plug(ours); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := first.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		second, err := first.handOver()
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("the first device's read ended with %v", err)
		}
		first.SetDeadline(time.Unix(1, 0))
		go guests.Write([]byte("for the second"))
		b := make([]byte, 20)
		if n, err := second.Read(b); string(b[:n]) != "for the second" {
			t.Errorf("the second heard %q, %v", b[:n], err)
		}
		third, err := second.handOver()
		if err != nil || !third.Plugged() || second.Plugged() {
			t.Errorf("handed over twice: %v", err)
		}
		third.Close()
	})
}
