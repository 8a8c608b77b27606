package idcard

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"
)

// TestACardFoundAndLostIsAskedForAgain: who was told that a card is being read is not left waiting.
func TestACardFoundAndLostIsAskedForAgain(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		b.lay(t, Examples()[0])
		start := time.Now()
		_, err := b.ReadCard(t.Context(), b.sim.Remove)
		wantClass(t, err, ClassAgain)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("said after %v", took)
		}
	})
}

// TestAnUnknownCard: something that the module finds but does not know is unreadable, lies there until it leaves, and is not in
// the way of the next card.
func TestAnUnknownCard(t *testing.T) {
	for _, framing := range Framings() {
		onBench(t, &SimOpts{Framing: framing}, func(t *testing.T, b *bench) {
			for range 2 {
				b.sim.LayUnknown()
				_, err := b.ReadCard(t.Context(), nil)
				wantClass(t, err, ClassUnreadable)
				if e, _ := errors.AsType[*Error](err); e == nil || e.SW3 != swWrongCard {
					t.Errorf("%s: %v", framing, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				if err := b.WaitRemoved(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: it lies there, but waiting for it to leave ended with %v", framing, err)
				}
				cancel()
				b.sim.Remove()
				if err := b.WaitRemoved(t.Context()); err != nil {
					t.Error(err)
				}
			}
			b.lay(t, Examples()[2])
			if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[2] {
				t.Errorf("%s: got %v, %v", framing, card, err)
			}
		})
	}
}

// TestAMovedCard: a card that is shifted during the reading must be lifted; lying there it gives nothing more.
func TestAMovedCard(t *testing.T) {
	for _, framing := range Framings() {
		onBench(t, &SimOpts{Framing: framing}, func(t *testing.T, b *bench) {
			if err := b.WaitRemoved(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.lay(t, Examples()[0])
			go func() {
				for !b.sim.reading() {
					time.Sleep(10 * time.Millisecond)
				}
				b.sim.Move()
			}()
			_, err := b.ReadCard(t.Context(), nil)
			wantClass(t, err, ClassAgain)
			b.lay(t, Examples()[0])
			if card, err := b.ReadCard(t.Context(), nil); err != nil || card != Examples()[0] {
				t.Errorf("%s: laid again: %v, %v", framing, card, err)
			}
		})
	}
}

// reading tells whether a card is being read.
func (s *Sim) reading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stage == selected
}

// TestAnotherCardInTheMiddle: two readings of what must be one card show two; neither is given away.
func TestAnotherCardInTheMiddle(t *testing.T) {
	first, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := EncodeCard(Examples()[1])
	if err != nil {
		t.Fatal(err)
	}
	for framing, answers := range map[Framing]map[string][]byte{
		SDT: {cmdFind.body: sdtReply(swFound, 0, 0, 0, 0), cmdSelect.body: sdtReply(swOK, make([]byte, 8)...), cmdStatus.body: sdtReply(swOK)},
		STX: {},
	} {
		reads := 0
		scriptedIn(t, framing, func(word string) (time.Duration, []byte) {
			if answers[word] != nil {
				return 0, answers[word]
			}
			reads++
			head := map[Framing][]byte{SDT: {0, 0, swOK}, STX: {swOK, 0}}[framing]
			text := first
			switch {
			case reads <= 2: // STX only: the first is a sign of life
				return 0, framing.fromReader().wrap(nil, []byte{swNoCard, 0})
			case reads > 3:
				text = second
			}
			// Something before each answer, so that one reading is not enough.
			return 0, append([]byte{0x55}, framing.fromReader().wrap(nil, append(head, cardData(text, emptyPhoto())...))...)
		}, func(t *testing.T, r *Reader) {
			if framing == STX {
				if err := r.WaitRemoved(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				reads = 2
			}
			_, err := r.ReadCard(t.Context(), nil)
			wantClass(t, err, ClassAgain)
			if reads != 4 {
				t.Errorf("%s: %d readings", framing, reads-2)
			}
		})
	}
}

// TestADisturbedReadingIsRepeated: the checksum lets one damaged frame in 256 pass. The first reading arrives with a changed name
// and the checksum that fits; as there was noise before it, it is not believed.
func TestADisturbedReadingIsRepeated(t *testing.T) {
	right, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Clone(right)
	binary.LittleEndian.PutUint16(wrong[2:], uint16('四'))
	for name, noise := range map[string]string{"noise before the answer": "\x55\x55", "none": ""} {
		reads := 0
		scripted(t, func(word string) (time.Duration, []byte) {
			switch word {
			case cmdFind.body:
				return 0, append([]byte(noise), sdtReply(swFound, 0, 0, 0, 0)...)
			case cmdSelect.body:
				return 0, sdtReply(swOK, make([]byte, 8)...)
			case cmdRead.body:
				if reads++; reads == 1 {
					return 0, appendFrame(nil, readBody(wrong, emptyPhoto()))
				}
				return 0, appendFrame(nil, readBody(right, emptyPhoto()))
			}
			return 0, sdtReply(swOK)
		}, func(t *testing.T, r *Reader) {
			card, err := r.ReadCard(t.Context(), nil)
			if name == "none" { // and this is what it is for
				if err != nil || reads != 1 || card.Name != "张四" {
					t.Errorf("%s: %v, %v after %d readings", name, card, err, reads)
				}
				return
			}
			if err != nil || card != Examples()[0] || reads != 3 {
				t.Errorf("%s: %v, %v after %d readings", name, card, err, reads)
			}
		})
	}
}

// TestOddCards: what makes one reading not enough, and that no example is odd.
func TestOddCards(t *testing.T) {
	for _, c := range Examples() {
		b, err := EncodeCard(c)
		if err != nil {
			t.Fatal(err)
		}
		if odd(b, c) {
			t.Errorf("%v is odd", c)
		}
		for i := 0; i < textSize; i += 2 {
			if b[i] == ' ' && b[i+1] == 0 {
				b[i] = 0 // padded with NUL, as some readers do
			}
		}
		if odd(b, c) {
			t.Errorf("%v padded with NUL is odd", c)
		}
	}
	for name, tc := range map[string]struct {
		at   int
		text string
	}{
		"a character behind the padding": {20, "王"},
		"in a reserved place":            {230, "A"},
		"a letter in a date":             {40, "A"},
		"a control character":            {2, "\x01"},
		"a small letter in a number":     {130, "x"},
		"half a space":                   {50, "\u0120"},
		"a noncharacter":                 {2, "\uFFFF"},
		"behind the number":              {250, "1"},
	} {
		b := put(t, tc.at, tc.text)
		c, err := DecodeCard(b)
		if err != nil {
			t.Fatal(err)
		}
		if !odd(b, c) {
			t.Errorf("%s is not odd", name)
		}
	}
	for _, rare := range []string{"㛃", "\uE123", "龦·买提", "李 四"} { // extension A, private use, a dot, a space
		if b := put(t, 0, rare); odd(b, Card{Kind: Resident}) {
			t.Errorf("%q is odd", rare)
		}
	}
}

// TestRareCharacters: characters outside the basic plane and of the private use areas come through as they are on the chip.
func TestRareCharacters(t *testing.T) {
	for _, name := range []string{"𠮷㛃", "王\uE815", "\U000F0001山", "㑇䶮"} {
		onBench(t, nil, func(t *testing.T, b *bench) {
			want := Examples()[0]
			want.Name = name
			b.lay(t, want)
			got, err := b.ReadCard(t.Context(), nil)
			if err != nil || got != want || got.Garbled {
				t.Errorf("%q came as %v, %v", name, got, err)
			}
		})
	}
}

// TestAppendedAddress: on request only, in every shape that makers may have given it.
func TestAppendedAddress(t *testing.T) {
	onBench(t, nil, func(t *testing.T, b *bench) {
		if _, err := b.AppendedAddress(t.Context()); err == nil {
			t.Error("an address without a card")
		}
		b.lay(t, Examples()[0])
		if _, err := b.ReadCard(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if address, err := b.AppendedAddress(t.Context()); address != "" || err != nil {
			t.Errorf("none was written: %q, %v", address, err)
		}
		const want = "示例市新区示例路2号3幢"
		if err := b.sim.Append(want); err != nil {
			t.Fatal(err)
		}
		if address, err := b.AppendedAddress(t.Context()); address != want || err != nil {
			t.Errorf("got %q, %v", address, err)
		}
		if err := b.sim.Append(strings.Repeat("长", 36)); err == nil {
			t.Error("36 characters were written")
		}
		b.sim.Remove()
		_, err := b.AppendedAddress(t.Context())
		wantClass(t, err, ClassAgain)
	})
	pad := func(s string, n int) []byte {
		units := utf16.Encode([]rune(s))
		for len(units) < n {
			units = append(units, ' ')
		}
		var b []byte
		for _, u := range units {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return b
	}
	const address = "示例市示例区示例路1号"
	for name, tc := range map[string]struct {
		data []byte
		want string
		fail bool
	}{
		"as documented":          {pad(address, 35), address, false},
		"its length before it":   {append([]byte{0, 70}, pad(address, 35)...), address, false},
		"shorter":                {pad(address, len([]rune(address))), address, false},
		"twice as long":          {pad(address, 70), address, false},
		"blank":                  {pad("", 35), "", false},
		"padded with NUL":        {append(pad(address, 20), make([]byte, 30)...), address, false},
		"a selection's, by size": {make([]byte, 8), "", true},
		"half a character":       {make([]byte, 71), "", true},
	} {
		scripted(t, func(word string) (time.Duration, []byte) {
			if word == cmdAddress.body {
				return 0, sdtReply(swOK, tc.data...)
			}
			return 0, sdtReply(swOK)
		}, func(t *testing.T, r *Reader) {
			got, err := r.AppendedAddress(t.Context())
			if got != tc.want || (err != nil) != tc.fail {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		})
	}
}

// TestNothingIsLeftInTheDriver: after a reading, a reading that failed and one that was cancelled, nothing of the card's text or
// photo is in the driver's buffers, and the error tells nothing of it. The card given back is the caller's.
func TestNothingIsLeftInTheDriver(t *testing.T) {
	photo := bytes.Repeat([]byte("\xF0\x07\xBA\x11"), 256)
	contradicting := Examples()[0]
	contradicting.Birth = "19491230"
	for _, framing := range Framings() {
		for name, tc := range map[string]struct {
			card  Card
			fault Fault
			ctx   time.Duration
			fails bool
		}{
			"read":                    {Examples()[0], FaultNone, time.Minute, false},
			"read among noise":        {Examples()[0], FaultNoise, time.Minute, framing == STX}, // which cannot believe an answer that something follows
			"contradicts itself":      {contradicting, FaultNone, time.Minute, true},
			"half an answer":          {Examples()[0], FaultHalfFrame, time.Minute, true},
			"wrong checksum":          {Examples()[0], FaultBadChecksum, time.Minute, true},
			"cancelled while reading": {Examples()[0], FaultNone, 150 * time.Millisecond, true},
		} {
			synctest.Test(t, func(t *testing.T) {
				c := newCable()
				sim := NewSim(&SimOpts{Framing: framing, Photo: photo, CardTime: 100 * time.Millisecond, Baud: 115200})
				ctx, cancel := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- sim.Serve(ctx, c.far) }()
				r := New(c.near, &Opts{Framing: framing})
				if err := r.WaitRemoved(t.Context()); err != nil {
					t.Fatal(err)
				}
				sim.SetFault(tc.fault)
				sim.Lay(tc.card)
				call, stop := context.WithTimeout(t.Context(), tc.ctx)
				defer stop()
				_, err := r.ReadCard(call, nil)
				if (err != nil) != tc.fails {
					t.Errorf("%s, %s: %v", framing, name, err)
				}
				if b := r.held(); len(b) < 512 || !bytes.Equal(b, make([]byte, len(b))) {
					t.Errorf("%s, %s: something is left in %d bytes", framing, name, len(b))
				}
				for _, secret := range []string{tc.card.Name, tc.card.Number, tc.card.Birth, tc.card.Address} {
					if err != nil && strings.Contains(err.Error(), secret) {
						t.Errorf("%s, %s: the error tells %q: %v", framing, name, secret, err)
					}
				}
				cancel()
				<-served
			})
		}
	}
}

// TestWrongInnerLengths: an answer whose frame is right but whose announced lengths are not is no card.
func TestWrongInnerLengths(t *testing.T) {
	text, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	good := readBody(text, emptyPhoto())
	for name, change := range map[string]func(b []byte) []byte{
		"text too long":      func(b []byte) []byte { b[4] = 2; return b },
		"photo too short":    func(b []byte) []byte { b[5] = 3; return b },
		"photo beyond":       func(b []byte) []byte { b[5], b[6] = 0xFF, 0xFF; return b },
		"a byte is missing":  func(b []byte) []byte { return b[:len(b)-1] },
		"a byte is too many": func(b []byte) []byte { return append(b, 0) },
	} {
		scripted(t, func(word string) (time.Duration, []byte) {
			switch word {
			case cmdFind.body:
				return 0, sdtReply(swFound, 0, 0, 0, 0)
			case cmdSelect.body:
				return 0, sdtReply(swOK, make([]byte, 8)...)
			case cmdRead.body:
				return 0, appendFrame(nil, change(bytes.Clone(good)))
			}
			return 0, sdtReply(swOK)
		}, func(t *testing.T, r *Reader) {
			_, err := r.ReadCard(t.Context(), nil)
			wantClass(t, err, ClassFault)
			if s := r.Stats(); s.Strays != maxFailures {
				t.Errorf("%s: %+v", name, s)
			}
		})
	}
}

// TestAModuleWithoutAppendedAddresses: 30 03 is how a card is seen to leave, but a module that does not know the command is no
// broken one.
func TestAModuleWithoutAppendedAddresses(t *testing.T) {
	text, err := EncodeCard(Examples()[0])
	if err != nil {
		t.Fatal(err)
	}
	laid := false
	scripted(t, func(word string) (time.Duration, []byte) {
		switch {
		case word == cmdAddress.body:
			return 0, sdtReply(swBadCommand)
		case word == cmdFind.body && !laid:
			laid = true
			return 0, sdtReply(swNoCard)
		case word == cmdFind.body:
			return 0, sdtReply(swFound, 0, 0, 0, 0)
		case word == cmdSelect.body:
			return 0, sdtReply(swOK, make([]byte, 8)...)
		case word == cmdRead.body:
			return 0, appendFrame(nil, readBody(text, emptyPhoto()))
		}
		return 0, sdtReply(swOK)
	}, func(t *testing.T, r *Reader) {
		if card, err := r.ReadCard(t.Context(), nil); err != nil || card != Examples()[0] {
			t.Errorf("got %v, %v", card, err)
		}
		if _, err := r.AppendedAddress(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("an address that cannot be asked for: %v", err)
		}
		if err := r.WaitRemoved(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
