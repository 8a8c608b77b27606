package printer

import (
	"fmt"
	"math/rand/v2"
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

// The faults. A silent printer receives and prints but says nothing: the wire from it is dead. One that is off also receives nothing,
// and has forgotten everything when it is switched on.
const (
	SimNone   SimFault = "none"
	SimSilent SimFault = "silent"
	SimOff    SimFault = "off"
)

// SimState is the state of a simulated printer's mechanics.
type SimState struct {
	Paper  string // "full", "low", "out"
	Cover  string // "closed", "open"
	Cutter string // "ok", "jammed"
	Head   string // "ok", "hot"
	Fault  SimFault
}

// Receipt is a piece of paper that came out of a simulated printer.
type Receipt struct {
	ID        string   // "1", "2", … in the order of printing
	Lines     []string // as [Lines] gives them; a character defined by the host reads 〓, a picture "[picture]"
	Presented bool     // it stands in the output and can be taken
	Taken     bool
	Retracted bool // the printer took it back
	Partial   bool // not cut yet, or torn off before the cut, or what a clear left of it
}

// Sim is a receipt printer in software: it plays a profile, that is, it interprets ESC/POS from a line, with a receive buffer, flow
// control, realtime commands, the profile's status dialect, process ids, a presenter, and paper that takes time to print and can run
// out. It keeps its state when the line breaks.
type Sim struct {
	profile *Profile
	dialect *dialect
	opts    SimOpts
	answerC chan struct{} // there is something to send
	sending chan struct{} // one sender at a time holds its place

	mu      sync.Mutex    // guards everything below
	changed chan struct{} // closed and replaced whenever mechanics may have something to do

	// Reception.
	frame   framer
	recent  []byte // the last bytes, to find realtime commands anywhere
	queue   []received
	queued  int    // bytes in queue
	inPart  int    // bytes of the buffer that a command not complete takes
	stopped bool   // it said stop
	dropped []byte // lost because the buffer was full
	count   int    // commands interpreted

	// The line to the host.
	out   []byte // answers not sent yet
	wire  SimLine
	noise *rand.Rand
	fault SimFault

	// Mechanics.
	paperLeft int // dots; -1 = a whole roll
	endAfter  int // the paper ends when that many commands have been interpreted; 0 = never
	low       bool
	cover     bool // open
	jammed    bool
	hot       bool
	automatic bool
	lastAuto  string
	motions   []motion // interpreted, not yet on paper
	moving    bool     // the first of them is under way

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

// received is a command that was received and not interpreted, with the bytes it takes in the buffer.
type received struct {
	cmd  Command
	size int
}

// nearEnd is how many lines before its end the near-end sensor sees the roll.
const nearEnd = 30

// NewSim returns a printer with paper, closed, and idle.
func NewSim(p *Profile, opts *SimOpts) *Sim {
	lang, _ := compile(p) // checked when it was read
	s := &Sim{
		profile: p, dialect: lang, answerC: make(chan struct{}, 1), sending: make(chan struct{}, 1), changed: make(chan struct{}),
		frame:     framer{gb18030: p.Charset == GB18030, vendor: lang.commands()},
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
	pick := func(bad bool, yes, no string) string {
		if bad {
			return yes
		}
		return no
	}
	return SimState{
		Paper: pick(s.paperLeft == 0, "out", pick(s.nearEnd(), "low", "full")),
		Cover: pick(s.cover, "open", "closed"), Cutter: pick(s.jammed, "jammed", "ok"), Head: pick(s.hot, "hot", "ok"),
		Fault: s.fault,
	}
}

func (s *Sim) nearEnd() bool {
	return s.low || s.paperLeft >= 0 && s.paperLeft <= nearEnd*s.profile.LineDots
}

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

// SetHot lets the print head run hot or cool down.
func (s *Sim) SetHot(hot bool) {
	s.mu.Lock()
	s.hot = hot
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
}

// SetPaperLeft lets the paper end after that many more lines.
func (s *Sim) SetPaperLeft(lines int) {
	s.mu.Lock()
	s.paperLeft, s.low = max(lines, 0)*s.profile.LineDots, false
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
}

// SetFault breaks or mends the line from the printer, or switches it off and on.
func (s *Sim) SetFault(f SimFault) error {
	if f != SimNone && f != SimSilent && f != SimOff {
		return fmt.Errorf("cannot set printer fault %q: it may be none, silent or off", f)
	}
	s.mu.Lock()
	s.fault = f
	if f == SimOff {
		s.forget()
	}
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
	return nil
}

// forget is what a printer does without power.
func (s *Sim) forget() {
	s.queue, s.queued, s.inPart, s.frame, s.recent, s.out = nil, 0, 0, framer{gb18030: s.frame.gb18030, vendor: s.frame.vendor}, nil, nil
	s.dropMotions()
	s.automatic, s.stopped, s.lastAuto = false, false, ""
	s.reset()
}

// Receipts is the paper that came out, oldest first, and at the end what is being printed.
func (s *Sim) Receipts() []Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Receipt, 0, len(s.receipts)+1)
	for _, sh := range s.sheets() {
		all = append(all, Receipt{
			ID: sh.id, Lines: sh.lines(), Presented: sh.where == sheetOut, Taken: sh.where == sheetTaken, Retracted: sh.where == sheetRetracted,
			Partial: sh.partial || sh == s.current,
		})
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
	if i < 0 || s.sheets()[i].where == sheetRetracted {
		s.mu.Unlock()
		return fmt.Errorf("cannot take receipt %q: there is none", id)
	}
	sh := s.sheets()[i]
	if sh == s.current {
		s.finish(true)
	}
	sh.where = sheetTaken
	s.stateChanged()
	s.mu.Unlock()
	s.tell()
	return nil
}

// finish ends the current sheet. A presenter holds it until it is told to show it.
func (s *Sim) finish(partial bool) {
	if s.current.blank() {
		s.current.strips = nil
		return
	}
	s.current.partial = s.current.partial || partial
	s.current.where = sheetOut
	if s.dialect.present != nil && !partial {
		s.current.where = sheetHeld
	}
	s.receipts = append(s.receipts, s.current)
	s.newSheet()
}

// Dropped is how many bytes were lost because the host sent more than the buffer holds.
func (s *Sim) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dropped)
}

