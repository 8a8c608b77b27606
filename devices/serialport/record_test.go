package serialport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// echo answers each line of the program with "<" and the line, 30 ms later, and the word "bye" with leaving.
func echo(far net.Conn) {
	defer far.Close()
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := far.Read(b); err != nil {
			return
		}
		if line = append(line, b[0]); b[0] != '\n' {
			continue
		}
		if string(line) == "bye\n" {
			return
		}
		time.Sleep(30 * time.Millisecond)
		far.Write(append([]byte("<"), line...))
		line = nil
	}
}

// talk is the program: its questions, and what it heard, until the device leaves.
func talk(t *testing.T, wire io.ReadWriter) string {
	t.Helper()
	var heard strings.Builder
	buf := make([]byte, 64)
	for _, question := range []string{"one\n", "two\n", "bye\n"} {
		if _, err := io.WriteString(wire, question); err != nil {
			t.Fatal(err)
		}
		for want := heard.Len() + len(question) + 1; question != "bye\n" && heard.Len() < want; {
			n, err := wire.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			heard.Write(buf[:n])
		}
		time.Sleep(time.Second)
	}
	if _, err := wire.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("the device left, and the read ended with %v", err)
	}
	return heard.String()
}

// TestRecordAndPlay: what was recorded of a device is a device, with the same answers at the same times.
func TestRecordAndPlay(t *testing.T) {
	record := func(t *testing.T, serve func(net.Conn)) (text, heard string) {
		var tape strings.Builder
		near, far := net.Pipe()
		var device sync.WaitGroup
		device.Go(func() { serve(far) })
		r := NewRecorder(near, &tape, Tape{Baud: 9600, Format: "8N1", Path: "echo"})
		heard = talk(t, r)
		if err := errors.Join(r.Close(), r.Err()); err != nil {
			t.Error(err)
		}
		device.Wait()
		return tape.String(), heard
	}
	synctest.Test(t, func(t *testing.T) {
		text, heard := record(t, echo)
		tapes, err := ParseTapes(strings.NewReader(text))
		if err != nil || len(tapes) != 1 || !strings.Contains(text, "personal data") {
			t.Fatalf("%v\n%s", err, text)
		}
		again, heardAgain := record(t, func(far net.Conn) {
			if err := NewPlayer(tapes[0], &PlayOpts{Unplug: far.Close, Within: time.Millisecond}).Serve(t.Context(), far); err != nil {
				t.Error(err)
			}
		})
		if again != text || heardAgain != heard || heard != "<one\n<two\n" {
			t.Errorf("recorded\n%s(%q), played\n%s(%q)", text, heard, again, heardAgain)
		}
	})
}

// play plays a tape to a program in a bubble.
func play(t *testing.T, tape string, opts *PlayOpts, program func(t *testing.T, near net.Conn)) error {
	t.Helper()
	tapes, err := ParseTapes(strings.NewReader(tape))
	if err != nil {
		t.Fatal(err)
	}
	var result error
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- NewPlayer(tapes[0], opts).Serve(ctx, far); far.Close() }()
		program(t, near)
		near.Close()
		result = <-done
	})
	return result
}

// TestPlayerChecksTheProgram: what differs from the tape is told with its line.
func TestPlayerChecksTheProgram(t *testing.T) {
	const tape = "serial-tape 1\nbaud 9600\n0 > 01 02 03\n1 < 04\n1.5 > 05\n2 < 06\n"
	write := func(t *testing.T, near net.Conn, b ...byte) {
		if _, err := near.Write(b); err != nil {
			t.Log(err) // the player may have left
		}
	}
	read := func(t *testing.T, near net.Conn) {
		if _, err := near.Read(make([]byte, 1)); err != nil {
			t.Log(err)
		}
	}
	for _, tc := range []struct {
		name    string
		opts    *PlayOpts
		program func(t *testing.T, near net.Conn)
		says    string
	}{
		{"as recorded", nil, func(t *testing.T, near net.Conn) {
			write(t, near, 1, 2, 3)
			read(t, near)
			write(t, near, 5)
			read(t, near)
		}, ""},
		{"cut otherwise, slowly", nil, func(t *testing.T, near net.Conn) {
			for _, b := range []byte{1, 2, 3} {
				write(t, near, b)
				time.Sleep(time.Minute)
			}
			write(t, near, 5)
			read(t, near)
			read(t, near)
		}, ""},
		{"everything at once", &PlayOpts{Within: time.Millisecond}, func(t *testing.T, near net.Conn) {
			write(t, near, 1, 2, 3, 5)
			read(t, near)
			read(t, near)
		}, ""},
		{"another byte", nil, func(t *testing.T, near net.Conn) { write(t, near, 1, 2, 9) }, "line 3: the program sent 09 as byte 3 of 3, the tape has 03"},
		{"another byte later", nil, func(t *testing.T, near net.Conn) { write(t, near, 1, 2, 3, 7); read(t, near) }, "line 5: the program sent 07 as byte 1 of 1"},
		{"left", nil, func(t *testing.T, near net.Conn) { write(t, near, 1, 2) }, "line 3: the program sent only 2 of 3 bytes: EOF"},
		{"left before an answer", nil, func(t *testing.T, near net.Conn) { write(t, near, 1, 2, 3) }, "line 4: io: read/write on closed pipe"},
		{"too late", &PlayOpts{Within: 200 * time.Millisecond}, func(t *testing.T, near net.Conn) {
			write(t, near, 1, 2, 3)
			read(t, near)
			time.Sleep(time.Second)
			write(t, near, 5)
		}, "line 5: the program sent only 0 of 1 bytes within 700ms"},
		{"in time", &PlayOpts{Within: 200 * time.Millisecond}, func(t *testing.T, near net.Conn) {
			write(t, near, 1, 2, 3)
			read(t, near)
			time.Sleep(699 * time.Millisecond)
			write(t, near, 5)
			read(t, near)
		}, ""},
		{"never", nil, func(t *testing.T, near net.Conn) { time.Sleep(2 * time.Hour) }, "line 3: the program sent only 0 of 3 bytes: context deadline exceeded"},
		{"answer never read", nil, func(t *testing.T, near net.Conn) { write(t, near, 1, 2, 3); time.Sleep(2 * time.Hour) }, "line 4: write pipe: i/o timeout"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := play(t, tape, tc.opts, tc.program)
			if tc.says == "" && err != nil || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%v, want %q", err, tc.says)
			}
		})
	}
}

