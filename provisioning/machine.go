package provisioning

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/enrol"
	"yuanban/provisioning/identity"
	"yuanban/provisioning/site"
	"yuanban/provisioning/update"
)

func machineCommands() []command {
	return []command{
		{"ask", "[-dry] [-number N] [-site URL | DIR]", "ask to be enrolled: show a code, and write the request into DIR on the stick, or send it", runAsk},
		{"fetch", "[-dry] [-site URL] [-again]", "fetch a newer version from the site's server, or a new certificate, and apply it", runFetch},
		{"apply", "[-dry] FILE", "take a bundle: enrol, or change to its version; back again if the machine is not well with it", runApply},
		{"stick", "[-dry] [-progress FILE] [DIR]", "do what the stick in this machine is for: take its bundle, or write this machine's request on it", runStick},
		{"state", "", "say who this machine is, what version it has and what was taken back", runState},
		{"recover", "[-dry]", "at each start, before the program: finish or take back what a power cut interrupted", runRecover},
		{"resume", "[-dry]", "after each start: wait for the proof of a version that is on trial", runResume},
	}
}

// defaultDir is where a machine keeps who it is and what it was given.
const defaultDir = "/var/lib/kiosk-provision"

const identityDir = "identity"

func (c *call) dir() *string {
	return c.flags.String("dir", defaultDir, "`DIR` of the machine's identity and versions")
}

// versions are the flags of what changes a machine's version.
type versions struct {
	dir, unit      *string
	well, patience *time.Duration
	beforeStart    bool // of the program
}

func (c *call) versions() *versions {
	return &versions{
		dir:      c.dir(),
		unit:     c.flags.String("unit", "kiosk.service", "`UNIT` that runs the program; empty where none runs, as in an image: then the version is committed unproven"),
		well:     c.flags.Duration("well", 30*time.Second, "how `LONG` the machine must be well before the version is committed"),
		patience: c.flags.Duration("patience", 5*time.Minute, "within how `LONG`"),
	}
}

func runAsk(c *call) error {
	v := c.versions()
	number := c.flags.String("number", "", "`NUMBER` that the machine would like; the site decides")
	url := c.flags.String("site", "", "`URL` of the site's server, instead of a stick: the request is sent, and the answer waited for and applied")
	c.dryFlag()
	if err := c.parse(-1); err != nil {
		return err
	}
	if len(c.args) != 1 && *url == "" || len(c.args) != 0 && *url != "" {
		fmt.Fprintf(c.stderr, "%s: give the folder of the stick, or -site\n", c.flags.Name())
		return errUsage
	}
	if c.dry {
		return c.askDry(*v.dir, *url)
	}
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return err
	}
	w, err := m.Ask(*number, c.Version, hardware("/"))
	if err != nil {
		return err
	}
	r, err := identity.ParseRequest(w.Request)
	if err != nil {
		return err
	}
	c.say("request  %s", r.Hash()[:12])
	c.say("code     %s", w.Code)
	if *url != "" {
		return c.askServer(m, w, *url, v)
	}
	path := filepath.Join(c.args[0], "machine-"+r.Hash()[:12]+".request")
	if err := identity.WriteFile(path, w.Request, 0o644); err != nil {
		return fmt.Errorf("cannot write the request: %w; is the stick plugged in and mounted?", err)
	}
	c.say("file     %s", path)
	c.say("\nTake the stick to the laptop and type the code there; it holds for a day:\n  kiosk provision site approve -code CODE -number NUMBER -out DIR %s", filepath.Base(path))
	c.say("Then, on this machine:\n  kiosk provision apply FILE")
	return nil
}

// askDry tries the way that a request would go, and draws neither key nor code.
func (c *call) askDry(dir, url string) error {
	hw := hardware("/")
	c.say("hardware %s", strings.TrimSpace(strings.Join(append([]string{hw.Vendor, hw.Model, hw.Serial, hw.Arch}, hw.MACs...), " ")))
	if !born(dir) {
		c.say("key      none yet; one would be drawn in %s", filepath.Join(dir, identityDir))
	}
	if url == "" {
		if err := tryFolder(c.args[0]); err != nil {
			return fmt.Errorf("cannot write the request: %w; is the stick plugged in and mounted?", err)
		}
		c.say("stick    %s can be written\n%s", c.args[0], dryEnd)
		return nil
	}
	client, err := enrol.Stranger(url)
	if err != nil {
		return err
	}
	if err := client.Reach(c.ctx); err != nil {
		return err
	}
	c.say("site     answers at %s\n%s", url, dryEnd)
	return nil
}

