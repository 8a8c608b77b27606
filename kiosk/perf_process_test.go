package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// plainBinary builds the program as it is installed: without the race detector.
var plainBinary = sync.OnceValues(func() (string, error) {
	race, err := binary() // its folder is removed at the end
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(race), "kiosk-plain")
	out, err := exec.Command("go", "build", "-o", path, "yuanban/kiosk").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot build the program: %w\n%s", err, out)
	}
	return path, nil
})

// machineAlone writes the configuration of a machine without devices.
func machineAlone(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	path := filepath.Join(dir, "kiosk.yaml")
	text := fmt.Sprintf("machine: PERF01\nrole: kiosk\nlisten: 127.0.0.1:%d\nstate: %q\n", freePort(b), filepath.Join(dir, "state"))
	must(b, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// untilReady starts kiosk run and returns it with the time it took until its screens were served.
func untilReady(b *testing.B, bin, config string) (*exec.Cmd, time.Duration) {
	b.Helper()
	cmd := exec.Command(bin, "run", "-config", config)
	out, err := cmd.StdoutPipe()
	must(b, err)
	start := time.Now()
	must(b, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	took := time.Since(start)
	if err != nil || !strings.Contains(line, "ready") {
		cmd.Process.Kill()
		b.Fatalf("not ready: %q %v", line, err)
	}
	return cmd, took
}

func end(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	must(b, cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		b.Errorf("kiosk run ended with %v", err)
	}
}

// BenchmarkStart is kiosk run from its start until its screens are served and its journal is open. Its floor is kiosk version: the
// same binary loaded and ended.
func BenchmarkStart(b *testing.B) {
	bin, err := plainBinary()
	must(b, err)
	config := machineAlone(b)
	first, fresh := untilReady(b, bin, config) // makes the journal
	end(b, first)
	var ours, floor []time.Duration
	for b.Loop() {
		start := time.Now()
		must(b, exec.Command(bin, "version").Run())
		floor = append(floor, time.Since(start))
		cmd, took := untilReady(b, bin, config)
		ours = append(ours, took)
		end(b, cmd)
	}
	b.ReportMetric(0, "ns/op")
	report(b, "start", ours, 50, 99)
	report(b, "floor", floor, 50)
	b.ReportMetric(float64(fresh.Microseconds()), "first-start-µs")
	ratio(b, ours, floor, "x-floor")
}

// BenchmarkMemory is what kiosk run holds resident 2 s after its start, in decimal MB: all of it, and the part that is not pages of the
// program's file. Its floor is the same binary with nothing loaded, while kiosk status waits for an answer that does not come.
func BenchmarkMemory(b *testing.B) {
	bin, err := plainBinary()
	must(b, err)
	config := machineAlone(b)
	var all, own, floor float64
	for b.Loop() {
		cmd, _ := untilReady(b, bin, config)
		time.Sleep(2 * time.Second) // what starting needed is garbage by then
		all, own = resident(b, cmd.Process.Pid)
		end(b, cmd)
		floor = idleBinary(b, bin)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(all, "RSS-MB")
	b.ReportMetric(own, "anonymous-MB")
	b.ReportMetric(floor, "floor-RSS-MB")
	b.ReportMetric(all/floor, "x-floor")
}

// idleBinary is the resident memory of kiosk status at an address where somebody listens and says nothing.
func idleBinary(b *testing.B, bin string) float64 {
	b.Helper()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer silent.Close()
	cmd := exec.Command(bin, "status", "-listen", silent.Addr().String())
	must(b, cmd.Start())
	conn, err := silent.Accept()
	must(b, err)
	defer conn.Close()
	all, _ := resident(b, cmd.Process.Pid)
	must(b, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	return all
}

var memoryLine = regexp.MustCompile(`(?m)^(VmRSS|RssAnon):\s+(\d+) kB$`)

// resident reads /proc/PID/status (proc(5)): VmRSS and RssAnon, in decimal MB.
func resident(b *testing.B, pid int) (all, own float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	found := map[string]float64{}
	for _, m := range memoryLine.FindAllStringSubmatch(string(text), -1) {
		kib, err := strconv.ParseFloat(m[2], 64)
		must(b, err)
		found[m[1]] = kib * 1024 / 1e6
	}
	return found["VmRSS"], found["RssAnon"]
}
