package provisioning

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yuanban/provisioning/enrol"
	"yuanban/provisioning/identity"
	"yuanban/provisioning/site"
)

// askServer sends a request and waits for its answer for as long as the code holds.
func (c *call) askServer(m *enrol.Machine, w *enrol.Waiting, url string, v *versions) error {
	client, err := enrol.Stranger(url)
	if err != nil {
		return err
	}
	if err := client.Send(c.ctx, w); err != nil {
		return err
	}
	if err := keepAddress(*v.dir, url); err != nil {
		return err
	}
	c.say("\nType the code at the laptop:\n  kiosk provision site approve -code CODE -number NUMBER REQUEST\nWaiting for it.")
	return c.fetched(v, func(out io.Writer) (bool, error) {
		for {
			err := client.Answer(c.ctx, w, out)
			if !errors.Is(err, enrol.ErrWaiting) {
				return err == nil, err
			}
			if again, err := m.Waiting(); err != nil || again == nil {
				return false, errors.Join(errors.New("nobody typed the code for a day: ask anew"), err)
			}
			select {
			case <-c.ctx.Done():
				return false, c.ctx.Err()
			case <-time.After(2 * time.Second):
			}
		}
	})
}

// fetched applies the bundle that get copies, if there is one.
func (c *call) fetched(v *versions, get func(out io.Writer) (bool, error)) error {
	f, err := os.CreateTemp(*v.dir, ".fetched-*")
	if err != nil {
		return fmt.Errorf("cannot keep the bundle: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	there, err := get(f)
	switch {
	case err != nil:
		return err
	case !there:
		c.say("nothing new")
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("cannot keep the bundle: %w", err)
	}
	return c.take(f, v)
}

func runFetch(c *call) error {
	v := c.versions()
	url := c.flags.String("site", "", "`URL` of the site's server; it is remembered (default: the one that was given last)")
	again := c.flags.Bool("again", false, "try a version once more that was taken back, such as one that came while a device was not plugged in")
	c.dryFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	if *url == "" {
		*url = keptAddress(*v.dir)
	}
	if err := c.need("site", *url); err != nil {
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
	if err != nil {
		return err
	}
	if home == nil {
		return errors.New("this machine is not enrolled: kiosk provision ask begins")
	}
	store, err := c.machineStore(v, home, m.Key)
	if err != nil {
		return err
	}
	st, err := store.State()
	if err != nil {
		return err
	}
	leaf, err := os.ReadFile(filepath.Join(store.Current(), filepath.FromSlash(site.CertificateFile)))
	if err != nil {
		return fmt.Errorf("cannot read the machine's certificate: %w", err)
	}
	client, err := enrol.Member(*url, m, home, leaf)
	if err != nil {
		return err
	}
	have := st.Committed
	if st.Failed != nil && st.Failed.Version > have && !*again {
		// Or the machine would be dark for its trial every night, until the site has a better one.
		have = st.Failed.Version
		c.say("version %d was taken back and is not tried again by itself: make the next one at the site, or give -again", have)
	}
	return c.fetched(v, func(out io.Writer) (bool, error) {
		there, err := client.Newer(c.ctx, have, out)
		if err != nil || c.dry {
			return there, err
		}
		return there, keepAddress(*v.dir, *url) // it is the site's: every night it is asked there
	})
}

// addressFile remembers where the site's server was. kiosk-fetch.service runs where it is there.
const addressFile = "site.url"

func keepAddress(dir, url string) error {
	if keptAddress(dir) == url {
		return nil
	}
	if err := identity.WriteFile(filepath.Join(dir, addressFile), []byte(url+"\n"), 0o644); err != nil {
		return fmt.Errorf("cannot remember the site's address: %w", err)
	}
	return nil
}

func keptAddress(dir string) string {
	text, _ := os.ReadFile(filepath.Join(dir, addressFile))
	return strings.TrimSpace(string(text))
}
