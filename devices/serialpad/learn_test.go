package serialpad

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestUART(t *testing.T) {
	l := func(baud, size int, parity string, stop int) Line { return Line{baud, size, parity, stop} }
	for _, c := range []struct {
		sent, heard Line
		data, want  string
	}{
		{l(9600, 8, "none", 1), l(9600, 8, "none", 1), "35 00 FF", "35 00 FF"},
		{l(9600, 8, "none", 2), l(9600, 8, "none", 1), "35 00 FF", "35 00 FF"},
		{l(9600, 8, "even", 1), l(9600, 8, "odd", 1), "35 34 FF", "35 34 FF"},
		// With the parity bit where the stop bit is awaited, the bytes whose parity bit is 0 are lost.
		{l(9600, 8, "even", 1), l(9600, 8, "none", 1), "35 31 34", "31 34"},
		{l(9600, 7, "even", 1), l(9600, 8, "none", 1), "35 31", "35 B1"},
	} {
		if got := spaced(heardAs(unspaced(t, c.data), c.sent, c.heard)); got != c.want {
			t.Errorf("%s heard at %s from %s: %s, want %s", c.data, c.heard, c.sent, got, c.want)
		}
	}
	if got := heardAs([]byte("555"), l(9600, 8, "none", 1), l(115200, 8, "none", 1)); bytes.Contains(got, []byte("5")) {
		t.Errorf("at the wrong speed it is heard right: %q", got)
	}
}

// tuned is a line that garbles what is sent at another setting.
type tuned struct {
	net.Conn
	sent, heard Line
	rest        []byte
}

func (p *tuned) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		buf := make([]byte, 256)
		n, err := p.Conn.Read(buf)
		if err != nil {
			return 0, err
		}
		p.rest = heardAs(buf[:n], p.sent, p.heard)
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// technician presses what is asked for on a simulated pad.
type technician struct {
	t     *testing.T
	sim   *Sim
	sent  Line
	calls []Prompt
}

func (k *technician) open(heard Line) (LearnPort, error) {
	host, far := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() { _ = k.sim.Serve(ctx, far) })
	return &closing{&tuned{Conn: host, sent: k.sent, heard: heard}, func() {
		cancel()
		far.Close()
		playing.Wait()
	}}, nil
}

type closing struct {
	*tuned
	end func()
}

func (c *closing) Close() error {
	err := c.tuned.Close()
	c.end()
	return err
}

func (k *technician) ask(_ context.Context, p Prompt) error {
	k.calls = append(k.calls, p)
	if _, ok := k.sim.code(strconv.Itoa(p.Grade)); !ok {
		return ErrNoButton
	}
	time.Sleep(700 * time.Millisecond) // to read it
	if !k.sim.Press(p.Grade) && !k.sim.profile.Hold {
		k.t.Errorf("%v: the pad did not take it", p)
	}
	return nil
}

// TestLearnEveryProfile: what is learned from a simulated pad hears that pad, and a pad that speaks only when asked is named as such.
func TestLearnEveryProfile(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		k := &technician{t: t, sim: NewSim(p, nil), sent: p.Line}
		got, err := Learn(t.Context(), k.open, k.ask)
		if p.Hold {
			if !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), "modbus-poll") {
				t.Errorf("a pad that is only polled: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		drives(t, p, got)
	})
}

// drives checks that a learned profile hears the pad it was learned from.
func drives(t *testing.T, p *Profile, got *Proposal) {
	t.Helper()
	if got.Profile.Line != p.Line || got.Confidence < learnSure || len(got.Unknown) < 2 || len(got.Findings) < 3 {
		t.Errorf("%+v\n%s", got, got.Profile.JSON())
	}
	if _, err := ParseProfile(got.Profile.JSON()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Profile.Missing(), p.Missing()) {
		t.Errorf("learned %v", got.Profile.Keys)
	}
	b := wire(t, got.Profile, NewSim(p, &SimOpts{Baud: p.Line.Baud}), Opts{})
	defer b.stop()
	b.online()
	for range 3 {
		for _, g := range grades(p) {
			b.sim.Press(g)
			if told := b.after(3 * time.Second); !slices.Equal(told, []string{fmt.Sprint(g)}) {
				t.Errorf("pressed %d, told %v; %s", g, told, got.Profile.Pad.Press)
			}
		}
	}
}

