package catalogue

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (l *loader) lists() {
	var raw rawLists
	at, _ := l.yaml("lists/lists.yaml", true, &raw)
	for i, rl := range raw.Lists {
		here := at.in(fmt.Sprintf("lists[%d]", i))
		l.date(here.in("date"), rl.Date)
		switch {
		case rl.ID == "":
			continue
		case strings.ContainsAny(rl.ID, "/\\."):
			l.problem(here.in("id"), "want the name of a file in lists/ without .csv, got %q", rl.ID)
			continue
		case l.c.List(rl.ID) != nil:
			l.problem(here.in("id"), "the list %s is there twice", rl.ID)
			continue
		}
		list := &List{ID: rl.ID, Kind: rl.Kind, Name: rl.Name, Version: rl.Version, Date: rl.Date, Note: rl.Note, at: here}
		l.c.Lists = append(l.c.Lists, list)
		if t, ok := l.table("lists/" + rl.ID + ".csv"); ok {
			l.rows(list, t, rl.Columns, here)
		}
	}
	for _, name := range l.files("lists", ".csv") {
		if at.doc != nil && l.c.List(strings.TrimSuffix(path.Base(name), ".csv")) == nil {
			l.line(name, 0, "lists/lists.yaml does not name this list, so it would not be shown")
		}
	}
}

func (l *loader) rows(list *List, t *table, names rawColumns, at place) {
	file := "lists/" + list.ID + ".csv"
	col := func(key, name, otherwise string, required bool) int {
		i := t.column(or(name, otherwise))
		if i < 0 && (required || name != "") {
			l.problem(at.in("columns."+key), "%s has no column %s; it has %s", file, or(name, otherwise), strings.Join(t.header, ", "))
		}
		return i
	}
	number, name := col("number", names.Number, "编号", true), col("name", names.Name, "名称", true)
	kind, by := col("kind", names.Kind, "类别", false), col("by", names.By, "责任单位", false)
	state, items := col("state", names.State, "状态", false), col("items", names.Items, "业务事项", false)
	if number < 0 || name < 0 {
		return
	}
	seen := map[string]int{}
	for _, r := range t.rows {
		cell := func(i int) string {
			if i < 0 {
				return ""
			}
			return r.cells[i]
		}
		row := Row{Number: cell(number), Kind: cell(kind), Name: cell(name), By: cell(by), State: cell(state), line: r.line}
		switch first, twice := seen[row.Number]; {
		case row.Number == "" || row.Name == "":
			l.line(file, r.line, "needs a value under %s and %s", t.header[number], t.header[name])
		case twice:
			l.line(file, r.line, "%s %s is in line %d already", t.header[number], row.Number, first)
		}
		seen[row.Number] = r.line
		row.Items = strings.FieldsFunc(cell(items), func(r rune) bool { return strings.ContainsRune("、;；,， ", r) })
		for _, code := range row.Items {
			if l.c.byCode[code] == nil {
				l.line(file, r.line, "there is no item %s", code)
			}
		}
		for i, h := range t.header {
			row.Fields = append(row.Fields, Field{h, r.cells[i]})
		}
		list.Rows = append(list.Rows, row)
	}
	if len(list.Rows) == 0 {
		l.line(file, 0, "the list has no rows")
	}
}

// calendar reads calendar/2026.csv and the like: columns 日期, 安排 (休 or 班), 说明.
func (l *loader) calendar() {
	for _, name := range l.files("calendar", ".csv") {
		year, err := strconv.Atoi(strings.TrimSuffix(path.Base(name), ".csv"))
		if err != nil || year < 2000 || year > 2999 {
			l.line(name, 0, "want the year as name, like 2026.csv")
			continue
		}
		t, ok := l.table(name)
		if !ok {
			continue
		}
		days := map[string]bool{}
		l.c.Calendar.years[year] = days
		date, kind, note := t.column("日期"), t.column("安排"), t.column("说明")
		if date < 0 || kind < 0 {
			l.line(name, 1, "needs the columns 日期 and 安排 (休 or 班)")
			continue
		}
		for _, r := range t.rows {
			l.day(name, year, days, r.line, r.cells[date], r.cells[kind])
		}
		if note >= 0 && slices.ContainsFunc(t.rows, func(r tableRow) bool { return strings.Contains(r.cells[note], "须核对") }) {
			l.c.warnings = append(l.c.warnings, Finding{SeverityWarning, fmt.Sprintf("%s:%d", name, t.rows[0].line),
				fmt.Sprintf("the working days of %d are marked 须核对; due dates count them as they are", year),
				"compare them with the published plan of the State Council and remove the mark"})
		}
	}
	if len(l.c.Calendar.years) == 0 {
		l.line("calendar", 0, "there is no calendar; due dates in 工作日 need one file for each year, like calendar/2026.csv")
	}
}

