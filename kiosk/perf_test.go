package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/kiosk/visit"
	"yuanban/kiosk/window"
	"yuanban/ui"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// These benchmarks follow the ways through the program that a person waits for, each beside its floor: what the same machine needs
// for the part that no program can avoid, measured in the same run. Only ratios are worth comparing between machines.
//
//	go test -run '^$' -bench 'BenchmarkPress|BenchmarkCard|BenchmarkStart|BenchmarkMemory' ./kiosk

// percentile of durations, 0 to 100.
func percentile(all []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)*p/100]
}

func report(b *testing.B, name string, all []time.Duration, percentiles ...int) {
	b.Helper()
	for _, p := range percentiles {
		b.ReportMetric(float64(percentile(all, p).Nanoseconds())/1e3, fmt.Sprintf("%s-p%d-µs", name, p))
	}
}

func ratio(b *testing.B, ours, floor []time.Duration, name string) {
	b.Helper()
	b.ReportMetric(float64(percentile(ours, 50))/float64(percentile(floor, 50)), name)
}

// books is what both flows keep their facts in.
type books struct {
	content *catalogue.Catalogue
	pinyin  *pinyin.Dictionary
	journal *journal.Journal
	ratings *evaluation.Book
	quiet   *slog.Logger
}

func openBooks(b *testing.B, dir string) books {
	b.Helper()
	content, err := catalogue.Load(catalogue.Example())
	must(b, err)
	dictionary, err := pinyin.Load()
	must(b, err)
	j, err := journal.Open(b.Context(), filepath.Join(dir, "journal.db"), journal.Options{Machine: "PERF01"})
	must(b, err)
	b.Cleanup(func() { j.Close() })
	reasons, err := evaluation.LoadReasons(strings.NewReader(string(content.Reasons.Raw)), content.Reasons.Version)
	must(b, err)
	quiet := slog.New(slog.DiscardHandler)
	return books{content, dictionary, j, evaluation.New(j, reasons, evaluation.Options{Log: quiet}), quiet}
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// running starts what runs until the benchmark ends.
func running(b *testing.B, run func(ctx context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

// BenchmarkPress is a press of a rating button until the display has the next screen: the flow, the commit of the grade, the screen
// drawn and sent over the websocket. Its floor is one 4 KiB append with fdatasync in the same folder and one echo over a bare
// websocket.
func BenchmarkPress(b *testing.B) {
	dir := b.TempDir()
	k := openBooks(b, dir)
	screen, display := openScreen(b)
	flow := window.New(window.Options{
		Show: screen.Show, OnEvent: func(window.Event) {}, Buttons: func() bool { return true },
		Box: view.Box{Width: 1280, Height: 800}, Words: wording.Default(), Catalogue: k.content, Pinyin: k.pinyin, Ratings: k.ratings,
		Window: "3", Staff: "chen", Invite: time.Minute, Reasons: time.Minute, Log: k.quiet,
	})
	running(b, flow.Run)
	flow.Display(true)
	frames := follow(b, display)
	sync4K, echo := newSync(b, dir), newEcho(b)
	var ours, floor []time.Duration
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		floor = append(floor, sync4K()+echo())
		_, err := flow.Invite(b.Context(), window.Invitation{Case: strconv.Itoa(n), Stage: "acceptance", Service: 1})
		must(b, err)
		await(b, frames, "rating")
		b.StartTimer()
		start := time.Now()
		flow.Press(1 + n%5)
		ours = append(ours, await(b, frames, "reasons").Sub(start))
		b.StopTimer()
		flow.Act(view.Action{Do: "finish"})
		await(b, frames, "thanks")
		b.StartTimer()
	}
	report(b, "press", ours, 50, 99)
	report(b, "floor", floor, 50, 99)
	ratio(b, ours, floor, "x-floor")
}

// openScreen is a server of screens with one display connected.
func openScreen(b *testing.B) (*ui.Server, *websocket.Conn) {
	b.Helper()
	srv := httptest.NewUnstartedServer(nil)
	host := srv.Listener.Addr().String()
	screen, err := ui.New(ui.Options{Words: wording.Default(), Role: ui.RolePad, Hosts: []string{host}, Screen: ui.Screen{Width: 1280, Height: 800, Diagonal: 10.1}})
	must(b, err)
	srv.Config.Handler = screen.Handler()
	srv.Start()
	b.Cleanup(srv.Close)
	running(b, screen.Run)
	jar, err := cookiejar.New(nil)
	must(b, err)
	resp, err := (&http.Client{Jar: jar}).Get(srv.URL)
	must(b, err)
	resp.Body.Close()
	d := websocket.Dialer{Jar: jar}
	conn, _, err := d.Dial("ws://"+host+"/ui/ws", http.Header{"Origin": {srv.URL}})
	must(b, err)
	b.Cleanup(func() { conn.Close() })
	return screen, conn
}

// arrival is a screen at the display.
type arrival struct {
	screen string
	at     time.Time
}

// screenName finds the screen's name in a message without reading all of it, as a display would not have drawn yet either.
var screenName = regexp.MustCompile(`"screen":"([a-z]+)"`)

func follow(b *testing.B, conn *websocket.Conn) <-chan arrival {
	b.Helper()
	frames := make(chan arrival, 64)
	go func() {
		defer close(frames)
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			at := time.Now()
			if m := screenName.FindSubmatch(data); m != nil {
				frames <- arrival{string(m[1]), at}
			}
		}
	}()
	return frames
}

// await returns when a screen arrived.
func await(b *testing.B, frames <-chan arrival, screen string) time.Time {
	b.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case f, open := <-frames:
			if !open {
				b.Fatalf("the display was closed before %s", screen)
			}
			if f.screen == screen {
				return f.at
			}
		case <-late:
			b.Fatalf("the screen %s has not come within 10 s", screen)
		}
	}
}

