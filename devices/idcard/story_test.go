package idcard

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/idnumber"
)

var (
	seeds    = flag.Int("seeds", 300, "how many stories TestWhateverHappens tells")
	fromSeed = flag.Uint64("from-seed", 1, "the seed of the first of them")
)

// TestWhateverHappens tells stories by chance: somebody lays cards and takes them away, moves them, pulls the plug and cuts the
// power, the line and the reader fail in every way that Plan knows, and the driver is asked for things meanwhile, some of them
// cancelled. Whatever happens:
//
//   - A card that is returned is, to the last character, one that lay there during the call.
//   - No answer is accepted for another command than its own. (But for a status, which stands for a later one: that is what
//     the driver uses it for; and "your frame was damaged", after which it asks again.)
//   - An error has a class that what happened explains, and nothing of a card in its text.
//   - Between calls the driver holds nothing that it received.
//   - Once everything is in order again the next call succeeds.
func TestWhateverHappens(t *testing.T) {
	var all tally
	for i := range uint64(*seeds) {
		seed := *fromSeed + i
		framing := Framings()[seed%2]
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tell(t, seed, framing)
				all.add(s.tally)
			})
		}) {
			break // the first is the one to look at
		}
	}
	t.Logf("%+v", all)
	if *seeds >= 300 && (all.Cards == 0 || all.Again == 0 || all.Unreadable == 0 || all.Fault == 0 || all.Gone == 0 || all.Cancelled == 0 || all.Damaged == 0) {
		t.Errorf("the stories are too tame: %+v", all)
	}
}

// tally is what came out of stories.
type tally struct{ Cards, Addresses, Again, Unreadable, Fault, Gone, Cancelled, Answers, Damaged, Mishaps int }

func (a *tally) add(b tally) {
	a.Cards += b.Cards
	a.Addresses += b.Addresses
	a.Again += b.Again
	a.Unreadable += b.Unreadable
	a.Fault += b.Fault
	a.Gone += b.Gone
	a.Cancelled += b.Cancelled
	a.Answers += b.Answers
	a.Damaged += b.Damaged
	a.Mishaps += b.Mishaps
}

// stay is the time that something lay on the reader.
type stay struct {
	card     Card
	unknown  bool
	address  string // appended
	from, to time.Time
}

// story is one of them, told in a bubble of virtual time.
type story struct {
	t    *testing.T
	rng  *rand.Rand // of what the driver is asked for
	plan *Plan
	sim  *Sim
	opts Opts
	mu   sync.Mutex
	log  []string

	reader  *Reader
	cancel  context.CancelFunc
	served  chan error
	calming time.Time // when everything was in order again

	world    sync.Mutex // guards what hands change
	cable    *cable     // nil while the plug is out
	stays    []stay
	pulled   int // times that the plug was
	troubled int // times that something was done to the reader that can make it fail

	saidMu sync.Mutex
	said   map[int][]byte // by the sim, by the number of the command

	tally tally
}

func (s *story) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%8.3f ", time.Since(epoch()).Seconds())+fmt.Sprintf(format, args...))
}

// epoch is when every bubble begins.
func epoch() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func (s *story) fail(format string, args ...any) {
	s.t.Helper()
	if s.t.Failed() {
		return // what follows is no news
	}
	s.t.Errorf(format, args...)
	o := s.sim.opts
	s.t.Logf("%s at %d baud, card time %v, reads once %v\nthe plan, at rate %v: %q\nthe story:\n%s",
		o.Framing, o.Baud, o.CardTime, o.ReadsOnce, s.plan.rate, s.plan.Did(), strings.Join(s.log, "\n"))
}

// tell tells the story of a seed.
func tell(t *testing.T, seed uint64, framing Framing) *story {
	rng := rand.New(rand.NewPCG(seed, 99))
	hands := rand.New(rand.NewPCG(seed, 7))
	s := &story{t: t, rng: rng, plan: NewPlan(seed, framing), opts: Opts{Framing: framing}}
	bauds := []int{0, 0, 115200, 9600}
	o := SimOpts{Framing: framing, Plan: s.plan, Baud: bauds[rng.IntN(len(bauds))], ReadsOnce: rng.IntN(2) == 0,
		CardTime: time.Duration(50+rng.IntN(1200)) * time.Millisecond}
	s.opts.Baud = o.Baud
	s.sim = NewSim(&o)
	s.plugIn()
	nasty := hands.IntN(3) == 0
	stop := make(chan struct{})
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(hands.IntN(4000)) * time.Millisecond):
				s.meddle(hands, nasty)
			}
		}
	}()
	for end := time.Now().Add(time.Duration(20+rng.IntN(60)) * time.Second); time.Now().Before(end) && !t.Failed(); {
		s.ask()
		time.Sleep(time.Duration(rng.IntN(2)*rng.IntN(3000)) * time.Millisecond)
	}
	close(stop)
	<-idle
	if !t.Failed() {
		s.inOrder()
	}
	s.tally.Mishaps = len(s.plan.Did())
	s.pullOut()
	return s
}

