package acceptance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	reachTime   = 10 * time.Second
	certLeast   = 14 * 24 * time.Hour // that a certificate must still hold
	clockMost   = 2 * time.Minute     // that the clock may be wrong
	diskLeast   = 1 << 30             // free bytes
	syncMost    = 2 * time.Second     // for a write to be on the disk
	syncTries   = 5
	blockLength = 4096
)

// network connects to each platform: TCP, TLS with the system's certificates, and one request for its clock.
func (s *session) network() Result {
	res := ok("")
	var says, wrong []string
	for _, p := range s.m.Platforms {
		text, values, err := s.reach(p)
		for name, v := range values {
			res = measured(res, name, v)
		}
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		says = append(says, text)
	}
	if wrong != nil {
		res.State = Failed
	}
	res.Says = strings.Join(append(wrong, says...), "; ")
	return res
}

// reach connects to one platform, and keeps how far its clock is from ours.
func (s *session) reach(address string) (says string, values map[string]float64, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, fmt.Errorf("%q is no address", address)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(s.ctx, reachTime)
	defer cancel()
	host := net.JoinHostPort(u.Hostname(), port)
	start := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return "", nil, fmt.Errorf("%s cannot be reached: %w; check the cable, the address and the network's firewall", host, err)
	}
	connected := time.Since(start)
	values = map[string]float64{"connect_ms": ms(connected)}
	says = fmt.Sprintf("%s connected in %d ms", host, connected.Milliseconds())
	if u.Scheme == "https" {
		t := tls.Client(conn, &tls.Config{ServerName: u.Hostname(), RootCAs: s.Roots})
		start = time.Now()
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return "", values, fmt.Errorf("%s has no TLS that this machine trusts: %w; check the machine's clock and the platform's certificate", host, err)
		}
		left := time.Until(t.ConnectionState().PeerCertificates[0].NotAfter)
		values["tls_ms"], values["certificate_days"] = ms(time.Since(start)), float64(int(left.Hours()/24))
		conn = t
		if left < certLeast {
			_ = conn.Close()
			return "", values, fmt.Errorf("the certificate of %s ends in %d days: tell the platform's people", host, int(left.Hours()/24))
		}
		says += fmt.Sprintf(", its certificate is good for %d days", int(left.Hours()/24))
	}
	_ = conn.Close()
	s.askDate(ctx, u)
	return says, values, nil
}

// askDate asks for nothing but the Date of the answer (RFC 9110, 6.6.1). Plain HTTP is not believed: anybody could send it.
func (s *session) askDate(ctx context.Context, u *url.URL) {
	if u.Scheme != "https" {
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.date, s.dated = time.Until(at), true
	}
}

// clock compares with the platform, and else asks the person.
func (s *session) clock() Result {
	switch {
	case s.dated:
		res := ok("%.0f s from the platform's", s.date.Seconds())
		if s.date.Abs() > clockMost {
			res = failed("%.0f s from the platform's: timedatectl set-ntp true, or set the time server of this network", s.date.Seconds())
		}
		return measured(res, "offset_s", s.date.Seconds())
	case s.running != nil:
		if s.running.Clock != "ok" {
			return failed("the running program says: %s", s.running.Clock)
		}
		return ok("the running program trusts it")
	case s.Person == nil:
		return notDone("no platform answered over https with its time")
	}
	return s.confirm(fmt.Sprintf("This machine has %s. Is that right within two minutes? yes or no: ", time.Now().Format("2006-01-02 15:04 MST")),
		"a person compared it", "a person says that it is wrong: timedatectl set-time, and check the battery of the board")
}

// disk measures the disk of the journal, and how long it takes until a write is on it.
func (s *session) disk() Result {
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.m.State, &st); err != nil {
		return failed("the folder of the journal, %s, cannot be used: %v", s.m.State, err)
	}
	free := float64(st.Bavail) * float64(st.Bsize)
	var worst time.Duration
	for range syncTries {
		took, err := syncTime(s.m.State)
		if err != nil {
			return failed("nothing can be written to %s: %v; run this as root, and check that the disk is not read-only", s.m.State, err)
		}
		worst = max(worst, took)
	}
	res := ok("%.1f GB free, a write is on the disk within %d ms", free/1e9, worst.Milliseconds())
	switch {
	case s.running != nil && s.running.Journal != "ok":
		res = failed("the running program says of its journal: %s", s.running.Journal)
	case free < diskLeast:
		res = failed("only %.2f GB are free below %s", free/1e9, s.m.State)
	case worst > syncMost:
		res = failed("a write takes %d ms to be on the disk: the disk is dying, or busy", worst.Milliseconds())
	}
	return measured(measured(res, "free_gb", float64(int64(free/1e7))/100), "fsync_ms", ms(worst))
}

func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".acceptance-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	start := time.Now()
	_, err = f.Write(make([]byte, blockLength))
	err = errors.Join(err, f.Sync())
	took := time.Since(start)
	return took, errors.Join(err, f.Close())
}

// display reads what the kernel knows of the screens that are plugged in.
func (s *session) display() Result {
	connectors, _ := filepath.Glob(filepath.Join(s.Root, "sys/class/drm/card*-*"))
	want := [2]string{fmt.Sprintf("%dx%d", s.m.Width, s.m.Height), fmt.Sprintf("%dx%d", s.m.Height, s.m.Width)} // as it hangs, or turned
	var seen []string
	for _, dir := range connectors {
		status, _ := os.ReadFile(filepath.Join(dir, "status"))
		if strings.TrimSpace(string(status)) != "connected" {
			continue
		}
		modes, _ := os.ReadFile(filepath.Join(dir, "modes"))
		best, _, _ := strings.Cut(string(modes), "\n")
		name := filepath.Base(dir)
		if best = strings.TrimSpace(best); best == want[0] || best == want[1] {
			if s.running != nil && !s.running.Display {
				return failed("%s has %s, and no browser shows the screens: systemctl status kiosk-display", name, best)
			}
			return ok("%s has %s, as configured", name, best)
		}
		seen = append(seen, name+" with "+best)
	}
	if seen == nil {
		return failed("no display is plugged in, or the kernel has no driver for the graphics card (/sys/class/drm)")
	}
	return failed("%s: configured is %s; correct screen: in the configuration, or the mode of the display", strings.Join(seen, ", "), want[0])
}
