package printer

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// SimOpts are the settings of a [Sim]. The zero value is a printer at the speed of its profile.
type SimOpts struct {
	Speed    int    // paper speed in mm/s; 0 = the profile's
	Quick    bool   // printing and cutting take no time
	Baud     int    // take bytes no faster than this line would bring them; 0 = as they come
	OnChange func() // called, from the simulator's goroutines, whenever State or Receipts may have changed
}

// SimFault is what is wrong with a simulated printer's line.
type SimFault string

// The faults. A silent printer receives and prints but says nothing: the wire from it is dead.
const (
	SimNone   SimFault = "none"
	SimSilent SimFault = "silent"
)

// SimState is the state of a simulated printer's mechanics.
type SimState struct {
	Paper  string // "full", "low", "out"
	Cover  string // "closed", "open"
	Cutter string // "ok", "jammed"
	Fault  SimFault
}

// Receipt is a piece of paper that came out of a simulated printer.
type Receipt struct {
	ID      string   // "1", "2", … in the order of printing
	Lines   []string // as [Lines] gives them; a character defined by the host reads 〓, a picture "[picture]"
	Taken   bool
	Partial bool // not cut yet, or torn off before the cut, or what a clear left of it
}

// Sim is a receipt printer in software: it interprets ESC/POS from a line, with a receive buffer, flow control, realtime commands,
// automatic status, process ids, and paper that takes time to print and can run out. It keeps its state when the line breaks.
type Sim struct {
	profile *Profile
	opts    SimOpts
	answerC chan struct{} // there is something to send
	sendMu  sync.Mutex    // one sender at a time

	mu      sync.Mutex    // guards everything below
	changed chan struct{} // closed and replaced whenever mechanics may have something to do

	// Reception.
	frame   framer
	recent  []byte    // the last bytes, to find realtime commands anywhere
	queue   []Command // received, not executed
	queued  int       // bytes in queue
	stopped bool      // XOFF was sent
	dropped int       // bytes lost because the buffer was full
	out     []byte    // answers not sent yet

	// Mechanics.
	paperLeft int // lines; -1 = a whole roll
	low       bool
	cover     bool // open
	jammed    bool
	fault     SimFault
	asb       byte
	lastASB   [4]byte
	epoch     int // counts clears

	// Modes.
	line       []mark
	align      Align
	bold       bool
	under      bool
	wide, high int
	lineDots   int
	glyphs     map[[2]byte]*dots
	qrData     string
	qrModule   int
	qrLevel    byte

	current  *sheet
	receipts []*sheet
	lastID   int
}

// nearEnd is how many lines before its end the near-end sensor sees the roll.
const nearEnd = 30

// NewSim returns a printer with paper, closed, and idle.
func NewSim(p *Profile, opts *SimOpts) *Sim {
	s := &Sim{
		profile: p, answerC: make(chan struct{}, 1), changed: make(chan struct{}),
		frame:     framer{gb18030: p.Charset == GB18030},
		paperLeft: -1, fault: SimNone,
	}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Speed <= 0 {
		s.opts.Speed = p.Speed
	}
	s.reset()
	s.newSheet()
	s.lastASB = s.asbBytes()
	return s
}

// reset sets the modes that ESC @ sets.
func (s *Sim) reset() {
	s.line = nil
	s.align, s.bold, s.under, s.wide, s.high, s.lineDots = Left, false, false, 1, 1, 30
	s.glyphs = map[[2]byte]*dots{}
	s.qrModule, s.qrLevel = 3, 'L'
}

func (s *Sim) newSheet() {
	s.lastID++
	s.current = &sheet{id: strconv.Itoa(s.lastID)}
}

// State is the state of the mechanics.
func (s *Sim) State() SimState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := SimState{Paper: "full", Cover: "closed", Cutter: "ok", Fault: s.fault}
	switch {
	case s.paperLeft == 0:
		st.Paper = "out"
	case s.nearEnd():
		st.Paper = "low"
	}
	if s.cover {
		st.Cover = "open"
	}
	if s.jammed {
		st.Cutter = "jammed"
	}
	return st
}

