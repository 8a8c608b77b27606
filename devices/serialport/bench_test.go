package serialport_test

import (
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"yuanban/devices/serialport"
)

// BenchmarkRoundTrip is one byte to the device and one back, over a pseudo-terminal.
func BenchmarkRoundTrip(b *testing.B) {
	port, link := benchPort(b)
	go io.Copy(struct{ io.Writer }{link}, struct{ io.Reader }{link})
	buf := make([]byte, 1)
	for b.Loop() {
		if _, err := port.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := port.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}

func benchPort(b *testing.B) (*serialport.Port, *serialport.PtyLink) {
	b.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(b.TempDir(), "device"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { link.Close() })
	port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { port.Close() })
	return port, link
}

// BenchmarkReadLatency is the time from the device's write of a byte to the end of the read that waits for it. Its floor is the same
// with a bare blocking read(2) of the pseudo-terminal on a thread of its own.
func BenchmarkReadLatency(b *testing.B) {
	port, link := benchPort(b)
	pty, err := serialport.OpenPty()
	if err != nil {
		b.Fatal(err)
	}
	defer pty.Close()
	fd, err := unix.Open(pty.Path(), unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	ours := latency(b, link, func(buf []byte) error { _, err := port.Read(buf); return err })
	floor := latency(b, pty.Master, func(buf []byte) error { _, err := unix.Read(fd, buf); return err })
	for b.Loop() {
		ours.step()
		floor.step()
	}
	ours.report(b, floor)
	ours.stop()
	floor.stop()
}

// timing is a reader in a goroutine of its own, and how long it took to notice.
type timing struct {
	step, stop func()
	took       []time.Duration
}

// latency measures read with single bytes written by device.
func latency(b *testing.B, device io.Writer, read func([]byte) error) *timing {
	t := &timing{}
	ready, noticed := make(chan struct{}), make(chan time.Time)
	go func() {
		runtime.LockOSThread()
		buf := make([]byte, 1)
		for range ready {
			err := read(buf)
			noticed <- time.Now()
			if err != nil {
				b.Error(err)
			}
		}
	}()
	t.step = func() {
		ready <- struct{}{}
		time.Sleep(100 * time.Microsecond) // until it waits
		begun := time.Now()
		if _, err := device.Write([]byte{1}); err != nil {
			b.Fatal(err)
		}
		t.took = append(t.took, (<-noticed).Sub(begun))
	}
	t.stop = func() { close(ready) }
	return t
}

// report says the median of both, the worst hundredth, and their ratio.
func (t *timing) report(b *testing.B, floor *timing) {
	slices.Sort(t.took)
	slices.Sort(floor.took)
	p50, p99, f50 := t.took[len(t.took)/2], t.took[len(t.took)*99/100], floor.took[len(floor.took)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(p50.Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(p99.Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(f50.Nanoseconds())/1e3, "floor-p50-µs")
	b.ReportMetric(float64(p50)/float64(f50), "x-floor")
}

// BenchmarkCancel is the time from moving the deadline of a waiting read into the past to its end. Its floor is waking a goroutine by
// a channel.
func BenchmarkCancel(b *testing.B) {
	port, _ := benchPort(b)
	measure := func(wait, cancel func()) *timing {
		t := &timing{}
		ready, noticed := make(chan struct{}), make(chan time.Time)
		go func() {
			for range ready {
				wait()
				noticed <- time.Now()
			}
		}()
		t.step = func() {
			ready <- struct{}{}
			time.Sleep(100 * time.Microsecond)
			begun := time.Now()
			cancel()
			t.took = append(t.took, (<-noticed).Sub(begun))
		}
		t.stop = func() { close(ready) }
		return t
	}
	ours := measure(func() {
		port.Read(make([]byte, 1))
		port.SetReadDeadline(time.Time{})
	}, func() { port.SetReadDeadline(time.Unix(1, 0)) })
	wake := make(chan struct{})
	floor := measure(func() { <-wake }, func() { wake <- struct{}{} })
	for b.Loop() {
		ours.step()
		floor.step()
	}
	ours.report(b, floor)
	ours.stop()
	floor.stop()
}

// BenchmarkIdlePorts is what twenty ports cost that wait for a byte: the share of one core, and threads beyond those before. The
// floor of both is 0; at most 1 % and no thread a port are promised, and TestPortsNeedNoThreads holds the latter.
func BenchmarkIdlePorts(b *testing.B) {
	before := threads(b)
	stop := idlePorts(b, 20)
	defer stop()
	for b.Loop() {
		begun, used := time.Now(), cpu(b)
		time.Sleep(3 * time.Second)
		b.ReportMetric(100*float64(cpu(b)-used)/float64(time.Since(begun)), "%core")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(threads(b)-before), "threads")
}

// cpu is the time that this process has spent on processors.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOpen is opening and closing a line; its floor is the open and the close of the two descriptors alone.
func BenchmarkOpen(b *testing.B) {
	link, err := serialport.OpenPtyLink(filepath.Join(b.TempDir(), "device"))
	if err != nil {
		b.Fatal(err)
	}
	defer link.Close()
	var ours, floor time.Duration
	for b.Loop() {
		begun := time.Now()
		port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
		if err != nil {
			b.Fatal(err)
		}
		port.Close()
		ours += time.Since(begun)
		begun = time.Now()
		for range 2 {
			fd, err := unix.Open(link.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
			if err != nil {
				b.Fatal(err)
			}
			unix.Close(fd)
		}
		floor += time.Since(begun)
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
}
