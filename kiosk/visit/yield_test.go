package visit

import (
	"testing"
	"testing/synctest"
	"time"

	"yuanban/kiosk/station"
)

// TestYield: a technician who takes the machine in the middle of a visit finds nothing of it, and visitors find the machine at home again.
func TestYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toIdentity()
		s.flow.Yield(true)
		s.on("attract")
		if s.flow.visit != nil || len(s.flow.stack) != 1 {
			t.Error("the visit is not forgotten")
		}
		s.flow.Presence(true) // the technician stands there
		s.on("attract")
		if resting, err := s.flow.Ping(t.Context()); resting || err != nil {
			t.Errorf("with a technician it says %v, %v", resting, err)
		}
		s.flow.Yield(false)
		s.on("home")
		s.flow.Yield(false) // once more changes nothing
		s.do("help")
		s.flow.Yield(false)
		s.on("help")
	})
}

// TestYieldAtRating: an invitation that is open ends as one that nobody answered.
func TestYieldAtRating(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.toAccepted()
		time.Sleep(takeTime + time.Second)
		s.on("rating")
		s.flow.Yield(true)
		s.on("attract")
		if s.flow.cued != station.CueWelcome || s.flow.visit != nil {
			t.Errorf("the buttons still show %s", s.flow.cued)
		}
	})
}
