package visit

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

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// reader is a card reader whose cards the test lays.
type reader struct {
	cards chan idcard.Card
	fail  chan error
}

func (r *reader) Online() bool { return true }

func (r *reader) ReadCard(ctx context.Context, found func()) (idcard.Card, error) {
	select {
	case c := <-r.cards:
		found()
		return c, nil
	case err := <-r.fail:
		return idcard.Card{}, err
	case <-ctx.Done():
		return idcard.Card{}, ctx.Err()
	}
}

// paper is a printer that keeps what it was given and ends as the test says.
type paper struct {
	mu      sync.Mutex
	jobs    []station.Job
	outcome printer.Outcome
	takes   time.Duration
}

func (p *paper) Print(ctx context.Context, job station.Job, progress func(printer.Progress)) printer.Outcome {
	p.mu.Lock()
	p.jobs = append(p.jobs, job)
	p.mu.Unlock()
	job.Compose("1", 1)
	progress(printer.Progress{Sent: 1, Total: 2})
	select {
	case <-time.After(p.takes):
		return p.outcome
	case <-ctx.Done():
		return printer.Outcome{State: printer.Failed, Reason: printer.Cancelled}
	}
}

// stage is a running flow with what it shows.
type stage struct {
	t      *testing.T
	flow   *Flow
	reader *reader
	paper  *paper
	j      *journal.Journal
	mu     sync.Mutex
	last   view.View
}

func (s *stage) show(v view.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = v
}

// now waits until the flow has done all it can and returns what it shows.
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
		s.t.Fatalf("the screen is %s (%s), want %s", v.Screen, v.Title, screen)
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

type plainSeal struct{}

func (plainSeal) Seal(b []byte) ([]byte, error) { return append([]byte("sealed:"), b...), nil }

// content and dictionary are read once: they never change.
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
	dir, err := os.MkdirTemp("", "visit-")
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
	s := &stage{t: t, j: j, reader: &reader{cards: make(chan idcard.Card, 1), fail: make(chan error, 1)}, paper: &paper{outcome: printer.Outcome{State: printer.Printed}}}
	quiet := slog.New(slog.DiscardHandler)
	china := time.FixedZone("CST", 8*3600)
	s.flow = New(Options{
		Show: s.show, Box: view.Box{Width: 1080, Height: 1920}, Machine: "TEST01", Words: wording.Default(), Catalogue: c, Pinyin: d,
		Cases:   casefile.New(j, casefile.Options{Sealer: plainSeal{}, Calendar: c.Calendar, PersonKey: make([]byte, 32), Location: china, Log: quiet}),
		Ratings: evaluation.New(j, reasons, evaluation.Options{Sealer: plainSeal{}, Log: quiet}),
		Reader:  s.reader, Printer: s.paper, Places: Places{Reader: "right", Printer: "below"},
		Idle:     IdleTimes{First: 45 * time.Second, Countdown: 15 * time.Second, LargeFirst: 90 * time.Second, LargeCountdown: 30 * time.Second},
		Location: china, Log: quiet, Accepts: true,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.flow.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		j.Close()
		os.RemoveAll(dir)
	})
	return s
}

// TestPresence: who comes up to the resting screen finds the machine awake; a passer-by changes nothing else.
func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.on("attract")
		s.flow.Presence(false)
		s.on("attract")
		s.flow.Presence(true)
		s.on("home")
		time.Sleep(44 * time.Second)
		s.flow.Presence(true) // somebody else walks by: the visitor's time runs on
		s.on("home")
		time.Sleep(2 * time.Second)
		s.on("attract")
		s.do("touch")
		s.do("guide")
		was := s.now().Screen
		s.flow.Presence(false)
		s.flow.Presence(true)
		s.on(was)
	})
}

// TestHelpButton: the button on the cabinet is as good as 帮助 on the screen, also at the resting screen and in the middle of a visit.
func TestHelpButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.on("attract")
		s.do("help")
		s.on("help")
		s.do("help")
		s.do("back")
		s.on("attract")
		s.do("help")
		time.Sleep(61 * time.Second)
		s.on("attract") // nobody was there
		s.toIdentity()
		s.do("help")
		s.on("help")
		s.do("back")
		s.on("identity")
	})
}

