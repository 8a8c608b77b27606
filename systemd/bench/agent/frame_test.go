package agent

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestFrames(t *testing.T) {
	var b []byte
	want := []frame{
		{frameHello, 0, bytes.Repeat([]byte{7}, wordLen)},
		{frameOpen, 1, []byte(`{"get":"/etc/hostname"}`)},
		{frameData, 1<<32 - 1, bytes.Repeat([]byte{0}, maxFrame)},
		{frameEnd, 3, []byte{}},
	}
	for i, f := range want {
		b = append(b, make([]byte, i*3)...) // idle bytes between frames
		b = f.append(b)
	}
	in := bufio.NewReader(bytes.NewReader(b))
	for _, w := range want {
		f, err := readFrame(in)
		if err != nil || f.kind != w.kind || f.stream != w.stream || !bytes.Equal(f.body, w.body) {
			t.Errorf("got %v, %v", f, err)
		}
	}
	if _, err := readFrame(in); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

// FuzzHello: whatever bytes came before, also half a frame, the host's hello is found after the bytes that begin a session.
func FuzzHello(f *testing.F) {
	f.Add([]byte{})
	f.Add(frame{frameData, 5, []byte("half a fra")}.append(nil)[:15])
	f.Add([]byte{frameData, 0, 0})
	f.Add([]byte{0xFF, 0xB5, 0, 1})
	f.Fuzz(func(t *testing.T, before []byte) {
		word := []byte("a word of a host")
		b := append(before, make([]byte, headLen+maxFrame)...)
		b = frame{frameHello, 0, word}.append(b)
		in := bufio.NewReader(bytes.NewReader(b))
		for {
			got, err := readFrame(in)
			switch {
			case errors.Is(err, errNoFrame):
			case err != nil:
				t.Fatalf("the hello was missed: %v", err)
			case got.kind == frameHello && bytes.Equal(got.body, word):
				return
			case len(got.body) > maxFrame:
				t.Fatalf("a frame of %d bytes", len(got.body))
			}
		}
	})
}
