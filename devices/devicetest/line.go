package devicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"yuanban/devices/serialport"
)

// LineRig is a serial line, and a device at its far end that does as it is told. Its hands are asked for
//
//   - "send HEX": the device sends these bytes;
//   - "expect HEX": the device has received exactly these bytes since the last time, or does within 5 s;
//   - "stop reading": from now on the device takes nothing, or no more than the speed of the line allows;
//   - "read on": the device forgets what it has received, and listens again;
//   - "unplug" and "replug": the cable between the machine and its adapter, or the adapter.
type LineRig struct {
	Config serialport.Config
	Hands  Hands
	// Loop says that no device is there but a wire from TXD to RXD, so that the line hears itself. Hands are then needed for the
	// plug only.
	Loop bool
}

// LineCases are the promises of every serial line.
func LineCases() []Case[*LineRig] {
	return []Case[*LineRig]{
		{"bytes pass unchanged both ways", lineBytes},
		{"an idle read ends at its deadline, and the line works on", lineIdle},
		{"a waiting read is cancelled from elsewhere", lineCancel},
		{"closing ends a read, and closed is neither idle nor gone", lineClose},
		{"the line has one owner", lineOwner},
		{"what came before the opening is not read", lineStale},
		{"a write that is not taken ends at its deadline, and the line can be closed and opened", lineStuck},
		{"drained is sent", lineDrain},
		{"a tape holds what crossed the line, and plays it", lineTape},
		{"modem lines answer, or say that there are none", lineModem},
		{"hardware flow control is taken or refused", lineFlow},
	}
}

// MuteCases are the promises of a line whose device is there and takes nothing, ever. No hands are needed.
func MuteCases() []Case[*LineRig] {
	return []Case[*LineRig]{{"a device that takes nothing keeps nobody, and the line opens again at once", lineMute}}
}

// PlugCases are the promises of a line that can be unplugged.
func PlugCases() []Case[*LineRig] {
	return []Case[*LineRig]{
		{"a device that is not there cannot be opened, and can once it is", plugBefore},
		{"the end of a read is that the device is gone", plugDuring(func(p *serialport.Port) error { _, err := p.Read(make([]byte, 64)); return err })},
		{"the end of a write is that the device is gone", plugDuring(func(p *serialport.Port) error { _, err := p.Write(make([]byte, 4096)); return err })},
		{"the end of a drain is that the device is gone", plugDuring(func(p *serialport.Port) error { return p.Drain(context.Background()) })},
		{"a line can be closed while it is unplugged", plugClosing},
		{"a line that is held while it is unplugged comes back under its name", plugHeld},
	}
}

const (
	lineWait  = 5 * time.Second        // for what must come, on any machine
	linePause = 100 * time.Millisecond // in which what is on its way arrives, and in which nothing is idle
)

func (r *LineRig) open(t *testing.T) *serialport.Port {
	t.Helper()
	p, err := serialport.Open(r.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if r.Loop {
		r.hush(t, p) // what a case before has sent may still be on the wire
	}
	return p
}

// reopen opens the line once it is back. Meanwhile it may be gone, or there without its permission.
func (r *LineRig) reopen(t *testing.T) *serialport.Port {
	t.Helper()
	for end := time.Now().Add(lineWait); ; time.Sleep(10 * time.Millisecond) {
		p, err := serialport.Open(r.Config)
		switch {
		case err == nil:
			t.Cleanup(func() { p.Close() })
			return p
		case !errors.Is(err, serialport.ErrGone) && !errors.Is(err, fs.ErrPermission):
			t.Fatalf("while it comes back: %v", err)
		case time.Now().After(end):
			t.Fatalf("%v after it was plugged in: %v", lineWait, err)
		}
	}
}

// hush reads until nothing comes any more.
func (r *LineRig) hush(t *testing.T, p *serialport.Port) {
	t.Helper()
	for buf := make([]byte, 4096); ; {
		p.SetReadDeadline(time.Now().Add(linePause))
		if _, err := p.Read(buf); err != nil {
			only(t, "read", err, os.ErrDeadlineExceeded)
			return
		}
	}
}

func (r *LineRig) do(t *testing.T, action string) {
	t.Helper()
	if err := r.Hands.Do(action); err != nil {
		t.Fatal(err)
	}
}

// send has the device send b.
func (r *LineRig) send(t *testing.T, p *serialport.Port, b []byte) {
	t.Helper()
	if !r.Loop {
		r.do(t, fmt.Sprintf("send %X", b))
		return
	}
	if _, err := p.Write(b); err != nil {
		t.Fatal(err)
	}
}

// expect makes sure that the device received b.
func (r *LineRig) expect(t *testing.T, p *serialport.Port, b []byte) {
	t.Helper()
	if !r.Loop {
		r.do(t, fmt.Sprintf("expect %X", b))
		return
	}
	r.read(t, p, b)
}

// read makes sure that b comes from the device.
func (r *LineRig) read(t *testing.T, p *serialport.Port, b []byte) {
	t.Helper()
	p.SetReadDeadline(time.Now().Add(lineWait))
	got := make([]byte, len(b))
	if n, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("read % X (%v), want % X", got[:n], err, b)
	}
}

