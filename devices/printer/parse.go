package printer

// answerKind is what a byte or a group of bytes from the printer is.
type answerKind int

const (
	noise     answerKind = iota // nothing we know
	xon                         // 11h
	xoff                        // 13h
	realtime                    // answer to a realtime question
	automatic                   // automatic status
	inOrder                     // answer to the question in order
	processID                   // answer to GS ( H fn 48, number in id
	cleared                     // answer to DLE DC4 fn 8: the buffers are empty
	block                       // any other block of data
	moment                      // answer to a question that only the moment tells from others
)

type answer struct {
	kind answerKind
	data []byte // valid during the call only
	id   [4]byte
}

// parser sorts the bytes from a printer by the looks of its profile's answers. Those of ESC/POS are, by the classification in Epson's
// and Citizen's appendices:
//
//	XON 11h, XOFF 13h
//	0xx1xx10  answer to DLE EOT
//	0xx1xx00  first of four bytes of automatic status; the others have bits 4 and 7 clear
//	0xx0xxxx  answer to GS r
//	37h ...   a block: identifier, data 20h..7Eh, 00h
//
// No status byte can equal 11h or 13h, so these are taken out wherever they stand. A byte that does not fit what came before drops
// the beginning and is looked at afresh: the parser finds its feet after any noise.
type parser struct {
	frames  []frame
	xonxoff bool
	expect  pattern // of one byte: the next byte that fits it answers the question of the moment
	held    []byte
	in      int // index into frames of what is held, -1 for a block
}

const (
	xonByte   = 0x11
	xoffByte  = 0x13
	blockHead = 0x37
	maxBlock  = 80
)

// feed takes one byte and calls emit for each answer it completes.
func (p *parser) feed(b byte, emit func(answer)) {
	switch {
	case p.xonxoff && b == xonByte:
		emit(answer{kind: xon})
	case p.xonxoff && b == xoffByte:
		emit(answer{kind: xoff})
	case p.expect != nil && len(p.held) == 0 && p.expect.matches(0, b):
		p.expect = nil
		emit(answer{kind: moment, data: []byte{b}})
	case len(p.held) > 0 && p.in < 0:
		p.feedBlock(b, emit)
	case len(p.held) > 0:
		f := p.frames[p.in]
		if !f.matches(len(p.held), b) {
			p.drop(emit)
			p.first(b, emit)
			return
		}
		if p.held = append(p.held, b); len(p.held) == len(f.pattern) {
			emit(answer{kind: f.kind, data: p.held})
			p.held = p.held[:0]
		}
	default:
		p.first(b, emit)
	}
}

func (p *parser) first(b byte, emit func(answer)) {
	for i, f := range p.frames {
		if !f.matches(0, b) {
			continue
		}
		p.held, p.in = append(p.held[:0], b), i
		if len(f.pattern) == 1 {
			emit(answer{kind: f.kind, data: p.held})
			p.held = p.held[:0]
		}
		return
	}
	if b == blockHead {
		p.held, p.in = append(p.held[:0], b), -1
		return
	}
	emit(answer{kind: noise, data: []byte{b}})
}

func (p *parser) feedBlock(b byte, emit func(answer)) {
	if b != 0 && (b < 0x20 || b > 0x7E) || len(p.held) >= maxBlock {
		p.drop(emit)
		p.first(b, emit)
		return
	}
	p.held = append(p.held, b)
	if b != 0 {
		return
	}
	data := p.held[1 : len(p.held)-1]
	switch {
	case len(data) == 5 && data[0] == 0x22:
		emit(answer{kind: processID, id: [4]byte(data[1:])})
	case len(data) == 1 && data[0] == 0x25:
		emit(answer{kind: cleared})
	default:
		emit(answer{kind: block, data: data})
	}
	p.held = p.held[:0]
}

// drop gives up what has been gathered: a pause on the line or a byte that does not fit shows that the rest was lost.
func (p *parser) drop(emit func(answer)) {
	for i := range p.held {
		emit(answer{kind: noise, data: p.held[i : i+1]})
	}
	p.held = p.held[:0]
}

// patient says whether the rest of what is held may take its time. A block says itself where it ends and what it is, so it may come slowly.
func (p *parser) patient() bool { return len(p.held) > 0 && p.in < 0 }
