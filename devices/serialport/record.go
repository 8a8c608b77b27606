package serialport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tapeLimit is the size at which a file of tapes is full: some ten million bytes of the
// line. A forgotten recording must not fill the disk.
const tapeLimit = 32 << 20

// Wire is what carries bytes as a line does: a Port, a pseudo-terminal, a net.Pipe.
type Wire interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
}

// Recorder is a Wire whose bytes are written to a tape as they cross it. What else the
// wire can do, a Recorder can; what it cannot, is refused as errors.ErrUnsupported,
// os.ErrNoDeadline or ErrNoModemLines. A recording that fails never disturbs the wire.
type Recorder struct {
	wire Wire
	tape *tapeWriter
}

// NewRecorder records wire on w, after the header that head says; its Records are not
// written. The records come at once, one a Write. Whatever w is, it may come to hold
// personal data.
func NewRecorder(wire Wire, w io.Writer, head Tape) *Recorder {
	return &Recorder{wire: wire, tape: newTapeWriter(w, head, tapeLimit)}
}

// Err says why nothing more is recorded.
func (r *Recorder) Err() error { return r.tape.failure() }

// Read reads from the wire.
func (r *Recorder) Read(b []byte) (int, error) {
	n, err := r.wire.Read(b)
	r.tape.bytes(FromDevice, b[:n])
	r.tape.failed(err)
	return n, err
}

// Write writes to the wire.
func (r *Recorder) Write(b []byte) (int, error) {
	r.tape.bytes(ToDevice, b) // before an answer to it can come
	n, err := r.wire.Write(b)
	if err != nil {
		r.tape.unsent(len(b) - n)
		r.tape.failed(err)
	}
	return n, err
}

// SetReadDeadline is the wire's.
func (r *Recorder) SetReadDeadline(t time.Time) error { return r.wire.SetReadDeadline(t) }

// SetWriteDeadline is the wire's.
func (r *Recorder) SetWriteDeadline(t time.Time) error {
	if w, ok := r.wire.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return w.SetWriteDeadline(t)
	}
	return os.ErrNoDeadline
}

// SetDeadline sets both.
func (r *Recorder) SetDeadline(t time.Time) error {
	return errors.Join(r.SetReadDeadline(t), r.SetWriteDeadline(t))
}

// Drain is the wire's. A wire without has delivered what its Write took.
func (r *Recorder) Drain(ctx context.Context) error {
	if w, ok := r.wire.(interface{ Drain(context.Context) error }); ok {
		return w.Drain(ctx)
	}
	return ctx.Err()
}

// Queued is the wire's.
func (r *Recorder) Queued() (int, error) {
	if w, ok := r.wire.(interface{ Queued() (int, error) }); ok {
		return w.Queued()
	}
	return 0, errors.ErrUnsupported
}

// Flush is the wire's.
func (r *Recorder) Flush() error {
	if w, ok := r.wire.(interface{ Flush() error }); ok {
		return w.Flush()
	}
	return errors.ErrUnsupported
}

// CTS is the wire's.
func (r *Recorder) CTS() (bool, error) {
	if w, ok := r.wire.(interface{ CTS() (bool, error) }); ok {
		return w.CTS()
	}
	return false, ErrNoModemLines
}

// DSR is the wire's.
func (r *Recorder) DSR() (bool, error) {
	if w, ok := r.wire.(interface{ DSR() (bool, error) }); ok {
		return w.DSR()
	}
	return false, ErrNoModemLines
}

// SetDTR is the wire's.
func (r *Recorder) SetDTR(on bool) error {
	if w, ok := r.wire.(interface{ SetDTR(bool) error }); ok {
		return w.SetDTR(on)
	}
	return ErrNoModemLines
}

// SetRTS is the wire's.
func (r *Recorder) SetRTS(on bool) error {
	if w, ok := r.wire.(interface{ SetRTS(bool) error }); ok {
		return w.SetRTS(on)
	}
	return ErrNoModemLines
}

// Close ends the tape and closes the wire.
func (r *Recorder) Close() error {
	r.tape.close()
	if w, ok := r.wire.(io.Closer); ok {
		return w.Close()
	}
	return nil
}

