package catalogue

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var colorForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func (l *loader) park() {
	var raw rawPark
	at, _ := l.yaml("catalogue.yaml", true, &raw)
	if at.doc == nil {
		return
	}
	l.c.Park = Park{
		Name: raw.Name, Brand: raw.Brand, Slogan: raw.Slogan, Accent: raw.Accent, Version: raw.Version, Updated: raw.Updated,
		ListVersion: raw.ListVersion, Example: raw.Example, Address: raw.Address, Hours: raw.Hours, KioskHours: raw.KioskHours, Pickup: raw.Pickup,
		Phones: Phones(raw.Phones), Seals: Seals(raw.Seals), Channels: raw.Channels, OnlineURL: raw.OnlineURL, Privacy: Privacy(raw.Privacy),
		ClosedSites: raw.ClosedSites, at: at,
	}
	l.date(at.in("updated"), raw.Updated)
	l.url(at.in("online-url"), raw.OnlineURL)
	if raw.Accent != "" && !colorForm.MatchString(raw.Accent) {
		l.problem(at.in("accent"), "want a colour like \"#1d4f91\" in quotes, got %q", raw.Accent)
	}
	if raw.Privacy.Days < 0 || raw.Privacy.Days > 3650 {
		l.problem(at.in("privacy.days"), "want 1 to 3650 days, got %d", raw.Privacy.Days)
	}
}

func (l *loader) date(at place, s string) {
	if s == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		l.problem(at, "want a date like 2026-01-31, got %q", s)
	}
}

func (l *loader) url(at place, s string) {
	if s == "" {
		return
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		l.problem(at, "want an address like https://park.example/, got %q", s)
	}
}

func (l *loader) defaults() {
	var raw rawDefaults
	at, _ := l.yaml("defaults.yaml", true, &raw)
	if at.doc == nil {
		return
	}
	for source, text := range raw.Sources {
		if !slices.Contains(Source("").Choices(), source) {
			l.problem(at.in("sources."+source), "%q is none of %s", source, strings.Join(Source("").Choices(), ", "))
		}
		l.sources[Source(source)] = text
	}
	for _, source := range (Source("")).Choices() {
		if l.sources[Source(source)] == "" && raw.Sources != nil {
			l.problem(at.in("sources"), "says nothing for the source %s", source)
		}
	}
	for i := range raw.Modes {
		m := &raw.Modes[i]
		if l.modes[m.Mode] != nil {
			l.problem(at.in(fmt.Sprintf("modes[%d].mode", i)), "%s is there twice", m.Mode)
		}
		l.url(at.in(fmt.Sprintf("modes[%d].ways.online-url", i)), m.Ways.OnlineURL)
		l.modes[m.Mode] = m
	}
	for i, d := range raw.Departments {
		if l.departments[d.Name] != nil {
			l.problem(at.in(fmt.Sprintf("departments[%d].name", i)), "%s is there twice", d.Name)
			continue
		}
		park := l.c.Park
		supervise := park.Phones.SuperviseApproval
		if d.Kind == DepartmentSupervision {
			supervise = park.Phones.SuperviseEnforcement
		}
		dep := &Department{
			Name: d.Name, Kind: d.Kind, Place: or(d.Place, park.Pickup), Hours: or(d.Hours, park.Hours),
			Consult: or(d.Consult, park.Phones.Consult), Supervise: or(d.Supervise, supervise), FAQ: d.FAQ,
		}
		l.departments[d.Name] = dep
		l.c.departments = append(l.c.departments, dep)
	}
}

