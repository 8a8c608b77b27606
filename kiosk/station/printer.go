package station

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/journal"
)

// Job is one paper that a flow wants printed.
type Job struct {
	Kind    string // receipt, guide, list, document, otherway
	Subject string // case number or what else it is about; never personal
	// Compose lays the paper out. Every paper carries its job number; copy counts from 1, and a copy above 1 says 补打.
	Compose func(job string, copy int) *printer.Document
}

// Printer is the machine's receipt printer with its book of jobs.
type Printer struct {
	port    serialport.Config
	profile *printer.Profile
	journal *journal.Journal
	board   *Board
	turn    chan struct{} // one job at a time

	mu  sync.Mutex
	dev *printer.Printer // nil while the printer is not usable
	cut bool             // the printer may hold the rest of a job that was cut off; the next stretch begins by cutting it away
}

// NewPrinter returns the printer behind a port. cut says that the last job of the program's former life was cut off in the middle.
func NewPrinter(port serialport.Config, p *printer.Profile, j *journal.Journal, cut bool, b *Board) *Printer {
	return &Printer{port: port, profile: p, journal: j, cut: cut, board: b, turn: make(chan struct{}, 1)}
}

// Run keeps the printer open until ctx ends.
func (p *Printer) Run(ctx context.Context) error {
	supervise(ctx, p.board, "printer", p.serve, p.board.onLine("printer", p.port))
	return nil
}

func (p *Printer) serve(ctx context.Context, online func(string)) error {
	port, err := serialport.OpenContext(ctx, p.port)
	if err != nil {
		return err
	}
	defer port.Close()
	dev := printer.New(port, p.profile, &printer.Opts{Baud: p.port.Baud, Unfinished: p.cut, OnStatus: func(s printer.Status) {
		switch {
		case s.Online:
			online(describe(s))
		case p.board.Health("printer").State == Online: // it has stopped answering; before its first answer nothing is known
			p.board.set("printer", HardwareError, describe(s))
		}
	}})
	p.setDevice(dev)
	defer p.setDevice(nil)
	err = dev.Run(ctx)
	p.cut = dev.Unfinished()
	return err
}

func describe(s printer.Status) string {
	return fmt.Sprintf("paper %s, cover %s, cutter %s", s.Paper, s.Cover, s.Cutter)
}

func (p *Printer) setDevice(d *printer.Printer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dev = d
}

func (p *Printer) device() *printer.Printer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dev
}

// Ready returns nil when a job could begin now, else a *printer.Fault that says what is in the way.
func (p *Printer) Ready() error {
	d := p.device()
	if d == nil {
		return &printer.Fault{Reason: printer.Offline}
	}
	return d.Ready()
}

// Status returns what the printer last said; the zero Status while it is not usable.
func (p *Printer) Status() printer.Status {
	d := p.device()
	if d == nil {
		return printer.Status{}
	}
	return d.Status()
}

// Print prints one job and records in the journal what became of it, before and after. It never repeats a job.
func (p *Printer) Print(ctx context.Context, job Job, progress func(printer.Progress)) printer.Outcome {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return printer.Outcome{State: printer.Failed, Reason: printer.Cancelled}
	}
	row, err := p.queue(ctx, job)
	if err != nil {
		p.board.log.Error("cannot record a print job; nothing is printed", "device", "printer", "err", err)
		return printer.Outcome{State: printer.Failed, Reason: printer.Offline}
	}
	dev := p.device()
	if dev == nil {
		return p.settle(row, printer.Outcome{State: printer.Failed, Reason: printer.Offline})
	}
	if fault, not := errors.AsType[*printer.Fault](dev.Ready()); not {
		return p.settle(row, printer.Outcome{State: printer.Failed, Reason: fault.Reason})
	}
	if err := p.set(row, journal.PrintPrinting, ""); err != nil {
		return printer.Outcome{State: printer.Failed, Reason: printer.Offline}
	}
	out := dev.Print(ctx, printer.Job{ID: row.ID, Doc: job.Compose(row.ID, row.Copy)}, progress)
	return p.settle(row, out)
}

func (p *Printer) queue(ctx context.Context, job Job) (row journal.PrintJob, err error) {
	err = p.journal.Write(ctx, func(tx *journal.Tx) error {
		row, err = tx.QueuePrint(journal.PrintJob{Kind: job.Kind, Subject: job.Subject})
		return err
	})
	return row, err
}

func (p *Printer) set(row journal.PrintJob, s journal.PrintState, reason string) error {
	return p.journal.Write(context.Background(), func(tx *journal.Tx) error { return tx.SetPrint(row.ID, s, reason) })
}

// settle records the outcome before anybody is told.
func (p *Printer) settle(row journal.PrintJob, out printer.Outcome) printer.Outcome {
	states := map[printer.State]journal.PrintState{
		printer.Printed: journal.PrintPrinted, printer.Sent: journal.PrintSent,
		printer.Failed: journal.PrintFailed, printer.Indeterminate: journal.PrintIndeterminate,
	}
	if err := p.set(row, states[out.State], string(out.Reason)); err != nil {
		p.board.log.Error("cannot record the end of a print job", "device", "printer", "job", row.ID, "err", err)
		if out.State == printer.Printed {
			out.State = printer.Indeterminate // a restart will say so, thus the screen may not say otherwise
		}
	}
	p.board.log.Info("print job", "device", "printer", "job", row.ID, "kind", row.Kind, "state", string(out.State), "reason", string(out.Reason), "bytes", out.Bytes)
	return out
}