// born says whether the machine has drawn its key.
func born(dir string) bool { return identity.Drawn(filepath.Join(dir, identityDir)) }

// errUnborn refuses a dry run that would draw the machine's key.
var errUnborn = errors.New("this machine has no key yet, so nothing can be for it: kiosk provision ask begins")

// hardware is what the firmware below root says of the machine; what it does not say stays empty.
func hardware(root string) identity.Hardware {
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(root, name))
		return strings.TrimSpace(string(text))
	}
	const dmi = "sys/class/dmi/id/"
	hw := identity.Hardware{Vendor: read(dmi + "sys_vendor"), Model: read(dmi + "product_name"), Serial: read(dmi + "product_serial"), Arch: runtime.GOARCH}
	if hw.Model == "" { // boards without DMI
		hw.Model = strings.Trim(read("proc/device-tree/model"), "\x00")
	}
	cards, _ := filepath.Glob(filepath.Join(root, "sys/class/net/*/device")) // what is only software has none
	for _, card := range cards {
		if mac, err := os.ReadFile(filepath.Join(filepath.Dir(card), "address")); err == nil {
			hw.MACs = append(hw.MACs, strings.TrimSpace(string(mac)))
		}
	}
	return hw
}

// machineStore opens the versions of a machine that belongs to a site.
func (c *call) machineStore(v *versions, home *enrol.Site, key *identity.Machine) (*update.Store, error) {
	well := *v.well
	if *v.unit == "" {
		well = time.Nanosecond
	}
	return update.Open(*v.dir, update.Options{
		Site: home.Key, Machine: home.Machine, Unseal: key.Unseal,
		Host: host{dir: *v.dir, unit: *v.unit, config: filepath.Join(*v.dir, "current", site.ConfigFile), ailing: c.Ailments, beforeStart: v.beforeStart},
		Well: well, Patience: *v.patience, Tell: c.progress(),
		Check: func(dir string) error {
			config, err := os.ReadFile(filepath.Join(dir, site.ConfigFile))
			if err != nil {
				return fmt.Errorf("there is no configuration in it: %w", err)
			}
			return errors.Join(c.CheckConfig(dir, config), checkCertificate(dir, key, home))
		},
	})
}

// lockedStore is machineStore for one that changes something: no other process does so until unlock.
func (c *call) lockedStore(v *versions, home *enrol.Site, key *identity.Machine) (store *update.Store, unlock func(), err error) {
	if store, err = c.machineStore(v, home, key); err != nil {
		return nil, nil, err
	}
	release, err := store.Lock()
	if err != nil {
		return nil, nil, err
	}
	return store, func() {
		if !c.dry {
			settle(*v.dir, store)
		}
		release()
	}, nil
}

func checkCertificate(dir string, key *identity.Machine, home *enrol.Site) error {
	root, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(site.RootFile)))
	if err != nil {
		return fmt.Errorf("cannot read the site's certificate: %w", err)
	}
	leaf, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(site.CertificateFile)))
	if err != nil {
		return fmt.Errorf("cannot read the machine's certificate: %w", err)
	}
	return enrol.CheckCertificate(root, leaf, key.Public(), home)
}

// progress says each step once as it begins, and keeps all of it where the screen looks.
func (c *call) progress() func(update.Step, float64) {
	last := update.Step("")
	return func(s update.Step, done float64) {
		if s != last {
			c.say("%s", s)
			last = s
		}
		c.report.step(string(s), done)
	}
}

func runApply(c *call) error {
	v := c.versions()
	c.dryFlag()
	if err := c.parse(1); err != nil {
		return err
	}
	f, err := os.Open(c.args[0])
	if err != nil {
		return fmt.Errorf("cannot read the bundle: %w", err)
	}
	defer f.Close()
	return c.take(f, v)
}

