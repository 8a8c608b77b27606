package serialpad

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLatency: where a message has a checksum, a press is told the moment its last byte has come; where nothing but silence proves it, once
// that silence has passed. This is virtual time: no machine is too slow for it.
func TestLatency(t *testing.T) {
	for _, c := range []struct {
		profile string
		bytes   int
		silence bool
	}{{"reference", 9, false}, {"hallque", 10, false}, {"single-byte", 1, true}, {"ascii-line", 4, true}} {
		synctest.Test(t, func(t *testing.T) {
			p, _ := ByName(c.profile)
			b := wire(t, p, NewSim(p, &SimOpts{Baud: p.Line.Baud}), Opts{})
			defer b.stop()
			b.online()
			time.Sleep(250 * time.Millisecond) // between two queries
			pressed := time.Now()
			b.sim.Press(5)
			time.Sleep(200 * time.Millisecond)
			synctest.Wait()
			want := time.Duration(c.bytes) * p.Line.byteTime(p.Line.Baud)
			if c.silence {
				want += ms(p.Timing.GapMs)
			}
			if b.told.at == nil || b.told.at[0].Sub(pressed) != want {
				t.Errorf("%s: pressed at %v, told at %v; want %v later", c.profile, pressed, b.told.at, want)
			}
		})
	}
}

// TestRoundOfTen: ten pads on a bus are asked one after the other with nothing between but the bytes and the turn of the line.
func TestRoundOfTen(t *testing.T) {
	for _, name := range []string{"reference", "modbus-poll"} {
		synctest.Test(t, func(t *testing.T) {
			p := Profiles()[name]
			p.Timing.PollMs, p.Timing.LateMs = 20, 20
			var addresses []int
			var opts []*Opts
			for i := range 10 {
				addresses, opts = append(addresses, 1+i), append(opts, &Opts{Address: 1 + i})
			}
			host, far := net.Pipe()
			bus := NewBus(host, p, opts...)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = bus.Run(ctx) })
			running.Go(func() { _ = NewSim(p, &SimOpts{Addresses: addresses, Baud: p.Line.Baud}).Serve(ctx, far) })
			defer running.Wait()
			defer cancel()
			time.Sleep(5 * time.Second)
			before := bus.Pads()[0].Stats().Queries
			const long = 60 * time.Second
			time.Sleep(long)
			got := long / time.Duration(bus.Pads()[0].Stats().Queries-before)
			floor := time.Duration(10*(bus.profile.messages[kindQuery].least+bus.profile.messages[kindAnswer].least)) * p.Line.byteTime(p.Line.Baud)
			if want := floor + 10*ms(p.Timing.TurnMs); got < want*99/100 || got > want*102/100 || bus.Pads()[9].Stats().Unanswered > 0 {
				t.Errorf("%s: a round takes %v, want %v; %v", name, got, want, bus.Pads()[9].Stats())
			}
			t.Logf("%s: a round takes %v, %.2f times the bytes on the wire", name, got, float64(got)/float64(floor))
		})
	}
}

// BenchmarkPressToTold is the time from the finger to the callback on a line of the profile's speed. x-wire is how many times what the
// bytes alone need on the wire; a pad that is asked, or proved by silence, needs that as well.
func BenchmarkPressToTold(b *testing.B) {
	for _, name := range []string{"reference", "hallque", "single-byte", "ascii-line", "modbus-poll"} {
		b.Run(name, func(b *testing.B) {
			p, err := ByName(name)
			if err != nil {
				b.Fatal(err)
			}
			c, _ := p.compile()
			sim := NewSim(p, &SimOpts{Baud: p.Line.Baud})
			host, far := net.Pipe()
			defer host.Close()
			defer far.Close()
			told, online := make(chan struct{}, 1), make(chan struct{}, 1)
			pad := New(host, p, &Opts{OnPress: func(int, time.Time) { told <- struct{}{} }, OnHealth: func(Health) { online <- struct{}{} }})
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = pad.Run(ctx) })
			running.Go(func() { _ = sim.Serve(ctx, far) })
			defer running.Wait()
			defer cancel()
			<-online
			floor := time.Duration(c.messages[sim.padKind()].least) * p.Line.byteTime(p.Line.Baud)
			total := time.Duration(0)
			for b.Loop() { // its time is mostly the finger's, which is not what is measured
				time.Sleep(ms(p.Timing.SameMs+p.Repeat.EveryMs+50) + 3*ms(p.Timing.PollMs)) // as long as any finger takes
				for !sim.Press(5) {
					time.Sleep(ms(10))
				}
				begin := time.Now()
				<-told
				total += time.Since(begin)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(total)/float64(b.N)/float64(floor), "x-wire")
		})
	}
}

// BenchmarkPollRound is one round of queries over ten pads on one bus, as often as the bus allows. x-wire is how many times what the bytes
// of questions and answers need on the wire.
func BenchmarkPollRound(b *testing.B) {
	for _, name := range []string{"reference", "modbus-poll"} {
		b.Run(name, func(b *testing.B) {
			p := Profiles()[name]
			p.Timing.PollMs, p.Timing.LateMs = 20, 20
			c, err := p.compile()
			if err != nil {
				b.Fatal(err)
			}
			const n = 10
			var addresses []int
			var opts []*Opts
			for i := range n {
				addresses = append(addresses, 1+i)
				opts = append(opts, &Opts{Address: 1 + i})
			}
			host, far := net.Pipe()
			defer host.Close()
			defer far.Close()
			bus := NewBus(host, p, opts...)
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = bus.Run(ctx) })
			running.Go(func() { _ = NewSim(p, &SimOpts{Addresses: addresses, Baud: p.Line.Baud}).Serve(ctx, far) })
			defer running.Wait()
			defer cancel()
			rounds := func() (least int) {
				least = 1 << 30
				for _, pad := range bus.Pads() {
					least = min(least, pad.Stats().Queries)
				}
				return least
			}
			wait := func(r int) {
				for rounds() < r {
					time.Sleep(time.Millisecond)
				}
			}
			wait(2)
			begin, first := time.Now(), rounds()
			for b.Loop() {
				wait(rounds() + 1)
			}
			took := time.Since(begin) / time.Duration(max(1, rounds()-first))
			floor := time.Duration(n*(c.messages[kindQuery].least+c.messages[kindAnswer].least)) * p.Line.byteTime(p.Line.Baud)
			unanswered := 0
			for _, pad := range bus.Pads() {
				unanswered += pad.Stats().Unanswered
			}
			b.ReportMetric(float64(took)/float64(floor), "x-wire")
			b.ReportMetric(float64(unanswered), "unanswered")
		})
	}
}

// BenchmarkScan is the cost of finding messages among noise, per byte.
func BenchmarkScan(b *testing.B) {
	p, _ := ByName("reference")
	c, _ := p.compile()
	sim := NewSim(p, nil)
	var data []byte
	for range 100 {
		data = append(data, sim.noise()...)
		data = append(data, c.messages[kindPress].render(fields{address: 1, sequence: 7, key: 5})...)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s := newScanner(c)
		s.feed(data, time.Time{})
		for _, ok := s.next(); ok; _, ok = s.next() {
		}
	}
}
