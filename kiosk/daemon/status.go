package daemon

import (
	"cmp"
	"context"
	"time"

	"yuanban/kiosk/api"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/station"
)

// How soon the platform's faults show in a demonstration.
const (
	demoHeartbeat = 2 * time.Second
	demoBackoff   = 3 * time.Second
)

// status is what the machine says of itself.
func (m *machine) status(ctx context.Context) api.Status {
	s, _ := m.judge(ctx)
	return s
}

// judge is the status, and why no fact can be recorded; nil when one can, though there be little room.
func (m *machine) judge(ctx context.Context) (s api.Status, unrecorded error) {
	s = api.Status{Machine: m.cfg.Machine, Role: string(m.cfg.Role), Version: m.opt.Version, Started: m.started,
		Display: m.screen.Connected(), Devices: m.devices(), Journal: "ok", Chain: api.ChainUnknown, Epoch: m.journal.Epoch()}
	pos, err := m.journal.Position(ctx)
	if err == nil {
		// Reading proves little: what counts is that a fact could be recorded.
		err = m.journal.Write(ctx, func(*journal.Tx) error { return nil })
	}
	r, _ := m.recording.get()
	unrecorded = cmp.Or(err, r.journal)
	if err = cmp.Or(unrecorded, r.room); err != nil {
		s.Journal = err.Error()
	}
	if s.Clock = "ok"; r.clock != nil {
		s.Clock = r.clock.Error()
	}
	if broken, known := m.broken.get(); known {
		s.Chain = broken
	}
	s.Sequence = pos.Last
	up := m.upstream.State()
	s.Platform = api.Platform{Configured: m.cfg.Upstream != nil, Online: up.Online, Backlog: up.Backlog, Oldest: up.Oldest, LastOK: up.LastOK, LastError: up.LastError}
	return s, unrecorded
}

// devices is the health of every configured device, also of one from which nothing was heard yet.
func (m *machine) devices() []station.Health {
	var all []station.Health
	for _, d := range []struct {
		name       string
		configured bool
	}{{"reader", m.cfg.Reader != nil}, {"printer", m.cfg.Printer != nil}, {"buttons", m.hasButtons()},
		{"sensors", m.sensors != nil}, {"relay", m.relay != nil}} {
		if !d.configured {
			continue
		}
		h := m.board.Health(d.name)
		if h.State == station.Absent {
			h.State, h.Detail, h.Since = station.Offline, "has not answered yet", m.started
			h.Seen = []station.Condition{{Word: station.Waiting}}
		}
		all = append(all, h)
	}
	return all
}

// auditEvery is how often the hash chain of the journal is walked.
const auditEvery = 24 * time.Hour

// audit walks the hash chain at the start and once a day. A broken chain is told; it stops nobody, for what was kept is still the best there is.
func (m *machine) audit(ctx context.Context) error {
	for {
		err := m.journal.Verify(ctx)
		if ctx.Err() != nil {
			return nil
		}
		word := "ok"
		if err != nil {
			word = err.Error()
			m.log.Error("the chain of facts does not hold", "area", "journal", "err", err)
		}
		m.broken.put(word)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(auditEvery):
		}
	}
}
