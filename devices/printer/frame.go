package printer

import "bytes"

// framer cuts what a host sends into commands, as a printer does: it knows nothing but the lengths.
type framer struct {
	gb18030 bool      // the font takes four-byte codes
	vendor  []Command // commands of the model's own
	hanzi   bool      // FS & is in force
	part    []byte
}

// maxFrame is the longest command taken; a longer announcement (noise) is cut there.
const maxFrame = 1 << 20

// feed takes one byte. It returns a command when b completed one; the slice is the caller's.
func (f *framer) feed(b byte) Command {
	f.part = append(f.part, b)
	n := f.length(f.part)
	if (n == 0 || len(f.part) < n) && len(f.part) < maxFrame {
		return nil
	}
	c := Command(f.part)
	f.part = nil
	if len(c) == 2 && c[0] == fs && (c[1] == '&' || c[1] == '.') {
		f.hanzi = c[1] == '&'
	} else if len(c) == 2 && c[0] == esc && c[1] == '@' {
		f.hanzi = false
	}
	return c
}

// inside says whether the next byte belongs to a command already begun.
func (f *framer) inside() bool { return len(f.part) > 0 }

// length is the length of the command that begins with b, or 0 while that cannot be told.
func (f *framer) length(b []byte) int {
	for _, v := range f.vendor {
		if bytes.HasPrefix(v, b) {
			return len(v)
		}
	}
	switch b[0] {
	case dle:
		return need(b, 2, func() int { return lengthDLE(b) })
	case esc:
		return need(b, 2, func() int { return lengthESC(b) })
	case fs:
		return need(b, 2, func() int { return lengthFS(b) })
	case gs:
		return need(b, 2, func() int { return lengthGS(b) })
	}
	if !f.hanzi || b[0] < 0x81 || b[0] == 0xFF {
		return 1
	}
	return need(b, 2, func() int {
		if f.gb18030 && b[1] >= 0x30 && b[1] <= 0x39 {
			return 4
		}
		return 2
	})
}

// need is the value of f once there are n bytes.
func need(b []byte, n int, f func() int) int {
	if len(b) < n {
		return 0
	}
	return f()
}

func lengthDLE(b []byte) int {
	switch b[1] {
	case 0x04, 0x05:
		return 3
	case 0x14:
		return need(b, 3, func() int {
			switch b[2] {
			case 1, 2:
				return 5
			case 3:
				return 7
			case 8:
				return 10
			}
			return 3
		})
	}
	return 1
}

func lengthESC(b []byte) int {
	switch b[1] {
	case '@', '2', 'i', 'm', 'L', 'S', 0x0C, '<':
		return 2
	case 'p':
		return 5
	case 'B', '\\', '$':
		return 4
	case '*':
		return need(b, 5, func() int {
			k := int(b[3]) + int(b[4])<<8
			if b[2] >= 32 {
				k *= 3
			}
			return 5 + k
		})
	case 'D':
		if b[len(b)-1] == 0 && len(b) > 2 {
			return len(b)
		}
		return 0
	}
	return 3
}

func lengthFS(b []byte) int {
	switch b[1] {
	case '&', '.':
		return 2
	case 'S':
		return 4
	case '2':
		return 4 + 72
	case '!', '-', 'W', 'C':
		return 3
	}
	return 2
}

func lengthGS(b []byte) int {
	switch b[1] {
	case 'V':
		return need(b, 3, func() int {
			if b[2] > 49 {
				return 4
			}
			return 3
		})
	case '(':
		return need(b, 5, func() int { return 5 + int(b[3]) + int(b[4])<<8 })
	case '8':
		return need(b, 7, func() int {
			return min(7+int(b[3])+int(b[4])<<8+int(b[5])<<16+int(b[6])<<24, maxFrame)
		})
	case 'v':
		return need(b, 8, func() int {
			return min(8+(int(b[4])+int(b[5])<<8)*(int(b[6])+int(b[7])<<8), maxFrame)
		})
	case 'k':
		return need(b, 4, func() int {
			if b[2] >= 65 {
				return 4 + int(b[3])
			}
			if b[len(b)-1] == 0 {
				return len(b)
			}
			return 0
		})
	case 'L', 'W', 'P', '$', '\\':
		return 4
	case 0x00, ':':
		return 2
	}
	return 3
}
