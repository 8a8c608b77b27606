package visit

import (
	"context"
	"crypto/rand"
	"time"

	"yuanban/devices/idcard"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation"
	"yuanban/ui/view"
)

// session is what one visit knows. All of it is forgotten at once: the flow drops the one pointer to it.
type session struct {
	id     string // opaque; accepting twice under one id yields the same cases
	ctx    context.Context
	cancel context.CancelFunc

	pack  *catalogue.Package // nil when single items were chosen
	items []*catalogue.Item

	card      *idcard.Card
	credit    string
	noCompany bool
	phone     string

	negative     bool // 负面清单 confirmed as not listed
	letter       *catalogue.Letter
	number       string // of the letter
	acknowledged [3]time.Time
	strokes      string

	cases     []casefile.Case
	print     view.Print // the receipt's
	stopPrint context.CancelFunc
	skipped   bool // 不打印: the visitor wants no paper
	asked     bool // for the rating; once is enough
}

// otherPerson forgets all that the person before has said, and keeps what is applied for.
func (s *session) otherPerson() {
	s.card, s.credit, s.noCompany, s.phone = nil, "", false, ""
	s.letter, s.number, s.acknowledged, s.strokes = nil, "", [3]time.Time{}, ""
}

// begun says whether the visit holds anything that a next visitor must not see.
func (s *session) begun() bool {
	return s != nil && (s.card != nil || s.credit != "" || s.phone != "" || len(s.cases) > 0 || len(s.items) > 0)
}

// session returns the running visit, beginning one where there is none.
func (f *Flow) session() *session {
	if f.visit == nil {
		ctx, cancel := context.WithCancel(f.ctx)
		f.visit = &session{id: rand.Text(), ctx: ctx, cancel: cancel}
	}
	return f.visit
}

// forget wipes the visit: work done for it is cancelled, a print that still waits is cleared, and nothing refers to its data any more.
func (f *Flow) forget() {
	if f.visit != nil {
		f.visit.cancel()
		f.visit = nil
	}
	f.modes = view.Modes{}
	f.warned = false
}

// leaveForHome is the visitor's own way home: what was begun is wiped, and the screen says so.
func (f *Flow) leaveForHome() {
	f.leaveRating(evaluation.Declined)
	if !f.visit.begun() {
		f.begin(&home{})
		return
	}
	why := f.word("wiped.left")
	if len(f.visit.cases) > 0 || len(f.visit.items) == 0 {
		why = f.word("wiped.done")
	}
	modes := f.modes
	f.forget()
	f.modes = modes // the same person stands there and goes on with 大字
	f.begin(&wiped{why: why, until: time.Now().Add(wipedFor)})
}

// idledOut wipes a visit that nobody answers for.
func (f *Flow) idledOut() {
	f.leaveRating(evaluation.Timeout)
	begun := f.visit.begun()
	f.forget()
	if begun {
		f.begin(&wiped{why: f.word("wiped.timeout"), until: time.Now().Add(wipedFor)})
		return
	}
	f.begin(&attract{})
}

// finish ends a visit that went to its end.
func (f *Flow) finish() {
	f.forget()
	f.begin(&wiped{why: f.word("wiped.done"), until: time.Now().Add(wipedFor)})
}
