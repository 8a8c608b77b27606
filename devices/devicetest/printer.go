package devicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/printer"
)

// PrinterRig is one receipt printer at the end of one line. At the beginning of a case it is plugged in, has paper, and is closed.
type PrinterRig struct {
	// Hands understand "load paper", "take paper out", "open cover", "close cover", "take receipt" (whatever hangs out), "unplug" and
	// "replug".
	Hands Hands
	// Profile is the printer's model and Baud the speed of its line; 0 is for a line that is as fast as its far end.
	Profile *printer.Profile
	Baud    int
	// Open opens the line anew; the suite closes it before it opens the next. The error is the line's.
	Open func() (PrinterPort, error)
	// Paper is all lines on all paper so far that are not empty, and whether that can be known: nobody reads a real printer's paper.
	Paper func() ([]string, bool)
}

// PrinterPort is a line that can be closed.
type PrinterPort interface {
	printer.Port
	Close() error
}

// PrinterCases are what every receipt printer with its driver promises. Of a printer that says nothing, less is promised.
func PrinterCases() []Case[*PrinterRig] {
	return []Case[*PrinterRig]{
		{"prints and says so", printerPrints},
		{"prints jobs one after the other", printerPrintsInOrder},
		{"marks a copy", printerMarksACopy},
		{"leaves a withdrawn job alone", printerLeavesWithdrawn},
		{"refuses without paper", printerRefusesWithoutPaper},
		{"refuses with its cover open", printerRefusesOpen},
		{"goes on with new paper", printerGoesOn},
		{"knows where its receipt is", printerKnowsItsReceipt},
		{"is gone without its plug and works with it", printerIsGoneWithoutItsPlug},
		{"is healed after a program that was killed", printerIsHealed},
	}
}

const (
	printerTime = 2 * time.Minute  // for a person, and for a printer that has to be healed
	printerSoon = 10 * time.Second // for a driver to see what hands have done
)

// runningPrinter is a driver at work.
type runningPrinter struct {
	*printer.Printer
	rig   *PrinterRig
	port  PrinterPort
	end   context.CancelFunc
	ended chan error
	once  sync.Once
	err   error
}

// start opens the line and runs a driver on it until the case ends or stop is called.
func (r *PrinterRig) start(t *testing.T, opts printer.Opts) *runningPrinter {
	t.Helper()
	port, err := r.Open()
	if err != nil {
		t.Fatalf("cannot open the line: %v", err)
	}
	opts.Baud = r.Baud
	ctx, cancel := context.WithCancel(context.Background())
	p := &runningPrinter{Printer: printer.New(port, r.Profile, &opts), rig: r, port: port, end: cancel, ended: make(chan error, 1)}
	go func() { p.ended <- p.Run(ctx) }()
	t.Cleanup(func() { p.stop() })
	p.await(t, "", printerTime)
	return p
}

// stop ends the driver, as at the end of the program, and gives its error.
func (p *runningPrinter) stop() error {
	p.once.Do(func() {
		p.end()
		p.err = <-p.ended
		p.port.Close()
	})
	return p.err
}

// await waits until the printer is ready, or not ready for that reason.
func (p *runningPrinter) await(t *testing.T, want printer.Reason, atMost time.Duration) {
	t.Helper()
	var last error
	for until := time.Now().Add(atMost); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		last = p.Ready()
		fault, is := errors.AsType[*printer.Fault](last)
		if !is && want == "" || is && fault.Reason == want {
			return
		}
	}
	t.Fatalf("ready: %v, want %q", last, want)
}

func (r *PrinterRig) do(t *testing.T, action string) {
	t.Helper()
	if err := r.Hands.Do(action); err != nil {
		t.Fatal(err)
	}
}

// speaks says whether the printer answers at all.
func (r *PrinterRig) speaks() bool { return len(r.Profile.Status.Polls) > 0 }

// best is how a job ends when nothing is wrong.
func (r *PrinterRig) best() printer.State {
	if r.Profile.Confirm.Method == printer.ConfirmNone {
		return printer.Sent
	}
	return printer.Printed
}

// receipt is a document whose every line is like no other.
func receipt(id string, lines int) *printer.Document {
	d := &printer.Document{}
	for i := range lines {
		d.Blocks = append(d.Blocks, printer.Text{Text: fmt.Sprintf("第 %d 行，回执 %s。", i+1, id)})
	}
	return d
}

