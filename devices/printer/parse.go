package printer

// answerKind is what a byte or a group of bytes from the printer is.
type answerKind int

const (
	noise     answerKind = iota // nothing we know; byte holds it
	xon                         // 11h
	xoff                        // 13h
	realtime                    // answer to DLE EOT, in byte
	automatic                   // automatic status, in asb
	inOrder                     // answer to GS r, in byte
	processID                   // answer to GS ( H fn 48, number in id
	cleared                     // answer to DLE DC4 fn 8: the buffers are empty
	block                       // any other block of data
)

type answer struct {
	kind answerKind
	byte byte
	asb  [4]byte
	id   [4]byte
}

// parser sorts the bytes from a printer by the classification in Epson's and Citizen's appendices:
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
	notTaken bool // bit 7 of an answer to DLE EOT may be set
	held     []byte
}

const (
	blockHead = 0x37
	maxBlock  = 80
)

// feed takes one byte and calls emit for each answer it completes.
func (p *parser) feed(b byte, emit func(answer)) {
	switch {
	case b == 0x11:
		emit(answer{kind: xon})
	case b == 0x13:
		emit(answer{kind: xoff})
	case len(p.held) > 0 && p.held[0] == blockHead:
		p.feedBlock(b, emit)
	case len(p.held) > 0:
		if b&0x90 != 0 {
			p.drop(emit)
			p.first(b, emit)
			return
		}
		if p.held = append(p.held, b); len(p.held) == 4 {
			emit(answer{kind: automatic, asb: [4]byte(p.held)})
			p.held = p.held[:0]
		}
	default:
		p.first(b, emit)
	}
}

func (p *parser) first(b byte, emit func(answer)) {
	switch {
	case b&0x93 == 0x12, p.notTaken && b&0x93 == 0x92:
		emit(answer{kind: realtime, byte: b})
	case b&0x93 == 0x10 || b == blockHead:
		p.held = append(p.held[:0], b)
	case b&0x90 == 0:
		emit(answer{kind: inOrder, byte: b})
	default:
		emit(answer{kind: noise, byte: b})
	}
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
		emit(answer{kind: block})
	}
	p.held = p.held[:0]
}

// drop gives up what has been gathered: a pause on the line or a byte that does not fit shows that the rest was lost.
func (p *parser) drop(emit func(answer)) {
	for _, b := range p.held {
		emit(answer{kind: noise, byte: b})
	}
	p.held = p.held[:0]
}