// offline says whether the printer cannot print, and so executes nothing.
func (s *Sim) offline() bool { return s.cover || s.paperLeft == 0 || s.jammed || s.hot }

// stateChanged follows up a change of the mechanics: status, flow control, and work that can go on.
func (s *Sim) stateChanged() {
	if s.automatic {
		if now := string(s.dialect.automatic.compose(s.sensor)); now != s.lastAuto {
			s.lastAuto = now
			s.answer([]byte(now)...)
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

// sensor is what a sensor sees.
func (s *Sim) sensor(what Sensor) bool {
	last := func(where sheetPlace) bool {
		return len(s.receipts) > 0 && s.receipts[len(s.receipts)-1].where == where
	}
	switch what {
	case SensorOffline:
		return s.offline()
	case SensorCover:
		return s.cover
	case SensorStopped:
		return s.paperLeft == 0 && len(s.queue)+len(s.motions) > 0
	case SensorPaperEnd:
		return s.paperLeft == 0
	case SensorPaperLow:
		return s.nearEnd()
	case SensorCutter:
		return s.jammed
	case SensorHot:
		return s.hot
	case SensorPresented:
		return slices.ContainsFunc(s.receipts, func(sh *sheet) bool { return sh.where == sheetOut })
	case SensorTaken:
		return last(sheetTaken)
	case SensorRetracted:
		return last(sheetRetracted)
	}
	return false
}

// takes is the time that dots of paper take.
func (s *Sim) takes(dots int) time.Duration {
	if s.opts.Quick {
		return 0
	}
	return time.Duration(float64(dots) * 25.4 / float64(s.profile.DPI) / float64(s.opts.Speed) * float64(time.Second))
}
