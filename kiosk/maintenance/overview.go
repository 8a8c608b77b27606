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
	if f := d.facts; f != nil {
		for _, n := range []view.Named{{Name: d.word("maint.number"), Value: f.Number}, {Name: d.word("maint.place"), Value: f.Place},
			{Name: d.word("maint.program"), Value: f.Program}, {Name: d.word("maint.configuration"), Value: f.Configuration}} {
			if n.Value != "" {
				body.Machine = append(body.Machine, n)
			}
		}
	}
	cards := d.cards(d.facts)
	ends := view.CardPages(d.opt.Box, d.modes, cards)
	s.page = min(max(s.page, 1), len(ends))
	from := 0
	if s.page > 1 {
		from = ends[s.page-2]
	}
	body.Cards, body.Pager = cards[from:ends[s.page-1]], view.Pager{Page: s.page, Pages: len(ends)}
	return view.View{Screen: "maintenance", Title: d.word("maint.maintenance.title"), Body: body, Foot: []view.Button{d.button("end"), d.mainly("tasks")}}
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
type tasks struct {
	word    string
	failure *view.Failure
}

func (s *tasks) view(d *Desk) view.View {
	body := view.Tasks{Word: s.word, Failure: s.failure}
	for _, t := range []struct {
		do, icon string
		has      bool
	}{{"print", "printer", d.opt.Printer != nil}, {"card", "person", d.opt.Reader != nil}, {"keys", "touch", d.opt.Buttons},
		{"restart", "standard", d.opt.Restart != nil}, {"stick", "book", d.opt.Stick != nil}} {
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
	s.word, s.failure = "", nil
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
			s.failure = d.failure("M-731")
			return
		}
		s.word = d.word("maint.restart.asked")
	}
}
