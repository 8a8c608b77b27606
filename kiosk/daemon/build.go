package daemon

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/kiosk/api"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/config"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/station"
	"yuanban/kiosk/upstream"
	"yuanban/kiosk/visit"
	"yuanban/kiosk/window"
	"yuanban/ui/view"
)

// openBooks opens what is kept in the journal: cases, ratings and their way to the platform.
func (m *machine) openBooks(ctx context.Context) error {
	key, err := personKey(m.cfg.State)
	if err != nil {
		return err
	}
	if up := m.cfg.Upstream; up != nil && up.SealKey != "" {
		public, err := sealKey(up.SealKey)
		if err != nil {
			return fmt.Errorf("%w: %w", errSetup, err)
		}
		if m.sealer, err = casefile.NewSealer(public); err != nil {
			return fmt.Errorf("%w: cannot use upstream.seal-key: %w", errSetup, err)
		}
	}
	m.cases = casefile.New(m.journal, casefile.Options{Sealer: m.sealer, Calendar: m.content.Calendar, PersonKey: key, Location: m.location, Log: m.log})
	reasons, err := evaluation.LoadReasons(bytes.NewReader(m.content.Reasons.Raw), m.content.Reasons.Version)
	if err != nil {
		return fmt.Errorf("%w: %w", errSetup, err)
	}
	m.ratings = evaluation.New(m.journal, reasons, evaluation.Options{Sealer: m.sealer, Log: m.log})
	// Before anybody can be invited: what the last stop left open ends as what it was.
	if err := m.ratings.Recover(ctx); err != nil {
		return err
	}
	m.openUpstream()
	return nil
}

func (m *machine) openUpstream() {
	cfg := upstream.Config{}
	if up := m.cfg.Upstream; up != nil {
		cfg.URL, cfg.Token = up.URL, m.secrets.platform
	}
	if m.opt.Demo != nil {
		cfg.Heartbeat, cfg.MaxBackoff = demoHeartbeat, demoBackoff // a presenter does not wait for minutes
	}
	m.upstream = upstream.New(m.journal, cfg, upstream.Options{Log: m.log,
		OnNumbers: m.cases.SetPlatformNumbers,
		OnTime: func(ctx context.Context, at time.Time) {
			if err := m.journal.ConfirmClock(ctx, at); err != nil {
				m.log.Error("cannot keep the platform's time", "area", "journal", "err", err)
			}
		},
		OnState: func(s upstream.State) {
			if w, ok := m.watcher(); ok {
				w.Platform(s.Online || cfg.URL == "")
				w.Changed() // cases may have their numbers now
			}
		}})
}

func (m *machine) watcher() (watcher, bool) {
	f, ok := m.flow.get()
	if !ok {
		return nil, false
	}
	w, ok := f.(watcher)
	return w, ok
}

// openStation makes the supervisors of the configured devices.
func (m *machine) openStation(ctx context.Context) error {
	m.board = station.NewBoard(m.log, func(station.Health) {
		if w, ok := m.watcher(); ok {
			w.Changed()
		}
		if d, ok := m.front.get(); ok {
			d.Changed()
		}
	})
	// A device that is not configured still has its supervisor's face: it is never online, and the screens say so.
	r := serialport.Config{}
	if c := m.cfg.Reader; c != nil {
		r = serialport.Config{Path: c.Port, Baud: int(c.Baud)}
	}
	m.reader = station.NewReader(r, m.board, m.openRelay()...)
	p, profile := serialport.Config{}, "epson80"
	if c := m.cfg.Printer; c != nil {
		p, profile = serialport.Config{Path: c.Port, Baud: c.Baud}, c.Profile
	}
	known, err := printer.LoadProfile(profile)
	if err != nil { // config has read it, but a file can change
		m.log.Error("cannot use the printer", "device", "printer", "err", err)
	}
	cut, err := m.journal.Interrupted(ctx)
	if err != nil {
		return err
	}
	m.printer = station.NewPrinter(p, known, m.journal, cut, m.board)
	if c := m.cfg.Printer; c != nil {
		m.printer.SetCare(station.Care{RemindAfter: c.Remind, RetractAfter: c.Retract})
	}
	m.openSensors()
	return m.openButtons()
}

// openFlow makes the flow of the machine's role.
func (m *machine) openFlow(ctx context.Context) error {
	box := view.Box{Width: m.cfg.Screen.Width, Height: m.cfg.Screen.Height}
	opt := api.Options{Hosts: m.hosts(), Ratings: m.ratings, Status: m.status, Word: m.words.Text, Log: m.log}
	m.openDesk()
	if m.cfg.Role == config.RolePad {
		w := m.newWindow(box)
		m.flow.put(w)
		opt.Window, opt.Desk, opt.Token = w, w, m.secrets.window
	} else {
		m.flow.put(m.newVisit(ctx, box))
	}
	a, err := api.New(opt)
	if err != nil {
		return err
	}
	m.api.put(a)
	return nil
}

