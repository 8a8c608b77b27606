package maintenance

import (
	"fmt"
	"time"

	"yuanban/ui/view"
)

// overview is how the machine is.
type overview struct{ page int }

func (*overview) every() time.Duration { return time.Second }

func (*overview) tick(d *Desk) { d.look() }

func (s *overview) view(d *Desk) view.View {
	d.look()
	body := view.Maintenance{}
	cards := d.cards(d.facts)
	if f := d.facts; f != nil && d.small() {
		cards = append(cards, d.machine(f))
	} else if f != nil {
		for _, n := range []view.Named{{Name: d.word("maint.number"), Value: f.Number}, {Name: d.word("maint.place"), Value: f.Place},
			{Name: d.word("maint.program"), Value: f.Program}, {Name: d.word("maint.configuration"), Value: f.Configuration}} {
			if n.Value != "" {
				body.Machine = append(body.Machine, n)
			}
		}
	}
	ends := view.CardPages(d.opt.Box, d.modes, cards)
	s.page = min(max(s.page, 1), len(ends))
	from := 0
	if s.page > 1 {
		from = ends[s.page-2]
	}
	body.Cards, body.Pager = cards[from:ends[s.page-1]], view.Pager{Page: s.page, Pages: len(ends)}
	return view.View{Screen: "maintenance", Title: d.word("maint.maintenance.title"), Body: body, Foot: []view.Button{d.button("end"), d.mainly("tasks")}}
}

// small says that the display is a pad's: what stands above the cards elsewhere is the last of them there.
func (d *Desk) small() bool { return d.opt.Box.Height < 1000 }

// machine is the card of the machine itself.
func (d *Desk) machine(f *Facts) view.Card {
	c := view.Card{Name: d.word("maint.card.machine"), Mark: d.word("maint.state.online"), Well: true,
		Detail: d.word("maint.machine", "number", f.Number, "place", f.Place, "program", f.Program)}
	if f.Configuration != "" {
		c.Detail += d.word("maint.machine.configuration", "version", f.Configuration)
	}
	return c
}

func (s *overview) act(d *Desk, a view.Action) {
	switch a.Do {
	case "page":
		if _, err := fmt.Sscanf(a.Arg("to"), "%d", &s.page); err != nil {
			s.page = 1
		}
	case "tasks":
		d.turn(&tasks{})
	}
}

// tasks are what can be done here. What this machine has no device for is not offered.
type tasks struct{ word string }

func (s *tasks) view(d *Desk) view.View {
	body := view.Tasks{Word: s.word}
	for _, t := range []struct {
		do, icon string
		has      bool
	}{{"print", "printer", d.opt.Printer != nil}, {"card", "card", d.opt.Reader != nil}, {"keys", "touch", d.opt.Buttons},
		{"restart", "screen", d.opt.Restart != nil}, {"stick", "stick", d.opt.Stick != nil}} {
		if t.has {
			b := d.button(t.do)
			b.Icon = t.icon
			body.Tasks = append(body.Tasks, b)
		}
	}
	if len(body.Tasks) == 0 && body.Word == "" {
		body.Word = d.word("maint.tasks.none")
	}
	return view.View{Screen: "tasks", Title: d.word("maint.tasks.title"), Body: body, Foot: []view.Button{d.button("end"), d.mainly("overview")}}
}

func (s *tasks) act(d *Desk, a view.Action) {
	s.word = ""
	switch {
	case a.Do == "overview":
		d.turn(&overview{})
	case a.Do == "print" && d.opt.Printer != nil:
		d.turn(&printTrial{})
	case a.Do == "card" && d.opt.Reader != nil:
		d.turn(&cardTrial{})
	case a.Do == "keys" && d.opt.Buttons:
		d.turn(&keyTrial{})
	case a.Do == "stick" && d.opt.Stick != nil:
		d.turn(&stickTask{})
	case a.Do == "restart" && d.opt.Restart != nil:
		if err := d.opt.Restart(); err != nil {
			d.opt.Log.Error("cannot ask for a new start of the screen", "area", "maintenance", "err", err)
			d.turn(&refused{"restart", d.failure("M-731")})
			return
		}
		s.word = d.word("maint.restart.asked")
	}
}

// refused is a task that could not be begun.
type refused struct {
	task    string
	failure *view.Failure
}

func (s *refused) view(d *Desk) view.View { return d.trialView(s.task, view.Trial{Failure: s.failure}) }

func (s *refused) act(d *Desk, a view.Action) {
	switch a.Do {
	case "tasks":
		d.turn(&tasks{})
	case "again":
		t := &tasks{}
		d.turn(t)
		t.act(d, view.Action{Do: s.task})
	}
}
