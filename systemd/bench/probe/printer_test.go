//go:build live

package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
)

// machine is a printer that runs on a port.
type machine struct {
	dev    *printer.Printer
	online chan time.Time
	ended  chan error
}

func run(t *testing.T, p *serialport.Port, unfinished bool) *machine {
	t.Helper()
	profile, err := printer.ByName(live.Profile)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{online: make(chan time.Time, 100), ended: make(chan error, 1)}
	m.dev = printer.New(p, profile, &printer.Opts{Baud: live.Baud, Unfinished: unfinished, OnStatus: func(s printer.Status) {
		if s.Online {
			m.online <- time.Now()
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { m.ended <- m.dev.Run(ctx) }()
	return m
}

func (m *machine) waitOnline(t *testing.T) time.Time {
	t.Helper()
	select {
	case at := <-m.online:
		return at
	case <-time.After(30 * time.Second):
		t.Fatal("the printer never came online")
	}
	return time.Time{}
}

// receipt is one that can be told from all others.
func receipt(id string, lines int) printer.Job {
	d := &printer.Document{}
	for i := range lines {
		d.Blocks = append(d.Blocks, printer.Text{Text: fmt.Sprintf("第 %d 行，回执 %s。", i+1, id)})
	}
	return printer.Job{ID: id, Doc: d}
}

// hand is a receipt as a word for the hands.
func hand(t *testing.T, job printer.Job) string {
	t.Helper()
	profile, err := printer.ByName(live.Profile)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(printer.Lines(job.Doc, profile), "|")
}

func TestLivePrinter(t *testing.T) {
	live.Need(t)
	hands := live.Hands(t)
	port := openPort(t)
	m := run(t, port, false)
	m.waitOnline(t)
	job := receipt("A", 12)
	if out := m.dev.Print(t.Context(), job, nil); out.State != printer.Printed {
		t.Errorf("a receipt ended as %s (%s)", out.State, out.Reason)
	}
	do(t, hands, "find whole "+hand(t, job))

	// The adapter is pulled in the middle of a receipt.
	cut := receipt("B", 60)
	half := make(chan struct{})
	outcome := make(chan printer.Outcome, 1)
	go func() {
		told := false
		outcome <- m.dev.Print(t.Context(), cut, func(p printer.Progress) {
			if !told && p.Sent >= p.Total/3 {
				told = true
				close(half)
			}
		})
	}()
	<-half
	do(t, hands, "unplug")
	began := time.Now()
	if err := <-m.ended; !errors.Is(err, printer.ErrGone) {
		t.Errorf("unplugged: %v, must be ErrGone", err)
	}
	took := time.Since(began)
	t.Logf("offline %v after it was unplugged", took)
	if took > goneWithin {
		t.Errorf("the printer was offline %v after it was unplugged, must be %v", took, goneWithin)
	}
	out := <-outcome
	t.Logf("the receipt ended as %s (%s)", out.State, out.Reason)
	switch out.State {
	case printer.Printed:
		do(t, hands, "find whole "+hand(t, cut))
	case printer.Failed:
		do(t, hands, "find none "+hand(t, cut))
	case printer.Indeterminate: // true whatever is on the paper
	default:
		t.Errorf("the receipt ended as %s", out.State)
	}
	port.Close()
	do(t, hands, "replug")
	began = time.Now()
	port, took = reopen(t)
	t.Logf("opened %v after it was plugged in again", took)
	m2 := run(t, port, m.dev.Unfinished())
	took = m2.waitOnline(t).Sub(began)
	t.Logf("online %v after it was plugged in again", took)
	if took > backWithin {
		t.Errorf("the printer was online %v after it was plugged in, must be %v", took, backWithin)
	}
	job = receipt("C", 12)
	if out := m2.dev.Print(t.Context(), job, nil); out.State != printer.Printed {
		t.Errorf("a receipt after that ended as %s (%s)", out.State, out.Reason)
	}
	do(t, hands, "find whole "+hand(t, job))
}
