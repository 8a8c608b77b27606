package printer

import "strings"

type lineKind int

const (
	textLine lineKind = iota
	qrLine
	blankLine
	cutLine
)

// paperLine is one line of the laid-out document.
type paperLine struct {
	kind  lineKind
	runs  []run // of a textLine, from left to right
	align Align // a line that is not Left is put in its place as a whole by the printer; its runs count from its own beginning
	size  int   // how many times as high as a normal line
	qr    QR    // of a qrLine, nothing left to the profile
}

// run is a piece of a line in one style. It does not begin with a blank.
type run struct {
	col  int // where it begins, in columns of font A
	text string
	style
}

// end is the column behind the run.
func (r run) end() int { return r.col + width(r.text)*r.wide }

// layout breaks a document into the lines that a printer of this profile will print.
func layout(d *Document, p *Profile) []paperLine {
	l := &layouter{cols: p.Columns, p: p}
	for _, b := range d.Blocks {
		l.block(b)
	}
	if !l.ink { // nothing is behind the last cut, and that at the end is implied
		for i := len(l.lines) - 1; i >= 0; i-- {
			if l.lines[i].kind == cutLine {
				return l.lines[:i]
			}
		}
	}
	return l.lines
}

type layouter struct {
	p     *Profile
	cols  int // of the paper
	lines []paperLine
	ink   bool // something is printed since the last cut
}

func (l *layouter) block(b Block) {
	switch b := b.(type) {
	case Text:
		l.line(Line{Cells: []Cell{{Align: b.Align, Spans: []Span{{Text: b.Text, Bold: b.Bold, Wide: b.Size, High: b.Size}}}}})
	case Line:
		l.line(b)
	case Row:
		l.row(b)
	case Rule:
		l.rule(b)
	case QR:
		l.code(b)
	case Space:
		for range min(max(b.Lines, 1), 20) {
			l.add(paperLine{kind: blankLine, size: 1})
		}
	case Cut:
		if l.ink {
			l.add(paperLine{kind: cutLine})
		}
		l.ink = false
	}
}

func (l *layouter) add(line paperLine) {
	l.ink = l.ink || line.kind == textLine || line.kind == qrLine
	l.lines = append(l.lines, line)
}

// text adds a line of runs.
func (l *layouter) text(runs []run, align Align) {
	line := paperLine{kind: blankLine, size: 1}
	if len(runs) > 0 {
		line.kind, line.runs, line.align = textLine, runs, align
		for _, r := range runs {
			line.size = max(line.size, r.high)
		}
	}
	l.add(line)
}

// spans folds the texts of a cell and cuts them into paragraphs.
func spans(list []Span) [][]char {
	pars := [][]char{nil}
	for _, s := range list {
		st := style{wide: scale(s.Wide), high: scale(s.High), bold: s.Bold, underline: s.Underline}
		for i, part := range strings.Split(fold(s.Text), "\n") {
			if i > 0 {
				pars = append(pars, nil)
			}
			pars[len(pars)-1] = append(pars[len(pars)-1], styled(part, st)...)
		}
	}
	return pars
}

func scale(n int) int { return min(max(n, 1), maxScale) }

func (a Align) valid() Align {
	if a != Center && a != Right {
		return Left
	}
	return a
}

func (l *layouter) line(b Line) {
	widths, gap, ok := share(b, l.cols)
	if !ok {
		for _, c := range b.Cells {
			l.line(Line{Cells: []Cell{{Spans: c.Spans, Align: c.Align}}, OneLine: b.OneLine})
		}
		return
	}
	var cells [][][]char
	rows := 1
	for i, c := range b.Cells {
		var lines [][]char
		for _, par := range spans(c.Spans) {
			lines = append(lines, wrap(par, widths[i])...)
		}
		cells = append(cells, lines)
		rows = max(rows, len(lines))
	}
	if b.OneLine {
		rows = 1
	}
	whole := gap * (len(widths) - 1)
	for _, w := range widths {
		whole += w
	}
	if len(cells) == 1 && whole == l.cols { // the printer itself aligns to the dot
		for _, line := range cells[0][:rows] {
			l.text(runs(nil, line, 0), b.Cells[0].Align.valid())
		}
		return
	}
	left := indent(l.cols-whole, b.Align)
	if b.Align == Center {
		left = (l.cols - whole) / 2
	}
	for row := range rows {
		var all []run
		col := left
		for i, lines := range cells {
			if row < len(lines) {
				line := lines[row]
				all = runs(all, line, col+indent(widths[i]-charsWidth(line), b.Cells[i].Align))
			}
			col += widths[i] + gap
		}
		l.text(all, Left)
	}
}

// indent is where a text begins that leaves free columns of its place empty.
func indent(free int, a Align) int {
	switch a {
	case Center:
		return (free + 1) / 2
	case Right:
		return free
	}
	return 0
}

