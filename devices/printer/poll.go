package printer

import (
	"context"
	"errors"
	"time"
)

const (
	pollEvery  = time.Second
	answerWait = 700 * time.Millisecond // a realtime request is answered at once, whatever the printer is doing
	quietWait  = 500 * time.Millisecond // after an unanswered request: time for its answer to come late
)

// poller asks DLE EOT n for each n of the profile once a second. The answers do not say which question they belong to, so there is one
// question at a time, and after one that stayed without an answer nothing is asked until a late one can no longer come.
type poller struct {
	ns       []int
	at       int // index into ns of the question under way or next; len(ns) between rounds
	asked    int // the question under way, 0 = none
	askedAt  time.Time
	roundAt  time.Time // when the next round begins
	debt     int       // questions that were given up and might still be answered
	debtAt   time.Time
	rounds   int // complete rounds so far
	strikes  int // unanswered questions so far
	answerOK bool
}

// due does what is due: gives up an overdue answer, or asks the next question.
func (p *poller) due(d *Printer, now time.Time) error {
	if len(p.ns) == 0 || !d.boundary {
		return nil
	}
	if p.asked != 0 {
		if now.Sub(p.askedAt) >= answerWait {
			p.strike(d, now)
		}
		return nil
	}
	if p.debt > 0 {
		if now.Sub(p.debtAt) < quietWait {
			return nil
		}
		p.debt = 0
	}
	if p.at == len(p.ns) {
		if now.Before(p.roundAt) {
			return nil
		}
		p.at, p.roundAt = 0, now.Add(pollEvery)
	}
	p.asked, p.askedAt = p.ns[p.at], now
	n, err := d.write([]byte{dle, 0x04, byte(p.asked)})
	if errors.Is(err, errStuck) {
		if n > 0 {
			d.needHeal = true
		}
		p.strike(d, time.Now())
		return nil
	}
	return err
}

func (p *poller) strike(d *Printer, now time.Time) {
	p.asked, p.at = 0, len(p.ns)
	p.debt++
	p.debtAt = now
	p.strikes++
	p.answerOK = false
	d.publish()
}

// next is when due has something to do.
func (p *poller) next(d *Printer, now time.Time) (time.Time, bool) {
	switch {
	case len(p.ns) == 0 || !d.boundary:
		return time.Time{}, false
	case p.asked != 0:
		return p.askedAt.Add(answerWait), true
	case p.debt > 0:
		return p.debtAt.Add(quietWait), true
	case p.at < len(p.ns):
		return now, true
	}
	return p.roundAt, true
}

// answered takes the answer to the question under way. An answer nobody waits for is dropped.
func (p *poller) answered(d *Printer, b byte) {
	if p.debt > 0 {
		p.debt--
		p.debtAt = time.Now()
		return
	}
	if p.asked == 0 {
		return
	}
	d.flags.realtime(p.asked, b)
	p.asked = 0
	if p.at++; p.at == len(p.ns) {
		p.rounds++
		p.answerOK = true
	}
}

// refresh asks everything afresh and waits for the answers. It is false if the printer does not answer.
func (d *Printer) refresh(ctx context.Context) (bool, error) {
	p := &d.poll
	if len(p.ns) == 0 {
		return true, nil
	}
	want, strikes := p.rounds+1, p.strikes
	if p.asked != 0 {
		want++ // the round under way began before now
	}
	p.roundAt = time.Now()
	err := d.pump(ctx, time.Now().Add(10*time.Second), func() bool { return p.rounds >= want || p.strikes != strikes })
	return p.rounds >= want, err
}
