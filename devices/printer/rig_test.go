package printer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rig is a driver and a simulated printer on one line, inside a synctest bubble.
type rig struct {
	t       *testing.T
	sim     *Sim
	dev     *Printer
	tap     *tap
	host    Port
	stop    context.CancelFunc
	stopSim context.CancelFunc
	runErr  chan error
	done    sync.WaitGroup
}

// tap is the printer's end of the line; it can cut the line or put bytes of its own on it when the n-th byte comes from the host.
type tap struct {
	net.Conn
	turn chan struct{}
	mu   sync.Mutex
	seen []byte
	at   func(n int, write func(...byte)) bool // false breaks the line
}

func (c *tap) Read(b []byte) (int, error) {
	c.mu.Lock()
	if c.at != nil {
		b = b[:1]
	}
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.seen = append(c.seen, b[:n]...)
	at, count := c.at, len(c.seen)
	c.mu.Unlock()
	if n > 0 && at != nil && !at(count, func(b ...byte) { c.Write(b) }) {
		c.Conn.Close()
	}
	return n, err
}

// Write loses what a host that does not listen leaves on the line.
func (c *tap) Write(b []byte) (int, error) {
	c.turn <- struct{}{} // not the pipe's own mutex, in which a bubble's time stands still
	defer func() { <-c.turn }()
	c.Conn.SetWriteDeadline(time.Now().Add(time.Millisecond))
	if n, err := c.Conn.Write(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	return len(b), nil
}

// received is all that has come from the host.
func (c *tap) received() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

func (c *tap) watch(at func(n int, write func(...byte)) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = nil
	c.at = at
}

// wired is the host's end of a line whose modem lines are those of a simulated printer.
type wired struct {
	net.Conn
	sim  *Sim
	down *atomic.Bool // pulled down by the test
}

func (w wired) CTS() (bool, error) { return w.sim.Ready() && !w.down.Load(), nil }
func (w wired) DSR() (bool, error) { return w.CTS() }

// newRig connects a driver to sim and waits until the driver has found its feet.
func newRig(t *testing.T, p *Profile, sim *Sim, opts *Opts) *rig {
	t.Helper()
	host, printer := net.Pipe()
	r := &rig{t: t, sim: sim, tap: &tap{Conn: printer, turn: make(chan struct{}, 1)}, host: wired{host, sim, new(atomic.Bool)}}
	simCtx, stopSim := context.WithCancel(t.Context())
	r.stopSim = stopSim
	r.done.Go(func() { sim.Serve(simCtx, r.tap) })
	r.drive(p, opts)
	time.Sleep(3 * time.Second)
	return r
}

// drive starts a driver, the first or the next, on the line.
func (r *rig) drive(p *Profile, opts *Opts) {
	ctx, stop := context.WithCancel(r.t.Context())
	dev, ended := New(r.host, p, opts), make(chan error, 1)
	r.stop, r.dev, r.runErr = stop, dev, ended
	r.done.Go(func() { ended <- dev.Run(ctx) })
}

// close ends driver and simulator and waits for both.
func (r *rig) close() {
	r.stop()
	r.stopSim()
	r.done.Wait()
	r.host.(wired).Close()
	r.tap.Close()
}

func (r *rig) print(id string, lines int) Outcome {
	return r.dev.Print(r.t.Context(), Job{ID: id, Doc: numbered(id, lines)}, nil)
}

// start prints in the background and tells what the job waits for.
func (r *rig) start(ctx context.Context, id string, lines int) *running {
	return r.startDoc(ctx, id, numbered(id, lines))
}

func (r *rig) startDoc(ctx context.Context, id string, doc *Document) *running {
	j, dev := &running{out: make(chan Outcome, 1)}, r.dev
	go func() {
		j.out <- dev.Print(ctx, Job{ID: id, Doc: doc}, func(p Progress) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.last = p
		})
	}()
	return j
}

type running struct {
	out  chan Outcome
	mu   sync.Mutex
	last Progress
}

func (j *running) progress() Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// best is how a job ends when nothing is wrong.
func (p *Profile) best() State {
	if p.Confirm.Method == ConfirmNone {
		return Sent
	}
	return Printed
}

// numbered is a document whose every line is like no other.
func numbered(id string, lines int) *Document {
	d := &Document{}
	for i := range lines {
		d.Blocks = append(d.Blocks, Text{Text: fmt.Sprintf("第 %d 行，回执 %s。", i+1, id)})
	}
	return d
}

// paper is all lines on all paper that are not empty.
func (r *rig) paper() []string {
	var out []string
	for _, rec := range r.sim.Receipts() {
		for _, l := range rec.Lines {
			if l != "" {
				out = append(out, l)
			}
		}
	}
	return out
}

func (r *rig) want(got Outcome, state State, reason Reason) {
	r.t.Helper()
	if got.State != state || got.Reason != reason {
		r.t.Errorf("outcome %s (%s), want %s (%s)", got.State, got.Reason, state, reason)
	}
}

func (r *rig) wantPaper(docs ...*Document) {
	r.t.Helper()
	var want []string
	for _, d := range docs {
		want = append(want, wanted(d, r.dev.profile)...)
	}
	if got := r.paper(); !slices.Equal(got, want) {
		r.t.Errorf("on paper:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := r.sim.Dropped(); n != 0 {
		r.t.Errorf("%d bytes did not fit into the printer's buffer", n)
	}
}

// wanted is what paper gives when a document is on it.
func wanted(doc *Document, p *Profile) []string {
	return slices.DeleteFunc(Lines(doc, p), func(l string) bool { return l == "" })
}

func (r *rig) wantReady(reason Reason) {
	r.t.Helper()
	var f *Fault
	err := r.dev.Ready()
	if reason == "" && err == nil || errors.As(err, &f) && f.Reason == reason {
		return
	}
	r.t.Errorf("Ready: %v, want %q", err, reason)
}

// with is a copy of a profile with a change.
func with(t testing.TB, name string, change func(*Profile)) *Profile {
	p := *profile(t, name)
	change(&p)
	return &p
}

// run lets a simulated printer execute bytes at once, without a line.
func (s *Sim) run(b []byte) {
	for _, c := range b {
		s.realtime(c)
		if cmd := s.frame.feed(c); cmd != nil && cmd[0] != nul {
			s.execute(cmd)
		}
	}
}

// execute interprets a command and puts it on paper at once.
func (s *Sim) execute(c Command) {
	s.interpret(c)
	for len(s.motions) > 0 {
		s.finishMotion(s.motions[0])
		s.motions = s.motions[1:]
	}
}

// speaking are the built-in profiles of printers that answer.
func speaking() map[string]*Profile {
	all := Profiles()
	for name, p := range all {
		if len(p.Status.Polls) == 0 {
			delete(all, name)
		}
	}
	return all
}
