package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/buttons"
	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/upstream"
)

// played is a bench that runs, with its page served.
type played struct {
	*testing.T
	bench *Bench
	url   string
	stop  func()
}

func play(t *testing.T) played {
	t.Helper()
	b, err := New(Options{Dir: t.TempDir(), Role: "kiosk", Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	server := httptest.NewServer(b.Handler())
	p := played{t, b, server.URL, sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		server.Close()
	})}
	t.Cleanup(p.stop)
	return p
}

// do sends a request and returns the status and the body.
func (p played) do(method, path, body string) (int, string) {
	p.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.Context(), method, p.url+path, content)
	if err != nil {
		p.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// must is do for what has to work, the answer decoded.
func (p played) must(method, path, body string, into any) {
	p.Helper()
	status, text := p.do(method, path, body)
	if status >= 300 {
		p.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		p.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

// eventually waits for a condition that another goroutine brings about.
func (p played) eventually(what string, is func() bool) {
	p.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("never: %s", what)
		}
	}
}

func (p played) openReader() *serialport.Port {
	p.Helper()
	port, err := serialport.Open(serialport.Config{Path: p.bench.ReaderPath(), Baud: 115200})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { port.Close() })
	return port
}

// readOne reads the card that lies on the reader, by the real driver over the real pseudo-terminal.
func (p played) readOne() (idcard.Card, error) {
	port := p.openReader()
	defer port.Close()
	ctx, cancel := context.WithTimeout(p.Context(), 15*time.Second)
	defer cancel()
	return idcard.New(port, nil).ReadCard(ctx, nil)
}

func TestLaidCardIsReadByTheDriver(t *testing.T) {
	p := play(t)
	for _, c := range []struct{ body, name, number string }{
		{`{"kind":"resident","name":"张三","number":"11010519491231002X"}`, "张三", "11010519491231002X"},
		{`{"kind":"hmt_J"}`, "李四", "81000019900109008X"},
		{`{"kind":"foreign_I"}`, "例简", "KAZ110090123105"},
		{`{"kind":"foreign2023"}`, "例约翰", "932682198501010017"},
	} {
		var laid readerView
		p.must("PUT", "/bench/api/reader/card", c.body, &laid)
		got, err := p.readOne()
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		if got != *laid.Card || got.Name != c.name || got.Number != c.number {
			t.Errorf("%s: read %v, laid %v", c.body, got, *laid.Card)
		}
		if got.Expired(time.Now()) {
			t.Errorf("%s: the card has expired", c.body)
		}
		p.must("DELETE", "/bench/api/reader/card", "", &laid)
		if laid.Present || laid.Card != nil {
			t.Errorf("%s: the card still lies there after DELETE", c.body)
		}
	}
}

func TestReaderUnpluggedAndBack(t *testing.T) {
	p := play(t)
	p.must("PUT", "/bench/api/reader/card", `{}`, nil)
	port := p.openReader()
	var f map[string]string
	p.must("PUT", "/bench/api/reader/fault", `{"fault":"unplugged"}`, &f)
	if f["fault"] != "unplugged" {
		t.Errorf("answer %v", f)
	}
	if _, err := port.Read(make([]byte, 1)); !errors.Is(err, serialport.ErrGone) {
		t.Errorf("an open driver reads %v, want ErrGone", err)
	}
	if _, err := os.Stat(p.bench.ReaderPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
	port.Close()
	p.must("PUT", "/bench/api/reader/fault", `{"fault":"none"}`, &f)
	if c, err := p.readOne(); err != nil || c.Name != "张三" {
		t.Errorf("after plugging in again: %v, %v", c, err)
	}
}

func TestReaderFaults(t *testing.T) {
	p := play(t)
	for _, want := range []string{"silent", "halfFrame", "noise", "badChecksum", "slow", "unplugged", "none"} {
		p.must("PUT", "/bench/api/reader/fault", fmt.Sprintf(`{"fault":%q}`, want), nil)
		var got map[string]string
		if p.must("GET", "/bench/api/reader/fault", "", &got); got["fault"] != want {
			t.Errorf("set %s, got %s", want, got["fault"])
		}
	}
}

// print prints a document by the real driver over the real pseudo-terminal.
func (p played) print(doc *printer.Document, progress func(printer.Progress)) printer.Outcome {
	p.Helper()
	port, err := serialport.Open(serialport.Config{Path: p.bench.PrinterPath(), Baud: 115200})
	if err != nil {
		p.Fatal(err)
	}
	defer port.Close()
	profile, err := printer.ByName(p.bench.PrinterProfile())
	if err != nil {
		p.Fatal(err)
	}
	dev := printer.New(port, profile, nil)
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); _ = dev.Run(ctx) }() // the outcome says all
	p.eventually("printer online", func() bool { return dev.Ready() == nil })
	out := dev.Print(ctx, printer.Job{ID: "J-1", Doc: doc}, progress)
	cancel()
	<-done
	return out
}