// take enrols the machine by a bundle, where it is not, and changes to the bundle's version.
func (c *call) take(f io.ReadSeeker, v *versions) error {
	if c.dry && !born(*v.dir) {
		return errUnborn
	}
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return err
	}
	home, err := c.home(m, f)
	if err != nil {
		return err
	}
	store, unlock, err := c.lockedStore(v, home, m.Key)
	if err != nil {
		return err
	}
	defer unlock()
	if c.dry {
		manifest, err := store.Dry(f)
		if err != nil {
			return err
		}
		c.say("good: version %d for %s, made %s\n%s", manifest.Version, manifest.Machine, manifest.Made.Format(time.DateOnly), dryEnd)
		return nil
	}
	if err := store.Apply(c.ctx, f); err != nil {
		return err
	}
	return c.state(v)
}

// home is the site of the machine, which it may only now come to believe. f is at its beginning again afterwards. A dry run
// believes for itself alone.
func (c *call) home(m *enrol.Machine, f io.ReadSeeker) (*enrol.Site, error) {
	home, err := m.Site()
	if err != nil {
		return nil, err
	}
	b, err := bundle.Read(f)
	if err != nil {
		return nil, err
	}
	if e := b.Manifest.Enrolment; e != nil && (home == nil || !home.Answered(e.Request)) || home == nil {
		if home, err = m.Believe(b.Manifest, c.dry); err != nil {
			return nil, err
		}
		c.say("site     %s", bundle.SiteID(home.Key))
	}
	_, err = f.Seek(0, io.SeekStart)
	return home, err
}

func runState(c *call) error {
	v := c.versions()
	if err := c.parse(0); err != nil {
		return err
	}
	return c.state(v)
}

func (c *call) state(v *versions) error {
	if !born(*v.dir) { // to be asked who it is must not draw its key
		c.say("site     none: kiosk provision ask begins")
		return nil
	}
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return err
	}
	home, err := m.Site()
	if err != nil {
		return err
	}
	if home == nil {
		c.say("site     none: kiosk provision ask begins")
		if w, err := m.Waiting(); err == nil && w != nil {
			c.say("code     %s", w.Code)
		}
		return nil
	}
	c.say("machine  %s", home.Machine)
	c.say("site     %s", bundle.SiteID(home.Key))
	store, err := c.machineStore(v, home, m.Key)
	if err != nil {
		return err
	}
	st, err := store.State()
	if err != nil {
		return err
	}
	c.say("version  %d", st.Committed)
	if st.Trial != nil {
		c.say("trial    version %d since %s", st.Trial.Version, st.Trial.Began.Format(time.DateTime))
	}
	if st.Failed != nil {
		c.say("failed   version %d on %s: %s", st.Failed.Version, st.Failed.At.Format(time.DateTime), st.Failed.Reason)
	}
	return nil
}

func runRecover(c *call) error {
	return c.atStart(true, func(s *update.Store) error { return s.Recover(c.ctx) }, (*update.Store).DueRecover)
}

func runResume(c *call) error {
	return c.atStart(false, func(s *update.Store) error { return s.Resume(c.ctx) }, (*update.Store).DueResume)
}

// atStart does with the versions what is to be done at the machine's start, before that of the program or after it, or says what that is.
// A machine without a site has nothing to recover.
func (c *call) atStart(beforeStart bool, do func(*update.Store) error, due func(*update.Store) (string, error)) error {
	v := c.versions()
	v.beforeStart = beforeStart
	c.dryFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if c.dry && !born(*v.dir) {
		return errUnborn
	}
	m, err := enrol.Open(filepath.Join(*v.dir, identityDir))
	if err != nil {
		return err
	}
	home, err := m.Site()
	if err != nil || home == nil {
		return err
	}
	store, unlock, err := c.lockedStore(v, home, m.Key)
	if err != nil {
		return err
	}
	defer unlock()
	if c.dry {
		text, err := due(store)
		if err == nil {
			c.say("%s\n%s", text, dryEnd)
		}
		return err
	}
	if beforeStart { // nobody else is at work
		sweep(*v.dir)
	}
	err = do(store)
	if back, ok := errors.AsType[*update.RolledBack](err); ok {
		c.say("%v", back) // the machine is on a version that works: the start goes on
		return nil
	}
	return err
}
