package idcard

import (
	"bytes"
	"encoding/binary"
)

// stxFrames are the frames of the multi-card modules that makers sell to banks (华旭, 握奇, 华腾, 中盾, 同方); the makers' own
// descriptions are the only source:
//
//	02 | length of the data, 2 bytes big-endian | data | LRC | 03
//
// The LRC is the exclusive-or of the data alone. The data is a command towards the reader; from it two bytes of status,
// of which the first is the safety module's SW3, and what was asked for.
type stxFrames struct {
	longest int  // data
	answers bool // of a reader, which are either a status alone or a card
}

const (
	stx         = 0x02
	etx         = 0x03
	stxHead     = 3
	stxTail     = 2
	stxStatuses = 2
)

func (f stxFrames) wrap(dst, body []byte) []byte {
	dst = append(dst, stx)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)))
	dst = append(dst, body...)
	return append(dst, xor(body), etx)
}

func (f stxFrames) seek(b []byte) (skip, size int) {
	for {
		at := bytes.IndexByte(b[skip:], stx)
		if at < 0 {
			return len(b), 0
		}
		skip += at
		rest := b[skip:]
		if len(rest) < stxHead {
			return skip, 0
		}
		if n := int(binary.BigEndian.Uint16(rest[1:])); f.possible(n, rest[stxHead:]) {
			return skip, stxHead + n + stxTail
		}
		skip++
	}
}

// possible tells whether a frame may have n bytes of data, of which begin is there. One byte is a weak mark, and a false
// beginning would hold back what follows until the line falls silent; that answers are either a state or a card, which says
// its lengths, makes up for it.
func (f stxFrames) possible(n int, begin []byte) bool {
	if !f.answers {
		return n >= 1 && n <= f.longest
	}
	if n == stxStatuses {
		return true
	}
	const lengths = stxStatuses + lengthsSize
	if n < lengths+textSize || n > f.longest || len(begin) > 0 && begin[0] != swOK {
		return false
	}
	if len(begin) < lengths {
		return true
	}
	words, photo := int(binary.BigEndian.Uint16(begin[stxStatuses:])), int(binary.BigEndian.Uint16(begin[stxStatuses+2:]))
	return words == textSize && n == lengths+words+photo
}

func (f stxFrames) unwrap(frame []byte) ([]byte, bool) {
	end := len(frame) - stxTail
	body := frame[stxHead:end]
	return body, frame[end] == xor(body) && frame[end+1] == etx
}
