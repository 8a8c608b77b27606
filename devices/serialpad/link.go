package serialpad

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Port is the line to the pads. A serial port and a [net.Pipe] satisfy it.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// errStuck says that the port took nothing for writeWait.
var errStuck = errors.New("cannot write to rating pad: the port takes no data")

// writeWait is how long the port may take nothing: a message takes 0.13 s at 9600 bits per second.
const writeWait = 500 * time.Millisecond

// chunk is what one read brought.
type chunk struct {
	data []byte
	at   time.Time
}

// inbox holds what the reader goroutine has read until Run looks at it, so that a slow listener to presses never makes bytes look later
// than they came.
type inbox struct {
	mu     sync.Mutex
	chunks []chunk
	err    error
}

// maxWaiting bounds the bytes that wait for Run: more than a second of a line that never falls silent.
const maxWaiting = 64 << 10

func (in *inbox) put(b []byte, at time.Time, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(b) > 0 && len(in.chunks) < maxWaiting {
		in.chunks = append(in.chunks, chunk{append([]byte(nil), b...), at})
	}
	if err != nil {
		in.err = err
	}
}

// take empties the inbox. The error comes only after all bytes before it.
func (in *inbox) take() ([]chunk, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	chunks := in.chunks
	in.chunks = nil
	if len(chunks) > 0 {
		return chunks, nil
	}
	return nil, in.err
}

// read fills the inbox until the port breaks or ctx ends and the read deadline with it.
func (b *Bus) read(ctx context.Context) {
	buf := make([]byte, 256)
	for {
		n, err := b.port.Read(buf)
		at := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, os.ErrDeadlineExceeded): // idle, for a port with a read timeout of its own
			err = nil
		case err != nil:
			err = fmt.Errorf("cannot read from rating pad: %w: %w", ErrGone, err)
		}
		b.in.put(buf[:n], at, err)
		b.wakeUp()
		if err != nil {
			return
		}
	}
}

func (b *Bus) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// write hands a message to the port and keeps account of when it will have left the wire.
func (b *Bus) write(msg []byte) error {
	if err := b.port.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return fmt.Errorf("cannot write to rating pad: %w: %w", ErrGone, err)
	}
	n, err := b.port.Write(msg)
	b.free = later(b.free, time.Now()).Add(time.Duration(n) * b.byteTime)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStuck
	case err != nil:
		return fmt.Errorf("cannot write to rating pad: %w: %w", ErrGone, err)
	}
	return nil
}
