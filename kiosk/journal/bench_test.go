package journal

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFact is one fact in one durable commit beside its floor: 4 KiB appended to a file in the same directory and fdatasync.
func BenchmarkFact(b *testing.B) {
	dir := b.TempDir()
	j := open(b, filepath.Join(dir, "j.db"), &clock{t: time.Now()})
	floor := newFloor(b, dir)
	var ours, theirs []time.Duration
	for b.Loop() {
		b.StopTimer()
		theirs = append(theirs, floor())
		b.StartTimer()
		start := time.Now()
		record(b, j, "rating.given", "s", map[string]string{"level": "5", "case": "LA1B2C326071500010"}, nil)
		ours = append(ours, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(float64(ours[len(ours)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(theirs[len(theirs)/2].Microseconds()), "floor-p50-µs")
	b.ReportMetric(float64(ours[len(ours)/2])/float64(theirs[len(theirs)/2]), "x-floor")
}

func newFloor(b *testing.B, dir string) func() time.Duration {
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	page := make([]byte, 4096)
	return func() time.Duration {
		start := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
}
