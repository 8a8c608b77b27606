// Package ask puts one invitation to one person: five equal choices, then why, then thanks.
//
// The kiosk and the pad ask in the same way, so the asking lives here once. The grade is committed at the press; reasons
// and a text are added to the same rating while the reason screen is open. An Asking belongs to the goroutine of the flow
// that made it.
package ask

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/pinyin"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// Options is what an asking needs.
type Options struct {
	Book    *evaluation.Book
	Words   *wording.Book
	Pinyin  *pinyin.Dictionary
	Reasons time.Duration // how long the reason screen stays open without a touch
	Buttons bool          // five hardware buttons are there
	Texts   bool          // a written text can be kept: there is a key to seal it to
	Kiosk   bool          // at the 24-hour machine, as a step of an application
	Log     *slog.Logger
}

// retry is how long after a failed record the next is tried.
const retry = 5 * time.Second

// stage is where the asking is.
type stage int

const (
	choosing stage = iota
	reasons
	writing
	ending // nobody rated, and that could not be recorded yet
	over
)

// Asking is one invitation in front of one person.
type Asking struct {
	opt        Options
	invitation evaluation.Invitation
	service    string
	staff      *view.Staff
	countdown  bool // the invitation's own time runs; at the kiosk idleness ends it instead

	stage    stage
	outcome  evaluation.State
	rating   string // its id, once given
	level    int
	chosen   []string
	more     bool
	text     string
	composer *pinyin.Composer
	deadline time.Time
}

// New returns an asking for an open invitation. service is what is rated, in words; staff is nil at the kiosk.
func New(opt Options, inv evaluation.Invitation, service string, staff *view.Staff) *Asking {
	a := &Asking{opt: opt, invitation: inv, service: service, staff: staff, countdown: !inv.Expires.IsZero()}
	if a.countdown {
		a.deadline = inv.Expires
	}
	return a
}

// Invitation returns the invitation that is asked.
func (a *Asking) Invitation() evaluation.Invitation { return a.invitation }

// Rated says whether the grade has been given.
func (a *Asking) Rated() bool { return a.rating != "" }

// Level is the grade that was given, 0 before.
func (a *Asking) Level() int { return a.level }

// Ending says that nobody rated and that this could not be recorded yet; Expire tries again at the deadline.
func (a *Asking) Ending() bool { return a.stage == ending }

// Over says whether the asking has ended, and how.
func (a *Asking) Over() (evaluation.State, bool) { return a.outcome, a.stage == over }

// Deadline is when Expire is due; the zero time means never.
func (a *Asking) Deadline() time.Time {
	if a.stage == over {
		return time.Time{}
	}
	return a.deadline
}

// Expire ends what nobody answered: an invitation as a timeout, a reason screen with what was said so far.
func (a *Asking) Expire(ctx context.Context) error {
	switch a.stage {
	case choosing:
		return a.End(ctx, evaluation.Timeout)
	case ending:
		return a.End(ctx, a.outcome)
	}
	return a.finish(ctx)
}

// End ends the asking from outside: declined, timeout or fault. A rating that was given stays given.
func (a *Asking) End(ctx context.Context, how evaluation.State) error {
	switch {
	case a.stage == over:
		return nil
	case a.Rated():
		return a.finish(ctx)
	}
	if err := a.opt.Book.End(ctx, a.invitation.ID, how); err != nil {
		// The screen closes, but nobody is told before it is recorded: Expire tries again.
		a.stage, a.outcome, a.deadline = ending, how, time.Now().Add(retry)
		return fmt.Errorf("cannot record that the invitation ended: %w", err)
	}
	a.stage, a.outcome = over, how
	return nil
}

// Press takes a grade from the hardware buttons; it means nothing after the grade was given.
func (a *Asking) Press(ctx context.Context, level int) error {
	if a.stage != choosing {
		return nil
	}
	return a.rate(ctx, level, evaluation.SourceButton)
}

// Act takes an action of the page.
func (a *Asking) Act(ctx context.Context, act view.Action) error {
	if a.stage == reasons || a.stage == writing {
		a.deadline = time.Now().Add(a.opt.Reasons)
	}
	switch a.stage {
	case choosing:
		switch act.Do {
		case "rate":
			level, err := strconv.Atoi(act.Arg("level"))
			if err != nil || level < 1 || level > 5 {
				return nil
			}
			return a.rate(ctx, level, evaluation.SourceScreen)
		case "decline":
			return a.End(ctx, evaluation.Declined)
		}
	case reasons:
		switch act.Do {
		case "reason":
			a.toggle(act.Arg("code"))
		case "more":
			a.more = !a.more
		case "write":
			if !a.opt.Texts {
				return nil
			}
			a.stage, a.composer = writing, pinyin.NewComposer(a.opt.Pinyin, a.text, evaluation.MaxText)
		case "finish":
			return a.finish(ctx)
		}
	case writing:
		switch act.Do {
		case "done", "back":
			a.composer.Flush()
			a.stage, a.text = reasons, a.composer.Text()
		default:
			a.composer.Act(act.Do, act.Args)
			a.text = a.composer.Text()
		}
	}
	return nil
}

