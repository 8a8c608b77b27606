package printer

import (
	"context"
	"time"
)

// motion is what an interpreted command does with the paper, or says once everything before it is on the paper.
type motion struct {
	dots    int
	strips  []strip
	cut     bool
	present sheetPlace // where the finished receipts go, sheetHeld = nowhere
	say     []byte
	moved   int
}

// takes is the time that a motion takes.
func (s *Sim) motionTime(m motion, dots int) time.Duration {
	switch d := s.takes(dots); {
	case s.opts.Quick:
		return 0
	case m.cut || m.present != sheetHeld:
		return d + 300*time.Millisecond
	default:
		return d
	}
}

// mechanics interprets commands in order and moves the paper in the time that takes. A printer that reads ahead interprets while paper
// is still to be moved. When closing is closed it returns as soon as there is nothing it could do.
func (s *Sim) mechanics(ctx context.Context, closing <-chan struct{}) {
	for {
		s.mu.Lock()
		changed := s.changed
		switch {
		case s.offline() || s.fault == SimOff || len(s.queue)+len(s.motions) == 0:
			s.mu.Unlock()
			select {
			case <-changed:
			case <-closing:
				return
			case <-ctx.Done():
				return
			}
			continue
		case len(s.queue) > 0 && (len(s.motions) == 0 || s.profile.Confirm.Ahead > 0 && s.pending() <= s.profile.Confirm.Ahead):
			next := s.queue[0]
			s.queue = s.queue[1:]
			s.queued -= next.size
			s.interpret(next.cmd)
			if s.count++; s.count == s.endAfter {
				s.paperLeft = 0
			}
			s.stateChanged()
			s.mu.Unlock()
			continue
		}
		done := s.move(ctx)
		s.mu.Unlock()
		if !done {
			return
		}
		s.tell()
	}
}

// pending is the paper still to be moved.
func (s *Sim) pending() (dots int) {
	for _, m := range s.motions {
		dots += m.dots - m.moved
	}
	return dots
}

// move does the first motion, or as much of it as there is paper for. It is called with the lock held and lets it go while paper moves.
func (s *Sim) move(ctx context.Context) bool {
	m := s.motions[0]
	dots := m.dots - m.moved
	if s.paperLeft >= 0 {
		dots = min(dots, s.paperLeft)
	}
	if d := s.motionTime(m, dots); d > 0 {
		s.moving = true
		s.mu.Unlock()
		select {
		case <-time.After(d):
		case <-ctx.Done():
			s.mu.Lock()
			s.moving = false
			return false // it is done when the printer is served again
		}
		s.mu.Lock()
		s.moving = false
	}
	if len(s.motions) == 0 { // power went
		return true
	}
	if s.paperLeft > 0 {
		s.paperLeft = max(s.paperLeft-dots, 0)
	}
	s.motions[0].moved += dots
	if s.motions[0].moved >= m.dots {
		s.finishMotion(m)
		s.motions = s.motions[1:]
	}
	s.stateChanged()
	return true
}

func (s *Sim) finishMotion(m motion) {
	for _, st := range m.strips {
		s.putStrip(st)
	}
	if m.cut {
		s.finish(false)
	}
	if m.present != sheetHeld {
		for _, sh := range s.receipts {
			if sh.where == sheetHeld || sh.where == sheetOut && m.present != sheetOut {
				sh.where = m.present
			}
		}
	}
	if len(m.say) > 0 {
		s.answer(m.say...)
	}
}

// putStrip puts print on the paper. Pictures of one width that follow each other are one picture.
func (s *Sim) putStrip(st strip) {
	if n := len(s.current.strips); n > 0 && st.reads == "[picture]" {
		last := &s.current.strips[n-1]
		if last.pic != nil && last.pic.w == st.pic.w && last.reads == st.reads {
			last.pic.on = append(last.pic.on, st.pic.on...)
			last.pic.h += st.pic.h
			last.height += st.height
			return
		}
	}
	s.current.strips = append(s.current.strips, st)
}

// dropMotions forgets what is not on the paper yet. The line under way is finished; one that ran out of paper can be read if more than
// the height of its characters came out.
func (s *Sim) dropMotions() {
	switch {
	case len(s.motions) == 0:
	case s.moving && s.fault != SimOff:
		s.motions = s.motions[:1]
	default:
		if m := s.motions[0]; m.moved >= 24 || s.moving {
			for _, st := range m.strips {
				s.putStrip(st)
			}
		}
		s.motions = nil
	}
}
