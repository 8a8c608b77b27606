package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/journal"
)

// desk is a machine with a journal and a simulated printer on a tty.
type desk struct {
	t       *testing.T
	dir     string
	link    *serialport.PtyLink
	sim     *printer.Sim
	profile *printer.Profile
}

func newDesk(t *testing.T, profile string) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	link, err := serialport.OpenPtyLink(filepath.Join(d.dir, "printer"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	if d.profile, err = printer.ByName(profile); err != nil {
		t.Fatal(err)
	}
	d.link, d.sim = link, printer.NewSim(d.profile, &printer.SimOpts{Speed: 1000})
	running(t, func(ctx context.Context) error { return d.sim.Serve(ctx, link) })
	return d
}

func (d *desk) open() *journal.Journal {
	d.t.Helper()
	j, err := journal.Open(d.t.Context(), filepath.Join(d.dir, "journal.db"), journal.Options{Machine: "TEST01"})
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

func (d *desk) port() serialport.Config { return serialport.Config{Path: d.link.Path(), Baud: 115200} }

func paper(id string, lines int) *printer.Document {
	doc := &printer.Document{}
	for i := range lines {
		doc.Blocks = append(doc.Blocks, printer.Text{Text: fmt.Sprintf("第 %d 行，%s。", i+1, id)})
	}
	return doc
}

func job(subject string, lines int) Job {
	return Job{Kind: "receipt", Subject: subject, Compose: func(string, int) *printer.Document { return paper(subject, lines) }}
}

// TestPrinterSilentOrGone: a printer that does not answer and one whose cable is out are told apart.
func TestPrinterSilentOrGone(t *testing.T) {
	d := newDesk(t, "epson80")
	j := d.open()
	defer j.Close()
	board, change := newBoard()
	p := NewPrinter(d.port(), d.profile, j, false, board)
	if err := p.Ready(); !errors.Is(err, printer.ErrGone) {
		t.Errorf("before it was opened: %v", err)
	}
	running(t, p.Run)
	change.await(t, board, "printer", Online)
	if err := p.Ready(); err != nil {
		t.Errorf("online, but: %v", err)
	}
	d.sim.SetFault(printer.SimSilent)
	change.await(t, board, "printer", HardwareError)
	if err := p.Ready(); !errors.Is(err, printer.ErrSilent) || errors.Is(err, printer.ErrGone) {
		t.Errorf("silent: %v", err)
	}
	d.link.Unplug()
	change.await(t, board, "printer", Offline)
	if err := p.Ready(); !errors.Is(err, printer.ErrGone) || errors.Is(err, printer.ErrSilent) {
		t.Errorf("unplugged: %v", err)
	}
	d.sim.SetFault(printer.SimNone)
	d.link.Replug()
	change.await(t, board, "printer", Online)
	if out := p.Print(t.Context(), job("L1", 2), nil); out.State != printer.Printed {
		t.Errorf("plugged in again: %+v", out)
	}
}

// TestPrinterEnds: that the program ends, or a cable is pulled, is no printer that does not answer.
func TestPrinterEnds(t *testing.T) {
	d := newDesk(t, "epson80")
	j := d.open()
	defer j.Close()
	var seen []Health
	kick := make(chan struct{}, 1)
	board := NewBoard(slog.New(slog.DiscardHandler), func(h Health) {
		seen = append(seen, h)
		select {
		case kick <- struct{}{}:
		default:
		}
	})
	change := &changes{kick}
	p := NewPrinter(d.port(), d.profile, j, false, board)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	change.await(t, board, "printer", Online)
	d.link.Unplug()
	change.await(t, board, "printer", Offline)
	d.link.Replug()
	change.await(t, board, "printer", Online)
	cancel()
	<-ended
	for _, h := range seen {
		if h.State == HardwareError {
			t.Errorf("the printer answered all the time, and was told to be %+v", h)
		}
	}
}

// TestPrinterAfterRestart: what a killed program had begun is told as it is, the rest of it is cut off, and the next paper is whole.
func TestPrinterAfterRestart(t *testing.T) {
	d := newDesk(t, "epson80")
	j := d.open()
	board, change := newBoard()
	life, kill := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	p := NewPrinter(d.port(), d.profile, j, false, board)
	go func() { ended <- p.Run(life) }()
	change.await(t, board, "printer", Online)
	// The last that a killed program writes is that the job is printing. The driver dies with the job half sent.
	row, err := p.queue(t.Context(), job("L1", 60))
	if err == nil {
		err = p.set(row, journal.PrintPrinting, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan bool, 100)
	go p.device().Print(context.Background(), printer.Job{Doc: paper("L1", 60)}, func(printer.Progress) { begun <- true })
	<-begun
	kill()
	<-ended
	j.Close()

	j = d.open()
	defer j.Close()
	if got, err := j.PrintJob(t.Context(), row.ID); err != nil || got.State != journal.PrintIndeterminate || got.Reason != "restart" {
		t.Errorf("the interrupted job is told as %+v, %v", got, err)
	}
	cut, err := j.Interrupted(t.Context())
	if err != nil || !cut {
		t.Errorf("interrupted %v, %v", cut, err)
	}
	board, change = newBoard()
	p = NewPrinter(d.port(), d.profile, j, cut, board)
	running(t, p.Run)
	change.await(t, board, "printer", Online)
	if out := p.Print(t.Context(), job("L2", 3), nil); out.State != printer.Printed {
		t.Fatalf("the next job: %+v", out)
	}
	recs := d.sim.Receipts()
	if got, want := recs[len(recs)-1].Lines, printer.Lines(paper("L2", 3), d.profile); strings.Join(got, "\n") != strings.Join(want, "\n") || recs[len(recs)-1].Partial {
		t.Errorf("the next paper reads %q", got)
	}
	if cut, err := j.Interrupted(t.Context()); err != nil || cut {
		t.Errorf("after a whole paper: interrupted %v, %v", cut, err)
	}
}

// TestPrinterPresence: a paper nobody takes is reminded of and taken back.
func TestPrinterPresence(t *testing.T) {
	d := newDesk(t, "custom80")
	j := d.open()
	defer j.Close()
	board, change := newBoard()
	p := NewPrinter(d.port(), d.profile, j, false, board)
	p.SetCare(Care{RemindAfter: 200 * time.Millisecond, RetractAfter: 500 * time.Millisecond})
	running(t, p.Run)
	change.await(t, board, "printer", Online)
	told := make(chan printer.Presence, 10)
	one := job("L1", 2)
	one.Presence = func(w printer.Presence) { told <- w }
	if out := p.Print(t.Context(), one, nil); out.State != printer.Printed {
		t.Fatalf("%+v", out)
	}
	for _, want := range []printer.Presence{printer.Present, printer.Forgotten, printer.Retracted} {
		select {
		case got := <-told:
			if got != want {
				t.Fatalf("told %s, want %s", got, want)
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("nothing told, want %s", want)
		}
	}
	if rec := d.sim.Receipts()[0]; !rec.Retracted {
		t.Errorf("receipt %+v", rec)
	}
}
