package receiptline

import (
	"strings"

	"yuanban/devices/printer"
)

// Template is a template that was read without a problem. It never changes and may be shared between goroutines.
type Template struct {
	groups []group
	uses   []use
	lists  []use
}

// Values are the values of one receipt, or of one entry of a list, by name.
type Values map[string]string

// Data is what is filled into a template. A name that is not there is empty, a list that is not there has no entries: whether a template
// asks for names that exist is a matter of [Template.Check], once, and not of the moment of printing.
type Data struct {
	Values Values
	Lists  map[string][]Values // entries see their own values first, then those of the whole
}

// Document fills values in.
func (t *Template) Document(d Data) *printer.Document {
	doc := &printer.Document{}
	whole := clean(d.Values)
	for _, g := range t.groups {
		if g.list == "" {
			g.fill(doc, scope{whole})
			continue
		}
		for _, entry := range d.Lists[g.list] {
			g.fill(doc, scope{clean(entry), whole})
		}
	}
	return doc
}

// clean makes a paragraph of each value.
func clean(in Values) Values {
	out := make(Values, len(in))
	for name, s := range in {
		out[name] = strings.TrimSpace(strings.Map(func(r rune) rune {
			switch r {
			case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
				return ' '
			}
			return r
		}, s))
	}
	return out
}

// scope is where names are looked up, innermost first.
type scope []Values

func (s scope) value(name string) string {
	for _, values := range s {
		if v, ok := values[name]; ok {
			return v
		}
	}
	return ""
}

// group is lines that are printed once, or once for each entry of a list.
type group struct {
	list  string
	steps []step
}

func (g group) fill(doc *printer.Document, in scope) {
	for _, s := range g.steps {
		if b := s.block(in); b != nil {
			doc.Blocks = append(doc.Blocks, b)
		}
	}
}

// cond keeps a line only if a value is empty or is not.
type cond struct {
	name  string
	given bool
}

// stepKind is what a line of the template prints.
type stepKind int

const (
	line stepKind = iota
	space
	rule
	cut
	code
)

// step is one line of the template.
type step struct {
	kind    stepKind
	conds   []cond
	cells   []cell        // of a line
	gap     int           // of a line
	oneLine bool          // of a line
	align   printer.Align // of a line, a rule, a code
	width   int           // of a rule
	data    []part        // of a code
	option  option        // of a code
}

type cell struct {
	width int
	align printer.Align
	spans []span
}

// style is how a piece of text is printed; sizes of 0 are normal.
type style struct {
	wide, high      int
	bold, underline bool
}

// part is a text as it stands in the template, or a name whose value goes there.
type part struct{ text, name string }

func (p part) in(s scope) string {
	if p.name == "" {
		return p.text
	}
	return s.value(p.name)
}

type span struct {
	part
	style
}

// block is the step with its values, nil where there is nothing to print.
func (s step) block(in scope) printer.Block {
	for _, c := range s.conds {
		if (in.value(c.name) != "") != c.given {
			return nil
		}
	}
	switch s.kind {
	case space:
		return printer.Space{Lines: 1}
	case rule:
		return printer.Rule{Width: s.width, Align: s.align}
	case cut:
		return printer.Cut{}
	case code:
		var data strings.Builder
		for _, p := range s.data {
			data.WriteString(p.in(in))
		}
		if data.Len() == 0 {
			return nil
		}
		return printer.QR{Data: data.String(), Align: s.align, Module: s.option.module, Level: s.option.level}
	}
	out := printer.Line{Gap: s.gap, Align: s.align, OneLine: s.oneLine}
	for _, c := range s.cells {
		to := printer.Cell{Align: c.align, Width: c.width}
		for _, sp := range c.spans {
			to.Spans = append(to.Spans, printer.Span{Text: sp.in(in), Bold: sp.bold, Underline: sp.underline, Wide: sp.wide, High: sp.high})
		}
		out.Cells = append(out.Cells, to)
	}
	return out
}
