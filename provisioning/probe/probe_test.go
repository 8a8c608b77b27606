package probe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialpad"
	"yuanban/devices/serialport"
	"yuanban/kiosk/config"
	"yuanban/provisioning/probe"
)

// hall is a machine's files with USB adapters, and a pseudo-terminal behind each with a simulated device.
type hall struct {
	t     *testing.T
	root  string
	ptys  map[string]*serialport.Pty
	wrong map[string]error
	ctx   context.Context
	done  *sync.WaitGroup
	told  struct {
		sync.Mutex
		lines []string
	}
}

func newHall(t *testing.T) *hall {
	h := &hall{t: t, root: t.TempDir(), ptys: map[string]*serialport.Pty{}, wrong: map[string]error{}, done: &sync.WaitGroup{}}
	ctx, stop := context.WithCancel(context.Background())
	h.ctx = ctx
	t.Cleanup(func() {
		stop()
		for _, p := range h.ptys {
			p.Close()
		}
		h.done.Wait()
	})
	h.mkdir("sys/class/tty")
	h.mkdir("sys/bus/usb/devices")
	return h
}

func (h *hall) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}
func (h *hall) mkdir(name string) string {
	path := filepath.Join(h.root, name)
	h.must(os.MkdirAll(path, 0o755))
	return path
}
func (h *hall) write(name, text string) {
	h.mkdir(filepath.Dir(name))
	h.must(os.WriteFile(filepath.Join(h.root, name), []byte(text+"\n"), 0o644))
}
func (h *hall) link(name, to string) {
	h.mkdir(filepath.Dir(name))
	os.Remove(filepath.Join(h.root, name)) // as udev: who comes last has the name
	h.must(os.Symlink(to, filepath.Join(h.root, name)))
}

// usb plugs a device in. tty is "" for one without a serial line.
func (h *hall) usb(place, vendor, product, serial, class, tty string) {
	dir := "sys/devices/pci0/usb1/" + place
	h.write(dir+"/idVendor", vendor)
	h.write(dir+"/idProduct", product)
	h.write(dir+"/bDeviceClass", "00")
	if serial != "" {
		h.write(dir+"/serial", serial)
	}
	h.write(dir+"/"+place+":1.0/bInterfaceNumber", "00")
	h.write(dir+"/"+place+":1.0/bInterfaceClass", class)
	h.link("sys/bus/usb/devices/"+place, "/"+dir)
	if tty == "" {
		return
	}
	h.mkdir(dir + "/" + place + ":1.0/" + tty)
	h.link("sys/class/tty/"+tty+"/device", "/"+dir+"/"+place+":1.0/"+tty)
	h.write("dev/"+tty, "")
	h.link("dev/serial/by-path/pci-0-usb-0:"+place+":1.0-port0", "/dev/"+tty)
	id := "usb-" + vendor + "_" + product
	if serial != "" {
		id += "_" + serial
	}
	h.link("dev/serial/by-id/"+id+"-if00-port0", "/dev/"+tty)
}

// behind puts a device behind a tty.
func (h *hall) behind(tty string, serve func(ctx context.Context, line io.ReadWriter)) {
	p, err := serialport.OpenPty()
	h.must(err)
	h.ptys["/dev/"+tty] = p
	h.done.Go(func() { serve(h.ctx, p.Master) })
}

func (h *hall) open(ctx context.Context, c serialport.Config) (*serialport.Port, error) {
	if err := h.wrong[c.Path]; err != nil {
		return nil, err
	}
	if p := h.ptys[c.Path]; p != nil {
		c.Path = p.Path()
		if c.Parity != "" && c.Parity != "none" {
			c.Parity = "none" // a pseudo-terminal has none
		}
	}
	return serialport.OpenContext(ctx, c)
}

func (h *hall) probe(o probe.Options) *probe.Report {
	h.t.Helper()
	o.Root, o.Open = h.root, h.open
	if o.Chip == nil {
		o.Chip = func() ([]buttons.Chip, error) { return nil, nil }
	}
	o.Tell = func(p probe.Port, step string) {
		h.told.Lock()
		defer h.told.Unlock()
		h.told.lines = append(h.told.lines, p.Path+" "+step)
	}
	return probe.Run(h.t.Context(), o)
}

