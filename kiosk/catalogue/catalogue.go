package catalogue

import "time"

// Items returns every item once: those of the packages in their order, then the others.
func (c *Catalogue) Items() []*Item { return c.items }

// Item returns the item with a code, nil when there is none.
func (c *Catalogue) Item(code string) *Item { return c.byCode[code] }

// Package returns the package with a code, nil when there is none.
func (c *Catalogue) Package(code string) *Package {
	for _, p := range c.Packages {
		if p.Code == code {
			return p
		}
	}
	return nil
}

// List returns the list with an ID, nil when there is none.
func (c *Catalogue) List(id string) *List {
	for _, l := range c.Lists {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// ListOf returns the first list of a kind, nil when there is none.
func (c *Catalogue) ListOf(kind ListKind) *List {
	for _, l := range c.Lists {
		if l.Kind == kind {
			return l
		}
	}
	return nil
}

// Document returns the document with an ID, nil when there is none.
func (c *Catalogue) Document(id string) *Document {
	for _, d := range c.Documents {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// StaffMember returns the member of staff with an ID, nil when there is none.
func (c *Catalogue) StaffMember(id string) *Staff {
	for i := range c.Staff {
		if c.Staff[i].ID == id {
			return &c.Staff[i]
		}
	}
	return nil
}

// Stage is one stage of an enterprise's life with its items.
type Stage struct {
	Name  string
	Items []*Item
}

// StageNames are the stages of an enterprise's life, in their order.
func StageNames() []string {
	return []string{"入园", "开办", "建设", "经营", "惠企", "变更", "退出"}
}

// Stages returns the stages that have items, in their order.
func (c *Catalogue) Stages() []Stage {
	var stages []Stage
	for _, name := range StageNames() {
		s := Stage{Name: name}
		for _, it := range c.items {
			if it.Stage == name {
				s.Items = append(s.Items, it)
			}
		}
		if len(s.Items) > 0 {
			stages = append(stages, s)
		}
	}
	return stages
}

// Texts returns what search should find each item by, in the order of Items: its name and its keywords.
func (c *Catalogue) Texts() [][]string {
	texts := make([][]string, 0, len(c.items))
	for _, it := range c.items {
		texts = append(texts, append([]string{it.Name}, it.Keywords...))
	}
	return texts
}

// Calendar knows the working days of the years it has a file for.
type Calendar struct {
	years map[int]map[string]bool // year -> date that differs -> working day
}

// Workday says whether the date of t, in t's own location, is a working day. Of a year without a file it answers Monday to Friday and known=false.
func (c *Calendar) Workday(t time.Time) (workday, known bool) {
	weekday := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
	days, known := c.years[t.Year()]
	if differs, ok := days[t.Format(time.DateOnly)]; ok {
		return differs, true
	}
	return weekday, known
}
