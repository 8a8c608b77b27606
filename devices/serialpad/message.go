package serialpad

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxMessage is the longest message that is understood, in bytes. The longest texts of pads have 2 lines of 16 Hanzi.
const maxMessage = 128

// A message of a profile is written as it stands on the wire: bytes in hexadecimal, characters of ASCII in single quotes, and names in
// braces for what differs from one message to the next. Square brackets stand around the bytes that the checksum covers:
//
//	A5 5A [ {length-5} {address} 50 {sequence} {key} ] {crc16}
//
// The names are
//
//	{address}   the pad on the bus
//	{sequence}  a running number of the presses
//	{key}       the button
//	{state}     what the pad shows: 01 welcome, 02 invite, 03 thank, 04 pause
//	{length}    how many bytes the whole message has; {length-5} is 5 less
//	{text}      a text in GBK; in messages to the pad only, at most once
//	{any}       a byte that means nothing to us; in messages from the pad only
//	{rest}      any number of such bytes; in messages from the pad only, at most once
//	{sum8} {xor} {lrc} {crc16} {crc16hl}  the checksum, see [Check]
//
// A message with a {text} or a {rest} needs to say where it ends: by a {length}, or by bytes behind.
type message struct {
	text   string // as written
	parts  []part
	least  int // bytes of the message without {text} and {rest}
	open   int // index of the {text} or {rest} in parts, -1 without
	end    int // bytes behind it, up to the end
	length int // index of the {length} in parts, -1 without
	check  Check
	sumAt  int // index of the checksum in parts, -1 without
	from   int // the parts that the checksum covers: from ≤ index < to
	to     int
}

// part is one byte of a message, or one checksum, or one text.
type part struct {
	what what
	byte byte // of a constant
	less int  // of a length: what it is less than the whole
}

// what a part is.
type what int8

const (
	constant what = iota
	address
	sequence
	key
	state
	length
	text
	anyByte
	rest
	sum
)

// names are the placeholders that are one word.
func names() map[string]what {
	return map[string]what{"address": address, "sequence": sequence, "key": key, "state": state, "text": text, "any": anyByte, "rest": rest}
}

// fields are what stands at the names of a message. Those that a message does not have are 0.
type fields struct {
	address, sequence, key, state byte
	text                          []byte // the {text} or {rest}
}

// parseMessage reads a message of a profile.
func parseMessage(s string) (*message, error) {
	m := &message{text: s, open: -1, length: -1, sumAt: -1, from: -1, to: -1}
	for rest := s; ; {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			break
		}
		var err error
		if rest, err = m.word(rest); err != nil {
			return nil, err
		}
	}
	return m, m.settle()
}

// word reads the first word of s and returns what is behind it.
func (m *message) word(s string) (string, error) {
	switch s[0] {
	case '[':
		if m.from >= 0 {
			return "", errors.New("a second [: a message has one checksum at most")
		}
		m.from = len(m.parts)
		return s[1:], nil
	case ']':
		if m.from < 0 || m.to >= 0 {
			return "", errors.New("a ] without its [")
		}
		m.to = len(m.parts)
		return s[1:], nil
	case '\'':
		chars, behind, ok := strings.Cut(s[1:], "'")
		if !ok {
			return "", errors.New("a ' without its second")
		}
		for _, c := range []byte(chars) {
			if c < 0x20 || c > 0x7E {
				return "", fmt.Errorf("%q has a character that is not ASCII: write it in hexadecimal", chars)
			}
			m.parts = append(m.parts, part{what: constant, byte: c})
		}
		return behind, nil
	case '{':
		name, behind, ok := strings.Cut(s[1:], "}")
		if !ok {
			return "", errors.New("a { without its }")
		}
		return behind, m.name(name)
	}
	if len(s) >= 2 {
		if b, err := hex.DecodeString(s[:2]); err == nil {
			m.parts = append(m.parts, part{what: constant, byte: b[0]})
			return s[2:], nil
		}
	}
	return "", fmt.Errorf("cannot understand %q: want bytes as two hexadecimal digits, 'characters', {names} and one pair of [ ]", s)
}

// name adds the part of that name.
func (m *message) name(name string) error {
	if w, ok := names()[name]; ok {
		if w == text || w == rest {
			if m.open >= 0 {
				return errors.New("more than one {text} or {rest}: the end of the first cannot be known")
			}
			m.open = len(m.parts)
		}
		m.parts = append(m.parts, part{what: w})
		return nil
	}
	if c := Check(name); slices.Contains(checks(), c) {
		if m.sumAt >= 0 {
			return errors.New("more than one checksum")
		}
		m.check, m.sumAt = c, len(m.parts)
		m.parts = append(m.parts, part{what: sum})
		return nil
	}
	if less, ok := strings.CutPrefix(name, "length"); ok {
		n := 0
		if less != "" {
			var err error
			if n, err = strconv.Atoi(less); err != nil || n < -64 || n > 64 {
				return fmt.Errorf("{%s}: want {length}, or {length-5} for 5 less", name)
			}
		}
		if m.length < 0 {
			m.length = len(m.parts)
		}
		m.parts = append(m.parts, part{what: length, less: -n})
		return nil
	}
	return fmt.Errorf("there is no {%s}: the names are address, sequence, key, state, length, text, any, rest, sum8, xor, lrc, crc16 and crc16hl", name)
}