func receipt() *printer.Document {
	return &printer.Document{Blocks: []printer.Block{
		printer.Text{Text: "受理回执", Align: printer.Center, Size: 2},
		printer.Row{Left: "申请人", Right: "张*三"},
		printer.Rule{},
		printer.QR{Data: "https://example.invalid/q/1"},
	}}
}

func TestReceiptComesOut(t *testing.T) {
	p := play(t)
	if out := p.print(receipt(), nil); out.State != printer.Printed {
		t.Fatalf("outcome %+v", out)
	}
	var got printerView
	p.must("GET", "/bench/api/printer", "", &got)
	if len(got.Receipts) != 1 || got.Receipts[0].Taken || got.Receipts[0].Partial {
		t.Fatalf("receipts %+v", got.Receipts)
	}
	r := got.Receipts[0]
	profile, err := printer.ByName(p.bench.PrinterProfile())
	if err != nil {
		t.Fatal(err)
	}
	if want := printer.Lines(receipt(), profile); !slices.Equal(trimmed(r.Lines), trimmed(want)) {
		t.Errorf("paper reads\n%s\nwant\n%s", strings.Join(r.Lines, "\n"), strings.Join(want, "\n"))
	}
	status, picture := p.do("GET", "/bench/api/printer/receipts/"+r.ID+".png", "")
	if status != http.StatusOK {
		t.Fatalf("picture: %d %s", status, picture)
	}
	size, err := png.DecodeConfig(strings.NewReader(picture))
	if err != nil || size.Width < 576 {
		t.Errorf("picture is %dx%d, %v", size.Width, size.Height, err)
	}
	p.must("PUT", "/bench/api/printer/receipts/"+r.ID, `{"taken":true}`, &r)
	if !r.Taken {
		t.Error("not taken after it was torn off")
	}
	if status, text := p.do("PUT", "/bench/api/printer/receipts/"+r.ID, `{"taken":false}`); status != http.StatusConflict {
		t.Errorf("a receipt was put back: %d %s", status, text)
	}
}

// trimmed is lines without the spaces at their ends, and without empty ones at the end of the paper.
func trimmed(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimRight(l, " ")
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func TestPaperEndsInTheMiddle(t *testing.T) {
	p := play(t)
	p.must("PUT", "/bench/api/printer", `{"paperLines":2}`, nil)
	waited := make(chan struct{}, 16)
	outcome := make(chan printer.Outcome, 1)
	go func() {
		outcome <- p.print(receipt(), func(g printer.Progress) {
			if g.Waiting != "" {
				waited <- struct{}{}
			}
		})
	}()
	<-waited
	var got printerView
	if p.must("GET", "/bench/api/printer", "", &got); got.Paper != "out" {
		t.Errorf("paper is %q while the driver waits for it", got.Paper)
	}
	p.must("PUT", "/bench/api/printer", `{"paper":"full"}`, nil)
	if out := <-outcome; out.State != printer.Printed {
		t.Errorf("outcome %+v", out)
	}
}

func TestWholePrinterGoesRoundTrip(t *testing.T) {
	p := play(t)
	if out := p.print(receipt(), nil); out.State != printer.Printed {
		t.Fatalf("outcome %+v", out)
	}
	_, before := p.do("GET", "/bench/api/printer", "")
	changed := strings.NewReplacer(`"taken":false`, `"taken":true`, `"cover":"closed"`, `"cover":"open"`).Replace(before)
	var after printerView
	p.must("PUT", "/bench/api/printer", changed, &after)
	if after.Cover != "open" || !after.Receipts[0].Taken {
		t.Errorf("after PUT: %+v", after)
	}
	if status, text := p.do("PUT", "/bench/api/printer", `{"cover":"closed","cutter":"bent"}`); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, text)
	}
	if p.must("GET", "/bench/api/printer", "", &after); after.Cover != "open" {
		t.Error("a refused request changed the cover")
	}
}

