package receiptline

import (
	"slices"
	"strings"
)

// Vocabulary is the names that a template may use.
type Vocabulary struct {
	Names []Name // of the whole receipt
	Lists []List
}

// List is a list and the names that each of its entries has besides those of the whole.
type List struct {
	Name  string
	Names []Name
}

// Name is the name of a value.
type Name struct {
	Name string
	// Must says why every template has to print the value, as the end of a sentence; "" if none has to. A value that must be printed
	// may stand under the condition that it is there, and under no other.
	Must string
	Code bool // the value is for the data of a code: printed as a text, it would be of no use to anybody
}

// useKind is what a name is used for.
type useKind int

const (
	useText useKind = iota
	useCode
	useCondition
)

// use is one place where a name is used.
type use struct {
	token
	line  int
	list  string // the list whose lines it is in
	as    useKind
	conds []cond
	cut   bool // what does not fit on the line is cut off
}

// as is the use that prints the value.
func (n Name) as() useKind {
	if n.Code {
		return useCode
	}
	return useText
}

// Check compares the names of a template with those that there are. It returns every problem, none if the template can be used.
func (t *Template) Check(v Vocabulary) Problems {
	out := t.unknown(v)
	t.must(v.Names, "", &out)
	for _, l := range v.Lists {
		t.must(l.Names, l.Name, &out)
	}
	out.sort()
	return out
}

// unknown reports the names that are not in the vocabulary, or not where they are used.
func (t *Template) unknown(v Vocabulary) Problems {
	var out Problems
	add := func(u use, text, next string) {
		out = append(out, Problem{Line: u.line, Column: u.column, Text: text, Next: next})
	}
	lists := map[string]List{}
	var listNames []string
	for _, l := range v.Lists {
		lists[l.Name] = l
		listNames = append(listNames, "{{"+wordEach+l.Name+"}}")
	}
	for _, u := range t.lists {
		if _, ok := lists[u.name]; !ok {
			add(u, "{{"+wordEach+u.name+"}} repeats nothing: there is no such list", oneOf(listNames))
		}
	}
	for _, u := range t.uses {
		if has(v.Names, u.name) || has(lists[u.list].Names, u.name) {
			continue
		}
		if l, ok := owner(v.Lists, u.name); ok {
			add(u, "{{"+u.name+"}} belongs to one entry of "+l, "put it between {{"+wordEach+l+"}} and {{"+l+wordEnded+"}}")
			continue
		}
		add(u, "{{"+u.name+"}} is not known", oneOf(append(names(v.Names), names(lists[u.list].Names)...)))
	}
	return out
}

// must reports the names of a list ("" for the whole) that have to be printed and are not, or not always.
func (t *Template) must(all []Name, list string, out *Problems) {
	for _, n := range all {
		if n.Must == "" {
			continue
		}
		where := "on any line"
		if list != "" {
			where = "between {{" + wordEach + list + "}} and {{" + list + wordEnded + "}}"
		}
		var all []use
		for _, u := range t.uses {
			if u.name == n.Name && u.as == n.as() && (list == "" || u.list == list) {
				all = append(all, u)
			}
		}
		if len(all) == 0 {
			next := "write {{" + n.Name + "}} " + where
			if n.Code {
				next = "write {c:{{" + n.Name + "}}; o:qrcode} " + where
			}
			*out = append(*out, Problem{Line: 1, Text: "the template nowhere prints {{" + n.Name + "}}: " + n.Must, Next: next})
			continue
		}
		always := func(u use) bool {
			return !u.cut && (u.list == list || u.list == "") && !slices.ContainsFunc(u.conds, func(c cond) bool { return c.name != n.Name || !c.given })
		}
		if u := all[0]; !slices.ContainsFunc(all, always) {
			*out = append(*out, Problem{Line: u.line, Column: u.column,
				Text: "{{" + n.Name + "}} is not always printed whole: " + n.Must,
				Next: "print it " + where + " without a condition but {{" + wordGiven + " " + n.Name + "}}, and not under {t:nowrap}"})
		}
	}
}

func has(list []Name, name string) bool {
	return slices.ContainsFunc(list, func(n Name) bool { return n.Name == name })
}

func owner(lists []List, name string) (string, bool) {
	for _, l := range lists {
		if has(l.Names, name) {
			return l.Name, true
		}
	}
	return "", false
}

func names(list []Name) []string {
	var out []string
	for _, n := range list {
		out = append(out, n.Name)
	}
	return out
}

func oneOf(list []string) string {
	if len(list) == 0 {
		return "delete it"
	}
	return "use one of " + strings.Join(list, " ")
}
