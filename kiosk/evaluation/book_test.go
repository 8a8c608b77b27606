package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yuanban/kiosk/casefile"
	"yuanban/kiosk/journal"
)

type bench struct {
	j       *journal.Journal
	book    *Book
	path    string
	now     time.Time
	private []byte
}

// stopper is what a test and a property share.
type stopper interface {
	Helper()
	Fatal(args ...any)
}

func newBench(t stopper, dir string) *bench {
	t.Helper()
	b := &bench{path: filepath.Join(dir, "j.db"), now: time.Date(2026, 7, 15, 9, 0, 0, 0, time.UTC)}
	var public []byte
	var err error
	if b.private, public, err = casefile.NewKey(); err != nil {
		t.Fatal(err)
	}
	b.open(t, public)
	return b
}

func (b *bench) open(t stopper, public []byte) {
	t.Helper()
	sealer, err := casefile.NewSealer(public)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return b.now }
	if b.j, err = journal.Open(ctx, b.path, journal.Options{Machine: "A1B2C3", Now: clock}); err != nil {
		t.Fatal(err)
	}
	b.book = New(b.j, national(t), Options{Sealer: sealer, Now: clock})
}

// restart stops the machine at this moment and starts it again.
func (b *bench) restart(t stopper) {
	t.Helper()
	public, err := casefile.PublicKey(b.private)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.j.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(t, public)
	if err := b.book.Recover(ctx); err != nil {
		t.Fatal(err)
	}
}

