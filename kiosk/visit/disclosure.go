package visit

import (
	"strconv"

	"yuanban/kiosk/catalogue"
	"yuanban/ui/view"
)

// disclosure shows what is disclosed (政务公开): lists and documents.
type disclosure struct{ page int }

func (s *disclosure) view(f *Flow) view.View {
	c := f.opt.Catalogue
	var body view.Disclosure
	per := max(f.fit().Rows-1, 1) // the headings take the room of a row
	body.Pager = pager(&s.page, pagesOf(len(c.Lists), per)+pagesOf(len(c.Documents), per))
	first := pagesOf(len(c.Lists), per)
	if body.Pager.Page > first {
		for _, d := range pageOf(c.Documents, body.Pager.Page-first, per) {
			body.Documents = append(body.Documents, view.ListTile{ID: d.ID, Name: d.Title, Version: d.Number, Date: d.Published, Note: d.Status})
		}
		return view.View{Screen: "disclosure", Back: true, Body: body}
	}
	for _, l := range pageOf(c.Lists, body.Pager.Page, per) {
		body.Lists = append(body.Lists, view.ListTile{ID: l.ID, Name: l.Name, Version: l.Version, Date: l.Date, Note: l.Note})
	}
	return view.View{Screen: "disclosure", Back: true, Body: body}
}

func (s *disclosure) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "list":
		if l := f.opt.Catalogue.List(a.Arg("id")); l != nil {
			f.push(&list{list: l})
		}
	case "document":
		if d := f.opt.Catalogue.Document(a.Arg("id")); d != nil {
			meta := []string{d.Issuer, d.Number, d.Published, d.Status}
			f.push(&document{name: d.Title, meta: meta, text: d.Sections})
		}
	}
}

// list shows the rows of one list (清单).
type list struct {
	list  *catalogue.List
	page  int
	print reading
}

func (s *list) view(f *Flow) view.View {
	m := f.fit()
	rows := make([]int, len(s.list.Rows)) // the pages are of row numbers, by which a row is chosen
	for i := range rows {
		rows[i] = i
	}
	shown, place := rowsOf(m, rows, func(i int) string { return s.list.Rows[i].Name }, m.Rows, &s.page)
	body := view.ListRows{Name: s.list.Name, Version: s.list.Version, Date: s.list.Date, Print: s.print.printing(), Pager: place}
	for _, n := range shown {
		r := s.list.Rows[n]
		body.Rows = append(body.Rows, view.ListRow{N: n + 1, Kind: r.Kind, Name: r.Name, By: r.By})
	}
	return view.View{Screen: "list", Back: true, Body: body,
		Foot: []view.Button{{Label: f.word("do.print.list"), Do: "print", Icon: "printer"}}}
}

func (s *list) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	switch a.Do {
	case "row":
		n, err := strconv.Atoi(a.Arg("n"))
		if err == nil && n >= 1 && n <= len(s.list.Rows) {
			r := s.list.Rows[n-1]
			f.push(&document{name: r.Name, meta: []string{s.list.Name, s.list.Version, s.list.Date}, text: rowSections(r)})
		}
	case "print":
		var out []catalogue.Section
		for _, r := range s.list.Rows {
			out = append(out, catalogue.Section{Head: r.Number + " " + r.Name, Lines: []string{r.Kind, r.By}})
		}
		s.print.printSheet(f, "list", s.list.Name, out)
	}
}

func rowName(r catalogue.Row) string { return r.Name }

func rowSections(r catalogue.Row) []catalogue.Section {
	var out []catalogue.Section
	for _, c := range r.Fields {
		if c.Value != "" {
			out = append(out, catalogue.Section{Head: c.Name, Lines: []string{c.Value}})
		}
	}
	return out
}

// document is one row of a list or one document.
type document struct {
	name string
	meta []string
	text []catalogue.Section
	reading
}

func (s *document) view(f *Flow) view.View {
	body := view.Document{Name: s.name, Meta: s.meta, Print: s.printing()}
	body.Sections, body.Pager = s.sections(f, s.text)
	return view.View{Screen: "document", Back: true, Body: body,
		Foot: []view.Button{{Label: f.word("do.print"), Do: "print", Icon: "printer"}}}
}

func (s *document) act(f *Flow, a view.Action) {
	if turn(&s.page, a) {
		return
	}
	if a.Do == "print" {
		s.printSheet(f, "document", s.name, s.text)
	}
}
