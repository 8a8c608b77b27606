package printer

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// parserOf is a parser for a profile's dialect.
func parserOf(t testing.TB, name string) *parser {
	lang, wrong := compile(profile(t, name))
	if wrong != nil {
		t.Fatal(wrong)
	}
	return &parser{frames: lang.frames, xonxoff: true}
}

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
				out = append(out, fmt.Sprintf("rt:%x", a.data))
			case automatic:
				out = append(out, fmt.Sprintf("asb:%x", a.data))
			case inOrder:
				out = append(out, fmt.Sprintf("gsr:%x", a.data))
			case processID:
				out = append(out, fmt.Sprintf("id:%s", a.id[:]))
			case cleared:
				out = append(out, "cleared")
			case block:
				out = append(out, "block")
			case moment:
				out = append(out, fmt.Sprintf("moment:%x", a.data))
			default:
				out = append(out, fmt.Sprintf("noise:%x", a.data))
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
		{"in order with bits that are not equal", "01 04 02", "noise:01 noise:04 noise:02"},
	} {
		in, _ := hex.DecodeString(strings.ReplaceAll(c.in, " ", ""))
		if got := parseAll(parserOf(t, "epson80"), in); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	for _, c := range []struct{ profile, name, in, want string }{
		{"kp628e", "receipt not taken", "92 f2", "rt:92 rt:f2"},
		{"custom80", "full status", "10 0f 25 00 00 00", "rt:100f25000000"},
		{"custom80", "full status with XOFF inside", "10 0f 25 13 00 00 00 00", "xoff rt:100f25000000 gsr:00"},
		{"custom80", "full status without its head", "0f 20 00 00 00", "gsr:0f gsr:20 gsr:00 gsr:00 gsr:00"},
		{"custom80", "full status cut short", "10 0f 25 10 0f 20 00 00 00", "noise:10 noise:0f noise:25 rt:100f20000000"},
	} {
		in, _ := hex.DecodeString(strings.ReplaceAll(c.in, " ", ""))
		if got := parseAll(parserOf(t, c.profile), in); got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.profile, c.name, got, c.want)
		}
	}
	long := append([]byte{0x37}, []byte(strings.Repeat("A", 200))...)
	if got := parseAll(parserOf(t, "epson80"), append(long, 0x12)); !strings.HasSuffix(got, "rt:12") {
		t.Errorf("endless block: %s", got)
	}
	p := parserOf(t, "kp628e")
	p.expect, _ = parsePattern("xx00xx0x")
	if got := parseAll(p, []byte{0x12, 0x08, 0x08}); got != "rt:12 moment:08 noise:08" {
		t.Errorf("the question of the moment: %s", got)
	}
}

// FuzzParser: any bytes are taken without a panic, and after them a status is understood again.
func FuzzParser(f *testing.F) {
	f.Add([]byte{0x37, 0x22, 0x41, 0x42, 0x43, 0x44, 0x00, 0x10, 0, 0, 0, 0x12, 0x13, 0x11}, false)
	f.Add([]byte{0x1C, 0x00, 0x13, 0x0C}, false)
	f.Add([]byte{0x37, 0x25}, false)
	f.Add([]byte{0x10, 0x0F, 0x25, 0x13, 0x00, 0x10, 0x0F}, true)
	epson, custom := parserOf(f, "epson80"), parserOf(f, "custom80")
	f.Fuzz(func(t *testing.T, in []byte, full bool) {
		model, status, want := epson, []byte{0x12, 0x10, 0, 0, 0}, "rt:12 asb:10000000 cleared"
		if full {
			model, status, want = custom, []byte{0x10, 0x0F, 0x20, 0, 0, 0}, "rt:100f20000000 cleared"
		}
		p := &parser{frames: model.frames, xonxoff: true}
		parseAll(p, in)
		if len(p.held) > maxBlock {
			t.Fatalf("%d bytes held", len(p.held))
		}
		p.drop(func(answer) {})
		if got := parseAll(p, append(status, 0x37, 0x25, 0)); got != want {
			t.Fatalf("after %x: %s", in, got)
		}
	})
}

// FuzzFramer: no byte is lost or doubled, and no command is longer than allowed.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("\x1b@\x1c&\xd4\xb0\x81\x30\x84\x36\n\x1dVB\x00\x1dV\x00"), true)
	f.Add([]byte("\x1de\x03\x00\x1de\x02\x1dv0\x00\x01\x00\x02\x00ab\x10\x04\x14\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"), false)
	f.Add([]byte("\x1bD\x01\x02\x00\x1dk\x04ABC\x00\x1d8L\xff\xff\xff\xff01"), false)
	lang, _ := compile(profile(f, "custom80"))
	f.Fuzz(func(t *testing.T, in []byte, gb18030 bool) {
		fr := framer{gb18030: gb18030, vendor: lang.commands()}
		var out []byte
		for _, b := range in {
			if c := fr.feed(b); c != nil {
				if len(c) == 0 || len(c) > maxFrame {
					t.Fatalf("a command of %d bytes", len(c))
				}
				out = append(out, c...)
			}
		}
		if !bytes.Equal(append(out, fr.part...), in) {
			t.Fatal("the commands are not the bytes that came")
		}
	})
}

// FuzzSim: a printer takes any bytes. NULs and a reset bring it back, whatever it was in the middle of, if that was not longer than
// what our own encoder sends.
func FuzzSim(f *testing.F) {
	f.Add([]byte("\x1b@\x1c&\xd4\xb0\xc7\xf8\n\x1dVB\x00"), byte(0))
	f.Add([]byte("\x1d(k\x04\x001P0x\x1d(k\x03\x001Q0\x1dv0\x00\x01\x00\x02\x00\x10\x04"), byte(1))
	f.Add([]byte("\x1c2\xfe\xa1\x1b$\x10\x00\x1d!\x77A\n\x1bd\xff"), byte(2))
	f.Add([]byte("\xd4\xb0\n\x1bi\x1de\x03\x00\x1de\x06\x1de\x02"), byte(3))
	var models []*Profile
	for _, name := range ProfileNames() {
		models = append(models, profile(f, name))
	}
	f.Fuzz(func(t *testing.T, in []byte, model byte) {
		p := models[int(model)%len(models)]
		s := NewSim(p, &SimOpts{Quick: true})
		s.run(in)
		if s.frame.inside() && s.frame.length(append(slices.Clone(s.frame.part), make([]byte, 16)...)) > maxCommand {
			return
		}
		s.newSheet()
		s.run(make([]byte, maxCommand))
		s.newSheet()
		s.run([]byte("\x1b@\x1c&\xd4\xb0\n"))
		s.run(p.cut())
		if r := s.Receipts(); len(r) == 0 || len(r[len(r)-1].Lines) != 1 || r[len(r)-1].Lines[0] != "园" {
			t.Fatalf("after %x: %v", in, r)
		}
	})
}
