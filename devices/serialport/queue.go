package serialport

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// drainPoll is the interval at which Drain asks how many bytes are left; at
// 115200 baud 5 ms are 58 bytes.
const drainPoll = 5 * time.Millisecond

// Queued tells how many written bytes have not yet left the kernel's buffer. A
// pseudo-terminal always says 0.
func (p *Port) Queued() (int, error) {
	var n int
	err := control(p.f, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("cannot ask %s for its unsent bytes: %w", p.path, explain(err))
	}
	return n, nil
}

// Drain waits until the kernel's output buffer is empty or ctx ends. The last few
// bytes, at most the FIFO of the UART, may still be on the wire. tcdrain(3) is not
// used because nothing can interrupt it.
func (p *Port) Drain(ctx context.Context) error {
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		n, err := p.Queued()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot drain %s, %d bytes unsent: %w", p.path, n, ctx.Err())
		case <-tick.C:
		}
	}
}

// Flush throws away what was received but not read and what was written but not
// sent. An answer still on its way is not affected.
func (p *Port) Flush() error {
	err := control(p.f, func(fd int) error {
		return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	})
	if err != nil {
		return fmt.Errorf("cannot flush %s: %w", p.path, explain(err))
	}
	return nil
}
