package visit

import "context"

// Halt is why the machine can record nothing for a visitor at present. Guides and lists are still to be read.
type Halt string

// The reasons, by the name of their texts.
const (
	HaltNone    Halt = ""
	HaltJournal Halt = "journal" // the disk takes nothing
	HaltClock   Halt = "clock"   // a receipt would carry a wrong date
)

// accepts says whether an application or a request can be taken now, and if not, why in a few words.
func (f *Flow) accepts() (ok bool, why string) {
	switch {
	case !f.opt.Accepts:
		return false, f.word("why.notaking")
	case f.halted != HaltNone:
		return false, f.word("why." + string(f.halted))
	}
	return true, ""
}

// haltCode is the failure of an application that cannot begin.
func haltCode(h Halt) string {
	switch h {
	case HaltJournal:
		return "J-401"
	case HaltClock:
		return "J-407"
	}
	return "J-403" // there is no key to seal it to
}

// Halted hands over why nothing can be recorded, or that it can again. A visitor who has begun goes on: the commit itself tells.
func (f *Flow) Halted(why Halt) {
	f.post(func() { f.halted = why; f.refresh() })
}

// Platform hands over whether the platform is reachable.
func (f *Flow) Platform(online bool) {
	f.post(func() { f.online = online; f.refresh() })
}

// Changed says that a device's health or a case of this visit changed; the screen looks again.
func (f *Flow) Changed() { f.post(f.refresh) }

func (f *Flow) refresh() {
	if r, ok := f.top().(refresher); ok {
		r.refresh(f)
	}
}

// Ping returns when the flow's goroutine has answered: the proof that its loop turns. resting says that nobody is being served and
// nobody was just here, so that the display may be refreshed.
func (f *Flow) Ping(ctx context.Context) (resting bool, err error) {
	answer := make(chan bool, 1)
	select {
	case f.inbox <- func() {
		_, waiting := f.top().(*attract)
		answer <- waiting && f.visit == nil && !f.away
	}:
	case <-f.done:
		return false, context.Canceled
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case resting = <-answer:
		return resting, nil
	case <-f.done:
		return false, context.Canceled
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
