package devicetest

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"yuanban/devices/idcard"
)

// ReaderRig is one ID-card reader at the end of one line. At the beginning of a case it is plugged in and no card lies on it.
type ReaderRig struct {
	// Hands understand "lay card", "lay other card" (another person's), "remove card", "unplug" and "replug". What is laid
	// takes the place of what lies there.
	Hands Hands
	// Open opens the line anew and returns a driver on it; the line opened before is closed. The error is the line's.
	Open func() (*idcard.Reader, error)
	// Framing is how the reader talks: of STX less is promised, see idcard.
	Framing idcard.Framing
	// Card and Other are what the cards hold, as far as that is known beforehand.
	Card, Other *idcard.Card
}

// human is how long a person may take to do what a case asks for.
const human = 2 * time.Minute

// ReaderCases are what every ID-card reader with its driver promises.
func ReaderCases() []Case[*ReaderRig] {
	return []Case[*ReaderRig]{
		{"tells its number", readerTellsItsNumber},
		{"reads what is laid", readerReadsWhatIsLaid},
		{"gives each card to one call", readerGivesEachCardOnce},
		{"sees a card leave", readerSeesACardLeave},
		{"asks for a card that left too early again", readerAsksAgain},
		{"leaves cards alone while idle", readerLeavesCardsAlone},
		{"ends with the context", readerEndsWithTheContext},
		{"serves one call at a time", readerServesOneCall},
		{"is gone without its plug and works with it", readerIsGoneWithoutItsPlug},
		{"tells an appended address on request", readerTellsAnAppendedAddress},
	}
}

func (r *ReaderRig) open(t *testing.T) *idcard.Reader {
	t.Helper()
	dev, err := r.Open()
	if err != nil {
		t.Fatalf("cannot open the line: %v", err)
	}
	// A driver of STX must have seen no card before it can believe in one.
	ctx, cancel := context.WithTimeout(t.Context(), human)
	defer cancel()
	if err := dev.WaitRemoved(ctx); err != nil {
		t.Fatalf("nothing lies on the reader, but: %v", err)
	}
	return dev
}

func (r *ReaderRig) do(t *testing.T, action string) {
	t.Helper()
	if err := r.Hands.Do(action); err != nil {
		t.Fatal(err)
	}
}

// read waits for a card and reads it.
func (r *ReaderRig) read(t *testing.T, dev *idcard.Reader, want *idcard.Card) idcard.Card {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), human)
	defer cancel()
	card, err := dev.ReadCard(ctx, nil)
	switch {
	case err != nil:
		t.Fatalf("the card was not read: %v", err)
	case want != nil && card != *want:
		t.Fatalf("read %v, want %v", card, *want)
	}
	if err := card.Check(); err != nil {
		t.Errorf("the card contradicts itself: %v", err)
	}
	return card
}

// remove takes the card away and waits until the driver has seen it.
func (r *ReaderRig) remove(t *testing.T, dev *idcard.Reader) {
	t.Helper()
	r.do(t, "remove card")
	ctx, cancel := context.WithTimeout(t.Context(), human)
	defer cancel()
	if err := dev.WaitRemoved(ctx); err != nil {
		t.Fatalf("the card was taken away, but: %v", err)
	}
}

// wantClass checks an error, and that it tells nothing of a card.
func (r *ReaderRig) wantClass(t *testing.T, err error, want idcard.Class, secrets ...idcard.Card) {
	t.Helper()
	e, ok := errors.AsType[*idcard.Error](err)
	if !ok || e.Class != want {
		t.Fatalf("got %v, want an error of class %s", err, want)
	}
	for _, c := range secrets {
		for _, s := range []string{c.Name, c.EnglishName, c.Number, c.Birth, c.Address} {
			if s != "" && strings.Contains(err.Error(), s) {
				t.Error("the error tells what is on the card")
			}
		}
	}
}

var samNumber = regexp.MustCompile(`^\d\d\.\d\d-\d{8}-\d{10}-\d{10}$`)

func readerTellsItsNumber(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	first, err := dev.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := dev.Probe(t.Context())
	if err != nil || again != first {
		t.Errorf("first the number is %q, then %q, %v", first, again, err)
	}
	if r.Framing == idcard.STX && first != "" || r.Framing == idcard.SDT && !samNumber.MatchString(first) {
		t.Errorf("the number is %q", first)
	}
	if err := dev.Alive(t.Context()); err != nil {
		t.Errorf("it tells its number, but: %v", err)
	}
}

func readerReadsWhatIsLaid(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), human)
	defer cancel()
	type result struct {
		card  idcard.Card
		err   error
		found int
	}
	done := make(chan result, 1)
	go func() {
		var res result
		res.card, res.err = dev.ReadCard(ctx, func() { res.found++ })
		done <- res
	}()
	time.Sleep(time.Second)
	r.do(t, "lay card")
	res := <-done
	if res.err != nil || res.found != 1 || r.Card != nil && res.card != *r.Card {
		t.Errorf("read %v, %v, found %d times", res.card, res.err, res.found)
	}
	r.remove(t, dev)
}

