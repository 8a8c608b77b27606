package window

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// stage is a running window with what it shows and tells.
type stage struct {
	t       *testing.T
	flow    *Flow
	ratings *evaluation.Book
	mu      sync.Mutex
	last    view.View
	events  []Event
	cues    []station.Cue
	buttons bool
}

func (s *stage) now() view.View {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *stage) on(screen string) view.View {
	s.t.Helper()
	v := s.now()
	if v.Screen != screen {
		s.t.Fatalf("the screen is %s, want %s", v.Screen, screen)
	}
	return v
}

func (s *stage) do(do string, pairs ...string) {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	s.flow.Act(view.Action{Do: do, Args: args})
}

// told returns the states of the events so far, and that none is told before it is true.
func (s *stage) told() string {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		out = append(out, string(e.State))
	}
	return strings.Join(out, " ")
}

var (
	content    = sync.OnceValues(func() (*catalogue.Catalogue, error) { return catalogue.Load(catalogue.Example()) })
	dictionary = sync.OnceValues(pinyin.Load)
)

func stand(t *testing.T) *stage {
	t.Helper()
	c, err := content()
	if err != nil {
		t.Fatal(err)
	}
	d, err := dictionary()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "window-")
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal.db"), journal.Options{Machine: "TEST01"})
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := evaluation.LoadReasons(strings.NewReader(string(c.Reasons.Raw)), c.Reasons.Version)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	s := &stage{t: t, ratings: evaluation.New(j, reasons, evaluation.Options{Log: quiet}), buttons: true}
	s.flow = New(Options{
		Show:    func(v view.View) { s.mu.Lock(); defer s.mu.Unlock(); s.last = v },
		OnEvent: func(e Event) { s.mu.Lock(); defer s.mu.Unlock(); s.events = append(s.events, e) },
		Cue:     func(c station.Cue) { s.mu.Lock(); defer s.mu.Unlock(); s.cues = append(s.cues, c) },
		Buttons: func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.buttons },
		Box:     view.Box{Width: 1280, Height: 800}, Words: wording.Default(), Catalogue: c, Pinyin: d, Ratings: s.ratings,
		Window: "3", Staff: "chen", Invite: time.Minute, Reasons: 20 * time.Second, Log: quiet,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.flow.Run(ctx) }()
	s.flow.Display(true)
	t.Cleanup(func() {
		cancel()
		<-done
		j.Close()
		os.RemoveAll(dir)
	})
	return s
}

func (s *stage) invite(number string) evaluation.Invitation {
	s.t.Helper()
	inv, err := s.flow.Invite(s.t.Context(), Invitation{Case: number, Stage: "acceptance", Service: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	return inv
}

func (s *stage) rating(id string) evaluation.Rating {
	s.t.Helper()
	r, err := s.ratings.Rating(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func TestRatingIsCommittedAtThePress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.on("standby")
		s.flow.Press(5) // nobody asked
		s.on("standby")
		inv := s.invite("A1")
		v := s.on("rating")
		if v.Sound != view.SoundInvite || s.cued() != "welcome invite" {
			t.Error("an invitation sounds and lights")
		}
		s.flow.Press(2)
		s.on("reasons")
		if r := s.rating(inv.ID); r.Level != 2 || r.Closed {
			t.Errorf("after the press the rating is %+v", r)
		}
		s.flow.Press(5) // a second press changes nothing
		s.on("reasons")
		if got := s.told(); got != "open rated" {
			t.Errorf("events: %s", got)
		}
		time.Sleep(21 * time.Second) // nobody says why
		s.on("thanks")
		if r := s.rating(inv.ID); r.Level != 2 || !r.Closed || !r.Unstated {
			t.Errorf("a bad rating without a reason is kept as %+v", r)
		}
		time.Sleep(thanksFor + time.Second)
		s.on("standby")
	})
}

func TestEndsThatAreNoRating(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(s *stage, inv evaluation.Invitation)
		want evaluation.State
	}{
		{"nobody answers", func(*stage, evaluation.Invitation) { time.Sleep(61 * time.Second) }, evaluation.Timeout},
		{"暂不评价", func(s *stage, _ evaluation.Invitation) { s.do("decline") }, evaluation.Declined},
		{"the window PC takes it back", func(s *stage, inv evaluation.Invitation) { s.must(s.flow.Cancel(s.t.Context(), inv.ID)) }, evaluation.Declined},
		{"暂停服务", func(s *stage, _ evaluation.Invitation) { s.must(s.flow.Pause(s.t.Context(), true)) }, evaluation.Declined},
		{"screen and buttons are lost", func(s *stage, _ evaluation.Invitation) {
			s.mu.Lock()
			s.buttons = false
			s.mu.Unlock()
			s.flow.Display(false)
			synctest.Wait()
			time.Sleep(lostFor + time.Second)
		}, evaluation.Fault},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				inv := s.invite("A1")
				s.on("rating")
				tt.end(s, inv)
				if got := s.told(); got != "open "+string(tt.want) {
					t.Errorf("events: %s, want open %s", got, tt.want)
				}
				if _, err := s.ratings.Rating(t.Context(), inv.ID); !errors.Is(err, evaluation.ErrNotFound) {
					t.Errorf("there is a rating that nobody gave: %v", err)
				}
				s.flow.Press(5)
				if got := s.told(); strings.Contains(got, "rated") {
					t.Error("a press after the end rated")
				}
			})
		})
	}
}