func (s *Sim) nearEnd() bool { return s.low || s.paperLeft >= 0 && s.paperLeft <= nearEnd }

// Set changes the mechanics, with the words of [SimState]; an empty word leaves things as they are. Setting paper to full loads a roll.
func (s *Sim) Set(paper, cover, cutter string) error {
	for _, c := range [][]string{{"paper", paper, "", "full", "low", "out"}, {"cover", cover, "", "closed", "open"}, {"cutter", cutter, "", "ok", "jammed"}} {
		if !slices.Contains(c[2:], c[1]) {
			return fmt.Errorf("cannot set %s to %q: it may be %v", c[0], c[1], c[3:])
		}
	}
	s.mu.Lock()
	switch paper {
	case "full":
		s.paperLeft, s.low = -1, false
	case "low":
		s.paperLeft, s.low = -1, true
	case "out":
		s.paperLeft = 0
	}
	if cover != "" {
		s.cover = cover == "open"
	}
	if cutter != "" {
		s.jammed = cutter == "jammed"
	}
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
	return nil
}

// SetPaperLeft lets the paper end after that many more lines.
func (s *Sim) SetPaperLeft(lines int) {
	s.mu.Lock()
	s.paperLeft, s.low = max(lines, 0), false
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
}

// SetFault breaks or mends the line from the printer.
func (s *Sim) SetFault(f SimFault) error {
	if f != SimNone && f != SimSilent {
		return fmt.Errorf("cannot set printer fault %q: it may be none or silent", f)
	}
	s.mu.Lock()
	s.fault = f
	s.mu.Unlock()
	s.tell()
	return nil
}

// Receipts is the paper that came out, oldest first, and at the end what is being printed.
func (s *Sim) Receipts() []Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Receipt, 0, len(s.receipts)+1)
	for _, sh := range s.sheets() {
		all = append(all, Receipt{ID: sh.id, Lines: sh.lines(), Taken: sh.taken, Partial: sh.partial || sh == s.current})
	}
	return all
}

// sheets is all paper with something on it.
func (s *Sim) sheets() []*sheet {
	if s.current.blank() {
		return s.receipts
	}
	return append(slices.Clip(s.receipts), s.current)
}

// Take pulls a receipt out of the printer's mouth; one that is being printed is torn off.
func (s *Sim) Take(id string) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.sheets(), func(sh *sheet) bool { return sh.id == id })
	if i < 0 {
		s.mu.Unlock()
		return fmt.Errorf("cannot take receipt %q: there is none", id)
	}
	sh := s.sheets()[i]
	sh.taken = true
	if sh == s.current {
		s.finish(true)
	}
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
	return nil
}

// finish ends the current sheet.
func (s *Sim) finish(partial bool) {
	if s.current.blank() {
		s.current.strips = nil
		return
	}
	s.current.partial = s.current.partial || partial
	s.receipts = append(s.receipts, s.current)
	s.newSheet()
}

// Dropped is how many bytes were lost because the host sent more than the buffer holds.
func (s *Sim) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// offline says whether the printer cannot print, and so executes nothing.
func (s *Sim) offline() bool { return s.cover || s.paperLeft == 0 || s.jammed }

// stateChanged follows up a change of the mechanics: status, flow control, and work that can go on.
func (s *Sim) stateChanged() {
	if s.asb != 0 {
		if now := s.asbBytes(); now != s.lastASB {
			s.lastASB = now
			s.answer(now[:]...)
		}
	}
	s.flow()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Sim) tell() {
	if s.opts.OnChange != nil {
		s.opts.OnChange()
	}
}

// takes is the time that dots of paper take.
func (s *Sim) takes(dots int) time.Duration {
	if s.opts.Quick {
		return 0
	}
	return time.Duration(dots) * time.Second / time.Duration(8*s.opts.Speed)
}
