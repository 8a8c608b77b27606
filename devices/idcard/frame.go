package idcard

import (
	"bytes"
	"encoding/binary"
)

// A frame of the line protocol (GA/T 467-2019, chapter 7):
//
//	AA AA AA 96 69 | length, 2 bytes big-endian | body | checksum
//
// The length counts body and checksum. The checksum is the exclusive-or of length and
// body, so that length, body and checksum together give zero. The body is a command,
// a parameter and data towards the reader; SW1, SW2, SW3 and data from it.
const (
	preamble  = "\xAA\xAA\xAA\x96\x69"
	headSize  = len(preamble) + 2
	minHost   = 3    // length of a command without data
	maxHost   = 64   // no command of the module is longer than 4; the rest is room for others
	minReply  = 4    // length of an answer without data
	maxReply  = 2400 // the longest known answer, text with photo and two fingerprints, is 2314
	wordsSize = 3    // SW1, SW2, SW3
)

// appendFrame appends the frame around the concatenation of parts.
func appendFrame(dst []byte, parts ...[]byte) []byte {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	dst = append(dst, preamble...)
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return append(dst, xor(dst[start:]))
}

func xor(b []byte) (sum byte) {
	for _, c := range b {
		sum ^= c
	}
	return sum
}

// scanner finds frames in a stream that may also hold noise, halves of frames and
// answers nobody waits for any more. After anything that turns out not to be a frame
// it goes on at the very next byte, so that no good frame behind it is lost.
type scanner struct {
	min, max int // of the length field

	buf  []byte
	off  int // start of what is not yet consumed
	size int // of the frame last returned, consumed by the next call

	skipped int // bytes that belonged to no frame
	badSums int // frames with a wrong checksum
}

// feed appends received bytes. It invalidates the body that next returned.
func (s *scanner) feed(p []byte) {
	s.consume()
	if s.off > 0 {
		n := copy(s.buf, s.buf[s.off:])
		clear(s.buf[n:]) // what was here may be somebody's card
		s.buf, s.off = s.buf[:n], 0
	}
	s.buf = append(s.buf, p...)
}

// next returns the body of the next frame, without checksum, valid until the next call
// of any method. It returns false when more bytes are needed.
func (s *scanner) next() ([]byte, bool) {
	s.consume()
	for {
		rest := s.buf[s.off:]
		at := bytes.Index(rest, []byte(preamble))
		if at < 0 {
			s.skip(len(rest) - preambleTail(rest))
			return nil, false
		}
		s.skip(at)
		rest = rest[at:]
		if len(rest) < headSize {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(rest[len(preamble):]))
		if n < s.min || n > s.max {
			s.skip(1)
			continue
		}
		if len(rest) < headSize+n {
			return nil, false
		}
		if xor(rest[len(preamble):headSize+n]) != 0 {
			s.badSums++
			s.skip(1)
			continue
		}
		s.size = headSize + n
		return rest[headSize : s.size-1], true
	}
}

// pending tells whether the beginning of a frame waits for its end.
func (s *scanner) pending() bool {
	return s.size == 0 && bytes.HasPrefix(s.buf[s.off:], []byte(preamble))
}

// abandon gives the pending frame up because the line fell silent in its middle. A
// complete frame hidden behind its beginning comes out of next afterwards.
func (s *scanner) abandon() {
	if s.pending() {
		s.skip(1)
	}
}

// wipe forgets everything received and overwrites it.
func (s *scanner) wipe() {
	clear(s.buf[:cap(s.buf)])
	s.buf, s.off, s.size = s.buf[:0], 0, 0
}

func (s *scanner) consume() {
	s.off += s.size
	s.size = 0
}

func (s *scanner) skip(n int) {
	s.off += n
	s.skipped += n
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
