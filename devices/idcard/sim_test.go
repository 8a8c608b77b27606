package idcard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// The simulated module's answers, byte for byte, to a story told in commands.
func TestSimAnswers(t *testing.T) {
	const (
		ok      = "AA AA AA 96 69 00 04 00 00 90 94"
		found   = "AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97"
		none    = "AA AA AA 96 69 00 04 00 00 80 84"
		selOK   = "AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C"
		selFail = "AA AA AA 96 69 00 04 00 00 81 85"
		failed  = "AA AA AA 96 69 00 04 00 00 41 45"
		nothing = "AA AA AA 96 69 00 04 00 00 91 95"
		badSum  = "AA AA AA 96 69 00 04 00 00 10 14"
		badCmd  = "AA AA AA 96 69 00 04 00 00 21 25"
	)
	word := func(c command) []byte { return appendFrame(nil, []byte(c.body)) }
	text, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	card := appendFrame(nil, readBody(text, emptyPhoto()))
	sim := NewSim(nil)
	lay := func() { sim.Lay(Examples()[0]) }
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- sim.Serve(ctx, far) }()
		for i, step := range []struct {
			do   func()
			send []byte
			want []byte
		}{
			{nil, word(cmdStatus), bytesOf(t, ok)},
			{nil, bytesOf(t, "AA AA AA 96 69 00 03 11 FF 00"), bytesOf(t, badSum)},
			{nil, bytesOf(t, "AA AA AA 96 69 00 03 77 77 03"), bytesOf(t, badCmd)},
			{nil, bytesOf(t, "AA AA AA 96 69 00 04 61 FF 50 CA"), bytesOf(t, ok)},
			{nil, word(cmdFind), bytesOf(t, none)},
			{nil, word(cmdSelect), bytesOf(t, selFail)},
			{nil, word(cmdRead), bytesOf(t, failed)},
			{lay, word(cmdSelect), bytesOf(t, selFail)},
			{nil, word(cmdAddress), bytesOf(t, failed)},
			{nil, word(cmdFind), bytesOf(t, found)},
			{nil, word(cmdSelect), bytesOf(t, selOK)},
			{nil, word(cmdRead), card},
			{nil, word(cmdAddress), bytesOf(t, nothing)},
			{nil, word(cmdFind), bytesOf(t, none)}, // was read: not found again
			{nil, word(cmdRead), card},             // but may be read again
			{sim.PowerCycle, word(cmdFind), bytesOf(t, found)},
			{nil, word(cmdReset), bytesOf(t, ok)},
			{nil, word(cmdSelect), bytesOf(t, selFail)},
			{nil, word(cmdFind), bytesOf(t, found)},
			{sim.Remove, word(cmdFind), bytesOf(t, none)},
			{nil, word(cmdAddress), bytesOf(t, failed)},
		} {
			if step.do != nil {
				step.do()
			}
			if _, err := near.Write(step.send); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(step.want))
			near.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.ReadFull(near, got); err != nil || !bytes.Equal(got, step.want) {
				t.Fatalf("step %d: got % X, %v; want % X", i, got, err, step.want)
			}
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		// The same line can be served again.
		ctx, cancel = context.WithCancel(t.Context())
		go func() { served <- sim.Serve(ctx, far) }()
		near.Write(word(cmdStatus))
		if _, err := io.ReadFull(near, make([]byte, 11)); err != nil {
			t.Error(err)
		}
		near.Close()
		if err := <-served; !errors.Is(err, io.EOF) {
			t.Errorf("lost line: %v", err)
		}
		cancel()
		far.Close()
	})
}

func TestSimRefuses(t *testing.T) {
	sim := NewSim(nil)
	if err := sim.SetFault("unplugged"); err == nil || sim.Fault() != FaultNone {
		t.Errorf("fault %q: %v", sim.Fault(), err)
	}
	if err := sim.Lay(Card{Kind: "passport"}); err == nil {
		t.Error("a passport was laid")
	}
	if _, ok := sim.Present(); ok {
		t.Error("something lies there")
	}
}

// Paced, the longest answer takes as long as it does on a line of that speed.
func TestSimKeepsTheSpeedOfTheLine(t *testing.T) {
	for _, tc := range []struct {
		baud int
		want time.Duration
	}{{115200, 112 * time.Millisecond}, {38400, 337 * time.Millisecond}, {9600, 1349 * time.Millisecond}} {
		onBench(t, &SimOpts{Baud: tc.baud}, func(t *testing.T, b *bench) {
			b.Reader = New(b.line.port, &Opts{Baud: tc.baud})
			b.lay(t, Examples()[0])
			var start time.Time
			if _, err := b.ReadCard(t.Context(), func() { start = time.Now() }); err != nil {
				t.Fatal(err)
			}
			selecting := time.Duration(19*10) * time.Second / time.Duration(tc.baud)
			wire := time.Since(start) - defaultCardTime - selecting - 2*leftover // before each of the two commands
			if diff := wire - tc.want; diff < -time.Millisecond || diff > time.Millisecond {
				t.Errorf("%d baud: %v on the wire, want %v", tc.baud, wire, tc.want)
			}
		})
	}
}

// recorder is a line whose far end is a file of bytes.
type recorder struct {
	io.Reader
	bytes.Buffer
}

func (r *recorder) Read(b []byte) (int, error) { return r.Reader.Read(b) }

// Whatever a host sends, the module answers in good frames only, and no more than one
// for each frame's worth of bytes.
func FuzzSimHost(f *testing.F) {
	for _, s := range []string{
		"AA AA AA 96 69 00 03 11 FF ED",
		"AA AA AA 96 69 00 03 20 01 22 AA AA AA 96 69 00 03 20 02 21 AA AA AA 96 69 00 03 30 01 32",
		"AA AA AA 96 69 00 03 11 FF 00",
		"AA AA AA 96 69 00 04 61 FF 50 CA 41 41",
		"02 00 03 CA 01 00 CB 03 02 00 03 CA 01 00 CB 03",
		"02 00 01 11 11 03",
	} {
		f.Add(bytesOf(f, s))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, framing := range Framings() {
			sim := NewSim(&SimOpts{Framing: framing, CardTime: time.Nanosecond})
			if err := sim.Lay(Examples()[0]); err != nil {
				t.Fatal(err)
			}
			port := &recorder{Reader: bytes.NewReader(stream)}
			if err := sim.Serve(t.Context(), port); !errors.Is(err, io.EOF) {
				t.Fatalf("ended with %v", err)
			}
			out := port.Bytes()
			bodies, s := scanned(framing, out, max(len(out), 1))
			if s.skipped+s.badSums > 0 || len(out) > 0 && s.behind() > 0 {
				t.Fatalf("%s: answered with % X", framing, out)
			}
			// Each 256 bytes read at once may add one complaint.
			shortest := len(framing.fromHost().wrap(nil, []byte{0}))
			if most := len(stream)/shortest + len(stream)/256 + 1; len(bodies) > most {
				t.Fatalf("%s: %d answers to %d bytes", framing, len(bodies), len(stream))
			}
		}
	})
}
