package printer

import "strings"

type lineKind int

const (
	textLine lineKind = iota
	qrLine
	blankLine
)

// paperLine is one line of the laid-out document.
type paperLine struct {
	kind  lineKind
	text  string // without the spaces that alignment adds; the data of a QR code
	align Align
	size  int // 1 or 2
	bold  bool
}

// layout breaks a document into the lines that a printer of this profile will print.
func layout(d *Document, p *Profile) []paperLine {
	var lines []paperLine
	text := func(s string, align Align, size int, bold bool) {
		if s == "" {
			lines = append(lines, paperLine{kind: blankLine, size: 1})
			return
		}
		lines = append(lines, paperLine{text: s, align: align, size: size, bold: bold})
	}
	for _, b := range d.Blocks {
		switch b := b.(type) {
		case Text:
			size := 1
			if b.Size == 2 {
				size = 2
			}
			align := b.Align
			if align != Center && align != Right {
				align = Left
			}
			for para := range strings.SplitSeq(fold(b.Text), "\n") {
				for _, s := range wrap(para, p.Columns/size) {
					text(s, align, size, b.Bold)
				}
			}
		case Row:
			for _, s := range layoutRow(foldLine(b.Left), foldLine(b.Right), p.Columns) {
				text(s, Left, 1, b.Bold)
			}
		case Rule:
			text(strings.Repeat("─", p.Columns/2), Left, 1, false)
		case QR:
			lines = append(lines, paperLine{kind: qrLine, text: foldLine(b.Data), align: Center, size: 1})
			if c := foldLine(b.Caption); c != "" {
				for _, s := range wrap(c, p.Columns) {
					text(s, Center, 1, false)
				}
			}
		case Space:
			for range min(max(b.Lines, 1), 20) {
				text("", Left, 1, false)
			}
		}
	}
	return lines
}

// layoutRow sets a pair on one line if it fits. Else the value is wrapped in a column of its own beside a short label, or the pair is
// set one below the other with the end of the value at the right edge.
func layoutRow(left, right string, cols int) []string {
	lw, rw := width(left), width(right)
	switch {
	case rw == 0:
		return wrap(left, cols)
	case lw == 0:
		return pushRight(wrap(right, cols), cols)
	case lw+1+rw <= cols:
		return []string{left + strings.Repeat(" ", cols-lw-rw) + right}
	}
	if indent := lw + 2; indent <= cols/2 {
		lines := wrap(right, cols-indent)
		for i, s := range lines {
			head := strings.Repeat(" ", indent)
			if i == 0 {
				head = left + "  "
			}
			lines[i] = head + s
		}
		return lines
	}
	lines := wrap(left, cols)
	last := lines[len(lines)-1]
	if gap := cols - width(last) - rw; gap >= 1 {
		lines[len(lines)-1] = last + strings.Repeat(" ", gap) + right
		return lines
	}
	return append(lines, pushRight(wrap(right, cols), cols)...)
}

func pushRight(lines []string, cols int) []string {
	for i, s := range lines {
		if s != "" {
			lines[i] = strings.Repeat(" ", cols-width(s)) + s
		}
	}
	return lines
}

// Lines is the paper as text: what each printed line reads, with the spaces that alignment puts before it and none at its end. An empty
// line is "", a QR code is "[QR data]".
func Lines(d *Document, p *Profile) []string {
	var out []string
	for _, l := range layout(d, p) {
		switch l.kind {
		case blankLine:
			out = append(out, "")
		case qrLine:
			out = append(out, picture("[QR "+l.text+"]", 1, Center, p.Columns))
		default:
			out = append(out, picture(l.text, l.size, l.align, p.Columns))
		}
	}
	return out
}

// picture sets a line of text in its place among cols columns.
func picture(s string, size int, align Align, cols int) string {
	return place(s, width(s)*size, align, cols)
}

// place is picture for a text that takes used columns.
func place(s string, used int, align Align, cols int) string {
	pad := max(cols-used, 0)
	switch align {
	case Center:
		pad /= 2
	case Right:
	default:
		pad = 0
	}
	return strings.TrimRight(strings.Repeat(" ", pad)+s, " ")
}
