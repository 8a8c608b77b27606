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
type Document struct{ Blocks []Block }

// Block is a part of a document: [Text], [Row], [Rule], [QR] or [Space].
type Block interface{ block() }

// Text is a paragraph, wrapped by the rules of Chinese typesetting. A line feed in it starts a new line.
type Text struct {
	Text  string
	Align Align
	Size  int // 1 (default) is 24 dots high, 2 is twice as wide and as high
	Bold  bool
}

// Row is a pair such as a label and its value: Left at the left edge, Right at the right edge. When the two do not fit on one line, a
// short Left keeps its column and Right is wrapped beside it.
type Row struct {
	Left, Right string
	Bold        bool
}

// Rule is a horizontal line over the whole width.
type Rule struct{}

// QR is a QR code in the middle of the paper with a caption below it. Data may have at most 600 bytes.
type QR struct{ Data, Caption string }

// Space is a number of empty lines, 1..20.
type Space struct{ Lines int }

func (Text) block()  {}
func (Row) block()   {}
func (Rule) block()  {}
func (QR) block()    {}
func (Space) block() {}