func TestPrinterUnpluggedAndBack(t *testing.T) {
	p := play(t)
	var got printerView
	if p.must("PUT", "/bench/api/printer", `{"fault":"unplugged"}`, &got); got.Fault != "unplugged" {
		t.Errorf("fault %q", got.Fault)
	}
	if _, err := os.Stat(p.bench.PrinterPath()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
	if p.must("PUT", "/bench/api/printer", `{"fault":"none"}`, &got); got.Fault != "none" {
		t.Errorf("fault %q", got.Fault)
	}
	if out := p.print(receipt(), nil); out.State != printer.Printed {
		t.Errorf("after plugging in again: %+v", out)
	}
}

func TestPressesArriveOnce(t *testing.T) {
	p := play(t)
	presses := make(chan int, 16)
	watched := make(chan buttons.Health, 16)
	pad := buttons.New(p.bench.Lines(), &buttons.Opts{OnPress: func(b buttons.Press) { presses <- b.Line }, OnHealth: func(h buttons.Health) { watched <- h }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = pad.Run(ctx) }()
	defer func() { cancel(); <-done }()
	<-watched // a press counts from now on
	for _, n := range []int{5, 1, 3} {
		p.must("POST", fmt.Sprintf("/bench/api/buttons/%d/press", n), `{"ms":400,"bounces":6}`, nil)
		select {
		case got := <-presses:
			if got != n {
				t.Errorf("pressed %d, heard %d", n, got)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("pressed %d, heard nothing", n)
		}
		p.eventually("all released", func() bool {
			levels, err := p.bench.Lines().Levels()
			return err == nil && levels == 0
		})
		time.Sleep(400 * time.Millisecond) // a finger moves to the next button; the pad must have seen all of them released
	}
	select {
	case n := <-presses:
		t.Errorf("heard a press of %d that nobody made", n)
	default:
	}
}

func TestButtonHeldDownCannotBePressed(t *testing.T) {
	p := play(t)
	p.must("POST", "/bench/api/buttons/4/press", `{"ms":60000,"bounces":0}`, nil)
	if status, text := p.do("POST", "/bench/api/buttons/4/press", ""); status != http.StatusConflict {
		t.Errorf("%d %s", status, text)
	}
	var got buttonsView
	p.must("PUT", "/bench/api/buttons/fault", `{"fault":"unplugged"}`, nil)
	if p.must("GET", "/bench/api/buttons", "", &got); got.Fault != "unplugged" {
		t.Errorf("fault %q", got.Fault)
	}
	if _, err := p.bench.OpenLines(); err == nil {
		t.Error("unplugged buttons can be opened")
	}
	p.must("PUT", "/bench/api/buttons/fault", `{"fault":"none"}`, nil)
	if p.must("GET", "/bench/api/buttons", "", &got); got.Fault != "none" || !got.Buttons[1].Down {
		t.Errorf("after plugging in again: %+v", got)
	}
}

func TestLampsAreSeen(t *testing.T) {
	p := play(t)
	if err := p.bench.Lamps()[4].Set(true); err != nil {
		t.Fatal(err)
	}
	var got struct{ Lamps []lampView }
	p.must("GET", "/bench/api/lamps", "", &got)
	if want := []lampView{{5, true}, {4, false}, {3, false}, {2, false}, {1, false}}; !slices.Equal(got.Lamps, want) {
		t.Errorf("lamps %v, want %v", got.Lamps, want)
	}
}

// live posts a sign of life to the platform, as a machine does that has nothing to tell.
func (p played) live() (int, error) {
	var body bytes.Buffer
	z := newGzip(&body)
	err := json.NewEncoder(z).Encode(upstream.Batch{Machine: "TEST01", Epoch: strings.Repeat("e", 32), Oldest: 1, Facts: []upstream.Fact{}})
	if err := errors.Join(err, z.Close()); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(p.Context(), 500*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", p.bench.PlatformURL()+"/v1/facts", &body)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

func TestPlatformFaults(t *testing.T) {
	p := play(t)
	for _, c := range []struct {
		fault  string
		status int // 0: no answer
	}{{"none", 200}, {"down", 0}, {"http500", 500}, {"slow", 0}, {"acceptThenDrop", 0}, {"none", 200}} {
		p.must("PUT", "/bench/api/platform/fault", fmt.Sprintf(`{"fault":%q}`, c.fault), nil)
		status, err := p.live()
		if status != c.status || (err == nil) != (c.status != 0) {
			t.Errorf("%s: %d, %v; want %d", c.fault, status, err, c.status)
		}
	}
	_, text := p.do("GET", "/bench/api/platform/records", "")
	if want := `{"fault":"none","count":0,"duplicates":0,"problems":[],"records":[]}` + "\n"; text != want {
		t.Errorf("records %s, want %s", text, want)
	}
}

func TestEventsBeginWithEverything(t *testing.T) {
	p := play(t)
	resp, err := http.Get(p.url + "/bench/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 1<<20)
	next := func() (event, data string) {
		for in.Scan() {
			if e, ok := strings.CutPrefix(in.Text(), "event: "); ok {
				event = e
			}
			if d, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				return event, d
			}
		}
		return "end", ""
	}
	event, data := next()
	var all stateView
	if err := json.Unmarshal([]byte(data), &all); event != "state" || err != nil || all.Role != "kiosk" || len(all.People) != 6 {
		t.Fatalf("first event %q, %v: %s", event, err, data)
	}
	p.must("PUT", "/bench/api/reader/card", `{"name":"例一"}`, nil)
	if event, data := next(); event != "reader" || !strings.Contains(data, "例一") {
		t.Errorf("after a card was laid: %q %s", event, data)
	}
	if err := p.bench.Lamps()[0].Set(true); err != nil {
		t.Fatal(err)
	}
	if event, data := next(); event != "lamps" || !strings.Contains(data, `{"n":1,"on":true}`) {
		t.Errorf("after a lamp was lit: %q %s", event, data)
	}
	p.must("PUT", "/bench/api/platform/fault", `{"fault":"down"}`, nil)
	if event, data := next(); event != "platform" || !strings.Contains(data, `"fault":"down"`) {
		t.Errorf("after the platform went down: %q %s", event, data)
	}
	go p.stop()
	for event != "end" {
		event, _ = next()
	}
}
