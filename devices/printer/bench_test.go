package printer

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"yuanban/devices/serialport"
)

// handMade is the acceptance receipt as a careful person would write it for this printer: no mode sent twice, no confirmation asked.
func handMade(t testing.TB, p *Profile) []byte {
	gb := func(s string) string {
		b, err := simplifiedchinese.GBK.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	row := func(left, right string) string {
		gap := strings.Repeat(" ", p.Columns-width(left)-width(right))
		if x := (p.Columns - width(right)) * 12; p.Position {
			gap = string([]byte{esc, '$', byte(x), byte(x >> 8)})
		}
		return gb(left) + gap + gb(right) + "\n"
	}
	hang := map[string]string{
		"epson80": "事项名称  企业设立登记（含外商投资企业）及公章刻\n\x1b$\x78\x00制备案“一件事一次办”\n",
		"kp628e":  "事项名称  企业设立登记（含外商投\n          资企业）及公章刻制备案\n          “一件事一次办”\n",
	}[p.Name]
	due := row("承诺办结", "2026-11-27（5 个工作日）")
	text := "您以告知承诺方式申请，材料已受理，正在上传。请妥\n善保管本回执；凭受理编号可在“办理进度”中查询，\n或拨打 12345（转园区）。\n"
	module, cut := "\x08", "\x1dVB\x00"
	if p.Name == "kp628e" {
		due = gb("承诺办结  2026-11-27（5 个工\n          作日）\n")
		text = "您以告知承诺方式申请，材料已受\n理，正在上传。请妥善保管本回执；\n凭受理编号可在“办理进度”中查\n询，或拨打 12345（转园区）。\n"
		module, cut = "\x06", "\x1bJ\x64\x1bm"
	}
	rule := gb(strings.Repeat("─", p.Columns/2)) + "\n"
	url := "https://yq.example.gov.cn/c/20261122-0142"
	return []byte("\x1b@\x1c&\x1b3\x22" +
		"\x1ba\x01" + gb("智汇产业园区政务服务中心") + "\n" +
		"\x1d!\x11\x1bE\x01" + gb("收件受理回执") + "\n\x1bJ\x0a" +
		"\x1ba\x00\x1d!\x00\x1bE\x00" + rule +
		"\x1bE\x01" + row("受理编号", "20261122-0142") + "\x1bE\x00" +
		gb(hang) + row("申请人", "张*三") + row("证件号码", "110105********002X") + row("申请单位", "91330106MA2XXXXX1Y") +
		row("联系电话", "138****1234") + row("受理时间", "2026-11-22 14:03") + due + row("收费", "￥0.00") + rule +
		gb(text) + "\n" +
		"\x1ba\x01\x1d(k\x03\x001C" + module + "\x1d(k\x03\x001E1\x1d(k" + string(rune(len(url)+3)) + "\x001P0" + url + "\x1d(k\x03\x001Q0" +
		"\x1bJ\x0c" + gb("扫码查看办理进度") + "\n\n" + gb("24 小时自助机 K-01 · 第 1 联") + "\n" + cut)
}

// clock is a line that notes when the last byte of a job was taken.
type clock struct {
	Conn deadliner
	mu   sync.Mutex
	tail [2]byte
	last time.Time
	baud int
}

// deadliner is a line with deadlines.
type deadliner interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func (c *clock) Write(b []byte) (int, error)        { return c.Conn.Write(b) }
func (c *clock) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(t) }
func (c *clock) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(t) }

func (c *clock) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range b[:n] {
		status := x == dle || c.tail[1] == dle && x == 0x04 || c.tail[0] == dle && c.tail[1] == 0x04 // requests are no part of the job
		c.tail = [2]byte{c.tail[1], x}
		if !status {
			c.last = time.Now()
			if c.baud > 0 { // the simulator lets their time pass after it has taken them
				c.last = c.last.Add(time.Duration(n) * 10 * time.Second / time.Duration(c.baud))
			}
		}
	}
	return n, err
}