func zhang() idcard.Card {
	return idcard.Card{Kind: "resident", Name: "张三", Number: "11010519491231002X", ValidFrom: "20200101", Permanent: true}
}

func (s *stage) toIdentity() {
	s.t.Helper()
	s.on("attract")
	s.do("touch")
	s.on("home")
	s.do("package", "code", "P2")
	s.on("package")
	s.do("toggle", "item", "P2-03")
	s.do("toggle", "item", "P2-04")
	s.do("apply")
	s.on("card")
	s.reader.cards <- zhang()
	s.on("identity")
}

func (s *stage) toAccepted() {
	s.t.Helper()
	s.toSign()
	s.do("submit") // too early: not signed
	s.on("sign")
	s.do("ink", "strokes", "[[[1,1,0],[2,2,9],[3,3,20],[4,3,30],[5,5,40],[6,6,50]]]")
	s.do("submit")
	s.on("accepted")
}

func (s *stage) toSign() {
	s.t.Helper()
	s.toIdentity()
	s.do("confirm")
	s.fillCompany()
	s.readLetter()
	s.on("sign")
}

func (s *stage) fillCompany() {
	s.t.Helper()
	s.on("company")
	for _, k := range "91350100M000100Y43" + "13800001234" {
		s.do("key", "key", string(k))
	}
	s.do("done")
}

func (s *stage) readLetter() {
	s.t.Helper()
	for part := range 3 {
		v := s.on("letter")
		if got := v.Body.(view.Letter).Part; got != part+1 {
			s.t.Fatalf("part %d of the letter, want %d", got, part+1)
		}
		s.do("acknowledge") // too early: not read
		s.on("letter")
		for p := range s.now().Body.(view.Letter).Pager.Pages {
			s.do("page", "to", string(rune('1'+p)))
		}
		s.do("acknowledge")
	}
}

func TestVisitToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toAccepted()
		body := s.on("accepted").Body.(view.Accepted)
		if body.Pager.Pages*len(body.Cases) != 2 || body.Print.State != view.PrintDone {
			t.Fatalf("accepted shows %+v", body)
		}
		time.Sleep(takeTime + time.Second) // the machine goes on to the rating by itself
		s.on("rating")
		s.do("rate", "level", "9")
		s.on("rating")
		s.do("rate", "level", "1")
		s.on("reasons")
		s.do("reason", "code", "108")
		s.do("reason", "code", "510") // of another level
		s.do("finish")
		s.on("thanks")
		time.Sleep(thanksFor + time.Second)
		s.on("wiped")
		time.Sleep(wipedFor + time.Second)
		s.on("home")
		if s.flow.visit != nil {
			t.Error("the visit is not forgotten")
		}
		if len(s.paper.jobs) != 1 {
			t.Errorf("%d papers were printed", len(s.paper.jobs))
		}
	})
}

// TestSilence: a visitor who falls silent is asked, may stay as often as they like, and is wiped when they do not answer.
func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name             string
		large            bool
		first, countdown time.Duration
	}{{"标准", false, 45 * time.Second, 15 * time.Second}, {"大字", true, 90 * time.Second, 30 * time.Second}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				s.toIdentity()
				if tt.large {
					s.do("mode", "mode", "large")
				}
				for range 3 {
					s.now()
					time.Sleep(tt.first - time.Second)
					if s.now().Idle != nil {
						t.Fatal("asked too early")
					}
					time.Sleep(2 * time.Second)
					if s.now().Idle == nil {
						t.Fatal("nobody asked 您还在吗")
					}
					s.do("stay")
					if s.now().Idle != nil {
						t.Fatal("the question stays after it was answered")
					}
				}
				time.Sleep(tt.first + tt.countdown + time.Second)
				s.on("wiped")
				if s.flow.visit != nil {
					t.Error("the visit is not wiped")
				}
			})
		})
	}
}