// newSync returns one append of 4 KiB that is on the disk when it returns.
func newSync(b *testing.B, dir string) func() time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "floor"))
	must(b, err)
	b.Cleanup(func() { f.Close() })
	page := make([]byte, 4096)
	return func() time.Duration {
		start := time.Now()
		_, err := f.Write(page)
		must(b, err)
		must(b, syscall.Fdatasync(int(f.Fd())))
		return time.Since(start)
	}
}

// newEcho returns one round trip over a websocket without anything behind it.
func newEcho(b *testing.B) func() time.Duration {
	b.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, data) != nil {
				return
			}
		}
	}))
	b.Cleanup(srv.Close)
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	must(b, err)
	b.Cleanup(func() { conn.Close() })
	return func() time.Duration {
		start := time.Now()
		must(b, conn.WriteMessage(websocket.TextMessage, []byte(`{"do":"rate","level":"5"}`)))
		_, _, err := conn.ReadMessage()
		must(b, err)
		return time.Since(start)
	}
}

// cardFrame is the reader's answer with texts and photo: 7 bytes around it, 3 status, 4 lengths, 256 text, 1024 photo and the checksum.
const cardFrame = 1295

// BenchmarkCard is the time from the first byte of the reader's answer on a pty until the visit shows the person: serial port, driver,
// supervisor, flow. One floor is the same bytes through the same kind of port without anything behind it; the wire of a real reader
// needs 10 bits a byte at 115200 baud.
func BenchmarkCard(b *testing.B) {
	const wire = cardFrame * 10 * time.Second / 115200
	dir := b.TempDir()
	desk := openDesk(b, dir)
	raw := newRawPty(b, dir)
	var ours, floor []time.Duration
	for b.Loop() {
		for range 20 { // each waits up to 300 ms for the driver to ask for a card, which is not what is measured
			floor = append(floor, raw())
			must(b, desk.sim.Lay(idcard.Examples()[0]))
			shown := await(b, desk.shown, "identity")
			ours = append(ours, shown.Sub(desk.link.answered()))
			desk.sim.Remove()
			desk.flow.Act(view.Action{Do: "other"})
			await(b, desk.shown, "card")
		}
	}
	b.ReportMetric(0, "ns/op")
	report(b, "card", ours, 50, 99)
	report(b, "pty-floor", floor, 50, 99)
	ratio(b, ours, floor, "x-pty-floor")
	b.ReportMetric(float64(wire.Microseconds()), "wire-115200-µs")
	b.ReportMetric(100*float64(percentile(ours, 50))/float64(wire), "%-of-wire")
}

