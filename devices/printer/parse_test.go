package printer

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func parseAll(p *parser, b []byte) string {
	var out []string
	for _, c := range b {
		p.feed(c, func(a answer) {
			switch a.kind {
			case xon:
				out = append(out, "xon")
			case xoff:
				out = append(out, "xoff")
			case realtime:
				out = append(out, fmt.Sprintf("rt:%02x", a.byte))
			case automatic:
				out = append(out, fmt.Sprintf("asb:%x", a.asb))
			case inOrder:
				out = append(out, fmt.Sprintf("gsr:%02x", a.byte))
			case processID:
				out = append(out, fmt.Sprintf("id:%s", a.id[:]))
			case cleared:
				out = append(out, "cleared")
			case block:
				out = append(out, "block")
			default:
				out = append(out, fmt.Sprintf("noise:%02x", a.byte))
			}
		})
	}
	return strings.Join(out, " ")
}

func TestParser(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"flow control", "11 13", "xon xoff"},
		{"realtime", "12 16 1a 72", "rt:12 rt:16 rt:1a rt:72"},
		{"automatic", "10 00 00 00", "asb:10000000"},
		{"automatic with XOFF inside", "1c 00 13 0c 00", "xoff asb:1c000c00"},
		{"automatic cut short by an answer", "10 00 12 12", "noise:10 noise:00 rt:12 rt:12"},
		{"in order", "00 0c 0f", "gsr:00 gsr:0c gsr:0f"},
		{"process id", "37 22 20 41 42 7e 00", "id: AB~"},
		{"process id with XON inside", "37 22 11 20 41 42 7e 00", "xon id: AB~"},
		{"cleared", "37 25 00", "cleared"},
		{"another block", "37 23 31 00", "block"},
		{"block cut short by an answer", "37 22 41 12", "noise:37 noise:22 noise:41 rt:12"},
		{"all zero status of a bad clone", "00 00 00 00", "gsr:00 gsr:00 gsr:00 gsr:00"},
		{"high bit", "92 ff", "noise:92 noise:ff"},
	} {
		in, _ := hex.DecodeString(strings.ReplaceAll(c.in, " ", ""))
		if got := parseAll(new(parser), in); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := parseAll(&parser{notTaken: true}, []byte{0x92}); got != "rt:92" {
		t.Errorf("receipt not taken: %s", got)
	}
	long := append([]byte{0x37}, []byte(strings.Repeat("A", 200))...)
	if got := parseAll(new(parser), append(long, 0x12)); !strings.HasSuffix(got, "rt:12") {
		t.Errorf("endless block: %s", got)
	}
}

func TestFlags(t *testing.T) {
	p := &Profile{Status: StatusProfile{NotTaken: true}}
	ok := [5]byte{0, 0x12, 0x12, 0x12, 0x12}
	for _, c := range []struct {
		name string
		n    int
		b    byte
		want Reason
	}{
		{"all well", 1, 0x12, ""}, {"off-line without cause", 1, 0x1A, Offline}, {"cover", 2, 0x16, CoverOpen}, {"stopped by paper end", 2, 0x32, PaperOut},
		{"cutter", 3, 0x1A, CutterJam}, {"unrecoverable", 3, 0x32, HardwareError}, {"hot", 3, 0x52, HeadHot}, {"near end", 4, 0x1E, ""}, {"paper end", 4, 0x7E, PaperOut},
		{"not taken", 1, 0x92, ""},
	} {
		var f flags
		for n := 1; n <= 4; n++ {
			f.realtime(n, ok[n])
		}
		f.realtime(c.n, c.b)
		f.realtime(c.n, c.b)
		s := f.status(p)
		s.Online = true
		if s.fault() != c.want {
			t.Errorf("%s: %q, want %q", c.name, s.fault(), c.want)
		}
	}
	var f flags
	f.automatic([4]byte{0x38, 0x08, 0x0F, 0})
	if s := f.status(p); s.Cover != "open" || s.Cutter != "jammed" || s.Paper != "out" || s.Held {
		t.Errorf("automatic status: %+v", s)
	}
	if s := new(flags).status(p); s.Paper != "unknown" || s.Cover != "unknown" || s.fault() != Offline {
		t.Errorf("before any answer: %+v", s)
	}
}

// FuzzParser: any bytes are taken without a panic, and after them a status is understood again.
func FuzzParser(f *testing.F) {
	f.Add([]byte{0x37, 0x22, 0x41, 0x42, 0x43, 0x44, 0x00, 0x10, 0, 0, 0, 0x12, 0x13, 0x11})
	f.Add([]byte{0x1C, 0x00, 0x13, 0x0C})
	f.Add([]byte{0x37, 0x25})
	f.Fuzz(func(t *testing.T, in []byte) {
		p := &parser{}
		parseAll(p, in)
		if len(p.held) > maxBlock {
			t.Fatalf("%d bytes held", len(p.held))
		}
		p.drop(func(answer) {})
		if got := parseAll(p, []byte{0x12, 0x10, 0, 0, 0, 0x37, 0x25, 0}); got != "rt:12 asb:10000000 cleared" {
			t.Fatalf("after %x: %s", in, got)
		}
	})
}

// FuzzSim: a printer takes any bytes. NULs and a reset bring it back, whatever it was in the middle of, if that was not longer than
// what our own encoder sends.
func FuzzSim(f *testing.F) {
	f.Add([]byte("\x1b@\x1c&\xd4\xb0\xc7\xf8\n\x1dVB\x00"), false)
	f.Add([]byte("\x1d(k\x04\x001P0x\x1d(k\x03\x001Q0\x1dv0\x00\x01\x00\x02\x00\x10\x04"), true)
	f.Add([]byte("\x1c2\xfe\xa1\x1b$\x10\x00\x1d!\x77A\n\x1bd\xff"), true)
	f.Fuzz(func(t *testing.T, in []byte, gbk bool) {
		p := *Profiles()["epson80"]
		if gbk {
			p.Charset = GBK
		}
		s := NewSim(&p, &SimOpts{Quick: true})
		run := func(b []byte) {
			for _, c := range b {
				s.realtime(c)
				if cmd := s.frame.feed(c); cmd != nil && cmd[0] != nul {
					s.paperFor(cmd)
					s.execute(cmd)
				}
			}
		}
		run(in)
		if s.frame.inside() && s.frame.length(append(slices.Clone(s.frame.part), make([]byte, 16)...)) > maxCommand {
			return
		}
		s.newSheet()
		run(make([]byte, maxCommand))
		s.newSheet()
		run([]byte("\x1b@\x1c&\xd4\xb0\n\x1dVB\x00"))
		if r := s.Receipts(); len(r) == 0 || len(r[len(r)-1].Lines) != 1 || r[len(r)-1].Lines[0] != "园" {
			t.Fatalf("after %x: %v", in, r)
		}
	})
}
