package serialpad

import "time"

// heard is one message that was found among the received bytes.
type heard struct {
	kind kind
	fields
	at  time.Time // when its first byte came
	raw []byte
}

// scanner finds the messages of a profile in what comes from the line, whatever is between them and however it is cut. It knows no clock:
// feed is told when bytes came, and quiet that the line has been silent for timing.gapMs.
//
// Where every message that is looked for has a checksum, it begins anew one byte further after each byte that fits nothing, so no noise
// costs more than itself. Without a checksum nothing but silence tells a message from a part of something else: then all that comes
// between two silences must be whole messages, or none of it is believed.
type scanner struct {
	profile *compiled
	kinds   []kind // in the order of trial
	alone   bool   // only whole bursts are believed

	buf   []byte
	at    []time.Time // when each byte came
	over  bool        // the burst is longer than anything believable
	found []heard     // of a burst

	skipped int // bytes that belonged to no message
}

// newScanner returns a scanner for what a host hears: the messages of the pad first, and its own, which an adapter may echo or another
// host may send.
func newScanner(c *compiled) *scanner {
	s := &scanner{profile: c, alone: !c.checked}
	for _, k := range append(padKinds(), hostKinds()...) {
		if c.messages[k] != nil {
			s.kinds = append(s.kinds, k)
		}
	}
	return s
}

// newPadScanner returns a scanner for what a pad hears.
func newPadScanner(c *compiled) *scanner {
	s := &scanner{profile: c}
	for _, k := range append(hostKinds(), padKinds()...) {
		m := c.messages[k]
		if m == nil {
			continue
		}
		s.kinds = append(s.kinds, k)
		s.alone = s.alone || m.check == CheckNone
	}
	return s
}

// maxBurst is how many bytes without a silence are looked at where there is no checksum.
const maxBurst = 2 * maxMessage

// feed takes bytes that came at now.
func (s *scanner) feed(b []byte, now time.Time) {
	if s.alone && len(s.buf)+len(b) > maxBurst {
		s.over = true
		s.skipped += len(s.buf)
		s.buf, s.at = s.buf[:0], s.at[:0]
		b = b[max(0, len(b)-maxBurst):]
	}
	s.buf = append(s.buf, b...)
	for range b {
		s.at = append(s.at, now)
	}
}

// pending says whether bytes wait for more of them, or for silence.
func (s *scanner) pending() bool { return len(s.buf) > 0 }

// drop takes n bytes off the beginning.
func (s *scanner) drop(n int) {
	s.buf = append(s.buf[:0], s.buf[n:]...)
	s.at = append(s.at[:0], s.at[n:]...)
}

// quiet says that nothing came for timing.gapMs: what waits for more of it waits in vain.
func (s *scanner) quiet() {
	if s.alone {
		if found, ok := s.burst(); ok && !s.over {
			s.found = append(s.found, found...)
		} else {
			s.skipped += len(s.buf)
		}
		s.buf, s.at, s.over = s.buf[:0], s.at[:0], false
		return
	}
	for len(s.buf) > 0 {
		if h, ok := s.look(); ok {
			s.found = append(s.found, h)
			continue
		}
		if len(s.buf) > 0 {
			s.skipped++
			s.drop(1)
		}
	}
}

// next returns the next message.
func (s *scanner) next() (heard, bool) {
	if len(s.found) > 0 {
		h := s.found[0]
		s.found = s.found[1:]
		return h, true
	}
	if s.alone {
		return heard{}, false
	}
	return s.look()
}

// look finds a message in buf, and leaves what may still become one.
func (s *scanner) look() (heard, bool) {
	for len(s.buf) > 0 {
		fits := misfit
		for _, k := range s.kinds {
			n, f, fit := s.match(k, s.buf)
			if fit == whole {
				h := s.take(k, f, 0, n)
				s.drop(n)
				return h, true
			}
			fits = max(fits, fit)
		}
		if fits == begun {
			return heard{}, false
		}
		s.skipped++
		s.drop(1)
	}
	return heard{}, false
}

// take makes the message that was found in n bytes of buf.
func (s *scanner) take(k kind, f fields, at, n int) heard {
	f.text = append([]byte(nil), f.text...)
	return heard{kind: k, fields: f, at: s.at[at], raw: append([]byte(nil), s.buf[at:at+n]...)}
}

// match compares the beginning of b with one message. An address that no pad can have is a misfit, and so is an unknown key where there
// is no checksum: a byte that happens to stand there would be a button.
func (s *scanner) match(k kind, b []byte) (int, fields, fit) {
	m := s.profile.messages[k]
	n, f, fit := m.match(b)
	if fit != whole {
		return n, f, fit
	}
	if a := s.profile.Address; a != nil && m.has(address) && (int(f.address) < a.Least || int(f.address) > a.Most) {
		return 0, f, misfit
	}
	if _, known := s.profile.keys[f.key]; s.alone && m.has(key) && !known {
		return 0, f, misfit
	}
	return n, f, whole
}

// burst cuts the whole of buf into messages.
func (s *scanner) burst() ([]heard, bool) {
	dead := make([]bool, len(s.buf)+1) // offsets from which there is no way to the end
	var cut func(at int) ([]heard, bool)
	cut = func(at int) ([]heard, bool) {
		if at == len(s.buf) {
			return nil, true
		}
		if dead[at] {
			return nil, false
		}
		for _, k := range s.kinds {
			n, f, fit := s.match(k, s.buf[at:])
			if fit != whole {
				continue
			}
			if tail, ok := cut(at + n); ok {
				return append([]heard{s.take(k, f, at, n)}, tail...), true
			}
		}
		dead[at] = true
		return nil, false
	}
	return cut(0)
}
