package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
)

// port asks one line. See the package comment for the order and its reasons.
func (o *Options) port(ctx context.Context, l serialport.Line) Port {
	a := &asked{o: o, ctx: ctx, p: Port{Line: l, Kind: Unasked}, heard: map[int][]byte{}}
	a.p.Name, a.p.Warning = stable(o.Root, l)
	start := time.Now()
	if o.console(l) {
		a.is(Console, "the kernel's console: it is not asked, and no device can use it before console= is taken off the kernel's command line")
	} else {
		a.ask()
	}
	a.p.Took = time.Since(start).Round(100 * time.Millisecond).Seconds()
	o.Tell(a.p, string(a.p.Kind)+": "+a.p.Says)
	return a.p
}

// console says whether the kernel writes to a line.
func (o *Options) console(l serialport.Line) bool {
	active, _ := os.ReadFile(filepath.Join(o.Root, "sys/class/tty/console/active"))
	return slices.Contains(strings.Fields(string(active)), filepath.Base(l.Path))
}

// asked is one line that is being asked.
type asked struct {
	o     *Options
	ctx   context.Context
	p     Port
	heard map[int][]byte // what came and was no answer, by speed
}

func (a *asked) is(k Kind, format string, args ...any) bool {
	a.p.Kind, a.p.Says = k, fmt.Sprintf(format, args...)
	return true
}

// ask goes through the steps until one ends the matter.
func (a *asked) ask() {
	for _, step := range []struct {
		name string
		ask  func() (done bool)
	}{
		{"printer", a.printer},
		{"rating pad", func() bool { return a.pads(false) }},
		{"ID-card reader", a.reader},
		{"modem", a.modem},
		{"rating pad that speaks text", func() bool { return a.pads(true) }},
		{"printer that was starting", a.printer},
	} {
		a.o.Tell(a.p, "asking for a "+step.name)
		if step.ask() {
			return
		}
	}
	if len(a.heard) > 0 {
		a.is(Talker, "something speaks, and it is nothing known: %s. A pad that speaks only when it is pressed is found by kiosk learn", a.quote())
		return
	}
	a.is(Silent, "nothing answered: nothing is plugged in, or it has no power, or it only speaks by itself; a rating pad of that kind is found by kiosk learn")
}

func (a *asked) open(c serialport.Config) (*serialport.Port, error) {
	c.Path = a.p.Path
	return a.o.Open(a.ctx, c)
}

// failed ends the matter for a line that does not open or is lost. It returns false for other errors.
func (a *asked) failed(err error) bool {
	switch {
	case errors.Is(err, serialport.ErrBusy):
		return a.is(Busy, "another program has it, most likely the kiosk itself: systemctl stop kiosk, then probe again")
	case errors.Is(err, fs.ErrPermission):
		return a.is(Forbidden, "it may not be opened: run this as root, or as the user kiosk")
	case errors.Is(err, context.DeadlineExceeded):
		return a.is(Unasked, "the questions took longer than %v: probe this line alone, with -port", PortTime)
	case errors.Is(err, context.Canceled):
		return a.is(Unasked, "the probe was interrupted")
	case errors.Is(err, serialport.ErrGone), errors.Is(err, printer.ErrGone), errors.Is(err, fs.ErrNotExist):
		return a.is(Gone, "it does not open or was lost meanwhile: %v", err)
	}
	return false
}

func (a *asked) printer() bool {
	found, err := printer.ProbeLine(a.ctx, func(baud int) (printer.Port, error) {
		return a.open(serialport.Config{Baud: baud})
	}, nil)
	if none, ok := errors.AsType[*printer.NoPrinter](err); ok {
		maps.Copy(a.heard, none.Heard)
		if none.Echo { // what echoes must not be asked for a reader: it would hear its own question for ever
			return a.modem() || a.is(Loop, "it hears itself: a loop-back plug, or TX and RX that touch each other; take it off")
		}
		return false
	}
	if err != nil {
		return a.failed(err) || a.is(Gone, "%v", err)
	}
	_ = found.Port.(io.Closer).Close()
	a.p.Baud, a.p.Maker, a.p.Model, a.p.Profiles = found.Baud, found.Maker, found.Model, found.Profiles
	who := strings.TrimSpace(found.Maker + " " + found.Model)
	if who != "" {
		who = " " + who
	}
	return a.is(Printer, "receipt printer%s at %d baud; %s", who, found.Baud, found.Why)
}