// TestPaperOutcomes: what the printer says is what the visitor reads, and only a known failure may be tried again.
func TestPaperOutcomes(t *testing.T) {
	for _, tt := range []struct {
		out   printer.Outcome
		state view.PrintState
		code  string
		again bool
	}{
		{printer.Outcome{State: printer.Failed, Reason: printer.PaperOut}, view.PrintFailed, "P-104", true},
		{printer.Outcome{State: printer.Failed, Reason: printer.PaperOut, Bytes: 90}, view.PrintFailed, "P-106", true},
		{printer.Outcome{State: printer.Failed, Reason: printer.PaperOut, Bytes: 90, Held: true}, view.PrintFailed, "P-111", true},
		{printer.Outcome{State: printer.Failed, Reason: printer.OutputJam}, view.PrintFailed, "P-112", true},
		{printer.Outcome{State: printer.Failed, Reason: printer.CoverOpen}, view.PrintFailed, "P-102", true},
		{printer.Outcome{State: printer.Failed, Reason: printer.Offline}, view.PrintFailed, "P-101", true},
		{printer.Outcome{State: printer.Indeterminate, Reason: printer.Gone, Bytes: 90}, view.PrintIndeterminate, "P-107", false},
		{printer.Outcome{State: printer.Sent, Bytes: 90}, view.PrintSent, "P-108", false},
	} {
		t.Run(tt.code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				s.paper.outcome = tt.out
				s.toAccepted()
				body := s.on("accepted").Body.(view.Accepted)
				if body.Print.State != tt.state || body.Print.Failure == nil || body.Print.Failure.Code != tt.code {
					t.Fatalf("the screen says %+v, want %s with %s", body.Print, tt.state, tt.code)
				}
				s.do("print")
				s.now()
				if got := len(s.paper.jobs) == 2; got != tt.again {
					t.Errorf("printed again: %v, want %v", got, tt.again)
				}
			})
		})
	}
}

// TestPaperInTheOutput: the screen follows the receipt, and one that was taken back may be printed again.
func TestPaperInTheOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toAccepted()
		shown := func() view.Print { return s.on("accepted").Body.(view.Accepted).Print }
		if p := shown(); p.State != view.PrintDone || p.Place != view.PaperUnknown {
			t.Fatalf("printed: %+v", p)
		}
		first := s.paper.jobs[0].Presence
		for _, w := range []struct {
			is    printer.Presence
			place view.PaperPlace
			sound view.Sound
		}{{printer.Present, view.PaperPresent, view.SoundNone}, {printer.Forgotten, view.PaperForgotten, view.SoundAlert}, {printer.Taken, view.PaperTaken, view.SoundNone}} {
			first(w.is)
			v := s.on("accepted")
			if p := v.Body.(view.Accepted).Print; p.State != view.PrintDone || p.Place != w.place || v.Sound != w.sound {
				t.Errorf("%s: %+v, sound %q", w.is, p, v.Sound)
			}
		}
		first(printer.Retracted)
		if p := shown(); p.State != view.PrintRetracted || p.Failure == nil || p.Failure.Code != "P-110" {
			t.Fatalf("taken back: %+v", p)
		}
		s.do("print")
		if p := shown(); p.State != view.PrintDone || p.Failure != nil || len(s.paper.jobs) != 2 {
			t.Errorf("printed again: %+v, %d jobs", p, len(s.paper.jobs))
		}
	})
}