// settle checks the message as a whole.
func (m *message) settle() error {
	for i, p := range m.parts {
		n := 1
		switch p.what {
		case text, rest:
			n = 0
		case sum:
			n = m.check.size()
		}
		m.least += n
		if m.open >= 0 && i > m.open {
			m.end += n
		}
	}
	negative := slices.ContainsFunc(m.parts, func(p part) bool { return p.what == length && p.less > m.least })
	ended := m.open >= 0 && m.open+1 < len(m.parts) && m.parts[m.open+1].what == constant
	switch {
	case m.least == 0:
		return errors.New("it is empty")
	case m.least > maxMessage:
		return fmt.Errorf("it has %d bytes, and at most %d are possible", m.least, maxMessage)
	case (m.from >= 0) != (m.to >= 0):
		return errors.New("a [ without its ]")
	case (m.from >= 0) != (m.sumAt >= 0):
		return errors.New("a checksum and the [ ] around what it covers go together")
	case m.sumAt >= 0 && m.from == m.to:
		return errors.New("the [ ] are empty")
	case m.sumAt >= m.from && m.sumAt < m.to:
		return errors.New("the checksum stands within its own [ ]")
	case negative:
		return fmt.Errorf("its {length} would be below zero: the whole message has %d bytes", m.least)
	case m.open >= 0 && m.length > m.open:
		return errors.New("the {length} stands behind what it measures")
	case m.open >= 0 && m.length < 0 && !ended:
		return errors.New("where the {text} or {rest} ends cannot be known: give a {length} before it, or a byte right behind it")
	}
	return nil
}

// has says whether the message has a part.
func (m *message) has(w what) bool {
	return slices.ContainsFunc(m.parts, func(p part) bool { return p.what == w })
}

// render makes the bytes of the message.
func (m *message) render(f fields) []byte {
	f.text = f.text[:min(len(f.text), maxMessage-m.least)]
	total := m.least + len(f.text)
	if m.open < 0 {
		total = m.least
	}
	b := make([]byte, 0, total)
	starts := make([]int, len(m.parts)+1)
	for i, p := range m.parts {
		starts[i] = len(b)
		switch p.what {
		case constant:
			b = append(b, p.byte)
		case address:
			b = append(b, f.address)
		case sequence:
			b = append(b, f.sequence)
		case key:
			b = append(b, f.key)
		case state:
			b = append(b, f.state)
		case length:
			b = append(b, byte(total-p.less))
		case text, rest:
			b = append(b, f.text...)
		case anyByte:
			b = append(b, 0)
		case sum:
			b = append(b, make([]byte, m.check.size())...)
		}
	}
	starts[len(m.parts)] = len(b)
	if m.sumAt >= 0 {
		at := starts[m.sumAt]
		m.check.append(b[at:at], b[starts[m.from]:starts[m.to]])
	}
	return b
}

// fit is how bytes compare with a message.
type fit int8

const (
	misfit fit = iota // they are not its beginning
	begun             // they may become it
	whole             // they begin with it
)

// match compares the beginning of b with the message. With whole it also returns the number of bytes and what stands at the names.
func (m *message) match(b []byte) (n int, f fields, _ fit) {
	if first := m.parts[0]; first.what == constant && len(b) > 0 && b[0] != first.byte {
		return 0, f, misfit
	}
	if m.open < 0 {
		return m.matchOf(m.least, b)
	}
	if m.length >= 0 {
		at := m.offset(m.length)
		if len(b) <= at {
			return m.prefix(b)
		}
		total := int(b[at]) + m.parts[m.length].less
		if total < m.least || total > maxMessage {
			return 0, f, misfit
		}
		return m.matchOf(total, b)
	}
	for total := m.least; total <= min(len(b), maxMessage); total++ {
		if n, f, fit := m.matchOf(total, b); fit == whole {
			return n, f, whole
		}
	}
	if len(b) >= maxMessage {
		return 0, f, misfit
	}
	return m.prefix(b)
}

// offset is where a part before the {text} or {rest} begins.
func (m *message) offset(i int) int {
	at := 0
	for _, p := range m.parts[:i] {
		if p.what == sum {
			at += m.check.size()
		} else {
			at++
		}
	}
	return at
}

// prefix compares b, which may be shorter or longer, with what is before the {text} or {rest}.
func (m *message) prefix(b []byte) (int, fields, fit) {
	at := 0
	for _, p := range m.parts[:m.open] {
		if at >= len(b) {
			break
		}
		switch p.what {
		case constant:
			if b[at] != p.byte {
				return 0, fields{}, misfit
			}
			at++
		case sum:
			at += m.check.size()
		default:
			at++
		}
	}
	return 0, fields{}, begun
}

// matchOf compares the beginning of b with the message at a length of total bytes.
func (m *message) matchOf(total int, b []byte) (int, fields, fit) {
	var f fields
	var room [maxMessage + 1]int
	starts := room[:0]
	at := 0
	for _, p := range m.parts {
		starts = append(starts, at)
		n := 1
		switch p.what {
		case sum:
			n = m.check.size()
		case text, rest:
			n = total - m.least
		}
		if at+n > len(b) {
			return 0, f, begun
		}
		switch p.what {
		case constant:
			if b[at] != p.byte {
				return 0, f, misfit
			}
		case length:
			if int(b[at])+p.less != total {
				return 0, f, misfit
			}
		case address:
			f.address = b[at]
		case sequence:
			f.sequence = b[at]
		case key:
			f.key = b[at]
		case state:
			f.state = b[at]
		case text, rest:
			f.text = b[at : at+n]
		}
		at += n
	}
	starts = append(starts, at)
	if m.sumAt >= 0 && !m.check.good(b[starts[m.sumAt]:starts[m.sumAt+1]], b[starts[m.from]:starts[m.to]]) {
		return 0, f, misfit
	}
	return total, f, whole
}
