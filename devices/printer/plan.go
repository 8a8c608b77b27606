package printer

import "slices"

// step is one command of a job, or a milestone: a question that is answered in order with the data.
type step struct {
	cmd  Command  // empty for a milestone that the clock answers
	mark bool     // it is a milestone
	id   *[4]byte // of a milestone that is a process id
	gate int      // how many milestones of the job must have been answered before it is sent
	dots int      // of paper it moves
}

// plan is a job as it will be sent: its commands with milestones between them.
//
// The milestones keep the printer on a short lead. A command is sent only when the lines that are more than the lead before it are
// known to be done, when the buffer surely has room for it, and, where the last line begins, when all but a few lines are done. So
// nothing can be lost for want of room, whatever becomes of an XOFF; a fault finds no more than the lead in the printer; and a job that
// has to be given up before its last line was sent is known not to be whole.
type plan struct {
	steps []step
	total int // bytes
	vital int // bytes before the last ink: while no more were sent, no whole receipt can come out
	marks int
}

const (
	tailLines = 3 // lines that may be unanswered for when the last one is sent: the motor does not stop for the answer
	proofs    = 3 // questions in order that prove the end: noise that looks like an answer does not come in threes
)

type planner struct {
	plan
	ask         Command // nil: the clock answers
	ruler       ruler
	lead, every int // lines
	room        int // bytes that may be unanswered for
	stride      int // bytes from milestone to milestone
	bytes       int
	lines       int
	unasked     int // bytes since the last milestone
	asked       []spot
	lastLine    int // index into the commands where the last line begins
	tail        int // lines behind which a milestone must stand
	tailMark    int // milestones up to it, 0 = none yet
}

// spot is how far a milestone is.
type spot struct{ bytes, lines int }

// makePlan puts milestones into a job. The job ends with the question id, if there is one, or else with the proofs.
func makePlan(cmds []Command, p *Profile, d *dialect, id *[4]byte) *plan {
	pl := &planner{ask: d.ask, ruler: newRuler(p), lead: p.Confirm.Lead, every: max(p.Confirm.Lead/2, 1)}
	pl.room = max(p.Flow.Buffer-p.Flow.Headroom, p.Flow.Buffer/2)
	pl.stride = max(pl.room/3, 12)
	if pl.ask == nil && p.Flow.Control != FlowNone {
		pl.room, pl.stride = 1<<30, 1<<30 // the clock is not needed to guard the buffer
	}
	pl.survey(cmds)
	for i, c := range cmds {
		pl.command(i, c)
	}
	switch {
	case id != nil:
		ask := processIDCommand(*id)
		pl.add(step{cmd: ask, mark: true, id: id, gate: pl.gate(len(ask))})
	case p.Confirm.Method == ConfirmInOrder:
		for range proofs {
			pl.mark()
		}
	default:
		pl.mark()
	}
	return &pl.plan
}

// survey finds the last ink, the beginning of the line it stands in, and where the milestone before that belongs.
func (pl *planner) survey(cmds []Command) {
	last := 0
	for i, c := range cmds {
		if inks(c) {
			last = i
		}
	}
	for last > 0 && isRaster(cmds[last]) && isRaster(cmds[last-1]) { // the bands of one picture
		last--
	}
	for _, c := range cmds[:last] {
		pl.vital += len(c)
	}
	r := pl.ruler
	lines := 0
	for i, c := range cmds[:last] {
		if _, line := r.measure(c); line {
			lines++
			pl.lastLine = i + 1
		}
	}
	if lines > 0 {
		pl.tail = max(lines-tailLines, 1)
	}
}

func isRaster(c Command) bool { return len(c) >= 8 && c[0] == gs && c[1] == 'v' }

// command adds one command of the document.
func (pl *planner) command(i int, c Command) {
	if pl.unasked > 0 && pl.unasked+len(c) > pl.stride {
		pl.mark()
	}
	s := step{cmd: c, gate: pl.gate(len(c))}
	if i >= pl.lastLine {
		s.gate = max(s.gate, pl.tailMark)
	}
	var line bool
	s.dots, line = pl.ruler.measure(c)
	pl.add(s)
	if !line {
		return
	}
	pl.lines++
	switch {
	case pl.lines == pl.tail:
		pl.mark()
		pl.tailMark = pl.marks
	case pl.lead > 0 && pl.lines%pl.every == 0:
		pl.mark()
	}
}

// gate is how many milestones must be answered before n more bytes may be sent.
func (pl *planner) gate(n int) int {
	gate := 0
	if over := pl.lines - pl.lead; pl.lead > 0 && over > 0 {
		i := slices.IndexFunc(pl.asked, func(p spot) bool { return p.lines >= over })
		gate = i + 1
	}
	if over := pl.bytes + n - pl.room; over > 0 {
		i := slices.IndexFunc(pl.asked, func(p spot) bool { return p.bytes >= over })
		if i < 0 {
			i = len(pl.asked) - 1 // longer than the buffer: the printer takes it as it comes once all before it is done
		}
		gate = max(gate, i+1)
	}
	return gate
}

func (pl *planner) mark() { pl.add(step{cmd: pl.ask, mark: true, gate: pl.gate(len(pl.ask))}) }

func (pl *planner) add(s step) {
	pl.steps = append(pl.steps, s)
	pl.bytes += len(s.cmd)
	pl.total += len(s.cmd)
	pl.unasked += len(s.cmd)
	if s.mark {
		pl.marks++
		pl.unasked = 0
		pl.asked = append(pl.asked, spot{pl.bytes, pl.lines})
	}
	// What stands before the vital byte grows with the milestones put there.
	if s.mark && pl.bytes-len(s.cmd) <= pl.vital {
		pl.vital += len(s.cmd)
	}
}
