package maintenance

import (
	"encoding/json"
	"errors"
	"io/fs"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// known is a count that begins on a good disk.
func known(now time.Time) tries {
	var n tries
	n.begin(nil, fs.ErrNotExist, now)
	_, number := n.record(now)
	n.settle(nil, number, now)
	return n
}

func TestTries(t *testing.T) {
	now := time.Now()
	var before tries
	if before.left(now) != 0 || before.due(now) || !before.next().IsZero() {
		t.Error("something can be tried before it is known what counts")
	}
	n := known(now)
	for i := range triesAllowed {
		if got := n.left(now); got != triesAllowed-i {
			t.Errorf("after %d wrong ones %d are left", i, got)
		}
		n.missed(now)
	}
	n.missed(now.Add(time.Minute)) // a try while it is locked makes it no longer
	if n.left(now.Add(lockedFor-time.Second)) != 0 {
		t.Error("it opens too early")
	}
	if n.left(now.Add(lockedFor)) != triesAllowed {
		t.Error("it does not open again")
	}
	n.missed(now)
	n.hit()
	if n.left(now) != triesAllowed {
		t.Error("the right one does not forget the wrong ones")
	}
	n.missed(now)
	n.missed(now.Add(lockedFor - 1))
	if n.left(now.Add(lockedFor)) != triesAllowed-2 || n.left(now.Add(2*lockedFor)) != triesAllowed {
		t.Error("a quarter of an hour after the last wrong one, and not before, all are forgotten")
	}
}

// TestTriesRate: whatever is done to the plug, the disk and the times between, the tries keep to their rate of the time that the program
// ran; and with every disk there is a try after a quarter of an hour of it, or a little more when it is started anew all the time.
func TestTriesRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored := map[string][]byte{"none": nil, "damaged": []byte("x"), "locked": []byte(`{"wrong":5,"seconds":900}`), "some": []byte(`{"wrong":3,"seconds":70}`)}
		data := stored[rapid.SampledFrom([]string{"none", "damaged", "locked", "some"}).Draw(t, "stored")]
		writable := rapid.Bool().Draw(t, "writable")
		epoch := time.Now()
		now, ran, shut, tried := epoch, time.Duration(0), time.Duration(0), 0
		var n tries
		keep := func() {
			r, number := n.record(now)
			if !writable {
				n.settle(errors.New("read-only"), number, now)
				return
			}
			data, _ = json.Marshal(r)
			n.settle(nil, number, now)
		}
		start := func() {
			if data == nil {
				n.begin(nil, fs.ErrNotExist, now)
			} else {
				n.begin(data, nil, now)
			}
			keep()
		}
		start()
		starts := 0
		run := func(d time.Duration) {
			for ; d > 0; d -= time.Second { // as the desk does: at once what is due
				now, ran, shut = now.Add(time.Second), ran+time.Second, shut+time.Second
				if n.due(now) {
					keep()
				}
				if n.left(now) > 0 {
					shut, starts = 0, 0
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"try": func(*rapid.T) {
				if n.left(now) == 0 {
					return
				}
				n.missed(now)
				keep()
				tried++
			},
			"run":  func(t *rapid.T) { run(time.Duration(rapid.IntRange(1, 1200).Draw(t, "s")) * time.Second) },
			"plug": func(*rapid.T) { now = now.Add(time.Hour); starts++; start() },
			"": func(t *rapid.T) {
				if most := triesAllowed * (1 + int(ran/lockedFor)); tried > most {
					t.Fatalf("%d tries in %v", tried, ran)
				}
				if n.left(now) == 0 && (writable && shut > lockedFor+time.Duration(starts)*keepEvery+time.Second || starts == 0 && shut > lockedFor) {
					t.Fatalf("shut for %v, with %d starts", shut, starts)
				}
			},
		})
	})
}

// FuzzParseRecord: what is taken is within bounds and is written as it was read.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"wrong":5,"seconds":900}`))
	f.Add([]byte(`{"wrong":0,"seconds":0}`))
	f.Add([]byte(`{"wrong":1,"seconds":-1}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(data)
		if err != nil {
			if r != (record{}) {
				t.Errorf("%+v beside %v", r, err)
			}
			return
		}
		var n tries
		now := time.Now()
		n.begin(data, nil, now)
		if again, _ := n.record(now); again != r || n.left(now.Add(lockedFor)) != 0 && !n.known {
			t.Errorf("%+v is kept as %+v", r, again)
		}
	})
}
