package receiptline

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yuanban/devices/printer"
)

// option is what {o:…} says of codes.
type option struct {
	qr     bool
	module int    // dots, 0 for the printer's own
	level  string // L, M, Q or H, "" for the printer's own
}

// member is one property of a line: its long name and the tokens of its value.
type member struct {
	name   string
	value  []token
	column int
}

// text is the value of a member that is not data.
func (m member) text() string {
	var b strings.Builder
	for _, t := range m.value {
		switch t.kind {
		case newline:
			b.WriteByte(' ')
		case plain, literal:
			b.WriteRune(t.r)
		}
	}
	return strings.ToLower(strings.TrimSpace(b.String()))
}

// words are the parts of a list such as 8,* or qrcode 6 m.
func (m member) words() []string { return listSeparator.Split(m.text(), -1) }

var (
	listSeparator = regexp.MustCompile("[\t ]+|,")
	memberName    = regexp.MustCompile("^[A-Za-z_][A-Za-z0-9_]*$")
)

// longName is the name that a letter stands for.
func longName(s string) string {
	switch s {
	case "a":
		return "align"
	case "b":
		return "border"
	case "c":
		return "code"
	case "i":
		return "image"
	case "o":
		return "option"
	case "t":
		return "text"
	case "w":
		return "width"
	case "x":
		return "command"
	case "_":
		return "comment"
	}
	return s
}

// property reads a line in braces. What it says of the lines that follow may not depend on a condition, for then nobody could tell
// from the template how these lines look.
func (p *parser) property(list []token, align printer.Align) {
	members := p.members(list[1 : len(list)-1])
	var code *member
	for i, m := range members {
		before := len(p.problems)
		switch m.name {
		case "comment":
			continue
		case "code":
			code = &members[i]
			continue
		case "text":
			p.wrapping(m)
		case "border":
			p.border(m)
		case "width":
			p.widths(m)
		case "align":
			p.alignment(m)
		case "option":
			p.option(m)
		case "image":
			p.problem(m.column, "images are not printed", "delete the line; a stored logo is a matter of the printer")
		case "command":
			p.problem(m.column, "a template may not send commands to the printer", "delete the line")
		default:
			p.problem(m.column, "there is no property "+m.name, "use width, border, align, text, option, code or _ for a note")
		}
		if p.conds != nil && m.name != "option" && len(p.problems) == before {
			p.problem(m.column, m.name+" under a condition would change the lines that follow", "write it on a line without a condition")
		}
		for _, t := range m.value {
			if t.kind == value {
				p.problem(t.column, "a value in "+m.name, "only the data of a code and a text may hold values")
			}
		}
	}
	if code != nil {
		p.code(*code, align)
	}
}

// members cuts the inside of the braces at its ;.
func (p *parser) members(list []token) []member {
	var out []member
	seen := map[string]bool{}
	from := 0
	for i := 0; i <= len(list); i++ {
		if i < len(list) && !list[i].is(';') {
			continue
		}
		part := trim(list[from:i])
		from = i + 1
		if len(part) == 0 {
			continue
		}
		colon := slices.IndexFunc(part, func(t token) bool { return t.is(':') })
		var key strings.Builder
		for _, t := range trim(part[:max(colon, 0)]) {
			key.WriteRune(t.r)
		}
		m := member{name: longName(key.String()), column: part[0].column}
		if colon >= 0 {
			m.value = trim(part[colon+1:])
		}
		switch {
		case colon < 0 || !memberName.MatchString(key.String()) || len(m.value) == 0:
			p.problem(m.column, "a property without a name or a value", "write it as name:value, for example w:8,*")
			continue
		case seen[m.name]:
			p.problem(m.column, m.name+" twice on a line", "keep one of them")
			continue
		}
		seen[m.name] = true
		out = append(out, m)
	}
	return out
}

func (p *parser) wrapping(m member) {
	switch m.text() {
	case "wrap":
		p.state.wrap = true
	case "nowrap":
		p.state.wrap = false
	default:
		p.problem(m.column, "text is wrap or nowrap", "write {t:wrap}")
	}
}

func (p *parser) border(m member) {
	switch s := m.text(); s {
	case "none", "0":
		p.state.border = 0
	case "space", "1":
		p.state.border = 1
	case "2":
		p.state.border = 2
	case "line":
		p.problem(m.column, "vertical lines are not printed", "write {b:space} and part the rows with ---")
	default:
		p.problem(m.column, "border is 0, 1, 2, none or space", "write {b:1}")
	}
}

// maxWidth is the widest column in half Hanzi: no receipt printer has more on a line.
const maxWidth = 100

func (p *parser) widths(m member) {
	p.state.widths = nil
	if m.text() == "auto" {
		return
	}
	var list []int
	for _, s := range m.words() {
		n, err := strconv.Atoi(s)
		switch {
		case s == "*":
			n = 0
		case s == "":
			p.problem(m.column, "a width is missing between two commas or a comma and a space", "write the widths as in {w:8,*}")
			return
		case err == nil && n == 0:
			p.problem(m.column, "a column of width 0 would not be printed", "delete the column, or give it a width")
			return
		case err != nil || n < 2 || n > maxWidth:
			p.problem(m.column, "the width "+strconv.Quote(s)+" is no number from 2 to "+strconv.Itoa(maxWidth), "a Hanzi takes 2; write * for a share of the rest")
			return
		}
		list = append(list, n)
	}
	if len(list) > 8 {
		p.problem(m.column, "more than 8 columns", "paper has no room for them; write 8 or fewer")
		return
	}
	p.state.widths = list
}

func (p *parser) alignment(m member) {
	switch a := printer.Align(m.text()); a {
	case printer.Left, printer.Center, printer.Right:
		p.state.align = a
	default:
		p.problem(m.column, "align is left, center or right", "write {a:center}")
	}
}

func (p *parser) option(m member) {
	p.state.option = option{}
	for _, s := range m.words() {
		n, err := strconv.Atoi(s)
		switch {
		case s == "qrcode":
			p.state.option.qr = true
		case len(s) == 1 && strings.Contains("lmqh", s):
			p.state.option.level = strings.ToUpper(s)
		case err == nil && n >= 3 && n <= 8:
			p.state.option.module = n
		default:
			p.problem(m.column, "the option "+strconv.Quote(s)+" is not known", "write o:qrcode, with 3 to 8 dots a module and l, m, q or h if you like: o:qrcode,6,m")
		}
	}
}

// maxData is the most characters that the template itself may put into a code; a printer takes 600 bytes, values included.
const maxData = 100

func (p *parser) code(m member, align printer.Align) {
	s := step{kind: code, align: align, option: p.state.option}
	if !s.option.qr {
		p.problem(m.column, "only QR codes are printed", "add o:qrcode")
	}
	if n := len(m.value); n > maxData {
		p.problem(m.column, "more than "+strconv.Itoa(maxData)+" characters in a code", "write less, so that a telephone can read it")
	}
	for _, t := range m.value {
		switch t.kind {
		case newline:
			p.problem(t.column, `\n in the data of a code`, "delete it")
		case value:
			p.use(t, useCode)
			s.data = append(s.data, part{name: t.name})
		default:
			s.data = append(s.data, part{text: string(t.r)})
		}
	}
	p.add(s)
}