// runs appends the characters of a line that begins in column col to a list of runs.
func runs(list []run, line []char, col int) []run {
	for from := 0; from < len(line); {
		if line[from].blank() { // a gap before the first style or between two
			col += line[from].columns()
			from++
			continue
		}
		to := from + 1
		for to < len(line) && line[to].style == line[from].style {
			to++
		}
		var b strings.Builder
		for _, c := range line[from:to] {
			b.WriteRune(c.r)
		}
		r := run{col: col, text: b.String(), style: line[from].style}
		if !r.underline {
			r.text = strings.TrimRight(r.text, " ")
		}
		list = append(list, r)
		col += charsWidth(line[from:to])
		from = to
	}
	return list
}

// share gives each cell of a line its columns, at least two: fixed widths as they are, the widest made narrower if there is no room,
// and the rest in equal parts to the others. It is false when the cells cannot stand beside each other.
func share(b Line, cols int) (widths []int, gap int, ok bool) {
	gap = min(max(b.Gap, 0), cols)
	free := cols - gap*(len(b.Cells)-1)
	open := 0
	for _, c := range b.Cells {
		if c.Width <= 0 {
			open++
			widths = append(widths, 0)
			continue
		}
		w := max(c.Width, 2)
		widths = append(widths, w)
		free -= w
	}
	if len(b.Cells) == 0 {
		return nil, gap, false
	}
	for 2*open > free {
		i := 0
		for j, w := range widths {
			if w >= widths[i] {
				i = j
			}
		}
		if widths[i] <= 2 {
			return nil, gap, false
		}
		widths[i]--
		free++
	}
	n := 0
	for i := range widths {
		if widths[i] == 0 {
			widths[i] = (free + n) / open
			n++
		}
	}
	return widths, gap, true
}

func (l *layouter) rule(b Rule) {
	w := l.cols
	if b.Width > 0 {
		w = min(b.Width, l.cols)
	}
	n := max(w/2, 1)
	l.text([]run{{col: indent(l.cols-2*n, b.Align), text: strings.Repeat("─", n), style: plain()}}, Left)
}

func (l *layouter) code(b QR) {
	b.Data = foldLine(b.Data)
	if b.Align != Left && b.Align != Right {
		b.Align = Center
	}
	if b.Module < 1 || b.Module > 16 {
		b.Module = l.p.QR.Module
	}
	if len(b.Level) != 1 || !strings.Contains("LMQH", b.Level) {
		b.Level = l.p.QR.Level
	}
	l.add(paperLine{kind: qrLine, align: b.Align, size: 1, qr: b})
	if c := foldLine(b.Caption); c != "" {
		l.line(Line{Cells: []Cell{{Spans: []Span{{Text: c}}, Align: b.Align}}})
	}
}

// row sets a pair on one line if it fits. Else the value is wrapped in a column of its own beside a short label, or the pair is set one
// below the other with the end of the value at the right edge.
func (l *layouter) row(b Row) {
	st := plain()
	st.bold = b.Bold
	left, right := styled(foldLine(b.Left), st), styled(foldLine(b.Right), st)
	lw, rw := charsWidth(left), charsWidth(right)
	pushed := func() {
		for _, line := range wrap(right, l.cols) {
			l.text(runs(nil, line, l.cols-charsWidth(line)), Left)
		}
	}
	switch hang := lw + 2; {
	case rw == 0:
		for _, line := range wrap(left, l.cols) {
			l.text(runs(nil, line, 0), Left)
		}
	case lw == 0:
		pushed()
	case lw+1+rw <= l.cols:
		l.text(runs(runs(nil, left, 0), right, l.cols-rw), Left)
	case hang <= l.cols/2:
		for i, line := range wrap(right, l.cols-hang) {
			var all []run
			if i == 0 {
				all = runs(nil, left, 0)
			}
			l.text(runs(all, line, hang), Left)
		}
	default:
		lines := wrap(left, l.cols)
		for i, line := range lines {
			all := runs(nil, line, 0)
			if i == len(lines)-1 && charsWidth(line)+1+rw <= l.cols {
				l.text(runs(all, right, l.cols-rw), Left)
				return
			}
			l.text(all, Left)
		}
		pushed()
	}
}

// Lines is the paper as text: what each printed line reads, with the spaces that alignment puts before it and none at its end. An empty
// line is "", a QR code is "[QR data]", a cut is nothing. A character that is printed wider than normal stands for all its columns.
func Lines(d *Document, p *Profile) []string {
	var out []string
	for _, l := range layout(d, p) {
		switch l.kind {
		case blankLine:
			out = append(out, "")
		case qrLine:
			out = append(out, picture("[QR "+l.qr.Data+"]", 1, l.align, p.Columns))
		case textLine:
			out = append(out, l.picture(p.Columns))
		}
	}
	return out
}

func (l paperLine) picture(cols int) string {
	var b strings.Builder
	used := 0
	for _, r := range l.runs {
		b.WriteString(strings.Repeat(" ", r.col-used))
		b.WriteString(r.text)
		used = r.end()
	}
	return place(b.String(), used, l.align, cols)
}

// picture sets a line of text in its place among cols columns.
func picture(s string, size int, align Align, cols int) string {
	return place(s, width(s)*size, align, cols)
}

// place is picture for a text that takes used columns.
func place(s string, used int, align Align, cols int) string {
	return strings.TrimRight(strings.Repeat(" ", max(indent(cols-used, align), 0))+s, " ")
}