// TestCardErrors: each class of failure has its own sentence, and the reader goes on asking where the visitor can mend it.
func TestCardErrors(t *testing.T) {
	says := map[string]string{} // by code
	for _, class := range idcard.Classes() {
		tt := map[idcard.Class]struct {
			state view.CardState
			code  string
		}{
			idcard.ClassAgain:      {view.CardAgain, "R-201"},
			idcard.ClassUnreadable: {view.CardUnreadable, "R-202"},
			idcard.ClassFault:      {view.CardOut, "R-203"},
			idcard.ClassGone:       {view.CardOut, "R-203"},
			idcard.ClassBusy:       {view.CardOut, "R-203"}, // these two cannot come from a reader with one visitor
			idcard.ClassAbsent:     {view.CardOut, "R-203"},
		}[class]
		t.Run(string(class), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				s.do("touch")
				s.do("progress")
				s.on("card")
				s.reader.fail <- &idcard.Error{Class: class, Op: "read", Err: errors.New("test")}
				v := s.on("card")
				body := v.Body.(view.CardScreen)
				if body.State != tt.state || body.Failure == nil || body.Failure.Code != tt.code {
					t.Fatalf("the screen says %+v", body)
				}
				if f := body.Failure; f.What == "" || f.Means == "" || f.Do == "" {
					t.Errorf("%s leaves something unsaid: %+v", f.Code, f)
				} else {
					says[f.Code] = f.What + f.Do
				}
				if way := len(v.Foot) > 0; way != (tt.state != view.CardAgain) {
					t.Errorf("another way is offered: %v", way)
				}
				if tt.state == view.CardOut {
					s.do("retry")
				}
				s.reader.cards <- zhang()
				v = s.now()
				if v.Screen != "fault" || v.Body.(view.Fault).Failure.Code != "V-502" {
					t.Errorf("after a good card the screen is %s: %+v", v.Screen, v.Body)
				}
			})
		})
	}
	if len(says) != 3 || says["R-201"] == says["R-202"] || says["R-202"] == says["R-203"] || says["R-201"] == says["R-203"] {
		t.Errorf("the classes are told apart by %q", says)
	}
}

// TestExpiredCardFindsItsCases: a card whose validity is over is good for no application, but its holder may still ask what became
// of the last one.
func TestExpiredCardFindsItsCases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.do("touch")
		s.do("progress")
		s.on("card")
		c := zhang()
		c.Permanent, c.ValidTo = false, "19991231"
		s.reader.cards <- c
		if v := s.now(); v.Screen != "fault" || v.Body.(view.Fault).Failure.Code != "V-502" { // none yet
			t.Errorf("after an expired card the screen is %s: %+v", v.Screen, v.Body)
		}
	})
}

func TestExpiredCardEndsHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.do("touch")
		s.do("package", "code", "P2")
		s.do("toggle", "item", "P2-03")
		s.do("apply")
		c := zhang()
		c.Permanent, c.ValidTo = false, "19991231"
		s.on("card")
		s.reader.cards <- c
		body := s.on("identity").Body.(view.Identity)
		if !body.Expired || body.Failure == nil {
			t.Fatalf("an expired card shows %+v", body)
		}
		s.do("confirm")
		s.on("identity")
	})
}

// TestEveryScreenLeadsHome walks every action that a screen offers, up to a depth, and from each screen home.
func TestEveryScreenLeadsHome(t *testing.T) {
	ways := [][]string{
		{"guide"}, {"guide", "choose:item=P2-01"}, {"apply", "tab:tab=items"}, {"apply", "tab:tab=stages", "stage:name=开办"}, {"search", "key:key=g"},
		{"disclosure"}, {"disclosure", "list:id=power"}, {"disclosure", "list:id=power", "row:n=1"}, {"assist"}, {"help"}, {"progress"},
		{"package:code=P1", "guide:item=P1-05", "apply"}, {"package:code=P1", "toggle:item=P1-02", "apply"},
	}
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.do("touch")
		for _, way := range ways {
			s.on("home")
			for _, step := range way {
				do, arg, _ := strings.Cut(step, ":")
				name, value, _ := strings.Cut(arg, "=")
				s.do(do, name, value)
				if v := s.now(); v.Title == "" || strings.Contains(v.Title, "⟦") {
					t.Errorf("%v: the screen %s has the title %q", way, v.Screen, v.Title)
				}
			}
			if v := s.now(); v.Screen == "home" {
				t.Errorf("%v leads nowhere", way)
			}
			s.do("help")
			s.on("help")
			s.do("back")
			s.do("home")
			if s.now().Screen == "wiped" {
				time.Sleep(wipedFor + time.Second)
			}
		}
	})
}
