package printer

// Align is where a text stands on its line. The zero value is [Left].
type Align string

// Where a text stands.
const (
	Left   Align = "left"
	Center Align = "center"
	Right  Align = "right"
)

// Document is the content of one receipt, from top to bottom. The cut at its end is implied.
//
// Texts in blocks are data: control characters in them are dropped, so nothing a visitor typed can reach the printer as a command.
// Nothing is ever left out for want of room: what is too wide is wrapped, and what cannot stand beside each other stands below each other.
type Document struct{ Blocks []Block }

// Block is a part of a document: [Text], [Line], [Row], [Rule], [QR], [Space] or [Cut].
type Block interface{ block() }

// Text is a paragraph, wrapped by the rules of Chinese typesetting. A line feed in it starts a new line.
type Text struct {
	Text  string
	Align Align
	Size  int // 1 (default) is 24 dots high, 2 is twice as wide and as high, and so on to 6
	Bold  bool
}

// Line is one or more cells side by side, each wrapped within its own width.
type Line struct {
	Cells []Cell
	Gap   int   // empty columns between two cells
	Align Align // where the cells stand when together they are narrower than the paper
	// OneLine prints the first line of each cell only; the rest of a cell that needs more is lost. It is for what the caller knows to fit.
	OneLine bool
}

// Cell is one column of a [Line].
type Cell struct {
	Spans []Span
	Align Align
	Width int // columns, at least 2; 0 takes an equal share of what the fixed widths leave
}

// Span is a piece of text of one style. A line feed in it starts a new line within its cell.
type Span struct {
	Text            string
	Bold, Underline bool
	Wide, High      int // times as wide and as high, 1 (default) to 6; characters of different height stand on one baseline
}

// Row is a pair such as a label and its value: Left at the left edge, Right at the right edge. When the two do not fit on one line, a
// short Left keeps its column and Right is wrapped beside it.
type Row struct {
	Left, Right string
	Bold        bool
}

// Rule is a horizontal line.
type Rule struct {
	Width int   // columns, rounded down to a whole Hanzi; 0 is the whole width
	Align Align // where one stands that is shorter than the paper
}

// QR is a QR code with a caption below it. Data may have at most 600 bytes.
type QR struct {
	Data, Caption string
	Align         Align  // the zero value is [Center]
	Module        int    // wanted dots a module, 1..16; 0 is what the profile says. Less when the code would not fit.
	Level         string // error correction: L, M, Q or H; "" is what the profile says
}

// Space is a number of empty lines, 1..20.
type Space struct{ Lines int }

// Cut parts the document into two papers. One without anything before or behind it is left out.
type Cut struct{}

func (Text) block()  {}
func (Line) block()  {}
func (Row) block()   {}
func (Rule) block()  {}
func (QR) block()    {}
func (Space) block() {}
func (Cut) block()   {}