// onTheWire prints the acceptance receipt over a net.Pipe and gives its bytes and the time from the first to the last of them.
func onTheWire(t testing.TB, p *Profile, baud int) (bytes int, took time.Duration) {
	host, far := net.Pipe()
	return overLine(t, p, baud, host, &clock{Conn: far, baud: baud})
}

// overAPty is onTheWire over a pseudo-terminal.
func overAPty(t testing.TB, p *Profile, baud int) (bytes int, took time.Duration) {
	pty, err := serialport.OpenPty()
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close()
	host, err := serialport.Open(serialport.Config{Path: pty.Path(), Baud: baud})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	return overLine(t, p, baud, host, &clock{Conn: pty.Master, baud: baud})
}

func overLine(t testing.TB, p *Profile, baud int, host Port, line *clock) (bytes int, took time.Duration) {
	sim := NewSim(p, &SimOpts{Baud: baud, Quick: true})
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	both.Go(func() { sim.Serve(ctx, line) })
	d := New(host, p, &Opts{Baud: baud})
	both.Go(func() { d.Run(ctx) })
	time.Sleep(3 * time.Second)
	var first time.Time
	out := d.Print(t.Context(), Job{Doc: acceptance()}, func(Progress) {
		if first.IsZero() {
			first = time.Now()
		}
	})
	cancel()
	both.Wait()
	if out.State != p.best() {
		t.Fatalf("%+v", out)
	}
	return out.Bytes, line.last.Sub(first)
}

// TestPace holds the time on the wire to 1.02 times ten bits a byte.
func TestPace(t *testing.T) {
	for name, p := range Profiles() {
		for _, baud := range []int{9600, 38400, 115200} {
			synctest.Test(t, func(t *testing.T) {
				n, took := onTheWire(t, p, baud)
				floor := time.Duration(n) * 10 * time.Second / time.Duration(baud)
				if p.Confirm.Method == ConfirmNone { // its small buffer is filled anew when the clock says that it is empty
					floor += paperTimeOf(t, p)
				}
				t.Logf("%s at %d baud: %d bytes in %v, floor %v", name, baud, n, took, floor)
				if took > floor*102/100 {
					t.Errorf("%s at %d baud: %v, floor %v", name, baud, took, floor)
				}
			})
		}
	}
}

// paperTimeOf is how long the paper of the acceptance receipt takes.
func paperTimeOf(t testing.TB, p *Profile) (took time.Duration) {
	cmds, err := Encode(acceptance(), p)
	if err != nil {
		t.Fatal(err)
	}
	r := newRuler(p)
	d := New(nil, p, nil)
	for _, c := range cmds {
		dots, _ := r.measure(c)
		took += d.paperTime(dots)
	}
	return took
}

// TestBytesOnTheWire holds the driver to 1.05 times the bytes of a hand-made stream, its questions to the printer included.
func TestBytesOnTheWire(t *testing.T) {
	for _, name := range []string{"epson80", "kp628e"} {
		p := profile(t, name)
		synctest.Test(t, func(t *testing.T) {
			hand := handMade(t, p)
			if err := sameLines(t, p, hand); err != "" {
				t.Errorf("%s: the hand-made stream is not the same receipt: %s", name, err)
			}
			n, _ := onTheWire(t, p, 0)
			ratio := float64(n) / float64(len(hand))
			t.Logf("%s: %d bytes, hand-made %d, ratio %.3f", name, n, len(hand), ratio)
			if ratio > 1.05 {
				t.Errorf("%s: ratio %.3f", name, ratio)
			}
		})
	}
}

func sameLines(t testing.TB, p *Profile, stream []byte) string {
	sim := NewSim(p, &SimOpts{Quick: true})
	sim.run(stream)
	want := strings.Join(Lines(acceptance(), p), "\n")
	if recs := sim.Receipts(); len(recs) != 1 || strings.Join(recs[0].Lines, "\n") != want {
		return strings.Join(recs[0].Lines, "\n")
	}
	return ""
}