// tapeWriter writes one opening of a line. A nil one records nothing.
type tapeWriter struct {
	mu    sync.Mutex
	w     io.Writer // nil once nothing more is recorded
	began time.Time
	left  int   // bytes until the tape is full
	err   error // why it ended too early
	buf   []byte
}

func newTapeWriter(w io.Writer, head Tape, left int) *tapeWriter {
	t := &tapeWriter{w: w, began: time.Now(), left: left}
	t.write([]byte(head.heading()))
	return t
}

// recordTo makes a tape at the end of the file at path.
func recordTo(path string, head Tape) *tapeWriter {
	f, size, err := openTape(path)
	if err != nil {
		return &tapeWriter{err: fmt.Errorf("cannot record to %s: %w", path, err)}
	}
	return newTapeWriter(f, head, tapeLimit-size)
}

// openTape opens a file that holds tapes or nothing, readable for its owner only.
func openTape(path string) (f *os.File, size int, err error) {
	f, err = os.OpenFile(path, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, err
	case !st.Mode().IsRegular():
		return nil, 0, errors.New("it is no file")
	case st.Size() >= tapeLimit:
		return nil, 0, errTapeFull
	}
	if size = int(st.Size()); size > 0 {
		mark := make([]byte, len(tapeMark))
		if _, err := f.ReadAt(mark, 0); err != nil || string(mark) != tapeMark {
			return nil, 0, errors.New("it holds something else than tapes; name a new file")
		}
		// A program that was killed, or a full disk, may have left half a line.
		tail := make([]byte, min(size, 4*tapeChunk))
		if _, err := f.ReadAt(tail, int64(size-len(tail))); err != nil {
			return nil, 0, err
		}
		if half := len(tail) - 1 - bytes.LastIndexByte(tail, '\n'); half > 0 {
			size -= half
			if err := f.Truncate(int64(size)); err != nil {
				return nil, 0, err
			}
		}
	}
	return f, size, f.Chmod(0o600)
}

var errTapeFull = fmt.Errorf("the file has reached its limit of %d MiB: move it away", tapeLimit>>20)

func (t *tapeWriter) bytes(way Way, b []byte) {
	if t == nil || len(b) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.w == nil {
		return
	}
	at := time.Since(t.began)
	t.buf = t.buf[:0]
	for len(b) > 0 {
		n := min(len(b), tapeChunk)
		t.buf = Record{At: at, Way: way, Bytes: b[:n]}.append(t.buf)
		b = b[n:]
	}
	t.write(t.buf)
}

func (t *tapeWriter) event(word string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(Record{At: time.Since(t.began), Way: Event, Event: word}.append(nil))
}

// unsent takes back the last n bytes of the last record to the device.
func (t *tapeWriter) unsent(n int) {
	if n > 0 {
		t.event(tapeUnsent + strconv.Itoa(n))
	}
}

// failed takes an error of the wire: its hang-up ends the tape.
func (t *tapeWriter) failed(err error) {
	if t != nil && (errors.Is(err, ErrGone) || errors.Is(err, io.EOF)) {
		t.event(tapeGone)
		t.stop()
	}
}

// close ends the tape.
func (t *tapeWriter) close() {
	t.event(tapeClosed)
	t.stop()
}

// write writes b unless the tape is full, which ends it.
func (t *tapeWriter) write(b []byte) {
	if t.w == nil {
		return
	}
	full := t.left < len(b)
	if full {
		b = Record{At: time.Since(t.began), Way: Event, Event: tapeFull}.append(nil)
	}
	n, err := t.w.Write(b)
	t.left -= n
	switch {
	case err != nil:
		t.end(fmt.Errorf("cannot record any more: %w", err))
	case full:
		t.end(errTapeFull)
	}
}

// stop ends the tape in its time.
func (t *tapeWriter) stop() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(nil)
}

// end lets the file go.
func (t *tapeWriter) end(why error) {
	if t.w == nil {
		return
	}
	t.err = why
	if f, ok := t.w.(*os.File); ok {
		if err := f.Close(); err != nil && t.err == nil {
			t.err = fmt.Errorf("cannot record any more: %w", err)
		}
	}
	t.w = nil
}

func (t *tapeWriter) failure() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
