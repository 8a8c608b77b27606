package site

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yuanban/provisioning/bundle"
	"yuanban/provisioning/enrol"
	"yuanban/provisioning/identity"
)

const table = `number,role,place,printer_port
K00001,kiosk,一号厅大门,/dev/kiosk/printer
K00002,kiosk,"二号厅, 西",/dev/kiosk/printer
P00001,pad,3 号窗口,
`

const configuration = `machine: {{.number}}
role: {{.role}}
{{if .printer_port}}printer: {port: {{.printer_port}}}
{{end}}`

// newSite is a site with planned machines and a payload.
func newSite(t testing.TB) *Site {
	t.Helper()
	dir := t.TempDir()
	s, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if n, err := s.Plan(t.Context(), strings.NewReader(table)); err != nil || n != 3 {
		t.Fatalf("planned %d: %v", n, err)
	}
	put(t, dir, "kiosk.yaml", configuration)
	put(t, dir, "content/park.yaml", "name: 示例")
	put(t, dir, "secrets/all/upstream.token", "everybody's token")
	put(t, dir, "secrets/K00002/upstream.token", "K00002's own token")
	put(t, dir, "program/kiosk_1.2.0_amd64.deb", "program")
	put(t, dir, "program/kiosk_1.2.0_arm64.deb", "another program")
	return s
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, payloadDir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func unboxed(t testing.TB) *enrol.Machine {
	t.Helper()
	m, err := enrol.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func ask(t testing.TB, m *enrol.Machine, number string) *enrol.Waiting {
	t.Helper()
	w, err := m.Ask(number, "1.1.0", identity.Hardware{Model: "QEMU", Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// approve carries a machine's request to the site, types its code there and gives the bundle that comes of it.
func approve(t testing.TB, s *Site, w *enrol.Waiting, number string, replace bool) []byte {
	t.Helper()
	hash, err := s.Receive(t.Context(), w.Request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Approve(t.Context(), Approval{hash, w.Code, number, replace})
	if err != nil {
		t.Fatal(err)
	}
	return stick(t, s, number, answer)
}

func stick(t testing.TB, s *Site, number string, answer *bundle.Enrolment) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.Bundle(t.Context(), &b, number, answer, fine); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func fine([]byte) error { return nil }

// take enrols a machine by a bundle, where it is not enrolled, and unpacks the bundle.
func take(m *enrol.Machine, data []byte, dir string) error {
	b, err := bundle.Read(bytes.NewReader(data))
	if err != nil {
		return err
	}
	home, err := m.Site()
	if err == nil && (home == nil || b.Manifest.Enrolment != nil) {
		home, err = m.Believe(b.Manifest, false)
	}
	if err != nil {
		return err
	}
	if err := b.Judge(bundle.Standing{Site: home.Key, Machine: home.Machine, Now: time.Now()}); err != nil {
		return err
	}
	return b.Unpack(dir, m.Key.Unseal, nil)
}

func file(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFromNothing: a machine and a laptop that never met, a stick and no network.
func TestFromNothing(t *testing.T) {
	s, m := newSite(t), unboxed(t)
	data := approve(t, s, ask(t, m, ""), "K00002", false)
	dir := t.TempDir()
	if err := take(m, data, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		ConfigFile:                      "machine: K00002\nrole: kiosk\nprinter: {port: /dev/kiosk/printer}\n",
		"content/park.yaml":             "name: 示例",
		"secrets/upstream.token":        "K00002's own token",
		"program/kiosk_1.2.0_amd64.deb": "program",
	} {
		if got := string(file(t, dir, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "program/kiosk_1.2.0_arm64.deb")); err == nil {
		t.Error("the program of another architecture came along")
	}
	home, err := m.Site()
	if err != nil || home == nil || home.Machine != "K00002" || !home.Key.Equal(s.Public()) {
		t.Fatalf("the machine's site is %+v, %v", home, err)
	}
	if err := enrol.CheckCertificate(file(t, dir, RootFile), file(t, dir, CertificateFile), m.Key.Public(), home); err != nil {
		t.Error(err)
	}
	if bytes.Contains(data, []byte("own token")) || bytes.Contains(data, []byte("everybody's")) {
		t.Error("a secret can be read on the stick")
	}
	// Used up: neither the machine nor the site takes it a second time.
	if w, err := m.Waiting(); w != nil || err != nil {
		t.Errorf("the code is still there: %v, %v", w, err)
	}
	// The next bundle needs no code.
	next := stick(t, s, "K00002", nil)
	if err := take(m, next, t.TempDir()); err != nil {
		t.Error(err)
	}
	got, err := s.Machine(t.Context(), "K00002")
	if err != nil || got.State != Enrolled || got.Version != 2 || got.Hardware.Model != "QEMU" {
		t.Errorf("registry: %+v, %v", got, err)
	}
}

func TestCodesAreCounted(t *testing.T) {
	s, m := newSite(t), unboxed(t)
	w := ask(t, m, "")
	hash, err := s.Receive(t.Context(), w.Request)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= maxWrong; i++ {
		_, err := s.Approve(t.Context(), Approval{Hash: hash, Code: identity.NewCode(), Number: "K00001"})
		if want := map[bool]error{true: ErrDead, false: ErrWrongCode}[i == maxWrong]; !errors.Is(err, want) {
			t.Errorf("wrong code %d: %v, want %v", i, err, want)
		}
	}
	if _, err := s.Approve(t.Context(), Approval{Hash: hash, Code: w.Code, Number: "K00001"}); !errors.Is(err, ErrDead) {
		t.Errorf("the right code after five wrong ones: %v", err)
	}
	if _, err := s.Receive(t.Context(), w.Request); err != nil { // sending it again does not raise it from the dead
		t.Error(err)
	}
	if all, err := s.Waiting(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("waiting: %v, %v", all, err)
	}
	late := ask(t, m, "")
	if hash, err = s.Receive(t.Context(), late.Request); err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return time.Now().Add(codeLife) }
	if _, err := s.Approve(t.Context(), Approval{Hash: hash, Code: late.Code, Number: "K00001"}); !errors.Is(err, ErrDead) {
		t.Errorf("a code of yesterday: %v", err)
	}
}

// TestStrangers: what somebody can do who finds a stick, writes on it, or has a site of his own.
func TestStrangers(t *testing.T) {
	ours, theirs := newSite(t), newSite(t)
	victim, attacker := unboxed(t), unboxed(t)
	w := ask(t, victim, "")

	// A site that was not told the code answers the request.
	hash, err := theirs.Receive(t.Context(), w.Request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Approve(t.Context(), Approval{Hash: hash, Code: identity.NewCode(), Number: "K00001"}); !errors.Is(err, ErrWrongCode) {
		t.Errorf("a site approved without the code: %v", err)
	}
	forged := stick(t, theirs, enrolled(t, theirs, "K00001"), &bundle.Enrolment{Request: hash, SiteKey: theirs.Public(), Proof: make([]byte, 32)})
	if err := take(victim, forged, t.TempDir()); err == nil || !strings.Contains(err.Error(), "was not told") {
		t.Errorf("an answer without proof: %v", err)
	}
	// An honest answer, taken by a machine that did not ask for it.
	ask(t, attacker, "")
	honest := approve(t, ours, w, "K00001", false)
	if err := take(attacker, honest, t.TempDir()); err == nil || !strings.Contains(err.Error(), "another machine's request") {
		t.Errorf("the answer to another machine: %v", err)
	}
	if err := take(victim, honest, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	// A bundle of another site for an enrolled machine.
	var refusal *bundle.Refusal
	if err := take(victim, stick(t, theirs, "K00001", nil), t.TempDir()); !errors.As(err, &refusal) || refusal.Reason != bundle.Foreign {
		t.Errorf("a bundle of another site: %v", err)
	}
	// A second machine under the same number needs a person's word.
	again := ask(t, attacker, "K00001")
	if hash, err = ours.Receive(t.Context(), again.Request); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Approve(t.Context(), Approval{Hash: hash, Code: again.Code, Number: "K00001"}); err == nil || !strings.Contains(err.Error(), "-replace") {
		t.Errorf("a second machine under one number: %v", err)
	}
}

// enrolled enrols some machine under a number.
func enrolled(t testing.TB, s *Site, number string) string {
	t.Helper()
	approve(t, s, ask(t, unboxed(t), ""), number, false)
	return number
}

// TestReplaceRevokeClone: new hardware under an old number, a stolen machine, a neighbour.
func TestReplaceRevokeClone(t *testing.T) {
	s, old, fresh := newSite(t), unboxed(t), unboxed(t)
	first := t.TempDir()
	if err := take(old, approve(t, s, ask(t, old, ""), "K00001", false), first); err != nil {
		t.Fatal(err)
	}
	second := t.TempDir()
	if err := take(fresh, approve(t, s, ask(t, fresh, ""), "K00001", true), second); err != nil {
		t.Fatal(err)
	}
	m, err := s.Machine(t.Context(), "K00001")
	if err != nil || m.Version != 2 {
		t.Errorf("the versions of a replaced machine go on: %+v, %v", m, err)
	}
	revoked := func(dir string) bool { return onList(t, s, file(t, dir, CertificateFile)) }
	if !revoked(first) || revoked(second) {
		t.Errorf("on the revocation list: old %v, new %v", revoked(first), revoked(second))
	}
	if err := s.Revoke(t.Context(), "K00001", "stolen"); err != nil {
		t.Fatal(err)
	}
	if !revoked(second) {
		t.Error("a revoked machine's certificate is not on the list")
	}
	if _, err := s.Bundle(t.Context(), &bytes.Buffer{}, "K00001", nil, fine); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("a bundle for a revoked machine: %v", err)
	}
	if err := s.Clone(t.Context(), "K00001", "K00009", "三号厅"); err != nil {
		t.Fatal(err)
	}
	m, err = s.Machine(t.Context(), "K00009")
	if err != nil || m.State != Planned || m.Place != "三号厅" || m.Fields["printer_port"] != "/dev/kiosk/printer" || m.Version != 0 || m.public != nil {
		t.Errorf("the clone: %+v, %v", m, err)
	}
	if err := s.Clone(t.Context(), "K00001", "K00002", ""); err == nil {
		t.Error("a clone took the number of another machine")
	}
	events, err := s.Events(t.Context())
	if err != nil || len(events) == 0 || events[len(events)-1].What != "cloned" {
		t.Errorf("events: %v, %v", events, err)
	}
}

func onList(t *testing.T, s *Site, leafPEM []byte) bool {
	t.Helper()
	text, err := s.RevocationList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	root, _, err := s.root()
	if err != nil || list.CheckSignatureFrom(root) != nil {
		t.Fatal("the revocation list is not the site's", err)
	}
	block, _ = pem.Decode(leafPEM)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(leaf.SerialNumber) == 0 {
			return true
		}
	}
	return false
}

// TestRenewal: the same certificate until the middle of its life, a new one with the next bundle after it, however late.
func TestRenewal(t *testing.T) {
	s, m := newSite(t), unboxed(t)
	at := func(after time.Duration, answer *bundle.Enrolment) []byte {
		s.now = func() time.Time { return time.Now().Add(after) }
		dir := t.TempDir()
		b, err := bundle.Read(bytes.NewReader(stick(t, s, "K00001", answer)))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Unpack(dir, m.Key.Unseal, nil); err != nil {
			t.Fatal(err)
		}
		return file(t, dir, CertificateFile)
	}
	w := ask(t, m, "")
	hash, err := s.Receive(t.Context(), w.Request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Approve(t.Context(), Approval{Hash: hash, Code: w.Code, Number: "K00001"})
	if err != nil {
		t.Fatal(err)
	}
	first := at(0, answer)
	if !bytes.Equal(first, at(leafLife/2-time.Hour, nil)) {
		t.Error("renewed before the middle of its life")
	}
	second := at(leafLife/2+time.Hour, nil)
	if bytes.Equal(first, second) {
		t.Error("not renewed after the middle of its life")
	}
	if bytes.Equal(second, at(3*leafLife, nil)) {
		t.Error("a machine that was off for years did not get a new certificate")
	}
	if onList(t, s, first) {
		t.Error("a certificate that was merely renewed is on the revocation list")
	}
}

func TestTableNamesEveryWrongLine(t *testing.T) {
	s := newSite(t)
	_, err := s.Plan(t.Context(), strings.NewReader("number,role,place,Bad Name\nK0001,kiosk,a,\nK00003,desk,b,\nK00004,pad,c,\nK00004,pad,d,\nK00005,pad\n"))
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{`"Bad Name"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	_, err = s.Plan(t.Context(), strings.NewReader("\ufeffnumber,role,place\nK0001,kiosk,a\nK00003,desk,b\nK00004,pad,c\nK00004,pad,d\nK00005,pad\n"))
	for _, want := range []string{`line 2: number "K0001"`, `line 3: role "desk"`, "line 5: number K00004 is in line 4", "line 6"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if all, err := s.Machines(t.Context()); err != nil || len(all) != 3 {
		t.Errorf("%d machines after a table with errors, want the three from before (%v)", len(all), err)
	}
	for _, bad := range []string{"", "number,role\n", "number,role,place\n"} {
		if _, err := s.Plan(t.Context(), strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestConfigurationIsCheckedAtTheDesk: what a machine would refuse does not get onto a stick, and takes no number.
func TestConfigurationIsCheckedAtTheDesk(t *testing.T) {
	s := newSite(t)
	enrolled(t, s, "K00001")
	before, _ := s.Machine(t.Context(), "K00001")
	no := func(config []byte) error { return fmt.Errorf("%d bytes: unknown key", len(config)) }
	if _, err := s.Bundle(t.Context(), &bytes.Buffer{}, "K00001", nil, no); err == nil || !strings.Contains(err.Error(), "unknown key") {
		t.Errorf("%v", err)
	}
	put(t, s.dir, "kiosk.yaml", "machine: {{.nmuber}}\n")
	if _, err := s.Bundle(t.Context(), &bytes.Buffer{}, "K00001", nil, fine); err == nil || !strings.Contains(err.Error(), "nmuber") {
		t.Errorf("a column that is not there: %v", err)
	}
	if after, _ := s.Machine(t.Context(), "K00001"); after.Version != before.Version {
		t.Errorf("version %d became %d", before.Version, after.Version)
	}
}

func TestSiteIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "site init") {
		t.Errorf("no site: %v", err)
	}
	s, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	id := s.ID()
	s.Close()
	if _, err := Create(dir); err == nil {
		t.Error("made twice")
	}
	if s, err = Open(dir); err != nil || s.ID() != id {
		t.Fatalf("opened again: %v", err)
	}
	s.Close()
}

// batchSize is how many machines a province's parks may have in one table.
const batchSize = 500

// batch is a site whose machines are planned from one table and enrolled. Their keys are put into the registry without the codes that
// vouch for them: TestFromNothing has those.
func batch(t testing.TB) (*Site, map[string]*identity.Machine) {
	t.Helper()
	s, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var rows strings.Builder
	rows.WriteString("number,role,place,printer_port\n")
	for i := range batchSize {
		fmt.Fprintf(&rows, "K%05d,kiosk,place %d,/dev/kiosk/printer\n", i, i)
	}
	if n, err := s.Plan(context.Background(), strings.NewReader(rows.String())); n != batchSize || err != nil {
		t.Fatalf("planned %d: %v", n, err)
	}
	put(t, s.dir, "kiosk.yaml", configuration)
	put(t, s.dir, "secrets/all/upstream.token", "everybody's token")
	dir, keys := t.TempDir(), map[string]*identity.Machine{}
	for i := range batchSize {
		number := fmt.Sprintf("K%05d", i)
		key, err := identity.Load(filepath.Join(dir, number))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.db.Exec("UPDATE machines SET state = 'enrolled', public = ?, seal_key = ? WHERE number = ?", []byte(key.Public()), key.SealKey(), number); err != nil {
			t.Fatal(err)
		}
		keys[number] = key
	}
	return s, keys
}

// TestBatch: each machine of a large table gets a bundle that is its own, and that no other machine takes or can open.
func TestBatch(t *testing.T) {
	s, keys := batch(t)
	machines, err := s.Machines(t.Context())
	if err != nil || len(machines) != batchSize {
		t.Fatalf("%d machines, %v", len(machines), err)
	}
	home := &enrol.Site{Key: s.Public()}
	neighbour := keys[machines[batchSize-1].Number]
	for i, m := range machines {
		home.Machine = m.Number
		data := stick(t, s, m.Number, nil)
		b, err := bundle.Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Judge(bundle.Standing{Site: home.Key, Machine: m.Number, Now: time.Now()}); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := b.Unpack(dir, keys[m.Number].Unseal, nil); err != nil {
			t.Fatal(err)
		}
		want := "machine: " + m.Number + "\nrole: kiosk\nprinter: {port: /dev/kiosk/printer}\n"
		if got := string(file(t, dir, ConfigFile)); got != want {
			t.Errorf("%s gets %q", m.Number, got)
		}
		if err := enrol.CheckCertificate(file(t, dir, RootFile), file(t, dir, CertificateFile), keys[m.Number].Public(), home); err != nil {
			t.Errorf("%s: %v", m.Number, err)
		}
		if i%20 != 0 {
			continue
		}
		if b, err = bundle.Read(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if err := b.Unpack(t.TempDir(), neighbour.Unseal, nil); err == nil {
			t.Errorf("the secrets of %s can be opened by its neighbour", m.Number)
		}
	}
}

// BenchmarkBatch makes the bundles of a large table: a small content and no program. The floor is one commit of the registry each.
func BenchmarkBatch(b *testing.B) {
	s, _ := batch(b)
	for b.Loop() {
		for i := range batchSize {
			if _, err := s.Bundle(context.Background(), &bytes.Buffer{}, fmt.Sprintf("K%05d", i), nil, fine); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/batchSize, "ms/bundle")
}

// TestDryRun: whatever is done on a dry site is as it would be, and nothing of it is there afterwards.
func TestDryRun(t *testing.T) {
	s := newSite(t)
	enrolled(t, s, "K00001")
	w := ask(t, unboxed(t), "")
	state := func() string {
		t.Helper()
		var all strings.Builder
		machines, err := s.Machines(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events, err := s.Events(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, machines, events)
		if err := filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error { fmt.Fprintln(&all, path); return err }); err != nil {
			t.Fatal(err)
		}
		return all.String()
	}
	before := state()
	dry, err := OpenDry(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := dry.Receive(t.Context(), w.Request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := dry.Approve(t.Context(), Approval{Hash: hash, Code: w.Code, Number: "K00002"})
	if err != nil {
		t.Fatal(err)
	}
	if err := dry.Post(hash, stick(t, dry, "K00002", answer)); err != nil {
		t.Fatal(err)
	}
	if err := dry.Revoke(t.Context(), "K00001", "stolen"); err != nil {
		t.Fatal(err)
	}
	if m, err := dry.Machine(t.Context(), "K00001"); err != nil || m.State != Revoked {
		t.Errorf("within the dry run it is %s, %v", m.State, err)
	}
	scratch := dry.scratch
	if err := dry.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy is still there: %v", err)
	}
	if after := state(); after != before {
		t.Errorf("the dry run left\n%s\nbefore it was\n%s", after, before)
	}
	if data := approve(t, s, w, "K00002", false); len(data) == 0 { // the code is as good as before
		t.Error("nothing was made")
	}
	if _, err := OpenDry(t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("a dry run without a site: %v", err)
	}
}