// desk is a visit that waits for a card.
type desk struct {
	sim   *idcard.Sim
	link  *tap
	flow  *visit.Flow
	shown chan arrival
}

// tap notes when the simulated reader begins to send a card.
type tap struct {
	*serialport.PtyLink
	mu sync.Mutex
	at time.Time
}

func (l *tap) Write(p []byte) (int, error) {
	if len(p) == cardFrame {
		l.mu.Lock()
		l.at = time.Now()
		l.mu.Unlock()
	}
	return l.PtyLink.Write(p)
}

func (l *tap) answered() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// noPrinter is a machine without a printer.
type noPrinter struct{}

func (noPrinter) Ready() error { return &printer.Fault{Reason: printer.Offline} }
func (noPrinter) Print(context.Context, station.Job, func(printer.Progress)) printer.Outcome {
	return printer.Outcome{State: printer.Failed, Reason: printer.Offline}
}

func openDesk(b *testing.B, dir string) *desk {
	b.Helper()
	k := openBooks(b, dir)
	link, err := serialport.OpenPtyLink(filepath.Join(dir, "reader"))
	must(b, err)
	b.Cleanup(func() { link.Close() })
	d := &desk{sim: idcard.NewSim(&idcard.SimOpts{CardTime: time.Nanosecond}), link: &tap{PtyLink: link}, shown: make(chan arrival, 256)}
	running(b, func(ctx context.Context) error {
		if err := d.sim.Serve(ctx, d.link); ctx.Err() == nil {
			return err
		}
		return nil
	})
	board := station.NewBoard(k.quiet, nil)
	reader := station.NewReader(serialport.Config{Path: link.Path(), Baud: 115200}, board)
	running(b, reader.Run)
	_, public, err := casefile.NewKey()
	must(b, err)
	sealer, err := casefile.NewSealer(public)
	must(b, err)
	china := time.FixedZone("CST", 8*3600)
	d.flow = visit.New(visit.Options{
		Show: func(v view.View) { d.shown <- arrival{v.Screen, time.Now()} },
		Box:  view.Box{Width: 1080, Height: 1920}, Machine: "PERF01", Words: wording.Default(), Catalogue: k.content, Pinyin: k.pinyin,
		Cases:   casefile.New(k.journal, casefile.Options{Sealer: sealer, Calendar: k.content.Calendar, PersonKey: make([]byte, 32), Location: china, Log: k.quiet}),
		Ratings: k.ratings, Reader: reader, Printer: noPrinter{}, Accepts: true, Places: visit.Places{Reader: "right", Printer: "below"},
		Idle:     visit.IdleTimes{First: time.Hour, Countdown: time.Hour, LargeFirst: time.Hour, LargeCountdown: time.Hour},
		Location: china, Log: k.quiet,
	})
	running(b, d.flow.Run)
	eventually(b, "the reader answers", reader.Online)
	for _, a := range []view.Action{{Do: "touch"}, {Do: "package", Args: map[string]string{"code": "P2"}},
		{Do: "toggle", Args: map[string]string{"item": "P2-03"}}, {Do: "apply"}} {
		d.flow.Act(a)
	}
	await(b, d.shown, "card")
	return d
}

// newRawPty returns the passage of a card frame through a pty into a port, and nothing else.
func newRawPty(b *testing.B, dir string) func() time.Duration {
	b.Helper()
	link, err := serialport.OpenPtyLink(filepath.Join(dir, "raw"))
	must(b, err)
	b.Cleanup(func() { link.Close() })
	port, err := serialport.Open(serialport.Config{Path: link.Path(), Baud: 115200})
	must(b, err)
	b.Cleanup(func() { port.Close() })
	frame, in := make([]byte, cardFrame), make([]byte, 4096)
	return func() time.Duration {
		start := time.Now()
		_, err := link.Write(frame)
		must(b, err)
		must(b, port.SetReadDeadline(start.Add(10*time.Second)))
		for got := 0; got < len(frame); {
			n, err := port.Read(in)
			must(b, err)
			got += n
		}
		return time.Since(start)
	}
}
