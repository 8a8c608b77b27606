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

// Port is the line to the printer. A serial port and a [net.Pipe] satisfy it.
//
// A port that also has Drain(ctx) error is drained before a job is called sent. One that has CTS() (bool, error) or DSR() (bool, error)
// is asked for these modem lines where the profile's flow control says so; without them such a printer is trusted to take what its
// buffer holds.
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
	blockGap  = 3 * time.Second        // the same for a block of data
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

// modemLine is the line of port by which the printer says stop, nil if there is none.
func modemLine(port Port, control FlowControl) func() (bool, error) {
	if p, ok := port.(interface{ CTS() (bool, error) }); ok && control == FlowCTS {
		return p.CTS
	}
	if p, ok := port.(interface{ DSR() (bool, error) }); ok && control == FlowDSR {
		return p.DSR
	}
	return nil
}

// stopped says whether the printer wants no more.
func (d *Printer) stopped() (bool, error) {
	if d.line == nil {
		return d.paused, nil
	}
	ready, err := d.line()
	switch {
	case err == nil:
		d.lineWorks = true
		return !ready, nil
	case d.lineWorks:
		return false, fmt.Errorf("cannot ask for the printer's modem line: %w: %w", ErrGone, err)
	}
	d.line = nil // this port has none, such as a pseudo-terminal
	return false, nil
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
	gap := gapWait
	if d.parse.patient() {
		gap = blockGap
	}
	if now.Sub(d.heardAt) > gap {
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
		d.paused = true
	case realtime, moment:
		d.poll.answered(d, a)
	case automatic:
		d.flags.automatic(d.dialect.automatic, a.data)
	case inOrder:
		d.lastInOrder = a.data[0]
		switch q := d.poll.asked; {
		case !d.plausible(a.data[0]):
			d.doubt++
		case q != nil && len(q.answer) > 1:
			d.poll.tentative++
		default:
			d.passed()
		}
	case processID:
		d.processed(a.id)
	case cleared:
		d.clears--
	case noise, block:
		d.doubt++
	}
}

// plausible says whether a byte looks like this printer's answers in order: bits that a manual leaves undefined do not change.
func (d *Printer) plausible(b byte) bool {
	q := d.dialect.inOrder[0]
	return !d.learned || (b^d.usual)&^(q.mask|q.free) == 0
}

// passed takes an answer in order.
func (d *Printer) passed() {
	d.inOrders++
	if !d.stream.inOrder() {
		d.doubt++
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
		if t, ok := d.poll.wakeAt(d, now); ok && t.Before(next) {
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