// idle makes sure that nothing comes.
func (r *LineRig) idle(t *testing.T, p *serialport.Port) {
	t.Helper()
	p.SetReadDeadline(time.Now().Add(linePause))
	buf := make([]byte, 64)
	n, err := p.Read(buf)
	if n > 0 {
		t.Fatalf("read % X, want nothing", buf[:n])
	}
	only(t, "read", err, os.ErrDeadlineExceeded)
}

// only makes sure that an error is what it should be, and nothing else that a driver tells apart.
func only(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
	for _, other := range []error{os.ErrDeadlineExceeded, os.ErrClosed, serialport.ErrGone, serialport.ErrBusy, io.EOF} {
		if other != want && errors.Is(err, other) {
			t.Errorf("%s: %v is %v, too", what, err, other)
		}
	}
}

// start runs f and returns how to wait for its end.
func start(t *testing.T, f func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return func() error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(lineWait):
			t.Fatalf("still waiting after %v", lineWait)
			return nil
		}
	}
}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func lineBytes(t *testing.T, r *LineRig) {
	p := r.open(t)
	r.send(t, p, everyByte())
	r.read(t, p, everyByte())
	if n, err := p.Write(everyByte()); n != 256 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	r.expect(t, p, everyByte())
}

func lineIdle(t *testing.T, r *LineRig) {
	p := r.open(t)
	for range 3 {
		r.idle(t, p)
	}
	p.SetReadDeadline(time.Now().Add(-time.Hour))
	_, err := p.Read(make([]byte, 1))
	only(t, "read after its deadline", err, os.ErrDeadlineExceeded)
	r.send(t, p, []byte("on"))
	r.read(t, p, []byte("on"))
}

func lineCancel(t *testing.T, r *LineRig) {
	p := r.open(t)
	p.SetReadDeadline(time.Time{})
	wait := start(t, func() error { _, err := p.Read(make([]byte, 1)); return err })
	time.Sleep(linePause)
	p.SetReadDeadline(time.Unix(1, 0))
	only(t, "cancelled read", wait(), os.ErrDeadlineExceeded)
	r.send(t, p, []byte("on"))
	r.read(t, p, []byte("on"))
}

