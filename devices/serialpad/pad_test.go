package serialpad

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// grades are those that a pad has buttons for.
func grades(p *Profile) []int {
	var out []int
	for g := 5; g >= 1; g-- {
		if !slices.Contains(p.Missing(), g) {
			out = append(out, g)
		}
	}
	return out
}

func TestEveryButtonIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		for _, baud := range []int{0, p.Line.Baud} {
			b := wire(t, p, NewSim(p, &SimOpts{Baud: baud}), Opts{})
			b.online()
			for _, g := range grades(p) {
				if !b.sim.Press(g) {
					t.Errorf("button %d was not taken", g)
				}
				if got := b.after(2 * time.Second); !slices.Equal(got, []string{fmt.Sprint(g)}) {
					t.Errorf("pressed %d at %d baud, told %v; %v", g, baud, got, b.pad.Stats())
				}
			}
			b.stop()
			if b.err != nil {
				t.Error(b.err)
			}
		}
	})
}

func TestShowReachesThePad(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		b := wire(t, p, NewSim(p, nil), Opts{Texts: map[State]string{Invite: "请您评价", Thank: "谢谢"}})
		defer b.stop()
		b.pad.Show(Invite) // before it is there
		b.pad.Show("nonsense")
		b.online()
		for _, s := range []State{Invite, Thank, Welcome, Pause, Invite} {
			b.pad.Show(Pause) // the latest wins
			if s == Thank {
				b.sim.Press(5) // some thank for a certain key
				b.after(time.Second)
			}
			b.pad.Show(s)
			b.after(2 * time.Second)
			got, text := b.sim.Shown(0)
			if want := p.written()[showKind(s)]; want == "" {
				if got != "" {
					t.Errorf("a pad without display shows %q", got)
				}
			} else if got != s || strings.Contains(want, "{text}") && text != map[State]string{Invite: "请您评价", Thank: "谢谢"}[s] {
				t.Errorf("shows %q %q, want %q", got, text, s)
			}
		}
		if b.stop(); b.err != nil {
			t.Error(b.err)
		}
	})
}

// TestFarewell: an invitation that nobody hears any more does not stand.
func TestFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := ByName("reference")
		b := wire(t, p, NewSim(p, nil), Opts{Texts: map[State]string{Pause: "暂停服务"}})
		defer b.stop()
		b.pad.Show(Invite)
		b.online()
		b.after(time.Second)
		b.halt()
		b.after(time.Second)
		if s, text := b.sim.Shown(0); s != Pause || text != "暂停服务" {
			t.Errorf("shows %q %q", s, text)
		}
	})
}

// TestPadThatCannotShow: a pad that does not know the messages for its display tells its presses all the same.
func TestPadThatCannotShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Profiles()["modbus-poll"]
		dumb := Profiles()["modbus-poll"]
		dumb.Host.Welcome, dumb.Host.Invite, dumb.Host.Thank, dumb.Host.Pause = "", "", "", ""
		b := wire(t, p, NewSim(dumb, nil), Opts{})
		defer b.stop()
		b.online()
		for _, g := range []int{5, 1} {
			b.pad.Show(Invite)
			b.after(2 * time.Second)
			b.sim.Press(g)
			if got := b.after(3 * time.Second); !slices.Equal(got, []string{fmt.Sprint(g)}) {
				t.Errorf("pressed %d, told %v; %v", g, got, b.pad.Stats())
			}
		}
	})
}

// TestPowerCycle: a pad that was off for a moment is told again what to show, and its numbers may begin anew.
func TestPowerCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := ByName("reference")
		b := wire(t, p, NewSim(p, nil), Opts{})
		defer b.stop()
		b.online()
		b.pad.Show(Invite)
		b.after(time.Second)
		b.sim.Press(5)
		if got := b.after(3 * time.Second); !slices.Equal(got, []string{"5"}) {
			t.Errorf("told %v", got)
		}
		b.sim.PowerCycle()
		b.sim.Press(5) // number 1, as before
		if got := b.after(2 * time.Second); !slices.Equal(got, []string{"5"}) {
			t.Errorf("after the power came back: told %v", got)
		}
		if s, _ := b.sim.Shown(0); s != Invite {
			t.Errorf("shows %q", s)
		}
	})
}

