package printer

import (
	"context"
	"errors"
	"time"
)

const (
	pollEvery  = 800 * time.Millisecond // with a round that takes its time, everything is known within a second
	answerWait = 350 * time.Millisecond // a realtime request is answered at once, whatever the printer is doing
	quietWait  = 150 * time.Millisecond // after an unanswered request: time for its answer to come late
	// Once an answer came later than that, the printer is given more time for the rest of this Run.
	slowAnswer = 700 * time.Millisecond
	slowQuiet  = 500 * time.Millisecond
	// silence is how many unanswered requests in a row make a printer silent. One may be noise.
	silence = 2
)

// poller asks the questions of the profile, round after round. The answers do not say which question they belong to, so there is one
// question at a time, and after one that stayed without an answer nothing is asked until a late one can no longer come.
type poller struct {
	questions []question
	at        int       // index of the question under way or next; len(questions) between rounds
	asked     *question // the question under way
	askedAt   time.Time
	roundAt   time.Time // when the next round begins
	debt      int       // questions that were given up and might still be answered
	debtAt    time.Time
	slow      bool

	rounds    int // complete rounds so far
	strikes   int // unanswered realtime questions so far
	run       int // of them in a row
	silences  int // how often the printer fell silent
	strays    int // answers nobody waited for
	tentative int // answers in order that came while an answer of several bytes was awaited: they might be parts of it
	answerOK  bool
}

func (p *poller) answerWait() time.Duration {
	if p.slow {
		return slowAnswer
	}
	return answerWait
}

func (p *poller) quietWait() time.Duration {
	if p.slow {
		return slowQuiet
	}
	return quietWait
}

// due does what is due: gives up an overdue answer, or asks the next question.
func (p *poller) due(d *Printer, now time.Time) error {
	if len(p.questions) == 0 || !d.boundary {
		return nil
	}
	if p.asked != nil {
		if now.Sub(p.askedAt) >= p.answerWait() {
			p.strike(d, now)
		}
		return nil
	}
	if p.debt > 0 {
		if now.Sub(p.debtAt) < p.quietWait() {
			return nil
		}
		p.debt = 0
	}
	if p.at == len(p.questions) {
		if now.Before(p.roundAt) {
			return nil
		}
		p.at, p.roundAt = 0, now.Add(pollEvery)
	}
	q := &p.questions[p.at]
	if q.inOrder && !d.idle() {
		p.next(d)
		return nil
	}
	p.asked, p.askedAt = q, now
	if q.inOrder {
		d.parse.expect = q.answer
	}
	n, err := d.write(q.ask)
	if errors.Is(err, errStuck) {
		if n > 0 {
			d.needHeal = true
		}
		p.strike(d, time.Now())
		return nil
	}
	return err
}

// strike gives a question up.
func (p *poller) strike(d *Printer, now time.Time) {
	q := p.asked
	p.asked, p.at = nil, len(p.questions)
	p.debt++
	p.debtAt = now
	d.doubt += p.tentative
	p.tentative = 0
	d.parse.expect = nil
	if q.inOrder { // it may be busy with its motor: no news is no fault
		return
	}
	p.strikes++
	p.run++
	p.roundAt = now // ask again soon
	if p.run == silence {
		p.silences++
		p.answerOK = false
		d.needHeal = true // it may have been switched off and on, and have forgotten its modes
	}
	d.publish()
}

// wakeAt is when due has something to do.
func (p *poller) wakeAt(d *Printer, now time.Time) (time.Time, bool) {
	switch {
	case len(p.questions) == 0 || !d.boundary:
		return time.Time{}, false
	case p.asked != nil:
		return p.askedAt.Add(p.answerWait()), true
	case p.debt > 0:
		return p.debtAt.Add(p.quietWait()), true
	case p.at < len(p.questions):
		return now, true
	}
	return p.roundAt, true
}

// answered takes an answer. One nobody waits for is dropped, and shows that others may have been mistaken.
func (p *poller) answered(d *Printer, a answer) {
	if p.debt > 0 {
		p.debt--
		p.debtAt = time.Now()
		p.slow = true
		return
	}
	if p.asked == nil || !p.asked.answer.fits(a.data) {
		p.strays++
		d.doubt++
		return
	}
	q := p.asked
	p.asked = nil
	d.flags.take(&q.report, a.data)
	for ; p.tentative > 0; p.tentative-- {
		d.passed()
	}
	if !q.inOrder {
		p.run = 0
	}
	p.next(d)
}

// next goes on to the question after this one.
func (p *poller) next(d *Printer) {
	if p.at++; p.at == len(p.questions) {
		p.rounds++
		p.answerOK = true
		d.flags.round()
	}
}

// refresh asks everything afresh and waits for the answers. It is false if the printer does not answer.
func (d *Printer) refresh(ctx context.Context) (bool, error) {
	p := &d.poll
	if len(p.questions) == 0 {
		return true, nil
	}
	end := time.Now().Add(10 * time.Second)
	for {
		want, strays, silences := p.rounds+1, p.strays, p.silences
		if p.asked != nil {
			want++ // the round under way began before now
		}
		p.roundAt = time.Now()
		err := d.pump(ctx, end, func() bool { return p.rounds >= want || p.silences != silences || p.run >= silence })
		if err != nil || p.rounds < want {
			return false, err
		}
		// An answer too many would mean that those of this round belong to the questions before them.
		if err := d.pump(ctx, time.Now().Add(4*d.byteTime+5*time.Millisecond), func() bool { return p.strays != strays }); err != nil {
			return false, err
		}
		if p.strays == strays || !time.Now().Before(end) {
			return p.strays == strays, nil
		}
	}
}
