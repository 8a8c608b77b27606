package idcard

import (
	"bytes"
	"encoding/binary"
)

// sdtFrames are the frames of the safety module (GA/T 467-2019, chapter 7):
//
//	AA AA AA 96 69 | length, 2 bytes big-endian | body | checksum
//
// The length counts body and checksum. The checksum is the exclusive-or of length and
// body, so that length, body and checksum together give zero. The body is a command,
// a parameter and data towards the reader; SW1, SW2, SW3 and data from it.
type sdtFrames struct {
	min, max int // of the length field
}

const (
	preamble    = "\xAA\xAA\xAA\x96\x69"
	sdtHead     = len(preamble) + 2
	minHost     = 3 // length of a command without data
	minReply    = 4 // length of an answer without data
	sdtStatuses = 3 // SW1, SW2, SW3
)

func (f sdtFrames) wrap(dst, body []byte) []byte {
	dst = append(dst, preamble...)
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)+1))
	dst = append(dst, body...)
	return append(dst, xor(dst[start:]))
}

func (f sdtFrames) seek(b []byte) (skip, size int) {
	for {
		at := bytes.Index(b[skip:], []byte(preamble))
		if at < 0 {
			return len(b) - preambleTail(b[skip:]), 0
		}
		skip += at
		rest := b[skip:]
		if len(rest) < sdtHead {
			return skip, sdtHead + f.min
		}
		if n := int(binary.BigEndian.Uint16(rest[len(preamble):])); n >= f.min && n <= f.max {
			return skip, sdtHead + n
		}
		skip++
	}
}

func (f sdtFrames) unwrap(frame []byte) ([]byte, bool) {
	return frame[sdtHead : len(frame)-1], xor(frame[len(preamble):]) == 0
}

// preambleTail tells how many bytes at the end of b may be the beginning of a preamble.
func preambleTail(b []byte) int {
	for n := min(len(preamble)-1, len(b)); n > 0; n-- {
		if bytes.HasSuffix(b, []byte(preamble[:n])) {
			return n
		}
	}
	return 0
}
