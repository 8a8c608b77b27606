package visit

import (
	"strconv"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/evaluation/ask"
	"yuanban/kiosk/pinyin"
	"yuanban/ui/view"
)

// search finds items by Chinese, by pinyin, or by the initials of pinyin.
type search struct {
	purpose  view.Purpose
	composer *pinyin.Composer
	page     int
}

func newSearch(f *Flow, p view.Purpose) *search {
	return &search{purpose: p, composer: pinyin.NewComposer(f.opt.Pinyin, "", 30)}
}

func (s *search) found(f *Flow) []*catalogue.Item {
	query := s.composer.Text() + s.composer.Letters()
	if query == "" {
		return nil
	}
	var out []*catalogue.Item
	for _, i := range f.index.Search(query) {
		out = append(out, f.opt.Catalogue.Items()[i])
	}
	return out
}

func (s *search) view(f *Flow) view.View {
	m := f.fit()
	all := s.found(f)
	s.composer.Fit(pinyin.Row(m.Row))
	body := view.Search{Query: s.composer.Text(), Found: len(all), Keys: view.KeysPinyin, Composing: ask.Composing(s.composer)}
	rows := m.Results
	switch { // Chinese is written by choosing a candidate; their row takes the room of a result
	case rows < 2:
		body.Composing.Candidates = nil // letters alone find as much
	case len(body.Composing.Candidates) > 0:
		rows--
	}
	shown, place := rowsOf(m, all, itemName, rows, &s.page)
	body.Pager = place
	for _, it := range shown {
		body.Results = append(body.Results, f.row(it))
	}
	v := view.View{Screen: "search", Back: true, Body: body}
	if len(all) > 0 {
		v.Title = f.word("search.title.found", "count", strconv.Itoa(len(all)))
	}
	return v
}

func (s *search) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	if a.Do == "choose" {
		openItem(f, a.Arg("item"))
		return
	}
	s.composer.Act(a.Do, a.Args)
	s.page = 1
}
