package idcard_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// hardware is a simulated reader behind a cable, and the port through which the driver
// reaches it as it would a tty.
type hardware struct {
	sim  *idcard.Sim
	link *serialport.PtyLink
	stop func()
}

func plugIn(t testing.TB, opts *idcard.SimOpts) *hardware {
	t.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	h := &hardware{sim: idcard.NewSim(opts), link: link}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- h.sim.Serve(ctx, link) }()
	h.stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		link.Close()
	}
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *hardware) open(t testing.TB, baud int) (*serialport.Port, *idcard.Reader) {
	t.Helper()
	port, err := serialport.Open(serialport.Config{Path: h.link.Path(), Baud: baud})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return port, idcard.New(port, &idcard.Opts{Baud: baud})
}

func (h *hardware) lay(t testing.TB, c idcard.Card) {
	t.Helper()
	if err := h.sim.Lay(c); err != nil {
		t.Fatal(err)
	}
}

// The whole way: driver, tarm/serial, a tty, the module; then the cable is pulled while
// a card is awaited, and put back.
func TestOverATty(t *testing.T) {
	h := plugIn(t, &idcard.SimOpts{CardTime: 20 * time.Millisecond, Baud: 115200})
	port, reader := h.open(t, 115200)
	if id, err := reader.Probe(t.Context()); err != nil || id != "05.03-20170101-0000000001-0000000001" {
		t.Fatalf("got %q, %v", id, err)
	}
	for _, want := range idcard.Examples()[:4] {
		h.lay(t, want)
		card, err := reader.ReadCard(t.Context(), nil)
		if err != nil || card != want {
			t.Errorf("got %v, %v; want %v", card, err, want)
		}
		h.sim.Remove()
		if err := reader.WaitRemoved(t.Context()); err != nil {
			t.Error(err)
		}
	}

	waiting := make(chan error, 1)
	go func() {
		_, err := reader.ReadCard(t.Context(), nil)
		waiting <- err
	}()
	if err := h.link.Unplug(); err != nil {
		t.Fatal(err)
	}
	err := <-waiting
	if e, ok := errors.AsType[*idcard.Error](err); !ok || e.Class != idcard.ClassGone || !errors.Is(err, serialport.ErrGone) {
		t.Fatalf("unplugged: %v", err)
	}
	if err := errors.Join(port.Close(), h.link.Replug()); err != nil {
		t.Fatal(err)
	}
	h.sim.PowerCycle()
	_, reader = h.open(t, 115200)
	h.lay(t, idcard.Examples()[0])
	if card, err := reader.ReadCard(t.Context(), nil); err != nil || card != idcard.Examples()[0] {
		t.Errorf("plugged in again: got %v, %v", card, err)
	}
}

// On a real descriptor too the end of the context ends a call at once.
func TestCancelOverATty(t *testing.T) {
	h := plugIn(t, nil)
	_, reader := h.open(t, 115200)
	h.sim.SetFault(idcard.FaultSilent)
	var worst time.Duration
	for i := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		var at time.Time
		time.AfterFunc(time.Duration(10+37*i)*time.Millisecond, func() { at = time.Now(); cancel() })
		_, err := reader.ReadCard(ctx, nil)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		worst = max(worst, time.Since(at))
	}
	t.Logf("worst %v", worst)
	if worst > 50*time.Millisecond {
		t.Errorf("returned %v after the end of the context", worst)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	cycle := func() {
		h := plugIn(t, &idcard.SimOpts{CardTime: time.Millisecond})
		port, reader := h.open(t, 115200)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if _, err := reader.ReadCard(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		port.Close()
		h.stop()
		h.stop = func() {}
	}
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries) + runtime.NumGoroutine()
	}
	cycle()
	before := count()
	for range 10 {
		cycle()
	}
	deadline := time.Now().Add(5 * time.Second)
	for count() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors and goroutines, %d before", count(), before)
		}
		runtime.Gosched()
	}
}

// golden records one reading of the first example through a real tty, and its digest
// is that of the published vector.
func TestGoldenFrameOnTheTty(t *testing.T) {
	h := plugIn(t, &idcard.SimOpts{CardTime: time.Millisecond})
	port, _ := h.open(t, 115200)
	h.lay(t, idcard.Examples()[0])
	ask := func(command string, answer int) []byte {
		if _, err := port.Write([]byte("\xAA\xAA\xAA\x96\x69\x00\x03" + command)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, answer)
		if _, err := io.ReadFull(port, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	ask("\x20\x01\x22", 15)
	ask("\x20\x02\x21", 19)
	sum := sha256.Sum256(ask("\x30\x01\x32", 1295))
	if got, want := sum[:4], "\xdf\xa1\x2f\x0b"; string(got) != want {
		t.Errorf("sha256 begins %x", got)
	}
}

// BenchmarkReadCard reads a laid card over a tty at the real speed of the line. The
// floor is the module's own time with the card plus the time the bytes of the three
// commands and answers need on the wire.
func BenchmarkReadCard(b *testing.B) {
	const baud, cardTime = 115200, 400 * time.Millisecond
	const wireBytes = 3*10 + 15 + 19 + 1295
	floor := cardTime + time.Duration(wireBytes)*10*time.Second/baud
	h := plugIn(b, &idcard.SimOpts{CardTime: cardTime, Baud: baud})
	_, reader := h.open(b, baud)
	if _, err := reader.Probe(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		h.sim.Remove()
		if err := reader.WaitRemoved(b.Context()); err != nil {
			b.Fatal(err)
		}
		h.lay(b, idcard.Examples()[0])
		b.StartTimer()
		if _, err := reader.ReadCard(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "x-floor")
}
