package provisioning

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/identity"
	"yuanban/provisioning/site"
)

func siteCommands() []command {
	return []command{
		{"site init", "[-dry]", "make a new site: its key, its registry, its folder of what goes into bundles", runSiteInit},
		{"site plan", "[-dry] TABLE", "take machines from a table (CSV: number, role, place and columns of your own)", runSitePlan},
		{"site list", "", "list the machines, and the requests that wait for their code", runSiteList},
		{"site approve", "[-dry] -code CODE [-number N] [-replace] [-out DIR] REQUEST", "enrol the machine that shows CODE, and make its first bundle", runSiteApprove},
		{"site serve", "[-dry] -listen ADDR", "let machines on the network ask, and fetch their bundles", runSiteServe},
		{"site bundle", "[-dry] [-out DIR] [-number N]", "make the next bundle of a machine, or of all that are enrolled", runSiteBundle},
		{"site clone", "[-dry] -from N -number M -place TEXT", "plan a machine like its neighbour", runSiteClone},
		{"site revoke", "[-dry] -number N -why TEXT", "stop believing a machine", runSiteRevoke},
		{"site crl", "[-dry] -out DIR", "write the site's certificate and revocation list for the platforms", runSiteCRL},
		{"site log", "", "say what was done, oldest first", runSiteLog},
	}
}

// openSite reads the flags and opens the site. The caller closes it.
func (c *call) openSite(arguments int) (*site.Site, error) {
	dir := c.flags.String("site", "site", "`DIR` of the site")
	if err := c.parse(arguments); err != nil {
		return nil, err
	}
	if c.dry {
		c.say("dry run: nothing of what follows is kept")
		return site.OpenDry(*dir)
	}
	return site.Open(*dir)
}

func runSiteInit(c *call) error {
	dir := c.flags.String("site", "site", "`DIR` of the site")
	c.dryFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if c.dry {
		if err := site.CanCreate(*dir); err != nil {
			return err
		}
		c.say("a site would be made in %s\n%s", *dir, dryEnd)
		return nil
	}
	s, err := site.Create(*dir)
	if err != nil {
		return err
	}
	defer s.Close()
	c.say("site %s in %s", s.ID(), *dir)
	c.say("Keep a copy of %s in a safe: without it no machine of this site can be changed any more.", filepath.Join(*dir, "site.key"))
	c.say("Next: write %s, put content and programs beside it, and plan machines: kiosk provision site plan TABLE", filepath.Join(*dir, "payload", site.ConfigFile))
	return nil
}

func runSitePlan(c *call) error {
	c.dryFlag()
	s, err := c.openSite(1)
	if err != nil {
		return err
	}
	defer s.Close()
	f, err := os.Open(c.args[0])
	if err != nil {
		return fmt.Errorf("cannot read the table: %w", err)
	}
	defer f.Close()
	n, err := s.Plan(c.ctx, f)
	if err != nil {
		return err
	}
	c.say("%d machines planned", n)
	return nil
}

func runSiteList(c *call) error {
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	machines, err := s.Machines(c.ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tROLE\tSTATE\tVERSION\tHARDWARE\tPLACE")
	for _, m := range machines {
		hardware := cmp.Or(strings.TrimSpace(m.Hardware.Vendor+" "+m.Hardware.Model), "-")
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", m.Number, m.Role, m.State, m.Version, hardware, m.Place) // the place last: Hanzi are wide
	}
	if err := w.Flush(); err != nil {
		return err
	}
	waiting, err := s.Waiting(c.ctx)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		c.say("waiting  request %s of %s %s, received %s, %d wrong codes", p.Hash[:12], p.Request.Hardware.Vendor, p.Request.Hardware.Model,
			p.Received.Local().Format("2006-01-02 15:04"), p.Wrong)
	}
	return nil
}

func runSiteApprove(c *call) error {
	code := c.flags.String("code", "", "`CODE` as the machine shows it")
	number := c.flags.String("number", "", "`NUMBER` of the machine in the registry; default the one it asks for")
	out := c.flags.String("out", "", "`DIR` for the bundle, on the stick; without it the bundle waits to be fetched over the network")
	replace := c.flags.Bool("replace", false, "this machine takes the place of the one that is enrolled under the number")
	c.dryFlag()
	s, err := c.openSite(1)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.need("code", *code); err != nil {
		return err
	}
	typed, err := identity.ParseCode(*code)
	if err != nil {
		return err
	}
	data, r, err := c.request(s, c.args[0])
	if err != nil {
		return err
	}
	if *number == "" {
		*number = r.Machine
	}
	if err := c.need("number", *number); err != nil {
		return err
	}
	if err := s.CheckConfiguration(c.ctx, *number, c.checkAlone); err != nil {
		return err
	}
	if *out != "" { // the code is good for one answer: it must not be used up by a stick that is not there
		if err := tryFolder(*out); err != nil {
			return fmt.Errorf("cannot write the bundle: %w; is the stick plugged in and mounted?", err)
		}
	}
	hash, err := s.Receive(c.ctx, data)
	if err != nil {
		return err
	}
	answer, err := s.Approve(c.ctx, site.Approval{Hash: hash, Code: typed, Number: *number, Replace: *replace})
	if err != nil {
		return err
	}
	c.say("enrolled %s", *number)
	return c.bundle(s, *number, *out, hash, answer)
}

