// Package daemon builds everything that runs on one machine, in order, runs it, and stops it in reverse.
//
// It is the only package that knows all the others.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"yuanban/devices/buttons"
	"yuanban/kiosk/api"
	"yuanban/kiosk/casefile"
	"yuanban/kiosk/catalogue"
	"yuanban/kiosk/config"
	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/journal"
	"yuanban/kiosk/maintenance"
	"yuanban/kiosk/pinyin"
	"yuanban/kiosk/station"
	"yuanban/kiosk/upstream"
	"yuanban/kiosk/visit"
	"yuanban/kiosk/window"
	"yuanban/ui"
	"yuanban/ui/view"
	"yuanban/ui/wording"
)

// Options is what a machine is started with.
type Options struct {
	Config  *config.Config
	Version string
	Log     *slog.Logger
	Ready   func(url string) // called once when visitors are served
	Demo    *Demo            // nil on a real machine
	Hold    bool             // what only a technician can mend is shown and tried again instead of ending Run
	Runtime string           // folder of requests to the service manager, whose units watch it; "" for none

	Configuration string            // version of the configuration, as a technician knows it; "" when it has none
	Stick         maintenance.Stick // updates from a USB stick; nil for the unit that watches Runtime
}

// Demo is what a demonstration brings along in place of hardware that cannot be played through a tty.
type Demo struct {
	Lines func() (buttons.Lines, error)
	Lamps []buttons.Lamp
	Bench http.Handler // served under /bench
}

// flow is what serves the visitors of this machine: a visit or a window.
type flow interface {
	Run(ctx context.Context) error
	Act(a view.Action)
	Press(level int)
}

// pinger is the part of a flow that proves that its loop turns.
type pinger interface {
	Ping(ctx context.Context) (resting bool, err error)
}

// watcher is the part of a flow that hears of the machine.
type watcher interface {
	Platform(online bool)
	Changed()
}

// greeter is a flow that hears of people who come and go.
type greeter interface{ Presence(near bool) }

// machine is one run of the program.
type machine struct {
	opt      Options
	cfg      *config.Config
	log      *slog.Logger
	started  time.Time
	addr     string // at which the screens are served
	secrets  secrets
	services *services
	location *time.Location

	words    *wording.Book
	content  *catalogue.Catalogue
	pinyin   *pinyin.Dictionary
	journal  *journal.Journal
	sealer   casefile.Sealer // nil without a platform key
	cases    *casefile.Files
	ratings  *evaluation.Book
	upstream *upstream.Deliverer
	board    *station.Board
	reader   *station.Reader
	printer  *station.Printer
	buttons  *station.Buttons
	pad      *station.SerialPad // in place of buttons
	sensors  *station.Sensors
	relay    *station.Relay
	lamps    *buttons.Lamps
	lines    *buttons.GPIOLamps // of the lamps; nil when they are simulated
	pressed  atomic.Int32       // the rating button pressed last, 0 once it has been thanked for
	screen   *ui.Server
	stage    *stage            // between the flow, the desk and the screen
	desk     *maintenance.Desk // the technician's
	front    *later[*maintenance.Desk]
	api      *later[*api.API]
	flow     *later[flow]
	broken   *later[string] // what is wrong with the chain of facts, "ok" when it holds

	manager   *manager
	trouble   *later[string]    // why the journal is not open
	attempt   *later[time.Time] // when the present attempt to open it began
	life      *later[life]
	recording *later[recording]
	resting   *later[bool] // nobody is being served
}

func newMachine(opt Options) *machine {
	return &machine{opt: opt, cfg: opt.Config, log: opt.Log, started: time.Now(), services: newServices(opt.Log),
		location: time.FixedZone("CST", 8*3600), api: &later[*api.API]{}, flow: &later[flow]{}, broken: &later[string]{},
		manager: &manager{log: opt.Log}, trouble: &later[string]{}, attempt: &later[time.Time]{}, life: &later[life]{},
		recording: &later[recording]{}, resting: &later[bool]{}, front: &later[*maintenance.Desk]{}}
}

