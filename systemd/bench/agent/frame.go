package agent

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The kinds of frames. They are part of the protocol between two programs that may be built at different times.
const (
	frameIdle   = 0x00 // a single byte without stream and length, which means nothing
	frameHello  = 0xB5 // stream 0, the session's word
	frameOpen   = 1    // a request
	frameData   = 2
	frameEnd    = 3 // the outcome; nothing follows on this stream in this direction
	frameWindow = 4 // so many more bytes (4 bytes) may be sent on this stream
	frameReset  = 5 // the other side wants nothing more of this stream
)

const (
	headLen  = 9
	maxFrame = 16 << 10 // bytes of a frame behind its head
	window   = 64 << 10 // bytes of a stream that may be on their way in one direction
	wordLen  = 16       // of a session
)

// outcome is how one direction of a stream ended.
type outcome struct {
	Error  string `json:"error,omitempty"`  // the request could not be carried out
	Exit   int    `json:"exit,omitempty"`   // of a program that ended by itself
	Signal string `json:"signal,omitempty"` // that ended a program
}

// frame is one frame on the pipe.
type frame struct {
	kind   byte
	stream uint32
	body   []byte
}

func (f frame) append(b []byte) []byte {
	b = append(b, f.kind)
	b = binary.BigEndian.AppendUint32(b, f.stream)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.body)))
	return append(b, f.body...)
}

// readFrame reads the next frame. The error is errNoFrame if this is not the beginning of one, io.EOF at the pipe's end, also
// in the middle of a frame, and else the pipe's own.
func readFrame(r *bufio.Reader) (frame, error) {
	var f frame
	kind := byte(frameIdle)
	for kind == frameIdle {
		var err error
		if kind, err = r.ReadByte(); err != nil {
			return f, err
		}
	}
	if kind != frameHello && kind > frameReset {
		return f, fmt.Errorf("%w: kind %#x", errNoFrame, kind)
	}
	var head [headLen - 1]byte
	if err := readFull(r, head[:]); err != nil {
		return f, err
	}
	n := binary.BigEndian.Uint32(head[4:])
	if n > maxFrame {
		return f, fmt.Errorf("%w: %d bytes", errNoFrame, n)
	}
	f = frame{kind: kind, stream: binary.BigEndian.Uint32(head[:]), body: make([]byte, n)}
	return f, readFull(r, f.body)
}

func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// errNoFrame says that the bytes on the pipe are not those of a frame.
var errNoFrame = errors.New("not a frame")

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of strings and numbers
	}
	return b
}