// recently is how long ago a case may have been accepted for its visitor to be still there after a restart.
const recently = 10 * time.Minute

func (m *machine) newVisit(ctx context.Context, box view.Box) *visit.Flow {
	last, err := m.cases.LastAccepted(ctx)
	if err != nil {
		m.log.Error("cannot look at the last case", "area", "journal", "err", err)
	}
	places := visit.Places{Reader: "right", Printer: "below", Buttons: m.hasButtons()}
	if m.cfg.Reader != nil {
		places.Reader = string(m.cfg.Reader.Side)
	}
	if m.cfg.Printer != nil {
		places.Printer = string(m.cfg.Printer.Side)
	}
	return visit.New(visit.Options{
		Show: m.stage.Visitor, Box: box, Machine: m.cfg.Machine, Words: m.words, Catalogue: m.content, Pinyin: m.pinyin,
		Cases: m.cases, Ratings: m.ratings, Reader: m.reader, Printer: m.printer, Cue: m.stage.Cue, Places: places,
		Idle: visit.IdleTimes{First: m.cfg.Idle.First, Countdown: m.cfg.Idle.Countdown,
			LargeFirst: m.cfg.Idle.LargeFirst, LargeCountdown: m.cfg.Idle.LargeCountdown},
		Location: m.location, Log: m.log, Accepts: m.sealer != nil,
		Restarted: !last.IsZero() && time.Since(last) < recently,
	})
}

func (m *machine) newWindow(box view.Box) *window.Flow {
	return window.New(window.Options{
		Show: m.stage.Visitor, Box: box, Words: m.words, Catalogue: m.content, Pinyin: m.pinyin, Ratings: m.ratings, Texts: m.sealer != nil,
		OnEvent: func(e window.Event) {
			if a, ok := m.api.get(); ok {
				a.Tell(e)
			}
		},
		Cue: m.stage.Cue, Buttons: func() bool { return m.board.Health("buttons").State == station.Online },
		Window: m.cfg.Window.Number, Staff: m.cfg.Window.Staff, Invite: m.cfg.Window.Invite, Reasons: m.cfg.Window.Reasons, Log: m.log,
	})
}

// startAll starts everything in the order in which it is used: what is used runs before its user, and is stopped after it.
func (m *machine) startAll() {
	m.services.start("audit", m.audit)
	m.services.start("upstream", m.upstream.Run)
	if m.cfg.Printer != nil {
		m.services.start("printer", m.printer.Run)
	}
	if m.relay != nil {
		m.services.start("relay", m.relay.Run)
	}
	if m.cfg.Reader != nil {
		m.services.start("reader", m.reader.Run)
	}
	if m.lamps != nil {
		m.services.start("lamps", m.runLamps)
	}
	if a, ok := m.api.get(); ok {
		m.services.start("api", a.Run)
	}
	m.services.start("desk", m.desk.Run)
	m.front.put(m.desk)
	if f, ok := m.flow.get(); ok {
		m.services.start("flow", f.Run)
		m.display(m.screen.Connected()) // it may have come before the flow
		if p, ok := f.(pinger); ok {
			m.life.put(life{journal: m.journal, ping: m.pinging(p), resting: m.resting}) // from now on the keeper asks it
		}
	}
	// Last: a press must find a flow.
	if m.buttons != nil {
		m.services.start("buttons", m.buttons.Run)
	}
	if m.pad != nil {
		m.services.start("pad", m.pad.Run)
	}
	if m.sensors != nil {
		m.services.start("sensors", m.sensors.Run)
	}
}

// pinging is the flow's answer, and nobody is resting while a technician is in.
func (m *machine) pinging(p pinger) func(ctx context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		resting, err := p.Ping(ctx)
		return resting && !m.desk.Shown(), err
	}
}

// action hands what a person did on the page to the technician's desk while it has the screen, else to the flow.
func (m *machine) action(a view.Action) {
	if d, ok := m.front.get(); ok {
		switch {
		case a.Do == "hold" || a.Do == "release":
			d.Held(a.Do == "hold")
			return
		case d.Act(a):
			return
		}
	}
	if f, ok := m.flow.get(); ok {
		f.Act(a)
	}
}

// display hears of displays that come and go.
func (m *machine) display(connected bool) {
	m.log.Info("display", "area", "screen", "connected", connected)
	if d, ok := m.front.get(); ok && !connected {
		d.Held(false) // a finger on a page that is gone
	}
	if f, ok := m.flow.get(); ok {
		if w, ok := f.(*window.Flow); ok {
			w.Display(connected)
		}
	}
}
