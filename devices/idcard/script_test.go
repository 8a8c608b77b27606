package idcard

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// scripted plays a module that answers each command as it likes.
func scripted(t *testing.T, answers func(word string) (time.Duration, []byte), f func(*testing.T, *Reader)) {
	scriptedIn(t, SDT, answers, f)
}

func scriptedIn(t *testing.T, framing Framing, answers func(word string) (time.Duration, []byte), f func(*testing.T, *Reader)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		commands := make(chan string, 100)
		out := make(chan struct{})
		go func() { // takes commands at any time, as a UART does
			defer close(commands)
			in := scanner{framer: framing.fromHost()}
			b := make([]byte, 100)
			for {
				n, err := far.Read(b)
				in.feed(b[:n])
				for body, ok := in.next(); ok; body, ok = in.next() {
					commands <- string(body)
				}
				if err != nil {
					return
				}
			}
		}()
		go func() {
			defer close(out)
			for word := range commands {
				wait, frame := answers(word)
				time.Sleep(wait)
				far.SetWriteDeadline(time.Now().Add(time.Second))
				far.Write(frame)
			}
		}()
		f(t, New(near, &Opts{Framing: framing}))
		near.Close()
		far.Close()
		<-out
	})
}

func sdtReply(sw3 byte, data ...byte) []byte {
	return appendFrame(nil, []byte{0, 0, sw3}, data)
}

// The hazard that the protocol invites: the first search is answered after its
// timeout, and the late "no card" must not answer anything else.
func TestALateAnswerIsNobodys(t *testing.T) {
	text, _ := EncodeCard(Examples()[0])
	for _, late := range []time.Duration{1600, 1700, 1800, 1900, 2000, 2200, 2600} {
		finds := 0
		scripted(t, func(word string) (time.Duration, []byte) {
			switch word {
			case cmdStatus.body:
				return 0, sdtReply(swOK)
			case cmdFind.body:
				if finds++; finds == 1 {
					return late * time.Millisecond, sdtReply(swNoCard)
				}
				return 0, sdtReply(swFound, 0, 0, 0, 0)
			case cmdSelect.body:
				return 0, sdtReply(swOK, 0, 0, 0, 0, 0, 0, 0, 0)
			case cmdRead.body:
				return 0, appendFrame(nil, readBody(text, emptyPhoto()))
			}
			return 0, sdtReply(swReadFailed)
		}, func(t *testing.T, r *Reader) {
			card, err := r.ReadCard(t.Context(), nil)
			if err != nil || card != Examples()[0] || finds != 2 {
				t.Errorf("%d ms late: got %v, %v after %d searches; %+v", late, card, err, finds, r.Stats())
			}
		})
	}
}

// What each state of the reader means for the visitor, wherever it comes.
func TestStatesAndTheirClasses(t *testing.T) {
	text, _ := EncodeCard(Examples()[0])
	for _, tc := range []struct {
		sw3  byte
		want Class
	}{
		{swCardDenies, ClassAgain}, {swSAMDenies, ClassAgain}, {swNotVerified, ClassAgain}, {swReadFailed, ClassAgain},
		{swRandom, ClassAgain}, {swNotSelected, ClassAgain}, {swWrongCard, ClassUnreadable},
		{swNoRight, ClassFault}, {swUnknown, ClassFault}, {swSelfTest, ClassFault}, {swNotAllowed, ClassFault},
		{swBadChecksum, ClassFault}, {swBadLength, ClassFault}, {swBadCommand, ClassFault}, {0x77, ClassFault},
	} {
		for _, at := range []command{cmdSelect, cmdRead} {
			asked := 0
			scripted(t, func(word string) (time.Duration, []byte) {
				if word == at.body {
					asked++
					return 0, sdtReply(tc.sw3)
				}
				switch word {
				case cmdFind.body:
					return 0, sdtReply(swFound, 1, 2, 3, 4)
				case cmdSelect.body:
					return 0, sdtReply(swOK, 1, 2, 3, 4, 5, 6, 7, 8)
				case cmdRead.body:
					return 0, appendFrame(nil, readBody(text, emptyPhoto()))
				}
				return 0, sdtReply(swOK)
			}, func(t *testing.T, r *Reader) {
				_, err := r.ReadCard(t.Context(), nil)
				wantClass(t, err, tc.want)
				e, _ := errors.AsType[*Error](err)
				if e == nil || e.SW3 != tc.sw3 {
					t.Errorf("%s %02X: %v", at.op, tc.sw3, err)
				}
				wantAsked := 1
				if noise(tc.sw3) {
					wantAsked = maxFailures
				}
				if at.body == cmdSelect.body && tc.sw3 == swNotSelected {
					wantAsked = maxSelects
				}
				if asked != wantAsked {
					t.Errorf("%s %02X: asked %d times, want %d", at.op, tc.sw3, asked, wantAsked)
				}
			})
		}
	}
}

