package visit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"yuanban/ui/view"
)

// TestPing: the flow answers from its own goroutine, says whether somebody is being served, and does not answer while it hangs.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stand(t)
		ask := func() (bool, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return s.flow.Ping(ctx)
		}
		resting, err := ask()
		if !resting || err != nil {
			t.Errorf("at rest it says %v, %v", resting, err)
		}
		s.toIdentity()
		if resting, err = ask(); resting || err != nil {
			t.Errorf("with a visitor it says %v, %v", resting, err)
		}
		hold := make(chan struct{})
		s.flow.post(func() { <-hold }) // as a call that never returns
		if _, err = ask(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a flow that hangs says %v", err)
		}
		close(hold)
		if _, err = ask(); err != nil {
			t.Errorf("and then %v", err)
		}
	})
}

// TestHalted: while nothing can be recorded, nobody is led through an application in vain; guides stay, and it ends by itself.
func TestHalted(t *testing.T) {
	for why, code := range map[Halt]string{HaltJournal: "J-401", HaltClock: "J-407"} {
		t.Run(string(why), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stand(t)
				s.flow.Halted(why)
				s.do("touch")
				v := s.on("home")
				if body := v.Body.(view.Home); body.CanApply || body.ApplyWord == "" || v.Banner == nil || v.Banner.Kind != view.BannerWarning {
					t.Errorf("home says %+v, banner %+v", body, v.Banner)
				}
				s.do("package", "code", "P2")
				s.on("package")
				s.do("toggle", "item", "P2-03")
				s.do("apply")
				if v := s.on("fault"); v.Body.(view.Fault).Failure.Code != code {
					t.Errorf("applying gives %+v", v.Body)
				}
				s.do("home")
				s.now()
				s.flow.Halted(HaltNone)
				s.do("touch")
				if v := s.on("home"); !v.Body.(view.Home).CanApply || v.Banner != nil {
					t.Errorf("afterwards home says %+v, banner %+v", v.Body, v.Banner)
				}
			})
		})
	}
}
