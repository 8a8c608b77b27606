package acceptance

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yuanban/devices/idcard"
	"yuanban/devices/printer"
	"yuanban/devices/serialport"
	"yuanban/provisioning/identity"
)

func TestWeights(t *testing.T) {
	sum, s := 0, map[string]bool{}
	for _, w := range Weights() {
		sum += w.Points
		if w.Title == "" || w.Points <= 0 || s[w.ID] {
			t.Errorf("%+v", w)
		}
		s[w.ID] = true
	}
	if sum != 100 || len(s) != 10 {
		t.Errorf("%d items of %d points", len(s), sum)
	}
}

// place is a machine with simulated devices behind pseudo-terminals, and a person before it.
type place struct {
	t       *testing.T
	m       *Machine
	o       Options
	card    *idcard.Sim
	paper   *printer.Sim
	mu      sync.Mutex
	running bool
	display bool
	lamps   int
	lines   map[string]error // that do not open
	press   chan int
	said    strings.Builder
	answers map[string]func() string // begin of a question -> answer; without one it is yes
}

func newPlace(t *testing.T) *place {
	p := &place{t: t, running: true, display: true, lines: map[string]error{}, press: make(chan int, 8), answers: map[string]func() string{}}
	known, err := printer.ByName("epson80")
	if err != nil {
		t.Fatal(err)
	}
	p.card, p.paper = idcard.NewSim(nil), printer.NewSim(known, &printer.SimOpts{Quick: true})
	reader := p.behind(p.card.Serve)
	paper := p.behind(p.paper.Serve)
	platform := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(platform.Close)
	root, drm := t.TempDir(), "sys/class/drm/card0-HDMI-A-1"
	p.write(root, drm+"/status", "connected")
	p.write(root, drm+"/modes", "1920x1080\n1280x720")
	p.write(root, "sys/class/drm/card0-DP-1/status", "disconnected")
	p.m = &Machine{Number: "K00001", Role: "kiosk", Program: "1.0", Pass: 70, Profile: "epson80", State: t.TempDir(), Width: 1080, Height: 1920,
		Reader: &serialport.Config{Path: reader}, Printer: &serialport.Config{Path: paper, Baud: 115200}, Platforms: []string{platform.URL},
		Presses: func(ctx context.Context, ready func(), press func(int)) error {
			ready()
			for {
				select {
				case g := <-p.press:
					if g == 0 {
						return errors.New("the chip is gone")
					}
					press(g)
				case <-ctx.Done():
					return nil
				}
			}
		},
		Lamps: func(bool) error { p.lamps++; return nil },
		Running: func(context.Context) (*Running, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.running {
				return nil, errors.New("nothing answers")
			}
			return &Running{Display: p.display, Journal: "ok", Clock: "ok", Devices: map[string]string{"reader": "online", "printer": "online", "buttons": "online"}}, nil
		}}
	pool := platform.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	p.o = Options{Person: p, By: "Chen", Root: root, Roots: pool, Open: func(ctx context.Context, c serialport.Config) (*serialport.Port, error) {
		p.mu.Lock()
		running, err := p.running, p.lines[c.Path]
		p.mu.Unlock()
		if running {
			t.Error("a line of the running program was touched")
		}
		if err != nil {
			return nil, err
		}
		return serialport.OpenContext(ctx, c)
	}}
	return p
}

func (p *place) write(root, name, text string) {
	path := filepath.Join(root, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text+"\n"), 0o644)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) behind(serve func(context.Context, io.ReadWriter) error) string {
	pty, err := serialport.OpenPty()
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = serve(ctx, pty.Master) }()
	p.t.Cleanup(func() { stop(); pty.Close(); <-ended })
	return pty.Path()
}

// Ask answers as a technician who does what is asked.
func (p *place) Ask(_ context.Context, question string) (string, error) {
	fmt.Fprintln(&p.said, question)
	for begin, answer := range p.answers {
		if strings.Contains(question, begin) {
			return answer(), nil
		}
	}
	switch {
	case strings.Contains(question, "systemctl stop kiosk"):
		p.mu.Lock()
		defer p.mu.Unlock()
		p.running = false
		return "", nil
	case strings.Contains(question, "three large characters"):
		return strings.ToLower(p.code()), nil
	}
	return "yes", nil
}

// code is what stands on the paper: the only line of three characters of the alphabet.
func (p *place) code() string {
	for _, r := range p.paper.Receipts() {
		for _, l := range r.Lines {
			if l = strings.ReplaceAll(strings.TrimSpace(l), " ", ""); len(l) == 3 && strings.Trim(l, codeLetters) == "" {
				return l
			}
		}
	}
	return "???"
}

