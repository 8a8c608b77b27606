package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"yuanban/kiosk/bench"
	"yuanban/kiosk/journal"
	"yuanban/ui/uitest"
)

// TestKill kills the daemon with SIGKILL at random moments of scripted visits, KILLS times. The hardware, the paper and the
// platform live on in this process. Afterwards every number that a screen or a paper showed must be in the journal, none twice, and
// every fact once at the platform.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 200
	if s := os.Getenv("KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("KILLS: %v", err)
		}
		kills = n
	}
	dir := t.TempDir()
	hw := hardware(t, dir)
	config := writeConfig(t, hw, dir)
	seen := &witness{shown: map[string]int{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		p := start(t, "run", "-config", config)
		hw.t, hw.p = t, p
		v := newVisitor(t, p, hw, seen)
		v.until(time.Duration(random.IntN(1400)) * time.Millisecond)
		p.kill()
	}
	// A last, undisturbed life delivers what is left and finishes one more visit.
	p := start(t, "run", "-config", config)
	v := newVisitor(t, p, hw, seen)
	done := seen.visits + 1
	for end := time.Now().Add(time.Minute); seen.visits < done; {
		if time.Now().After(end) {
			t.Fatalf("no visit could be finished after the kills; the screen is %s\n%s", v.Name, p.log)
		}
		v.until(100 * time.Millisecond)
	}
	var st struct {
		Platform struct {
			Backlog int `json:"backlog"`
		} `json:"platform"`
	}
	eventually(t, "everything is delivered", func() bool {
		p.must("GET", "/kiosk/v1/status", nil, &st)
		return st.Platform.Backlog == 0
	})
	p.stop()
	seen.judge(t, hw, filepath.Join(dir, "state", "journal.db"))
	t.Logf("%d kills, %d visits finished, %d numbers shown, %d papers", kills, seen.visits, len(seen.shown), len(hw.receipts()))
}

// bothEnds is the bench without a page, in this process: it does not die with the daemon.
type bothEnds struct {
	*program // speaks to the bench's own server, so that its helpers serve here too
	bench    *bench.Bench
	p        *program // the daemon's present life
}

func hardware(t *testing.T, dir string) *bothEnds {
	t.Helper()
	b, err := bench.New(bench.Options{Dir: dir, Role: "kiosk", Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	srv := httptest.NewServer(b.Handler())
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("bench: %v", err)
		}
		srv.Close()
	})
	return &bothEnds{program: &program{t: t, url: srv.URL + "/", log: &lockedBuffer{}}, bench: b}
}

