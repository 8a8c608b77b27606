package idcard

import "testing"

// BenchmarkFrameToCard takes one answer of 1295 bytes as it comes from the line and
// makes a checked Card of it.
func BenchmarkFrameToCard(b *testing.B) {
	text, err := EncodeCard(Examples()[0])
	if err != nil {
		b.Fatal(err)
	}
	frame := appendFrame(nil, readBody(text, emptyPhoto()))
	in := scanner{framer: SDT.fromReader()}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		in.feed(frame)
		body, ok := in.next()
		if !ok {
			b.Fatal("no frame")
		}
		card, err := DecodeCard(body[sdtStatuses+4 : sdtStatuses+4+textSize])
		if err == nil {
			err = card.Check()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
