package visit

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/ui/view"
)

// These are ways people really take through the screens, each of which once went wrong.

func TestAnotherPersonSignsForThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toSign()
		s.do("ink", "strokes", "[[[1,1,0],[2,2,9],[3,3,20],[4,3,30],[5,5,40],[6,6,50]]]")
		for range 5 { // sign, three parts, company
			s.do("back")
		}
		s.on("identity")
		s.do("other")
		s.on("card")
		s.reader.cards <- idcard.Card{Kind: "resident", Name: "李四", Number: "110101199003070011", ValidFrom: "20200101", Permanent: true}
		s.on("identity")
		s.do("confirm")
		for _, f := range s.on("company").Body.(view.Company).Fields {
			if f.Shown != "" {
				t.Errorf("the next person finds %s in the field %s", f.Shown, f.Name)
			}
		}
		s.fillCompany()
		s.readLetter()
		if body := s.on("sign").Body.(view.Sign); body.Inked || body.Strokes != "" {
			t.Error("the former person's signature stands under the letter")
		}
		s.do("submit")
		s.on("sign")
	})
}

func TestBackToHomeWipes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toIdentity()
		for range 2 { // the package, home
			s.do("back")
		}
		if v := s.now(); v.Screen != "wiped" || strings.Contains(v.Body.(view.Wiped).Why, "办理结束") {
			t.Fatalf("back to home shows %s: %+v", v.Screen, v.Body)
		}
		time.Sleep(wipedFor + time.Second)
		s.on("home")
		if s.flow.visit != nil {
			t.Error("the visit is not forgotten")
		}
	})
}

// TestLeavingWhileHandingIn: what is being committed is seen before anything else happens.
func TestLeavingWhileHandingIn(t *testing.T) {
	for _, do := range []string{"home", "back", "help", "finish"} {
		t.Run(do, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				s.toSign()
				s.do("ink", "strokes", "[[[1,1,0],[2,2,9],[3,3,20],[4,3,30],[5,5,40],[6,6,50]]]")
				s.do("submit")
				s.do(do)
				s.do("submit")
				v := s.now()
				cases, err := s.flow.opt.Cases.ByPerson(t.Context(), zhang().Number)
				if err != nil || len(cases) != 2 {
					t.Fatalf("%d cases (%v), want 2", len(cases), err)
				}
				if v.Screen == "wiped" && !strings.Contains(v.Body.(view.Wiped).Why, "办理结束") {
					t.Errorf("%s while handing in shows %s: %+v", do, v.Screen, v.Body)
				}
			})
		})
	}
}

func TestGuidePrintsBehindHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.paper.takes = 3 * time.Second
		s.do("touch")
		s.do("guide")
		s.do("choose", "item", "P2-01")
		s.on("guide")
		s.do("print")
		s.do("help")
		s.on("help")
		s.do("back")
		s.on("guide")
		time.Sleep(4 * time.Second)
		if p := s.on("guide").Body.(view.Guide).Print; p == nil || p.State != view.PrintDone {
			t.Errorf("after the print the guide says %+v", p)
		}
	})
}

// TestCardBehindHelp: a card that is laid while another screen is seen replaces nothing.
func TestCardBehindHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.do("touch")
		s.do("progress")
		s.on("card")
		s.do("help")
		s.on("help")
		s.reader.cards <- zhang()
		s.on("help")
		s.do("back")
		if v := s.now(); v.Screen == "help" {
			t.Errorf("back from help shows %s", v.Screen)
		}
	})
}

// TestLongPrintIsNoSilence: the visitor has their whole time after a print that took longer than any idleness.
func TestLongPrintIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.paper.takes = 80 * time.Second
		s.paper.outcome = printer.Outcome{State: printer.Failed, Reason: printer.PaperOut, Bytes: 40}
		s.toAccepted()
		time.Sleep(81 * time.Second)
		v := s.on("accepted")
		if v.Idle != nil || v.Body.(view.Accepted).Print.State != view.PrintFailed {
			t.Fatalf("after a long print: idle %v, print %+v", v.Idle, v.Body.(view.Accepted).Print)
		}
		time.Sleep(40 * time.Second)
		s.on("accepted")
	})
}

// TestPaperTroubleWhileRating: who rates while the receipt fails is told, and led back to what they can do.
func TestPaperTroubleWhileRating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.paper.takes = 5 * time.Second
		s.paper.outcome = printer.Outcome{State: printer.Indeterminate, Reason: printer.Gone, Bytes: 40}
		s.toAccepted()
		s.do("rate")
		s.on("rating")
		time.Sleep(6 * time.Second)
		if v := s.on("rating"); v.Banner == nil {
			t.Error("the failed receipt is not told on the rating screen")
		}
		s.do("decline")
		v := s.on("accepted")
		if got := v.Foot[len(v.Foot)-1].Do; got != "finish" {
			t.Errorf("the way on is %s, want finish: the rating has been asked for", got)
		}
		s.do("finish")
		s.on("wiped")
	})
}

// TestModesEndWithTheirVisitor: the next one finds the screens as they are.
func TestModesEndWithTheirVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.do("touch")
		s.do("mode", "mode", "large")
		s.do("mode", "mode", "mute")
		s.on("home")
		time.Sleep(3 * time.Minute)
		if v := s.on("attract"); v.Modes != (view.Modes{}) {
			t.Errorf("the resting screen has %+v", v.Modes)
		}
	})
}