// request reads a request from a file, or finds one that waits by the first characters of its hash, as site list shows them.
func (c *call) request(s *site.Site, name string) ([]byte, *identity.Request, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if p, err := s.Find(c.ctx, name); err == nil {
			return p.Body, p.Request, nil
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the request: %w; name its file, or the first characters of a request that kiosk provision site list shows", err)
	}
	r, err := identity.ParseRequest(data)
	return data, r, err
}

// checkAlone checks a configuration that is not unpacked anywhere.
func (c *call) checkAlone(config []byte) error { return c.CheckConfig("", config) }

// bundle makes the next bundle of a machine: into a folder, where one that could not be written whole is not left behind, or without
// a folder where it can be fetched, under the hash of the request that it answers if there is one.
func (c *call) bundle(s *site.Site, number, out, hash string, answer *bundle.Enrolment) error {
	if out == "" {
		var b bytes.Buffer
		m, err := s.Bundle(c.ctx, &b, number, answer, c.checkAlone)
		if err != nil {
			return err
		}
		c.say("bundle   version %d, ready to be fetched until %s", m.Version, m.Expires.Format(time.DateOnly))
		return s.Post(cmp.Or(hash, fmt.Sprintf("%s-%d", number, m.Version)), b.Bytes())
	}
	tmp, err := os.CreateTemp(out, ".bundle-*")
	if err != nil {
		return fmt.Errorf("cannot write the bundle: %w; is the stick plugged in and mounted?", err)
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	m, err := s.Bundle(c.ctx, tmp, number, answer, c.checkAlone)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	path := filepath.Join(out, fmt.Sprintf("%s-%d.bundle", number, m.Version))
	if c.dry {
		c.say("bundle   would be %s", path)
		return nil
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("cannot write the bundle: %w", err)
	}
	c.say("bundle   %s, good until %s", path, m.Expires.Format(time.DateOnly))
	return nil
}

func runSiteBundle(c *call) error {
	number := c.flags.String("number", "", "`NUMBER` of the machine; default all that are enrolled")
	out := c.flags.String("out", "", "`DIR` for the bundles; without it they wait to be fetched over the network")
	c.dryFlag()
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	if *number != "" {
		return c.bundle(s, *number, *out, "", nil)
	}
	machines, err := s.Machines(c.ctx)
	if err != nil {
		return err
	}
	made := 0
	var failed error
	for _, m := range machines {
		if m.State != site.Enrolled {
			continue
		}
		if err := c.bundle(s, m.Number, *out, "", nil); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		made++
	}
	c.say("%d bundles", made)
	return failed
}

func runSiteServe(c *call) error {
	listen := c.flags.String("listen", "", "`ADDR` to listen at, such as 192.0.2.7:8443: the laptop's own address on the hall's network or the cable")
	c.dryFlag()
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.need("listen", *listen); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("cannot listen at %s: %w; it must be an address of this laptop", *listen, err)
	}
	if c.dry {
		c.say("site %s would be at https://%s", s.ID(), l.Addr())
		return l.Close()
	}
	c.say("site %s at https://%s; Ctrl-C ends it", s.ID(), l.Addr())
	return s.Serve(c.ctx, l, c.checkAlone)
}

func runSiteClone(c *call) error {
	from := c.flags.String("from", "", "`NUMBER` of the neighbour")
	number := c.flags.String("number", "", "`NUMBER` of the new machine")
	place := c.flags.String("place", "", "`PLACE` where it stands")
	c.dryFlag()
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := errors.Join(c.need("from", *from), c.need("number", *number), c.need("place", *place)); err != nil {
		return errUsage
	}
	if err := s.Clone(c.ctx, *from, *number, *place); err != nil {
		return err
	}
	c.say("planned  %s like %s", *number, *from)
	return nil
}

func runSiteRevoke(c *call) error {
	number := c.flags.String("number", "", "`NUMBER` of the machine")
	why := c.flags.String("why", "", "`REASON`, for the log")
	c.dryFlag()
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := errors.Join(c.need("number", *number), c.need("why", *why)); err != nil {
		return errUsage
	}
	if err := s.Revoke(c.ctx, *number, *why); err != nil {
		return err
	}
	c.say("revoked  %s; give the platforms the new list: kiosk provision site crl", *number)
	return nil
}

func runSiteCRL(c *call) error {
	out := c.flags.String("out", "", "`DIR` for site.pem and site.crl")
	c.dryFlag()
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.need("out", *out); err != nil {
		return err
	}
	root, err := s.RootPEM()
	if err != nil {
		return err
	}
	list, err := s.RevocationList(c.ctx)
	if err != nil {
		return err
	}
	if c.dry {
		if err := tryFolder(*out); err != nil {
			return fmt.Errorf("cannot write site.pem: %w", err)
		}
		c.say("site.pem and site.crl would be written in %s", *out)
		return nil
	}
	for name, text := range map[string][]byte{"site.pem": root, "site.crl": list} {
		if err := identity.WriteFile(filepath.Join(*out, name), text, 0o644); err != nil {
			return fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	c.say("written  site.pem and site.crl in %s", *out)
	return nil
}

func runSiteLog(c *call) error {
	s, err := c.openSite(0)
	if err != nil {
		return err
	}
	defer s.Close()
	events, err := s.Events(c.ctx)
	if err != nil {
		return err
	}
	for _, e := range events {
		_, _ = io.WriteString(c.stdout, strings.TrimRight(fmt.Sprintf("%s  %-10s %-6s %s", e.At, e.What, e.Number, e.Detail), " ")+"\n")
	}
	return nil
}
