package serialport

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const goodTape = `serial-tape 1
path /dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0
baud 115200
format 8N1
flow none
began 2026-11-22T10:15:03.123456+08:00

# This tape may hold personal data.
0.000000 > AA AA AA 96 69 00 03 12 FF EE  # get SAM number
0.012816 < AAAAaa966900 14
1 <   00
2.500102 > 01 02 03
2.500102 ! unsent 2
2.6 ! gone
serial-tape 1
baud 9600
format 7E2
flow rtscts
`

func TestParseTapes(t *testing.T) {
	tapes, err := ParseTapes(strings.NewReader(goodTape))
	if err != nil {
		t.Fatal(err)
	}
	want := []Tape{{
		Path: "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0", Baud: 115200, Format: "8N1",
		Began: time.Date(2026, 11, 22, 10, 15, 3, 123456000, time.FixedZone("", 8*3600)),
		Records: []Record{
			{9, 0, ToDevice, []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x03, 0x12, 0xFF, 0xEE}, ""},
			{10, 12816 * time.Microsecond, FromDevice, []byte{0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x14}, ""},
			{11, time.Second, FromDevice, []byte{0}, ""},
			{12, 2500102 * time.Microsecond, ToDevice, []byte{1}, ""},
			{14, 2600 * time.Millisecond, Event, nil, "gone"},
		},
	}, {Baud: 9600, Format: "7E2", RTSCTS: true}}
	if len(tapes) != 2 || !tapes[0].Began.Equal(want[0].Began) {
		t.Fatalf("got %+v", tapes)
	}
	tapes[0].Began = want[0].Began
	if !reflect.DeepEqual(tapes, want) {
		t.Errorf("got  %+v\nwant %+v", tapes, want)
	}
}

// TestParseTapesRefuses: each error names its line and what should be there, and gives no bytes away.
func TestParseTapesRefuses(t *testing.T) {
	head := "serial-tape 1\nbaud 9600\n"
	for _, tc := range []struct{ text, says string }{
		{"", "line 1: there is nothing"},
		{"\n\n# only\n", "line 4: there is nothing"},
		{"PK\x03\x04", "line 1: this is no tape"},
		{"serial-tape 2\n", "line 1: this is no tape"},
		{"serial-tape 1\n", "line 2: the tape does not say its baud"},
		{"serial-tape 1\nserial-tape 1\nbaud 9600\n", "line 2: the tape does not say its baud"},
		{"serial-tape 1\nbaud fast\n", "line 2: baud"},
		{"serial-tape 1\nbaud -1\n", "line 2: baud"},
		{head + "baud 9600\n", "line 3: a second"},
		{head + "format 8X1\n", "line 3: format"},
		{head + "format 81\n", "line 3: format"},
		{head + "flow xonxoff\n", "line 3: flow"},
		{head + "began yesterday\n", "line 3: began"},
		{head + "colour red\n", "line 3: neither"},
		{head + " 0.1 > 00\n", "line 3: neither"},
		{head + "0.1 > 00\nflow none\n", "line 4: a record begins"},
		{head + "0,1 > 00\n", "line 3: a record begins"},
		{head + "0h1 > 00\n", "line 3: a record begins"},
		{head + "1e3 > 00\n", "line 3: a record begins"},
		{head + "99999999999999999999 > 00\n", "line 3: a record begins"},
		{head + "2 > 00\n1 > 00\n", "line 4: time runs backwards"},
		{head + "1\n", "line 3: after the time"},
		{head + "1 = 00\n", "line 3: after the time"},
		{head + "1 >\n", "line 3: bytes"},
		{head + "1 > 0\n", "line 3: bytes"},
		{head + "1 > 4A4B4C 4D 4G\n", "line 3: bytes"},
		{head + "1 ! exploded\n", "line 3: an event"},
		{head + "1 ! unsent x\n", "line 3: unsent needs"},
		{head + "1 > 00 01\n1 < 02\n1 ! unsent 3\n", "line 5: more unsent"},
		{head + "1 > " + strings.Repeat("00 ", tapeLine) + "\n", "line 3: bufio.Scanner: token too long"},
	} {
		tapes, err := ParseTapes(strings.NewReader(tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%.60q: %v, want %q", tc.text, err, tc.says)
		}
		if tapes != nil || err != nil && strings.Contains(err.Error(), "4A4B") {
			t.Errorf("%.60q: %v, %v", tc.text, tapes, err)
		}
	}
}

func FuzzParseTapes(f *testing.F) {
	f.Add(goodTape)
	f.Add("serial-tape 1\nbaud 9600\npath \x01\xff\n0.1 > 00 # x\n0.1 ! unsent 1\n0.1 ! full\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		tapes, err := ParseTapes(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "cannot read tape, line ") {
				t.Errorf("%v names no line", err)
			}
			return
		}
		var b strings.Builder
		for _, tape := range tapes {
			last := time.Duration(0)
			for _, r := range tape.Records {
				if r.At < last || (r.Way == Event) != (r.Event != "") || (r.Way != Event) != (len(r.Bytes) > 0) {
					t.Errorf("record %+v", r)
				}
				last = r.At
			}
			if _, err := tape.WriteTo(&b); err != nil {
				t.Fatal(err)
			}
		}
		again, err := ParseTapes(strings.NewReader(b.String()))
		if err != nil || len(again) != len(tapes) {
			t.Fatalf("written again: %v\n%s", err, b.String())
		}
		for i := range tapes {
			unify(&tapes[i])
			unify(&again[i])
			if !reflect.DeepEqual(again[i], tapes[i]) {
				t.Errorf("written again:\n%+v, before\n%+v", again[i], tapes[i])
			}
		}
	})
}

// unify takes away what two equal tapes may differ in: places in the text, the pointer of a time's zone, and records that were all
// taken back.
func unify(t *Tape) {
	if len(t.Records) == 0 {
		t.Records = nil
	}
	for i := range t.Records {
		t.Records[i].Line = 0
	}
	t.Began = t.Began.UTC()
}
