package idcard_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// TestGoldenFramesOnTheTty asks for each golden card with the bytes of the standard, through a real tty, and the digest of the
// answer is that of the published vector.
func TestGoldenFramesOnTheTty(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cards []struct{ Name, FrameSHA256 string }
	}
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cards) != 4 {
		t.Fatalf("%d golden cards, %v", len(golden.Cards), err)
	}
	h := plugIn(t, &idcard.SimOpts{CardTime: time.Millisecond})
	port, _ := h.open(t, 115200)
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
	for i, v := range golden.Cards {
		h.lay(t, idcard.Examples()[i])
		ask("\x20\x01\x22", 15)
		ask("\x20\x02\x21", 19)
		if sum := sha256.Sum256(ask("\x30\x01\x32", 1295)); hex.EncodeToString(sum[:]) != v.FrameSHA256 {
			t.Errorf("%s: sha256 %x", v.Name, sum)
		}
	}
}

// speedLine is the reader's end of a pseudo-terminal that is understood at one speed only: the one to which the driver has really
// set the tty.
type speedLine struct {
	*serialport.PtyLink
	baud int
}

// right tells whether the tty has the reader's speed.
func (l speedLine) right() bool {
	fd, err := unix.Open(l.Path(), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	speed, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	codes := map[int]uint32{115200: unix.B115200, 57600: unix.B57600, 38400: unix.B38400, 19200: unix.B19200, 9600: unix.B9600}
	return err == nil && speed.Cflag&unix.CBAUD == codes[l.baud]
}

func (l speedLine) Read(b []byte) (int, error) {
	n, err := l.PtyLink.Read(b)
	if n > 0 && !l.right() {
		for i := range b[:n] {
			b[i] ^= 0x5A
		}
	}
	return n, err
}

func (l speedLine) Write(b []byte) (int, error) {
	if !l.right() {
		return len(b), nil
	}
	return l.PtyLink.Write(b)
}

// plugInAt is plugIn for a reader that is set to one speed.
func plugInAt(t testing.TB, opts *idcard.SimOpts) *hardware {
	t.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	h := &hardware{sim: idcard.NewSim(opts), link: link}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- h.sim.Serve(ctx, speedLine{link, opts.Baud}) }()
	t.Cleanup(func() {
		cancel()
		<-served
		link.Close()
	})
	return h
}

// probe looks for the reader and closes its port again.
func (h *hardware) probe(t testing.TB) *idcard.Found {
	t.Helper()
	found, err := idcard.ProbeLine(t.Context(), func(baud int) (idcard.Port, error) {
		port, err := serialport.Open(serialport.Config{Path: h.link.Path(), Baud: baud})
		if err != nil {
			return nil, err
		}
		return port, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.Port.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	return found
}

// TestProbeOverATty: the speed to which tarm/serial sets the tty is what makes the reader answer.
func TestProbeOverATty(t *testing.T) {
	t.Parallel() // mostly waiting
	for _, baud := range []int{115200, 38400, 9600} {
		h := plugInAt(t, &idcard.SimOpts{Baud: baud})
		if found := h.probe(t); found.Baud != baud || found.Framing != idcard.SDT || found.SAMID == "" {
			t.Errorf("a reader at %d was found as %+v", baud, found)
		}
	}
}

// TestUnplugOverATty pulls the plug in the middle of each answer of a reading, on a real tty.
func TestUnplugOverATty(t *testing.T) {
	t.Parallel() // mostly waiting
	for _, after := range []int{1, 10, 11, 12, 25, 26, 30, 44, 45, 46, 60, 300, 700, 1000, 1339} {
		link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
		if err != nil {
			t.Fatal(err)
		}
		h := &hardware{sim: idcard.NewSim(&idcard.SimOpts{CardTime: time.Millisecond}), link: link}
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- h.sim.Serve(ctx, &scissors{PtyLink: link, after: after}) }()
		port, reader := h.open(t, 115200)
		h.lay(t, idcard.Examples()[0])
		_, err = reader.ReadCard(t.Context(), nil)
		if e, ok := errors.AsType[*idcard.Error](err); !ok || e.Class != idcard.ClassGone || !errors.Is(err, serialport.ErrGone) {
			t.Errorf("unplugged after byte %d: %v", after, err)
		}
		if err := errors.Join(port.Close(), link.Replug()); err != nil {
			t.Fatal(err)
		}
		h.sim.PowerCycle()
		_, reader = h.open(t, 115200)
		if card, err := reader.ReadCard(t.Context(), nil); err != nil || card != idcard.Examples()[0] {
			t.Errorf("plugged in again after byte %d: %v, %v", after, card, err)
		}
		cancel()
		<-served
		link.Close()
	}
}

// scissors pull the plug once, after some bytes of the reader's.
type scissors struct {
	*serialport.PtyLink
	after int // 0 or less: done
}

func (s *scissors) Write(b []byte) (int, error) {
	if s.after <= 0 || len(b) < s.after {
		s.after -= len(b)
		return s.PtyLink.Write(b)
	}
	n, err := s.PtyLink.Write(b[:s.after])
	s.after = 0
	return n, errors.Join(err, s.Unplug())
}

// BenchmarkReadCard reads a laid card over a tty at the real speed of the line. The
// floor is the module's own time with the card plus the time the bytes of the
// commands and answers need on the wire.
func BenchmarkReadCard(b *testing.B) {
	const cardTime = 400 * time.Millisecond
	bytes := map[idcard.Framing]int{idcard.SDT: 3*10 + 15 + 19 + 1295, idcard.STX: 8 + 1291}
	for _, framing := range idcard.Framings() {
		for _, baud := range []int{115200, 9600} {
			b.Run(fmt.Sprintf("%s-%d", framing, baud), func(b *testing.B) {
				floor := cardTime + time.Duration(bytes[framing])*10*time.Second/time.Duration(baud)
				h := plugIn(b, &idcard.SimOpts{Framing: framing, CardTime: cardTime, Baud: baud})
				port, err := serialport.Open(serialport.Config{Path: h.link.Path(), Baud: baud})
				if err != nil {
					b.Fatal(err)
				}
				defer port.Close()
				reader := idcard.New(port, &idcard.Opts{Baud: baud, Framing: framing})
				for b.Loop() {
					b.StopTimer()
					h.sim.Remove()
					if err := reader.WaitRemoved(b.Context()); err != nil {
						b.Fatal(err)
					}
					h.lay(b, idcard.Examples()[0])
					time.Sleep(300 * time.Millisecond) // people are not faster either
					b.StartTimer()
					if _, err := reader.ReadCard(b.Context(), nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(floor), "x-floor")
			})
		}
	}
}

// BenchmarkProbe finds a reader at a speed that nobody has told, over a tty.
func BenchmarkProbe(b *testing.B) {
	for _, framing := range idcard.Framings() {
		for _, baud := range idcard.Bauds() {
			if framing == idcard.STX && baud != 115200 {
				continue
			}
			b.Run(fmt.Sprintf("%s-%d", framing, baud), func(b *testing.B) {
				h := plugInAt(b, &idcard.SimOpts{Framing: framing, Baud: baud})
				for b.Loop() {
					if found := h.probe(b); found.Baud != baud || found.Framing != framing {
						b.Fatalf("found %+v", found)
					}
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/probe")
			})
		}
	}
}
