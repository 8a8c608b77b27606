package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
)

// Identify makes what is on a line show itself to a person, and says how. The error says why it cannot.
func Identify(ctx context.Context, o Options, name string) (how string, err error) {
	o.Only = []string{name}
	o.Chip = nil
	r := Run(ctx, o)
	p := r.Ports[0]
	switch p.Kind {
	case Printer:
		if o.Open == nil {
			o.Open = serialport.OpenContext
		}
		return identifyPrinter(ctx, o, p, name)
	case Reader:
		return p.Says + ". A reader has no command for its lamp or beeper (GA/T 467): its safety module's number is on the plate on its back or below; " +
			"else pull its plug and see which line is gone", nil
	case Pad:
		return p.Says + ". It is not made to show anything, for only the running program may; press its button and see kiosk learn -port " + p.Name, nil
	}
	return "", fmt.Errorf("cannot identify %s: %s", name, p.Says)
}

// identifyPrinter prints the line's name.
func identifyPrinter(ctx context.Context, o Options, p Port, name string) (string, error) {
	if len(p.Profiles) == 0 {
		return "", fmt.Errorf("cannot identify %s: %s", name, p.Says)
	}
	out, err := Print(ctx, func(c serialport.Config) (*serialport.Port, error) { return o.Open(ctx, c) },
		serialport.Config{Path: p.Path, Baud: p.Baud}, p.Profiles[0], &printer.Document{Blocks: []printer.Block{
			printer.Text{Text: "打印机", Size: 2, Align: printer.Center},
			printer.Text{Text: p.Name},
			printer.Text{Text: fmt.Sprintf("%d %s", p.Baud, p.Profiles[0])},
		}})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("printed its name on it (%s)", out.State), nil
}

// Print prints one document on a printer that nobody else uses.
func Print(ctx context.Context, open func(serialport.Config) (*serialport.Port, error), line serialport.Config, profile string, doc *printer.Document) (printer.Outcome, error) {
	known, err := printer.LoadProfile(profile)
	if err != nil {
		return printer.Outcome{}, err
	}
	port, err := open(line)
	if err != nil {
		return printer.Outcome{}, fmt.Errorf("cannot print: %w", err)
	}
	defer func() { _ = port.Close() }()
	dev := printer.New(port, known, &printer.Opts{Baud: line.Baud, FaultWait: 30 * time.Second})
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- dev.Run(running) }()
	out := dev.Print(ctx, printer.Job{ID: "provision", Doc: doc}, nil)
	stop()
	err = <-ended
	switch {
	case out.State == printer.Printed || out.State == printer.Sent:
		return out, nil
	case out.Reason != "":
		return out, &printer.Fault{Reason: out.Reason}
	case errors.Is(err, printer.ErrGone):
		return out, fmt.Errorf("cannot print: %w", err)
	}
	return out, fmt.Errorf("cannot print: the outcome is %s: look at the paper", out.State)
}