// TestFrozen: a pad that stops answering is told from one that is there, and what it says on coming back is old.
func TestFrozen(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		b := wire(t, p, NewSim(p, nil), Opts{})
		defer b.stop()
		b.online()
		b.sim.SetFaults(Faults{Deaf: 1, Lose: 1})
		got := b.after(3 * time.Second)
		if !p.CanAsk() {
			if got != nil {
				t.Errorf("a pad that cannot be asked: %v", got)
			}
			return
		}
		if !slices.Equal(got, []string{string(HardwareError)}) {
			t.Errorf("frozen: told %v", got)
		}
		b.sim.Press(3)
		b.after(50 * time.Millisecond)
		b.sim.SetFaults(Faults{})
		if got := b.after(4 * time.Second); !slices.Equal(got, []string{string(Online)}) {
			t.Errorf("back: told %v", got)
		}
		b.sim.Press(4)
		if got := b.after(2 * time.Second); !slices.Equal(got, []string{"4"}) {
			t.Errorf("then: told %v", got)
		}
	})
}

// TestNothingOldIsTold: presses from before the driver's start, the unplugging or the invitation.
func TestNothingOldIsTold(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		sim := NewSim(p, nil)
		sim.Press(2)
		b := wire(t, p, sim, Opts{})
		b.online()
		if got := b.after(2 * time.Second); got != nil {
			t.Errorf("pressed before the start, told %v", got)
		}
		b.host.Close()
		time.Sleep(time.Second)
		if b.stop(); !errors.Is(b.err, ErrGone) {
			t.Errorf("unplugged: %v", b.err)
		}
		if got := b.told.all(); !slices.Equal(got, []string{string(Offline)}) {
			t.Errorf("unplugged: told %v", got)
		}
		sim.Press(4)
		time.Sleep(100 * time.Millisecond)
		b = wire(t, p, sim, Opts{})
		defer b.stop()
		b.online()
		if got := b.after(2 * time.Second); got != nil {
			t.Errorf("pressed while unplugged, told %v", got)
		}
		sim.Press(5)
		if got := b.after(2 * time.Second); !slices.Equal(got, []string{"5"}) {
			t.Errorf("then: told %v", got)
		}
		// The press is on its way when the invitation opens.
		time.Sleep(37 * time.Millisecond)
		sim.Press(4)
		time.Sleep(time.Millisecond)
		b.told.all()
		b.pad.Show(Invite)
		if got := b.after(2 * time.Second); got != nil {
			t.Errorf("pressed before the invitation, told %v", got)
		}
		sim.Press(4)
		if got := b.after(2 * time.Second); !slices.Equal(got, []string{"4"}) {
			t.Errorf("pressed after the invitation, told %v; %v", got, b.pad.Stats())
		}
	})
}

// TestStaleBytes: what lies in the buffers when the driver begins to read.
func TestStaleBytes(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		c, _ := p.compile()
		sim := NewSim(p, nil)
		b := wire(t, p, sim, Opts{})
		defer b.stop()
		k := sim.padKind()
		code, _ := sim.code("5")
		f := fields{address: sim.pads[0].address, key: code, sequence: 9}
		go b.far.Write(slices.Concat(c.messages[k].render(f)[1:], c.messages[k].render(f), c.messages[k].render(f)))
		b.online()
		if got := b.after(2 * time.Second); got != nil {
			t.Errorf("told %v", got)
		}
		if got := b.pad.Stats(); got.Presses != 0 {
			t.Errorf("%v", got)
		}
	})
}

// TestKeys: a key with a name is no grade, and one that the profile does not know is nothing.
func TestKeys(t *testing.T) {
	for _, name := range []string{"reference", "ascii-line"} {
		synctest.Test(t, func(t *testing.T) {
			p, _ := ByName(name)
			b := wire(t, p, NewSim(p, nil), Opts{})
			defer b.stop()
			b.online()
			b.sim.PressKey(0, "help")
			if got := b.after(2 * time.Second); !slices.Equal(got, []string{"help"}) {
				t.Errorf("%s: told %v", name, got)
			}
			c, _ := p.compile()
			if _, err := b.far.Write(c.messages[kindPress].render(fields{address: b.pad.address, sequence: 77, key: 0x77})); err != nil {
				t.Fatal(err)
			}
			if got := b.after(2 * time.Second); got != nil {
				t.Errorf("%s: an unknown key told %v", name, got)
			}
			if s := b.pad.Stats(); s.Unknown+s.SkipBytes == 0 {
				t.Errorf("%s: the unknown key left no trace: %v", name, s)
			}
		})
	}
}