// Readers differ in harmless ways.
func TestOddButHealthyReaders(t *testing.T) {
	text, _ := EncodeCard(Examples()[0])
	for _, tc := range []struct {
		name  string
		photo []byte
		twist func(word string, n int, frame []byte) (time.Duration, []byte)
	}{
		{name: "no photo", photo: nil},
		{name: "IIN and serial number are not zero", photo: emptyPhoto(), twist: func(word string, _ int, frame []byte) (time.Duration, []byte) {
			if word == cmdFind.body {
				return 0, sdtReply(swFound, 9, 9, 9, 9)
			}
			return 0, frame
		}},
		{name: "first selection fails, the card still moves", photo: emptyPhoto(), twist: func(word string, n int, frame []byte) (time.Duration, []byte) {
			if word == cmdSelect.body && n == 1 {
				return 0, sdtReply(swNotSelected)
			}
			return 0, frame
		}},
		{name: "a gateway's heartbeat before each answer", photo: emptyPhoto(), twist: func(_ string, _ int, frame []byte) (time.Duration, []byte) {
			return 50 * time.Millisecond, append([]byte("AAAA"), frame...)
		}},
		{name: "the beginning of a frame that never comes before each answer", photo: emptyPhoto(), twist: func(_ string, _ int, frame []byte) (time.Duration, []byte) {
			return 0, append([]byte(preamble+"\x00\x30\x00"), frame...)
		}},
		{name: "a status nobody asked for before each answer", photo: emptyPhoto(), twist: func(_ string, _ int, frame []byte) (time.Duration, []byte) {
			return 0, append(sdtReply(swOK), frame...)
		}},
		{name: "one command is not understood", photo: emptyPhoto(), twist: func(word string, n int, frame []byte) (time.Duration, []byte) {
			if word == cmdRead.body && n == 1 {
				return 0, sdtReply(swBadChecksum)
			}
			return 0, frame
		}},
	} {
		count := map[string]int{}
		scripted(t, func(word string) (time.Duration, []byte) {
			count[word]++
			frame := map[string][]byte{
				cmdStatus.body: sdtReply(swOK),
				cmdFind.body:   sdtReply(swFound, 0, 0, 0, 0),
				cmdSelect.body: sdtReply(swOK, 0, 0, 0, 0, 0, 0, 0, 0),
				cmdRead.body:   appendFrame(nil, readBody(text, tc.photo)),
			}[word]
			if tc.twist == nil {
				return 0, frame
			}
			return tc.twist(word, count[word], frame)
		}, func(t *testing.T, r *Reader) {
			if card, err := r.ReadCard(t.Context(), nil); err != nil || card != Examples()[0] {
				t.Errorf("%s: got %v, %v; %+v", tc.name, card, err, r.Stats())
			}
		})
	}
}