func (l *loader) day(file string, year int, days map[string]bool, line int, date, kind string) {
	t, err := time.Parse(time.DateOnly, date)
	switch {
	case err != nil:
		l.line(file, line, "want a date like %d-05-01, got %q", year, date)
		return
	case t.Year() != year:
		l.line(file, line, "%s is not in %d", date, year)
		return
	case kind != "休" && kind != "班":
		l.line(file, line, "want 休 or 班, got %q", kind)
		return
	}
	if _, twice := days[date]; twice {
		l.line(file, line, "%s is there twice", date)
	}
	weekday := t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
	if (kind == "班") == weekday {
		l.line(file, line, "%s is %s anyway; list only what differs from Monday to Friday", date, map[bool]string{true: "a working day", false: "a weekend"}[weekday])
	}
	days[date] = kind == "班"
}

// reasons reads the table of rating reasons; what its rows mean is the business of package evaluation.
func (l *loader) reasons() {
	var raw rawReasons
	l.yaml("reasons.yaml", true, &raw)
	data, ok := l.read("reasons.csv", true)
	if !ok {
		return
	}
	l.c.Reasons = Reasons{Version: raw.Version, Raw: bytes.TrimPrefix(data, []byte("\uFEFF"))}
	t, problems := parseTable("reasons.csv", data)
	l.problems = append(l.problems, problems...)
	if len(problems) > 0 {
		return
	}
	code, level, text := t.column("code"), t.column("level"), t.column("text")
	if code < 0 || level < 0 || text < 0 || t.column("shown_first") < 0 {
		l.line("reasons.csv", 1, "needs the columns code, level, level_name, shown_first and text")
		return
	}
	seen, levels := map[string]bool{}, map[string]bool{}
	for _, r := range t.rows {
		n := r.cells[level]
		if len(n) != 1 || n[0] < '1' || n[0] > '5' {
			l.line("reasons.csv", r.line, "want a level from 1 to 5, got %q", n)
		}
		if r.cells[code] == "" || r.cells[text] == "" || seen[r.cells[code]] {
			l.line("reasons.csv", r.line, "needs a code of its own and a text")
		}
		seen[r.cells[code]], levels[n] = true, true
	}
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		if !levels[n] {
			l.line("reasons.csv", 0, "has no reason for level %s", n)
		}
	}
}

// people reads who helps and who sits at the windows.
func (l *loader) people() {
	var staff rawStaff
	at, _ := l.yaml("staff.yaml", true, &staff)
	seen := map[string]bool{}
	for i, s := range staff.Staff {
		here := at.in(fmt.Sprintf("staff[%d]", i))
		if seen[s.ID] {
			l.problem(here.in("id"), "%s is there twice", s.ID)
		}
		seen[s.ID] = true
		if s.Photo != "" {
			l.photo(here.in("photo"), s.Photo)
		}
	}
	l.c.Staff = staff.Staff
	var helpers rawHelpers
	l.yaml("helpers.yaml", true, &helpers)
	l.c.Helpers = helpers.Helpers
	var help rawHelp
	l.yaml("help.yaml", true, &help)
	l.c.Help = help.Help
}

func (l *loader) photo(at place, name string) {
	if path.Dir(name) != "photos" || !slices.Contains([]string{".svg", ".png", ".jpg", ".webp"}, path.Ext(name)) {
		l.problem(at, "want a picture in photos/ like photos/chen.svg (svg, png, jpg or webp), got %q", name)
		return
	}
	l.read(name, true)
}

// documents reads the policy documents; the one published last comes first.
func (l *loader) documents() {
	for _, name := range l.files("documents", ".md") {
		data, ok := l.read(name, true)
		if !ok {
			continue
		}
		var raw rawDocument
		page, problems := parsePage(name, data, &raw)
		l.problems = append(l.problems, problems...)
		at := place{doc: page.doc}
		for key, value := range map[string]string{"written": raw.Written, "published": raw.Published, "effective": raw.Effective} {
			l.date(at.in(key), value)
		}
		d := &Document{
			ID: strings.TrimSuffix(path.Base(name), ".md"), Title: raw.Title, Number: raw.Number, Issuer: raw.Issuer, Written: raw.Written,
			Published: raw.Published, Effective: raw.Effective, Status: string(raw.Status), Source: raw.Source, Category: raw.Category,
		}
		for _, line := range page.lines {
			switch {
			case line.level > 0:
				d.Sections = append(d.Sections, Section{Head: line.text})
			case len(d.Sections) == 0:
				d.Sections = append(d.Sections, Section{Lines: []string{line.text}})
			default:
				last := &d.Sections[len(d.Sections)-1]
				last.Lines = append(last.Lines, line.text)
			}
		}
		if len(d.Sections) == 0 && len(problems) == 0 {
			l.line(name, 0, "the document has no text")
		}
		l.c.Documents = append(l.c.Documents, d)
	}
	slices.SortStableFunc(l.c.Documents, func(a, b *Document) int { return strings.Compare(b.Published, a.Published) })
}
