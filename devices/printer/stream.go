package printer

import "time"

// stream is what is under way to the paper: how many bytes the printer may still hold, and which questions it owes an answer to.
type stream struct {
	sent  int // bytes written, realtime commands not counted
	done  int // of these, executed for certain
	open  []milestone
	paper time.Time // when all that was sent should be on paper if nothing stops it
}

// milestone is a question without an answer.
type milestone struct {
	job *job
	at  int       // stream.sent behind it
	id  *[4]byte  // its process id, nil for a question in order
	due time.Time // when the clock answers it; zero if the printer does
}

// unread is how many bytes may still be in the printer's buffer.
func (s *stream) unread() int { return s.sent - s.done }

// moved notes that commands were sent which move that much paper.
func (s *stream) moved(took time.Duration, arrived time.Time) {
	if s.paper.Before(arrived) {
		s.paper = arrived
	}
	s.paper = s.paper.Add(took)
}

// pass answers the first n open milestones.
func (s *stream) pass(n int) {
	for _, m := range s.open[:n] {
		s.done = m.at
		if m.job != nil {
			m.job.answered++
			m.job.confirmed = m.job.confirmed || m.id != nil
		}
	}
	s.open = s.open[n:]
}

// inOrder takes an answer in order. It is false if nobody waits for one.
func (s *stream) inOrder() bool {
	if len(s.open) == 0 || s.open[0].id != nil || !s.open[0].due.IsZero() {
		return false
	}
	s.pass(1)
	return true
}

// processed takes the answer to a process id: everything before it is done, also what was never answered for.
func (s *stream) processed(id [4]byte) bool {
	for i, m := range s.open {
		if m.id != nil && *m.id == id {
			s.pass(i + 1)
			return true
		}
	}
	return false
}

// tick answers the milestones of the clock.
func (s *stream) tick(now time.Time) {
	n := 0
	for n < len(s.open) && !s.open[n].due.IsZero() && !s.open[n].due.After(now) {
		n++
	}
	s.pass(n)
}

// settled forgets all open questions: everything sent is known to be done.
func (s *stream) settled() {
	s.open = nil
	s.done = s.sent
}