// Run runs the machine until ctx ends (nil) or something fails that only a new start can mend.
func Run(ctx context.Context, opt Options) error {
	m := newMachine(opt)
	var err error
	if m.secrets, err = readSecrets(m.cfg, opt.Demo != nil); err != nil {
		return err
	}
	// The address before all else: a second program on the same machine ends here, before it touches anything.
	listener, err := listen(m.cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close() // the server closes it earlier; this is for the errors before
	m.addr = listener.Addr().String()
	if err := m.load(); err != nil {
		return err
	}
	// The screen before the journal: what is wrong with the disk must be said on it.
	defer m.services.stop()
	if err := m.startScreen(listener); err != nil {
		return err
	}
	m.startKeeper()
	if err := m.openState(ctx); err != nil {
		return err
	}
	if m.journal == nil {
		m.manager.stopping()
		return nil // asked to stop while waiting for the disk
	}
	defer m.journal.Close()
	if err := m.openStation(ctx); err != nil {
		return err
	}
	if err := m.openFlow(ctx); err != nil {
		return err
	}
	m.startAll()
	defer m.services.stop() // before the journal is closed
	if opt.Ready != nil {
		opt.Ready(m.url())
	}
	err = m.services.wait(ctx)
	m.manager.stopping()
	return err
}

func (m *machine) url() string { return "http://" + m.addr + "/" }

// startKeeper tells the service manager that the screens are served, and begins to prove that the machine lives.
func (m *machine) startKeeper() {
	m.attempt.put(time.Now())
	if dir := m.opt.Runtime; dir != "" {
		if err := tellDisplay(dir, m.url()); err != nil {
			m.log.Error("cannot tell the display where the screens are", "area", "screen", "err", err)
		}
		g := &judge{log: m.log, pulse: m.screen.Pulse, zone: m.location, ask: askIn(dir),
			resting: func() bool { resting, _ := m.resting.get(); return resting }}
		m.services.start("display", g.Run)
	}
	m.manager.ready() // whatever is on the screen: the display waits for it
	k := &keeper{log: m.log, manager: m.manager, status: m.line, changed: m.record, attempt: m.attempt, life: m.life, now: m.recording, back: m.diskBack}
	m.services.start("keeper", k.Run)
}

// record hears that what can be recorded has changed.
func (m *machine) record(r recording) {
	f, ok := m.flow.get()
	if !ok {
		return
	}
	switch f := f.(type) {
	case *visit.Flow:
		switch {
		case r.journal != nil, r.room != nil:
			f.Halted(visit.HaltJournal)
		case r.clock != nil:
			f.Halted(visit.HaltClock)
		default:
			f.Halted(visit.HaltNone)
		}
	case *window.Flow:
		f.Halted(r.journal != nil) // a rating needs little room, and its date is the platform's to correct
	}
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot serve at %s: another program uses this address; if it is kiosk itself, kiosk status tells how it is, else choose another address", addr)
	case err != nil:
		return nil, fmt.Errorf("cannot serve at %s: %w", addr, err)
	}
	return l, nil
}

// readContent reads the park's content, or the built-in example.
func readContent(cfg *config.Config) (*catalogue.Catalogue, error) {
	var files fs.FS = catalogue.Example()
	if cfg.Content != "" {
		if _, err := os.Stat(cfg.Content); err != nil {
			return nil, fmt.Errorf("cannot read the content: %w", err)
		}
		files = os.DirFS(cfg.Content)
	}
	c, err := catalogue.Load(files)
	if err != nil {
		return nil, fmt.Errorf("cannot use the content; see kiosk check: %w", err)
	}
	return c, nil
}

// load reads everything that does not change.
func (m *machine) load() error {
	var err error
	if m.content, err = readContent(m.cfg); err != nil {
		return err
	}
	if m.pinyin, err = pinyin.Load(); err != nil {
		return err
	}
	var names []string
	for _, it := range m.content.Items() {
		names = append(names, it.Name)
	}
	m.pinyin.Boost(names) // what people write about here is likelier than the dictionary knows
	m.words = wording.Default()
	if m.cfg.Park.Name != "" {
		m.content.Park.Name = m.cfg.Park.Name
	}
	return nil
}

// startScreen serves the screens, and says that the machine is out of service until a flow has something better to show.
func (m *machine) startScreen(l net.Listener) error {
	frame := "none"
	if m.opt.Demo != nil {
		frame = "self"
	}
	var err error
	m.screen, err = ui.New(ui.Options{
		Words: m.words, Role: ui.Role(m.cfg.Role), Park: m.content.Park.Name, Hosts: m.hosts(), FrameAncestors: frame,
		Screen: ui.Screen{Width: m.cfg.Screen.Width, Height: m.cfg.Screen.Height, Diagonal: m.cfg.Screen.Diagonal},
		Photos: m.content.Files, Log: m.log,
		OnAction:  m.action,
		OnDisplay: m.display,
	})
	if err != nil {
		return err
	}
	m.outOfService(trouble{code: "S-901"})
	m.services.start("screen", m.screen.Run)
	m.services.start("http", func(ctx context.Context) error { return serve(ctx, l, m.mux()) })
	return nil
}

// hosts are the names under which this machine may be addressed: literals, against DNS rebinding.
func (m *machine) hosts() []string {
	_, port, err := net.SplitHostPort(m.addr)
	if err != nil {
		return nil
	}
	hosts := []string{m.addr, "127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	if port == "80" { // a browser leaves it out
		hosts = append(hosts, "127.0.0.1", "localhost", "[::1]")
	}
	return hosts
}

func (m *machine) mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", m.screen.Handler())
	machineAPI := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := m.api.get(); ok {
			a.ServeHTTP(w, r)
			return
		}
		why, _ := m.trouble.get()
		http.Error(w, "not serving anybody: "+cmp.Or(why, "the journal is not open yet"), http.StatusServiceUnavailable)
	})
	for _, path := range []string{"/kiosk/v1/", "/technician", "/technician.css", "/healthz", "/metrics"} {
		mux.Handle(path, machineAPI)
	}
	if m.opt.Demo != nil {
		mux.Handle("/bench", m.opt.Demo.Bench)
		mux.Handle("/bench/", m.opt.Demo.Bench)
	}
	return mux
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// Websockets have been closed by their owners; a request under way gets a moment.
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		srv.Close()
	}
	<-ended
	return nil
}
