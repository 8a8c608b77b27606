package evaluation

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRate is a press committed (rating, invitation and fact, one transaction) beside its floor: 4 KiB appended to a file in the
// same directory and fdatasync.
func BenchmarkRate(b *testing.B) {
	dir := b.TempDir()
	bench := newBench(b, dir)
	defer bench.j.Close()
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	var ours, theirs []time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		inv, err := bench.book.Invite(ctx, Invitation{Case: fmt.Sprint(n), Stage: StageAcceptance, Service: 1, Channel: ChannelPad, Staff: "017", Window: "3"})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		theirs = append(theirs, time.Since(start))
		b.StartTimer()
		start = time.Now()
		if _, err := bench.book.Rate(ctx, inv.ID, 5, SourceButton); err != nil {
			b.Fatal(err)
		}
		ours = append(ours, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(float64(ours[len(ours)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(ours[len(ours)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(theirs[len(theirs)/2].Microseconds()), "floor-p50-µs")
	b.ReportMetric(float64(ours[len(ours)/2])/float64(theirs[len(theirs)/2]), "x-floor")
}
