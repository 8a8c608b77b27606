package station

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/serialport"
)

// readerDesk is a simulated reader behind a pty with its supervisor, at a speed that has to be found.
type readerDesk struct {
	*Reader
	sim    *idcard.Sim
	link   *serialport.PtyLink
	board  *Board
	change *changes
}

func openReader(t *testing.T, opts *idcard.SimOpts) *readerDesk {
	t.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	d := &readerDesk{sim: idcard.NewSim(opts), link: link}
	running(t, func(ctx context.Context) error { return d.sim.Serve(ctx, link) })
	d.board, d.change = newBoard()
	d.Reader = NewReader(serialport.Config{Path: link.Path()}, d.board)
	return d
}

func (d *readerDesk) lay(t *testing.T, c idcard.Card) {
	t.Helper()
	if err := d.sim.Lay(c); err != nil {
		t.Fatal(err)
	}
}

// TestReaderIsFound: whatever its framing, a reader whose speed nobody has told is found, and its cards are read.
func TestReaderIsFound(t *testing.T) {
	t.Parallel() // mostly waiting
	for framing, says := range map[idcard.Framing]string{
		idcard.SDT: "SAM 05.03-20170101-0000000001-0000000001, 115200 baud",
		idcard.STX: "115200 baud, framing stx",
	} {
		t.Run(string(framing), func(t *testing.T) {
			d := openReader(t, &idcard.SimOpts{Framing: framing, CardTime: time.Millisecond})
			running(t, d.Run)
			d.change.await(t, d.board, "reader", Online)
			if h := d.board.Health("reader"); h.Detail != says {
				t.Errorf("the board says %q, want %q", h.Detail, says)
			}
			d.lay(t, idcard.Examples()[1])
			if got, err := d.ReadCard(t.Context(), nil); err != nil || got != idcard.Examples()[1] {
				t.Errorf("read %v, %v", got, err)
			}
		})
	}
}

// TestIdleReaderIsLeftAlone: several beats long nobody reads the card that lies there, and then it can be read at once.
func TestIdleReaderIsLeftAlone(t *testing.T) {
	t.Parallel() // mostly waiting
	d := openReader(t, &idcard.SimOpts{CardTime: time.Millisecond})
	running(t, d.Run)
	d.change.await(t, d.board, "reader", Online)
	d.lay(t, idcard.Examples()[0])
	time.Sleep(2*beat + beat/2)
	if h := d.board.Health("reader"); h.State != Online {
		t.Errorf("after some beats the reader is %+v", h)
	}
	if got, err := d.ReadCard(t.Context(), nil); err != nil || got != idcard.Examples()[0] {
		t.Errorf("read %v, %v", got, err)
	}
}

// TestFrozenIsNotGone: a frozen reader has another state than one whose plug is out, its error has another cause, and both heal.
func TestFrozenIsNotGone(t *testing.T) {
	t.Parallel() // mostly waiting
	d := openReader(t, &idcard.SimOpts{CardTime: time.Millisecond})
	served := make(chan error, 16)
	running(t, func(ctx context.Context) error {
		supervise(ctx, d.board, "reader", func(ctx context.Context, online tell) error {
			err := d.serve(ctx, online)
			served <- err
			return err
		})
		return nil
	})
	d.change.await(t, d.board, "reader", Online)

	d.sim.Hang()
	err := <-served
	if !errors.Is(err, idcard.ErrMute) || classOf(err) != idcard.ClassFault || errors.Is(err, serialport.ErrGone) {
		t.Errorf("a frozen reader ends with %v", err)
	}
	d.change.await(t, d.board, "reader", HardwareError)
	d.sim.PowerCycle()
	d.change.await(t, d.board, "reader", Online)
	for len(served) > 0 {
		<-served
	}

	if err := d.link.Unplug(); err != nil {
		t.Fatal(err)
	}
	err = <-served
	if !errors.Is(err, serialport.ErrGone) || errors.Is(err, idcard.ErrMute) || classOf(err) != idcard.ClassGone {
		t.Errorf("a reader without its plug ends with %v", err)
	}
	d.change.await(t, d.board, "reader", Offline)
	if err := d.link.Replug(); err != nil {
		t.Fatal(err)
	}
	d.change.await(t, d.board, "reader", Online)
}

// TestSilentLineSaysWhatToCheck: what a technician finds on the board when nothing answers.
func TestSilentLineSaysWhatToCheck(t *testing.T) {
	t.Parallel() // mostly waiting
	d := openReader(t, nil)
	d.port.Baud = 9600 // one speed only: the search is short
	d.sim.Hang()
	running(t, d.Run)
	d.change.await(t, d.board, "reader", HardwareError)
	if detail := d.board.Health("reader").Detail; !strings.Contains(detail, "9600 baud") || !strings.Contains(detail, "TX and RX") {
		t.Errorf("the board says %q", detail)
	}
}