// TestLearnedMessages says what exactly is learned of each built-in profile.
func TestLearnedMessages(t *testing.T) {
	want := map[string]string{
		"single-byte": "{key}",
		"ascii-line":  "4B {key} 0D 0A",
		"hallque":     "FF 68 03 03 68 [ 81 11 {key} ] {sum8} 16",
		"reference":   "A5 5A [ 04 01 50 {sequence} {key} ] {crc16}",
	}
	for name, message := range want {
		synctest.Test(t, func(t *testing.T) {
			p, _ := ByName(name)
			k := &technician{t: t, sim: NewSim(p, nil), sent: p.Line}
			got, err := Learn(t.Context(), k.open, k.ask)
			if err != nil {
				t.Fatal(err)
			}
			if got.Profile.Pad.Press != message {
				t.Errorf("%s: learned %q, want %q", name, got.Profile.Pad.Press, message)
			}
			if p.Repeat.UntilAck && got.Profile.Repeat.EveryMs != p.Repeat.EveryMs {
				t.Errorf("%s: learned %+v of %+v", name, got.Profile.Repeat, p.Repeat)
			}
		})
	}
}

// TestLearnOtherLines: the speed and the parity are found, however the bytes look at the wrong ones.
func TestLearnOtherLines(t *testing.T) {
	for _, name := range []string{"single-byte", "ascii-line", "reference", "hallque"} {
		for _, line := range []Line{{19200, 8, "none", 1}, {115200, 8, "none", 1}, {4800, 8, "none", 1}, {2400, 8, "none", 1}, {1200, 8, "none", 1}, {9600, 8, "even", 1}, {9600, 8, "odd", 1}} {
			t.Run(name+" "+line.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					data := Profiles()[name]
					data.Line = line
					p, err := ParseProfile(data.JSON())
					if err != nil {
						t.Fatal(err)
					}
					k := &technician{t: t, sim: NewSim(p, nil), sent: line}
					got, err := Learn(t.Context(), k.open, k.ask)
					if err != nil {
						t.Fatalf("%v after %d prompts", err, len(k.calls))
					}
					// Odd and even are told apart by no UART that does not look at parity.
					if got.Profile.Line.Baud != line.Baud || (got.Profile.Line.Parity == "none") != (line.Parity == "none") {
						t.Errorf("learned %s after %d prompts, confidence %.2f: %s %v", got.Profile.Line, len(k.calls), got.Confidence, got.Profile.Pad.Press, got.Profile.Keys)
					}
				})
			})
		}
	}
}

func TestLearnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := ByName("reference")
		k := &technician{t: t, sim: NewSim(p, nil), sent: p.Line}
		stop := errors.New("the technician leaves")
		if _, err := Learn(t.Context(), k.open, func(context.Context, Prompt) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
		if _, err := Learn(t.Context(), func(Line) (LearnPort, error) { return nil, stop }, k.ask); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
		k.sim.SetFaults(Faults{Lose: 1})
		if _, err := Learn(t.Context(), k.open, func(ctx context.Context, p Prompt) error { k.sim.Press(p.Grade); return nil }); !errors.Is(err, ErrSilent) {
			t.Errorf("a dead pad: %v", err)
		}
		k.sim.SetFaults(Faults{})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		if _, err := Learn(ctx, k.open, k.ask); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		// A line on which something always speaks, and one on which nothing is ever the same.
		open := func(every time.Duration) func(Line) (LearnPort, error) {
			return func(Line) (LearnPort, error) {
				host, far := net.Pipe()
				go func() {
					for i := 0; ; i++ {
						time.Sleep(every)
						if _, err := far.Write(bytes.Repeat([]byte{byte(i), byte(3 * i)}, i%7+1)[i%2:]); err != nil {
							return
						}
					}
				}()
				return host, nil
			}
		}
		nobody := func(context.Context, Prompt) error { return nil }
		if _, err := Learn(t.Context(), open(100*time.Millisecond), nobody); !errors.Is(err, ErrRestless) {
			t.Errorf("a restless line: %v", err)
		}
		if _, err := Learn(t.Context(), open(1900*time.Millisecond), nobody); !errors.Is(err, ErrGarbled) {
			t.Errorf("a garbled line: %v", err)
		}
		time.Sleep(time.Minute) // the lines end
	})
}

