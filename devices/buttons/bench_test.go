package buttons

import (
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// From the contact's last change to OnPress. Floor: the debounce time, in which nothing may be told. What is above it is a
// timer's lateness, one wait that proves that no edge is left, and this package.
func BenchmarkPress(b *testing.B) {
	s := NewSimLines()
	presses, online := make(chan time.Duration), make(chan Health, 1)
	pad := New(s, &Opts{OnPress: func(p Press) { presses <- time.Since(p.At) }, OnHealth: func(h Health) { online <- h }})
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- pad.Run(ctx) }()
	<-online
	var late []time.Duration
	for b.Loop() {
		time.Sleep(400 * time.Millisecond) // until it is let go, and a finger comes again
		s.Press(3, 300*time.Millisecond, 4)
		select {
		case l := <-presses:
			late = append(late, l)
		case <-time.After(5 * time.Second):
			b.Fatal("a press was not told")
		}
	}
	cancel()
	<-done
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	b.ReportMetric(float64(p50.Microseconds()), "p50-µs")
	b.ReportMetric(float64(p99.Microseconds()), "p99-µs")
	b.ReportMetric(float64(p50)/float64(defaultDebounce), "p50/debounce")
	b.ReportMetric(float64(p99)/float64(defaultDebounce), "p99/debounce")
}

// processor returns how much processor time this process has used.
func processor(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// share runs a pad over lines and reports how much of one processor that takes.
func share(b *testing.B, lines Lines, inputs []Input) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- New(lines, &Opts{Inputs: inputs}).Run(ctx) }()
	began, used := time.Now(), processor(b)
	for b.Loop() {
		time.Sleep(time.Second)
	}
	used = processor(b) - used
	b.ReportMetric(float64(used.Microseconds())/time.Since(began).Seconds(), "cpu-µs/s")
	b.ReportMetric(100*float64(used)/float64(time.Since(began)), "cpu-%")
	cancel()
	<-done
}

// What a pad that nobody touches costs. Floor: four wake-ups a second.
func BenchmarkIdle(b *testing.B) { share(b, NewSimInputs(9), everything()) }

// What the same costs where the lines are looked at every 5 ms in place of edges, without the system calls.
func BenchmarkIdlePolled(b *testing.B) {
	share(b, &GPIO{set: &fakeChip{}, all: 1<<9 - 1, poll: true}, everything())
}

// flood are lines of which one oscillates at 1 MHz, as fast as they can be read.
type flood struct{ began time.Time }

func (f *flood) Levels() (uint64, error) {
	return uint64(time.Since(f.began)/(500*time.Nanosecond)%2) << 2, nil
}

func (f *flood) WaitEdge(time.Duration) (uint64, error) { return 1 << 2, nil }

// What a line that oscillates at 1 MHz costs, without the system calls: at most 64 looks in each 5 ms.
func BenchmarkMegahertz(b *testing.B) { share(b, &flood{time.Now()}, nil) }

// One look at all inputs there are, which is all that the pure part does for an edge.
func BenchmarkStep(b *testing.B) {
	m := newMachine(everything())
	l := look{at: epoch, still: epoch}
	b.ReportAllocs()
	for b.Loop() {
		l.at = l.at.Add(5 * time.Millisecond)
		l.still = l.at
		l.levels ^= 1 << 3
		l.edges = 1 << 3
		m.step(l)
	}
}
