package provisioning

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"yuanban/provisioning/acceptance"
	"yuanban/provisioning/enrol"
)

func acceptCommands() []command {
	return []command{
		{"accept", "-yes-i-am NAME [-config FILE] [-out DIR] | -dry | -verify FILE", "prove the machine with its technician, and keep a signed report", runAccept},
	}
}

// errUnwell ends a command whose answer is that the machine is not well; all has been said.
var errUnwell = errors.New("the machine is not well")

func runAccept(c *call) error {
	dir := c.dir()
	config := c.flags.String("config", "", ConfigHelp)
	by := c.flags.String("yes-i-am", "", "`NAME` of the technician, who stands before the machine and answers for the report")
	out := c.flags.String("out", "", "`DIR` for the report; without it, reports in the machine's -dir")
	c.flags.BoolVar(&c.dry, "dry", false, "say what would be proven and what for; no device is touched")
	verify := c.flags.String("verify", "", "report `FILE` to verify; nothing else is done")
	if err := c.parse(0); err != nil {
		return err
	}
	if *verify != "" {
		return c.verify(*verify, *dir)
	}
	if !c.dry {
		if err := c.need("yes-i-am", *by); err != nil {
			return err
		}
	}
	m, err := c.Machine(ConfigFile(*config))
	if err != nil {
		return err
	}
	if c.dry {
		c.say("%s%s", acceptance.Plan(m), dryEnd)
		return nil
	}
	id, err := enrol.Open(filepath.Join(*dir, identityDir))
	if err != nil {
		return err
	}
	if *out == "" {
		*out = filepath.Join(*dir, "reports")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("cannot keep the report: %w", err)
	}
	o := acceptance.Options{Person: newTerminal(c.Stdin, c.stdout), By: *by}
	r := acceptance.Run(c.ctx, m, o)
	path, err := r.Save(*out, id.Key)
	if err != nil {
		return err
	}
	c.say("\n%s\nreport   %s", r.Text(), path)
	if m.Printer != nil {
		if err := r.Print(c.ctx, m, o, id.Key.Public()); err != nil {
			c.say("it was not printed: %v", err)
		} else {
			c.say("printed: sign it, and leave it with the machine's papers")
		}
	}
	c.say("Start the program again: systemctl start kiosk")
	if !r.Passed {
		return errUnwell
	}
	return nil
}

// verify says what a report says and who signed it: this machine, or a key to be compared.
func (c *call) verify(file, dir string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot verify report: %w", err)
	}
	r, key, err := acceptance.Verify(data)
	if err != nil {
		return err
	}
	c.say("%s", r.Text())
	own, err := ownKey(dir)
	switch {
	case err != nil:
		return err
	case own == nil:
		c.say("genuine: nothing was changed since it was signed by the key %s\nWhether that is the machine's, compare with kiosk provision accept -verify on the machine itself, or with its printed report", acceptance.Fingerprint(key))
	case own.Equal(key):
		c.say("genuine: signed by this machine, key %s", acceptance.Fingerprint(key))
	default:
		return fmt.Errorf("the report was signed by another machine, key %s; this one's is %s", acceptance.Fingerprint(key), acceptance.Fingerprint(own))
	}
	return nil
}

// ownKey is the key of the machine whose identity is below dir, nil where there is none; none is drawn.
func ownKey(dir string) (ed25519.PublicKey, error) {
	if !born(dir) {
		return nil, nil
	}
	m, err := enrol.Open(filepath.Join(dir, identityDir))
	if err != nil {
		return nil, err
	}
	return m.Key.Public(), nil
}
