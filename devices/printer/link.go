package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Port is the line to the printer. A serial port and a [net.Pipe] satisfy it. A port that also has Drain(ctx) error is drained before
// a job is called sent.
type Port interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// ErrGone is in the error of [Printer.Run] when the port broke: the cable is out or the adapter has vanished.
var ErrGone = errors.New("printer gone")

// errStuck says that the port took nothing for writeWait.
var errStuck = errors.New("cannot write to printer: the port takes no data")

const (
	writeWait = 2 * time.Second        // how long the port may take nothing
	gapWait   = 250 * time.Millisecond // a pause after which half an answer is given up
)

// inbox holds what the reader goroutine has read until Run looks at it. The reader never waits for Run, so a printer that talks while
// we write cannot block the two of us.
type inbox struct {
	mu   sync.Mutex
	data []byte
	err  error
}

func (in *inbox) put(b []byte, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.data = append(in.data, b...)
	if err != nil {
		in.err = err
	}
}

// take empties the inbox into buf. The error comes only after all bytes before it.
func (in *inbox) take(buf []byte) ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	buf = append(buf[:0], in.data...)
	in.data = in.data[:0]
	if len(buf) > 0 {
		return buf, nil
	}
	return buf, in.err
}

// read fills the inbox until the port breaks or ctx ends and the read deadline with it.
func (d *Printer) read(ctx context.Context) {
	buf := make([]byte, 256)
	for {
		n, err := d.port.Read(buf)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, os.ErrDeadlineExceeded): // idle, for a port with a read timeout of its own
			err = nil
		case err != nil:
			err = fmt.Errorf("cannot read from printer: %w: %w", ErrGone, err)
		}
		d.in.put(buf[:n], err)
		d.wakeUp()
		if err != nil {
			return
		}
	}
}

func (d *Printer) wakeUp() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// write hands b to the port and keeps account of when it will have left the wire. It returns how much went out.
func (d *Printer) write(b []byte) (int, error) {
	done := 0
	deadline := time.Now().Add(writeWait)
	for done < len(b) {
		if err := d.port.SetWriteDeadline(deadline); err != nil {
			return done, fmt.Errorf("cannot write to printer: %w: %w", ErrGone, err)
		}
		n, err := d.port.Write(b[done:])
		done += n
		if now := time.Now(); d.wireFree.Before(now) {
			d.wireFree = now
		}
		d.wireFree = d.wireFree.Add(time.Duration(n) * d.byteTime)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(deadline) {
				return done, errStuck
			}
		case err != nil:
			return done, fmt.Errorf("cannot write to printer: %w: %w", ErrGone, err)
		}
	}
	return done, nil
}

// hear takes what has come from the printer. Its error is that of the port.
func (d *Printer) hear() error {
	var err error
	if d.heard, err = d.in.take(d.heard); err != nil {
		return err
	}
	if len(d.heard) == 0 {
		return nil
	}
	now := time.Now()
	if now.Sub(d.heardAt) > gapWait {
		d.parse.drop(d.answered)
	}
	d.heardAt = now
	for _, b := range d.heard {
		d.parse.feed(b, d.answered)
	}
	d.publish()
	return nil
}

// answered takes one answer of the printer.
func (d *Printer) answered(a answer) {
	switch a.kind {
	case xon:
		d.paused = false
	case xoff:
		if !d.paused {
			d.pausedAt = time.Now()
		}
		d.paused = true
	case realtime:
		d.poll.answered(d, a.byte)
	case automatic:
		d.flags.automatic(a.asb)
	case inOrder:
		if d.owed > 0 {
			d.owed--
			d.inOrders++
		}
	case processID:
		d.processed(a.id)
	case cleared:
		d.cleared = true
	}
}

// pump listens to the printer until cond holds or the time has come, and asks for the status when that is due. It returns an error
// only when the port breaks or ctx ends.
func (d *Printer) pump(ctx context.Context, until time.Time, cond func() bool) error {
	for {
		if err := d.hear(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if cond() {
			return nil
		}
		now := time.Now()
		if !until.After(now) {
			return nil
		}
		if err := d.poll.due(d, now); err != nil {
			return err
		}
		next := until
		if t, ok := d.poll.next(d, now); ok && t.Before(next) {
			next = t
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-d.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}
