package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
	"yuanban/kiosk/journal"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// retryEvery is how often what keeps the machine from serving is tried again.
const retryEvery = 3 * time.Second

// errSetup is a configuration or content that shows only in use what is wrong with it.
var errSetup = errors.New("cannot use the configuration or the content")

// trouble is what the screen says of a machine that cannot serve: a code for the visitor, the cause for the technician.
type trouble struct {
	code  string
	cause string // name of the cause's text, "" when there is nothing to mend
	where string // the file or folder it is about
}

// outOfService puts the trouble on the screen.
func (m *machine) outOfService(t trouble) {
	body := view.OutOfService{Failure: m.words.Failure(t.code), Phone: m.content.Park.Phones.Consult}
	if t.cause != "" {
		body.Cause = m.words.Text("cause."+t.cause, "where", t.where)
	}
	m.screen.Show(view.View{Screen: "outofservice", Title: m.words.Text("outofservice.title"), Body: body})
}

// troubleOf says what is wrong with the folder of the journal, and whether a technician's hand is needed; a disk may come back by itself.
func (m *machine) troubleOf(err error) (t trouble, hands bool) {
	path := m.journalPath()
	switch {
	case errors.Is(err, journal.ErrDiskFull):
		return trouble{"S-905", "full", path}, false
	case errors.Is(err, journal.ErrDamaged):
		return trouble{"S-906", "damaged", path}, false
	case errors.Is(err, journal.ErrNewer):
		return trouble{"S-906", "newer", path}, true
	case errors.Is(err, journal.ErrForeign), errors.Is(err, journal.ErrMachine):
		return trouble{"S-906", "foreign", path}, true
	case errors.Is(err, journal.ErrInUse):
		return trouble{"S-906", "inuse", path}, true
	case errors.Is(err, errSetup):
		return trouble{"S-907", "config", ""}, true
	case errors.Is(err, errPersonKey):
		return trouble{"S-906", "key", filepath.Join(m.cfg.State, personKeyFile)}, true
	}
	return trouble{"S-904", "disk", path}, false
}

func (m *machine) journalPath() string { return filepath.Join(m.cfg.State, "journal.db") }

// openState opens the journal and what is kept in it, trying until it can be done. Meanwhile the screen says what is wrong. What only a
// technician can mend is an error, unless the machine is to hold. With ctx ended the journal is nil.
func (m *machine) openState(ctx context.Context) error {
	for {
		m.attempt.put(time.Now())
		err := m.tryState(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		t, hands := m.troubleOf(err)
		if hands && !m.opt.Hold {
			return err // it names the file
		}
		if said, _ := m.trouble.get(); said != err.Error() { // once, not every three seconds
			m.trouble.put(err.Error())
			m.log.Error("cannot open the journal; trying again", "area", "journal", "err", err)
			m.outOfService(t)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryEvery):
		}
	}
}

// tryState opens the journal and the books in it, or nothing.
func (m *machine) tryState(ctx context.Context) error {
	if err := os.MkdirAll(m.cfg.State, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder of the journal: %w", err)
	}
	j, err := journal.Open(ctx, m.journalPath(), journal.Options{Machine: m.cfg.Machine, Log: m.log})
	if err != nil {
		return err
	}
	m.journal = j
	if err := m.openBooks(ctx); err != nil {
		m.journal = nil
		return errors.Join(err, j.Close())
	}
	return nil
}

// diskBack says that a new file can be written where the journal is.
func (m *machine) diskBack() bool {
	probe := filepath.Join(m.cfg.State, ".probe")
	err := writeSynced(probe, []byte("x"))
	return err == nil && os.Remove(probe) == nil
}

// Stand runs a machine as an appliance: what a technician has to mend is said on its screen, and it goes on by itself once that is done.
// load reads the configuration; it is asked again and again while it or the content fails. opt.Config is load's.
func Stand(ctx context.Context, opt Options, load func() (*config.Config, error)) error {
	opt.Hold = true
	whole := func() (*config.Config, error) {
		cfg, err := load()
		if err == nil {
			_, err = readContent(cfg)
		}
		return cfg, err
	}
	cfg, err := whole()
	if err != nil {
		first := cfg // what the screen is made of until then
		err = show(ctx, opt, first, trouble{"S-907", "config", ""}, func() (err error) {
			cfg, err = whole()
			return err
		})
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
	opt.Config = cfg
	return Run(ctx, opt)
}

// StandIn shows for a while that the machine is out of service, in place of a program that did not stay up. cfg may be nil.
func StandIn(ctx context.Context, opt Options, cfg *config.Config, d time.Duration) error {
	until := time.Now().Add(d)
	return show(ctx, opt, cfg, trouble{"S-901", "program", ""}, func() error {
		if time.Now().Before(until) {
			return errors.New("the program failed too often; it is tried again in a while")
		}
		return nil
	})
}

// show serves nothing but the screen that says t, for as long as try fails. cfg is nil when it could not be read.
func show(ctx context.Context, opt Options, cfg *config.Config, t trouble, try func() error) error {
	if cfg == nil {
		cfg = &config.Config{Role: config.RoleKiosk, Listen: config.DefaultListen, Screen: config.Screen{Width: 1080, Height: 1920, Diagonal: 32}}
	}
	opt.Config = cfg
	m := newMachine(opt)
	m.words, m.content = wording.Default(), &catalogue.Catalogue{}
	m.content.Park.Name = cfg.Park.Name
	listener, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	m.addr = listener.Addr().String()
	defer m.services.stop()
	if err := m.startScreen(listener); err != nil {
		return err
	}
	m.outOfService(t)
	m.startKeeper()
	for {
		m.attempt.put(time.Now()) // this loop turns
		err := try()
		if err == nil {
			return nil
		}
		if said, _ := m.trouble.get(); said != err.Error() {
			m.trouble.put(err.Error())
			m.log.Error("out of service; trying again", "area", "daemon", "err", err)
		}
		select {
		case <-ctx.Done():
			m.manager.stopping()
			return nil
		case <-time.After(retryEvery):
		}
	}
}

// line is how the machine is, in one line for systemctl status.
func (m *machine) line() string {
	if why, failed := m.trouble.get(); failed {
		if _, running := m.life.get(); !running {
			first, _, _ := strings.Cut(why, "\n")
			return "out of service: " + first
		}
	}
	if _, running := m.life.get(); !running {
		return "opening the journal"
	}
	r, _ := m.recording.get()
	if err := cmp.Or(r.journal, r.room, r.clock); err != nil {
		return "degraded: " + err.Error()
	}
	if !m.screen.Connected() {
		return "serving " + m.url() + "; no display is connected"
	}
	return "serving " + m.url()
}