// plugIn connects the reader with a new driver.
func (s *story) plugIn() {
	s.world.Lock()
	defer s.world.Unlock()
	s.cable = newCable()
	s.sim.PowerCycle()
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel, s.served = cancel, make(chan error, 1)
	said := map[int][]byte{}
	s.saidMu.Lock()
	s.said = said
	s.saidMu.Unlock()
	s.sim.said = func(number int, body []byte) {
		s.saidMu.Lock()
		said[number] = slices.Clone(body)
		s.saidMu.Unlock()
		s.note("reader: answers command %d with %d bytes", number, len(body))
	}
	go func(end *cableEnd) { s.served <- s.sim.Serve(ctx, end) }(s.cable.far)
	s.reader = New(s.cable.near, &s.opts)
	s.reader.line.accepted = s.accepted
}

func (s *story) pullOut() {
	s.world.Lock()
	defer s.world.Unlock()
	if s.cable != nil {
		s.cable.unplug()
		s.cancel()
		<-s.served
		s.cable = nil
	}
}

// meddle is one thing that hands do. Nasty ones pull plugs too.
func (s *story) meddle(rng *rand.Rand, nasty bool) {
	s.world.Lock()
	defer s.world.Unlock()
	n := rng.IntN(20)
	if !nasty {
		n = rng.IntN(16)
	}
	switch {
	case n < 8:
		s.take()
		s.lay(rng)
	case n < 13:
		s.take()
	case n < 14:
		s.take()
		s.sim.LayUnknown()
		s.stays = append(s.stays, stay{unknown: true, from: time.Now()})
		s.note("hands: lay something unknown")
	case n < 16:
		s.sim.Move()
		s.note("hands: move")
	case n < 17:
		s.trouble("cut the power for a moment")
		s.sim.PowerCycle()
	case n < 18 && s.cable != nil:
		s.pulled++
		s.trouble("pull the plug")
		s.cable.unplug()
	case n < 19:
		s.trouble("make it hang")
		s.sim.Hang()
	}
}

func (s *story) trouble(what string) {
	s.troubled++
	s.note("hands: %s", what)
}

// lay lays a card that no other is like.
func (s *story) lay(rng *rand.Rand) stay {
	n := len(s.stays)
	c := Examples()[rng.IntN(len(Examples()))]
	if c.Name != "" {
		c.Name = fmt.Sprintf("%c%c%s", rune(0x4E00+rng.IntN(0x5000)), rune(0x4E00+n), c.Name)
	}
	if c.Kind == Resident {
		digits := fmt.Sprintf("110101%d%02d%02d%03d", 1950+rng.IntN(60), 1+rng.IntN(12), 1+rng.IntN(28), n)
		c.Number, c.Birth = digits+string(idnumber.ResidentCheck(digits)), digits[6:14]
	}
	if err := s.sim.Lay(c); err != nil {
		s.fail("cannot lay: %v", err)
	}
	now := stay{card: c, from: time.Now()}
	if rng.IntN(3) == 0 {
		now.address = fmt.Sprintf("示例市示例区%c号", rune(0x4E00+n))
		if err := s.sim.Append(now.address); err != nil {
			s.fail("cannot append: %v", err)
		}
	}
	s.stays = append(s.stays, now)
	s.note("hands: lay card %d", n)
	return now
}

func (s *story) take() {
	s.sim.Remove()
	if n := len(s.stays); n > 0 && s.stays[n-1].to.IsZero() {
		s.stays[n-1].to = time.Now()
		s.note("hands: take away")
	}
}

// lying are the stays during some part of the time since start.
func (s *story) lying(start time.Time) []stay {
	s.world.Lock()
	defer s.world.Unlock()
	return slices.DeleteFunc(slices.Clone(s.stays), func(x stay) bool { return !x.to.IsZero() && x.to.Before(start) })
}

// everything are all stays.
func (s *story) everything() []stay { return s.lying(time.Time{}) }