func national(t stopper) *Reasons {
	t.Helper()
	data, err := os.ReadFile("testdata/rating_reasons.csv")
	if err != nil {
		t.Fatal(err)
	}
	r, err := LoadReasons(bytes.NewReader(data), "national-2021")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testBench(t *testing.T) *bench {
	b := newBench(t, t.TempDir())
	t.Cleanup(func() { _ = b.j.Close() })
	return b
}

func (b *bench) invite(t *testing.T, number string) Invitation {
	t.Helper()
	inv, err := b.book.Invite(ctx, Invitation{Case: number, Stage: StageAcceptance, Service: 1, Staff: "017", Window: "3", Channel: ChannelPad,
		Expires: b.now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func (b *bench) rate(t *testing.T, number string, level int) Rating {
	t.Helper()
	r, err := b.book.Rate(ctx, b.invite(t, number).ID, level, SourceScreen)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bench) facts(t stopper) []journal.Fact {
	t.Helper()
	list, err := b.j.Pending(ctx, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func kinds(list []journal.Fact) []string {
	var names []string
	for _, f := range list {
		names = append(names, f.Kind)
	}
	return names
}

func TestOneRatingFromPressToClose(t *testing.T) {
	b := testBench(t)
	inv := b.invite(t, "4306-1")
	r, err := b.book.Rate(ctx, inv.ID, 2, SourceButton)
	if err != nil || r.ID != inv.ID || r.Level != 2 {
		t.Fatalf("rating %+v, %v", r, err)
	}
	for range 2 { // saying the same twice is one fact
		if err := b.book.Detail(ctx, r.ID, []string{"214", "213", "214"}, " 窗口的李某某态度生硬 "); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.book.Finish(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	list := b.facts(t)
	if got := kinds(list); !slices.Equal(got, []string{"invitation.opened", "rating.given", "rating.detailed", "rating.closed"}) {
		t.Fatalf("facts %v", got)
	}
	for i, want := range []string{
		1: `{"case":"4306-1","channel":"5","device":"A1B2C3","level":"2","rating":"` + r.ID + `","reasons_version":"national-2021","service":1,"source":"button","staff":"017","stage":"acceptance","window":"3"}`,
		2: `{"codes":["213","214"],"rating":"` + r.ID + `","reasons_version":"national-2021","text":true}`,
		3: `{"rating":"` + r.ID + `","unstated":false}`,
	} {
		if want != "" && string(list[i].Body) != want {
			t.Errorf("%s is %s, want %s", list[i].Kind, list[i].Body, want)
		}
	}
	plain, err := casefile.OpenSealed(b.private, list[2].Sealed)
	var said struct{ Rating, Text string }
	if err != nil || json.Unmarshal(plain, &said) != nil || said.Text != "窗口的李某某态度生硬" || said.Rating != r.ID {
		t.Errorf("the text is %s, %v", plain, err)
	}
	got, err := b.book.Rating(ctx, r.ID)
	if err != nil || !got.Closed || got.Unstated || !got.HasText || !slices.Equal(got.Codes, []string{"213", "214"}) {
		t.Errorf("rating %+v, %v", got, err)
	}
	if inv, err := b.book.Get(ctx, inv.ID); err != nil || inv.State != Rated {
		t.Errorf("invitation %+v, %v", inv, err)
	}
	if err := b.book.Detail(ctx, r.ID, nil, ""); !errors.Is(err, ErrClosed) {
		t.Errorf("added to a closed rating: %v", err)
	}
	for _, suffix := range []string{"", "-wal"} {
		if data, err := os.ReadFile(b.path + suffix); err == nil && bytes.Contains(data, []byte("李某某")) {
			t.Error("the text is on the disk in clear")
		}
	}
}

func TestOneRatingForAService(t *testing.T) {
	b := testBench(t)
	first := b.invite(t, "c1")
	if _, err := b.book.Invite(ctx, Invitation{Case: "c1", Stage: StageAcceptance, Service: 1, Channel: ChannelPad}); !errors.Is(err, ErrOpen) {
		t.Errorf("a second invitation while one is open: %v", err)
	}
	if err := b.book.End(ctx, first.ID, Declined); err != nil {
		t.Fatal(err)
	}
	second := b.invite(t, "c1") // one who declined may be asked again
	if _, err := b.book.Rate(ctx, first.ID, 5, SourceScreen); !errors.Is(err, ErrNotOpen) {
		t.Errorf("rated an ended invitation: %v", err)
	}
	if _, err := b.book.Rate(ctx, second.ID, 5, SourceScreen); err != nil {
		t.Fatal(err)
	}
	if _, err := b.book.Rate(ctx, second.ID, 1, SourceScreen); !errors.Is(err, ErrRated) {
		t.Errorf("rated twice: %v", err)
	}
	if _, err := b.book.Invite(ctx, Invitation{Case: "c1", Stage: StageAcceptance, Service: 1, Channel: ChannelPad}); !errors.Is(err, ErrRated) {
		t.Errorf("invited for a rated service: %v", err)
	}
	if err := b.book.End(ctx, second.ID, Timeout); !errors.Is(err, ErrNotOpen) {
		t.Errorf("ended a rated invitation: %v", err)
	}
	if _, err := b.book.Invite(ctx, Invitation{Case: "c1", Stage: StageCompletion, Service: 2, Channel: ChannelPad}); err != nil {
		t.Errorf("the next service of the case: %v", err)
	}
}

func TestACaseWithTwoNumbersIsOneCase(t *testing.T) {
	b := testBench(t)
	err := b.j.Write(ctx, func(tx *journal.Tx) error {
		_, err := tx.Exec(`INSERT INTO casefile (number, platform_number, visit, position, item, name, department, seal, state, accepted_at, due, due_text, query_code, person, fact)
			VALUES ('L1', 'YB1', 'v', 0, 'i', 'n', 'd', '', 'accepted', 0, 0, '', '', x'00', 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := b.rate(t, "YB1", 4); r.Case != "L1" {
		t.Errorf("the rating is of case %s", r.Case)
	}
	if _, err := b.book.Invite(ctx, Invitation{Case: "L1", Stage: StageAcceptance, Service: 1, Channel: ChannelKiosk}); !errors.Is(err, ErrRated) {
		t.Errorf("rated under one number, invited under the other: %v", err)
	}
}

func TestInvitationRefusals(t *testing.T) {
	b := testBench(t)
	good := Invitation{Case: "c", Stage: StageAcceptance, Service: 1, Channel: ChannelPad}
	for name, change := range map[string]func(*Invitation){
		"no case":   func(i *Invitation) { i.Case = "" },
		"long case": func(i *Invitation) { i.Case = strings.Repeat("9", 51) },
		"no stage":  func(i *Invitation) { i.Stage = "" },
		"service 0": func(i *Invitation) { i.Service = 0 },
		"channel":   func(i *Invitation) { i.Channel = "phone" },
		"expired":   func(i *Invitation) { i.Expires = b.now },
		"staff":     func(i *Invitation) { i.Staff = strings.Repeat("x", 51) },
	} {
		inv := good
		change(&inv)
		if _, err := b.book.Invite(ctx, inv); err == nil {
			t.Errorf("%s: invited", name)
		}
	}
	inv, err := b.book.Invite(ctx, good)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"level 0":    second(b.book.Rate(ctx, inv.ID, 0, SourceScreen)),
		"level 6":    second(b.book.Rate(ctx, inv.ID, 6, SourceScreen)),
		"by default": second(b.book.Rate(ctx, inv.ID, 5, "default")),
		"unknown":    second(b.book.Rate(ctx, "none", 5, SourceScreen)),
		"as rated":   b.book.End(ctx, inv.ID, Rated),
		"as open":    b.book.End(ctx, inv.ID, Open),
		"none":       b.book.End(ctx, "none", Fault),
		"no rating":  b.book.Finish(ctx, inv.ID),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if got := kinds(b.facts(t)); !slices.Equal(got, []string{"invitation.opened"}) {
		t.Errorf("facts %v", got)
	}
}

func second[T any](_ T, err error) error { return err }

func TestInvitationRunsOut(t *testing.T) {
	b := testBench(t)
	inv := b.invite(t, "c1")
	b.now = inv.Expires
	open := b.invite(t, "c2") // still within its time at its last moment
	b.now = inv.Expires.Add(time.Millisecond)
	if _, err := b.book.Rate(ctx, inv.ID, 5, SourceScreen); !errors.Is(err, ErrExpired) {
		t.Errorf("rated after the time: %v", err)
	}
	if _, err := b.book.Rate(ctx, open.ID, 5, SourceScreen); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := b.book.End(ctx, inv.ID, Timeout); err != nil {
			t.Error(err)
		}
	}
	if err := b.book.End(ctx, inv.ID, Declined); !errors.Is(err, ErrNotOpen) {
		t.Errorf("ended twice in different ways: %v", err)
	}
}

// The wall clock is set while a person decides: what the person says counts.
func TestClockSetDuringAnInvitation(t *testing.T) {
	b := testBench(t)
	b.book = New(b.j, national(t), Options{})
	inv, err := b.book.Invite(ctx, Invitation{Case: "c", Stage: StageAcceptance, Service: 1, Channel: ChannelPad, Expires: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	// What the table says is in the past; the monotonic reading kept in memory is not.
	if err := b.j.Write(ctx, func(tx *journal.Tx) error { _, err := tx.Exec(`UPDATE invitation SET expires = 1`); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.book.Rate(ctx, inv.ID, 3, SourceScreen); err != nil {
		t.Error(err)
	}
}

func TestReasonsOfALevel(t *testing.T) {
	b := testBench(t)
	r := b.rate(t, "c1", 1)
	for name, tc := range map[string]struct {
		codes []string
		text  string
		want  error
	}{
		"of another level": {[]string{"108", "510"}, "", ErrReason},
		"invented":         {[]string{"999"}, "", ErrReason},
		"long text":        {nil, strings.Repeat("字", MaxText+1), ErrText},
		"no text":          {nil, "\xff", ErrText},
		"longest text":     {nil, strings.Repeat("字", MaxText), nil},
		"all reasons":      {[]string{"108", "109", "110", "111", "112", "113", "114", "115"}, "", nil},
		"withdrawn":        {nil, "", nil},
	} {
		if err := b.book.Detail(ctx, r.ID, tc.codes, tc.text); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.book.Detail(ctx, "none", nil, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("of no rating: %v", err)
	}
}

func TestUnstatedReasons(t *testing.T) {
	b := testBench(t)
	for i, tc := range []struct {
		level    int
		codes    []string
		text     string
		unstated bool
	}{
		{1, nil, "", true}, {2, nil, "", true}, {3, nil, "", false}, {5, nil, "", false},
		{1, []string{"108"}, "", false}, {2, nil, "太慢", false}, {2, nil, "   ", true},
	} {
		r := b.rate(t, fmt.Sprint("c", i), tc.level)
		if err := b.book.Detail(ctx, r.ID, tc.codes, tc.text); err != nil {
			t.Fatal(err)
		}
		if err := b.book.Finish(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
		list := b.facts(t)
		want := fmt.Sprintf(`{"rating":%q,"unstated":%v}`, r.ID, tc.unstated)
		if got, _ := b.book.Rating(ctx, r.ID); got.Unstated != tc.unstated || string(list[len(list)-1].Body) != want {
			t.Errorf("level %d with %v and %q: %+v, %s", tc.level, tc.codes, tc.text, got, list[len(list)-1].Body)
		}
	}
}

func TestWithoutAKeyATextIsRefusedARatingIsNot(t *testing.T) {
	b := testBench(t)
	b.book = New(b.j, national(t), Options{Now: func() time.Time { return b.now }})
	r := b.rate(t, "c", 1)
	if err := b.book.Detail(ctx, r.ID, []string{"108"}, "text"); err == nil {
		t.Error("a text was kept without a key to seal it with")
	}
	if err := b.book.Detail(ctx, r.ID, []string{"108"}, ""); err != nil {
		t.Error(err)
	}
}

func TestRecover(t *testing.T) {
	b := testBench(t)
	ended := b.invite(t, "ended")
	if err := b.book.End(ctx, ended.ID, Declined); err != nil {
		t.Fatal(err)
	}
	open, bad := b.invite(t, "open"), b.rate(t, "bad", 1)
	before := len(b.facts(t))
	b.restart(t)
	if got := kinds(b.facts(t)[before:]); !slices.Equal(got, []string{"invitation.ended", "rating.closed"}) {
		t.Errorf("facts %v", got)
	}
	if inv, _ := b.book.Get(ctx, open.ID); inv.State != Fault {
		t.Errorf("the open invitation is %s", inv.State)
	}
	if inv, _ := b.book.Get(ctx, ended.ID); inv.State != Declined {
		t.Errorf("the declined invitation is %s", inv.State)
	}
	if r, _ := b.book.Rating(ctx, bad.ID); !r.Closed || !r.Unstated || r.Level != 1 {
		t.Errorf("the rating is %+v", r)
	}
	before = len(b.facts(t))
	b.restart(t)
	if got := kinds(b.facts(t)[before:]); got != nil {
		t.Errorf("a second start recorded %v", got)
	}
	if _, err := b.book.Get(ctx, "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown invitation: %v", err)
	}
}

func TestRatingsCannotBeChangedByMistake(t *testing.T) {
	b := testBench(t)
	b.rate(t, "c", 1)
	for _, statement := range []string{`UPDATE rating SET level = 5`, `UPDATE rating SET at = at + 1`, `DELETE FROM rating`,
		`INSERT INTO rating (id, case_number, service, level, at) VALUES ('no invitation', 'x', 1, 5, 0)`} {
		if err := b.j.Write(ctx, func(tx *journal.Tx) error { _, err := tx.Exec(statement); return err }); err == nil {
			t.Errorf("%s was done", statement)
		}
	}
}
