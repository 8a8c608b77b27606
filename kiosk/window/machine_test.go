package window

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestPing: the window answers from its own goroutine, says whether somebody is being asked, and does not answer while it hangs.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		ask := func() (bool, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return s.flow.Ping(ctx)
		}
		if resting, err := ask(); !resting || err != nil {
			t.Errorf("at rest it says %v, %v", resting, err)
		}
		if _, err := s.flow.Invite(t.Context(), Invitation{Case: "A1", Stage: "acceptance", Service: 1}); err != nil {
			t.Fatal(err)
		}
		if resting, err := ask(); resting || err != nil {
			t.Errorf("while it asks it says %v, %v", resting, err)
		}
		hold := make(chan struct{})
		s.flow.post(func() { <-hold })
		if _, err := ask(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a window that hangs says %v", err)
		}
		close(hold)
	})
}

// TestHalted: a pad that can record nothing says so instead of standing there as if it could.
func TestHalted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		s.on("standby")
		s.flow.Halted(true)
		s.on("fault")
		s.flow.Halted(false)
		s.on("standby")
	})
}