// cued returns what the rating buttons were made to show so far.
func (s *stage) cued() string {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.cues {
		out = append(out, string(c))
	}
	return strings.Join(out, " ")
}

// TestPressedWhileTheInvitationIsCommitted: what nobody was asked for yet answers nothing, also when the flow hears of it later.
func TestPressedWhileTheInvitationIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		busy := make(chan struct{})
		s.flow.post(func() { <-busy }) // the disk is slow
		invited := make(chan evaluation.Invitation)
		go func() {
			inv, err := s.flow.Invite(t.Context(), Invitation{Case: "A1", Stage: "acceptance", Service: 1})
			s.must(err)
			invited <- inv
		}()
		time.Sleep(time.Millisecond)
		s.flow.Press(1)
		time.Sleep(time.Millisecond)
		close(busy)
		inv := <-invited
		s.on("rating")
		s.flow.Press(5)
		s.on("reasons")
		if r := s.rating(inv.ID); r.Level != 5 {
			t.Errorf("the rating is %+v", r)
		}
	})
}

// TestCues: the buttons invite for as long as a press counts, and say what the screen says otherwise.
func TestCues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		want := "welcome"
		then := func(cues string) {
			t.Helper()
			if want = strings.TrimSpace(want + " " + cues); s.cued() != want {
				t.Fatalf("showed %q, want %q", s.cued(), want)
			}
		}
		then("")
		s.invite("A1")
		then("invite")
		s.do("help")
		then("") // a press counts all the same
		s.flow.Press(5)
		then("thank")
		s.do("finish")
		s.on("thanks")
		then("")
		time.Sleep(thanksFor + time.Second)
		then("welcome")
		s.invite("A2")
		s.do("decline")
		then("invite welcome")
		s.invite("A3")
		s.must(s.flow.Pause(t.Context(), true))
		then("invite pause")
		s.must(s.flow.Pause(t.Context(), false))
		then("welcome")
		s.must(s.flow.SetStaff(t.Context(), ""))
		then("pause")
		s.must(s.flow.SetStaff(t.Context(), "chen"))
		s.invite("A4")
		s.flow.Press(4)
		s.invite("A5") // the untouched reasons give way
		then("welcome invite thank invite")
	})
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

func TestRefusedInvitations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		again := func(want error) {
			t.Helper()
			if _, err := s.flow.Invite(t.Context(), Invitation{Case: "A1", Stage: "acceptance", Service: 1}); !errors.Is(err, want) {
				t.Errorf("invited: %v, want %v", err, want)
			}
		}
		s.invite("A1")
		again(ErrBusy)
		s.flow.Press(4)
		s.on("reasons")
		s.do("reason", "code", "406")
		again(ErrBusy) // the visitor is choosing reasons
		s.do("finish")
		s.on("thanks")
		again(evaluation.ErrRated)
		s.on("thanks") // a refused invitation changes nothing on the pad
		s.must(s.flow.Pause(t.Context(), true))
		again(ErrPaused)
		s.must(s.flow.Pause(t.Context(), false))
		s.mu.Lock()
		s.buttons = false
		s.mu.Unlock()
		s.flow.Display(false)
		again(ErrNobody)
		if err := s.flow.SetStaff(t.Context(), "nobody"); !errors.Is(err, ErrNoStaff) {
			t.Errorf("signed in a stranger: %v", err)
		}
	})
}

// TestUntouchedReasonsGiveWay: the next visitor does not wait for a screen that nobody uses, and what was given is closed.
func TestUntouchedReasonsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		first := s.invite("A1")
		s.flow.Press(4)
		s.on("reasons")
		s.invite("A2")
		s.on("rating")
		if r := s.rating(first.ID); !r.Closed || r.Level != 4 {
			t.Errorf("the first rating is %+v", r)
		}
		// A bad grade keeps its time to be explained.
		s.flow.Press(1)
		s.on("reasons")
		if _, err := s.flow.Invite(t.Context(), Invitation{Case: "A3", Stage: "acceptance", Service: 1}); !errors.Is(err, ErrBusy) {
			t.Errorf("an invitation cut short why: %v", err)
		}
		s.on("reasons")
	})
}

func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		if b := s.on("standby").Body.(view.Standby); b.State != view.StandbyReady || b.Staff == nil || b.Staff.Photo == "" {
			t.Errorf("standby shows %+v", b)
		}
		s.must(s.flow.SetStaff(t.Context(), ""))
		if b := s.on("standby").Body.(view.Standby); b.State != view.StandbyInactive {
			t.Errorf("a window without staff shows %+v", b)
		}
		s.flow.Platform(false)
		if v := s.on("standby"); v.Banner == nil {
			t.Error("nobody is told that the platform is away")
		}
		s.do("help")
		s.on("help")
		s.do("back")
		s.on("standby")
		s.do("help")
		s.now()
		time.Sleep(helpFor + time.Second)
		s.on("standby")
		if _, err := s.flow.Invite(t.Context(), Invitation{Case: "A1", Stage: "acceptance", Service: 1}); !errors.Is(err, ErrInactive) {
			t.Errorf("invited at an inactive window: %v", err)
		}
	})
}