// readerGivesEachCardOnce: a card that stays is given to no other call, and what is laid next is what is read next.
func readerGivesEachCardOnce(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	r.do(t, "lay card")
	first := r.read(t, dev, r.Card)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	switch card, err := dev.ReadCard(ctx, nil); {
	case err == nil:
		t.Fatalf("%v was given away twice", card)
	case errors.Is(err, context.DeadlineExceeded) && r.Framing == idcard.STX: // some say "no card" to one that they have read
	default:
		r.wantClass(t, err, idcard.ClassAgain, first)
	}
	r.remove(t, dev)
	r.do(t, "lay other card")
	if other := r.read(t, dev, r.Other); other == first {
		t.Error("the other card is the first")
	}
	r.remove(t, dev)
}

func readerSeesACardLeave(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	r.do(t, "lay card")
	r.read(t, dev, r.Card)
	if r.Framing == idcard.SDT {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if err := dev.WaitRemoved(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the card lies there, but waiting for it to leave ended with %v", err)
		}
	}
	r.remove(t, dev)
}

// readerAsksAgain takes the card away in the moment in which it is found.
func readerAsksAgain(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	r.do(t, "lay card")
	ctx, cancel := context.WithTimeout(t.Context(), human)
	defer cancel()
	card, err := dev.ReadCard(ctx, func() {
		if err := r.Hands.Do("remove card"); err != nil {
			t.Error(err)
		}
	})
	if err == nil && r.Framing == idcard.STX { // it is found by being read
		if r.Card != nil && card != *r.Card {
			t.Errorf("read %v", card)
		}
	} else {
		var known []idcard.Card
		if r.Card != nil {
			known = append(known, *r.Card)
		}
		r.wantClass(t, err, idcard.ClassAgain, known...)
	}
	if err := dev.WaitRemoved(ctx); err != nil {
		t.Fatal(err)
	}
	r.do(t, "lay other card")
	r.read(t, dev, r.Other)
	r.remove(t, dev)
}

// readerLeavesCardsAlone: what was laid before anybody asked is found by who asks, however often the reader was asked whether it
// is alive.
func readerLeavesCardsAlone(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	r.do(t, "lay card")
	for range 5 {
		time.Sleep(200 * time.Millisecond)
		if err := dev.Alive(t.Context()); err != nil {
			t.Fatalf("an idle reader with a card on it: %v", err)
		}
	}
	r.read(t, dev, r.Card)
	r.remove(t, dev)
}

func readerEndsWithTheContext(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	for _, after := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 150 * time.Millisecond, 700 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		_, err := dev.ReadCard(ctx, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("after %v: %v", after, err)
		}
		if err := dev.Alive(t.Context()); err != nil {
			t.Fatalf("after a call that ended after %v: %v", after, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dev.ReadCard(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	r.do(t, "lay card")
	r.read(t, dev, r.Card)
	r.remove(t, dev)
}

func readerServesOneCall(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := dev.ReadCard(ctx, nil)
		done <- err
	}()
	time.Sleep(500 * time.Millisecond)
	_, err := dev.ReadCard(t.Context(), nil)
	r.wantClass(t, err, idcard.ClassBusy)
	r.wantClass(t, dev.WaitRemoved(t.Context()), idcard.ClassBusy)
	r.wantClass(t, dev.Alive(t.Context()), idcard.ClassBusy)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first call ended with %v", err)
	}
	if err := dev.Alive(t.Context()); err != nil {
		t.Error(err)
	}
}

func readerIsGoneWithoutItsPlug(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	done := make(chan error, 1)
	go func() {
		_, err := dev.ReadCard(t.Context(), nil)
		done <- err
	}()
	time.Sleep(500 * time.Millisecond)
	r.do(t, "unplug")
	r.wantClass(t, <-done, idcard.ClassGone)
	r.wantClass(t, dev.Alive(t.Context()), idcard.ClassGone)
	r.do(t, "replug")
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		next, err := r.Open()
		if err == nil {
			dev = next
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the plug is in again, but: %v", err)
		}
	}
	if _, err := dev.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.do(t, "lay card")
	r.read(t, dev, r.Card)
	r.remove(t, dev)
}

// readerTellsAnAppendedAddress: there may be none, but asking is no error while the card lies there.
func readerTellsAnAppendedAddress(t *testing.T, r *ReaderRig) {
	dev := r.open(t)
	if r.Framing == idcard.STX {
		if _, err := dev.AppendedAddress(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("asked for what cannot be asked: %v", err)
		}
		return
	}
	r.do(t, "lay card")
	card := r.read(t, dev, r.Card)
	if _, err := dev.AppendedAddress(t.Context()); err != nil {
		t.Errorf("the card lies there, but: %v", err)
	}
	r.remove(t, dev)
	_, err := dev.AppendedAddress(t.Context())
	r.wantClass(t, err, idcard.ClassAgain, card)
}