func (h *hall) kinds(r *probe.Report) map[string]probe.Kind {
	out := map[string]probe.Kind{}
	for _, p := range r.Ports {
		out[p.Path] = p.Kind
	}
	return out
}

// tape remembers what a device heard.
type tape struct {
	io.ReadWriter
	mu    sync.Mutex
	heard bytes.Buffer
}

func (c *tape) Read(b []byte) (int, error) {
	n, err := c.ReadWriter.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard.Write(b[:n])
	return n, err
}

func (c *tape) contains(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.heard.String(), what)
}

func printerProfile(t *testing.T, name string) *printer.Profile {
	t.Helper()
	p, err := printer.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRunFindsAHall: everything at once: each device is what it is, a printer never hears a reader's frame, and the proposal is a
// configuration that holds.
func TestRunFindsAHall(t *testing.T) {
	h := newHall(t)
	h.usb("1-1", "0403", "6001", "A1", "ff", "ttyUSB0")
	h.usb("1-2", "1a86", "7523", "", "ff", "ttyUSB1")
	h.usb("1-3", "1a86", "7523", "", "ff", "ttyUSB2")
	h.usb("1-4", "2c7c", "0125", "M1", "ff", "ttyUSB3")
	h.usb("1-5", "067b", "2303", "L1", "ff", "ttyUSB4")
	h.usb("1-6", "067b", "2303", "T1", "ff", "ttyUSB5")
	h.usb("1-7", "067b", "2303", "B1", "ff", "ttyUSB6")
	h.usb("1-8", "067b", "2303", "F1", "ff", "ttyUSB7")
	h.usb("1-9", "0400", "c35a", "", "ff", "")

	h.behind("ttyUSB0", func(ctx context.Context, l io.ReadWriter) { idcard.NewSim(nil).Serve(ctx, l) })
	sim := printer.NewSim(printerProfile(t, "kp628e"), &printer.SimOpts{Quick: true})
	paper := &tape{}
	h.behind("ttyUSB1", func(ctx context.Context, l io.ReadWriter) {
		go func() { <-ctx.Done(); h.ptys["/dev/ttyUSB1"].Master.SetDeadline(time.Unix(1, 0)) }()
		paper.ReadWriter = l
		sim.Serve(ctx, paper)
	})
	pad, err := serialpad.ByName("reference")
	h.must(err)
	h.behind("ttyUSB2", func(ctx context.Context, l io.ReadWriter) { serialpad.NewSim(pad, nil).Serve(ctx, l) })
	h.behind("ttyUSB3", func(_ context.Context, l io.ReadWriter) { // a modem with its echo on
		for b := make([]byte, 64); ; {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			l.Write(b[:n])
			if bytes.Contains(b[:n], []byte("AT\r")) {
				l.Write([]byte("\r\nOK\r\n"))
			}
		}
	})
	h.behind("ttyUSB4", func(_ context.Context, l io.ReadWriter) { io.Copy(l, l) })
	h.wrong["/dev/ttyUSB5"] = fmt.Errorf("cannot open: %w", os.ErrPermission)
	h.wrong["/dev/ttyUSB6"] = fmt.Errorf("cannot open: %w", serialport.ErrBusy)
	h.wrong["/dev/ttyUSB7"] = fmt.Errorf("cannot open: %w", serialport.ErrGone)

	r := h.probe(probe.Options{Chip: func() ([]buttons.Chip, error) {
		return []buttons.Chip{{Path: "/dev/gpiochip0", Label: "panel", Lines: []buttons.ChipLine{{Name: "b1", Level: "high"}, {Number: 1, Used: true, Consumer: "led", Level: "?"}}}}, nil
	}})
	for path, want := range map[string]probe.Kind{
		"/dev/ttyUSB0": probe.Reader, "/dev/ttyUSB1": probe.Printer, "/dev/ttyUSB2": probe.Pad, "/dev/ttyUSB3": probe.Modem,
		"/dev/ttyUSB4": probe.Loop, "/dev/ttyUSB5": probe.Forbidden, "/dev/ttyUSB6": probe.Busy, "/dev/ttyUSB7": probe.Gone,
	} {
		if got := h.kinds(r)[path]; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	// A pseudo-terminal has no speed: on a busy machine the first answer may come too late, and the next speed finds the reader.
	if p := r.Ports[0]; p.SAM == "" || p.Baud == 0 || p.Name != "/dev/serial/by-id/usb-0403_6001_A1-if00-port0" {
		t.Errorf("reader %+v", p)
	}
	if p := r.Ports[1]; !slices.Equal(p.Profiles, []string{"kp628e"}) || p.Name != "/dev/serial/by-path/pci-0-usb-0:1-2:1.0-port0" {
		t.Errorf("printer %+v: two adapters of a kind must be told apart by their sockets", p)
	}
	if paper.contains("\xAA\xAA\xAA\x96\x69") || paper.contains("AT\r") {
		t.Error("the printer heard what was meant for others")
	}
	for _, rec := range sim.Receipts() {
		if strings.TrimSpace(strings.Join(rec.Lines, "")) != "" {
			t.Errorf("asking printed %q", rec.Lines)
		}
	}
	text := r.Text()
	for _, says := range []string{"ID-card reader is USB class ff, not serial", "systemctl stop kiosk", "run this as root", "no serial number", "safety module 05.03-", "in use by led", "loop-back"} {
		if !strings.Contains(text, says) {
			t.Errorf("the report does not say %q:\n%s", says, text)
		}
	}
	cfg, problems := config.Parse("proposal", []byte(r.Proposal()))
	if err := problems.Err(); err != nil {
		t.Fatalf("the proposal is no configuration: %v\n%s", err, r.Proposal())
	}
	if cfg.Reader.Port != r.Ports[0].Name || cfg.Printer.Port != r.Ports[1].Name || cfg.Printer.Profile != "kp628e" || cfg.Pad.Address != 1 {
		t.Errorf("proposed:\n%s", r.Proposal())
	}
}

// TestRunSlow has what takes long to know: silence, a talker, a reader at another framing, a printer that starts late.
func TestRunSlow(t *testing.T) {
	h := newHall(t)
	for i := range 4 {
		h.usb(fmt.Sprintf("1-%d", i+1), "0403", "6001", fmt.Sprint("S", i), "ff", fmt.Sprint("ttyUSB", i))
	}
	h.behind("ttyUSB0", func(_ context.Context, l io.ReadWriter) { io.Copy(io.Discard, l) })
	h.behind("ttyUSB1", func(ctx context.Context, l io.ReadWriter) {
		go io.Copy(io.Discard, l)
		for ctx.Err() == nil {
			if _, err := l.Write([]byte("$GPGGA,1\r\n")); err != nil {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
	h.behind("ttyUSB2", func(ctx context.Context, l io.ReadWriter) {
		idcard.NewSim(&idcard.SimOpts{Framing: idcard.STX}).Serve(ctx, l)
	})
	late := printer.NewSim(printerProfile(t, "epson80"), &printer.SimOpts{Quick: true})
	h.behind("ttyUSB3", func(ctx context.Context, l io.ReadWriter) { // deaf for 10 s
		end := time.Now().Add(10 * time.Second)
		for b := make([]byte, 64); time.Now().Before(end); {
			if _, err := l.Read(b); err != nil {
				return
			}
		}
		late.Serve(ctx, l)
	})
	start := time.Now()
	r := h.probe(probe.Options{})
	want := []probe.Kind{probe.Silent, probe.Talker, probe.Reader, probe.Printer}
	for i, p := range r.Ports {
		if p.Kind != want[i] {
			t.Errorf("%s is %q, want %q: %s", p.Path, p.Kind, want[i], p.Says)
		}
	}
	if r.Ports[2].Framing == "" || r.Ports[2].SAM != "" || !strings.Contains(r.Ports[1].Says, "GPGGA") {
		t.Errorf("%+v", r.Ports)
	}
	t.Logf("took %v", time.Since(start))
}

// TestRunOfOneLine: lines that sysfs does not know can be asked by name, others can be left alone, and the end of the context ends it.
func TestRunOfOneLine(t *testing.T) {
	h := newHall(t)
	h.usb("1-1", "0403", "6001", "A1", "ff", "ttyUSB0")
	h.behind("ttyUSB0", func(ctx context.Context, l io.ReadWriter) { idcard.NewSim(nil).Serve(ctx, l) })
	if r := h.probe(probe.Options{Only: []string{"/dev/serial/by-id/usb-0403_6001_A1-if00-port0"}}); len(r.Ports) != 1 || r.Ports[0].Kind != probe.Reader {
		t.Errorf("%+v", r.Ports)
	}
	if r := h.probe(probe.Options{Only: []string{"/dev/nothing"}}); len(r.Ports) != 1 || r.Ports[0].Kind != probe.Gone {
		t.Errorf("%+v", r.Ports)
	}
	if r := h.probe(probe.Options{Skip: []string{"/dev/ttyUSB0"}}); len(r.Ports) != 0 || len(r.Missing) != 3 {
		t.Errorf("%+v", r)
	}
	h.write("sys/class/tty/console/active", "tty0 ttyUSB0")
	if r := h.probe(probe.Options{}); r.Ports[0].Kind != probe.Console {
		t.Errorf("%+v", r.Ports)
	}
	h.write("sys/class/tty/console/active", "tty0")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := probe.Run(ctx, probe.Options{Root: h.root, Open: h.open, Only: []string{"/dev/ttyUSB0"}}); r.Ports[0].Kind != probe.Unasked {
		t.Errorf("%+v", r.Ports)
	}
	if r := probe.Run(t.Context(), probe.Options{Root: t.TempDir(), Chip: func() ([]buttons.Chip, error) { return nil, errors.New("no permission") }}); len(r.Problems) < 2 {
		t.Errorf("a machine without sysfs: %+v", r)
	}
}

// TestIdentify: a printer prints the name of its line; the others say how they are told apart.
func TestIdentify(t *testing.T) {
	h := newHall(t)
	sim := printer.NewSim(printerProfile(t, "epson80"), &printer.SimOpts{Quick: true})
	h.usb("1-1", "0403", "6001", "A1", "ff", "ttyUSB0")
	h.usb("1-2", "0403", "6001", "A2", "ff", "ttyUSB1")
	h.usb("1-3", "0403", "6001", "A3", "ff", "ttyUSB2")
	h.behind("ttyUSB0", func(ctx context.Context, l io.ReadWriter) { sim.Serve(ctx, l) })
	h.behind("ttyUSB1", func(ctx context.Context, l io.ReadWriter) { idcard.NewSim(nil).Serve(ctx, l) })
	h.wrong["/dev/ttyUSB2"] = serialport.ErrBusy
	o := probe.Options{Root: h.root, Open: h.open}
	how, err := probe.Identify(t.Context(), o, "/dev/ttyUSB0")
	if err != nil || !strings.Contains(how, "printed") {
		t.Fatalf("%q, %v", how, err)
	}
	var paper strings.Builder
	for _, r := range sim.Receipts() {
		paper.WriteString(strings.Join(r.Lines, ""))
	}
	if !strings.Contains(paper.String(), "打印机") || !strings.Contains(paper.String(), "usb-0403_6001_A1") {
		t.Errorf("on paper: %q", paper.String())
	}
	if how, err := probe.Identify(t.Context(), o, "/dev/ttyUSB1"); err != nil || !strings.Contains(how, "no command for its lamp or beeper") || !strings.Contains(how, "05.03-") {
		t.Errorf("%q, %v", how, err)
	}
	if _, err := probe.Identify(t.Context(), o, "/dev/ttyUSB2"); err == nil || !strings.Contains(err.Error(), "systemctl stop kiosk") {
		t.Errorf("%v", err)
	}
}
