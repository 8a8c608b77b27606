package window

import (
	"errors"
	"testing"
	"testing/synctest"

	"yuanban/ui/view"
)

// TestYield: while a technician has the pad an open invitation has ended as one that nobody answered, and no other is taken.
func TestYield(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.flow.Display(true)
		s.invite("430682202611220001")
		s.flow.Yield(true)
		if v := s.on("standby").Body.(view.Standby); v.State != view.StandbyPaused {
			t.Errorf("%+v", v)
		}
		if got := s.told(); got != "open timeout" {
			t.Errorf("the window PC heard %q", got)
		}
		if _, err := s.flow.Invite(t.Context(), Invitation{Case: "430682202611220002", Stage: "acceptance", Service: 1}); !errors.Is(err, ErrPaused) {
			t.Errorf("an invitation meanwhile: %v", err)
		}
		s.flow.Yield(false)
		s.invite("430682202611220002")
		s.on("rating")
	})
}
