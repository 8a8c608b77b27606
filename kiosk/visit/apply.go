package visit

import (
	"slices"

	"yuanban/kiosk/catalogue"
	"yuanban/ui/view"
)

// whyNot says in a few words why an item is not applied for here.
func (f *Flow) whyNot(it *catalogue.Item) string {
	switch {
	case it.BottomLine:
		return f.word("why.nothere.redline")
	case it.Mode == catalogue.ModeLink:
		return f.word("why.nothere.elsewhere")
	case it.WhyNot != "":
		return it.WhyNot
	default:
		return f.word("why.nothere.window")
	}
}

// apply begins an application for the chosen items: what stands in the way first, then the card.
func (f *Flow) apply(p *catalogue.Package, items []*catalogue.Item) {
	for _, it := range items {
		if !it.CanApply {
			f.push(&notHere{item: it, why: f.whyNot(it)})
			return
		}
	}
	if ok, _ := f.accepts(); !ok {
		f.push(&fault{failure: f.failure(haltCode(f.halted)), foot: []view.Button{f.button("assist")}})
		return
	}
	f.session() // an application of this visit that ended before is not continued by another
	f.visit.cancel()
	f.visit = nil
	s := f.session()
	s.pack, s.items = p, items
	if slices.ContainsFunc(items, func(it *catalogue.Item) bool { return it.Negative }) {
		f.push(&negative{})
		return
	}
	f.push(newCardScreen(forApplication))
}

// negative asks whether the business is on the park's negative list (负面清单).
type negative struct{ page int }

func (s *negative) view(f *Flow) view.View {
	list := f.opt.Catalogue.ListOf(catalogue.ListNegative)
	body := view.Negative{Version: list.Version}
	m := f.fit()
	shown, place := rowsOf(m, list.Rows, rowName, m.Rows, &s.page)
	body.Pager = place
	for _, r := range shown {
		body.Rows = append(body.Rows, view.NegativeRow{Kind: r.Kind, Text: r.Name})
	}
	return view.View{Screen: "negative", Back: true, Step: view.StepChoose, Body: body} // its two answers stand beside the list
}

func (s *negative) act(f *Flow, a view.Action) {
	if turn(&s.page, a) || a.Do != "answer" || f.visit == nil {
		return
	}
	if a.Arg("listed") == "yes" {
		i := slices.IndexFunc(f.visit.items, func(it *catalogue.Item) bool { return it.Negative })
		f.push(&notHere{item: f.visit.items[max(i, 0)], why: f.word("why.nothere.negative")})
		return
	}
	f.visit.negative = true
	f.push(newCardScreen(forApplication))
}