// ask asks the driver for something and judges what it says.
func (s *story) ask() {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(50+s.rng.IntN(2)*s.rng.IntN(1000)+s.rng.IntN(2)*s.rng.IntN(20000))*time.Millisecond)
	defer cancel()
	start := time.Now()
	var err error
	switch n := s.rng.IntN(20); {
	case n < 12:
		var card Card
		card, err = s.reader.ReadCard(ctx, func() {
			if len(s.lying(start)) == 0 {
				s.fail("a card was found where none lay")
			}
		})
		if s.judge("ReadCard", ctx, start, err); err == nil {
			s.returned(card, start)
		}
	case n < 15:
		err = s.reader.WaitRemoved(ctx)
		s.judge("WaitRemoved", ctx, start, err)
	case n < 17:
		err = s.reader.Alive(ctx)
		s.judge("Alive", ctx, start, err)
	case n < 18:
		var id string
		id, err = s.reader.Probe(ctx)
		if s.judge("Probe", ctx, start, err); err == nil && id != map[Framing]string{SDT: "05.03-20170101-0000000001-0000000001"}[s.opts.Framing] {
			s.fail("the reader's number is %q", id)
		}
	default:
		var address string
		address, err = s.reader.AppendedAddress(ctx)
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		if s.judge("AppendedAddress", ctx, start, err); err == nil && !slices.ContainsFunc(s.lying(start), func(x stay) bool { return x.address == address }) {
			s.fail("the address %q is that of no card that lay there", address)
		} else if address != "" {
			s.tally.Addresses++
		}
	}
	if e, _ := errors.AsType[*Error](err); e != nil && e.Class == ClassGone {
		s.pullOut()
		s.plugIn()
	}
}

// returned judges a card.
func (s *story) returned(card Card, start time.Time) {
	s.tally.Cards++
	for _, x := range s.lying(start) {
		if x.card == card {
			return
		}
	}
	for i, x := range s.everything() {
		if x.card == card {
			s.fail("card %d was returned, which was taken away before the call", i)
		}
	}
	s.fail("a card was returned that never lay there")
}

// judge judges an error, and what is left in the driver.
func (s *story) judge(what string, ctx context.Context, start time.Time, err error) {
	s.note("%s since %.3f: %v", what, start.Sub(epoch()).Seconds(), err)
	if all := s.reader.held(); !bytes.Equal(all, make([]byte, len(all))) {
		s.fail("after %s the driver still holds what it received", what)
	}
	if err == nil {
		return
	}
	for _, x := range s.everything() {
		for _, secret := range []string{x.card.Name, x.card.EnglishName, x.card.Number, x.card.Birth, x.card.Address, x.address} {
			if secret != "" && strings.Contains(err.Error(), secret) {
				s.fail("the error tells what is on a card: %v", err)
			}
		}
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		s.tally.Cancelled++
		if ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) {
			s.fail("%s ended with %v", what, err)
		}
		return
	}
	s.world.Lock()
	pulled, disturbed := s.pulled, len(s.plan.Did()) > 0 || s.troubled > 0
	s.world.Unlock()
	switch e.Class {
	case ClassGone:
		s.tally.Gone++
		if pulled == 0 || !errors.Is(err, errCut) {
			s.fail("gone, but the plug is in: %v", err)
		}
	case ClassFault:
		s.tally.Fault++
		if !disturbed || !s.calming.IsZero() {
			s.fail("a fault, but nothing has happened: %v", err)
		}
	case ClassAgain:
		s.tally.Again++
		if len(s.lying(start)) == 0 && !disturbed && what != "AppendedAddress" {
			s.fail("again, but nothing lay there: %v", err)
		}
	case ClassUnreadable:
		s.tally.Unreadable++
		if !slices.ContainsFunc(s.lying(start), func(x stay) bool { return x.unknown }) {
			s.fail("unreadable, but only good cards lay there: %v", err)
		}
	default:
		s.fail("an error of class %s: %v", e.Class, err)
	}
}

// accepted checks that an answer is that to the command for which it was accepted.
func (s *story) accepted(cmd *command, sent int, body []byte) {
	s.tally.Answers++
	s.note("driver: takes %d bytes for the answer to command %d (%s)", len(body), sent, cmd.op)
	s.saidMu.Lock()
	defer s.saidMu.Unlock()
	if bytes.Equal(body, s.said[sent]) {
		return
	}
	for number, other := range s.said {
		if bytes.Equal(body, other) && cmd.body != cmdStatus.body && !noise(s.opts.Framing.parse(body).sw3) {
			s.fail("the answer to command %d was accepted for command %d (%s)", number, sent, cmd.op)
		}
	}
	s.tally.Damaged++ // in a way that the checksum let pass
}

// inOrder ends all trouble and wants the driver to work at once.
func (s *story) inOrder() {
	s.plan.End()
	s.take()
	s.sim.PowerCycle()
	if s.cable.unplugged() {
		s.pullOut()
		s.plugIn()
	}
	s.calming = time.Now()
	s.note("everything is in order")
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	err := s.reader.WaitRemoved(ctx)
	if s.judge("WaitRemoved", ctx, s.calming, err); err != nil {
		s.fail("once everything is in order: %v", err)
	}
	if took := time.Since(s.calming); took > 15*time.Second {
		s.fail("the driver needed %v to recover", took)
	}
	last := s.lay(s.rng)
	card, err := s.reader.ReadCard(ctx, nil)
	if s.judge("ReadCard", ctx, last.from, err); err != nil || card != last.card {
		s.fail("once everything is in order: %v, the same card: %v", err, card == last.card)
	}
	s.tally.Cards++
}
