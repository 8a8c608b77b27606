package idcard

// Framing is the form in which a family of readers talks. It settles how bytes become frames and what can be asked.
type Framing string

const (
	SDT Framing = "sdt" // the safety module's own line protocol, GA/T 467-2019
	STX Framing = "stx" // that of the multi-card modules sold to banks; only a whole card can be asked for
)

// Framings lists all framings, the one to try first first.
func Framings() []Framing { return []Framing{SDT, STX} }

// framer is how one side's commands or answers are wrapped for the line.
type framer interface {
	// wrap appends the frame around body to dst.
	wrap(dst, body []byte) []byte
	// seek looks for the first frame in b: skip bytes belong to none, and the one behind them has size bytes, which need not
	// all be there yet. Size is 0 while too little is there to tell.
	seek(b []byte) (skip, size int)
	// unwrap returns the body of a whole frame, false when its checks fail.
	unwrap(frame []byte) (body []byte, ok bool)
}

// fromHost is how commands are wrapped.
func (f Framing) fromHost() framer {
	if f == STX {
		return stxFrames{longest: maxHost}
	}
	return sdtFrames{min: minHost, max: maxHost}
}

// fromReader is how answers are wrapped.
func (f Framing) fromReader() framer {
	if f == STX {
		return stxFrames{longest: maxReply, answers: true}
	}
	return sdtFrames{min: minReply, max: maxReply}
}

// The longest body of a command: no command of either framing is longer than 4, the rest is room for others. And of an
// answer: the longest known one, text with photo and two fingerprints, has 2314.
const (
	maxHost  = 64
	maxReply = 2400
)

// scanner finds frames in a stream that may also hold noise, halves of frames and
// answers nobody waits for any more. After anything that turns out not to be a frame
// it goes on at the very next byte, so that no good frame behind it is lost.
type scanner struct {
	framer framer

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
	if n := len(s.buf) + len(p); n > cap(s.buf) {
		grown := append(make([]byte, 0, max(2*n, maxReply)), s.buf...)
		clear(s.buf)
		s.buf = grown
	}
	s.buf = append(s.buf, p...)
}

// next returns the body of the next frame, without checksum, valid until the next call
// of any method. It returns false when more bytes are needed.
func (s *scanner) next() ([]byte, bool) {
	s.consume()
	for {
		skip, size := s.framer.seek(s.buf[s.off:])
		s.skip(skip)
		rest := s.buf[s.off:]
		if size == 0 || len(rest) < size {
			return nil, false
		}
		body, ok := s.framer.unwrap(rest[:size])
		if ok {
			s.size = size
			return body, true
		}
		s.badSums++
		s.skip(1)
	}
}

// behind tells how many bytes follow the frame last returned.
func (s *scanner) behind() int { return len(s.buf) - s.off - s.size }

// coming returns what is there of a frame whose end is still to come, nil when no frame has begun.
func (s *scanner) coming() []byte {
	if s.size > 0 {
		return nil
	}
	rest := s.buf[s.off:]
	if skip, size := s.framer.seek(rest); skip > 0 || size == 0 || len(rest) >= size {
		return nil
	}
	return rest
}

// pending tells whether the beginning of a frame waits for its end.
func (s *scanner) pending() bool { return s.coming() != nil }

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

func xor(b []byte) (sum byte) {
	for _, c := range b {
		sum ^= c
	}
	return sum
}