func (p *place) Say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(&p.said, text)
	switch {
	case strings.Contains(text, "Lay any ID card"):
		if err := p.card.Lay(idcard.Examples()[0]); err != nil {
			p.t.Error(err)
		}
	case strings.Contains(text, "Press 非常满意"):
		for g := 5; g >= 1; g-- {
			p.press <- g
		}
	}
}

func (p *place) run() *Report { return Run(p.t.Context(), p.m, p.o) }

func (p *place) want(r *Report, states map[string]State) {
	p.t.Helper()
	for _, i := range r.Items {
		want, special := states[i.ID]
		if !special {
			want = OK
		}
		if i.State != want {
			p.t.Errorf("%s is %s, want %s: %s", i.ID, i.State, want, i.Says)
		}
	}
}

// TestAccept: a good machine gets everything, its report tells nothing of the card, prints, verifies, and cannot be bent.
func TestAccept(t *testing.T) {
	p := newPlace(t)
	r := p.run()
	p.want(r, nil)
	if r.Score != 100 || !r.Passed || p.lamps != 6 || len(r.Serials) != 1 {
		t.Errorf("%s\n%d lamps", r.Text(), p.lamps)
	}
	key, err := identity.Load(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path, err := r.Save(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSuffix(path, ".json") + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	inside, _ := json.Marshal(r)
	for _, secret := range []string{idcard.Examples()[0].Name, idcard.Examples()[0].Number, idcard.Examples()[0].Address} {
		if strings.Contains(string(inside)+string(text)+p.said.String(), secret) {
			t.Error("the card is in the report")
		}
	}
	got, signer, err := Verify(data)
	if err != nil || got.Text() != r.Text() || !signer.Equal(key.Public()) || !strings.Contains(string(text), Fingerprint(signer)) {
		t.Fatalf("%v\n%s", err, got.Text())
	}
	for i := range data {
		bent := append([]byte{}, data...)
		bent[i] ^= 1
		if got, by, err := Verify(bent); err == nil && (got.Text() != r.Text() || !by.Equal(signer)) {
			t.Fatalf("byte %d bent, and it is still believed", i)
		}
	}
	if err := r.Print(t.Context(), p.m, p.o, signer); err != nil {
		t.Fatal(err)
	}
	last := p.paper.Receipts()[len(p.paper.Receipts())-1]
	if all := strings.Join(last.Lines, "\n"); !strings.Contains(all, "设备验收报告") || !strings.Contains(all, "K00001") || !strings.Contains(all, "Chen") {
		t.Errorf("on paper:\n%s", all)
	}
}

// TestAcceptTellsWhatIsWrong: each fault is found by its item, and what must not fail keeps a machine from passing.
func TestAcceptTellsWhatIsWrong(t *testing.T) {
	answer := func(s string) func() string { return func() string { return s } }
	for name, tc := range map[string]struct {
		break_ func(p *place)
		states map[string]State
		passed bool
		says   string
	}{
		"wrong code":        {func(p *place) { p.answers["three large"] = answer("AAA") }, map[string]State{"printer": Failed}, false, "what was typed is not what was printed"},
		"no paper came":     {func(p *place) { p.answers["three large"] = answer("no") }, map[string]State{"printer": Failed}, false, "which side is thermal"},
		"no printer's line": {func(p *place) { p.m.Printer = &serialport.Config{Path: "/dev/nothing", Baud: 9600} }, map[string]State{"printer": Failed}, false, "cannot print"},
		"in use":            {func(p *place) { p.lines[p.m.Reader.Path] = serialport.ErrBusy }, map[string]State{"reader": Failed}, false, "fuser"},
		"broken reader": {func(p *place) {
			must(p.t, p.card.SetFault(idcard.Faults()[len(idcard.Faults())-1]))
			p.card.Hang()
			p.m.Reader.Baud = 115200
		}, map[string]State{"reader": Failed}, false, "no reader answered"},
		"buttons exchanged":     {func(p *place) { p.press <- 1 }, map[string]State{"buttons": Failed}, false, "lines are exchanged"},
		"buttons gone":          {func(p *place) { p.press <- 0 }, map[string]State{"buttons": Failed}, false, "the chip is gone"},
		"lamps dark":            {func(p *place) { p.answers["Did all lamps"] = answer("no") }, map[string]State{"lamps": Failed}, true, "active-low"},
		"lamps broken":          {func(p *place) { p.m.Lamps = func(bool) error { return errors.New("no such line") } }, map[string]State{"lamps": Failed}, true, "no such line"},
		"no platform":           {func(p *place) { p.m.Platforms = []string{"https://127.0.0.1:1"} }, map[string]State{"network": Failed}, true, "firewall"},
		"a stranger's platform": {func(p *place) { p.o.Roots = nil }, map[string]State{"network": Failed}, true, "no TLS that this machine trusts"},
		"no folder":             {func(p *place) { p.m.State = "/proc/nothing" }, map[string]State{"disk": Failed}, false, "cannot be used"},
		"other display":         {func(p *place) { p.m.Width = 800 }, map[string]State{"display": Failed}, true, "HDMI-A-1 with 1920x1080"},
		"no display":            {func(p *place) { p.o.Root = p.t.TempDir() }, map[string]State{"display": Failed}, true, "no display is plugged in"},
		"no browser":            {func(p *place) { p.display = false }, map[string]State{"display": Failed, "touch": NotDone, "sound": NotDone}, true, "kiosk-display"},
		"program not started":   {func(p *place) { p.running = false }, map[string]State{"touch": NotDone, "sound": NotDone}, true, "systemctl start kiosk"},
		"program not stopped":   {func(p *place) { p.answers["systemctl stop kiosk"] = answer("") }, map[string]State{"reader": NotDone, "printer": NotDone, "buttons": NotDone, "lamps": NotDone}, false, "the running program has it"},
		"nothing configured": {func(p *place) {
			p.m.Reader, p.m.Printer, p.m.Presses, p.m.Lamps, p.m.Platforms = nil, nil, nil, nil, nil
		}, map[string]State{"reader": Absent, "printer": Absent, "buttons": Absent, "lamps": Absent, "network": Absent}, true, "not configured"},
		"a high pass line": {func(p *place) { p.m.Pass = 97; p.answers["Did all lamps"] = answer("no") }, map[string]State{"lamps": Failed}, false, "NOT PASSED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			tc.break_(p)
			r := p.run()
			p.want(r, tc.states)
			if r.Passed != tc.passed || !strings.Contains(r.Text(), tc.says) {
				t.Errorf("passed %v; %q is not said:\n%s", r.Passed, tc.says, r.Text())
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSelfTest: nobody is needed and nothing of the running program is touched; without the program the devices are asked.
func TestSelfTest(t *testing.T) {
	p := newPlace(t)
	p.o.Person, p.o.By = nil, ""
	r := p.run() // its Open fails the test
	p.want(r, map[string]State{"touch": NotDone, "sound": NotDone, "lamps": NotDone})
	if r.Score != 100 || !r.Passed || len(r.Wrong()) != 0 {
		t.Errorf("%s", r.Text())
	}
	p.running = false
	r = p.run()
	p.want(r, map[string]State{"touch": NotDone, "sound": NotDone, "lamps": NotDone, "buttons": NotDone})
	if r.Passed { // nobody knows of the buttons
		t.Errorf("%s", r.Text())
	}
	p.running = true
	p.m.Running = func(context.Context) (*Running, error) {
		return &Running{Display: true, Journal: "disk full", Clock: "wrong by a year", Devices: map[string]string{"reader": "offline: gone", "printer": "online"}}, nil
	}
	p.m.Platforms = nil
	r = p.run()
	p.want(r, map[string]State{"touch": NotDone, "sound": NotDone, "lamps": NotDone, "reader": Failed, "buttons": Failed, "clock": Failed, "disk": Failed, "network": Absent})
	if r.Passed || len(r.Wrong()) != 4 || !strings.Contains(r.Text(), "offline: gone") {
		t.Errorf("%s", r.Text())
	}
}

// TestInterrupted: what was not reached is not done, and never passes.
func TestInterrupted(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.answers["Did each react"] = func() string { cancel(); return "yes" }
	r := Run(ctx, p.m, p.o)
	if r.Passed || r.Interrupt == "" || r.Items[len(r.Items)-1].State != NotDone {
		t.Errorf("%s", r.Text())
	}
}

func TestSlowClock(t *testing.T) {
	s := &session{dated: true, date: -3 * time.Minute}
	if r := s.clock(); r.State != Failed || r.Measured["offset_s"] != -180 {
		t.Errorf("%+v", r)
	}
}

// FuzzVerify: whatever the file, only what this machine signed is believed to be its. Every worker of the fuzzer has the same key.
func FuzzVerify(f *testing.F) {
	dir := f.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "machine.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		f.Fatal(err)
	}
	key, err := identity.Load(dir)
	if err != nil {
		f.Fatal(err)
	}
	r := &Report{Machine: "K00001", Items: []Result{{State: OK}}}
	path, err := r.Save(f.TempDir(), key)
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"report":"e30=","key":"","signature":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, by, err := Verify(data)
		if err == nil && by.Equal(key.Public()) && got.Text() != r.Text() {
			t.Errorf("%s was believed", data)
		}
	})
}
