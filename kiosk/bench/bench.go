// Package bench is the test bench of the demo: it plays the hardware and the platform around the daemon, and shows them on a page
// beside the real screen, where one lays cards on the reader, presses buttons, tears off receipts, pulls plugs and cuts the network.
//
// The ID reader and the printer are simulators behind real pseudo-terminals, so the daemon drives them as it drives a tty. Whatever
// the page can do, a program can do by the same JSON: README.md beside this file has all routes with examples. The bench exists in
// demo only, and only this machine may use it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/upstream"
)

// Options is how the bench is set up.
type Options struct {
	Dir         string // private to this process: the links that drivers open, and the platform's key
	Role        string // kiosk or pad: which page is shown
	Fast        bool   // no mechanical delays; for tests
	Log         *slog.Logger
	ScreenURL   string // what the page shows as the machine's screen; "" is /
	ReaderBaud  int    // paces the reader's answers as a line of that speed would; 0 sends them at once
	PrinterBaud int    // paces what the printer takes in; 0 takes it at once
}

// printerModel is the profile that the simulated printer has.
const printerModel = "epson80"

// Bench is the simulated hardware and the simulated platform with their page. Everything may be called from any goroutine.
type Bench struct {
	opt   Options
	now   func() time.Time
	page  *page
	guard guard
	hub   hub
	ended chan struct{} // closed when Run ends, so that followers of the events leave

	reader     *idcard.Sim
	readerLink *serialport.PtyLink
	printer    *printer.Sim
	paperLink  *serialport.PtyLink
	lines      *buttons.SimLines
	lamps      []*buttons.SimLamp
	platform   *upstream.Simulator
	listener   net.Listener // of the platform

	plugging sync.Mutex // one change of plugs and faults at a time
}

// New sets up the simulators: the links exist and the platform's address is taken, but nothing answers before Run.
func New(opt Options) (*Bench, error) {
	b := &Bench{opt: opt, now: time.Now, ended: make(chan struct{})}
	if b.opt.Log == nil {
		b.opt.Log = slog.New(slog.DiscardHandler)
	}
	if b.opt.ScreenURL == "" {
		b.opt.ScreenURL = "/"
	}
	screen, err := url.Parse(b.opt.ScreenURL)
	if err != nil {
		return nil, fmt.Errorf("cannot set up bench: address of the screen: %w", err)
	}
	b.guard = newGuard(screen)
	if b.page, err = newPage(opt.Role, screen); err != nil {
		return nil, fmt.Errorf("cannot set up bench: %w", err)
	}
	if err := b.build(); err != nil {
		b.close()
		return nil, fmt.Errorf("cannot set up bench: %w", err)
	}
	return b, nil
}

// build makes the simulators and their cables.
func (b *Bench) build() error {
	card := &idcard.SimOpts{Baud: b.opt.ReaderBaud}
	paper := &printer.SimOpts{OnChange: func() { b.hub.changed(partPrinter) }, Baud: b.opt.PrinterBaud}
	if b.opt.Fast {
		card.CardTime = time.Millisecond
		paper.Quick = true
	}
	b.reader = idcard.NewSim(card)
	profile, err := printer.ByName(printerModel)
	if err != nil {
		return err
	}
	b.printer = printer.NewSim(profile, paper)
	b.lines = buttons.NewSimLines()
	for range buttons.Count {
		b.lamps = append(b.lamps, &buttons.SimLamp{OnChange: func(bool) { b.hub.changed(partLamps) }})
	}
	key, err := platformKey(filepath.Join(b.opt.Dir, "platform.key"))
	if err != nil {
		return err
	}
	if b.platform, err = upstream.NewSimulator(key); err != nil {
		return err
	}
	if b.readerLink, err = serialport.OpenPtyLink(filepath.Join(b.opt.Dir, "reader")); err != nil {
		return err
	}
	if b.paperLink, err = serialport.OpenPtyLink(filepath.Join(b.opt.Dir, "printer")); err != nil {
		return err
	}
	b.listener, err = net.Listen("tcp", "127.0.0.1:0")
	return err
}

// platformKey reads the platform's private key, or makes one and keeps it: what a machine sealed before a restart of the demo must
// still open after it.
func platformKey(file string) ([]byte, error) {
	key, err := os.ReadFile(file)
	if err == nil {
		if _, err = casefile.PublicKey(key); err == nil {
			return key, nil
		}
		return nil, fmt.Errorf("cannot use %s: %w; delete it to get a new one", file, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if key, _, err = casefile.NewKey(); err != nil {
		return nil, err
	}
	return key, os.WriteFile(file, key, 0o600)
}

// ReaderPath is the tty behind which the ID reader is.
func (b *Bench) ReaderPath() string { return b.readerLink.Path() }

// PrinterPath is the tty behind which the receipt printer is.
func (b *Bench) PrinterPath() string { return b.paperLink.Path() }

// PrinterProfile names the profile of the receipt printer.
func (b *Bench) PrinterProfile() string { return printerModel }

// Lines are the rating buttons: line 1 is 非常不满意, line 5 is 非常满意.
func (b *Bench) Lines() buttons.Lines { return b.lines }

// OpenLines opens the rating buttons as a driver does: an error while they are unplugged.
func (b *Bench) OpenLines() (buttons.Lines, error) { return b.lines.Open() }

// Lamps are the lamps of the buttons, in the order of the lines.
func (b *Bench) Lamps() []buttons.Lamp {
	all := make([]buttons.Lamp, len(b.lamps))
	for i, l := range b.lamps {
		all[i] = l
	}
	return all
}

// PlatformURL is where the platform takes facts, from Run on.
func (b *Bench) PlatformURL() string { return "http://" + b.listener.Addr().String() }

// SealKey is the platform's public key, to which personal data is sealed.
func (b *Bench) SealKey() []byte { return b.platform.PublicKey() }

// Run plays the devices and the platform until ctx ends, and unplugs everything when it returns. An error means that a simulator
// broke; the bench is of no more use then.
func (b *Bench) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	server := &http.Server{Handler: b.platform, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	var work sync.WaitGroup
	play := func(what string, run func() error) {
		work.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("cannot go on simulating the %s: %w", what, err))
			}
		})
	}
	play("ID reader", func() error { return b.reader.Serve(ctx, b.readerLink) })
	play("printer", func() error { return b.printer.Serve(ctx, b.paperLink) })
	play("platform", func() error { return server.Serve(b.listener) })
	work.Go(func() { b.watch(ctx) })

	<-ctx.Done()
	close(b.ended)
	_ = server.Close() // its listener is closed below at the latest
	err := b.close()
	work.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return err
}

// close unplugs the devices and gives up the platform's address.
func (b *Bench) close() error {
	var all error
	for _, l := range []*serialport.PtyLink{b.readerLink, b.paperLink} {
		if l != nil {
			all = errors.Join(all, l.Close())
		}
	}
	if b.listener != nil {
		if err := b.listener.Close(); !errors.Is(err, net.ErrClosed) {
			all = errors.Join(all, err)
		}
	}
	return all
}
