package serialpad

import "slices"

// Check is a kind of checksum, by the name that it has in a message of a [Profile].
type Check string

// The checksums.
const (
	CheckNone    Check = ""
	CheckSum8    Check = "sum8"    // the sum of the bytes, modulo 256
	CheckXOR     Check = "xor"     // the exclusive or of the bytes, which many manuals call LRC or BCC
	CheckLRC     Check = "lrc"     // what makes the sum of the bytes zero, modulo 256 (Modbus over Serial Line V1.02, 6.2.1)
	CheckCRC16   Check = "crc16"   // CRC-16/MODBUS, low byte first (Modbus over Serial Line V1.02, 6.2.2)
	CheckCRC16HL Check = "crc16hl" // the same, high byte first
)

// checks are all kinds, the strongest first.
func checks() []Check {
	return []Check{CheckCRC16, CheckCRC16HL, CheckSum8, CheckXOR, CheckLRC}
}

// size is the number of bytes of the checksum.
func (c Check) size() int {
	switch c {
	case CheckNone:
		return 0
	case CheckCRC16, CheckCRC16HL:
		return 2
	}
	return 1
}

// append appends the checksum of covered to b.
func (c Check) append(b, covered []byte) []byte {
	switch c {
	case CheckCRC16:
		crc := crc16(covered)
		return append(b, byte(crc), byte(crc>>8))
	case CheckCRC16HL:
		crc := crc16(covered)
		return append(b, byte(crc>>8), byte(crc))
	}
	var sum, xor byte
	for _, v := range covered {
		sum += v
		xor ^= v
	}
	switch c {
	case CheckSum8:
		return append(b, sum)
	case CheckXOR:
		return append(b, xor)
	case CheckLRC:
		return append(b, -sum)
	}
	return b
}

// good says whether sum is the checksum of covered.
func (c Check) good(sum, covered []byte) bool {
	var room [2]byte
	return slices.Equal(sum, c.append(room[:0], covered))
}

// crc16 is CRC-16/MODBUS: polynomial 8005 reflected, from FFFF.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, v := range b {
		crc ^= uint16(v)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}