func lineClose(t *testing.T, r *LineRig) {
	p := r.open(t)
	p.SetReadDeadline(time.Time{})
	wait := start(t, func() error { _, err := p.Read(make([]byte, 1)); return err })
	time.Sleep(linePause)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	only(t, "read", wait(), os.ErrClosed)
	_, readErr := p.Read(make([]byte, 1))
	_, writeErr := p.Write([]byte{1})
	for what, err := range map[string]error{"read": readErr, "write": writeErr, "flush": p.Flush(), "drain": p.Drain(t.Context())} {
		only(t, what+" after closing", err, os.ErrClosed)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func lineOwner(t *testing.T, r *LineRig) {
	p := r.open(t)
	for range 3 {
		_, err := serialport.Open(r.Config)
		only(t, "a second opening", err, serialport.ErrBusy)
	}
	r.send(t, p, []byte("mine"))
	r.read(t, p, []byte("mine"))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = r.open(t)
	r.send(t, p, []byte("yours"))
	r.read(t, p, []byte("yours"))
}

func lineStale(t *testing.T, r *LineRig) {
	p := r.open(t)
	r.send(t, p, []byte("stale"))
	time.Sleep(linePause)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = r.open(t)
	r.idle(t, p)
	r.send(t, p, []byte("stale"))
	time.Sleep(linePause)
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	r.idle(t, p)
	r.send(t, p, []byte("new"))
	r.read(t, p, []byte("new"))
}

func lineStuck(t *testing.T, r *LineRig) {
	p := r.open(t)
	if !r.Loop {
		r.do(t, "stop reading")
	}
	big := make([]byte, 4<<20)
	p.SetWriteDeadline(time.Now().Add(2 * linePause))
	wait := start(t, func() error {
		n, err := p.Write(big)
		if n <= 0 || n >= len(big) {
			t.Errorf("%d of %d bytes were taken", n, len(big))
		}
		return err
	})
	only(t, "write", wait(), os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), linePause)
	defer cancel()
	if err := p.Drain(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain: %v", err)
	}
	if err := start(t, p.Close)(); err != nil {
		t.Errorf("close: %v", err)
	}
	if !r.Loop {
		r.do(t, "read on")
	}
	p = r.reopen(t)
	if !r.Loop {
		r.do(t, "read on") // what the kernel held back until the line was closed
	}
	r.hush(t, p)
	r.send(t, p, []byte("well"))
	r.read(t, p, []byte("well"))
}

func lineMute(t *testing.T, r *LineRig) {
	for range 3 {
		p := r.open(t)
		reading := start(t, func() error { _, err := p.Read(make([]byte, 1)); return err })
		writing := start(t, func() error { _, err := p.Write(make([]byte, 4<<20)); return err })
		time.Sleep(linePause)
		p.SetWriteDeadline(time.Unix(1, 0))
		only(t, "write", writing(), os.ErrDeadlineExceeded)
		if err := start(t, p.Close)(); err != nil {
			t.Errorf("close: %v", err)
		}
		only(t, "read", reading(), os.ErrClosed)
	}
}

func lineDrain(t *testing.T, r *LineRig) {
	p := r.open(t)
	if _, err := p.Write(everyByte()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lineWait)
	defer cancel()
	if err := p.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Queued(); n != 0 || err != nil {
		t.Errorf("%d bytes queued after a drain, %v", n, err)
	}
	r.expect(t, p, everyByte())
}

func lineTape(t *testing.T, r *LineRig) {
	recorded := *r
	recorded.Config.Record = filepath.Join(t.TempDir(), "tape")
	talk := func(p *serialport.Port) {
		if _, err := p.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
	}
	p := recorded.open(t)
	talk(p)
	recorded.expect(t, p, []byte("question"))
	recorded.send(t, p, []byte("answer"))
	recorded.read(t, p, []byte("answer"))
	if err := errors.Join(p.RecordError(), p.Close()); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(recorded.Config.Record)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the tape's mode is %v (%v)", st.Mode(), err)
	}
	f, err := os.Open(recorded.Config.Record)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tapes, err := serialport.ParseTapes(f)
	if err != nil || len(tapes) != 1 || tapes[0].Baud != r.Config.Baud {
		t.Fatalf("%+v, %v", tapes, err)
	}
	// The tape as the device, at the far end of a pseudo-terminal: a loop hears its own question first.
	pty, err := serialport.OpenPty()
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	played, err := serialport.Open(serialport.Config{Path: pty.Path(), Baud: r.Config.Baud})
	if err != nil {
		t.Fatal(err)
	}
	defer played.Close()
	wait := start(t, func() error { return serialport.NewPlayer(tapes[0], nil).Serve(t.Context(), pty.Master) })
	talk(played)
	if r.Loop {
		r.read(t, played, []byte("question"))
		if _, err := played.Write([]byte("answer")); err != nil {
			t.Fatal(err)
		}
	}
	r.read(t, played, []byte("answer"))
	if err := wait(); err != nil {
		t.Error(err)
	}
}