// BenchmarkReceipt reports what an acceptance receipt costs on a tty at 9600 and 115200 baud: its bytes and their ratio to a hand-made
// stream, and its time and the ratio to the floor of ten bits a byte. Real time: the simulator takes bytes at the pace of the line.
func BenchmarkReceipt(b *testing.B) {
	for _, name := range []string{"epson80", "kp628e"} {
		for _, baud := range []int{9600, 115200} {
			p := profile(b, name)
			b.Run(fmt.Sprintf("%s/%d", name, baud), func(b *testing.B) {
				var n int
				var took time.Duration
				for b.Loop() {
					n, took = overAPty(b, p, baud)
				}
				floor := time.Duration(n) * 10 * time.Second / time.Duration(baud)
				b.ReportMetric(float64(n), "B/receipt")
				b.ReportMetric(float64(n)/float64(len(handMade(b, p))), "x-hand-made")
				b.ReportMetric(float64(took)/float64(floor), "x-floor")
				b.ReportMetric(float64(took.Milliseconds()), "ms-wire")
			})
		}
	}
}

// stopAndGo is the printer's end of a tty: it says XOFF again and again, 20 ms later XON, and notes how long the next byte then takes.
type stopAndGo struct {
	deadliner
	mu    sync.Mutex
	every int
	count int
	xonAt time.Time // of an XON that no byte has followed yet
	lost  []time.Duration
}

func (s *stopAndGo) Read(b []byte) (int, error) {
	n, err := s.deadliner.Read(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.xonAt.IsZero() && n > 0 {
		s.lost = append(s.lost, time.Since(s.xonAt))
		s.xonAt = time.Time{}
	}
	if s.every == 0 || n == 0 {
		return n, err
	}
	if before := s.count / s.every; (s.count+n)/s.every > before && s.count < 560 { // not at the end, behind which nothing follows
		s.deadliner.Write([]byte{xoffByte})
		time.AfterFunc(20*time.Millisecond, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.deadliner.Write([]byte{xonByte})
			s.xonAt = time.Now()
		})
	}
	s.count += n
	return n, err
}

// BenchmarkXOFF reports the time that is lost over each XOFF and XON on a tty, beyond the stop itself.
func BenchmarkXOFF(b *testing.B) {
	p := profile(b, "kp628e")
	pty, err := serialport.OpenPty()
	if err != nil {
		b.Fatal(err)
	}
	defer pty.Close()
	host, err := serialport.Open(serialport.Config{Path: pty.Path(), Baud: 115200})
	if err != nil {
		b.Fatal(err)
	}
	defer host.Close()
	line := &stopAndGo{deadliner: pty.Master}
	sim := NewSim(p, &SimOpts{Baud: 115200, Quick: true})
	ctx, cancel := context.WithCancel(b.Context())
	var both sync.WaitGroup
	both.Go(func() { sim.Serve(ctx, line) })
	d := New(host, p, &Opts{Baud: 115200})
	both.Go(func() { d.Run(ctx) })
	time.Sleep(3 * time.Second)
	for b.Loop() {
		line.mu.Lock()
		line.every, line.count = 80, 0
		line.mu.Unlock()
		if out := d.Print(b.Context(), Job{Doc: acceptance()}, nil); out.State != Printed {
			b.Fatalf("%+v", out)
		}
		line.mu.Lock()
		line.every = 0
		line.mu.Unlock()
	}
	cancel()
	both.Wait()
	if len(line.lost) == 0 {
		b.Fatal("no XON was followed by anything")
	}
	var sum time.Duration
	for _, l := range line.lost {
		sum += l
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(len(line.lost))/1000, "ms-lost/cycle")
	b.ReportMetric(float64(slices.Max(line.lost).Microseconds())/1000, "ms-lost-max")
}

// BenchmarkEncode is the computing time of a receipt.
func BenchmarkEncode(b *testing.B) {
	p := profile(b, "epson80")
	doc := acceptance()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(doc, p); err != nil {
			b.Fatal(err)
		}
	}
}
