package hotplug

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yuanban/devices/serialport"
)

// BenchmarkReopen is the time from plugging a line in to the open port: with the kernel's event, and by the clock alone, which is
// nearly all the wait between two tries, 2 s at most. The floor is opening the line.
func BenchmarkReopen(b *testing.B) {
	for _, kernel := range []bool{true, false} {
		b.Run(map[bool]string{true: "event", false: "clock"}[kernel], func(b *testing.B) { reopen(b, kernel) })
	}
}

func reopen(b *testing.B, kernel bool) {
	link, err := serialport.OpenPtyLink(filepath.Join(b.TempDir(), "device"))
	if err != nil {
		b.Fatal(err)
	}
	defer link.Close()
	cfg := serialport.Config{Path: link.Path(), Baud: 115200}
	events, opened, lost := make(chan Event), make(chan time.Time), make(chan struct{})
	s := New(func(ctx context.Context, online func(string)) error {
		port, err := serialport.OpenContext(ctx, cfg)
		if err != nil {
			return err
		}
		defer port.Close()
		defer context.AfterFunc(ctx, func() { port.Close() })()
		online("")
		_, err = port.Read(make([]byte, 1))
		return err
	}, &Opts{
		Subsystems: []string{"tty"},
		Lost:       func(err error) bool { return errors.Is(err, serialport.ErrGone) },
		Watch: func(ctx context.Context, event func(Event)) error {
			for {
				select {
				case e := <-events:
					event(e)
				case <-ctx.Done():
					return nil
				}
			}
		},
		OnReport: func(r Report) {
			if r.State == Online {
				opened <- time.Now()
			} else if !link.Plugged() {
				select {
				case lost <- struct{}{}:
				default: // only the first try that finds it gone is waited for
				}
			}
		},
	})
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-opened
	var took, floor []time.Duration
	for b.Loop() {
		if err := link.Unplug(); err != nil {
			b.Fatal(err)
		}
		<-lost
		time.Sleep(leastWait)
		begun := time.Now()
		if err := link.Replug(); err != nil {
			b.Fatal(err)
		}
		if kernel {
			events <- Event{Action: Add, Subsystem: "tty"}
		}
		took = append(took, (<-opened).Sub(begun))
	}
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	for range 200 {
		begun := time.Now()
		port, err := serialport.Open(cfg)
		if err != nil {
			b.Fatal(err)
		}
		floor = append(floor, time.Since(begun))
		port.Close()
	}
	slices.Sort(took)
	slices.Sort(floor)
	p50, f50 := took[len(took)/2], floor[len(floor)/2]
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(p50.Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(f50.Nanoseconds())/1e3, "floor-p50-µs")
	b.ReportMetric(float64(p50)/float64(f50), "x-floor")
}