// TestPlayFast: without the recorded pauses.
func TestPlayFast(t *testing.T) {
	for _, fast := range []bool{false, true} {
		err := play(t, "serial-tape 1\nbaud 9600\n0 > 01\n3600 < 02\n", &PlayOpts{Fast: fast}, func(t *testing.T, near net.Conn) {
			begun := time.Now()
			near.Write([]byte{1})
			near.Read(make([]byte, 1))
			if took := time.Since(begun); fast && took > 0 || !fast && took != time.Hour {
				t.Errorf("fast %v: %v", fast, took)
			}
		})
		if fast && err != nil {
			t.Error(err)
		}
	}
}

// mustRead returns the tapes of a file.
func mustRead(t *testing.T, file string) []Tape {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tapes, err := ParseTapes(f)
	if err != nil {
		t.Fatal(err)
	}
	return tapes
}

// TestRecordOfAPort: each opening is a tape in one file that nobody else can read, and the end of each is on it.
func TestRecordOfAPort(t *testing.T) {
	dir := t.TempDir()
	link, err := OpenPtyLink(filepath.Join(dir, "device"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	file := filepath.Join(dir, "tape")
	cfg := Config{Path: link.Path(), Baud: 19200, Parity: ParityEven, Record: file}
	open := func() *Port {
		p, err := Open(cfg)
		if err != nil || p.RecordError() != nil {
			t.Fatal(err, p.RecordError())
		}
		return p
	}
	port := open()
	buf := make([]byte, 8)
	if _, err := port.Write([]byte("ask")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(link, buf[:3]); err != nil {
		t.Fatal(err)
	}
	if _, err := link.Write([]byte("tell")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(port, buf[:4]); err != nil {
		t.Fatal(err)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	// Half a line, as a killed program leaves it.
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("0.5 > 0")
	f.Chmod(0o644) // as somebody may leave a copy
	f.Close()

	port = open()
	big := make([]byte, 1<<20)
	port.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	n, err := port.Write(big)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := port.Read(buf); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
	port.Close()
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	tapes := mustRead(t, file)
	if len(tapes) != 2 {
		t.Fatalf("%d tapes", len(tapes))
	}
	first, second := tapes[0], tapes[1]
	if first.Baud != 19200 || first.Format != "8E1" || first.RTSCTS || first.Path != link.Path() || time.Since(first.Began) > time.Hour {
		t.Errorf("header %+v", first)
	}
	if s := script(first); s != ">ask <tell !closed" {
		t.Errorf("first: %s", s)
	}
	sent := 0
	for _, r := range second.Records {
		if r.Way == ToDevice {
			sent += len(r.Bytes)
		}
	}
	if last := second.Records[len(second.Records)-1]; sent != n || last.Event != "gone" {
		t.Errorf("second: %d bytes sent, %d taken, then %q", sent, n, last.Event)
	}
}

// script joins what crossed a line.
func script(t Tape) string {
	var b strings.Builder
	last := Event
	for _, r := range t.Records {
		if r.Way != last || r.Way == Event {
			b.WriteString(" " + string(r.Way))
			last = r.Way
		}
		b.WriteString(string(r.Bytes) + r.Event)
	}
	return strings.TrimSpace(b.String())
}

// TestRecordingNeverHarms: a file that cannot be a tape is left alone, is told of, and the line works.
func TestRecordingNeverHarms(t *testing.T) {
	dir := t.TempDir()
	link, err := OpenPtyLink(filepath.Join(dir, "device"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	other, linked, pipe := filepath.Join(dir, "other"), filepath.Join(dir, "linked"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(other, []byte("machine: KIOSK01\n"), 0o644), os.Symlink(other, linked), unix.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(dir, "full")
	if err := os.WriteFile(full, []byte(tapeMark+"\nbaud 9600\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(full, tapeLimit); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{
		other: "something else than tapes", linked: "symbolic link", pipe: "no file", dir: "directory", full: "limit",
		filepath.Join(dir, "none", "tape"): "no such file", "/dev/full": "no file",
	} {
		port, err := Open(Config{Path: link.Path(), Baud: 9600, Record: file})
		if err != nil {
			t.Fatal(err)
		}
		if err := port.RecordError(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", file, err, says)
		}
		if _, err := port.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if _, err := link.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		port.Close()
	}
	if b, err := os.ReadFile(other); err != nil || string(b) != "machine: KIOSK01\n" {
		t.Errorf("the other file is %q (%v)", b, err)
	}
}

// failing takes n writes and then no more.
type failing struct {
	n     int
	wrote strings.Builder
}

func (f *failing) Write(b []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, unix.ENOSPC
	}
	return f.wrote.Write(b)
}

// TestTapeEndsEarly: a full disk and a full tape end the recording, not the line, and what was written can be read.
func TestTapeEndsEarly(t *testing.T) {
	disk := &failing{n: 3}
	tape := newTapeWriter(disk, Tape{Baud: 9600, Format: "8N1"}, tapeLimit)
	for range 10 {
		tape.bytes(ToDevice, []byte("x"))
	}
	if err := tape.failure(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	if tapes, err := ParseTapes(strings.NewReader(disk.wrote.String())); err != nil || len(tapes[0].Records) != 2 {
		t.Errorf("%v, %v", tapes, err)
	}
	var text strings.Builder
	tape = newTapeWriter(&text, Tape{Baud: 9600, Format: "8N1"}, 1000)
	for range 1000 {
		tape.bytes(FromDevice, []byte("x"))
	}
	if err := tape.failure(); !errors.Is(err, errTapeFull) {
		t.Errorf("a full tape: %v", err)
	}
	tapes, err := ParseTapes(strings.NewReader(text.String()))
	if err != nil || text.Len() > 1100 || tapes[0].Records[len(tapes[0].Records)-1].Event != "full" {
		t.Errorf("%d bytes: %v, %v", text.Len(), tapes, err)
	}
	tape.close()
	if err := tape.failure(); !errors.Is(err, errTapeFull) {
		t.Errorf("closing forgot why it ended: %v", err)
	}
}

// bare is a wire with nothing more than it must have; rich has everything.
type bare struct{ Wire }

type rich struct {
	Wire
	called []string
}

func (r *rich) note(s string) error                { r.called = append(r.called, s); return nil }
func (r *rich) SetWriteDeadline(t time.Time) error { return r.note("SetWriteDeadline") }
func (r *rich) Drain(context.Context) error        { return r.note("Drain") }
func (r *rich) Flush() error                       { return r.note("Flush") }
func (r *rich) Queued() (int, error)               { return 7, r.note("Queued") }
func (r *rich) CTS() (bool, error)                 { return true, r.note("CTS") }
func (r *rich) DSR() (bool, error)                 { return true, r.note("DSR") }
func (r *rich) SetDTR(bool) error                  { return r.note("SetDTR") }
func (r *rich) SetRTS(bool) error                  { return r.note("SetRTS") }
func (r *rich) Close() error                       { return r.note("Close") }

// TestRecorderPassesOn: a recorder can what its wire can, and no more.
func TestRecorderPassesOn(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	all := func(r *Recorder) map[string]error {
		_, cts := r.CTS()
		_, dsr := r.DSR()
		_, queued := r.Queued()
		return map[string]error{"CTS": cts, "DSR": dsr, "SetDTR": r.SetDTR(true), "SetRTS": r.SetRTS(true), "Queued": queued, "Flush": r.Flush(),
			"SetWriteDeadline": r.SetWriteDeadline(time.Time{}), "Drain": r.Drain(t.Context()), "Close": r.Close()}
	}
	wire := &rich{Wire: near}
	for name, err := range all(NewRecorder(wire, io.Discard, Tape{Baud: 1})) {
		if err != nil || !strings.Contains(strings.Join(wire.called, " "), name) {
			t.Errorf("%s: %v, called %v", name, err, wire.called)
		}
	}
	want := map[string]error{"CTS": ErrNoModemLines, "DSR": ErrNoModemLines, "SetDTR": ErrNoModemLines, "SetRTS": ErrNoModemLines,
		"Queued": errors.ErrUnsupported, "Flush": errors.ErrUnsupported, "SetWriteDeadline": os.ErrNoDeadline}
	for name, err := range all(NewRecorder(bare{near}, io.Discard, Tape{Baud: 1})) {
		if !errors.Is(err, want[name]) {
			t.Errorf("%s of a bare wire: %v, want %v", name, err, want[name])
		}
	}
}