func (p *runningPrinter) print(t *testing.T, doc *printer.Document) printer.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), printerTime)
	defer cancel()
	return p.Print(ctx, printer.Job{Doc: doc}, nil)
}

func wantOutcome(t *testing.T, got printer.Outcome, state printer.State, reason printer.Reason) {
	t.Helper()
	if got.State != state || got.Reason != reason {
		t.Fatalf("outcome %+v, want %s (%s)", got, state, reason)
	}
}

// wantPaper compares what came onto the paper since before with the lines of documents, where paper can be read. A printer that
// confirms nothing may still be at it.
func (r *PrinterRig) wantPaper(t *testing.T, before []string, docs ...*printer.Document) {
	t.Helper()
	var want []string
	for _, d := range docs {
		want = append(want, printer.Lines(d, r.Profile)...)
	}
	var got []string
	for until := time.Now().Add(printerSoon); ; time.Sleep(20 * time.Millisecond) {
		all, known := r.Paper()
		if !known {
			return
		}
		if got = all[len(before):]; slices.Equal(got, want) {
			return
		}
		if time.Now().After(until) {
			break
		}
	}
	t.Errorf("on paper:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
}

func printerPrints(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	before, _ := r.Paper()
	out := p.print(t, receipt("a", 12))
	wantOutcome(t, out, r.best(), "")
	if out.Bytes == 0 || out.Held {
		t.Errorf("outcome %+v", out)
	}
	r.wantPaper(t, before, receipt("a", 12))
	if s := p.Status(); r.speaks() && (!s.Online || s.Paper == "out" || s.Cover == "open" || s.At.IsZero()) {
		t.Errorf("it has printed and says %+v", s)
	}
	if p.Unfinished() {
		t.Error("a part of a printed job is said to be left")
	}
}

func printerPrintsInOrder(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	before, _ := r.Paper()
	var jobs sync.WaitGroup
	for _, id := range []string{"a", "b", "c"} {
		begun := make(chan bool, 1)
		jobs.Go(func() {
			out := p.Print(t.Context(), printer.Job{Doc: receipt(id, 3)}, func(printer.Progress) {
				select {
				case begun <- true:
				default:
				}
			})
			if out.State != r.best() {
				t.Errorf("job %s: %+v", id, out)
			}
		})
		<-begun // before the next is queued
	}
	jobs.Wait()
	r.wantPaper(t, before, receipt("a", 3), receipt("b", 3), receipt("c", 3))
}

func printerMarksACopy(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	before, _ := r.Paper()
	wantOutcome(t, p.Print(t.Context(), printer.Job{Copy: 2, Doc: receipt("a", 2)}, nil), r.best(), "")
	mark := &printer.Document{Blocks: []printer.Block{printer.Text{Text: "【补打 2】", Align: printer.Center}}}
	r.wantPaper(t, before, mark, receipt("a", 2))
}

func printerLeavesWithdrawn(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	before, _ := r.Paper()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	out := p.Print(ended, printer.Job{Doc: receipt("a", 2)}, nil)
	wantOutcome(t, out, printer.Failed, printer.Cancelled)
	if out.Bytes != 0 {
		t.Errorf("%d bytes of it were sent", out.Bytes)
	}
	wantOutcome(t, p.print(t, receipt("b", 2)), r.best(), "")
	r.wantPaper(t, before, receipt("b", 2))
}

func printerRefusesWithoutPaper(t *testing.T, r *PrinterRig) {
	r.refuses(t, "take paper out", "load paper", printer.PaperOut)
}

func printerRefusesOpen(t *testing.T, r *PrinterRig) {
	r.refuses(t, "open cover", "close cover", printer.CoverOpen)
}

// refuses shows that a fault is known, that no job begins with it, and that its end is known, too.
func (r *PrinterRig) refuses(t *testing.T, fault, remedy string, reason printer.Reason) {
	t.Helper()
	if !r.speaks() {
		return // nothing is promised of one that cannot tell
	}
	p := r.start(t, printer.Opts{})
	before, _ := r.Paper()
	r.do(t, fault)
	p.await(t, reason, printerSoon)
	out := p.print(t, receipt("a", 2))
	wantOutcome(t, out, printer.Failed, reason)
	if out.Bytes != 0 {
		t.Errorf("%d bytes were sent to a printer that cannot print", out.Bytes)
	}
	r.do(t, remedy)
	p.await(t, "", printerSoon)
	wantOutcome(t, p.print(t, receipt("b", 2)), printer.Printed, "")
	r.wantPaper(t, before, receipt("b", 2))
}

// printerGoesOn: the paper goes in the middle of a job, and with new paper the rest comes out and is confirmed, nothing twice.
func printerGoesOn(t *testing.T, r *PrinterRig) {
	if !r.speaks() {
		return
	}
	p := r.start(t, printer.Opts{FaultWait: printerTime})
	before, _ := r.Paper()
	waits, out := make(chan bool, 1), make(chan printer.Outcome, 1)
	half := make(chan bool, 1)
	go func() {
		out <- p.Print(t.Context(), printer.Job{Doc: receipt("a", 60)}, func(g printer.Progress) {
			for said, is := range map[chan bool]bool{half: true, waits: g.Waiting == printer.PaperOut} {
				if is {
					select {
					case said <- true:
					default:
					}
				}
			}
		})
	}()
	<-half
	r.do(t, "take paper out")
	select {
	case <-waits:
	case o := <-out:
		t.Fatalf("it was to wait for paper: %+v", o)
	}
	r.do(t, "load paper")
	wantOutcome(t, <-out, printer.Printed, "")
	r.wantPaper(t, before, receipt("a", 60))
}

// printerKnowsItsReceipt: of a model that sees its output, it is told that the receipt is there, and that it was taken.
func printerKnowsItsReceipt(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	told := make(chan printer.Presence, 10)
	out := p.Print(t.Context(), printer.Job{Doc: receipt("a", 3), OnPresence: func(w printer.Presence) { told <- w }}, nil)
	wantOutcome(t, out, r.best(), "")
	want := []printer.Presence{printer.Present, printer.Taken}
	if p.Status().Presenter == printer.PresenceUnknown {
		want = nil
	}
	for i, w := range want {
		if i == 1 {
			r.do(t, "take receipt")
		}
		select {
		case got := <-told:
			if got != w {
				t.Fatalf("told %s, want %s", got, w)
			}
		case <-time.After(printerSoon):
			t.Fatalf("nothing told, want %s", w)
		}
	}
	if len(told) > 0 {
		t.Errorf("told also %s", <-told)
	}
}

func printerIsGoneWithoutItsPlug(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	r.do(t, "unplug")
	select {
	case err := <-p.ended:
		p.ended <- err
		if !errors.Is(err, printer.ErrGone) {
			t.Fatalf("the plug is out, and the driver ended with %v", err)
		}
	case <-time.After(printerSoon):
		t.Fatal("the plug is out, and the driver has not seen it")
	}
	if err := p.Ready(); !errors.Is(err, printer.ErrGone) || errors.Is(err, printer.ErrSilent) {
		t.Errorf("ready: %v", err)
	}
	wantOutcome(t, p.print(t, receipt("x", 1)), printer.Failed, printer.Gone)
	p.stop()
	r.do(t, "replug")
	for until := time.Now().Add(printerSoon); ; time.Sleep(100 * time.Millisecond) {
		port, err := r.Open()
		if err == nil {
			port.Close()
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the plug is in again, but: %v", err)
		}
	}
	before, _ := r.Paper()
	again := r.start(t, printer.Opts{})
	wantOutcome(t, again.print(t, receipt("b", 3)), r.best(), "")
	r.wantPaper(t, before, receipt("b", 3))
}

// printerIsHealed: whatever a program that was killed left in the printer, the next receipt is whole and alone, and nothing of the old
// job is on it.
func printerIsHealed(t *testing.T, r *PrinterRig) {
	p := r.start(t, printer.Opts{})
	begun, out := make(chan bool, 1), make(chan printer.Outcome, 1)
	go func() {
		out <- p.Print(t.Context(), printer.Job{Doc: receipt("a", 60)}, func(printer.Progress) {
			select {
			case begun <- true:
			default:
			}
		})
	}()
	<-begun
	p.stop()
	if o := <-out; o.State == printer.Printed || o.State == printer.Sent {
		t.Fatalf("its program was killed: %+v", o)
	}
	again := r.start(t, printer.Opts{Unfinished: p.Unfinished()})
	wantOutcome(t, again.print(t, receipt("b", 4)), r.best(), "")
	want := printer.Lines(receipt("b", 4), r.Profile)
	for until := time.Now().Add(printerSoon); ; time.Sleep(20 * time.Millisecond) {
		all, known := r.Paper()
		if !known || len(all) >= 4 && slices.Equal(all[len(all)-4:], want) {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("the last lines on paper are %q", all[max(len(all)-4, 0):])
		}
	}
}
