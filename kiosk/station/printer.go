package station

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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
	// Presence, if not nil, is called when the paper stands in the printer's output, is forgotten there, was taken or was taken back,
	// until the next job begins. It must not block.
	Presence func(printer.Presence)
}

// Care is what is done about paper that nobody takes, on a printer that can tell.
type Care struct {
	RemindAfter  time.Duration // 0: never
	RetractAfter time.Duration // 0: never
}

// frozenAfter is how long a printer may be silent behind a port that works until the port is opened anew: an adapter may have got stuck.
const frozenAfter = time.Minute

// Printer is the machine's receipt printer with its book of jobs.
type Printer struct {
	port    serialport.Config
	profile *printer.Profile
	journal *journal.Journal
	care    Care
	board   *Board
	turn    chan struct{} // one job at a time

	mu  sync.Mutex
	dev *printer.Printer // nil while the printer is not usable
	cut bool             // the printer may hold the rest of a job; the next stretch begins by cutting it away
}

// NewPrinter returns the printer behind a port. cut says that the last job of the program's former life may have left a part of itself.
func NewPrinter(port serialport.Config, p *printer.Profile, j *journal.Journal, cut bool, b *Board) *Printer {
	return &Printer{port: port, profile: p, journal: j, cut: cut, board: b, turn: make(chan struct{}, 1)}
}

// SetCare says what is done about paper that nobody takes. It is called before Run.
func (p *Printer) SetCare(c Care) { p.care = c }

// Run keeps the printer open until ctx ends.
func (p *Printer) Run(ctx context.Context) error {
	supervise(ctx, p.board, "printer", p.serve, p.board.onLine("printer", p.port))
	return nil
}

func (p *Printer) serve(ctx context.Context, online tell) error {
	port, err := serialport.OpenContext(ctx, p.port)
	if err != nil {
		return err
	}
	defer port.Close()
	dev := printer.New(port, p.profile, &printer.Opts{
		Baud: p.port.Baud, Unfinished: p.cut, GiveUpAfter: frozenAfter, RemindAfter: p.care.RemindAfter, RetractAfter: p.care.RetractAfter,
		OnStatus: func(s printer.Status) {
			switch {
			case s.Online:
				online(describe(s), ofPrinter(s)...)
			case p.board.Health("printer").State == Online: // it has stopped answering; before its first answer nothing is known
				p.board.set("printer", HardwareError, (&printer.Fault{Reason: printer.Offline}).Error(), Condition{Word: Mute})
			}
		},
		// The row stays indeterminate, for so it was told; whoever looks for the paper finds this.
		OnLate: func(id string, _ int) {
			p.board.log.Warn("a print job reported indeterminate was printed after all", "device", "printer", "job", id)
		},
	})
	p.setDevice(dev)
	defer p.setDevice(nil)
	err = dev.Run(ctx)
	p.cut = dev.Unfinished()
	return err
}

func describe(s printer.Status) string {
	say := fmt.Sprintf("paper %s, cover %s, cutter %s", s.Paper, s.Cover, s.Cutter)
	for _, bad := range []struct {
		is   bool
		word string
	}{{s.Head == "hot", "head hot"}, {s.Output == "jammed", "output jammed"}, {s.Mechanism == "broken", "needs service"}, {s.Held, "held off-line"}} {
		if bad.is {
			say += ", " + bad.word
		}
	}
	return say
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

// Ready returns nil when a job could begin now, else a *printer.Fault that says what is in the way. It is printer.ErrGone while there is
// no printer behind the port, and printer.ErrSilent while there is one that does not answer.
func (p *Printer) Ready() error {
	d := p.device()
	if d == nil {
		return p.absent()
	}
	return d.Ready()
}

// absent is the fault of a printer that is not open.
func (p *Printer) absent() *printer.Fault {
	if p.board.Health("printer").State == HardwareError {
		return &printer.Fault{Reason: printer.Offline}
	}
	return &printer.Fault{Reason: printer.Gone}
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
		return p.settle(row, printer.Outcome{State: printer.Failed, Reason: p.absent().Reason})
	}
	if fault, not := errors.AsType[*printer.Fault](dev.Ready()); not {
		return p.settle(row, printer.Outcome{State: printer.Failed, Reason: fault.Reason})
	}
	if err := p.set(row, journal.PrintPrinting, ""); err != nil {
		return printer.Outcome{State: printer.Failed, Reason: printer.Offline}
	}
	out := dev.Print(ctx, printer.Job{ID: row.ID, Doc: job.Compose(row.ID, row.Copy), OnPresence: p.presence(row, job.Presence)}, progress)
	return p.settle(row, out)
}

// presence notes what becomes of a paper, and tells whoever wants to know.
func (p *Printer) presence(row journal.PrintJob, tell func(printer.Presence)) func(printer.Presence) {
	return func(w printer.Presence) {
		if w != printer.Present {
			p.board.log.Info("paper in the output", "device", "printer", "job", row.ID, "kind", row.Kind, "presence", string(w))
		}
		if tell != nil {
			tell(w)
		}
	}
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
	p.board.log.Info("print job", "device", "printer", "job", row.ID, "kind", row.Kind, "state", string(out.State), "reason", string(out.Reason), "bytes", out.Bytes, "held", out.Held)
	return out
}