// TestUnplugAtEveryByte: wherever the line breaks, no press is told that was not whole, and Run ends.
func TestUnplugAtEveryByte(t *testing.T) {
	for name, p := range Profiles() {
		t.Run(name, func(t *testing.T) {
			for n := range 80 {
				synctest.Test(t, func(t *testing.T) {
					sim := NewSim(p, nil)
					b := wire(t, p, sim, Opts{})
					defer b.stop()
					b.online()
					c, _ := p.compile()
					m := c.messages[sim.padKind()]
					code, _ := sim.code("5")
					msg := m.render(fields{address: b.pad.address, sequence: 1, key: code})
					if n > len(msg) {
						return
					}
					// A Hold pad is asked: let the question go unanswered by the simulator, and break off our answer.
					sim.SetFaults(Faults{Lose: 1})
					go func() { _, _ = b.far.Write(msg[:n]); b.far.Close() }()
					got := b.after(3 * time.Second)
					for _, e := range got {
						if e != string(Offline) && e != "5" || e == "5" && n < len(msg) {
							t.Errorf("broken off after %d of %d bytes: told %v", n, len(msg), got)
						}
					}
					if b.stop(); !errors.Is(b.err, ErrGone) {
						t.Errorf("broken off after %d of %d bytes: %v", n, len(msg), b.err)
					}
				})
			}
		})
	}
}

// TestCopiesAreOnePress: a pad that sends a press three times, at once or over a while, or for as long as a finger is on the button.
func TestCopiesAreOnePress(t *testing.T) {
	for _, every := range []time.Duration{0, 40 * time.Millisecond, 150 * time.Millisecond} {
		for _, name := range []string{"single-byte", "ascii-line", "hallque", "reference"} {
			synctest.Test(t, func(t *testing.T) {
				p, _ := ByName(name)
				b := wire(t, p, NewSim(p, nil), Opts{})
				defer b.stop()
				b.online()
				c, _ := p.compile()
				for i, g := range []string{"5", "4", "5"} {
					code, _ := b.sim.code(g)
					msg := c.messages[kindPress].render(fields{address: b.pad.address, sequence: byte(10 + i), key: code})
					for range 3 {
						if _, err := b.far.Write(msg); err != nil {
							t.Fatal(err)
						}
						time.Sleep(every)
					}
					if got := b.after(3 * time.Second); !slices.Equal(got, []string{g}) {
						t.Errorf("%s: three copies of %s, %v apart, told %v", name, g, every, got)
					}
				}
			})
		}
	}
}

// echo puts an adapter that hears itself, as many for RS-485 do, between a host and a pad, until both lines are closed.
func echo(host, pad net.Conn) {
	back := make(chan []byte, 64)
	var forth sync.WaitGroup
	carry := func(from, to net.Conn) {
		for {
			buf := make([]byte, 128)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			back <- buf[:n]
			if to != nil {
				_, _ = to.Write(buf[:n])
			}
		}
	}
	forth.Go(func() { carry(host, pad) })
	forth.Go(func() { carry(pad, nil) })
	go func() { forth.Wait(); close(back) }()
	for b := range back {
		_, _ = host.Write(b)
	}
}

// TestEcho: an adapter that echoes what we send is no answer, and takes nothing away.
func TestEcho(t *testing.T) {
	each(t, func(t *testing.T, p *Profile) {
		host, hostEnd := net.Pipe()
		padEnd, far := net.Pipe()
		r := &told{}
		sim := NewSim(p, nil)
		pad := New(host, p, r.opts(Opts{}))
		b := &bench{t: t, told: r, pad: pad, sim: sim}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = pad.Run(ctx) })
		running.Go(func() { _ = sim.Serve(ctx, far) })
		running.Go(func() { echo(hostEnd, padEnd) })
		defer running.Wait()
		defer func() { hostEnd.Close(); padEnd.Close() }()
		defer cancel()
		b.online()
		pad.Show(Invite)
		b.after(time.Second)
		for _, g := range grades(p) {
			sim.Press(g)
			if got := b.after(2 * time.Second); !slices.Equal(got, []string{fmt.Sprint(g)}) {
				t.Errorf("pressed %d, told %v; %v", g, got, pad.Stats())
			}
		}
		if s, _ := sim.Shown(0); p.Host.Invite != "" && s != Invite {
			t.Errorf("shows %q", s)
		}
		sim.SetFaults(Faults{Deaf: 1, Lose: 1})
		if got := b.after(4 * time.Second); p.CanAsk() && !slices.Equal(got, []string{string(HardwareError)}) {
			t.Errorf("the pad is dead, and the echo: told %v", got)
		}
	})
}

// TestOneBusManyPads: each pad has its own presses and its own display, and one that is dead keeps nobody waiting.
func TestOneBusManyPads(t *testing.T) {
	for _, name := range []string{"reference", "modbus-poll", "hallque"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { busOf(t, name) })
		})
	}
}