// pads asks for the pads that have a query: those whose messages are lines of text, or the others.
func (a *asked) pads(text bool) bool {
	all := serialpad.Profiles()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		if !p.CanAsk() || strings.Contains(p.Host.Query, "'") != text {
			continue
		}
		port, err := a.open(serialport.Config{Baud: p.Line.Baud, Size: p.Line.Size, Parity: serialport.Parity(p.Line.Parity), StopBits: p.Line.StopBits})
		if err != nil {
			return a.failed(err) || a.is(Gone, "%v", err)
		}
		got, ok, err := serialpad.Ask(a.ctx, port, p)
		_ = port.Close()
		switch {
		case err != nil:
			return a.failed(err) || a.is(Gone, "%v", err)
		case ok:
			a.p.Baud, a.p.Profiles, a.p.Address = p.Line.Baud, []string{name}, got.Address
			return a.is(Pad, "rating pad that answers the query of profile %s (%s, address %d); other addresses were not asked", name, p.Line, got.Address)
		case len(got.Heard) > 0:
			a.heard[p.Line.Baud] = got.Heard
		}
	}
	return false
}

func (a *asked) reader() bool {
	found, err := idcard.ProbeLine(a.ctx, func(baud int) (idcard.Port, error) {
		return a.open(serialport.Config{Baud: baud})
	}, nil)
	if e, ok := errors.AsType[*idcard.Error](err); ok && e.Class == idcard.ClassFault {
		if e.SW3 != 0 { // it answers, and is broken
			return a.is(Reader, "%v", err)
		}
		return false
	}
	if err != nil {
		return a.failed(err) || a.is(Gone, "%v", err)
	}
	_ = found.Port.(io.Closer).Close()
	a.p.Baud, a.p.Framing, a.p.SAM = found.Baud, fmt.Sprint(found.Framing), found.SAMID
	if found.SAMID == "" {
		return a.is(Reader, "ID-card reader at %d baud, frames %s, which cannot tell a number", found.Baud, found.Framing)
	}
	return a.is(Reader, "ID-card reader at %d baud, frames %s, safety module %s", found.Baud, found.Framing, found.SAMID)
}

// modem asks with AT (ITU-T V.250, 5.2): OK is the answer, with or without the question before it.
func (a *asked) modem() bool {
	for _, baud := range []int{115200, 9600} {
		port, err := a.open(serialport.Config{Baud: baud})
		if err != nil {
			return a.failed(err) || a.is(Gone, "%v", err)
		}
		got, err := exchange(a.ctx, port, []byte("AT\r"), 400*time.Millisecond)
		_ = port.Close()
		switch {
		case err != nil:
			return a.failed(err) || a.is(Gone, "%v", err)
		case bytes.Contains(got, []byte("\r\nOK\r\n")):
			a.p.Baud = baud
			return a.is(Modem, "a modem: it answers AT with OK at %d baud. It is none of the machine's devices; leave its line to the network", baud)
		case len(got) > 0 && string(got) != "AT\r":
			a.heard[baud] = got
		}
	}
	return false
}

// exchange writes a question and returns what comes until nothing comes for wait, ten times as long at most.
func exchange(ctx context.Context, port *serialport.Port, question []byte, wait time.Duration) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = port.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = port.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := port.Write(question); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, err
	}
	var out []byte
	buf := make([]byte, 256)
	for end := time.Now().Add(10 * wait); time.Now().Before(end) && ctx.Err() == nil; {
		_ = port.SetReadDeadline(time.Now().Add(wait))
		n, err := port.Read(buf)
		out = append(out, buf[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return out, err
		}
	}
	return out, ctx.Err()
}

// quote is what a talker said, at most 24 bytes a speed.
func (a *asked) quote() string {
	var out []string
	for _, baud := range slices.Sorted(maps.Keys(a.heard)) {
		b := a.heard[baud]
		b = b[:min(len(b), 24)]
		out = append(out, fmt.Sprintf("at %d % X (%q)", baud, b, b))
	}
	return strings.Join(out, ", ")
}