func lineModem(t *testing.T, r *LineRig) {
	p := r.open(t)
	_, cts := p.CTS()
	_, dsr := p.DSR()
	errs := map[string]error{"CTS": cts, "DSR": dsr, "DTR off": p.SetDTR(false), "DTR on": p.SetDTR(true), "RTS off": p.SetRTS(false), "RTS on": p.SetRTS(true)}
	for what, err := range errs {
		if (err != nil) != (cts != nil) {
			t.Errorf("%s: %v, but CTS: %v", what, err, cts)
		}
		if err != nil {
			only(t, what, err, serialport.ErrNoModemLines)
		}
	}
}

func lineFlow(t *testing.T, r *LineRig) {
	cfg := r.Config
	cfg.RTSCTS = true
	p, err := serialport.Open(cfg)
	if err == nil {
		if err := p.SetRTS(false); err == nil {
			t.Error("RTS was set against the flow control")
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	} else {
		t.Logf("refused: %v", err)
		for _, other := range []error{serialport.ErrGone, serialport.ErrBusy, os.ErrDeadlineExceeded} {
			if errors.Is(err, other) {
				t.Errorf("refused as %v", other)
			}
		}
	}
	// The next opening has none of it.
	q := r.open(t)
	r.send(t, q, []byte("free"))
	r.read(t, q, []byte("free"))
}

func plugBefore(t *testing.T, r *LineRig) {
	r.do(t, "unplug")
	for end := time.Now().Add(lineWait); ; time.Sleep(10 * time.Millisecond) {
		p, err := serialport.Open(r.Config)
		if err != nil {
			only(t, "open", err, serialport.ErrGone)
			break
		}
		p.Close() // the kernel has not noticed yet
		if time.Now().After(end) {
			t.Fatal("an unplugged line opens")
		}
	}
	r.do(t, "replug")
	p := r.reopen(t)
	r.send(t, p, []byte("back"))
	r.read(t, p, []byte("back"))
}

// plugDuring repeats what a driver does until the device is unplugged, and a while longer.
func plugDuring(op func(*serialport.Port) error) func(*testing.T, *LineRig) {
	return func(t *testing.T, r *LineRig) {
		p := r.open(t)
		p.SetDeadline(time.Time{})
		wait := start(t, func() error {
			for {
				if err := op(p); err != nil {
					return err
				}
			}
		})
		time.Sleep(linePause)
		r.do(t, "unplug")
		only(t, "the end", wait(), serialport.ErrGone)
		_, readErr := p.Read(make([]byte, 1))
		_, writeErr := p.Write([]byte{1})
		_, queueErr := p.Queued()
		for what, err := range map[string]error{"read": readErr, "write": writeErr, "queued": queueErr, "drain": p.Drain(t.Context()), "flush": p.Flush()} {
			only(t, what+" after it", err, serialport.ErrGone)
		}
		if err := start(t, p.Close)(); err != nil {
			t.Errorf("close: %v", err)
		}
		r.do(t, "replug")
		p = r.reopen(t)
		if !r.Loop {
			r.do(t, "read on")
		}
		r.hush(t, p)
		r.send(t, p, []byte("back"))
		r.read(t, p, []byte("back"))
	}
}

func plugClosing(t *testing.T, r *LineRig) {
	for range 3 {
		p := r.reopen(t) // udev may still be taking the name of the time before away
		wait := start(t, func() error { return r.Hands.Do("unplug") })
		if err := start(t, p.Close)(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		r.do(t, "replug")
		r.reopen(t).Close()
	}
}

// plugHeld: a driver that is slow to close must not make the device come back under another name for good.
func plugHeld(t *testing.T, r *LineRig) {
	p := r.reopen(t)
	r.do(t, "unplug")
	p.SetReadDeadline(time.Now().Add(lineWait))
	_, err := p.Read(make([]byte, 1))
	only(t, "read", err, serialport.ErrGone)
	r.do(t, "replug")
	time.Sleep(linePause)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	p = r.reopen(t)
	r.send(t, p, []byte("back"))
	r.read(t, p, []byte("back"))
}