func TestAnswersAreKnownByTheirShape(t *testing.T) {
	long := func(n int, head ...byte) []byte { return append(head, make([]byte, n-len(head))...) }
	for _, tc := range []struct {
		name   string
		to     command
		answer answer
		want   bool
	}{
		{"status", cmdStatus, answer{sw3: swOK, data: nil}, true},
		{"status with data", cmdStatus, answer{sw3: swOK, data: long(8)}, false},
		{"found", cmdFind, answer{sw3: swFound, data: long(4)}, true},
		{"found without data", cmdFind, answer{sw3: swFound, data: nil}, false},
		{"ok to a search", cmdFind, answer{sw3: swOK, data: long(4)}, false},
		{"none", cmdFind, answer{sw3: swNoCard, data: nil}, true},
		{"none with data", cmdFind, answer{sw3: swNoCard, data: long(1)}, false},
		{"none to a selection", cmdSelect, answer{sw3: swNoCard, data: nil}, false},
		{"selected", cmdSelect, answer{sw3: swOK, data: long(8)}, true},
		{"read failed", cmdRead, answer{sw3: swReadFailed, data: nil}, true},
		{"text and photo", cmdRead, answer{sw3: swOK, data: long(4+256+1024, 1, 0, 4, 0)}, true},
		{"text only", cmdRead, answer{sw3: swOK, data: long(4+256, 1, 0, 0, 0)}, true},
		{"less than announced", cmdRead, answer{sw3: swOK, data: long(4+256+1023, 1, 0, 4, 0)}, false},
		{"more than announced", cmdRead, answer{sw3: swOK, data: long(4+256+1025, 1, 0, 4, 0)}, false},
		{"text too short", cmdRead, answer{sw3: swOK, data: long(4+255+1024, 0, 255, 4, 0)}, false},
		{"no lengths", cmdRead, answer{sw3: swOK, data: long(3)}, false},
		{"address", cmdAddress, answer{sw3: swOK, data: long(70)}, true},
		{"no address", cmdAddress, answer{sw3: swNothing, data: nil}, true},
		{"self-test failed", cmdFind, answer{sw3: swSelfTest, data: nil}, true},
	} {
		if got := tc.to.accepts(tc.answer); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// Bytes that come along behind an answer are not the next command's answer.
func TestWhatFollowsAnAnswerIsNotTheNext(t *testing.T) {
	selects := 0
	scripted(t, func(word string) (time.Duration, []byte) {
		switch word {
		case cmdFind.body:
			return 0, append(sdtReply(swFound, 0, 0, 0, 0), sdtReply(swOK, make([]byte, 8)...)...)
		case cmdSelect.body:
			selects++
			return 0, sdtReply(swNotSelected)
		}
		return 0, sdtReply(swOK)
	}, func(t *testing.T, r *Reader) {
		_, err := r.ReadCard(t.Context(), nil)
		wantClass(t, err, ClassAgain)
		if selects != maxSelects {
			t.Errorf("selected %d times", selects)
		}
	})
}

// Modules are known that first tell a wrong number, and that say nothing at all once
// the card has left.
func TestFirstNumberIsWrongAndSilentRemoval(t *testing.T) {
	asked := 0
	right := []byte{5, 0, 3, 0, 0x75, 0xC5, 0x33, 1, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}
	scripted(t, func(word string) (time.Duration, []byte) {
		switch word {
		case cmdSAMID.body:
			if asked++; asked == 1 {
				return 0, sdtReply(swOK, make([]byte, 16)...)
			}
			return 0, sdtReply(swOK, right...)
		case cmdAddress.body:
			return 0, nil
		}
		return 0, sdtReply(swOK)
	}, func(t *testing.T, r *Reader) {
		id, err := r.Probe(t.Context())
		if want := "05.03-20170101-0000000001-4294967295"; id != want || err != nil {
			t.Errorf("got %q, %v; want %q", id, err, want)
		}
		if err := r.WaitRemoved(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A search that was cancelled is answered late with "found": the next caller must not
// be told of a card that is not there.
func TestCancelledSearchIsNobodys(t *testing.T) {
	finds := 0
	scripted(t, func(word string) (time.Duration, []byte) {
		switch word {
		case cmdStatus.body:
			return 0, sdtReply(swOK)
		case cmdFind.body:
			if finds++; finds == 1 {
				return 700 * time.Millisecond, sdtReply(swFound, 0, 0, 0, 0)
			}
			return 0, sdtReply(swNoCard)
		}
		return 0, sdtReply(swReadFailed)
	}, func(t *testing.T, r *Reader) {
		for _, wait := range []time.Duration{300 * time.Millisecond, 5 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			_, err := r.ReadCard(ctx, func() { t.Error("found a card that is not there") })
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
	})
}