func writeConfig(t *testing.T, hw *bothEnds, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "kiosk.yaml")
	text := fmt.Sprintf("machine: KILL01\nrole: kiosk\nlisten: 127.0.0.1:%d\nstate: %q\nreader: {port: %q}\nprinter: {port: %q}\nupstream: {url: %q, seal-key: %q}\nlog: {level: warn}\n",
		freePort(t), filepath.Join(dir, "state"), hw.bench.ReaderPath(), hw.bench.PrinterPath(), hw.bench.PlatformURL(), base64.StdEncoding.EncodeToString(hw.bench.SealKey()))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func freePort(t testing.TB) int {
	t.Helper()
	srv := httptest.NewServer(nil)
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// witness remembers what was shown.
type witness struct {
	shown  map[string]int // case numbers on screens, with the visit they were shown to
	visit  int            // the present one
	twice  []string       // numbers shown to two visits
	visits int            // finished to the thanks
}

// visitor plays a person at the display's own websocket, quicker than any person.
type visitor struct {
	t      *testing.T
	hw     *bothEnds
	conn   *websocket.Conn
	seen   *witness
	frames chan uitest.Frame
	uitest.Visitor
}

// dialPage is the websocket of a page, as a browser opens it.
func dialPage(t *testing.T, p *program) *websocket.Conn {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: jar}).Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	d := websocket.Dialer{Jar: jar, HandshakeTimeout: 10 * time.Second}
	origin := strings.TrimSuffix(p.url, "/")
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(p.url, "http")+"ui/ws", http.Header{"Origin": {origin}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func newVisitor(t *testing.T, p *program, hw *bothEnds, seen *witness) *visitor {
	t.Helper()
	conn := dialPage(t, p)
	v := &visitor{t: t, hw: hw, conn: conn, seen: seen, frames: make(chan uitest.Frame, 256)}
	v.Send = func(do string, pairs ...string) {
		_ = conn.WriteJSON(uitest.Message(do, pairs...)) // the program may have been killed meanwhile; that is the point
	}
	v.Lay = func() {
		hw.program.call("PUT", "/bench/api/reader/card", map[string]string{"kind": "resident", "name": "张三", "number": "11010519491231002X"}, nil)
	}
	v.Remove = func() { hw.program.call("DELETE", "/bench/api/reader/card", nil, nil) }
	go func() {
		defer close(v.frames)
		for {
			var f uitest.Frame
			if conn.ReadJSON(&f) != nil {
				return
			}
			v.frames <- f
		}
	}()
	return v
}

// until plays for d, then returns wherever the visit is.
func (v *visitor) until(d time.Duration) {
	end := time.After(d)
	nudge := time.NewTicker(60 * time.Millisecond) // a screen that waits for the visitor is touched again
	defer nudge.Stop()
	for {
		select {
		case f, ok := <-v.frames:
			if !ok {
				return
			}
			v.look(f)
			v.touch()
		case <-nudge.C:
			v.touch()
		case <-end:
			return
		}
	}
}

func (v *visitor) look(f uitest.Frame) {
	if v.Look(f) {
		switch v.Name {
		case "home", "attract":
			v.seen.visit++
		case "thanks":
			v.seen.visits++
		}
	}
	if v.Name == "accepted" {
		for _, n := range v.Numbers() {
			if to, known := v.seen.shown[n]; known && to != v.seen.visit {
				v.seen.twice = append(v.seen.twice, n)
			}
			v.seen.shown[n] = v.seen.visit
		}
	}
}

var paperNumber = regexp.MustCompile(`LKILL01\d{10}[0-9A-Z]|YB\d{14}`)

// touch does what a visitor does on this screen, to the end of the rating.
func (v *visitor) touch() {
	switch v.Name {
	case "accepted":
		if strings.Contains(v.Main, "print-printed") {
			v.Send("rate")
		}
	case "rating":
		v.Send("rate", "level", "4")
	case "reasons":
		v.Send("finish")
	default:
		v.Touch()
	}
}

// judge compares what was shown and printed with the journal and the platform.
func (s *witness) judge(t *testing.T, hw *bothEnds, path string) {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Options{Machine: "KILL01"})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := j.Verify(t.Context()); err != nil {
		t.Errorf("the chain of the journal is broken: %v", err)
	}
	pos, err := j.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records := hw.records("")
	if int64(len(records)) != pos.Last {
		t.Errorf("the platform has %d facts, the journal %d", len(records), pos.Last)
	}
	cases := map[string]int{}
	for i, r := range records {
		if r.Sequence != int64(i+1) {
			t.Fatalf("fact %d stands at place %d of the platform", r.Sequence, i+1)
		}
		if r.Kind == "case.accepted" {
			cases[r.Subject]++
		}
	}
	if len(s.twice) > 0 {
		t.Errorf("numbers were shown to two visits: %v", s.twice)
	}
	given := 0
	for _, r := range records {
		if r.Kind == "rating.given" {
			given++
		}
	}
	if given < s.visits {
		t.Errorf("%d visitors were thanked for a rating, the platform has %d", s.visits, given)
	}
	for number, n := range cases {
		if n != 1 {
			t.Errorf("case %s was accepted %d times", number, n)
		}
	}
	platform := platformNumbers(t, j)
	for number := range s.shown {
		if cases[number] == 0 && !platform[number] {
			t.Errorf("number %s was on a screen and is not in the journal", number)
		}
	}
	printed := s.judgePapers(t, hw, func(number string) bool { return cases[number] > 0 || platform[number] })
	if len(s.shown) == 0 || len(printed) == 0 {
		t.Error("the visits never came to a number: this test proved nothing")
	}
}

// judgePapers looks at what came out of the printer: every number is known, and none stands on two papers, for no visit here asked
// for a copy. A number may stand twice on one paper: in words and in its QR code.
func (s *witness) judgePapers(t *testing.T, hw *bothEnds, known func(string) bool) map[string]int {
	t.Helper()
	printed := map[string]int{}
	for _, r := range hw.receipts() {
		text := strings.Join(strings.Fields(r.text()), "")
		on := map[string]bool{}
		for _, number := range paperNumber.FindAllString(text, -1) {
			on[number] = true
		}
		for number := range on {
			if !known(number) {
				t.Errorf("number %s was printed and is not in the journal:\n%s", number, r.text())
			}
			if printed[number]++; printed[number] > 1 {
				t.Errorf("number %s stands on a second paper:\n%s", number, r.text())
			}
		}
	}
	return printed
}

// platformNumbers are the numbers that the platform gave to cases of this journal.
func platformNumbers(t *testing.T, j *journal.Journal) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := j.Read(t.Context(), func(q journal.Queryer) error {
		rows, err := q.Query(`SELECT coalesce(platform_number, '') FROM casefile`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			out[s] = true
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
