package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/journal"
)

// running starts what runs until the test ends, and waits for it then.
func running(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("Run did not return after its context ended")
		}
	})
}

// changes collects health so that a test can wait for a state instead of for a time.
type changes struct {
	kick chan struct{}
}

func newBoard() (*Board, *changes) {
	c := &changes{kick: make(chan struct{}, 1)}
	return NewBoard(slog.New(slog.DiscardHandler), func(Health) {
		select {
		case c.kick <- struct{}{}:
		default:
		}
	}), c
}

// await waits until a device has a state and tells how long that took.
func (c *changes) await(t *testing.T, b *Board, device string, want State) time.Duration {
	t.Helper()
	begun := time.Now()
	for b.Health(device).State != want {
		select {
		case <-c.kick:
		case <-time.After(15 * time.Second):
			t.Fatalf("%s is %+v, want %s", device, b.Health(device), want)
		}
	}
	return time.Since(begun)
}

func card() idcard.Card {
	return idcard.Card{Kind: "resident", Name: "张三", Sex: "男", Nation: "汉", Birth: "19491231", Address: "示例路1号", Number: "11010519491231002X",
		Authority: "示例公安局", ValidFrom: "20200101", Permanent: true}
}

func TestReader(t *testing.T) {
	link, err := serialport.OpenPtyLink(filepath.Join(t.TempDir(), "reader"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	sim := idcard.NewSim(&idcard.SimOpts{CardTime: time.Millisecond})
	running(t, func(ctx context.Context) error { return sim.Serve(ctx, link) })
	board, change := newBoard()
	r := NewReader(serialport.Config{Path: link.Path(), Baud: 115200}, board)
	if _, err := r.ReadCard(t.Context(), nil); classOf(err) != idcard.ClassGone {
		t.Errorf("a reader that does not run: %v, want class gone", err)
	}
	running(t, r.Run)
	change.await(t, board, "reader", Online)

	if err := sim.Lay(card()); err != nil {
		t.Fatal(err)
	}
	got, err := r.ReadCard(t.Context(), func() {})
	if err != nil || got.Name != "张三" {
		t.Fatalf("read %v, %v", got, err)
	}
	sim.Remove()

	// A visitor who leaves ends the waiting at once, and the next one is served.
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { _, err := r.ReadCard(ctx, func() {}); ended <- err }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled read ended with %v", err)
	}

	// The plug is pulled while a card is waited for.
	go func() { _, err := r.ReadCard(t.Context(), func() {}); ended <- err }()
	if err := link.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; classOf(err) != idcard.ClassGone {
		t.Errorf("the plug was pulled in a read: %v, want class gone", err)
	}
	change.await(t, board, "reader", Offline)
	if err := link.Replug(); err != nil {
		t.Fatal(err)
	}
	change.await(t, board, "reader", Online)
}

func classOf(err error) idcard.Class {
	var e *idcard.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ""
}

func TestPrinter(t *testing.T) {
	dir := t.TempDir()
	link, err := serialport.OpenPtyLink(filepath.Join(dir, "printer"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	profile, err := printer.ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	sim := printer.NewSim(profile, &printer.SimOpts{Speed: -1})
	running(t, func(ctx context.Context) error { return sim.Serve(ctx, link) })
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal.db"), journal.Options{Machine: "TEST01"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	board, change := newBoard()
	p := NewPrinter(serialport.Config{Path: link.Path(), Baud: 115200}, profile, j, false, board)
	job := Job{Kind: "receipt", Subject: "L1", Compose: func(id string, copy int) *printer.Document {
		return &printer.Document{Blocks: []printer.Block{printer.Text{Text: "受理回执 " + id}}}
	}}
	if out := p.Print(t.Context(), job, nil); out.State != printer.Failed || out.Reason != printer.Gone {
		t.Errorf("without a printer the job is %+v", out)
	}
	running(t, p.Run)
	change.await(t, board, "printer", Online)
	if out := p.Print(t.Context(), job, nil); out.State != printer.Printed {
		t.Fatalf("the job is %+v, want printed", out)
	}
	if n := len(sim.Receipts()); n != 1 {
		t.Errorf("%d papers came out", n)
	}
	for id, want := range map[string]journal.PrintState{"000001": journal.PrintFailed, "000002": journal.PrintPrinted} {
		row, err := j.PrintJob(t.Context(), id)
		if err != nil || row.State != want {
			t.Errorf("job %s is %+v (%v), want %s", id, row, err, want)
		}
	}
	if row, err := j.PrintJob(t.Context(), "000002"); err != nil || row.Copy != 1 {
		t.Errorf("after a job of which nothing was printed comes copy %d (%v), want 1", row.Copy, err)
	}
}

func TestButtons(t *testing.T) {
	lines := buttons.NewSimLines()
	board, change := newBoard()
	pressed := make(chan int, 4)
	b := NewButtons(lines.Open, board, func(level int) { pressed <- level })
	aside := make(chan []int, 64)
	b.OnAside = func(levels []int) { aside <- levels }
	running(t, b.Run)
	change.await(t, board, "buttons", Online)
	lines.Press(4, 300*time.Millisecond, 5)
	if got := <-pressed; got != 4 {
		t.Errorf("pressed %d, want 4", got)
	}
	lines.Unplug()
	change.await(t, board, "buttons", Offline)
	lines.Replug()
	change.await(t, board, "buttons", Online)
	if len(pressed) != 0 {
		t.Errorf("pulling the buttons' plug rated %d", <-pressed)
	}
	var said []string
	for len(aside) > 0 {
		if now := fmt.Sprint(<-aside); len(said) == 0 || said[len(said)-1] != now {
			said = append(said, now)
		}
	}
	if want := []string{"[]", "[1 2 3 4 5]", "[]"}; !slices.Equal(said, want) {
		t.Errorf("cannot be pressed: %q, want %q", said, want)
	}
	lines.Press(2, 5*time.Second, 4500) // a loose wire
	change.await(t, board, "buttons", HardwareError)
	if levels := <-aside; !slices.Equal(levels, []int{2}) {
		t.Errorf("set aside: %v, want the one that chatters", levels)
	}
}