// or returns the first text that is not empty.
func or(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func orList(lists ...[]string) []string {
	for _, s := range lists {
		if len(s) > 0 {
			return s
		}
	}
	return nil
}

func (l *loader) packages() {
	for _, name := range l.files("packages", ".yaml") {
		var raw rawPackage
		at, _ := l.yaml(name, true, &raw)
		if at.doc == nil || raw.Code == "" {
			continue
		}
		p := &Package{Code: raw.Code, Name: raw.Name, Desc: raw.Desc, Promise: raw.Promise, Icon: raw.Icon, Before: raw.Before, Parallel: raw.Parallel, at: at}
		if other := l.c.Package(raw.Code); other != nil {
			l.problem(at.in("code"), "the package %s is in %s already", raw.Code, other.at)
			continue
		}
		for i := range raw.Items {
			if it := l.item(&raw.Items[i], at.in(fmt.Sprintf("items[%d]", i))); it != nil {
				it.Packages = append(it.Packages, p.Code)
				p.Items = append(p.Items, it)
			}
		}
		for i, code := range raw.Include {
			l.includes = append(l.includes, include{p, code, at.in(fmt.Sprintf("include[%d]", i))})
		}
		if len(raw.Items)+len(raw.Include) == 0 {
			l.problem(at, "the package has no items; write them under items, or name those of other files under include")
		}
		l.c.Packages = append(l.c.Packages, p)
	}
}

func (l *loader) singles() {
	for _, name := range l.files("items", ".yaml") {
		var raw rawItems
		at, _ := l.yaml(name, true, &raw)
		for i := range raw.Items {
			l.item(&raw.Items[i], at.in(fmt.Sprintf("items[%d]", i)))
		}
	}
	if len(l.c.items) == 0 {
		l.line("packages", 0, "there is no item in packages/ or items/; the machine would have nothing to show")
	}
}

var codeForm = regexp.MustCompile(`^[A-Z][0-9A-Z]*(-[0-9A-Z]+)*$`)

// item completes one item from its department, its mode and the park, and keeps it unless its code is taken.
func (l *loader) item(raw *rawItem, at place) *Item {
	dep, mode := l.departments[raw.Department], l.modes[raw.Mode]
	if dep == nil {
		if raw.Department != "" && len(l.departments) > 0 {
			l.problem(at.in("department"), "no department %q in defaults.yaml; add it there or correct the name", raw.Department)
		}
		dep = &Department{}
	}
	if mode == nil {
		if raw.Mode != "" && len(l.modes) > 0 {
			l.problem(at.in("mode"), "defaults.yaml says nothing about the mode %s", raw.Mode)
		}
		mode = &rawMode{}
	}
	park := l.c.Park
	it := &Item{
		Code: raw.Code, Basic: raw.Basic, Implementation: raw.Implementation, Name: raw.Name, Summary: raw.Summary, Keywords: raw.Keywords,
		Kind: raw.Kind, Mode: raw.Mode, Class: or(raw.Class, "依申请"), Stage: raw.Stage, Applicant: raw.Applicant,
		CanApply: raw.Mode != ModeLink && !raw.BottomLine, BottomLine: raw.BottomLine, Negative: raw.Negative,
		Batch: raw.Batch, Level: or(raw.Level, "县级"), Transfer: or(raw.Transfer, "已承接"), Capability: Capability(or(string(raw.Capability), string(CapabilityDecide))),
		Joint: raw.Joint, Review: raw.Review, Options: raw.Options,
		Department: raw.Department, DepartmentKind: DepartmentKind(or(string(raw.DepartmentKind), string(dep.Kind))),
		Who: raw.Who, Conditions: raw.Conditions, Promise: raw.Promise, Legal: raw.Legal,
		Fee:   Fee{Cents: int(raw.Fee.Yuan), Basis: raw.Fee.Basis, Row: raw.Fee.Row, Extra: raw.Fee.Extra},
		Steps: orList(raw.Steps, mode.Steps), Special: raw.Special,
		Result: Result{Name: raw.Result.Name, Sample: raw.Result.Sample, Delivery: orList(raw.Result.Delivery, mode.Delivery)},
		Onsite: raw.Onsite, Scope: or(raw.Scope, mode.Scope), Basis: raw.Basis,
		Place: or(raw.Place, dep.Place), Hours: or(raw.Hours, dep.Hours), Consult: or(raw.Consult, dep.Consult), Supervise: or(raw.Supervise, dep.Supervise),
		Note: raw.Note, FollowUp: raw.FollowUp, Early: raw.Early, Version: or(raw.Version, park.Version), Updated: or(raw.Updated, park.Updated), at: at,
	}
	if raw.Apply != nil {
		it.CanApply = *raw.Apply
	}
	if !it.CanApply {
		it.WhyNot = or(raw.WhyNot, mode.WhyNot)
	}
	it.Seal = or(raw.Seal, park.Seals.Approval)
	if raw.Seal == "" && it.DepartmentKind == DepartmentSupervision {
		it.Seal = park.Seals.Supervision
	}
	if it.CanApply {
		it.Letter = or(raw.Letter, mode.Letter)
	}
	it.Ways = ways(raw.Ways, mode.Ways, it, park)
	it.FAQ = append(slices.Clone(raw.FAQ), dep.FAQ...)
	if len(raw.FAQ) == 0 {
		it.FAQ = append(it.FAQ, mode.FAQ...)
	}
	it.FAQ = it.FAQ[:min(len(it.FAQ), 3)] // more does not help a person who stands
	it.Materials = l.materials(raw, at)
	l.checkItem(it, at)
	return l.keep(it)
}

// ways completes the ways of an item; 自助机 is offered exactly when one can apply here.
func ways(own, mode rawWays, it *Item, park Park) Ways {
	fill := strings.NewReplacer("{{部门}}", it.Department, "{{地点}}", it.Place, "{{时间}}", it.Hours).Replace
	w := Ways{
		Online: fill(or(own.Online, mode.Online)), OnlineURL: or(own.OnlineURL, mode.OnlineURL, park.OnlineURL),
		Window: fill(or(own.Window, mode.Window)), Assist: fill(or(own.Assist, mode.Assist)),
	}
	if w.Online == "" {
		w.OnlineURL = ""
	}
	if it.CanApply {
		w.Kiosk = fill(or(own.Kiosk, mode.Kiosk))
	}
	return w
}

func (l *loader) materials(raw *rawItem, at place) []Material {
	var out []Material
	for i, m := range raw.Materials {
		if (m.Source == SourceFetched || m.Source == SourceThirdParty) && m.From == "" && m.Text == "" {
			l.problem(at.in(fmt.Sprintf("materials[%d].name", i)), "needs from: who holds or imports it, so that nobody asks the applicant")
		}
		text := strings.ReplaceAll(or(m.Text, l.sources[m.Source]), "{{单位}}", m.From)
		out = append(out, Material{Source: m.Source, Name: m.Name, From: m.From, Text: text})
	}
	return out
}

func (l *loader) checkItem(it *Item, at place) {
	if it.Code != "" && !codeForm.MatchString(it.Code) {
		l.problem(at.in("code"), "want capital letters and digits like P2-01, got %q", it.Code)
	}
	if n := utf8.RuneCountInString(it.Name); n > 200 {
		l.problem(at.in("name"), "has %d characters; at most 200 are allowed (GB/T 39046)", n)
	}
	if n := utf8.RuneCountInString(it.Summary); n > 40 {
		l.problem(at.in("summary"), "has %d characters; at most 40 fit the screen", n)
	}
	for _, c := range []struct {
		key, value string
		allowed    []string
	}{
		{"stage", it.Stage, StageNames()},
		{"class", it.Class, []string{"依申请", "依职权"}},
		{"level", it.Level, []string{"国家级", "省级", "市级", "县级", "园区"}},
		{"transfer", it.Transfer, []string{"已承接", "下放中", "未下放", "申请赋权中"}},
	} {
		if c.value != "" && !slices.Contains(c.allowed, c.value) {
			l.problem(at.in(c.key), "%q is none of %s", c.value, strings.Join(c.allowed, ", "))
		}
	}
	if it.Batch < 0 || it.Batch > 9 {
		l.problem(at.in("batch"), "want 1 to 9, got %d", it.Batch)
	}
	if it.Onsite < 0 || it.Onsite > 20 {
		l.problem(at.in("onsite"), "want 0 to 20, got %d", it.Onsite)
	}
	l.date(at.in("updated"), it.Updated)
	l.url(at.in("ways.online-url"), it.Ways.OnlineURL)
	if it.Letter != "" && l.c.letters[it.Letter] == nil {
		l.problem(at.in("letter"), "there is no letter %q in letters/", it.Letter)
	}
}

// keep adds the item unless another has its code.
func (l *loader) keep(it *Item) *Item {
	if it.Code == "" {
		return nil
	}
	if other := l.c.byCode[it.Code]; other != nil {
		l.problem(it.at.in("code"), "the item %s is in %s already", it.Code, other.at)
		return nil
	}
	l.c.byCode[it.Code] = it
	l.c.items = append(l.c.items, it)
	return it
}

// references checks what refers to items of other files.
func (l *loader) references() {
	for _, inc := range l.includes {
		it := l.c.byCode[inc.code]
		switch {
		case it == nil:
			l.problem(inc.at, "there is no item %s", inc.code)
		case slices.Contains(inc.pack.Items, it):
			l.problem(inc.at, "the package has the item %s already", inc.code)
		default:
			it.Packages = append(it.Packages, inc.pack.Code)
			inc.pack.Items = append(inc.pack.Items, it)
		}
	}
	for _, it := range l.c.items {
		for i, code := range it.FollowUp {
			if l.c.byCode[code] == nil {
				l.problem(it.at.in(fmt.Sprintf("follow-up[%d]", i)), "there is no item %s", code)
			}
		}
	}
}