// randomPad is a made-up protocol of a pad.
type randomPad struct {
	text   string
	m      *message
	keys   map[int]byte
	copies int
	every  time.Duration
}

// drawPad makes one up: marks, an address, a running number, the key and a checksum, in any order that a maker could think of.
func drawPad(t *rapid.T) randomPad {
	constant := func(label string, most int) string {
		s := ""
		for range rapid.IntRange(0, most).Draw(t, label) {
			s += fmt.Sprintf("%02X ", rapid.Byte().Draw(t, label))
		}
		return s
	}
	inner := []string{"{key} "}
	if rapid.Bool().Draw(t, "numbered") {
		inner = append(inner, "{sequence} ")
	}
	if rapid.Bool().Draw(t, "typed") {
		inner = append(inner, constant("type", 3))
	}
	inner = rapid.Permutation(inner).Draw(t, "order")
	start, body, end := constant("start", 3), strings.Join(inner, ""), constant("end", 2)
	text := start + body + end
	if check := rapid.SampledFrom(append([]Check{CheckNone}, checks()...)).Draw(t, "check"); check != CheckNone {
		text = start + "[ " + body + "] {" + string(check) + "} " + end
		if rapid.Bool().Draw(t, "whole") {
			text = "[ " + start + body + "] {" + string(check) + "} " + end
		}
	}
	m, err := parseMessage(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	codes := rapid.SliceOfNDistinct(rapid.Byte(), 5, 5, rapid.ID[byte]).Draw(t, "codes")
	if rapid.Bool().Draw(t, "in a row") {
		for i := range codes {
			codes[i] = codes[0] + byte(i)
		}
	}
	p := randomPad{text: text, m: m, keys: map[int]byte{}, copies: rapid.IntRange(1, 4).Draw(t, "copies"),
		every: rapid.SampledFrom([]time.Duration{0, 40 * time.Millisecond, 300 * time.Millisecond}).Draw(t, "every")}
	for i, code := range codes {
		p.keys[i+1] = code
	}
	return p
}

// press is what is heard of one press.
func (p randomPad) press(grade int, number byte) CapturedPress {
	msg := p.m.render(fields{key: p.keys[grade], sequence: number})
	out := CapturedPress{Grade: grade}
	at := 400 * time.Millisecond
	for range p.copies {
		half := len(msg) / 2 // an adapter may cut it anywhere
		out.Chunks = append(out.Chunks, CapturedChunk{at, msg[:half]}, CapturedChunk{at + time.Millisecond, msg[half:]})
		at += p.every + 2*time.Millisecond
	}
	return out
}

// TestInferRandomPads: whatever protocol of this family a maker thinks of, its presses are understood, also those that were not heard while
// learning, and where it has a checksum, wrong ones are refused.
func TestInferRandomPads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pad := drawPad(t)
		number := rapid.Byte().Draw(t, "number")
		c := Capture{Line: Line{9600, 8, "none", 1}}
		for g := 5; g >= 1; g-- {
			for range learnPresses {
				c.Presses = append(c.Presses, pad.press(g, number))
				number++
			}
		}
		got := Infer(c)
		if got.Profile == nil {
			t.Fatalf("%s, keys %v: nothing learned: %q", pad.text, pad.keys, got.Findings)
		}
		again, err := ParseProfile(got.Profile.JSON())
		if err != nil {
			t.Fatal(err)
		}
		comp, err := again.compile()
		if err != nil {
			t.Fatal(err)
		}
		for g, code := range pad.keys {
			for range 10 {
				number = rapid.Byte().Draw(t, "number")
				msg := pad.m.render(fields{key: code, sequence: number})
				s := newScanner(comp)
				s.feed(msg, time.Time{})
				s.quiet()
				h, ok := s.next()
				if !ok || comp.keys[h.key].grade != g {
					t.Fatalf("%s, keys %v: learned %s %v, and %X is read as %+v, %v; want grade %d", pad.text, pad.keys, again.Pad.Press, again.Keys, msg, h.fields, ok, g)
				}
				if pad.m.check == CheckNone || period(msg) < len(msg) { // the sum of one byte is that byte: it looks like a copy
					continue
				}
				if !comp.checked {
					t.Fatalf("%s: the checksum was not found: %s", pad.text, again.Pad.Press)
				}
			}
		}
		if pad.m.has(sequence) && !strings.Contains(again.Pad.Press, "{sequence}") {
			t.Errorf("%s: the number was not found: %s", pad.text, again.Pad.Press)
		}
	})
}

