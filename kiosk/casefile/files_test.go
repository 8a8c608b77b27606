package casefile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/journal"
)

var china = time.FixedZone("CST", 8*60*60)

// Canaries: none of these may ever be found in clear on the disk or in a text.
const (
	canaryName   = "张晓园"
	canaryNumber = "11010519491231002X"
	canaryPhone  = "13812345678"
	canaryCredit = "91430682MA4QABCD7X"
	canaryStreet = "云溪区长岭街道一号"
)

type bench struct {
	j       *journal.Journal
	files   *Files
	path    string
	now     time.Time
	private []byte
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{path: filepath.Join(t.TempDir(), "j.db"), now: time.Date(2026, 7, 15, 14, 30, 0, 0, china)} // a Wednesday
	clock := func() time.Time { return b.now }
	j, err := journal.Open(t.Context(), b.path, journal.Options{Machine: "A1B2C3", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	private, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := NewSealer(public)
	if err != nil {
		t.Fatal(err)
	}
	b.j, b.private = j, private
	b.files = New(j, Options{Sealer: sealer, PersonKey: bytes.Repeat([]byte{7}, 32), Now: clock})
	return b
}

func application(visit string, items ...string) Application {
	at := time.Date(2026, 7, 15, 14, 20, 0, 0, china)
	text := "告知承诺书 " + canaryName + " " + canaryNumber
	a := Application{Visit: visit, Package: "P1", PackageName: "企业入园大礼包", Channel: "kiosk", Delivery: canaryStreet,
		Applicant: Applicant{Name: canaryName, Number: canaryNumber, IDKind: "resident", CreditCode: canaryCredit, Phone: canaryPhone},
		Letter: Letter{Template: "commitment", Version: "3", TextSHA256: sha256.Sum256([]byte(text)), Text: text, ListVersion: "2026-01",
			Acknowledged: [3]time.Time{at, at, at}, NegativeListConfirmed: true},
		Signature: []byte(`[[[0.5,12],[3,4]]]`)}
	for _, code := range items {
		a.Items = append(a.Items, Item{Code: code, Name: "事项 " + code, Department: "园区管委会", Kind: "公共服务", Mode: "告知承诺",
			PromiseText: "1天", Promise: Limit{1, Hour24}, Seal: "园区行政审批服务专用章"})
	}
	return a
}

func accept(t testing.TB, b *bench, a Application) []Case {
	t.Helper()
	cases, err := b.files.Accept(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func facts(t testing.TB, b *bench) []journal.Fact {
	t.Helper()
	list, err := b.j.Pending(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAcceptOneCaseForEachItem(t *testing.T) {
	b := newBench(t)
	cases := accept(t, b, application("visit-1", "P1-01", "P1-02", "P1-03"))
	var numbers []string
	for i, c := range cases {
		numbers = append(numbers, c.Number)
		if c.Shown() != c.Number || !c.Provisional || c.Uploaded || c.State != StateAccepted || c.Service != 1 ||
			!c.AcceptedAt.Equal(b.now) || !c.Due.Equal(b.now.Add(24*time.Hour)) || c.Item != fmt.Sprintf("P1-0%d", i+1) {
			t.Errorf("case %+v", c)
		}
		if err := CheckNumber(c.Number); err != nil || !CheckQueryCode(c.QueryCode) {
			t.Errorf("number %s, %v; query code %s", c.Number, err, c.QueryCode)
		}
	}
	if want := []string{"LA1B2C32607150001F", "LA1B2C32607150002D", "LA1B2C32607150003B"}; !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}

	list := facts(t, b)
	if len(list) != 3 {
		t.Fatalf("%d facts for three cases", len(list))
	}
	for i, f := range list {
		if f.Kind != "case.accepted" || f.Subject != numbers[i] {
			t.Errorf("fact %s of %s", f.Kind, f.Subject)
		}
		var p Personal
		plain, err := OpenSealed(b.private, f.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(plain, &p); err != nil {
			t.Fatal(err)
		}
		if p.Case != numbers[i] || p.Name != canaryName || p.Number != canaryNumber || p.Phone != canaryPhone || p.CreditCode != canaryCredit ||
			p.Delivery != canaryStreet || p.QueryCode != cases[i].QueryCode {
			t.Errorf("the sealed part of case %d is %s", i+1, plain)
		}
		if first := i == 0; first != (p.LetterText != "") || first != (p.Signature != nil) {
			t.Errorf("case %d: the letter and signature belong to the first case", i+1)
		}
		var body struct {
			Letter struct {
				SealedWith string `json:"sealed_with"`
				SHA256     string `json:"sha256"`
				Version    string `json:"version"`
			} `json:"letter"`
		}
		if err := json.Unmarshal(f.Body, &body); err != nil || body.Letter.SealedWith != numbers[0] || len(body.Letter.SHA256) != 64 || body.Letter.Version != "3" {
			t.Errorf("body %s, %v", f.Body, err)
		}
	}
}

func TestAcceptTwiceGivesTheSameCases(t *testing.T) {
	b := newBench(t)
	first := accept(t, b, application("visit-1", "P1-01", "P1-02"))
	b.now = b.now.Add(time.Minute)
	second := accept(t, b, application("visit-1", "P1-01", "P1-02"))
	if len(facts(t, b)) != 2 || !slices.Equal(first, second) {
		t.Errorf("first %v, second %v, %d facts", first, second, len(facts(t, b)))
	}
	if other := accept(t, b, application("visit-2", "P1-01")); other[0].Number == first[0].Number {
		t.Error("another visit got the same number")
	}
}

func TestNothingPersonalOnTheDiskOrInTexts(t *testing.T) {
	b := newBench(t)
	a := application("visit-1", "P1-01")
	accept(t, b, a)
	if _, err := b.files.RecordRequest(t.Context(), Request{Kind: Demand, Phone: canaryPhone, Text: "我是" + canaryName}); err != nil {
		t.Fatal(err)
	}
	canaries := []string{canaryName, canaryNumber, canaryPhone, canaryCredit, canaryStreet}
	var all []byte
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(b.path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", a.Applicant, "b", a, "c", a.Letter, "d", Request{Phone: canaryPhone, Text: canaryName})
	texts := fmt.Sprintf("%v %+v %#v %s %v %+v %v %+v %#v", a.Applicant, a.Applicant, a.Applicant, a.Applicant, a, a, a.Letter, a.Letter, Request{Phone: canaryPhone, Text: canaryName})
	for _, canary := range canaries {
		if bytes.Contains(all, []byte(canary)) {
			t.Errorf("%s is on the disk", canary)
		}
		if strings.Contains(texts, canary) || strings.Contains(log.String(), canary) {
			t.Errorf("%s is printed: %s / %s", canary, texts, log.String())
		}
	}
	if !bytes.Contains(all, []byte("事项 P1-01")) {
		t.Error("the item is not on the disk either: this test shows nothing")
	}
}

func TestAcceptRefuses(t *testing.T) {
	b := newBench(t)
	for want, change := range map[string]func(*Application){
		"no visit":         func(a *Application) { a.Visit = "" },
		"0 items":          func(a *Application) { a.Items = nil },
		"21 items":         func(a *Application) { a.Items = make([]Item, 21) },
		"shown a card":     func(a *Application) { a.Applicant.Number = "" },
		"hash differs":     func(a *Application) { a.Letter.Text += "." },
		"not signed":       func(a *Application) { a.Signature = nil },
		"part 2":           func(a *Application) { a.Letter.Acknowledged[1] = time.Time{} },
		"no code or name":  func(a *Application) { a.Items[1].Code = "" },
		"0 times 24 hours": func(a *Application) { a.Items[1].Promise.Amount = 0 },
		`unit "week"`:      func(a *Application) { a.Items[1].Promise.Unit = "week" },
	} {
		a := application("visit", "P1-01", "P1-02")
		change(&a)
		if _, err := b.files.Accept(t.Context(), a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	unsealed := New(b.j, Options{PersonKey: make([]byte, 32)})
	if _, err := unsealed.Accept(t.Context(), application("visit", "P1-01")); err == nil {
		t.Error("accepted without a key to seal with")
	}
	if n := len(facts(t, b)); n != 0 {
		t.Errorf("%d facts after refusals only", n)
	}
}

func TestNumbersAreNeverReused(t *testing.T) {
	b := newBench(t)
	seen := map[string]bool{}
	for i, now := range []time.Time{b.now, b.now, b.now.AddDate(0, 0, 1), b.now, b.now.AddDate(-10, 0, 0), b.now} { // the clock jumps to and fro
		b.now = now
		c := accept(t, b, application(fmt.Sprint("visit", i), "P1-01"))[0]
		if seen[c.Number] {
			t.Errorf("number %s was given out twice", c.Number)
		}
		seen[c.Number] = true
	}
}

func TestDayIsFull(t *testing.T) {
	b := newBench(t)
	if err := b.j.Write(t.Context(), func(tx *journal.Tx) error {
		_, err := tx.Exec(`INSERT INTO counter (name, value) VALUES ('L260715', 9998)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := accept(t, b, application("v1", "P1-01"))[0].Number; !strings.HasPrefix(got, "LA1B2C32607159999") {
		t.Errorf("number %s", got)
	}
	if _, err := b.files.Accept(t.Context(), application("v2", "P1-01")); err == nil || !strings.Contains(err.Error(), "9999 numbers") {
		t.Errorf("error %v", err)
	}
}

func TestFindingCases(t *testing.T) {
	b := newBench(t)
	mine := accept(t, b, application("v1", "P1-01", "P1-02"))
	b.now = b.now.Add(time.Hour)
	later := accept(t, b, application("v2", "P1-03"))
	other := application("v3", "P1-01")
	other.Applicant.Number = "440524188001010014"
	accept(t, b, other)

	got, err := b.files.ByPerson(t.Context(), " 11010519491231002x ")
	if err != nil || len(got) != 3 || got[0].Number != later[0].Number {
		t.Errorf("own cases %v, %v; want three, the newest first", got, err)
	}
	if none, err := b.files.ByPerson(t.Context(), "110105194912310038"); err != nil || len(none) != 0 {
		t.Errorf("a stranger sees %v, %v", none, err)
	}

	ctx := t.Context()
	if err := b.files.SetPlatformNumbers(ctx, map[string]string{mine[0].Number: "YB20260715000001", "LUNKNOWN": "YB1", mine[1].Number: "has space"}); err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{mine[0].Number, strings.ToLower(Grouped(mine[0].Number)), "YB20260715000001"} {
		c, err := b.files.ByNumber(ctx, number)
		if err != nil || c.Number != mine[0].Number || c.Shown() != "YB20260715000001" || c.Provisional {
			t.Errorf("%s finds %+v, %v", number, c, err)
		}
	}
	if c, err := b.files.ByNumber(ctx, mine[1].Number); err != nil || !c.Provisional {
		t.Errorf("an unusable number was taken: %+v, %v", c, err)
	}
	for _, number := range []string{"", "YB0", "LA1B2C32607159999X"} {
		if _, err := b.files.ByNumber(ctx, number); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q finds %v", number, err)
		}
	}

	if err := b.j.Acknowledge(ctx, 1); err != nil {
		t.Fatal(err)
	}
	first, _ := b.files.ByNumber(ctx, mine[0].Number)
	second, _ := b.files.ByNumber(ctx, mine[1].Number)
	if !first.Uploaded || second.Uploaded {
		t.Errorf("uploaded: %v, %v after the first fact was acknowledged", first.Uploaded, second.Uploaded)
	}
}

func TestComplete(t *testing.T) {
	b := newBench(t)
	c := accept(t, b, application("v1", "P1-01"))[0]
	for range 2 {
		if err := b.files.Complete(t.Context(), c.Number); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.files.ByNumber(t.Context(), c.Number)
	if err != nil || got.State != StateCompleted || got.Service != 2 {
		t.Errorf("case %+v, %v", got, err)
	}
	if list := facts(t, b); len(list) != 2 || list[1].Kind != "case.completed" || list[1].Subject != c.Number {
		t.Errorf("facts %v", list)
	}
	if err := b.files.Complete(t.Context(), "LUNKNOWN"); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestRequests(t *testing.T) {
	b := newBench(t)
	for _, tc := range []struct {
		kind RequestKind
		want string
	}{{Assistance, "BA1B2C32607150001"}, {Demand, "SA1B2C32607150001"}, {Assistance, "BA1B2C32607150002"}} {
		number, err := b.files.RecordRequest(t.Context(), Request{Kind: tc.kind, Item: "P1-01", Phone: canaryPhone, Text: "请联系"})
		if err != nil || number[:17] != tc.want || CheckNumber(number) != nil {
			t.Errorf("number %s, %v; want %s and its check character", number, err, tc.want)
		}
	}
	last := facts(t, b)[2]
	plain, err := OpenSealed(b.private, last.Sealed)
	if err != nil || last.Kind != "request.recorded" || !strings.Contains(string(plain), canaryPhone) || strings.Contains(string(last.Body), canaryPhone) {
		t.Errorf("fact %+v with %s, %v", last, plain, err)
	}
	for _, r := range []Request{{Kind: "gossip"}, {Kind: Demand, Text: strings.Repeat("字", maxRequestText+1)}} {
		if _, err := b.files.RecordRequest(t.Context(), r); err == nil {
			t.Errorf("recorded %v", r)
		}
	}
}

func TestSealing(t *testing.T) {
	private, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := PublicKey(private); err != nil || !bytes.Equal(got, public) {
		t.Errorf("public key %x, %v", got, err)
	}
	s, err := NewSealer(public)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := s.Seal([]byte("张三"))
	two, _ := s.Seal([]byte("张三"))
	if bytes.Equal(one, two) || bytes.Contains(one, []byte("张三")) {
		t.Error("sealing hides nothing")
	}
	if got, err := OpenSealed(private, one); err != nil || string(got) != "张三" {
		t.Errorf("opened %q, %v", got, err)
	}
	other, _, _ := NewKey()
	if _, err := OpenSealed(other, one); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("with another key: %v", err)
	}
	for i := range one {
		bad := bytes.Clone(one)
		bad[i] ^= 1
		if _, err := OpenSealed(private, bad); err == nil {
			t.Errorf("byte %d changed, and still opened", i)
		}
	}
	for n := range one {
		if _, err := OpenSealed(private, one[:n]); err == nil {
			t.Errorf("%d of %d bytes, and still opened", n, len(one))
		}
	}
	if _, err := NewSealer([]byte("short")); err == nil {
		t.Error("a key that is none was taken")
	}
}

func TestAcceptSurvivesCancelledVisit(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.files.Accept(ctx, application("v", "P1-01")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(facts(t, b)) != 0 {
		t.Error("accepted for a visit that was over")
	}
}
