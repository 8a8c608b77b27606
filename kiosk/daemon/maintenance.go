package daemon

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"yuanban/devices/buttons"
	"yuanban/kiosk/config"
	"yuanban/kiosk/maintenance"
	"yuanban/kiosk/station"
	"yuanban/ui/view"
)

// yielder is a flow that can be sent away from the screen and called back.
type yielder interface{ Yield(away bool) }

// stage is the screen between the visitors' flow and the technician's desk. What the flow shows while the desk has the screen is kept,
// the latest only, and shown when it leaves.
type stage struct {
	show  func(view.View)
	yield func(away bool)
	cue   func(station.Cue)

	mu      sync.Mutex
	taken   bool // the desk has the screen
	away    bool // the flow was sent away
	visitor view.View
	cued    station.Cue
}

// Visitor shows what the visitors' flow has.
func (s *stage) Visitor(v view.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visitor = v
	s.visitor.Sound = view.SoundNone // it is heard once, or not at all
	if !s.taken {
		s.show(v)
	}
}

// Cue makes the rating buttons show what the visitors' flow says, unless a technician tests them.
func (s *stage) Cue(c station.Cue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cued = c
	if !s.away {
		s.cue(c)
	}
}

// Show shows what the desk has.
func (s *stage) Show(v view.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = true
	s.show(v)
}

// Enter sends the visitors' flow away.
func (s *stage) Enter() {
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	s.yield(true)
}

// Leave gives the screen, the lamps and the visitors back.
func (s *stage) Leave() {
	s.mu.Lock()
	was := s.away
	s.taken, s.away = false, false
	if s.visitor.Screen != "" {
		s.show(s.visitor)
	}
	if was && s.cued != "" {
		s.cue(s.cued)
	}
	s.mu.Unlock()
	if was {
		s.yield(false)
	}
}

// openDesk makes the technician's desk, before the flow that it can take the screen from.
func (m *machine) openDesk() {
	m.stage = &stage{show: m.screen.Show, cue: m.cue, yield: func(away bool) {
		if f, ok := m.flow.get(); ok {
			if y, ok := f.(yielder); ok {
				y.Yield(away)
			}
		}
	}}
	opt := maintenance.Options{Stage: m.stage, Box: view.Box{Width: m.cfg.Screen.Width, Height: m.cfg.Screen.Height}, Words: m.words,
		Location: m.location, Log: m.log, Facts: m.facts, Help: m.visitorHelp, PIN: m.secrets.pin, Buttons: m.hasButtons(),
		Tries: triesFile{filepath.Join(m.cfg.State, "maintenance-tries.json")},
		Key:   m.sensors != nil && m.cfg.Sensors.Key != nil}
	if m.cfg.Reader != nil {
		opt.Reader = m.reader
	}
	if m.cfg.Printer != nil {
		opt.Printer = m.printer
	}
	if m.hasButtons() {
		opt.Lamp = m.tryLamp
	}
	if dir := m.opt.Runtime; dir != "" {
		ask := askIn(dir)
		opt.Restart = func() error { return ask(askRestart, "a technician asked for it on the screen") }
		opt.Stick = &stick{ask: ask, path: stickProgress}
	}
	if m.opt.Stick != nil {
		opt.Stick = m.opt.Stick
	}
	m.desk = maintenance.New(opt)
}

// visitorHelp shows the telephone numbers.
func (m *machine) visitorHelp() {
	if f, ok := m.flow.get(); ok {
		f.Act(view.Action{Do: "help"})
	}
}

// tryLamp lights the lamp of one button alone, 0 for none. A pad on a serial line is asked to take presses, as some do only while they
// invite.
func (m *machine) tryLamp(level int) {
	if m.lamps != nil {
		if level == 0 {
			m.lamps.Show(buttons.Off)
		} else {
			m.lamps.Show(buttons.On, level)
		}
	}
	if m.pad != nil {
		m.pad.Show(map[bool]station.Cue{true: station.CuePause, false: station.CueInvite}[level == 0])
	}
}

// facts are the machine's status as a technician before it reads it.
func (m *machine) facts(ctx context.Context) maintenance.Facts {
	s, unrecorded := m.judge(ctx)
	r, _ := m.recording.get()
	f := maintenance.Facts{Number: s.Machine, Place: m.content.Park.Name, Program: s.Version, Configuration: m.opt.Configuration, Devices: s.Devices,
		Backlog: s.Platform.Backlog, Oldest: s.Platform.Oldest, Room: r.room, Clock: r.clock,
		Platform: s.Platform.Configured, Online: s.Platform.Online, LastOK: s.Platform.LastOK, LastError: s.Platform.LastError, Cause: m.upstream.State().Cause, Recording: unrecorded, Display: s.Display}
	t := lastSelfTest(m.cfg.State)
	f.SelfTestAt, f.SelfTestWell, f.SelfTestScore = t.At, t.Well, t.Score
	if m.cfg.Role == config.RolePad {
		f.Place = m.words.Text("maint.window", "number", m.cfg.Window.Number)
	}
	var disk syscall.Statfs_t
	if syscall.Statfs(filepath.Dir(m.journalPath()), &disk) == nil {
		f.Free = disk.Bavail * uint64(disk.Bsize)
	}
	return f
}

// triesFile keeps the wrong PINs that count, beside the journal: they are no fact of a visit, and are needed where the journal is not.
type triesFile struct{ path string }

// triesMost is how long the file may be, in bytes.
const triesMost = 1 << 10

// Load implements maintenance.Memory. A folder that is not there yet has nothing in it.
func (f triesFile) Load() ([]byte, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, triesMost))
}

// Keep implements maintenance.Memory.
func (f triesFile) Keep(data []byte) error { return writeSynced(f.path, data) }
