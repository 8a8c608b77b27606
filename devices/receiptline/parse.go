package receiptline

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"yuanban/devices/printer"
)

// Parse reads a template. Its error is a [Problems] with everything that is wrong with it.
func Parse(text string) (*Template, error) {
	t, problems := parse(text)
	if problems != nil {
		problems.sort()
		return nil, problems
	}
	return t, nil
}

// ParseFor is Parse and [Template.Check] in one, so that both kinds of problems are told at once. What must be printed and is not is told
// once the template can be read, for until then nobody knows what it prints.
func ParseFor(text string, v Vocabulary) (*Template, error) {
	t, problems := parse(text)
	if problems == nil {
		problems = t.Check(v)
	} else {
		problems = append(problems, t.unknown(v)...)
	}
	if problems != nil {
		problems.sort()
		return nil, problems
	}
	return t, nil
}

func parse(text string) (*Template, Problems) {
	p := &parser{t: &Template{}, state: state{border: 1, align: printer.Center, wrap: true}}
	text = strings.TrimPrefix(text, "\uFEFF")
	lines := lineEnd.Split(text, -1)
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	for i, line := range lines {
		p.number = i + 1
		if !utf8.ValidString(line) {
			p.problem(0, "the line is not UTF-8", "save the file as UTF-8")
			continue
		}
		p.line(p.scan(line))
	}
	if p.open.name != "" {
		p.number = p.openLine
		p.problem(p.open.column, "{{"+wordEach+p.open.name+"}} has no end", "write a line {{"+p.open.name+wordEnded+"}}")
	}
	return p.t, p.problems
}

var lineEnd = regexp.MustCompile("\r\n|\n|\r")

// parser reads a template line by line.
type parser struct {
	t        *Template
	problems Problems
	number   int // of the line, from 1
	state    state

	open     token // the list that is repeated here, if it has a name
	openLine int
	conds    []cond // of this line
}

// state is what properties set for the lines that follow.
type state struct {
	widths []int // of the columns, 0 for an equal share; nil shares the whole width
	border int   // columns between columns
	align  printer.Align
	wrap   bool
	option option
}

func (p *parser) problem(column int, text, next string) {
	p.problems = append(p.problems, Problem{Line: p.number, Column: column, Text: text, Next: next})
}

// line reads one line.
func (p *parser) line(list []token) {
	list = trim(list)
	if len(list) == 1 && (list[0].kind == each || list[0].kind == ended) {
		p.repeat(list[0])
		return
	}
	p.conds = nil
	for len(list) > 0 && (list[0].kind == given || list[0].kind == lacking) {
		p.conds = append(p.conds, cond{list[0].name, list[0].kind == given})
		p.use(list[0], useCondition)
		list = trim(list[1:])
	}
	whole := true
	for _, t := range list {
		switch t.kind {
		case given, lacking:
			p.problem(t.column, "a condition in the middle of a line", "put it at the beginning of the line; it keeps or drops the line as a whole")
			whole = false
		case each, ended:
			p.problem(t.column, "{{"+wordEach+t.name+"}} and {{"+t.name+wordEnded+"}} enclose whole lines", "put it on a line of its own")
			whole = false
		}
	}
	if whole {
		p.columns(split(list))
	}
}

// repeat begins or ends the lines of a list.
func (p *parser) repeat(t token) {
	switch {
	case t.kind == each && p.open.name != "":
		p.problem(t.column, "{{"+wordEach+t.name+"}} within the lines of "+p.open.name, "end those first with {{"+p.open.name+wordEnded+"}}")
	case t.kind == each:
		p.open, p.openLine = t, p.number
		p.t.groups = append(p.t.groups, group{list: t.name})
		p.t.lists = append(p.t.lists, use{token: t, line: p.number})
	case p.open.name != t.name:
		p.problem(t.column, "{{"+t.name+wordEnded+"}} ends nothing", "write {{"+wordEach+t.name+"}} before the lines that are repeated, or delete this")
	default:
		p.open = token{}
		p.t.groups = append(p.t.groups, group{})
	}
}

// column is one column of a line before it is read.
type column struct {
	tokens []token
	align  printer.Align
}

// split cuts a line at its |. A column stands at the side on which it touches one.
func split(list []token) []column {
	first, last := -1, -1
	for i, t := range list {
		if t.is('|') {
			if last = i; first < 0 {
				first = i
			}
		}
	}
	// The ends of a line without | at them: the column touches its only |, or keeps away from it.
	right := first > 0 && !list[first-1].blank()
	left := last >= 0 && last < len(list)-1 && !list[last+1].blank()
	if first == 0 {
		list = list[1:]
	}
	if n := len(list); n > 0 && list[n-1].is('|') {
		list = list[:n-1]
	}
	var parts [][]token
	from := 0
	for i, t := range list {
		if t.is('|') {
			parts = append(parts, list[from:i])
			from = i + 1
		}
	}
	parts = append(parts, list[from:])
	var out []column
	for i, part := range parts {
		n := len(part)
		before := n > 0 && part[0].blank() || i == 0 && right
		behind := n > 0 && part[n-1].blank() || i == len(parts)-1 && left
		c := column{trim(part), printer.Center}
		switch {
		case before && !behind:
			c.align = printer.Right
		case behind && !before:
			c.align = printer.Left
		}
		out = append(out, c)
	}
	return out
}

