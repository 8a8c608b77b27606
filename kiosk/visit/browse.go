package visit

import (
	"strconv"

	"yuanban/kiosk/catalogue"
	"yuanban/ui/view"
)

// tiles are the packages as a screen shows them.
func tiles(c *catalogue.Catalogue) []view.Tile {
	var out []view.Tile
	for _, p := range c.Packages {
		out = append(out, view.Tile{Code: p.Code, Name: p.Name, Desc: p.Desc, Promise: p.Promise, Count: len(p.Items), Icon: p.Icon})
	}
	return out
}

func (f *Flow) row(it *catalogue.Item) view.ItemRow {
	r := view.ItemRow{Code: it.Code, Name: it.Name, Department: it.Department, Limit: it.Promise.Text, Mode: string(it.Mode), Applicable: it.CanApply}
	if !it.CanApply {
		r.WhyNot = f.whyNot(it)
	}
	return r
}

// browse lists packages, single items or life-cycle stages.
type browse struct {
	purpose view.Purpose
	tab     string // packages, items, stages
	stage   string
	page    int
}

func (s *browse) items(f *Flow) []*catalogue.Item {
	var out []*catalogue.Item
	for _, it := range f.opt.Catalogue.Items() {
		if s.stage == "" || it.Stage == s.stage {
			out = append(out, it)
		}
	}
	return out
}

func (s *browse) view(f *Flow) view.View {
	c := f.opt.Catalogue
	body := view.Browse{Purpose: s.purpose, Tab: s.tab, Stage: s.stage, Version: c.Park.Version, Total: len(c.Items())}
	m := f.fit()
	switch s.tab {
	case "packages":
		all := tiles(c)
		body.Pager = pager(&s.page, pagesOf(len(all), m.Tiles))
		body.Packages = pageOf(all, s.page, m.Tiles)
	case "stages":
		for _, st := range c.Stages() {
			body.Stages = append(body.Stages, view.Stage{Name: st.Name, Count: len(st.Items)})
		}
		body.Pager = pager(&s.page, 1)
	}
	if s.tab == "items" || s.stage != "" {
		all := s.items(f)
		body.Total = len(all)
		var shown []*catalogue.Item
		shown, body.Pager = rowsOf(m, all, itemName, m.Rows, &s.page)
		for _, it := range shown {
			body.Items = append(body.Items, f.row(it))
		}
	}
	v := view.View{Screen: "browse", Back: true, Step: s.step(), Body: body}
	if s.purpose == view.PurposeGuide {
		v.Title = f.word("browse.title.guide")
	}
	return v
}

func (s *browse) step() view.Step {
	if s.purpose == view.PurposeApply {
		return view.StepChoose
	}
	return view.StepNone
}

func (s *browse) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "tab":
		s.tab, s.stage, s.page = a.Arg("tab"), "", 1
	case "stage":
		s.stage, s.page = a.Arg("name"), 1
	case "package":
		openPackage(f, s.purpose, a.Arg("code"))
	case "choose":
		openItem(f, a.Arg("item"))
	case "search":
		f.push(newSearch(f, s.purpose))
	}
}

// leaving leads from the items of a stage back to the stages.
func (s *browse) leaving(*Flow) bool {
	if s.tab == "stages" && s.stage != "" {
		s.stage, s.page = "", 1
		return true
	}
	return false
}

// openItem shows the guide of an item; from there one applies.
func openItem(f *Flow, code string) {
	if it := f.opt.Catalogue.Item(code); it != nil {
		f.push(&guide{item: it})
	}
}

func openPackage(f *Flow, purpose view.Purpose, code string) {
	p := f.opt.Catalogue.Package(code)
	if p == nil {
		return
	}
	s := &pack{purpose: purpose, pack: p, chosen: map[string]bool{}}
	for _, it := range p.Items {
		s.chosen[it.Code] = false
	}
	f.push(s)
}

// pack lets a visitor choose the items of one package.
type pack struct {
	purpose view.Purpose
	pack    *catalogue.Package
	chosen  map[string]bool
	page    int
}

func (s *pack) view(f *Flow) view.View {
	m := f.fit()
	body := view.Package{Purpose: s.purpose, Code: s.pack.Code, Name: s.pack.Name, Desc: s.pack.Desc, Promise: s.pack.Promise}
	for _, it := range s.pack.Items {
		if s.chosen[it.Code] {
			body.Chosen++
		}
	}
	shown, place := rowsOf(m, s.pack.Items, itemName, max(m.Rows-1, 1), &s.page) // its own lines take the room of a row
	body.Pager = place
	for _, it := range shown {
		r := f.row(it)
		r.Chosen = s.chosen[it.Code]
		body.Items = append(body.Items, r)
	}
	all := view.Button{Label: f.word("do.all"), Do: "all"}
	apply := f.mainly("do.apply.package", "apply")
	apply.Label = f.word("do.apply.package", "count", strconv.Itoa(body.Chosen))
	if body.Chosen > 0 {
		all = view.Button{Label: f.word("do.none"), Do: "none"}
	} else {
		apply.Disabled, apply.Why = true, f.word("hold.choose")
	}
	return view.View{Screen: "package", Back: true, Step: view.StepChoose, Body: body, Foot: []view.Button{all, apply}}
}

func (s *pack) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "toggle":
		if it := f.opt.Catalogue.Item(a.Arg("item")); it != nil && it.CanApply {
			if _, mine := s.chosen[it.Code]; mine {
				s.chosen[it.Code] = !s.chosen[it.Code]
			}
		}
	case "guide", "choose":
		openItem(f, a.Arg("item"))
	case "all", "none":
		for _, it := range s.pack.Items {
			s.chosen[it.Code] = a.Do == "all" && it.CanApply
		}
	case "apply":
		var items []*catalogue.Item
		for _, it := range s.pack.Items {
			if s.chosen[it.Code] {
				items = append(items, it)
			}
		}
		if len(items) > 0 {
			f.apply(s.pack, items)
		}
	}
}

// rowsOf returns the rows of the current page; names longer than a line take more room.
func rowsOf[T any](m view.Metrics, all []T, name func(T) string, rows int, page *int) ([]T, view.Pager) {
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = name(v)
	}
	ends := m.RowPages(names, rows)
	p := pager(page, len(ends))
	from := 0
	if p.Page > 1 {
		from = ends[p.Page-2]
	}
	return all[from:ends[p.Page-1]], p
}

func itemName(it *catalogue.Item) string { return it.Name }

func pagesOf(n, per int) int { return max((n+per-1)/max(per, 1), 1) }

func pageOf[T any](all []T, page, per int) []T {
	from := min((page-1)*per, len(all))
	return all[from:min(from+per, len(all))]
}