// TestInferWithNoise: one bad press and strange messages between do not spoil the rest, and cost confidence.
func TestInferWithNoise(t *testing.T) {
	m, err := parseMessage("AA [ 01 {sequence} {key} ] {xor} 55")
	if err != nil {
		t.Fatal(err)
	}
	pad := randomPad{m: m, keys: map[int]byte{1: 0x11, 2: 0x12, 3: 0x13, 4: 0x14, 5: 0x15}, copies: 1}
	var c Capture
	c.Line = Line{9600, 8, "none", 1}
	for i := range 15 {
		c.Presses = append(c.Presses, pad.press(5-i/3, byte(i+1)))
	}
	clean := Infer(c).Confidence
	c.Presses[4] = pad.press(2, 5) // the technician's finger slipped
	c.Presses[9].Chunks = append(c.Presses[9].Chunks, CapturedChunk{time.Second, []byte{1, 2, 3}})
	got := Infer(c)
	if got.Profile == nil || got.Profile.Pad.Press != "AA [ 01 {sequence} {key} ] {xor} 55" && got.Profile.Pad.Press != "[ AA 01 {sequence} {key} ] {xor} 55" {
		t.Fatalf("%+v", got)
	}
	if got.Confidence > clean || !slices.ContainsFunc(got.Findings, func(s string) bool { return strings.Contains(s, "did not fit") }) {
		t.Errorf("confidence %.2f of %.2f; %q", got.Confidence, clean, got.Findings)
	}
}

func FuzzInfer(f *testing.F) {
	f.Add([]byte("5\xaa\x05\x55\x004\xaa\x04\x55\x003\xaa\x03\x55\x002\xaa\x02\x55\x001\xaa\x01\x55\x00"), uint16(9600))
	f.Add([]byte("55\x005\x00444\x0033\x00222\x0011"), uint16(1200))
	f.Add([]byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, baud uint16) {
		if len(data) > 400 {
			return
		}
		// Presses are separated by 00, and begin with their grade; FF is a silence within one.
		c := Capture{Line: Line{int(baud), 8, "none", 1}}
		for press := range bytes.SplitSeq(data, []byte{0}) {
			if len(press) == 0 {
				continue
			}
			p := CapturedPress{Grade: int(press[0])%5 + 1}
			at := time.Duration(0)
			for chunk := range bytes.SplitSeq(press[1:], []byte{0xFF}) {
				p.Chunks = append(p.Chunks, CapturedChunk{at, chunk})
				at += 100 * time.Millisecond
			}
			c.Presses = append(c.Presses, p)
		}
		got := Infer(c)
		if got.Profile == nil {
			return
		}
		p, err := ParseProfile(got.Profile.JSON())
		if err != nil {
			t.Fatalf("proposed a profile that cannot be read: %v", err)
		}
		if got.Confidence <= 0 || got.Confidence >= 1 || len(got.Findings) == 0 || len(got.Unknown) == 0 {
			t.Errorf("%+v", got)
		}
		// It understands what it was made from.
		comp, _ := p.compile()
		samples, _ := sample(c, &Proposal{})
		good := 0
		for _, s := range samples {
			scan := newScanner(comp)
			scan.feed(s.data, time.Time{})
			scan.quiet()
			if h, ok := scan.next(); ok && comp.keys[h.key].grade == s.grade {
				good++
			}
		}
		if good < len(samples)-1 {
			t.Errorf("understands %d of %d: %s %v", good, len(samples), p.Pad.Press, slices.Sorted(maps.Keys(p.Keys)))
		}
	})
}