// rate commits the grade; only then does the screen change.
func (a *Asking) rate(ctx context.Context, level int, source string) error {
	r, err := a.opt.Book.Rate(ctx, a.invitation.ID, level, source)
	if errors.Is(err, evaluation.ErrExpired) { // the press came as the time ran out
		return a.End(ctx, evaluation.Timeout)
	}
	if err != nil {
		return fmt.Errorf("cannot record the rating: %w", err)
	}
	a.rating, a.level, a.stage = r.ID, level, reasons
	a.deadline = time.Now().Add(a.opt.Reasons)
	return nil
}

func (a *Asking) toggle(code string) {
	if i := slices.Index(a.chosen, code); i >= 0 {
		a.chosen = slices.Delete(a.chosen, i, i+1)
		return
	}
	for _, r := range a.opt.Book.Reasons().ForLevel(a.level) {
		if r.Code == code {
			a.chosen = append(a.chosen, code)
			return
		}
	}
}

// finish adds what was said to the rating and closes it. The asking is over even when that cannot be recorded: the grade already is.
func (a *Asking) finish(ctx context.Context) error {
	if a.stage == writing {
		a.composer.Flush()
		a.text = a.composer.Text()
	}
	a.stage, a.outcome = over, evaluation.Rated
	var err error
	if len(a.chosen) > 0 || a.text != "" {
		slices.Sort(a.chosen)
		if err = a.opt.Book.Detail(ctx, a.rating, a.chosen, a.text); err != nil && a.text != "" && len(a.chosen) > 0 {
			err = errors.Join(err, a.opt.Book.Detail(ctx, a.rating, a.chosen, "")) // the reasons at least
		}
	}
	err = errors.Join(err, a.opt.Book.Finish(ctx, a.rating))
	if err != nil {
		return fmt.Errorf("cannot record all of a rating: %w", err)
	}
	return nil
}

// View returns the screen of where the asking is; an asking that is over has none.
func (a *Asking) View(m view.Metrics) view.View {
	switch a.stage {
	case reasons:
		return a.reasonsView()
	case writing:
		a.composer.Fit(pinyin.Row(m.Row))
		return a.writingView()
	case ending:
		return view.View{Screen: "ended", Body: view.Ended{Outcome: string(evaluation.Fault), Word: a.opt.Words.Text("ended.fault")}}
	}
	total := time.Duration(0)
	if a.countdown {
		total = a.invitation.Expires.Sub(a.invitation.OpenedAt)
	}
	body := view.Rating{Service: a.service, Case: a.invitation.Case, Staff: a.staff, Until: a.deadline, Total: total, Buttons: a.opt.Buttons}
	for v := 5; v >= 1; v-- {
		body.Levels = append(body.Levels, a.levelOf(v))
	}
	return view.View{Screen: "rating", Step: a.step(), Body: body}
}

func (a *Asking) step() view.Step {
	if a.opt.Kiosk {
		return view.StepRating
	}
	return view.StepNone
}

func (a *Asking) levelOf(v int) view.Level {
	return view.Level{Value: v, Name: a.opt.Words.Text("level." + strconv.Itoa(v))}
}

func (a *Asking) reasonsView() view.View {
	body := view.Reasons{NoText: !a.opt.Texts, Level: a.levelOf(a.level), More: a.more, Bad: a.level <= 2, Text: a.text,
		Left: evaluation.MaxText - utf8.RuneCountInString(a.text), Until: a.deadline, Total: a.opt.Reasons}
	for _, r := range a.opt.Book.Reasons().ForLevel(a.level) {
		if !r.First && !a.more {
			body.HasMore = true
			continue
		}
		body.Reasons = append(body.Reasons, view.Reason{Code: r.Code, Text: r.Text, Chosen: slices.Contains(a.chosen, r.Code)})
	}
	done := view.Button{Label: a.opt.Words.Text("do.reasons.finish"), Do: "finish", Main: true}
	if len(a.chosen) == 0 && a.text == "" {
		done.Label = a.opt.Words.Text("do.reasons.none")
	}
	v := view.View{Screen: "reasons", Step: a.step(), Body: body}
	if a.opt.Kiosk { // the pad's screen has its button beside the reasons
		v.Foot = []view.Button{done}
	}
	return v
}

func (a *Asking) writingView() view.View {
	c := a.composer
	body := view.Write{Prompt: a.opt.Words.Text("write.prompt"), Text: c.Text(), Left: evaluation.MaxText - utf8.RuneCountInString(c.Text()),
		Keys: view.KeysPinyin, Until: a.deadline, Total: a.opt.Reasons, Composing: Composing(c)}
	return view.View{Screen: "write", Step: a.step(), Back: true, Body: body,
		Foot: []view.Button{{Label: a.opt.Words.Text("do.write.done"), Do: "done", Main: true}}}
}

// Composing shows a composer on a screen.
func Composing(c *pinyin.Composer) view.Composing {
	words, page, pages := c.Candidates()
	return view.Composing{Letters: c.Letters(), Candidates: words, Page: view.Pager{Page: page, Pages: pages}}
}