// columns reads the columns of a line.
func (p *parser) columns(list []column) {
	if len(list) == 1 {
		one := list[0].tokens
		n := len(one)
		switch {
		case n == 0:
			p.add(step{kind: space})
			return
		case all(one, '-'):
			p.add(step{kind: rule, width: p.state.ruleWidth(), align: p.state.align})
			return
		case all(one, '='):
			p.add(step{kind: cut})
			return
		case one[0].is('{') && one[n-1].is('}') && brace(one[1:n-1]) < 0:
			p.property(one, list[0].align)
			return
		}
	}
	var cells []cell
	for i, c := range list {
		if k := brace(c.tokens); k >= 0 {
			text, next := "a single brace", `write \{ or \} for the character`
			if n := len(c.tokens); len(list) > 1 && c.tokens[0].is('{') && c.tokens[n-1].is('}') {
				text, next = "a property beside another column", "put it on a line of its own, above this one"
			}
			p.problem(c.tokens[k].column, text, next)
			continue
		}
		if n := len(p.state.widths); n > 0 && i == n {
			at := 0
			if len(c.tokens) > 0 {
				at = c.tokens[0].column
			}
			p.problem(at, "more columns than widths: this one would not be printed", "give it a width in {w:…} above, or write {w:auto}")
		}
		cells = append(cells, cell{align: c.align, spans: p.text(c.tokens)})
	}
	for i, w := range p.state.widths {
		if i == len(cells) {
			cells = append(cells, cell{align: printer.Center})
		}
		cells[i].width = w
	}
	p.add(step{kind: line, cells: cells, gap: p.state.border, align: p.state.align, oneLine: !p.state.wrap})
}

func all(list []token, r rune) bool {
	for _, t := range list {
		if !t.is(r) {
			return false
		}
	}
	return true
}

// brace is the place of the first single brace, -1 for none.
func brace(list []token) int {
	for i, t := range list {
		if t.is('{') || t.is('}') {
			return i
		}
	}
	return -1
}

// ruleWidth is the width of a rule under columns of fixed widths, 0 for the whole paper.
func (s state) ruleWidth() int {
	sum := s.border * (len(s.widths) - 1)
	for _, w := range s.widths {
		if w == 0 {
			return 0
		}
		sum += w
	}
	return max(sum, 0)
}

// text reads the text of a column.
func (p *parser) text(list []token) []span {
	var out []span
	var st style
	add := func(text, name string) {
		if n := len(out); name == "" && n > 0 && out[n-1].name == "" && out[n-1].style == st {
			out[n-1].text += text
			return
		}
		out = append(out, span{part{text, name}, st})
	}
	for i := 0; i < len(list); i++ {
		t := list[i]
		switch {
		case t.kind == newline:
			add("\n", "")
		case t.kind == value:
			p.use(t, useText)
			add("", t.name)
		case t.kind == literal && t.r == ';':
			p.problem(t.column, `\; means nothing in a text`, "write ;")
		case t.kind == literal:
			add(string(t.r), "")
		case t.r == '"':
			st.bold = !st.bold
		case t.r == '_':
			st.underline = !st.underline
		case t.r == '~' || t.r == '\t':
			add(" ", "")
		case t.r == '`':
			p.problem(t.column, "reversed text (`) is not printed", "write \\` for the character, or mark it with \"bold\" or _underline_")
		case t.r == '^':
			n := 1
			for i+1 < len(list) && list[i+1].is('^') {
				i++
				n++
			}
			p.size(&st, n, t.column)
		default:
			add(string(t.r), "")
		}
	}
	return out
}

// size changes the size of text at n ^, or back if it is that size already.
func (p *parser) size(st *style, n, column int) {
	if n > 7 {
		p.problem(column, "more than seven ^", "write seven or fewer; ^^^^^^^ is six times as wide and as high")
		n = 7
	}
	var to style
	switch n {
	case 1:
		to.wide, to.high = 2, 1
	case 2:
		to.wide, to.high = 1, 2
	default:
		to.wide, to.high = n-1, n-1
	}
	if st.wide == to.wide && st.high == to.high {
		to.wide, to.high = 0, 0
	}
	st.wide, st.high = to.wide, to.high
}

// add puts a step where it belongs.
func (p *parser) add(s step) {
	s.conds = p.conds
	n := len(p.t.groups)
	if n == 0 {
		p.t.groups = append(p.t.groups, group{})
		n = 1
	}
	g := &p.t.groups[n-1]
	g.steps = append(g.steps, s)
}

// use notes that a name is used.
func (p *parser) use(t token, as useKind) {
	p.t.uses = append(p.t.uses, use{token: t, line: p.number, list: p.open.name, as: as, conds: p.conds, cut: !p.state.wrap && as == useText})
}
